"""``featuremaps --show``: the maps in a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnviz.featuremaps.job import read_input
from cnnviz.models.loading import load_model
from cnnviz.render.colors import table
from tests.cli.terminal import said_in_a_terminal

CELL = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m(▀+)")


def pixels_of(line: str) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The upper and lower colour of each half-block of a line."""
    cells = []
    for found in CELL.finditer(line):
        numbers = tuple(map(int, found.groups()[:6]))
        cells += [(numbers[:3], numbers[3:])] * len(found[7])
    return cells


def test_blocks_are_the_colours_of_the_most_active_maps(samples: Path, tmp_path: Path) -> None:
    image = samples / "digit_7.png"
    command = ("featuremaps", "-m", "lenet", str(image), "--show", "--no-html")
    settings = {"COLORTERM": "truecolor", "COLUMNS": "80"}
    said = said_in_a_terminal(command, tmp_path, settings).split("\r\n")
    start = said.index("S4  AvgPool2d  16x5x5")
    numbers = [int(text) for text in said[start + 1].split()]
    model = load_model("lenet")
    seen: list[torch.Tensor] = []
    pool = model.module.get_submodule("features.5")
    pool.register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.inference_mode():
        model.module(read_input(image, model).tensor)
    maps = seen[0][0].numpy()
    assert numbers == np.argsort(-np.abs(maps).mean((1, 2)))[:4].tolist()
    # A map of 5x5 values is 15x15 pixels: three to a value, and a line of blocks has two of them.
    first = [pixels_of(line)[:15] for line in said[start + 2 : start + 9]]
    values = maps[numbers[0]].astype(np.float64)
    levels = np.rint((values - values.min()) / np.ptp(values) * 255).astype(np.uint8)
    expected = table("viridis")[levels].repeat(3, 0).repeat(3, 1)
    for line, row in zip(first, range(0, 14, 2), strict=True):
        assert [upper for upper, _ in line] == [tuple(map(int, one)) for one in expected[row]]
        assert [lower for _, lower in line] == [tuple(map(int, one)) for one in expected[row + 1]]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({"CNNVIZ_GRAPHICS": "kitty"}, r"\x1b_Ga=T,", id="kitty"),
        pytest.param({"NO_COLOR": "1"}, r"\r\nC1  Conv2d  6x28x28\r\n", id="characters"),
        pytest.param({"COLUMNS": "10"}, r"\r\nC1  Conv2d\r\n", id="narrow"),
    ],
)
def test_every_terminal_has_its_way(
    samples: Path, tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    command = ("featuremaps", "-m", "lenet", str(samples / "digit_7.png"), "--show", "-q")
    said = said_in_a_terminal(command, tmp_path, {"COLUMNS": "60", **environment})
    assert re.search(expected, said)


def test_of_many_layers_some_are_shown_which_is_said(samples: Path, tmp_path: Path) -> None:
    layers = ("--weights", "random", "--layers", "all", "--no-html", "--channels", "1")
    command = ("featuremaps", "-m", "residual_block", str(samples / "coffee.png"), *layers)
    said = said_in_a_terminal((*command, "--show"), tmp_path, {"COLUMNS": "60"})
    many = ("featuremaps", "-m", "unet", str(samples / "coffee.png"), *layers)
    long = said_in_a_terminal((*many, "--show"), tmp_path, {"COLUMNS": "60"})
    assert not re.search(r"\d+ of \d+ layers are shown here\r\n", said)
    assert re.search(r"\d+ of \d+ layers are shown here\r\n", long)
