"""A run beside another: of another image, with other weights, elsewhere, or kept in a file."""

from __future__ import annotations

import copy
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import storage
from cnnviz.errors import CnnvizError, UsageError, spoken
from cnnviz.featuremaps.against import UPPER_HALF, Divergence, diverges
from cnnviz.featuremaps.beside import Beside
from cnnviz.featuremaps.errors import errors_between
from cnnviz.featuremaps.facing import Facing
from cnnviz.featuremaps.folder import FeatureMaps, key_of
from cnnviz.featuremaps.job import read_input, save_feature_maps
from cnnviz.featuremaps.opposite import Opposite
from cnnviz.featuremaps.pictures import seen_by
from cnnviz.featuremaps.placing import place_of, placed
from cnnviz.featuremaps.plan import plan
from cnnviz.featuremaps.stored import read_maps
from cnnviz.featuremaps.waiting import Waiting
from cnnviz.models.asked import RANDOM, Asked
from cnnviz.models.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from cnnviz.explorer import Told
    from cnnviz.featuremaps.against import Against
    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.featuremaps.plan import Plan
    from cnnviz.featuremaps.stored import StoredMaps
    from cnnviz.models.loading import LoadedModel
    from cnnviz.models.preparing.prepared import Prepared
    from cnnviz.render.sheet import Caption

COMPARED = "compare.png"


@dataclass(frozen=True)
class Comparer:
    """Compares runs of ``model`` with those of ``other``, or with maps kept in a file.

    ``limit`` fails runs whose layers differ by more. ``names`` say what the two sides are.
    """

    model: LoadedModel
    against: Against
    other: LoadedModel
    names: tuple[str, str]
    limit: Divergence | None = None

    @classmethod
    def of(
        cls,
        model: LoadedModel,
        asked: Asked,
        against: Against,
        limit: Divergence | None = None,
    ) -> Comparer:
        """With the other side loaded, once for all images.

        Raises:
            UsageError: there is no such device, or no such file of maps.
            CnnvizError: the other weights cannot be had.
        """
        other = _other(model, asked, against)
        if against.kind == "maps":
            read_maps(Path(against.value))
        return cls(model, against, other, _names(model, other, against), limit)

    def save(
        self, path: Path, folder: Path, inputs: Iterable[Path], options: MapOptions
    ) -> FeatureMaps:
        """Draw the layers of both sides for the image at ``path`` beside each other.

        Raises:
            ImageError: an image cannot be read.
            UsageError: no such layer, or a picture would replace an input.
            CnnvizError: the model failed on it.
            OutputError: a picture cannot be written.
        """
        prepared = read_input(path, self.model)
        planned = plan(self.model.module, [prepared.tensor], options.layers, options.maps)
        with ExitStack() as stack:
            options = _shared(options)
            side, taken = self._other_side(path, prepared, folder, planned, options, stack)
            names = (path.name, self.names[1]) if self.against.kind == "image" else self.names
            beside = _Comparison(self, names, side, folder, prepared, options)
            files = [*inputs, *taken]
            storage.refuse_existing([folder / COMPARED], [path, *files], overwrite=True)
            return save_feature_maps(path, self.model, folder, files, options, beside, prepared)

    def _other_side(
        self,
        path: Path,
        prepared: Prepared,
        folder: Path,
        planned: Plan,
        options: MapOptions,
        stack: ExitStack,
    ) -> tuple[Opposite, list[Path]]:
        """The other side, and the files that it is from."""
        if self.against.kind == "maps":
            stored = read_maps(Path(self.against.value))
            _refuse_strangers(stored, planned)
            return Opposite.of_maps(stored, options.page), [stored.path]
        sources = []
        if self.against.kind == "image":
            path = Path(self.against.value)
            sources = [path]
            prepared = read_input(path, self.other)
        prepared = place_of(self.other.module).taken(prepared)
        waiting = stack.enter_context(closing(Waiting(folder)))
        run = Opposite.of_run(self.other, prepared, planned, options, waiting, path)
        return run, sources


