"""torch's side of wide kernels and of float64: 16 columns as channels, in parts, exact."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz.engines import Window, libtorch
from cnnviz.engines import torch as engine
from tests.exact import exact_correlation, kernel_of


@settings(max_examples=150, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 40)),
    more=st.tuples(st.integers(0, 30), st.integers(0, 50)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.sampled_from([1, 3]),
    dtype=st.sampled_from([np.float32, np.float64]),
    column_bytes=st.sampled_from([1, 10_000, 4_000_000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_integers_are_exact(
    shape: tuple[int, int],
    more: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    channels: int,
    dtype: type,
    column_bytes: int,
    seed: int,
) -> None:
    random = np.random.default_rng(seed)
    size = ((shape[axis] - 1) * dilation[axis] + 1 + more[axis] for axis in (0, 1))
    image = random.integers(-255, 256, (*size, channels))
    weights = random.integers(-9, 10, shape)
    window = Window("zeros", "valid", stride, dilation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "COLUMN_BYTES", column_bytes)
        result = engine.correlate(image.astype(dtype), kernel_of(weights), window)
    assert result.dtype == dtype
    assert result.flags.c_contiguous
    assert np.array_equal(result, exact_correlation(image, weights, window))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("side", [3, 21])
def test_nan_stays_within_its_windows(side: int, dtype: type) -> None:
    image: np.ndarray = np.ones((60, 70, 1), dtype)
    image[30, 40] = np.nan
    result = engine.correlate(image, kernel_of(np.ones((side, side))), Window())[:, :, 0]
    reach = side // 2
    inside = np.zeros((60, 70), bool)
    inside[30 - reach : 31 + reach, 40 - reach : 41 + reach] = True
    assert np.isnan(result[inside]).all()
    assert (result[~inside] == side * side).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 3), (9, 9), (31, 40)])
def test_python_module_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int], dtype: type
) -> None:
    library = libtorch.open_library()
    if library is None:
        pytest.skip("this torch has no such C interface")
    random = np.random.default_rng(0)
    image: np.ndarray = random.normal(size=(70, 90, 3)).astype(dtype)
    kernel = kernel_of(random.normal(size=shape))
    results = []
    for found in (library, None):
        monkeypatch.setattr(engine, "_library", lambda found=found: found)
        with engine.one_thread():
            results.append(engine.correlate(image, kernel, Window(stride=(2, 1))))
    assert np.array_equal(results[0], results[1])


@pytest.mark.parametrize("shape", [(3, 3), (31, 31), (101, 5)])
def test_columns_of_float64_stay_small(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    written = []
    right = engine._whole_conv2d

    def noted(image: np.ndarray, weights: np.ndarray, *more: Any) -> np.ndarray:
        result: np.ndarray = right(image, weights, *more)
        written.append(result[:, :, 0].size * weights[0].nbytes)
        return result

    monkeypatch.setattr(engine, "_whole_conv2d", noted)
    engine.correlate(np.ones((300, 400, 3)), kernel_of(np.ones(shape)), Window())
    assert max(written) <= engine.COLUMN_BYTES
    assert max(written) > engine.COLUMN_BYTES / 4
