"""Both engines' pools against windows taken one by one in Python, and against torch.nn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz import engines
from cnnviz.engines import ENGINES, Pool, libtorch, torch_pools
from cnnviz.errors import ShapeError, UsageError
from tests.pooling.made import SHAPES, by_hand, fits, pixels, pools


@pytest.mark.parametrize("name", ENGINES)
@settings(deadline=None)  # torch is imported in the first
@given(how=pools(), shape=SHAPES, seed=st.integers(0, 99))
def test_pools_are_what_windows_taken_one_by_one_give(
    name: str, how: Pool, shape: tuple[int, int, int], seed: int
) -> None:
    image = pixels(shape, "uint8", seed).astype(np.float64)
    if not fits(how, shape):
        with pytest.raises(ShapeError):
            engines.load(name).pool(image, how)
        return
    result = engines.load(name).pool(image, how)
    assert result.dtype == np.float64
    assert result.shape == (*how.output_size(shape), shape[2])
    np.testing.assert_allclose(result, by_hand(image, how), rtol=1e-12)


@settings(deadline=None)  # torch is imported in the first
@given(how=pools(), shape=SHAPES, seed=st.integers(0, 99))
def test_pools_are_those_of_torchs_modules(
    how: Pool, shape: tuple[int, int, int], seed: int
) -> None:
    """The sizes and the refusals too, which ``Pool`` works out by itself."""
    image = np.abs(pixels(shape, "float32", seed))
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].contiguous()
    if not fits(how, shape):
        with pytest.raises(RuntimeError):
            module(how)(tensor)
        return
    expected = module(how)(tensor if how.mode != "min" else -tensor)[0].permute(1, 2, 0).numpy()
    expected = -expected if how.mode == "min" else expected
    for name in ENGINES:
        result = engines.load(name).pool(image, how)
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def module(how: Pool) -> torch.nn.Module:
    """torch's own layer; a minimum is that of -x with the sign turned."""
    size, stride = how.kernel_size, how.stride
    assert size
    if how.mode == "lp":
        return torch.nn.LPPool2d(how.p, size, stride, how.ceil_mode)
    if how.mode == "avg":
        count = how.count_include_pad
        return torch.nn.AvgPool2d(size, stride, how.padding, how.ceil_mode, count)
    return torch.nn.MaxPool2d(size, stride, how.padding, how.dilation, ceil_mode=how.ceil_mode)


@settings(deadline=None)  # torch is imported in the first
@given(how=pools(), shape=SHAPES, depth=st.sampled_from(["float32", "float64"]))
def test_libtorch_by_its_c_interface_is_torch(
    how: Pool, shape: tuple[int, int, int], depth: str
) -> None:
    library = libtorch.open_library()
    if library is None or not fits(how, shape):
        return
    image = pixels(shape, depth, 1)
    direct, imported = (torch_pools.pool(which, image, how) for which in (library, None))
    assert np.array_equal(direct, imported, equal_nan=True)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("mode", ["max", "avg", "min"])
def test_global_pools_are_torchs_adaptive_ones_of_size_1(name: str, mode: str) -> None:
    image = pixels((37, 23, 3), "uint8", 2).astype(np.float64)
    tensor = torch.from_numpy(image).permute(2, 0, 1)
    layer = torch.nn.AdaptiveAvgPool2d(1) if mode == "avg" else torch.nn.AdaptiveMaxPool2d(1)
    expected = -layer(-tensor) if mode == "min" else layer(tensor)
    result = engines.load(name).pool(image, Pool(mode, None))
    np.testing.assert_allclose(result, expected.permute(1, 2, 0).numpy(), rtol=1e-13)


@pytest.mark.parametrize("mode", ["max", "min", "avg", "lp"])
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_a_value_without_end_stays_in_the_windows_that_read_it(
    name: str, mode: str, value: float
) -> None:
    image = pixels((20, 20, 1), "float32", 3)
    how = Pool(mode, (3, 3), (1, 1), p=1)
    clean = engines.load(name).pool(image, how)
    image[9, 9] = value
    damaged = engines.load(name).pool(image, how)
    expected = np.zeros(damaged.shape, bool)
    expected[7:10, 7:10] = True
    assert np.isfinite(damaged[~expected]).all()
    np.testing.assert_allclose(damaged[~expected], clean[~expected], rtol=1e-5, atol=1e-5)
    if np.isnan(value):
        assert np.isnan(damaged[expected]).all()
    elif (mode, value) in {("max", np.inf), ("min", -np.inf), ("avg", value)}:
        assert (damaged[expected] == value).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "median"}, "no pool is called 'median'; there are max, avg, min, lp"),
        ({"mode": "avg", "dilation": (2, 2)}, "avg pooling has no dilation, as in torch"),
        ({"mode": "lp", "padding": (1, 1)}, "lp pooling has no padding, as in torch"),
        ({"mode": "lp", "p": 0.0}, "p is 0; it must be above 0"),
        ({"mode": "lp", "kernel_size": None}, "lp pooling needs a kernel size"),
        ({"kernel_size": None, "stride": (2, 2)}, "global pooling is one window"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_torch_has_not_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Pool(**settings)  # type: ignore[arg-type]  # as somebody may call it


def test_padding_of_more_than_half_of_the_kernel_is_refused_as_torch_does() -> None:
    how = Pool("max", (3, 3), padding=(2, 0))
    with pytest.raises(RuntimeError, match="half of"):
        torch.nn.MaxPool2d(3, padding=(2, 0))(torch.zeros(1, 1, 9, 9))
    with pytest.raises(ShapeError, match="height: padding 2 is more than half of the kernel"):
        how.output_size((9, 9))


@pytest.mark.parametrize(
    ("how", "name"),
    [
        (Pool(), "maxpool:k2,s2"),
        (Pool("avg", (3, 5), (2, 1), (1, 0), ceil_mode=True), "avgpool:k3x5,s2x1,p1x0,ceil"),
        (Pool("avg", (3, 3), count_include_pad=False), "avgpool:k3,s3,uncounted"),
        (Pool("lp", (2, 2), p=3), "l3pool:k2,s2"),
        (Pool("min", None), "globalminpool"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_pool_is_called_as_in_a_chain_of_shape(how: Pool, name: str) -> None:
    assert how.name == name
