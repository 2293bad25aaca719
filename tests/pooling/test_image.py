"""Pools of images: both engines, the verdict on them, bands, depths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz import engines, pool_image
from cnnviz.engines import ENGINES, Pool
from cnnviz.errors import DisagreementError, UsageError
from cnnviz.pooling import PoolOptions, bands
from tests.pooling.made import SHAPES, by_hand, fits, pixels, pools

DEPTHS = st.sampled_from(["uint8", "uint16", "float32", "float64"])
MAPS = np.array([[8, 10, 12, 14], [18, 20, 22, 24], [28, 30, 32, 34], [38, 40, 42, 44]])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("max", [[20, 24], [40, 44]]),
        ("avg", [[14, 18], [34, 38]]),
        ("min", [[8, 12], [28, 32]]),
    ],
)
def test_the_notes_example(mode: str, expected: list[list[int]]) -> None:
    done = pool_image(MAPS, Pool(mode))
    assert done.result[:, :, 0].tolist() == expected
    assert done.verdict
    assert (done.verdict.agree, done.verdict.bound.exact, done.verdict.values) == (True, True, 4)


@settings(deadline=None)  # torch is imported in the first
@given(how=pools(), shape=SHAPES, depth=DEPTHS, seed=st.integers(0, 99))
def test_engines_agree_within_a_bound_that_is_small(
    how: Pool, shape: tuple[int, int, int], depth: str, seed: int
) -> None:
    if not fits(how, shape):
        return
    image = pixels(shape, depth, seed)
    done = pool_image(image, how)  # raises where they disagree
    assert done.verdict
    assert done.verdict.values == done.result.size
    exact = how.mode in {"max", "min"} or (how.mode == "avg" and depth.startswith("u"))
    assert done.verdict.bound.exact == exact
    largest = float(np.abs(done.result).max()) + float(np.abs(image).max()) * how.taps(shape)
    assert done.verdict.bound.tolerance <= 1e-4 * largest
    assert done.verdict.max_abs_diff <= done.verdict.bound.tolerance
    if how.mode != "lp":
        np.testing.assert_allclose(done.result, by_hand(image, how), rtol=1e-5, atol=1e-5)


@settings(deadline=None)  # torch is imported in the first
@given(
    how=pools(),
    shape=st.tuples(st.integers(20, 60), st.integers(1, 6), st.sampled_from([1, 3])),
    depth=DEPTHS,
    damaged=st.booleans(),
)
def test_bands_are_the_image_left_whole(
    how: Pool, shape: tuple[int, int, int], depth: str, damaged: bool
) -> None:
    if not fits(how, shape):
        return
    image = pixels(shape, depth, 5)
    if damaged and depth.startswith("float"):
        image[17] = np.nan
    whole = pool_image(image, how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_BYTES", 1)
        rows, _ = how.axes(shape)
        few = max(20, 2 * rows.span // rows.stride)  # a band is not shorter than two windows
        assert len(bands.plan_bands(shape, how, "float32")) > 1 or whole.size[0] <= few
        parts = pool_image(image, how)
    np.testing.assert_allclose(parts.result, whole.result, rtol=1e-6, atol=1e-12)
    assert parts.verdict
    assert whole.verdict
    assert parts.verdict.nonfinite == whole.verdict.nonfinite


def test_windows_in_the_padding_alone_are_equal_infinities() -> None:
    image = np.full((1, 1, 1), np.nan, np.float32)
    how = Pool("max", (4, 1), stride=(1, 1), padding=(2, 0), dilation=(3, 1), ceil_mode=True)
    image = np.vstack([image, np.ones((5, 1, 1), np.float32)])
    done = pool_image(image, how)
    assert done.verdict
    assert done.verdict.agree


def test_windows_with_nan_or_inf_are_counted_and_left_out() -> None:
    image = pixels((12, 12, 1), "float32", 1)
    image[0, 0], image[7, 7] = np.nan, np.inf
    for mode in ("max", "avg", "min", "lp"):
        verdict = pool_image(image, Pool(mode)).verdict
        assert verdict
        assert (verdict.agree, verdict.nonfinite, verdict.values) == (True, 2, 34)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("mode", ["max", "avg", "min", "lp"])
@pytest.mark.parametrize("depth", ["uint8", "float32"])
def test_one_wrong_value_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, mode: str, depth: str
) -> None:
    engine = engines.load(name)
    right = engine.pool

    def wrong(image: np.ndarray, how: Pool) -> np.ndarray:
        result = right(image, how).copy()
        result[15, 10, 1] += result.dtype.type(0.01)
        return result

    monkeypatch.setattr(engine, "pool", wrong)
    with pytest.raises(DisagreementError, match=r"row 15, column 10, channel 1: opencv .*, torch"):
        pool_image(pixels((40, 60, 3), depth, 4), Pool(mode))


def test_padding_that_only_one_engine_counts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engines.load("torch")
    right, other = engine.pool, Pool("avg", (3, 3), padding=(1, 1), count_include_pad=False)
    monkeypatch.setattr(engine, "pool", lambda image, _: right(image, other))
    with pytest.raises(DisagreementError, match="row 0, column 0"):
        pool_image(pixels((9, 9, 1), "uint8", 1), Pool("avg", (3, 3), padding=(1, 1)))


@pytest.mark.parametrize(
    ("depth", "how", "precision"),
    [
        ("uint8", Pool("avg", (2, 2)), "float32"),
        ("uint16", Pool("max", (64, 64)), "float32"),
        ("uint16", Pool("avg", (15, 15)), "float32"),
        ("uint16", Pool("avg", (17, 17)), "float64"),
        ("uint8", Pool("avg", None), "float64"),
        ("float32", Pool("avg", (2, 2)), "float32"),
        ("float32", Pool("avg", None), "float64"),
        ("float64", Pool("max", (2, 2)), "float64"),
    ],
    ids=str,
)
def test_precision_is_chosen_so_that_nothing_is_rounded(
    depth: str, how: Pool, precision: str
) -> None:
    done = pool_image(pixels((300, 300, 1), depth, 1), how)
    assert done.result.dtype == precision


def test_a_global_mean_of_integers_is_exact() -> None:
    image = pixels((511, 777, 3), "uint16", 1)
    done = pool_image(image, Pool("avg", None))
    assert done.verdict
    assert done.verdict.bound.exact
    sums = image.astype(object).sum(axis=(0, 1))
    assert done.result[0, 0].tolist() == [total / (511 * 777) for total in sums]


def test_lp_pools_of_another_p_are_torchs_alone_and_not_verified() -> None:
    image = pixels((6, 6, 1), "uint8", 1)
    done = pool_image(image, Pool("lp", p=3))
    assert (done.verdict, done.engines) == (None, ("torch",))
    np.testing.assert_allclose(done.result, by_hand(image, Pool("lp", p=3)), rtol=1e-5)
    with pytest.raises(UsageError, match="OpenCV has lp pooling for p = 1 and 2, not 3"):
        pool_image(image, Pool("lp", p=3), PoolOptions(engines=("opencv",)))


def test_roots_of_running_sums_stay_within_their_bound() -> None:
    """A bright pixel leaves rounding errors of its size in the running sums of what follows."""
    image = pixels((64, 64, 1), "float64", 1) * 1e-9
    image[0, 0] = 1e6
    for p in (1, 2):
        assert pool_image(np.abs(image), Pool("lp", (3, 3), (1, 1), p=p)).verdict
    assert pool_image(image, Pool("avg", (3, 3), (1, 1))).verdict
