"""One image through one model: every layer as a picture, the predictions, the manifest."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnviz import images, storage
from cnnviz.capturing import Hints, run_and_capture
from cnnviz.errors import OutputError
from cnnviz.featuremaps import pictures
from cnnviz.featuremaps.channels import WORDS, ordered
from cnnviz.featuremaps.manifest import IN_A_ROW, as_text, entry_of, measured
from cnnviz.featuremaps.options import MANIFEST, MapOptions
from cnnviz.featuremaps.overview import Overview
from cnnviz.featuremaps.plan import Plan, plan
from cnnviz.featuremaps.predictions import Predictions, predict
from cnnviz.featuremaps.raw import RawMaps
from cnnviz.featuremaps.sheets import Sheets
from cnnviz.featuremaps.verification import verify
from cnnviz.models.tensors import is_tensor_file, read_tensor
from cnnviz.render.bars import draw_bars
from cnnviz.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future
    from pathlib import Path

    from numpy.typing import NDArray

    from cnnviz.capturing import LayerOutput, Run
    from cnnviz.capturing.watch import Call
    from cnnviz.models.loading import LoadedModel, Prepared

INPUT, PREDICTIONS, OVERVIEW = "00_input.png", "predictions.png", "overview.png"
FEW_CLASSES, SHOWN_CLASSES = 10, 5


@dataclass(frozen=True)
class FeatureMaps:
    """What was written for one image: the folder, and what its ``manifest.json`` says."""

    input: Path
    folder: Path
    manifest: dict[str, Any]


def save_feature_maps(
    path: Path,
    model: LoadedModel,
    folder: Path,
    inputs: Iterable[Path] = (),
    options: MapOptions | None = None,
) -> FeatureMaps:
    """Draw the layers of ``model`` for the image at ``path`` into ``folder``.

    The manifest is removed first and written last: where it is, the pictures are whole and
    belong to it. ``inputs`` are other files that must not be replaced.

    Raises:
        ImageError: the file is not an image that can be read.
        UsageError: no such layer, or a picture would replace an input.
        CnnvizError: the model failed on it.
        DisagreementError: a convolution's maps are not what OpenCV computes.
        OutputError: a picture cannot be written.
    """
    options = options or MapOptions()
    prepared = read_input(path, model)
    planned = plan(model.module, [prepared.tensor], options.layers, options.maps)
    job = _Job(model, folder, options, planned, prepared)
    files = [folder / name for name in job.files()]
    storage.refuse_existing(files, [path, *inputs], overwrite=True)
    _remove(folder / MANIFEST)
    manifest = {"cnnviz": __version__, "model": model.name, "image": str(path)} | job.run()
    storage.write_bytes(folder / MANIFEST, as_text(manifest))
    return FeatureMaps(path, folder, manifest)


def read_input(path: Path, model: LoadedModel) -> Prepared:
    """The model's input for an image, or what a file of one tensor holds.

    Raises:
        ImageError: it cannot be read.
    """
    if is_tensor_file(path):
        return read_tensor(path)
    return model.prepare(images.read_image(path))


def _remove(manifest: Path) -> None:
    try:
        manifest.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{manifest} cannot be written: {error.strerror or error}") from error


class _Job:
    """The run of a model on one input, and what is drawn meanwhile."""

    def __init__(
        self,
        model: LoadedModel,
        folder: Path,
        options: MapOptions,
        planned: Plan,
        prepared: Prepared,
    ) -> None:
        self.model, self.folder, self.options = model, folder, options
        self.plan, self.prepared = planned, prepared
        self.digits = max(2, len(str(planned.total)))
        self.entries: list[dict[str, Any] | Future[dict[str, Any]]] = []
        self.seen = model.seen(prepared)
        self.overview = Overview(self.seen, options.look)
        self.sheets = Sheets()
        self.raw: RawMaps | None = None

    def files(self) -> list[str]:
        """The names of all files that are going to be written."""
        layers = [
            layer for layer in self.plan.layers if layer.kind != "block" or self._wants(layer)
        ]
        drawn = [self._file(n, x) for n, x in enumerate(layers, 1) if self._wants(x)]
        raw = [f"maps.{self.options.raw}"] if self.options.raw else []
        return [INPUT, *drawn, OVERVIEW, PREDICTIONS, *raw, MANIFEST]

    def run(self) -> dict[str, Any]:
        """Run and draw; the manifest, without what heads it."""
        with ExitStack() as stack:
            if self.options.raw:
                about = {"model": self.model.name, "cnnviz": __version__}
                self.raw = RawMaps(self.folder, self.options.raw, about)
                stack.callback(self.raw.close)
            stack.enter_context(self.sheets)
            self._write(INPUT, self._input_picture())
            run = run_and_capture(
                self.model.module,
                self.prepared.tensor,
                wants=self._wants,
                receive=self._receive,
                hints=Hints.of(self.model.module, self.options.maps),
                check=True,
            )
            self._finish(run)
        layers = [entry if isinstance(entry, dict) else entry.result() for entry in self.entries]
        predictions = self._predictions(run)
        overview = self.overview.drawn(self.model.title)
        if overview is not None:
            self._write(OVERVIEW, overview)
        return self._manifest(run, predictions, layers) | {
            "overview": None if overview is None else OVERVIEW,
            "raw": self.raw.save() if self.raw else None,
            "layers": layers,
        }

    def _wants(self, layer: LayerOutput) -> bool:
        return layer in self.plan.selection

    def _receive(self, layer: LayerOutput, call: Call) -> None:
        """Draw one layer while the model goes on."""
        number = len(self.entries) + 1
        entry = entry_of(number, layer, self.model.paper_names)
        if layer.values is None:
            self.entries.append(entry)
            return
        values = layer.values.numpy()
        if self.raw:
            self.raw.add(layer.key, values)
        if layer.type == "Flatten":
            self.entries.append(entry | {"reason": IN_A_ROW})
            return
        entry["verified"] = verify(call, values)
        entry["file"] = self._file(number, layer)
        place = self.overview.place(entry)
        self.entries.append(self.sheets.add(lambda: self._drawn(entry, values, place)))

    def _drawn(self, entry: dict[str, Any], values: NDArray[Any], place: int) -> dict[str, Any]:
        entry = measured(entry, values)
        options = self.options
        channels = ordered(entry["channels"], options.sort, options.channels)
        is_all = len(channels) == len(values)
        caption = pictures.caption_of(entry, "" if is_all else WORDS[options.sort])
        names = self.model.labels if self._is_output(entry, values) else ()
        picture = pictures.draw_layer(values, caption, options.look, channels, names=names)
        self._write(entry["file"], picture)
        self.overview.add(place, entry, values)
        return entry

    def _is_output(self, entry: dict[str, Any], values: NDArray[Any]) -> bool:
        """Whether the values are the network's, one for each class."""
        last = [layer for layer in self.plan.layers if layer.shape and layer.kind != "block"][-1]
        return last.name == entry["name"] and len(values) == len(self.model.labels)

    def _finish(self, run: Run) -> None:
        """The layers that never ran, which come last."""
        for layer in run.layers[len(self.entries) :]:
            number = len(self.entries) + 1
            self.entries.append(entry_of(number, layer, self.model.paper_names))

    def _file(self, number: int, layer: LayerOutput) -> str:
        return f"{number:0{self.digits}}_{safe_name(layer.key)}.png"

    def _write(self, name: str, data: bytes) -> None:
        storage.write_bytes(self.folder / name, data)

    def _input_picture(self) -> bytes:
        size = "x".join(map(str, self.prepared.tensor.shape[1:]))
        steps = ", ".join(self.prepared.steps) or "the image as it is"
        return pictures.draw_seen(self.seen, f"What the model sees: {size}", steps)

    def _predictions(self, run: Run) -> Predictions | None:
        kinds = [layer.type for layer in run.layers if layer.shape is not None]
        found = predict(run.output, self.model.labels, kinds[-1] if kinds else "")
        if found is not None:
            self._write(PREDICTIONS, self._bars(found))
        return found

    def _bars(self, found: Predictions) -> bytes:
        few = len(found.classes) <= FEW_CLASSES
        count = self.options.top or (FEW_CLASSES if few else SHOWN_CLASSES)
        best, shown = found.classes[0], found.classes[:count]
        title = f"{self.model.title} reads {best['label']}"
        if best["probability"] is None:
            title = f"{self.model.title}: its scores are no numbers"
        if self.prepared.blank:
            title = f"{self.model.title} was shown nothing to read"
        if few and not self.options.top:
            shown = sorted(shown, key=lambda one: int(one["index"]))
        bars = [(one["label"], _share(one)) for one in shown]
        said = f"{found.said}; the shares always add up to 100 %, whatever the image shows"
        return draw_bars(title, bars, said if found.sums_to_one else found.said)

    def _manifest(
        self, run: Run, predictions: Predictions | None, layers: list[dict[str, Any]]
    ) -> dict[str, Any]:
        model, prepared = self.model, self.prepared
        return {
            "weights": {"source": model.weights.source, **model.weights.about},
            "notes": [*model.notes, *model.weights.notes],
            "preprocess": {
                "steps": prepared.steps,
                "input": list(prepared.tensor.shape[1:]),
                "blank": prepared.blank,
            },
            "selection": self.plan.selection.said,
            "hooks_change_nothing": run.same_output,
            "restored_buffers": list(run.restored),
            "scale": self.options.look.scale,
            "colors": self.options.look.colors,
            "predictions": predictions.classes if predictions else [],
            "predictions_from": predictions.said if predictions else None,
            "failed_limits": _failed(layers, self.options),
        }


def _failed(layers: list[dict[str, Any]], options: MapOptions) -> list[str]:
    return [
        f"{limit} in {layer['name']}"
        for limit in options.fail_on
        for layer in layers
        if limit.is_passed(layer["channels"])
    ]


def _share(prediction: dict[str, Any]) -> float:
    return math.nan if prediction["probability"] is None else float(prediction["probability"])


def safe_name(key: str) -> str:
    """A layer's key as part of a file's name: anything odd becomes "_"."""
    return "".join(char if char.isalnum() or char in ".-_#" else "_" for char in key)[:120]
