"""``cnnviz filter`` as it is typed: results, verification, refusals."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from cnnviz import engines
from cnnviz.record import RECORD
from tests.conftest import Run

KEYS = {
    *("input", "output", "kernel", "size", "channels", "border", "display", "engines"),
    *("verified", "exact", "max_abs_diff", "tolerance", "values", "nonfinite", "seconds"),
}


def only_result(stdout: str) -> dict[str, Any]:
    document = json.loads(stdout)
    assert set(document) == {"results", "failures"}
    (result,) = document["results"]
    assert set(result) >= KEYS
    return dict(result)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small random RGB photo.png in the current folder of ``run``."""
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


def test_the_command_of_the_readme(run: Run, samples: Path, tmp_path: Path) -> None:
    result = run("filter", samples / "coffee.png", "--kernel", "sobel_x")
    assert result.exit_code == 0
    with Image.open(samples / "coffee.png") as image:
        gray = np.asarray(image).astype(int)
    padded = np.pad(gray, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    right, left = padded[:, 2:], padded[:, :-2]
    edges = (right - left)[:-2] + 2 * (right - left)[1:-1] + (right - left)[2:]
    assert result.stdout.endswith(
        "coffee.png × sobel_x → coffee.sobel_x.png  400x600"
        "  verified: identical on 720,000 values"
        f"  display: abs of {edges.min()} to {edges.max()}\n"
    )
    with Image.open(tmp_path / "coffee.sobel_x.png") as written:
        assert np.array_equal(np.asarray(written), np.minimum(abs(edges), 255))


def test_json_has_the_contract_s_keys(run: Run, photo: Path) -> None:
    result = only_result(run("filter", photo, "-k", "gaussian", "--json").stdout)
    seconds = result.pop("seconds")
    low, high = result.pop("range")
    assert 0 < low < high < 255
    assert {"read", "opencv", "torch", "compare", "write"} <= set(seconds)
    assert result == {
        "input": str(photo),
        "output": "photo.gaussian.png",
        "raw": None,
        "figure": None,
        "kernel": "gaussian",
        "size": [48, 64],
        "channels": 3,
        "border": "reflect101",
        "padding": "same",
        "stride": [1, 1],
        "dilation": [1, 1],
        "flip": False,
        "precision": "float32",
        "display": "clip",
        "engines": ["opencv", "torch"],
        "verified": True,
        "exact": True,
        "max_abs_diff": 0.0,
        "tolerance": 0.0,
        "values": 48 * 64 * 3,
        "nonfinite": 0,
        "notes": [],
    }


@pytest.mark.parametrize("engine", ["opencv", "torch"])
def test_one_engine_alone_is_not_verified(run: Run, photo: Path, engine: str) -> None:
    both = run("filter", photo, "-k", "sharpen", "-o", "both.png")
    alone = run("filter", photo, "-k", "sharpen", "-o", "alone.png", "--engine", engine)
    assert f"not verified: {engine} alone" in alone.stdout
    assert "verified: identical" in both.stdout
    assert Path("both.png").read_bytes() == Path("alone.png").read_bytes()
    document = run("filter", photo, "-k", "sharpen", "--engine", engine, "--json").stdout
    assert only_result(document)["verified"] is None


@pytest.mark.parametrize(
    ("suffix", "load"),
    [
        (".npy", np.load),
        (".npz", lambda path: np.load(path)["result"]),
        (".tiff", tifffile.imread),
    ],
)
def test_raw_is_the_signed_result(run: Run, photo: Path, suffix: str, load: Any) -> None:
    assert run("filter", photo, "-k", "sobel_x", "--raw", f"raw{suffix}").exit_code == 0
    raw = load(f"raw{suffix}")
    assert raw.shape == (48, 64, 3)
    assert raw.dtype == np.float32
    with Image.open(photo) as image:
        column = np.asarray(image).astype(int)[:3, :3]
    window = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    assert raw[1, 1].tolist() == np.tensordot(window, column, ((0, 1), (0, 1))).tolist()


def test_raw_of_one_channel_has_two_axes(run: Run, photo: Path) -> None:
    run("filter", photo, "-k", "box", "--channels", "gray", "--raw", "raw.npy")
    assert np.load("raw.npy").shape == (48, 64)


def test_sixteen_bits_stay_sixteen_bits(run: Run, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 65536, (20, 30), dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / "deep.png")
    result = only_result(run("filter", "deep.png", "-k", "identity", "--json").stdout)
    assert (result["verified"], result["exact"], result["channels"]) == (True, True, 1)
    with Image.open("deep.identity.png") as written:
        assert np.array_equal(np.asarray(written), pixels)


def test_float_tiff_is_verified_and_its_scaling_is_said(run: Run, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    tifffile.imwrite(
        tmp_path / "float.tiff",
        random.normal(size=(20, 30, 3)).astype(np.float32),
        photometric="rgb",
    )
    # Large enough that the engines sum in different orders, and do not get the same last bits.
    (tmp_path / "wide.json").write_text(json.dumps(random.normal(size=(15, 15)).tolist()))
    result = run("filter", "float.tiff", "-k", "wide.json")
    assert re.search(r"verified: within \S+ on 1,800 values \(bound \S+\)", result.stdout)
    assert "the float input's range" in result.stderr
    document = run("filter", "float.tiff", "-k", "wide.json", "-o", "b.png", "--json").stdout
    answer = only_result(document)
    assert (answer["verified"], answer["exact"]) == (True, False)
    assert 0 < answer["max_abs_diff"] <= answer["tolerance"] < 0.1


def test_larger_than_ten_megapixels(run: Run, tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (3000, 4000), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "large.bmp")
    result = only_result(run("filter", "large.bmp", "-k", "laplacian_8", "--json").stdout)
    assert (result["size"], result["values"]) == ([3000, 4000], 12_000_000)
    assert (result["verified"], result["exact"], result["max_abs_diff"]) == (True, True, 0)
    block = pixels[1999:2002, 2999:3002].astype(int)
    expected = min(abs(9 * block[1, 1] - block.sum()), 255)
    with Image.open("large.laplacian_8.png") as written:
        assert written.getpixel((3000, 2000)) == expected


@pytest.mark.parametrize("size", [(1, 1), (2, 2)])
def test_tiny_images(run: Run, tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, (10, 20, 30)).save(tmp_path / "tiny.png")
    result = only_result(run("filter", "tiny.png", "-k", "gaussian_5", "--json").stdout)
    assert (result["size"], result["verified"], result["exact"]) == ([*size], True, True)
    with Image.open("tiny.gaussian_5.png") as written:
        assert written.getpixel((0, 0)) == (10, 20, 30)


@pytest.mark.parametrize("engine", ["opencv", "torch"])
def test_doctored_engine_exits_3_and_names_the_pixel(
    run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    module = engines.load(engine)
    right = module.correlate

    def off_by_one(*arguments: Any) -> np.ndarray:
        result = right(*arguments).copy()
        result[12, 34, 2] += 1
        return result

    monkeypatch.setattr(module, "correlate", off_by_one)
    result = run("filter", photo, "-k", "sobel_x")
    assert result.exit_code == 3
    assert "photo.png × sobel_x: the engines disagree at row 12, column 34" in result.stderr
    assert not list(photo.parent.glob("*sobel*"))
    document = run("filter", photo, "-k", "sobel_x", "--json").stdout
    (failed,) = json.loads(document)["results"]
    assert (failed["verified"], failed["output"], failed["max_abs_diff"]) == (False, None, 1)
    assert json.loads(document)["failures"][0]["input"] == str(photo)


def test_disagreement_beats_other_failures(
    run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = engines.load("torch")
    right = module.correlate
    monkeypatch.setattr(module, "correlate", lambda *arguments: right(*arguments) + 1)
    result = run("filter", photo, "missing.png", "-k", "sobel_x", "-o", "out/")
    assert result.exit_code == 3
    assert "0 of 2 images done, 2 failed" in result.stderr


def test_a_bad_file_does_not_stop_the_others(run: Run, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    result = run("filter", "text.png", "none.png", photo, "-k", "box,sobel_x", "-o", "out/")
    assert result.exit_code == 1
    assert "text.png: not an image" in result.stderr
    assert "none.png: there is no such file" in result.stderr
    assert "1 of 3 images done, 2 failed" in result.stderr
    assert files_below(tmp_path / "out") == [
        "photo.box.png",
        "photo.sobel_x.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param("none.png -k box", 1, "none.png: there is no such file", id="missing"),
        pytest.param("text.png -k box", 1, "text.png: not an image", id="not an image"),
        pytest.param("bare -k box", 1, "bare: no image is there; --recursive", id="folder"),
        pytest.param("*.gif -k box", 1, "*.gif: no image is there", id="pattern"),
        pytest.param("photo.png -k sobelx", 2, "did you mean sobel_x", id="unknown kernel"),
        pytest.param("photo.png", 2, "Missing option '-k' / '--kernel'", id="no kernel"),
        pytest.param("photo.png -k box -o text.png", 2, "exists already", id="existing"),
        pytest.param("photo.png -k box -o photo.png", 2, "photo.png is an input", id="input"),
        pytest.param("photo.png -k box -o link.png", 2, "link.png is an input", id="link"),
        pytest.param("photo.png -k box -o a.gif", 2, "a.gif: the name must end in", id="gif"),
        pytest.param("photo.png -k box --raw a.csv", 2, "a.csv: the name must end in", id="raw"),
        pytest.param("photo.png -k box --raw -", 2, "-: the name must end in", id="raw pipe"),
        pytest.param("photo.png -k box,sobel_x -o a.png", 2, "end it in /", id="one for two"),
        pytest.param("photo.png -k box -o ", 2, "is empty", id="no name"),
        pytest.param("photo.png a/../photo.png -k box", 2, "would both be written", id="twins"),
        pytest.param("photo.png -k box --json -o -", 2, "choose one", id="two on stdout"),
        pytest.param("photo.png -k huge.json --padding valid", 2, "spans 99 px", id="misfit"),
        pytest.param("photo.png -k bad.json", 2, "bad.json: row 2 has 1 weights", id="kernel"),
        pytest.param("photo.png -k box --border mirror", 2, "'mirror' is not one of", id="border"),
    ],
)
def test_refusal(
    run: Run, photo: Path, tmp_path: Path, arguments: str, code: int, message: str
) -> None:
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "link.png").symlink_to(photo)
    (tmp_path / "huge.json").write_text(json.dumps([[1] * 99]))
    (tmp_path / "bad.json").write_text("[[1, 2], [3]]")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "bare").mkdir()
    result = run("filter", *arguments.split(" "))
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.output
    (tmp_path / "bare").rmdir()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_overwrite_replaces_results_but_never_inputs(run: Run, photo: Path) -> None:
    before = photo.read_bytes()
    assert run("filter", photo, "-k", "box").exit_code == 0
    assert run("filter", photo, "-k", "box").exit_code == 2
    assert run("filter", photo, "-k", "box", "--overwrite").exit_code == 0
    assert run("filter", photo, "-k", "box", "-o", photo, "--overwrite").exit_code == 2
    assert photo.read_bytes() == before


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tiff", ".bmp", ".PNG"])
def test_format_follows_the_name(run: Run, photo: Path, suffix: str) -> None:
    assert run("filter", photo, "-k", "box", "-o", f"new/out{suffix}").exit_code == 0
    with Image.open(f"new/out{suffix}") as written:
        assert written.format == {".jpg": "JPEG", ".tiff": "TIFF"}.get(suffix, suffix[1:].upper())
        assert written.size == (64, 48)


def test_pipe_in_and_out(run: Run, photo: Path) -> None:
    named = run("filter", photo, "-k", "sharpen", "-o", "named.png")
    piped = run("filter", "-", "-k", "sharpen", "-o", "-", stdin=photo.read_bytes())
    assert (named.exit_code, piped.exit_code) == (0, 0)
    assert piped.stdout_bytes == Path("named.png").read_bytes()
    assert "verified: identical" in piped.stderr


def test_alpha_is_carried_over_unfiltered(run: Run, tmp_path: Path) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (9, 9, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "alpha.png")
    assert "alpha carried over" in run("filter", "alpha.png", "-k", "box").stderr
    with Image.open("alpha.box.png") as written:
        assert np.array_equal(np.asarray(written)[:, :, 3], pixels[:, :, 3])
    assert "alpha dropped" in run("filter", "alpha.png", "-k", "box", "-o", "a.jpg").stderr


def test_kernel_name_cannot_leave_the_folder(run: Run, photo: Path, tmp_path: Path) -> None:
    document = {"name": "../../evil\n", "weights": [[1]]}
    (tmp_path / "evil.json").write_text(json.dumps(document))
    assert run("filter", photo, "-k", "evil.json").exit_code == 0
    assert (tmp_path / "photo..._.._evil_.png").exists()


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with images at two depths, something else, and an earlier result."""
    for name in ("a.png", "b.JPG", "b.sobel_x.png", "deep/c.png", "deep/er/d.png"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (200, 100, 50)).save(path)
    (tmp_path / "album" / "notes.txt").write_text("no image")
    return tmp_path / "album"


def files_below(folder: Path) -> list[str]:
    """All results below a folder, without the record of the batch."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != RECORD]
    return sorted(str(path.relative_to(folder)) for path in files)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["album"], ["a.box.png", "b.box.png"], id="folder"),
        pytest.param(
            ["album", "-r"],
            ["a.box.png", "b.box.png", "deep/c.box.png", "deep/er/d.box.png"],
            id="recursive",
        ),
        pytest.param(["album/*.png"], ["a.box.png"], id="pattern"),
        pytest.param(["album/b.sobel_x.png", "album"], 3, id="a result that is named is taken"),
    ],
)
@pytest.mark.usefixtures("album")
def test_folders_and_patterns(
    run: Run, tmp_path: Path, arguments: list[str], expected: list[str] | int
) -> None:
    result = run("filter", *arguments, "-k", "box", "-o", "out/")
    assert result.exit_code == 0, result.stderr
    written = files_below(tmp_path / "out")
    assert expected in (written, len(written))


def test_an_output_folder_inside_the_input_folder_is_not_read(run: Run, album: Path) -> None:
    for _ in range(2):
        result = run("filter", "album", "-r", "-k", "box", "-o", "album/out/", "--overwrite")
        assert result.exit_code == 0
        assert len(result.stdout.splitlines()) == 4
    assert len(files_below(album / "out")) == 4


def test_several_results_make_a_folder_of_the_output(run: Run, photo: Path) -> None:
    assert run("filter", photo, "-k", "box,sobel_x", "-o", "new").exit_code == 0
    assert files_below(Path("new")) == ["photo.box.png", "photo.sobel_x.png"]


def test_a_second_kernel_that_does_not_fit_is_a_failure_beside_a_result(
    run: Run, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "huge.json").write_text(json.dumps([[1] * 99]))
    result = run("filter", photo, "-k", "box,huge.json", "--padding", "valid")
    assert result.exit_code == 1
    assert "photo.png × huge: width: kernel spans 99 px" in result.stderr
    assert (tmp_path / "photo.box.png").exists()
