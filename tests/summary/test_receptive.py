"""Receptive fields against the ones that gradients show, and those measured before."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz.models.torchvision import load_torchvision
from cnnviz.summary.model import summarize

MEASURED = {
    "alexnet": (195, 32, 66),
    "vgg16": (212, 32, 90),
    "resnet18": (435, 32, 217),
    "resnet50": (427, 32, 213),
    "googlenet": (379, 32, 167),
    "inception_v3": (1311, 32, 618),
    "densenet121": (2071, 32, 1021),
    "mobilenet_v2": (491, 32, 245),
}


@pytest.mark.parametrize("name", MEASURED)
def test_last_map_reads_what_was_measured(name: str) -> None:
    last = summarize(name).last_map
    assert last is not None
    for field in last.fields:
        assert (field.size, field.stride, field.padding) == MEASURED[name]


def read_rows(model: nn.Module, layer: str, height: int, row: int) -> tuple[int, int]:
    """First and last input row that row ``row`` of a layer's output depends on.

    Positive weights, no ReLU that stops a gradient, and averages in the place of maxima.
    """
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            parent, _, own = name.rpartition(".")
            pool = nn.AvgPool2d(module.kernel_size, module.stride, module.padding)
            setattr(model.get_submodule(parent), own, pool)
    for param in model.parameters():
        nn.init.constant_(param, 1e-2)
    seen: list[Tensor] = []
    model.get_submodule(layer).register_forward_hook(lambda _, __, output: seen.append(output))
    image = torch.ones(1, 3, height, 64, dtype=torch.float64, requires_grad=True)
    model.double().eval()(image)
    seen[0][:, :, row].sum().backward()
    assert image.grad is not None
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    return int(rows[0]), int(rows[-1])


@pytest.mark.parametrize(
    ("name", "layer", "height", "row"),
    [("alexnet", "features", 352, 4), ("resnet18", "layer4", 704, 10)],
)
def test_gradients_reach_as_far(name: str, layer: str, height: int, row: int) -> None:
    with torch.random.fork_rng():
        model = load_torchvision().models.get_model(name, weights=None)
    last = summarize(name).last_map
    assert last is not None
    field = last.fields[0]
    assert field.size is not None
    first = row * int(field.stride) - field.padding
    assert read_rows(model, layer, height, row) == (first, first + field.size - 1)


def conv(kernel_size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(4, 4, kernel_size, stride, kernel_size // 2)


class Residual(nn.Module):
    def __init__(self, main: nn.Module) -> None:
        super().__init__()
        self.main = main

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = maps + self.main(maps)
        return out


class SqueezeExcite(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps * maps.mean((2, 3), keepdim=True).sigmoid()


class ChannelsLast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.mix = nn.LayerNorm(4), nn.Linear(4, 4)

    def forward(self, maps: Tensor) -> Tensor:
        mixed: Tensor = self.mix(self.norm(maps.permute(0, 2, 3, 1)))
        return mixed.permute(0, 3, 1, 2)


class Shuffle(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        batch, channels, height, width = maps.shape
        pairs = maps.view(batch, 2, channels // 2, height, width).transpose(1, 2)
        return torch.cat(pairs.reshape(maps.shape).chunk(2, 1), 1)


class Mirrored(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps + maps.transpose(2, 3)


class HalvesWritten(nn.Module):
    """Writes through views into memory that does not come from the input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(5)

    def forward(self, maps: Tensor) -> Tensor:
        out = torch.zeros_like(maps)
        out[:, :2] = maps[:, :2]
        out[:, 2:] = self.conv(maps)[:, 2:]
        return out


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param([conv(3), conv(3, 2), conv(3)], 9, id="plain"),
        pytest.param([conv(3), Residual(conv(5))], 7, id="residual"),
        pytest.param([conv(3), ChannelsLast(), conv(3)], 5, id="channels last"),
        pytest.param([conv(3), Shuffle(), conv(3)], 5, id="channel shuffle"),
        pytest.param([conv(3), nn.PReLU(), nn.GroupNorm(2, 4)], 3, id="normalised"),
        pytest.param([nn.Upsample(scale_factor=2), conv(3)], 2, id="upsampled"),
        pytest.param([nn.ReflectionPad2d(1), nn.Conv2d(4, 4, 3)], 3, id="padded"),
        pytest.param([conv(3), SqueezeExcite()], "whole input", id="squeeze-excite"),
        pytest.param([conv(3), nn.AdaptiveAvgPool2d(1)], "whole input", id="global pooling"),
        pytest.param([conv(3), nn.PixelShuffle(2)], "not computed", id="pixel shuffle"),
        pytest.param([conv(3), Mirrored()], "not computed", id="rows and columns swapped"),
        pytest.param([HalvesWritten()], "not computed", id="written through views"),
    ],
)
def test_small_network(layers: list[nn.Module], expected: int | str) -> None:
    fields = summarize(nn.Sequential(*layers), (4, 32, 32)).fields
    assert [field.limit or field.size for field in fields] == [expected, expected]
