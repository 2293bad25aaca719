"""``cnnviz featuremaps`` as it is typed: folders, refusals, exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Run
from tests.models.drawn import seven

LENET = ("featuremaps", "--model", "lenet")


@pytest.fixture
def digit(tmp_path: Path) -> Path:
    """seven.png in the current folder of ``run``."""
    path = tmp_path / "seven.png"
    Image.fromarray(seven()).save(path)
    return path


def everything(folder: Path) -> dict[str, bytes | None]:
    """Each path below ``folder`` with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_one_image_fills_a_folder_of_its_name(run: Run, digit: Path, tmp_path: Path) -> None:
    result = run(*LENET, "seven.png")
    assert (result.exit_code, result.stderr) == (0, "")
    files = list((tmp_path / "seven.lenet").iterdir())
    assert {path.name for path in files} > {"00_input.png", "predictions.png", "manifest.json"}
    said = f"{len(files) - 2} pictures, index.html to open in a browser, and manifest.json"
    assert f"seven.lenet/  {said}" in result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].startswith("lenet: LeNet-5 (1998), 61,706 parameters, trained on MNIST: 9")
    assert lines[1] == "seven.png → 1x32x32: 28x28 centred in 32x32"
    assert lines[3].split() == ["C1", "features.0", "Conv2d", "6x28x28", "01_features.0.png"]
    best = next(line for line in lines if "█" in line)
    assert best.split()[0] == "7"


def test_the_same_run_writes_the_same_bytes(run: Run, digit: Path, tmp_path: Path) -> None:
    written = []
    for _ in range(3):
        assert run(*LENET, str(digit), "--overwrite", "--raw", "npz").exit_code == 0
        written.append(everything(tmp_path / "seven.lenet"))
    assert len(written[0]) > 10
    assert written[0] == written[1] == written[2]


def test_quiet_prints_the_folder_alone(run: Run, digit: Path) -> None:
    result = run(*LENET, "seven.png", "-q", "-o", "maps")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "maps/\n", "")