def _shared(options: MapOptions) -> MapOptions:
    """The same, and of a page's room for exact numbers each side has half."""
    page = options.page
    if page is None:
        return options
    return replace(options, page=replace(page, exact_budget=page.exact_budget // 2))


def _refuse_strangers(stored: StoredMaps, planned: Plan) -> None:
    """Refuse a file that has none of the layers; those of other shapes are told of."""
    if not any(layer.key in stored.shapes for layer in planned.shown):
        raise UsageError(
            f"{stored.path} has none of the layers that are drawn; it has"
            f" {', '.join(list(stored.shapes)[:5])}"
        )


def _other(model: LoadedModel, asked: Asked, against: Against) -> LoadedModel:
    if against.kind in {"image", "maps"}:
        return model
    here = place_of(model.module)
    if against.kind in {"weights", "seed"}:
        seed = int(against.value) if against.kind == "seed" else None
        weights = RANDOM if against.kind == "seed" else against.value
        other = load_model(model.name, replace(asked, weights=weights, seed=seed))
        return placed(other, here.device, here.precision)
    copied = replace(model, module=_copied(model))
    if against.kind == "precision":
        return placed(copied, here.device, against.value)
    return placed(copied, against.value)


def _copied(model: LoadedModel) -> nn.Module:
    """The same weights a second time, which may be moved."""
    try:
        return copy.deepcopy(model.module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a model is somebody's code: it raises what it likes, exits
        said = spoken(error)
        raise CnnvizError(f"{model.name} cannot be had twice: {said}") from error


def _names(model: LoadedModel, other: LoadedModel, against: Against) -> tuple[str, str]:
    here = place_of(model.module)
    if against.kind == "device":
        return here.device, against.value
    if against.kind == "precision":
        return here.precision, against.value
    if against.kind in {"weights", "seed"}:
        return _weights(model), _weights(other)
    return ("this run", Path(against.value).name)


def _weights(model: LoadedModel) -> str:
    weights = model.weights
    if weights.source == RANDOM:
        return f"random weights, seed {weights.about['seed']}"
    if Path(weights.source).suffix:
        return Path(weights.source).name
    return f"{weights.source} weights"


class _Comparison(Beside):
    """Two runs on one image, layer by layer."""

    def __init__(
        self,
        comparer: Comparer,
        names: tuple[str, str],
        side: Opposite,
        folder: Path,
        prepared: Prepared,
        options: MapOptions,
    ) -> None:
        self.comparer, self.names, self.side, self.folder = comparer, names, side, folder
        self.seen = seen_by(comparer.model, prepared)
        self.facing = Facing(names, options.look)

    def layer(
        self,
        entry: dict[str, Any],
        values: NDArray[Any],
        caption: Caption,
        channels: Sequence[int],
    ) -> bytes | None:
        """Both sides' channels beside each other; the entry gets its errors."""
        theirs = self.side.values.get(key_of(entry))
        entry["compare"] = errors_between(values, theirs)
        if theirs is None or entry["compare"]["reason"]:
            return None
        self.facing.add(entry, values, theirs)
        self.side.add(entry, values, theirs)
        return self.facing.drawn(entry, values, theirs, caption, channels)

    def manifest(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """With the key ``compare``, and the limit that was passed."""
        layers = manifest["layers"]
        beyond = [key_of(layer) for layer in layers if diverges(layer.get("compare"))]
        if self.comparer.against.kind == "image":
            beyond = []  # of other images no layer is to be the same
        limit = self.comparer.limit
        return manifest | {
            "compare": {
                "with": str(self.comparer.against),
                "names": list(self.names),
                "limit": UPPER_HALF,
                "first_divergent": beyond[0] if beyond else None,
                "predictions": self.side.classes,
                "file": self._file(),
            },
            "failed_limits": manifest["failed_limits"] + (limit.failed(layers) if limit else []),
        }

    def told(self) -> Told | None:
        """The other side, for the page."""
        return self.side.told()

    def _file(self) -> str | None:
        model = self.comparer.model
        page = self.facing.page(model.title, _both(self.seen, self.side.seen))
        if page is None:
            return None
        storage.write_bytes(self.folder / COMPARED, page)
        return COMPARED


def _both(ours: NDArray[Any], theirs: NDArray[Any] | None) -> NDArray[Any]:
    """What the two sides saw, one above the other where it is not the same."""
    if theirs is None or ours.shape != theirs.shape or np.array_equal(ours, theirs):
        return ours
    gap = np.full((max(1, len(ours) // 28), *ours.shape[1:]), 255, np.uint8)
    return np.concatenate([ours, gap, theirs])
