"""The part of an input that a value sees, against the pixels that change it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz.featuremaps.fields import Fields

SIZE = (19, 16)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 2, 3, stride=2, padding=1)
        self.block = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1))
        self.pool = nn.AvgPool2d(2)
        self.wide = nn.Conv2d(2, 2, 3, padding=2, dilation=2)
        self.head = nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.pool(x + self.block(x))
        x = self.wide(x)
        return torch.as_tensor(self.head(x.mean((2, 3))))


@pytest.fixture(scope="module")
def fields() -> Fields:
    return Fields(model(), (1, *SIZE))


def model() -> Residual:
    torch.manual_seed(0)
    net = Residual()
    for param in net.parameters():  # so that no two ways cancel
        param.data.abs_().add_(0.1)
    return net


def seen_by(name: str, place: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Rows and columns of the pixels with a gradient, by autograd."""
    net, kept = model(), []
    net.get_submodule(name).register_forward_hook(lambda *call: kept.append(call[2]))
    image = torch.rand(1, 1, *SIZE, requires_grad=True)
    net(image)
    kept[0][0, 0][place].backward() if place else kept[0][0, 0].backward()
    assert image.grad is not None
    rows, columns = (image.grad[0, 0].abs().sum(dim).nonzero()[:, 0] for dim in (1, 0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


@pytest.mark.parametrize("name", ["stem", "block.0", "block", "pool", "wide"])
@pytest.mark.parametrize("corner", [(0, 0), (1, 2), (-1, -1)], ids=["first", "inside", "last"])
def test_patch_is_where_the_gradient_is(name: str, corner: tuple[int, int], fields: Fields) -> None:
    height, width = (5, 4) if name in {"pool", "wide"} else (10, 8)
    place = corner[0] % height, corner[1] % width
    patch = fields.patch(name, place)
    assert patch[:4] == seen_by(name, place)
    assert patch.down + patch.bottom - patch.top <= patch.height
    assert patch.across + patch.right - patch.left <= patch.width


def test_vectors_and_unknown_layers_see_everything(fields: Fields) -> None:
    whole = (0, 0, *SIZE, *SIZE, 0, 0)
    assert fields.patch("head", ()) == whole
    assert fields.patch("nobody", (1, 1)) == whole


def test_frame_is_the_whole_field_where_the_input_is_larger(fields: Fields) -> None:
    assert fields.patch("stem", (0, 0)) == (0, 0, 2, 2, 3, 3, 1, 1)
    assert fields.patch("stem", (4, 3)) == (7, 5, 10, 8, 3, 3, 0, 0)


def test_model_whose_fields_are_not_known_sees_everything() -> None:
    class Failing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("never")

    assert Fields(Failing(), (1, 4, 5)).patch("a", (0, 0))[:4] == (0, 0, 4, 5)


def test_of_a_clip_every_layer_sees_whole_frames() -> None:
    clip = nn.Sequential(nn.Conv3d(1, 2, 3))
    assert Fields(clip, (1, 4, 9, 7)).patch("0", (0, 1, 2))[:4] == (0, 0, 9, 7)
