"""Grad-CAM against networks in which the answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.capturing import feature_maps, survey
from cnnviz.errors import CnnvizError, UsageError
from cnnviz.featuremaps.cam import class_index, grad_cam, refuse_layer

IMAGE = torch.rand(1, 3, 12, 10, generator=torch.Generator().manual_seed(1))
# Of float32 sums of some hundred terms, gradients among them.
CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-7}


class Pooled(nn.Module):
    """Convolutions, the mean of each map, and a linear layer: the network of CAM."""

    def __init__(self, *, inplace: bool = False, classes: int = 4) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 6, 3)
            self.relu = nn.ReLU(inplace=inplace)
            self.last = nn.Conv2d(6, 5, 3)
            self.fc = nn.Linear(5, classes)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.last(self.relu(self.conv(images)))
        scores: Tensor = self.fc(maps.mean(dim=(2, 3)))
        return scores


@pytest.mark.parametrize("index", range(4))
def test_behind_a_global_mean_it_is_cam(index: int) -> None:
    model = Pooled()
    maps = feature_maps(model, IMAGE)["last"]
    weights = model.fc.weight[index].detach().numpy()
    cam = np.einsum("c,chw->hw", weights, maps) / maps[0].size
    found = grad_cam(model, IMAGE, "last", index)
    assert (found.layer, found.index) == ("last", index)
    np.testing.assert_allclose(found.values, np.maximum(cam, 0), **CLOSE)


def test_one_value_by_hand() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(8, 2, bias=False))
    model[0].weight.data = torch.tensor([2.0, -1.0]).reshape(2, 1, 1, 1)
    # Of class 0 the first map's gradients are 1 2 3 6, their mean 3; the second's all 1.
    model[2].weight.data = torch.tensor([[1, 2, 3, 6, 1, 1, 1, 1], [0] * 8], dtype=torch.float32)
    image = torch.tensor([[1.0, 2.0], [-3.0, 4.0]]).reshape(1, 1, 2, 2)
    found = grad_cam(model, image, "0", 0)
    assert found.values.tolist() == [[5.0, 10.0], [0.0, 20.0]]  # (3*2 - 1*1) times the image


@pytest.mark.parametrize("layer", ["conv", "relu", "last"])
def test_operations_in_place_change_nothing(layer: str) -> None:
    plain, inplace = (grad_cam(Pooled(inplace=way), IMAGE, layer, 1) for way in (False, True))
    assert np.array_equal(plain.values, inplace.values)
    assert inplace.values.any()


def test_without_a_class_it_is_the_first_of_the_scores() -> None:
    model = Pooled()
    with torch.no_grad():
        assert grad_cam(model, IMAGE).index == int(model(IMAGE).argmax())


def test_auto_takes_the_last_maps_before_the_output() -> None:
    assert grad_cam(Pooled(), IMAGE).layer == "last"


class Tokens(nn.Module):
    """Patches as tokens behind one of their own, which alone is read in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.ones(1, 1, 4))
        self.patch = nn.Conv2d(3, 4, 2, stride=2)
        self.before = nn.LayerNorm(4)
        self.mix = nn.MultiheadAttention(4, 2, batch_first=True)
        self.after = nn.Linear(4, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch(images).flatten(2).transpose(1, 2)
        tokens = self.before(torch.cat([self.class_token, patches], dim=1))
        tokens = self.after(self.mix(tokens, tokens, tokens, need_weights=False)[0])
        scores: Tensor = self.head(tokens[:, 0])
        return scores


def test_auto_leaves_out_tokens_that_nobody_reads() -> None:
    torch.manual_seed(0)
    found = grad_cam(Tokens(), IMAGE, index=0)
    assert (found.layer, found.values.shape) == ("before", (6, 5))


def test_the_model_is_left_as_it_was() -> None:
    model = Pooled()
    model.train()
    model.conv.weight.requires_grad_(False)
    wanted = [param.requires_grad for param in model.parameters()]
    with torch.inference_mode():  # as somebody may call it
        grad_cam(model, IMAGE)
    assert [param.requires_grad for param in model.parameters()] == wanted
    assert all(module.training for module in model.modules())
    assert all(param.grad is None for param in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


class Detached(Pooled):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).detach()


class Maps(Pooled):
    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = F.relu(self.conv(images))
        return maps


@pytest.mark.parametrize(
    ("model", "index", "message"),
    [
        (Pooled(), 4, r"--class 4: the model has 4 classes, from 0 on"),
        (Detached(), 0, r"Grad-CAM needs gradients, and the model's output has none"),
        (Maps(), 0, r"explains the score of a class, and the model's output is 1x6x10x8"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(360, 2)),
            0,
            r"does not depend on any layer with rows and columns",
        ),
    ],
    ids=["class", "detached", "maps", "no maps"],
)
def test_what_cannot_be_explained_is_one_sentence(
    model: nn.Module, index: int, message: str
) -> None:
    with pytest.raises(CnnvizError, match=message):
        grad_cam(model, IMAGE, index=index)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lost", r"--cam lost: no layer is called that; did you mean last\?"),
        ("fc", r"--cam fc: it puts out 4, no maps"),
    ],
)
def test_layer_that_has_no_maps_is_refused(name: str, message: str) -> None:
    layers = survey(Pooled(), IMAGE).layers
    refuse_layer(layers, "last")
    refuse_layer(layers, "auto")
    with pytest.raises(UsageError, match=message):
        refuse_layer(layers, name)


def test_classes_are_named_or_numbered() -> None:
    labels = ("tabby", "Tiger cat")
    assert [class_index(x, labels) for x in ("1", "tabby", "tiger cat")] == [1, 0, 1]
    with pytest.raises(UsageError, match=r"none of the 2 classes .* did you mean Tiger cat\?"):
        class_index("tigercat", labels)
    with pytest.raises(UsageError, match=r"have no names; give a number, or --labels"):
        class_index("cat", ())
