"""Receptive fields against the ones that gradients show, and those measured before."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.models.sources.torchvision import load_torchvision
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

# Initialising takes minutes, and the weights are put in here.
FAST = {
    "googlenet": {"init_weights": False, "aux_logits": False},
    "inception_v3": {"init_weights": False},
}
LAST_LAYERS = {
    "googlenet": "inception5b",
    "inception_v3": "Mixed_7c",
    "resnet18": "layer4",
    "resnet50": "layer4",
}

NO_GRADIENT = 1e-12  # weights that are 0 come out as rounding errors of about 1e-16


@pytest.mark.parametrize("name", MEASURED)
def test_last_map_reads_what_was_measured(name: str) -> None:
    last = summarize(name).last_map
    assert last is not None
    for field in last.fields:
        assert (field.size, field.stride, field.padding) == MEASURED[name]


@pytest.fixture
def averages_for_maxima(monkeypatch: pytest.MonkeyPatch) -> None:
    """A maximum has a gradient at one position of its window; an average at all."""

    def pooled(
        maps: Tensor,
        kernel_size: int,
        stride: int,
        padding: int = 0,
        dilation: int = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Tensor:
        assert (dilation, return_indices) == (1, False)
        return F.avg_pool2d(maps, kernel_size, stride, padding, ceil_mode)

    monkeypatch.setattr(F, "max_pool2d", pooled)


def read_rows(model: nn.Module, layer: str, height: int, width: int, row: int) -> tuple[int, int]:
    """First and last input row that row ``row`` of a layer's output depends on.

    With positive weights no ReLU stops a gradient; ReLU6 is taken out.
    """
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.ReLU6):
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, nn.Identity())
    for param in model.parameters():
        nn.init.constant_(param, 1e-2)
    seen: list[Tensor] = []
    model.get_submodule(layer).register_forward_hook(lambda _, __, output: seen.append(output))
    image = torch.ones(1, 3, height, width, dtype=torch.float64, requires_grad=True)
    with suppress(RuntimeError):  # a classifier that takes one size alone
        model.double().eval()(image)
    seen[0][:, :, row].sum().backward()
    assert image.grad is not None
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    return int(rows[0]), int(rows[-1])


# The others of MEASURED take a minute together; they agreed when they were tried.
@pytest.mark.usefixtures("averages_for_maxima")
@pytest.mark.parametrize("name", ["alexnet", "resnet18", "resnet50", "googlenet"])
def test_gradients_reach_as_far(name: str) -> None:
    size, stride, padding = MEASURED[name]
    row = -(-padding // stride) + 1  # the first whose field begins inside the image, and one more
    first = row * stride - padding
    model = load_torchvision().models.get_model(name, weights=None, **FAST.get(name, {}))
    layer = LAST_LAYERS.get(name, "features")
    height, width = first + size + 2 * stride, 96 if name == "inception_v3" else 64
    assert read_rows(model, layer, height, width, row) == (first, first + size - 1)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
@pytest.mark.parametrize(
    ("size", "new"),
    [(8, 16), (8, 24), (8, 12), (12, 8), (9, 3), (8, 4), (7, 28), (10, 25), (65, 130), (6, 6)],
)
def test_resized_maps_read_what_gradients_reach(mode: str, size: int, new: int) -> None:
    check_reads(Resized(mode, new, align_corners=None), size)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("size", "new"), [(5, 9), (5, 13), (9, 5), (7, 10), (8, 8)])
def test_maps_resized_between_corners_read_what_gradients_reach(
    mode: str, size: int, new: int
) -> None:
    check_reads(Resized(mode, new, align_corners=True), size)


def check_reads(resized: nn.Module, size: int) -> None:
    """Every row of a resized map, and of the same before a convolution, from its gradient."""
    before, after = nn.Conv2d(1, 1, 3, 1, 1), nn.Conv2d(1, 1, 3, 2)
    for model in (nn.Sequential(resized), nn.Sequential(before, resized, after)):
        field = summarize(model, (1, size, size)).fields[0]
        assert not field.limit
        for param in model.parameters():
            nn.init.constant_(param, 1.0)
        image = torch.rand(1, 1, size, size, dtype=torch.float64, requires_grad=True)
        output = model.double()(image)
        for row in range(output.shape[2]):
            (grad,) = torch.autograd.grad(output[0, 0, row].sum(), image, retain_graph=True)
            rows = (grad[0, 0].abs().sum(1) > NO_GRADIENT).nonzero().flatten()
            first, last = field.reach.at(row) or (0, -1)
            assert (int(rows[0]), int(rows[-1])) == (max(first, 0), min(last, size - 1)), row
        model.float()


class Resized(nn.Module):
    def __init__(self, mode: str, new: int, *, align_corners: bool | None) -> None:
        super().__init__()
        self.how: dict[str, Any] = {"mode": mode, "align_corners": align_corners}
        self.size = new, new

    def forward(self, maps: Tensor) -> Tensor:
        return F.interpolate(maps, self.size, **self.how)


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
        pytest.param([conv(3), nn.PixelShuffle(2), nn.Conv2d(1, 1, 3)], 4, id="pixel shuffle"),
        pytest.param([conv(3), nn.InstanceNorm2d(4, affine=True)], 3, id="instance norm"),
        pytest.param([conv(3), Mirrored()], "not computed", id="rows and columns swapped"),
        pytest.param([HalvesWritten()], "not computed", id="written through views"),
    ],
)
def test_small_network(layers: list[nn.Module], expected: int | str) -> None:
    fields = summarize(nn.Sequential(*layers), (4, 32, 32)).fields
    assert [field.limit or field.size for field in fields] == [expected, expected]
