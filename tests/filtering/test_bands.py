"""Bands together are the image: every row once, and no seam between them."""

from itertools import pairwise
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz import engines
from cnnviz.engines import BORDERS, ENGINES, Window
from cnnviz.errors import DisagreementError
from cnnviz.filtering import FilterOptions, bands, filter_image
from cnnviz.filtering.bands import Band, Crew, plan_bands
from cnnviz.kernels import Kernel
from tests.linear import loaded, parsed


@pytest.fixture
def thin_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands as thin as the kernel allows."""
    monkeypatch.setattr(bands, "BAND_BYTES", 1)


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("height", [1, 7, 40, 41, 42, 43, 200])
@pytest.mark.usefixtures("thin_bands")
def test_every_row_of_the_result_is_in_one_band(height: int, stride: int) -> None:
    window = Window(stride=(stride, 1))
    planned = plan_bands((height, 9, 3), (5, 5), window, "float32")
    assert planned[0].start == 0
    assert planned[-1].stop == len(range(0, height, stride))
    assert all(one.stop == two.start for one, two in pairwise(planned))
    if height == 200 and stride == 1:
        assert len(planned) > 10


def test_plan_does_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    shape, window = (5000, 4000, 3), Window()
    plans = []
    for cores in (1, 2, 64):
        monkeypatch.setattr(bands, "cores", lambda cores=cores: cores)
        plans.append([(b.start, b.stop) for b in plan_bands(shape, (3, 3), window, "float32")])
    assert plans[0] == plans[1] == plans[2]
    assert len(plans[0]) > 10


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, Kernel, Window]:
    small = st.integers(1, 3)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, 90)), draw(st.integers(1, 9)), draw(st.sampled_from([1, 3]))
    image = random.integers(0, 256, shape, dtype=np.uint8)
    weights = random.integers(-9, 10, (draw(st.integers(1, 6)), draw(st.integers(1, 4))))
    padding: Any = draw(st.sampled_from(["same", (0, 1), (2, 0), (13, 3), (120, 5)]))
    stride, dilation = draw(st.tuples(small, small)), draw(st.tuples(small, small))
    window = Window(draw(st.sampled_from(BORDERS)), padding, stride, dilation)
    return image, parsed(str(weights.tolist())), window


@settings(max_examples=250, deadline=None)
@given(problem=problems())
def test_bands_are_identical_to_the_whole(problem: tuple[np.ndarray, Kernel, Window]) -> None:
    image, kernel, window = problem
    rows, columns = window.axes(kernel.shape)
    lacking = rows.span > image.shape[0] + sum(rows.padding)
    if lacking or columns.span > image.shape[1] + sum(columns.padding):
        return
    whole = engines.load("opencv").correlate(image.astype(np.float32), kernel, window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_BYTES", 1)
        done = filter_image(image, kernel, FilterOptions(window))
    assert np.array_equal(done.result, whole)
    assert done.verdict is not None
    assert done.verdict.values == whole.size


@pytest.mark.parametrize("height", range(5, 30))
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.usefixtures("thin_bands")
def test_bands_hold_what_their_border_mirrors_at_any_stride(border: str, height: int) -> None:
    image = np.random.default_rng(height).integers(0, 256, (height, 1, 1), dtype=np.uint8)
    window = Window(border, padding=(2, 0), stride=(3, 1))
    bare = parsed("[[9]]")
    one = engines.load("opencv").correlate(image.astype(np.float32), bare, window)
    assert np.array_equal(filter_image(image, bare, FilterOptions(window)).result, one)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.usefixtures("thin_bands")
def test_float_results_are_the_same_bits_in_bands(border: str) -> None:
    random = np.random.default_rng(0)
    image = random.normal(size=(150, 40, 3)).astype(np.float32)
    kernel = parsed(str(random.normal(size=(5, 4)).round(3).tolist()))
    alone = FilterOptions(Window(border), engines=("opencv",))
    expected = engines.load("opencv").correlate(image, kernel, Window(border))
    assert np.array_equal(filter_image(image, kernel, alone).result, expected)


@pytest.mark.parametrize("row", [0, 60, 149])
@pytest.mark.usefixtures("thin_bands")
def test_a_wrong_value_in_a_later_band_is_named_by_its_row_in_the_image(
    monkeypatch: pytest.MonkeyPatch, row: int
) -> None:
    image = np.full((150, 8, 1), 7, np.uint8)
    image[row, 5] = 200  # the only place where this identity gives more than 7
    right = cv2.filter2D

    def off_by_one(*arguments: Any, **more: Any) -> Any:
        result = right(*arguments, **more)
        result[result == 200] += 1
        return result

    monkeypatch.setattr(cv2, "filter2D", off_by_one)
    with pytest.raises(DisagreementError, match=f"row {row}, column 5, channel 0"):
        filter_image(image, loaded("identity"))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.usefixtures("thin_bands")
def test_an_engine_put_in_place_of_ours_is_called_once_with_the_whole_image(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    engine = engines.load(name)
    right = engine.correlate
    shapes = []

    def off_by_one(image: Any, *more: Any) -> Any:
        shapes.append(image.shape)
        result = right(image, *more).copy()
        result[140, 3, 0] += 1
        return result

    monkeypatch.setattr(engine, "correlate", off_by_one)
    with pytest.raises(DisagreementError, match="row 140, column 3, channel 0"):
        filter_image(np.zeros((150, 8, 1), np.uint8), loaded("identity"))
    assert shapes == [(150, 8, 1)]


@pytest.mark.usefixtures("thin_bands")
def test_values_around_nan_are_left_out_across_bands() -> None:
    image = np.ones((100, 9, 1), np.float32)
    image[::10, 4] = np.nan
    verdict = filter_image(image, loaded("box")).verdict
    assert verdict is not None
    assert verdict.nonfinite == 10 * 9 - 3  # the first row has no row above
    assert verdict.values + verdict.nonfinite == image.size


@pytest.mark.parametrize("threads", [1, 2])
def test_libraries_keep_to_one_thread_until_the_crew_is_dismissed(threads: int) -> None:
    before = cv2.getNumThreads()
    planned = plan_bands((4000, 4000, 3), (3, 3), Window(), "float32")
    with Crew(threads) as crew:
        seen = crew.run(lambda _: cv2.getNumThreads(), planned, [engines.load("opencv")])
        assert cv2.getNumThreads() == 1
    assert set(seen) == {1}
    assert cv2.getNumThreads() == before


def test_images_side_by_side_share_the_threads() -> None:
    crew = Crew(7)
    assert crew.threads == 7
    with crew.admitted(10), crew.admitted(10), crew.admitted(10):
        assert crew.threads == 2
    assert crew.threads == 7
    assert Crew(1).threads == 1


def test_images_that_are_too_large_together_wait_for_each_other() -> None:
    crew, order = Crew(2), []
    first_is_in, second_asks = Event(), Event()

    def second() -> None:
        first_is_in.wait()
        second_asks.set()
        with crew.admitted(bands.PIXELS_AT_ONCE):
            order.append("second")

    thread = Thread(target=second)
    thread.start()
    with crew.admitted(10 * bands.PIXELS_AT_ONCE):  # alone, however large
        first_is_in.set()
        second_asks.wait()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_an_interruption_does_not_wait_for_the_bands_at_work() -> None:
    at_work, released, ended = Event(), Event(), Event()

    def job(band: Band) -> None:
        if band.start == 0:
            at_work.wait(10)
            raise KeyboardInterrupt
        at_work.set()
        released.wait(10)
        ended.set()

    planned = plan_bands((4000, 4000, 3), (3, 3), Window(), "float32")
    with pytest.raises(KeyboardInterrupt):
        Crew(2).run(job, planned[:2], [])
    assert not ended.is_set()
    released.set()
    assert ended.wait(10)
