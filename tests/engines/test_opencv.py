"""Large kernels by filter2D's Fourier transforms: exact integers, NaN where it belongs."""

from typing import Any

import cv2
import numpy as np
import pytest

from cnnviz.engines import Window, opencv
from tests.exact import exact_correlation, kernel_of


@pytest.fixture
def kernel_sizes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of all kernels that filter2D is called with."""
    sizes = []
    right = cv2.filter2D

    def noted(image: Any, depth: int, weights: np.ndarray, **more: Any) -> Any:
        sizes.append(weights.shape)
        return right(image, depth, weights, **more)

    monkeypatch.setattr(cv2, "filter2D", noted)
    return sizes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dilation", [(1, 1), (3, 2), (1, 50)])
@pytest.mark.parametrize("shape", [(15, 15), (31, 31), (2, 300), (40, 12)])
def test_integers_are_exact(shape: tuple[int, int], dilation: tuple[int, int], dtype: type) -> None:
    random = np.random.default_rng(0)
    weights = random.integers(-9, 10, shape)
    size = ((n - 1) * step + 30 for n, step in zip(shape, dilation, strict=True))
    image = random.integers(0, 256, (*size, 3))
    window = Window(padding="valid", dilation=dilation)
    result = opencv.correlate(image.astype(dtype), kernel_of(weights), window)
    assert result.dtype == dtype
    assert np.array_equal(result, exact_correlation(image, weights, window))


@pytest.mark.parametrize("largest", [2**8, 2**16, 2**30])
def test_integers_of_many_digits_are_exact(largest: int) -> None:
    random = np.random.default_rng(0)
    weights = random.integers(-largest, largest, (31, 33))
    image = random.integers(0, 2**12, (80, 90, 1))
    result = opencv.correlate(image.astype(float), kernel_of(weights), Window(padding="valid"))
    assert np.array_equal(result, exact_correlation(image, weights))


@pytest.mark.parametrize("bits", range(10, 42, 2))
def test_integers_are_exact_however_few_bits_a_digit_has(bits: int) -> None:
    random = np.random.default_rng(bits)
    weights = random.integers(-9, 10, (15, 16))
    image = random.integers(0, 2**bits, (40, 40, 1))
    result = opencv.correlate(image.astype(float), kernel_of(weights), Window(padding="valid"))
    assert np.array_equal(result, exact_correlation(image, weights))


def test_integers_too_large_to_be_exact_take_one_transform(
    kernel_sizes: list[tuple[int, int]],
) -> None:
    image = np.full((40, 40, 1), 2.0**20, np.float32)
    weights = np.full((31, 31), 2**20)
    result = opencv.correlate(image, kernel_of(weights), Window())
    assert (result == 2.0**40 * 961).all()
    assert kernel_sizes == [(31, 31)]


def test_integers_beyond_any_digit_are_summed_in_pieces(
    kernel_sizes: list[tuple[int, int]],
) -> None:
    random = np.random.default_rng(0)
    weights = random.integers(-9, 10, (15, 15))
    image = random.integers(0, 2**40, (30, 30, 1))
    result = opencv.correlate(image.astype(float), kernel_of(weights), Window(padding="valid"))
    assert np.array_equal(result, exact_correlation(image, weights))
    assert max(kernel_sizes) == (7, 7)


def test_large_kernels_are_transformed_whole_and_others_cut(
    kernel_sizes: list[tuple[int, int]],
) -> None:
    image = np.full((40, 40, 3), 0.5, np.float32)
    sparse = np.zeros((31, 31))
    sparse[[0, 30, 15], [0, 30, 15]] = 0.1
    for weights, sizes in (
        (np.full((31, 31), 0.1), {(31, 31)}),
        (np.full((14, 14), 0.1), {(7, 7)}),
        (np.full((1, 60), 0.1), {(1, 49), (1, 11)}),
        (sparse, {(7, 7), (3, 3)}),
    ):
        kernel_sizes.clear()
        opencv.correlate(image, kernel_of(weights), Window())
        assert set(kernel_sizes) == sizes


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_stays_within_its_windows(value: float) -> None:
    image = np.ones((60, 70, 1), np.float32)
    image[30, 40] = value
    ones = kernel_of(np.ones((21, 21)))
    result = opencv.correlate(image, ones, Window())[:, :, 0]
    beside = np.ones((60, 70), bool)
    beside[20:41, 30:51] = False
    assert (result[beside] == 441).all()
    assert not np.isfinite(result[~beside]).any()


def test_products_of_transforms_do_not_overflow() -> None:
    image = np.full((40, 40, 1), 1e305)
    result = opencv.correlate(image, kernel_of(np.full((20, 20), 1 / 512)), Window())
    assert np.allclose(result, 1e305 * 400 / 512)


def test_nothing_is_minus_zero() -> None:
    weights = np.ones((21, 21))
    weights[10, 10] = -440
    image = np.random.default_rng(0).integers(0, 2, (50, 50, 1)) * 0.0 + 7
    result = opencv.correlate(image.astype(np.float32), kernel_of(weights), Window())
    assert not result.any()
    assert not np.signbit(result).any()


def test_number_of_threads_changes_no_bit() -> None:
    random = np.random.default_rng(0)
    image, weights = random.normal(size=(300, 310, 3)), random.normal(size=(25, 25))
    before = cv2.getNumThreads()
    results = []
    for count in (1, 2, 8):
        cv2.setNumThreads(count)
        results.append(opencv.correlate(image, kernel_of(weights), Window()))
    cv2.setNumThreads(before)
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


@pytest.mark.parametrize(("side", "transformed"), [(14, False), (15, True)])
def test_transform_error_is_that_of_large_kernels(side: int, transformed: bool) -> None:
    error = opencv.transform_error(kernel_of(np.ones((side, side))), 255, np.dtype(np.float32))
    assert (error > 0) is transformed
