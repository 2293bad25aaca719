"""Window positions, counted by hand or by torch."""

import pytest

from cnnviz.errors import ShapeError
from cnnviz.shapes import Axis, conv_output_size, same_padding


def positions(size: int, axis: Axis) -> int:
    """Count where the window can start, one start after the other."""
    before, after = axis.padding
    starts = range(-before, size + after, axis.stride)
    return sum(start + axis.span <= size + after for start in starts)


@pytest.mark.parametrize("size", [1, 5, 6, 7, 32])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (1, 2)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_output_size_counts_window_positions(
    size: int, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int
) -> None:
    axis = Axis(kernel_size, stride, padding, dilation)
    counted = positions(size, axis)
    if counted:
        assert axis.output_size(size) == counted
    else:
        with pytest.raises(ShapeError, match=f"spans {axis.span} px"):
            axis.output_size(size)


@pytest.mark.parametrize(
    ("size", "kernel_size", "stride", "padding", "expected"),
    [
        pytest.param(300, 3, 2, 1, 150, id="notes 000, height"),
        pytest.param(400, 3, 2, 1, 200, id="notes 000, width"),
        pytest.param(32, 3, 1, 0, 30, id="notes 002, no padding"),
        pytest.param(32, 3, 1, 1, 32, id="notes 002, same"),
        pytest.param(32, 3, 2, 0, 15, id="notes 002, stride 2"),
        pytest.param(32, 5, 1, 0, 28, id="lenet C1"),
        pytest.param(28, 2, 2, 0, 14, id="lenet S2"),
        pytest.param(14, 5, 1, 0, 10, id="lenet C3"),
        pytest.param(10, 2, 2, 0, 5, id="lenet S4"),
        pytest.param(227, 11, 4, 0, 55, id="alexnet conv1"),
    ],
)
def test_worked_examples_of_the_notes(
    size: int, kernel_size: int, stride: int, padding: int, expected: int
) -> None:
    assert conv_output_size(size, kernel_size, stride=stride, padding=padding) == expected


@pytest.mark.parametrize(("kernel_size", "padding"), [(3, 1), (5, 2), (7, 3)])
def test_same_padding_of_odd_kernels_is_half_on_both_sides(kernel_size: int, padding: int) -> None:
    assert same_padding(kernel_size) == (padding, padding)


def test_explanation_shows_the_unfloored_value() -> None:
    text = Axis(3, 2, (1, 1)).explain(300)
    assert text == "floor((300 + 2*1 - 1*(3 - 1) - 1) / 2) + 1 = floor(149.5) + 1 = 150"


def test_explanation_does_not_round_up_to_a_whole_number() -> None:
    assert "floor(299999 / 300000) + 1 = 1" in Axis(1, 300_000).explain(300_000)


@pytest.mark.parametrize(
    ("axis", "size", "message"),
    [
        pytest.param(Axis(7), 3, r"spans 7 px but .* 3 px \(3 \+ 2\*0\)", id="fit"),
        pytest.param(Axis(3, dilation=4), 8, "spans 9 px", id="dilated kernel"),
        pytest.param(Axis(0), 3, "kernel size is 0", id="kernel 0"),
        pytest.param(Axis(3, stride=0), 3, "stride is 0", id="stride 0"),
        pytest.param(Axis(3, dilation=0), 3, "dilation is 0", id="dilation 0"),
        pytest.param(Axis(3, padding=(-1, 0)), 3, "padding is -1", id="negative padding"),
        pytest.param(Axis(1), 0, "size is 0", id="no pixels"),
    ],
)
def test_impossible_windows_are_refused_with_the_number(
    axis: Axis, size: int, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        axis.output_size(size)
