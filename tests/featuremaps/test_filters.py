"""Which weights are drawn as a layer's kernels."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from cnnviz.featuremaps.filters import beside, kernels_of


def test_kernels_are_the_weights() -> None:
    conv = nn.Conv2d(4, 6, (3, 2), groups=2)
    kernels = kernels_of(conv)
    assert kernels is not None
    assert torch.equal(torch.from_numpy(kernels), conv.weight)
    assert kernels_of(nn.Linear(2, 2)) is None
    assert kernels_of(nn.Conv1d(2, 2, 2)) is None


def test_kernels_of_a_transposed_convolution_are_what_one_point_becomes() -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, groups=2, bias=False)
    kernels = kernels_of(layer)
    assert kernels is not None
    assert kernels.shape == (6, 2, 3, 3)
    for inside in range(4):  # a single 1 in one input channel puts that input's kernels out
        point = F.one_hot(torch.tensor([inside]), 4).float().reshape(1, 4, 1, 1)
        made = layer(point)[0]
        group, place = divmod(inside, 2)
        for out in range(6):
            expected = kernels[out, place] if out // 3 == group else torch.zeros(3, 3).numpy()
            assert torch.equal(made[out], torch.from_numpy(expected))


def test_kernels_stand_beside_the_maps_of_what_sees_the_picture() -> None:
    assert beside(nn.Conv2d(3, 8, 3), 3) is not None
    assert beside(nn.Conv2d(1, 8, 5), 1) is not None
    assert beside(nn.Conv2d(8, 8, 3), 8) is None
    assert beside(nn.Conv2d(3, 3, 3, groups=3), 3) is None
    assert beside(nn.Conv2d(3, 8, 1), 3) is None
    assert beside(nn.ReLU(), 3) is None
