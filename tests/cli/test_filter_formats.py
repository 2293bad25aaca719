"""``cnnviz filter --format`` and ``--quality``: which files come out, how large and how exact."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.albums import contents, noise
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("photos")

PILLOW = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tiff": "TIFF", "bmp": "BMP"}


def format_of(content: bytes) -> str | None:
    with Image.open(io.BytesIO(content)) as image:
        return image.format


def size_of(run: Run, name: str, *options: object) -> int:
    assert run("filter", "in/a.png", "-k", "box", "-o", name, *options).exit_code == 0
    return Path(name).stat().st_size


@pytest.mark.parametrize("suffix", PILLOW)
def test_format_is_that_of_files_in_a_folder(run: Run, suffix: str) -> None:
    assert run("filter", "in", "-k", "box", "-o", "out/", "--format", suffix).exit_code == 0
    assert set(contents("out")) == {f"{name}.box.{suffix}" for name in "abcd"}
    for content in contents("out").values():
        assert format_of(content) == PILLOW[suffix]


def test_format_is_that_of_a_name_that_is_not_given(run: Run) -> None:
    assert run("filter", "in/a.png", "-k", "box", "--format", "webp").exit_code == 0
    assert format_of(Path("a.box.webp").read_bytes()) == "WEBP"


@pytest.mark.parametrize("suffix", PILLOW)
def test_format_is_that_of_standard_output(run: Run, suffix: str) -> None:
    result = run("filter", "in/a.png", "-k", "box", "-o", "-", "--format", suffix)
    assert result.exit_code == 0
    assert format_of(result.stdout_bytes) == PILLOW[suffix]


def test_the_ending_of_a_name_that_is_given_decides(run: Run) -> None:
    run("filter", "in/a.png", "-k", "box", "-o", "x.webp", "--format", "jpg")
    assert format_of(Path("x.webp").read_bytes()) == "WEBP"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param("--quality 50", "--quality 50 is for JPEG and WebP; see --format", id="png"),
        pytest.param("-o - --quality 50", "--quality 50 is for JPEG and WebP", id="stdout"),
        pytest.param("-o x.bmp --quality 50", "--quality 50 is for JPEG and WebP", id="bmp"),
        pytest.param("-o x.bmp --format jpg --quality 50", "is for JPEG and WebP", id="not used"),
        pytest.param("--format jpg --quality 0", "0 is below 1", id="zero"),
        pytest.param("--format jpg --quality 101", "101 is above 100", id="101"),
        pytest.param("--format jpg --quality 9.5", "'9.5' is not a whole number", id="fraction"),
        pytest.param("--format gif", "'gif' is not one of", id="gif"),
        pytest.param("--format jpg --compression small", "is for PNG; see --format", id="small"),
    ],
)
def test_settings_of_other_formats_are_refused(
    run: Run, tmp_path: Path, options: str, message: str
) -> None:
    before = contents(tmp_path)
    result = run("filter", "in/a.png", "-k", "box", *options.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "JPG", "webp"])
def test_lower_quality_makes_smaller_files(run: Run, suffix: str) -> None:
    noise(0, 90, 120).save("in/a.png")
    sizes = [size_of(run, f"{q}.{suffix}", "--quality", q) for q in (1, 30, 60, 90, 100)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] > 2 * sizes[0]


def test_quality_reaches_every_lossy_file_of_a_batch(run: Run) -> None:
    for quality in (20, 90):
        run("filter", "in", "-k", "box", "-o", f"{quality}/", "--format", "jpg", "-q",
            "--quality", quality)  # fmt: skip
    coarse, fine = contents("20"), contents("90")
    assert len(coarse) == 4
    assert all(len(coarse[name]) < len(fine[name]) for name in fine)


def test_jpeg_has_quality_95_unless_told(run: Run) -> None:
    assert size_of(run, "default.jpg") == size_of(run, "told.jpg", "--quality", 95)
    assert Path("default.jpg").read_bytes() == Path("told.jpg").read_bytes()


def test_webp_is_lossless_unless_told(run: Run) -> None:
    pixels = []
    for name, options in (("x.png", ()), ("x.webp", ()), ("y.webp", ("--quality", 100))):
        size_of(run, name, *options)
        with Image.open(name) as image:
            pixels.append(np.asarray(image.convert("RGB")))
    assert np.array_equal(pixels[0], pixels[1])
    assert not np.array_equal(pixels[0], pixels[2])
