"""What is kept over many images, against all of it at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz.featuremaps.tally import TOP, LayerTally, Peaks, Tally, peaks_of
from cnnviz.render.sheet import Caption
from cnnviz.statistics import channel_statistics

IMAGES, CHANNELS, SHAPE = 23, 5, (4, 6)


def entry_of(values: NDArray[Any]) -> dict[str, Any]:
    channels = channel_statistics(values, "ReLU")
    return {
        "name": "relu",
        "call": 1,
        "shape": list(values.shape),
        "channels": [{"index": n, **channel} for n, channel in enumerate(channels)],
    }


@pytest.fixture(scope="module")
def maps() -> NDArray[Any]:
    """(images, C, H, W), after a ReLU; channel 1 is dead, 2 often, and ties and NaN occur."""
    drawn = np.random.default_rng(5).normal(size=(IMAGES, CHANNELS, *SHAPE))
    maps = np.maximum(drawn.astype(np.float32), 0).round(1)
    maps[:, 1] = 0
    maps[::3, 2] = 0
    maps[4, 3, 0, 0] = np.nan
    maps[5, 3, 1, 1] = np.inf
    maps[6, 3] = np.nan
    return maps


@pytest.fixture(scope="module")
def layer(maps: NDArray[Any]) -> LayerTally:
    tally = Tally()
    for number, values in enumerate(maps):
        peaks, entry = Peaks(), entry_of(values)
        assert peaks.layer(entry, values, Caption(""), []) is None
        tally.add(number, [entry], peaks)
    return tally.layers["relu"]


def test_flags_are_counted(layer: LayerTally) -> None:
    assert layer.images == IMAGES
    assert layer.flags["dead"].tolist()[:3] == [0, IMAGES, len(range(0, IMAGES, 3))]
    assert layer.flags["nonfinite"].tolist() == [0, 0, 0, 3, 0]


@pytest.mark.parametrize("channel", range(CHANNELS))
def test_top_images_are_those_of_sorting_all(
    channel: int,
    maps: NDArray[Any],
    layer: LayerTally,
) -> None:
    expected = []
    for number, values in enumerate(maps[:, channel]):
        best = None
        for row in range(SHAPE[0]):
            for column in range(SHAPE[1]):
                value = float(values[row, column])
                if np.isfinite(value) and value > 0 and (best is None or value > best[1]):
                    best = (number, value, [row, column])
        expected += [best] if best else []
    expected.sort(key=lambda one: -one[1])
    assert layer.top(channel) == expected[:TOP]


def test_spread_is_the_deviation_of_the_peaks(
    maps: NDArray[Any],
    layer: LayerTally,
) -> None:
    finite = np.where(np.isfinite(maps), maps.astype(np.float64), -np.inf).max(axis=(2, 3))
    expected = [np.std(one[np.isfinite(one)]) for one in finite.T]
    np.testing.assert_allclose(layer.spread, expected, atol=1e-12)
    assert layer.telling(CHANNELS) == list(range(CHANNELS))
    assert layer.telling(2) == np.argsort(-np.array(expected))[:2].tolist()


def test_vectors_have_no_place() -> None:
    values, places = peaks_of(np.array([3.0, np.nan, -1.0], np.float32))
    assert values.tolist() == [3, -np.inf, -1]
    assert places.shape == (3, 0)