def test_json_is_one_document_with_the_manifest(run: Run, digit: Path, tmp_path: Path) -> None:
    result = run(*LENET, "seven.png", "missing.png", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    (done,) = document["results"]
    manifest = json.loads((tmp_path / "seven.lenet" / "manifest.json").read_text("utf-8"))
    assert done == {"input": "seven.png", "output": "seven.lenet", **manifest}
    assert document["failures"] == [
        {"input": "missing.png", "error": "missing.png: there is no such file"}
    ]


def test_several_images_each_have_a_folder_and_a_bad_one_stops_none(
    run: Run, digit: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_text("no image")
    Image.fromarray(255 - seven()).save(tmp_path / "dark.png")
    result = run(*LENET, "bad.png", "seven.png", "dark.png", "-o", "out/")
    assert result.exit_code == 1
    assert "bad.png: not an image" in result.stderr
    assert "2 of 3 images done, 1 failed" in result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "channels.lenet",
        "dark.lenet",
        "seven.lenet",
    ]
    assert (tmp_path / "out" / "dark.lenet" / "manifest.json").exists()


def test_image_may_come_from_a_pipe(run: Run, tmp_path: Path) -> None:
    data = io.BytesIO()
    Image.fromarray(seven()).save(data, "PNG")
    result = run(*LENET, "-", "-q", stdin=data.getvalue())
    assert (result.exit_code, result.stdout) == (0, "stdin.lenet/\n")
    assert (tmp_path / "stdin.lenet" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param([*LENET, "none.png"], 1, "none.png: there is no such file", id="missing"),
        pytest.param([*LENET, "text.txt"], 1, "text.txt: not an image", id="not an image"),
        pytest.param([*LENET, "cut.png"], 1, "cut.png: ", id="cut off"),
        pytest.param([*LENET, "*.gif"], 1, "*.gif: no image is there", id="empty pattern"),
        pytest.param(
            ["featuremaps", "--model", "lenett", "seven.png"],
            2,
            "no model is called 'lenett'; did you mean lenet?",
            id="unknown model",
        ),
        pytest.param(["featuremaps", "seven.png"], 2, "--model", id="no model"),
        pytest.param(LENET, 2, "IMAGE", id="no image"),
        pytest.param([*LENET, "seven.png", "-o", "full"], 2, "--overwrite", id="folder in use"),
        pytest.param([*LENET, "seven.png", "-o", "text.txt"], 2, "is a file", id="a file"),
        pytest.param([*LENET, "seven.png", "-o", "-"], 2, "standard output", id="to stdout"),
        pytest.param(
            [*LENET, "seven.png", "sub/seven.png"], 2, "two results", id="two of one name"
        ),
        pytest.param(
            [*LENET, "full/predictions.png", "-o", "full", "--overwrite"],
            2,
            "full/predictions.png is an input",
            id="input would be replaced",
        ),
        pytest.param(
            [*LENET, "seven.png", "-o", "text.txt/maps"], 2, "text.txt is a file", id="below a file"
        ),
    ],
)
def test_what_cannot_be_done_is_one_message_and_changes_nothing(
    run: Run, digit: Path, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    (tmp_path / "text.txt").write_text("no image")
    (tmp_path / "cut.png").write_bytes(digit.read_bytes()[:-30])
    for folder in ("full", "sub"):
        (tmp_path / folder).mkdir()
    Image.fromarray(seven()).save(tmp_path / "full" / "predictions.png")
    Image.fromarray(seven()).save(tmp_path / "sub" / "seven.png")
    before = everything(tmp_path)
    result = run(*arguments)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert "fault of cnnviz" not in result.output
    assert everything(tmp_path) == before


def test_overwrite_replaces_the_results_of_an_earlier_image(
    run: Run, digit: Path, tmp_path: Path
) -> None:
    assert run(*LENET, "seven.png").exit_code == 0
    before = everything(tmp_path / "seven.lenet")
    Image.fromarray(np.rot90(seven()).copy()).save(digit)
    assert run(*LENET, "seven.png").exit_code == 2
    assert everything(tmp_path / "seven.lenet") == before
    assert run(*LENET, "seven.png", "--overwrite").exit_code == 0
    after = everything(tmp_path / "seven.lenet")
    assert set(after) == set(before)
    assert {name for name in after if after[name] == before[name]} == set()


def test_results_of_one_image_never_replace_another_input(
    run: Run, digit: Path, tmp_path: Path
) -> None:
    assert run(*LENET, "seven.png").exit_code == 0
    taken = tmp_path / "seven.lenet" / "04_features.3.png"
    before = taken.read_bytes()
    result = run(*LENET, "seven.png", "seven.lenet/04_features.3.png", "--overwrite", "-q")
    assert result.exit_code == 1
    assert "seven.lenet/04_features.3.png is an input" in result.stderr
    assert taken.read_bytes() == before
    assert result.stdout == "04_features.3.lenet/\n"


def test_a_blank_image_is_called_blank(run: Run, digit: Path, tmp_path: Path) -> None:
    Image.new("L", (40, 40), 200).save(tmp_path / "blank.png")
    blank, other = run(*LENET, "blank.png"), run(*LENET, digit)
    assert "the image is blank" in blank.stdout
    assert "the image is blank" not in other.stdout


def test_tree_prints_the_networks_filters_and_writes_nothing(
    run: Run, digit: Path, tmp_path: Path
) -> None:
    before = everything(tmp_path)
    result = run(*LENET, "seven.png", "--tree")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("lenet: 1x32x32 in; 12 layers, 3 convolutions with 142 filters")
    assert sum("filter 0 → map 0" in line for line in lines) == 3
    assert everything(tmp_path) == before


def test_show_needs_a_terminal(run: Run, digit: Path) -> None:
    result = run(*LENET, "seven.png", "--show", "-q", "-o", "maps")
    assert (result.exit_code, result.stdout) == (0, "maps/\n")
    assert result.stderr == "--show draws in a terminal, and standard output is none\n"
    refused = run(*LENET, "seven.png", "--show", "--json", "-o", "again")
    assert refused.exit_code == 2
