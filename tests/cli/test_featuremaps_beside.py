"""``cnnviz featuremaps`` with --from, --compare, and several images together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Run
from tests.models.drawn import seven

LENET = ("featuremaps", "--model", "lenet")


@pytest.fixture
def digits(tmp_path: Path) -> None:
    """seven.png and turned.png in the current folder of ``run``."""
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    Image.fromarray(np.rot90(seven()).copy()).save(tmp_path / "turned.png")


@pytest.mark.usefixtures("digits")
def test_stored_maps_are_drawn_again(run: Run, tmp_path: Path) -> None:
    assert run(*LENET, "seven.png", "--raw", "npz", "-o", "first", "-q").exit_code == 0
    result = run("featuremaps", "--from", "first/maps.npz", "-l", "conv", "-o", "again")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[:2] == ["first/maps.npz: maps of lenet, not run again", "made from seven.png"]
    assert lines[3].split() == ["C1", "features.0", "Conv2d", "6x28x28", "01_features.0.png"]
    assert lines[-1] == "again/  5 pictures and manifest.json"
    assert len(list((tmp_path / "again").glob("*.png"))) == 5
    result = run("featuremaps", "--from", "first/maps.npz", "--json")
    (done,) = json.loads(result.stdout)["results"]
    assert (done["input"], done["output"], done["model"]) == (
        *("first/maps.npz", "first.maps", "lenet"),
    )


@pytest.mark.usefixtures("digits")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--from", "none.npz"], 2, "none.npz is not there", id="no file"),
        pytest.param(["--from", "seven.png"], 1, "neither safetensors nor npz", id="an image"),
        pytest.param(
            ["--from", "none.npz", "seven.png"], 2, "leave out IMAGE", id="image beside maps"
        ),
        pytest.param(
            ["--from", "none.npz", "-m", "lenet"], 2, "leave out --model", id="model beside maps"
        ),
        pytest.param(
            ["-m", "lenet", "seven.png", "--fail-on", "diverges"],
            2,
            "--fail-on diverges is for --compare",
            id="limit without comparison",
        ),
        pytest.param(
            ["-m", "lenet", "seven.png", "--compare", "seed:x"], 2, "is no seed", id="bad seed"
        ),
        pytest.param(
            ["-m", "lenet", "seven.png", "--compare", "weights:nix"],
            2,
            "lenet has no weights called nix",
            id="no such weights",
        ),
        pytest.param(
            ["-m", "lenet", "seven.png", "--compare", "none.png"], 1, "no such file", id="no image"
        ),
    ],
)
def test_what_cannot_be_done_is_one_message_and_writes_nothing(
    run: Run, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    result = run("featuremaps", *arguments)
    assert result.exit_code == code
    assert said in result.stderr
    assert "fault of cnnviz" not in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seven.png", "turned.png"]


@pytest.mark.usefixtures("digits")
def test_trained_against_random_weights_is_measured_layer_by_layer(
    run: Run, tmp_path: Path
) -> None:
    result = run(*LENET, "seven.png", "--compare", "random")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[1] == "seven.png: trained weights (left) and random weights, seed 0 (right)"
    assert lines[3].split() == [
        *("layer", "largest", "difference", "mean", "relative", "correlation"),
    ]
    assert lines[4].split()[:2] == ["C1", "features.0"]
    assert "  first to differ beyond rounding (relative > 0.00024): features.0" in lines
    said = "15 pictures, index.html to open in a browser, and manifest.json"
    assert lines[-1] == f"seven.lenet.vs.random/  {said}"
    assert (tmp_path / "seven.lenet.vs.random" / "index.html").is_file()
    assert len(list((tmp_path / "seven.lenet.vs.random").glob("*.png"))) == 15


@pytest.mark.usefixtures("digits")
@pytest.mark.parametrize(
    ("other", "limit", "code"),
    [
        ("precision:float64", "diverges", 0),
        ("precision:float64", "diverges>1e-12", 1),
        ("precision:bfloat16", "diverges", 1),
        ("trained", "diverges>0", 0),
    ],
)
def test_check_fails_where_a_layer_diverges(run: Run, other: str, limit: str, code: int) -> None:
    result = run(*LENET, "seven.png", "--compare", other, "--fail-on", limit, "--json")
    assert result.exit_code == code
    (done,) = json.loads(result.stdout)["results"]
    assert bool(done["failed_limits"]) == bool(code)
    assert ("Error: seven.png: diverges>" in result.stderr) == bool(code)
    if other == "trained":
        assert {layer["compare"]["max_abs_diff"] for layer in done["layers"] if layer["file"]} == {
            0
        }


@pytest.mark.usefixtures("digits")
def test_several_images_are_summed_up_beside_their_folders(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no image")
    result = run(*LENET, "seven.png", "bad.png", "turned.png", "-o", "out")
    assert result.exit_code == 1
    assert "2 images together:" in result.stdout
    assert "out/channels.lenet/  11 pictures of what excites the channels most" in result.stdout
    said = json.loads((tmp_path / "out" / "channels.lenet" / "channels.json").read_text())
    assert said["images"] == ["seven.png", "turned.png"]
    again = run(*LENET, "out/channels.lenet", "-o", "other")
    assert again.exit_code == 1
    assert "no image is there" in again.stderr


@pytest.mark.usefixtures("digits")
def test_json_of_several_images_has_the_channels(run: Run) -> None:
    result = run(*LENET, "seven.png", "turned.png", "--json", "-l", "features.0")
    document = json.loads(result.stdout)
    assert len(document["results"]) == 2
    (layer,) = document["channels"]["layers"]
    assert (document["channels"]["output"], layer["name"]) == ("channels.lenet", "features.0")
    assert len(layer["channels"]) == 6


@pytest.mark.usefixtures("digits")
def test_image_from_a_pipe_is_compared(run: Run, tmp_path: Path) -> None:
    data = (tmp_path / "seven.png").read_bytes()
    result = run(*LENET, "-", "--compare", "turned.png", "-q", stdin=data)
    assert (result.exit_code, result.stdout) == (0, "stdin.lenet.vs.turned/\n")


def test_where_nothing_can_be_compared_nothing_is_called_equal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("from torch import nn\nNet = lambda: nn.Conv2d(1, 2, 3)\n")
    for name, rows in (("a.npy", 8), ("b.npy", 9)):
        np.save(tmp_path / name, np.ones((1, rows, 8), np.float32))
    result = run("featuremaps", "-m", "net.py:Net", "a.npy", "--compare", "image:b.npy")
    assert result.exit_code == 0
    assert "not compared: 2x6x6 here and 2x7x6 there" in result.stdout
    assert "equal" not in result.stdout
