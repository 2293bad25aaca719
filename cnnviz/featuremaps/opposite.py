"""The other side of a comparison: its values, what is said of it, and its part of the page."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.capturing import Hints, run_and_capture
from cnnviz.explorer import Explorer, Head, LayerFacts, telling_of
from cnnviz.featuremaps.folder import key_of
from cnnviz.featuremaps.manifest import head_of, measured
from cnnviz.featuremaps.paging import Paging, versions
from cnnviz.featuremaps.pictures import seen_by
from cnnviz.featuremaps.predictions import last_type_of, predict

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from cnnviz.explorer import PageOptions, Told
    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.featuremaps.plan import Plan
    from cnnviz.featuremaps.stored import Source, StoredMaps
    from cnnviz.featuremaps.waiting import Waiting
    from cnnviz.models.loading import LoadedModel
    from cnnviz.models.preparing.prepared import Prepared

KEPT_CLASSES = 10


@dataclass
class Opposite:
    """The other side: its values, and its input as it was seen, None where that is not known.

    ``said`` is the beginning of its manifest. With ``explorer`` its layers come into the page, with
    what is known of them in ``facts``, by key.
    """

    values: Source
    seen: NDArray[Any] | None
    said: dict[str, Any]
    explorer: Explorer | None = None
    facts: dict[str, LayerFacts] = field(default_factory=dict)
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of_run(
        cls,
        other: LoadedModel,
        prepared: Prepared,
        planned: Plan,
        options: MapOptions,
        waiting: Waiting,
        image: Path,
    ) -> Opposite:
        """Run the other side on the input of ``image``; its values wait in ``waiting``."""
        seen = seen_by(other, prepared)
        page = options.page
        paging = None if page is None else Paging(other, prepared, seen, planned, page)
        facts = {}

        def keep(layer: Any, call: Any) -> None:
            if layer.values is None:
                return
            waiting.add(layer.key, layer.values.numpy())
            if paging is not None:
                facts[layer.key] = paging.facts(layer, call)

        run = run_and_capture(
            other.module,
            prepared.tensor,
            wants=lambda layer: layer in planned.selection,
            receive=keep,
            hints=Hints.of(other.module, options.maps),
        )
        found = predict(run.output, other.labels, last_type_of(run.layers))
        said = head_of(other, prepared, run, options) | {
            "image": str(image),
            "predictions": found.classes[:KEPT_CLASSES] if found else [],
            "predictions_from": found.said if found else None,
        }
        return cls(waiting, seen, said, None if paging is None else paging.explorer, facts)

    @classmethod
    def of_maps(cls, stored: StoredMaps, page: PageOptions | None) -> Opposite:
        """What an earlier run has kept; of the network that made it nothing is known."""
        known = stored.manifest or {}
        classes = known.get("predictions") or []
        said = {
            "image": str(stored.path),
            "weights": known.get("weights"),
            "predictions": classes[:KEPT_CLASSES],
            "predictions_from": known.get("predictions_from"),
        }
        head = Head(stored.title, stored.title, stored.seen, None, "", versions())
        explorer = None if page is None else Explorer(head, page, stored.shapes.values())
        return cls(stored, stored.seen, said, explorer)

    @property
    def classes(self) -> list[dict[str, Any]]:
        """Its best classes, the best first."""
        classes: list[dict[str, Any]] = self.said["predictions"]
        return classes

    def add(self, entry: dict[str, Any], ours: NDArray[Any], theirs: NDArray[Any]) -> None:
        """Take a layer into the page, of which both sides' (C, …) values are at hand."""
        if self.explorer is None:
            return
        own = measured({**entry, "verified": None, "compare": None}, theirs)
        self.entries[entry["index"]] = own
        known = self.facts.get(key_of(entry), LayerFacts())
        apart = _apart(ours, theirs)
        self.explorer.add(own, theirs, replace(known, telling=telling_of(ours), apart=apart))

    def told(self) -> Told | None:
        """The run, for a page."""
        if self.explorer is None:
            return None
        layers = [self.entries[number] for number in sorted(self.entries)]
        return self.explorer.told(self.said | {"layers": layers})


def _apart(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.float32]:
    """Each channel's largest difference; NaN where no value is finite on both sides."""
    far = []
    for one, other in zip(ours, theirs, strict=True):
        gaps = np.abs(np.subtract(one, other, dtype=np.float64))
        finite = gaps[np.isfinite(gaps)]
        far.append(finite.max() if finite.size else np.nan)
    return np.array(far, np.float32)
