"""Which layers are shown: what a reader wants to see of well-known networks, and what is asked."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnviz.capturing import LayerOutput, survey
from cnnviz.errors import UsageError
from cnnviz.featuremaps.selection import select
from cnnviz.models.building.unallocated import meta_copy, unallocated
from cnnviz.models.sources.torchvision import load_torchvision

# The first convolution, each stage that the paper's table has, the end.
WANTED = {
    "vgg16": "features.0 features.3 features.8 features.15 features.22 features.29 avgpool"
    " classifier.6",
    "resnet18": "conv1 relu layer1 layer2 layer3 layer4 fc",
    "resnet50": "conv1 relu layer1 layer2 layer3 layer4 fc",
    "densenet121": "features.conv0 features.relu0 features.denseblock1 features.denseblock2"
    " features.denseblock3 features.denseblock4 classifier",
    "googlenet": "conv1.conv conv1 conv3 inception3b inception4e inception5b fc",
    "mobilenet_v2": "features.0.0 features.1 features.3 features.6 features.13 features.18"
    " classifier.1",
    "efficientnet_b0": "features.0.0 features.1 features.2 features.3 features.5 features.8"
    " classifier.1",
    "convnext_tiny": "features.0.0 features.1 features.3 features.5 features.7 classifier.2",
    "swin_t": "features.0.0 features.1 features.3 features.5 features.7 head",
    "vit_b_16": "conv_proj "
    + " ".join(f"encoder.layers.encoder_layer_{n}" for n in range(12))
    + " encoder heads.head",
    "maxvit_t": "stem.0.0 stem blocks.0 blocks.1 blocks.2 blocks.3 classifier.5",
    "segmentation.fcn_resnet50": "backbone.conv1 backbone.relu backbone.layer1 backbone.layer2"
    " backbone.layer3 backbone.layer4 classifier",
}


def layers_of(model: nn.Module, *size: int) -> list[LayerOutput]:
    return survey(meta_copy(model.eval()), torch.zeros(1, *size, device="meta")).layers


def shown(layers: list[LayerOutput], *patterns: str) -> list[str]:
    chosen = select(layers, patterns)
    return [layer.key for layer in layers if layer in chosen]


@pytest.mark.parametrize("name", WANTED)
def test_default_is_what_a_reader_wants_to_see(name: str) -> None:
    room, _, last = name.rpartition(".")
    models = load_torchvision().models
    models = getattr(models, room) if room else models
    more = {"weights_backbone": None} if room else {}
    with unallocated():
        model = getattr(models, last)(weights=None, **more)
    layers = layers_of(model, 3, 224, 224)
    wanted = WANTED[name].split()
    assert shown(layers) == wanted
    said = select(layers).said
    assert said.startswith(f"{len(wanted)} of ")
    assert "--layers all" in said


class Small(nn.Module):
    """A bit of everything, with a layer called as a kind is, and one under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
        self.pool = nn.MaxPool2d(2)
        self.again = self.pool
        self.drop = nn.Dropout()
        self.unused = nn.Conv2d(1, 1, 1)
        self.boxes = nn.Linear(2, 2)
        self.head = nn.Linear(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores."""
        x = self.again(self.pool(self.stem(x)))
        self.boxes(torch.ones(5, 2, device=x.device))
        x = torch.relu(x + 1)
        y: torch.Tensor = self.head(self.drop(x.mean((2, 3))))
        return y


@pytest.fixture(scope="module")
def small() -> list[LayerOutput]:
    return layers_of(Small(), 1, 14, 14)


LEAVES = ["stem.0", "stem.1", "stem.2", "pool", "pool#2", "relu", "drop", "head"]


def test_small_network_is_shown_whole_but_for_dropout(small: list[LayerOutput]) -> None:
    assert shown(small) == [key for key in LEAVES if key != "drop"]
    assert select(small).said == "all but dropout, which does nothing now"
    plain = layers_of(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), 1, 5, 5)
    assert (shown(plain), select(plain).said) == (["0", "1"], "")


@pytest.mark.parametrize(
    ("patterns", "keys"),
    [
        (["conv"], ["stem.0"]),
        (["relu"], ["stem.2", "relu"]),
        (["norm", "linear"], ["stem.1", "head"]),
        (["block"], ["stem"]),
        (["function"], ["add", "mean"]),
        (["all"], [*LEAVES[:5], "add", "relu", "mean", "drop", "head"]),
        (["stem"], ["stem"]),
        (["stem.*"], ["stem.0", "stem.1", "stem.2"]),
        (["*.0", "head"], ["stem.0", "head"]),
        (["pool"], ["pool", "pool#2"]),
        (["pool#2"], ["pool#2"]),
        (["again"], ["pool", "pool#2"]),
        (["?ead"], ["head"]),
    ],
    ids=" ".join,
)
def test_patterns_choose_by_name_call_alias_glob_and_kind(
    small: list[LayerOutput], patterns: list[str], keys: list[str]
) -> None:
    assert shown(small, *patterns) == keys


def test_choice_is_counted(small: list[LayerOutput]) -> None:
    assert select(small, ["conv"]).said == "1 of 10 layers"
    assert select(small, ["conv", "stem"]).said == "1 of 10 layers and 1 blocks"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("haed", "no layer matches 'haed'; did you mean head? --dry-run lists them"),
        ("convv", "no layer matches 'convv'; did you mean conv?"),
        ("zzz", "no layer matches 'zzz'; --dry-run lists them, kinds are conv, relu"),
        ("attention", "the model has no layer of the kind 'attention'"),
        ("unused", "layer unused has nothing to draw: never ran"),
        ("boxes", "layer boxes has nothing to draw: not of one image: output is 5x2"),
        ("un*", "layer unused has nothing to draw: never ran"),
    ],
)
def test_pattern_that_chooses_nothing_is_refused_with_the_reason(
    small: list[LayerOutput], pattern: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        select(small, [pattern])
    assert str(caught.value).startswith(said)


def test_network_without_anything_to_draw_is_said_so() -> None:
    layers = layers_of(nn.Sequential(nn.Flatten(0)), 1, 3, 3)
    assert select(layers).keys == frozenset()
    assert select(layers).said == "no layer puts out anything that can be drawn"
