"""Both engines against the definition, written as loops over np.pad's borders."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz import engines
from cnnviz.engines import BORDERS, ENGINES, Window
from cnnviz.errors import ShapeError, UsageError
from cnnviz.kernels import Kernel
from tests.exact import NUMPY_MODES


def kernel(rows: np.ndarray, **more: Any) -> Kernel:
    weights = tuple(tuple(Fraction(int(weight)) for weight in row) for row in rows)
    return Kernel("test", weights, **more)


def by_definition(image: np.ndarray, weights: np.ndarray, window: Window) -> np.ndarray:
    """Sum of products at each position, in exact integers."""
    axes = window.axes((weights.shape[0], weights.shape[1]))
    pads = [axis.padding for axis in axes]
    padded = np.pad(image, [*pads, (0, 0)], mode=NUMPY_MODES[window.border]).astype(np.int64)
    starts = [
        range(0, length - axis.span + 1, axis.stride)
        for axis, length in zip(axes, padded.shape[:2], strict=True)
    ]
    down, right = (axis.dilation for axis in axes)
    result = np.zeros((len(starts[0]), len(starts[1]), image.shape[2]), np.int64)
    for row, top in enumerate(starts[0]):
        for column, left in enumerate(starts[1]):
            for (i, j), weight in np.ndenumerate(weights):
                result[row, column] += int(weight) * padded[top + i * down, left + j * right]
    return result


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Window]:
    small = st.integers(1, 3)
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (height, width, draw(st.sampled_from([1, 3]))))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    weights = random.integers(-9, 10, shape)
    padding: Any = draw(st.sampled_from(["same", "valid", (1, 2), (4, 0), (11, 11)]))
    stride, dilation = draw(st.tuples(small, small)), draw(st.tuples(small, small))
    return image, weights, Window(draw(st.sampled_from(BORDERS)), padding, stride, dilation)


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=250, deadline=None)
@given(problem=problems())
def test_engine_computes_the_definition(
    name: str, problem: tuple[np.ndarray, np.ndarray, Window]
) -> None:
    image, weights, window = problem
    correlate = engines.load(name).correlate
    pixels = image.astype(np.float32)
    spans = [axis.span for axis in window.axes((weights.shape[0], weights.shape[1]))]
    pads = [sum(axis.padding) for axis in window.axes((weights.shape[0], weights.shape[1]))]
    if any(span > size + pad for span, size, pad in zip(spans, image.shape[:2], pads, strict=True)):
        with pytest.raises(ShapeError):
            correlate(pixels, kernel(weights), window)
        return
    result = correlate(pixels, kernel(weights), window)
    assert result.dtype == np.float32
    assert np.array_equal(result, by_definition(image, weights, window))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("shape", [(13, 13), (1, 60), (60, 1), (3, 40), (8, 7), (31, 31)])
def test_large_integer_kernels_stay_exact(name: str, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (40, 45, 3))
    weights = random.integers(-9, 10, shape)
    result = engines.load(name).correlate(image.astype(np.float32), kernel(weights), Window())
    assert np.array_equal(result, by_definition(image, weights, Window()))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("dilation", [(6, 6), (1, 20), (25, 2)])
def test_dilated_kernels_stay_exact(name: str, dilation: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (30, 33, 1))
    weights = random.integers(-9, 10, (3, 3))
    window = Window(dilation=dilation)
    result = engines.load(name).correlate(image.astype(np.float32), kernel(weights), window)
    assert np.array_equal(result, by_definition(image, weights, window))


@pytest.mark.parametrize("name", ENGINES)
def test_divisor_and_offset_are_applied(name: str) -> None:
    image = np.array([[[8.0], [16.0]]], np.float32)
    halves = kernel(np.array([[1]]), divisor=Fraction(2), offset=Fraction(3))
    result = engines.load(name).correlate(image, halves, Window())
    assert result[:, :, 0].tolist() == [[7.0, 11.0]]


@pytest.mark.parametrize("name", ENGINES)
def test_float64_stays_float64(name: str) -> None:
    image = np.full((3, 3, 1), 2.0**40 + 1)
    result = engines.load(name).correlate(image, kernel(np.array([[3]])), Window())
    assert result.dtype == np.float64
    assert result[0, 0, 0] == 3 * (2**40 + 1)


@pytest.mark.parametrize("name", ENGINES)
def test_kernel_of_zeros_gives_zeros(name: str) -> None:
    result = engines.load(name).correlate(
        np.ones((4, 5, 3), np.float32), kernel(np.zeros((3, 3))), Window(stride=(2, 2))
    )
    assert result.shape == (2, 3, 3)
    assert not result.any()


@pytest.mark.parametrize("name", ENGINES)
def test_input_is_left_as_it_was(name: str) -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    image.flags.writeable = False
    engines.load(name).correlate(image, kernel(np.ones((3, 3))), Window())
    assert image.ravel().tolist() == list(range(12))


def test_engine_is_the_same_object_each_time() -> None:
    assert engines.load("opencv") is engines.load("opencv")


def test_unknown_engine_is_refused() -> None:
    with pytest.raises(UsageError, match="'numpy'; there are opencv and torch"):
        engines.load("numpy")
