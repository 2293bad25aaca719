"""The tree of a network against what torch's modules say of themselves."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from cnnviz.models.naming import find_source
from cnnviz.summary.model import summarize
from cnnviz.summary.tree import tree_text
from tests.conftest import Run

FASHION = """\
fashion_cnn: 1x28x28 in; 7 layers, 2 convolutions with 12 filters, 16,026 parameters
├── conv1  Conv2d: 4 filters 3x3 over 1 channel, 40 parameters → 4 maps of 28x28
│   ├── filter 0 → map 0
│   ├── filter 1 → map 1
│   ├── filter 2 → map 2
│   └── filter 3 → map 3
├── relu1  ReLU → 4 maps of 28x28
├── conv2  Conv2d: 8 filters 3x3 over 4 channels, 296 parameters → 8 maps of 28x28
│   ├── filter 0 → map 0
│   ├── filter 1 → map 1
│   ├── filter 2 → map 2
│   ├── … 4 more
│   └── filter 7 → map 7
├── relu2  ReLU → 8 maps of 28x28
├── pool  MaxPool2d → 8 maps of 14x14
├── flatten  Flatten → 1,568 values
└── fc  Linear, 15,690 parameters → 10 values
"""


def test_two_convolutions_as_a_tree(run: Run) -> None:
    assert run("summary", "fashion_cnn", "--tree").output == FASHION


def read_back(text: str) -> dict[str, str]:
    """What each path of the tree says, by torch's dotted names."""
    found: dict[str, str] = {}
    path: list[str] = []
    for line in text.splitlines()[1:]:
        parts = re.fullmatch(r"((?:│   |    )*)[├└]── (\S+) *(.*)", line)
        assert parts is not None
        marks, name, said = parts.groups()
        path[len(marks) // 4 :] = [name]
        if name not in {"filter", "…"}:
            found[".".join(path)] = said
    return found


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "mobilenet_v2", "vit_b_16"])
def test_every_convolution_stands_at_its_name_with_its_filters(name: str) -> None:
    with torch.device("meta"):
        model = find_source(name).build()
    said = read_back(tree_text(summarize(name)))
    convolutions = [
        (path, module) for path, module in model.named_modules() if isinstance(module, nn.Conv2d)
    ]
    ran = [(path, module) for path, module in convolutions if not path.startswith("aux")]
    for path, module in ran:
        count, channels, height, width = module.weight.shape
        expected = f"Conv2d: {count:,} filters {height}x{width} over {channels:,} channel"
        assert said[path].startswith(expected), path
    filters = sum(module.out_channels for _, module in ran)
    assert f"{len(ran)} convolution" in tree_text(summarize(name)).splitlines()[0]
    assert f" with {filters:,} filters, " in tree_text(summarize(name)).splitlines()[0]


def test_depth_folds_the_tree() -> None:
    text = tree_text(summarize("resnet18", depth=1))
    assert "layer1  Sequential, 147,968 parameters → 64 maps of 56x56" in text
    assert "layer1." not in text


def test_few_filters_are_all_named_and_one_is_not_left_out() -> None:
    model = nn.Sequential(nn.Conv2d(1, 5, 1), nn.ConvTranspose2d(5, 6, (2, 3), groups=1))
    text = tree_text(summarize(model, (1, 4, 4)))
    assert [f"filter {n} → map {n}" in text for n in range(5)] == [True] * 5
    assert "1  ConvTranspose2d: 6 filters 2x3 over 5 channels, 186 parameters → 6 maps" in text
    assert "… 2 more" in text


def test_the_tree_is_a_form_of_its_own(run: Run) -> None:
    result = run("summary", "lenet", "--tree", "--json")
    assert result.exit_code == 2
    assert "--tree" in result.stderr
