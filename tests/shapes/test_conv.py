"""The layer as numbers against the layer in torch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz.errors import ShapeError
from cnnviz.shapes import Axis, Conv2d

SMALL = st.integers(1, 4)


@settings(max_examples=60, deadline=None)
@given(
    channels=st.tuples(SMALL, SMALL),
    groups=st.integers(1, 3),
    kernel=st.tuples(SMALL, SMALL),
    stride=st.tuples(SMALL, SMALL),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.tuples(SMALL, SMALL),
    bias=st.booleans(),
)
def test_layer_matches_torch(
    channels: tuple[int, int],
    groups: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    bias: bool,
) -> None:
    into, out = channels[0] * groups, channels[1] * groups
    axes = [Axis(kernel[i], stride[i], (padding[i], padding[i]), dilation[i]) for i in (0, 1)]
    ours = Conv2d(into, out, axes[0], axes[1], groups, bias)
    theirs = torch.nn.Conv2d(
        into, out, kernel, stride, padding, dilation, groups, bias=bias, device="meta"
    )
    output = theirs(torch.empty(1, into, 17, 23, device="meta"))
    assert ours.output_size(17, 23) == tuple(output.shape[1:])
    assert ours.parameters == sum(p.numel() for p in theirs.parameters())
    uses = theirs.weight.numel() * output.shape[2] * output.shape[3]
    assert ours.macs(17, 23) == uses


@pytest.mark.parametrize(
    ("into", "out", "groups", "message"),
    [
        (3, 4, 2, "groups 2 does not divide in_channels 3"),
        (4, 3, 2, "groups 2 does not divide out_channels 3"),
        (0, 1, 1, "in_channels is 0"),
    ],
)
def test_channels_and_groups_must_go_together(
    into: int, out: int, groups: int, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        Conv2d(into, out, Axis(3), Axis(3), groups).output_size(8, 8)


def test_misfit_names_the_axis() -> None:
    with pytest.raises(ShapeError, match=r"^width: kernel spans 5 px"):
        Conv2d(1, 1, Axis(3), Axis(5)).output_size(4, 4)
