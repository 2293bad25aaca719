"""What channels did over many images: how often they were flagged, and what excited them most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.featuremaps.beside import Beside
from cnnviz.featuremaps.folder import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.sheet import Caption

TOP = 8  # images that are kept of each channel
FLAGS = ("dead", "constant", "saturated", "nonfinite")


class Peaks(Beside):
    """The largest finite value of each channel for one image, by layer, and where it is.

    ``found[key]`` are values (C,), -inf where none is finite, and places (C, axes).
    """

    def __init__(self) -> None:
        self.found: dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}

    def layer(
        self,
        entry: dict[str, Any],
        values: NDArray[Any],
        caption: Caption,
        channels: Sequence[int],
    ) -> bytes | None:
        """Note a layer's peaks."""
        self.found[key_of(entry)] = peaks_of(values)
        return None


def peaks_of(values: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The largest finite value of each channel of (C, …), and its place (C, axes).

    The first of equal ones; -inf where nothing is finite.
    """
    rows = values.reshape(len(values), -1)
    places = rows.argmax(axis=1)
    largest = rows[np.arange(len(rows)), places].astype(np.float64)
    bad = ~np.isfinite(largest)
    if bad.any():  # argmax takes the first NaN, or an infinity
        masked = np.where(np.isfinite(rows[bad]), rows[bad], -np.inf)
        places[bad] = masked.argmax(axis=1)
        largest[bad] = masked.max(axis=1)
    inside = values.shape[1:]
    if not inside:
        return largest, np.zeros((len(values), 0), np.int64)
    return largest, np.stack(np.unravel_index(places, inside), axis=1).astype(np.int64)


class LayerTally:
    """What is kept of one layer's channels, however many the images are."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry
        count, axes = entry["shape"][0], len(entry["shape"]) - 1
        self.images = 0
        self.flags = {flag: np.zeros(count, np.int64) for flag in FLAGS}
        self.values = np.full((count, TOP), -np.inf)
        self.sources = np.full((count, TOP), -1)
        self.places = np.zeros((count, TOP, axes), np.int64)
        self._seen = np.zeros(count)
        self._mean, self._squares = np.zeros(count), np.zeros(count)

    def add(
        self,
        source: int,
        entry: dict[str, Any],
        peaks: NDArray[np.float64],
        places: NDArray[np.int64],
    ) -> None:
        """Take in image number ``source``: its layer's entry in the manifest, and its peaks.

        A channel that was dead or constant counts for how its peaks spread, and has no place.
        """
        self.images += 1
        for number, channel in enumerate(entry["channels"]):
            for flag in channel["flags"]:
                self.flags[flag][number] += 1
        self._spread(peaks)
        values = np.column_stack([self.values, np.where(_unmoved(entry), -np.inf, peaks)])
        order = np.argsort(-values, axis=1, kind="stable")[:, :TOP]  # equal ones: the earlier
        sources = np.column_stack([self.sources, np.full(len(peaks), source)])
        everywhere = np.concatenate([self.places, places[:, np.newaxis]], axis=1)
        self.values = np.take_along_axis(values, order, axis=1)
        self.sources = np.take_along_axis(sources, order, axis=1)
        self.places = np.take_along_axis(everywhere, order[:, :, np.newaxis], axis=1)

    def _spread(self, peaks: NDArray[np.float64]) -> None:
        """Welford's running variance, of finite peaks."""
        finite = np.isfinite(peaks)
        known = np.where(finite, peaks, self._mean)  # which changes nothing
        step = known - self._mean
        self._seen += finite
        self._mean += step / np.maximum(self._seen, 1)
        self._squares += step * (known - self._mean)

    @property
    def spread(self) -> NDArray[np.float64]:
        """How much each channel's peaks differ from image to image: their standard deviation."""
        return np.sqrt(self._squares / np.maximum(self._seen, 1))

    def telling(self, count: int) -> list[int]:
        """The channels whose peaks differ most between images, largest first; all of few."""
        if len(self._seen) <= count:
            return list(range(len(self._seen)))
        return [int(n) for n in np.argsort(-self.spread, kind="stable")[:count]]

    def top(self, channel: int) -> list[tuple[int, float, list[int]]]:
        """Image, value and place of the peaks of a channel, the largest first."""
        kept = zip(self.sources[channel], self.values[channel], self.places[channel], strict=True)
        return [
            (int(source), float(value), [int(n) for n in place])
            for source, value, place in kept
            if source >= 0 and np.isfinite(value)
        ]


def _unmoved(entry: dict[str, Any]) -> list[bool]:
    """Which channels nothing excited: where all values are the same, no place is the largest."""
    return [bool({"dead", "constant"} & {*channel["flags"]}) for channel in entry["channels"]]


class Tally:
    """The layers of a model over many images."""

    def __init__(self) -> None:
        self.layers: dict[str, LayerTally] = {}

    def add(self, source: int, layers: list[dict[str, Any]], peaks: Peaks) -> None:
        """Take in an image: the entries of its manifest, and its peaks."""
        for entry in layers:
            key = key_of(entry)
            if key not in peaks.found:
                continue
            layer = self.layers.setdefault(key, LayerTally(entry))
            values, places = peaks.found[key]
            if values.shape == layer.values.shape[:1] and places.shape[1] == layer.places.shape[2]:
                layer.add(source, entry, values, places)
