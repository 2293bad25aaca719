"""Many images through one model: a folder each, and what the channels did over all of them."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import storage
from cnnviz.errors import CnnvizError
from cnnviz.featuremaps.fields import Fields
from cnnviz.featuremaps.folder import CHANNELS, file_of
from cnnviz.featuremaps.job import read_input, save_feature_maps
from cnnviz.featuremaps.pictures import seen_by
from cnnviz.featuremaps.tally import FLAGS, TOP, LayerTally, Peaks, Tally
from cnnviz.render.levels import short
from cnnviz.render.patches import PatchRow, at_size, blank, draw_patches, framed
from cnnviz.render.sheet import Caption
from cnnviz.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from cnnviz.featuremaps.fields import Patch
    from cnnviz.featuremaps.folder import FeatureMaps
    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.models.loading import LoadedModel

    Pixels = NDArray[np.uint8]

SHOWN = 12  # channels of a layer that are drawn
KEPT = 64 << 20  # bytes of inputs that are held while patches are cut from them


@dataclass(frozen=True)
class Gathered:
    """What was written over all images: the folder, and what its ``channels.json`` says."""

    folder: Path
    said: dict[str, Any]


@dataclass(frozen=True)
class _Image:
    path: Path
    shape: tuple[int, ...]


class Gathering:
    """Runs ``model`` on image after image; ``finish`` writes what they say together.

    Of each channel the largest peaks are kept, with the image and place of each, and counts.
    """

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.images: list[_Image] = []
        self.total = 0
        self._tally = Tally()
        self._fields: dict[tuple[int, ...], Fields] = {}
        self._seen: OrderedDict[int, Pixels] = OrderedDict()

    def save(
        self, path: Path, folder: Path, inputs: Iterable[Path], options: MapOptions
    ) -> FeatureMaps:
        """As ``save_feature_maps``; the image counts if that succeeds."""
        peaks = Peaks()
        result = save_feature_maps(path, self.model, folder, inputs, options, peaks)
        manifest = result.manifest
        self._tally.add(len(self.images), manifest["layers"], peaks)
        self.images.append(_Image(path, tuple(manifest["preprocess"]["input"])))
        self.total = len(manifest["layers"])
        return result

    def finish(self, folder: Path) -> Gathered | None:
        """Write ``channels.json`` and a picture per layer; None where fewer than two images are.

        Raises:
            OutputError: they cannot be written.
        """
        if len(self.images) < 2:
            return None
        with storage.named_error(folder / CHANNELS):
            (folder / CHANNELS).unlink(missing_ok=True)
        layers = [self._layer(key, layer, folder) for key, layer in self._tally.layers.items()]
        said = {
            "cnnviz": __version__,
            "model": self.model.name,
            "images": [str(image.path) for image in self.images],
            "layers": layers,
        }
        storage.write_bytes(folder / CHANNELS, _as_text(said))
        return Gathered(folder, said)

    def _layer(self, key: str, layer: LayerTally, folder: Path) -> dict[str, Any]:
        """Draw a layer's most telling channels; what there is to say of all."""
        name = file_of(layer.entry["index"], self.total, key)
        shown = layer.telling(SHOWN)
        rows = [self._row(key, layer, channel) for channel in shown]
        seen = [(self._patch(key, n, at), n) for one in shown for n, _, at in layer.top(one)]
        notes = _notes([(patch, self.images[n].shape[-2:]) for patch, n in seen])
        picture = draw_patches(_caption(layer, len(rows)), rows, notes)
        storage.write_bytes(folder / name, picture)
        entry = {k: layer.entry[k] for k in ("index", "name", "paper_name", "type", "call")}
        channels = [self._channel(key, layer, n) for n in range(len(layer.values))]
        return {**entry, "images": layer.images, "file": name, "shown": shown, "channels": channels}

    def _channel(self, key: str, layer: LayerTally, channel: int) -> dict[str, Any]:
        spread = float(layer.spread[channel])
        return {
            "index": channel,
            **{flag: int(layer.flags[flag][channel]) for flag in FLAGS},
            "spread": spread,
            "top": [
                {
                    "image": source,
                    "value": value,
                    "at": place,
                    "patch": list(self._patch(key, source, place)[:4]),
                }
                for source, value, place in layer.top(channel)
            ],
        }

    def _row(self, key: str, layer: LayerTally, channel: int) -> PatchRow:
        patches = []
        for source, value, place in layer.top(channel):
            patch = self._patch(key, source, place)
            picture = at_size(self._cut(source, patch))
            patches.append((picture, short(value), self.images[source].path.stem))
        marks = [_often(flag, int(layer.flags[flag][channel]), layer.images) for flag in FLAGS]
        name = f"{channel}  {self._label(key, layer, channel)}".rstrip()
        return PatchRow(name, ", ".join(filter(None, marks)), patches)

    def _label(self, key: str, layer: LayerTally, channel: int) -> str:
        """The class that a channel of the network's output stands for."""
        labels = self.model.labels
        is_output = key == list(self._tally.layers)[-1] and len(layer.values) == len(labels)
        return labels[channel] if is_output else ""

    def _patch(self, key: str, source: int, place: list[int]) -> Patch:
        shape = self.images[source].shape
        if shape not in self._fields:
            self._fields[shape] = Fields(self.model.module, shape)
        return self._fields[shape].patch(key, place)

    def _cut(self, source: int, patch: Patch) -> Pixels:
        """The part of an input that a patch says, in its frame."""
        seen = self._input(source)
        if seen is None:
            return np.asarray(blank(patch.height, patch.width), np.uint8)
        part = seen[patch.top : patch.bottom, patch.left : patch.right]
        return framed(part, patch.height, patch.width, patch.down, patch.across)

    def _input(self, source: int) -> Pixels | None:
        """An image as the model saw it, read again; None where it is gone."""
        if source in self._seen:
            self._seen.move_to_end(source)
            return self._seen[source]
        try:
            seen = seen_by(self.model, read_input(self.images[source].path, self.model))
        except CnnvizError:  # removed meanwhile: what was counted is still true
            return None
        pixels = seen if seen.shape[2] == 3 else seen.repeat(3, axis=2)
        self._seen[source] = pixels
        while len(self._seen) > max(1, KEPT // pixels.nbytes):
            self._seen.popitem(last=False)
        return pixels


def _caption(layer: LayerTally, shown: int) -> Caption:
    entry = layer.entry
    name = entry["name"] if entry["call"] == 1 else f"{entry['name']}, call {entry['call']}"
    shape = "x".join(map(str, entry["shape"]))
    title = "  ·  ".join(filter(None, (entry["paper_name"], name, entry["type"], shape)))
    count = len(layer.values)
    which = "all channels"
    if shown < count:
        which = f"the {shown} of {count} channels whose peaks differ most between images"
    many = f"the {TOP} largest peaks of" if layer.images > TOP else "their peaks in"
    return Caption(title, f"what excites {which}: {many} {layer.images} images")


def _notes(seen: list[tuple[Patch, tuple[int, ...]]]) -> list[str]:
    """What a reader has to know of patches of inputs of some size."""
    if all(patch[:4] == (0, 0, *size) for patch, size in seen):
        return ["its values see the whole input", "below: the value, the image"]
    cut = any(
        (patch.bottom - patch.top, patch.right - patch.left) != (patch.height, patch.width)
        for patch, _ in seen
    )
    return [
        "the part of the input that the largest value in the map sees",
        *(["pale blue: beyond the input’s border, or not seen"] if cut else []),
        "below: that value, the image",
    ]


def _often(flag: str, count: int, images: int) -> str:
    """How often a channel was flagged; nothing where it never was."""
    if not count:
        return ""
    return f"{flag} in all {images}" if count == images else f"{flag} in {count} of {images}"


def _as_text(said: dict[str, Any]) -> bytes:
    """JSON with a line per channel."""
    head = {key: value for key, value in said.items() if key != "layers"}
    layers = ",\n".join(_layer_text(layer) for layer in said["layers"])
    text = f'{_dumped(head)[:-1]}, "layers": [\n{layers}\n]}}\n'
    return text.encode("utf-8", "backslashreplace")


def _layer_text(layer: dict[str, Any]) -> str:
    rest = _dumped({key: value for key, value in layer.items() if key != "channels"})
    channels = ",\n".join(f"  {_dumped(channel)}" for channel in layer["channels"])
    return f' {rest[:-1]}, "channels": [\n{channels}\n ]}}'


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
