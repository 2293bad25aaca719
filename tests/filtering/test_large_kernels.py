"""Large kernels through both engines: exact integers, bounds that hold, and what they can see."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz import engines
from cnnviz.engines import BORDERS, ENGINES, Window
from cnnviz.errors import DisagreementError
from cnnviz.filtering import Filtered, FilterOptions, bands, filter_image
from tests.exact import exact_correlation, kernel_of


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.random.Generator, tuple[int, int], np.ndarray, Window]:
    """A source of numbers, a kernel's shape, an 8-bit image and a window that fits into it."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(12, 40)), draw(st.integers(12, 40))
    few = st.integers(1, 2)
    stride, dilation = draw(st.tuples(few, few)), draw(st.tuples(few, few))
    padding: Any = draw(st.sampled_from(["same", "valid", (5, 9), ((90, 0), (0, 30))]))
    spans = [(n - 1) * step + 1 for n, step in zip(shape, dilation, strict=True)]
    size = [span + draw(st.integers(0, 60)) for span in spans]
    image = random.integers(0, 256, (*size, draw(st.sampled_from([1, 3]))), dtype=np.uint8)
    return random, shape, image, Window(draw(st.sampled_from(BORDERS)), padding, stride, dilation)


def done_in_bands(image: np.ndarray, weights: np.ndarray, options: FilterOptions) -> Filtered:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_BYTES", 1)
        return filter_image(image, kernel_of(weights), options)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_integers_are_exact(precision: str, problem: Any) -> None:
    random, shape, image, window = problem
    largest = 9 if precision == "float32" else 2**30
    weights = random.integers(-largest, largest + 1, shape)
    done = done_in_bands(image, weights, FilterOptions(window, precision=precision))
    assert done.verdict is not None
    assert (done.verdict.bound.exact, done.verdict.max_abs_diff) == (True, 0)
    assert np.array_equal(done.result, exact_correlation(image, weights, window))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_each_engine_keeps_to_its_half_of_the_bound(precision: str, problem: Any) -> None:
    # Fractions of 2**24 and of 2**30 are held by float32 and float64, and exact as integers.
    random, shape, image, window = problem
    unit = 2**24 if precision == "float32" else 2**30
    numerators = random.integers(-unit, unit, shape)
    kernel, pixels = kernel_of(numerators / unit), image.astype(np.float32) / 256
    verdict = filter_image(pixels, kernel, FilterOptions(window, precision=precision)).verdict
    assert verdict is not None
    assert (verdict.agree, verdict.bound.exact) == (True, False)
    exact, size = (
        exact_correlation(image, weights, window).astype(np.longdouble) / 256 / unit
        for weights in (numerators, abs(numerators))
    )
    rounded = (numerators.size + 2) * float(np.finfo(precision).eps) / 2 * 1.001 * size
    for name in ENGINES:
        alone = FilterOptions(window, (name,), precision=precision)
        transformed = engines.load(name).transform_error(kernel, 1.0, np.dtype(precision))
        off = np.abs(filter_image(pixels, kernel, alone).result - exact)
        assert (off <= rounded + transformed).all()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("real", [False, True])
def test_one_value_off_is_found_at_its_pixel(
    monkeypatch: pytest.MonkeyPatch, name: str, precision: str, real: bool
) -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (90, 100, 3), dtype=np.uint8)
    weights = random.normal(size=(25, 31)) / 775 if real else random.integers(-9, 10, (25, 31))
    engine = engines.load(name)
    right = engine.correlate

    def off_by_one(*arguments: Any) -> np.ndarray:
        result: np.ndarray = right(*arguments).copy()
        result[60, 20, 1] += 1
        return result

    monkeypatch.setattr(engine, "correlate", off_by_one)
    with pytest.raises(DisagreementError, match="row 60, column 20, channel 1"):
        filter_image(image, kernel_of(weights), FilterOptions(precision=precision))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_transform_may_spread_a_huge_pixel_over_its_block(precision: str) -> None:
    random = np.random.default_rng(0)
    pixels = random.random((300, 300)).astype(np.float32)
    pixels[5, 5] = 1e18
    weights = random.normal(size=(31, 31))
    verdict = filter_image(pixels, kernel_of(weights), FilterOptions(precision=precision)).verdict
    assert verdict is not None
    assert verdict.agree
    direct = 2 * 1000 * 2.0**-53 * 31 * 31 * 4  # far from that pixel
    assert verdict.bound.tolerance > direct


@pytest.mark.parametrize("real", [False, True])
def test_windows_with_nan_are_left_out(real: bool) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (200, 120, 3)).astype(np.float32)
    pixels /= 3 if real else 1
    pixels[150, 60, 1] = np.nan
    weights = random.normal(size=(21, 17)) if real else random.integers(-9, 10, (21, 17))
    verdict = done_in_bands(pixels, weights, FilterOptions()).verdict
    assert verdict is not None
    assert verdict.agree
    assert verdict.bound.exact is not real
    assert verdict.nonfinite == 21 * 17


def test_two_runs_write_the_same_bits_whatever_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (400, 300, 3), dtype=np.uint8)
    weights = random.normal(size=(31, 31))
    results = []
    for cores in (1, 2, 3):
        monkeypatch.setattr(bands, "cores", lambda cores=cores: cores)
        results.append(done_in_bands(image, weights, FilterOptions()).result)
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])
