"""What must start fast loads nothing heavy; each probe is shown to be able to fail."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "cv2", "numpy", "matplotlib", "PIL", "safetensors"}

LIGHT_COMMANDS = [
    ["--help"],
    ["--version"],
    ["filter", "--help"],
    ["featuremaps", "--help"],
    ["pool", "--help"],
    ["pool", "photo.jpg", "--mode", "median"],
    ["shape", "--help"],
    ["shape", "300x400", "-k3", "-p1", "-s2"],
    ["shape", "3x224x224", "-k7", "--json"],
    ["shape", "3x3", "-k7"],
    ["shape", "3x64x64", "conv:8,k3", "res[ conv:8,k3,p1 / ]", "gap", "--explain"],
    ["step", "--help"],
    ["step", "--size", "5x5", "-k", "gaussian", "--then", "relu maxpool", "--json"],
    ["step", "--shift", "1"],
    ["summary", "--help"],
    ["summary", "lenet", "alexnet"],
    ["kernels"],
    ["kernels", "show", "gaussian"],
    ["kernels", "show", "sobel", "--json"],
    ["models"],
    ["models", "--json"],
    ["models", "list", "resnet"],
    ["models", "show", "resnet18"],
    ["models", "show", "resnet19"],
    ["filter", "photo.jpg", "--kernel", "sobelx"],
    ["featuremaps", "photo.jpg", "--model", "lenett"],
]


def loaded_by(*arguments: str, watched: set[str] = HEAVY) -> set[str]:
    """The ``watched`` packages among what a new Python reports to have imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "site" in names, "importtime printed its report"
    return {name.partition(".")[0] for name in names} & watched


@pytest.mark.parametrize("arguments", LIGHT_COMMANDS, ids=" ".join)
def test_light_command_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by("-m", "cnnviz", *arguments) == set()


def test_shape_leaves_out_what_takes_milliseconds_of_its_start() -> None:
    slow = {"pathlib", "json", "decimal", "difflib", "dataclasses", "importlib.metadata"}
    chain = ("-m", "cnnviz", "shape", "3x64x64", "conv:8,k3", "res[ conv:8,k3,p1 / ]", "gap")
    assert loaded_by(*chain, watched=slow) <= loaded_by("-c", "import click", watched=slow)
    assert loaded_by(*chain, "--json", watched=slow) == {"json"}


def test_package_and_its_light_names_load_nothing_heavy() -> None:
    code = "import cnnviz; cnnviz.output_size(7, 3); cnnviz.load_kernel('box'); dir(cnnviz)"
    assert loaded_by("-c", code) == set()


def test_an_svg_is_drawn_with_nothing_heavy(tmp_path: Path) -> None:
    figure = str(tmp_path / "chain.svg")
    assert loaded_by("-m", "cnnviz", "shape", "8x8", "conv:4", "--figure", figure) == set()
    assert (tmp_path / "chain.svg").exists()


def test_what_a_figure_shows_is_described_without_drawing() -> None:
    assert loaded_by("-c", "import cnnviz.figures.filter") == set()


def test_filter_without_a_figure_loads_no_matplotlib(samples: Path, tmp_path: Path) -> None:
    output = str(tmp_path / "seven.png")
    arguments = ("filter", str(samples / "digit_7.png"), "--kernel", "box", "--output", output)
    loaded = loaded_by("-m", "cnnviz", *arguments)
    assert "cv2" in loaded
    assert "matplotlib" not in loaded


@pytest.mark.parametrize(
    ("code", "package"),
    [
        ("import cnnviz.capturing", "torch"),
        ("import cnnviz.engines.opencv", "cv2"),
        ("import cnnviz; cnnviz.filter_image", "numpy"),
        ("import cnnviz.images", "PIL"),
        ("import cnnviz.shapes.twin", "torch"),
        ("import cnnviz.summary.model", "torch"),
        ("import cnnviz.figures.sheet", "matplotlib"),
    ],
)
def test_probe_sees_what_is_heavy(code: str, package: str) -> None:
    assert package in loaded_by("-c", code)
