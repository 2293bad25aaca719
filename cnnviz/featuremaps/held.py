"""What a user's own forward pass put out, drawn as ``cnnviz featuremaps`` draws it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.explorer import Explorer, Head, LayerFacts
from cnnviz.featuremaps.folder import PAGE, FeatureMaps, key_of
from cnnviz.featuremaps.manifest import as_text, entry_of
from cnnviz.featuremaps.options import MANIFEST, MapOptions
from cnnviz.featuremaps.paging import versions
from cnnviz.featuremaps.redraw import draw_stored
from cnnviz.featuremaps.stored import StoredMaps
from cnnviz.models.preparing.preprocessing import as_seen
from cnnviz.storage import write_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from cnnviz.capturing import Capture
    from cnnviz.explorer import PageOptions


@dataclass
class _HeldMaps(StoredMaps):
    """Maps that are in memory."""

    held: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def get(self, key: str) -> NDArray[np.float32] | None:
        """(C, …) values of a layer; None where there are none."""
        return self.held.get(key)


def save_capture(
    capture: Capture,
    folder: str | Path,
    image: Tensor | None = None,
    options: MapOptions | None = None,
) -> FeatureMaps:
    """Draw what ``capture`` has kept into ``folder``: grids, figures, and with ``image`` the page.

    ``image`` is the input (1, C, H, W) that the maps are of, for the overview and the page; a
    forward pass of other inputs has neither. ``options.page`` says how the page is made.

    Raises:
        UsageError: a pattern of ``options.layers`` matches nothing that was captured.
        OutputError: a picture cannot be written.
    """
    options, folder = options or MapOptions(), Path(folder)
    title = type(capture.model).__name__
    entries = [entry_of(n, layer, {}) for n, layer in enumerate(capture.layers, 1)]
    held = {}
    for entry, layer in zip(entries, capture.layers, strict=True):
        if layer.values is not None:
            entry["status"] = "captured"
            held[layer.key] = layer.values.numpy()
    seen = None if image is None else as_seen(image, None)
    said = {"model": title, "image": None, "preprocess": None, "predictions_from": None}
    known = {**said, "predictions": [], "layers": entries}
    shapes = {key: values.shape for key, values in held.items()}
    stored = _HeldMaps(Path(title), shapes, title, known, seen, held=held)
    drawn = draw_stored(stored, folder, options)
    if options.page is None or image is None or seen is None:
        return drawn
    return _paged(
        drawn, held, Head(title, title, seen, _array(image), "", versions()), options.page
    )


def _paged(
    drawn: FeatureMaps, held: dict[str, NDArray[np.float32]], head: Head, options: PageOptions
) -> FeatureMaps:
    """With the page, which knows the maps and not what made them."""
    explorer = Explorer(
        Head(head.title, head.model, head.picture, head.tensor, "", versions()), options
    )
    for entry in drawn.manifest["layers"]:
        if entry["status"] == "captured":
            explorer.add(entry, held[key_of(entry)], LayerFacts())
    for name, data in explorer.html(drawn.manifest).files.items():
        write_bytes(drawn.folder / name, data)
    manifest: dict[str, Any] = {**drawn.manifest, "page": PAGE}
    write_bytes(drawn.folder / MANIFEST, as_text(manifest))
    return FeatureMaps(drawn.input, drawn.folder, manifest)


def _array(image: Tensor) -> NDArray[np.float32]:
    return np.asarray(image[0].detach().cpu().numpy(), np.float32)
