"""The run of a model on one input, and the pictures that are drawn meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from cnnviz import storage
from cnnviz.capturing import Hints, run_and_capture
from cnnviz.errors import UsageError
from cnnviz.featuremaps import answers, filters, pictures
from cnnviz.featuremaps.cam import class_index, grad_cam, refuse_layer
from cnnviz.featuremaps.channels import WORDS, ordered
from cnnviz.featuremaps.folder import (
    CAM,
    INPUT,
    OUTPUT,
    OVERVIEW,
    PAGE,
    PREDICTIONS,
    file_of,
    safe_name,
)
from cnnviz.featuremaps.manifest import IN_A_ROW, entry_of, head_of, measured
from cnnviz.featuremaps.options import MANIFEST, MapOptions
from cnnviz.featuremaps.overview import Overview
from cnnviz.featuremaps.paging import Paging
from cnnviz.featuremaps.raw import RawMaps
from cnnviz.featuremaps.sheets import Sheets
from cnnviz.featuremaps.stored import about_maps
from cnnviz.featuremaps.verification import held, verify

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from cnnviz.capturing import LayerOutput, Run
    from cnnviz.capturing.watch import Call
    from cnnviz.explorer import LayerFacts
    from cnnviz.featuremaps.beside import Beside
    from cnnviz.featuremaps.cam import Evidence
    from cnnviz.featuremaps.plan import Plan
    from cnnviz.featuremaps.predictions import Predictions
    from cnnviz.models.loading import LoadedModel
    from cnnviz.models.preparing.prepared import Prepared


class Drawing:
    """One run of ``model`` as ``planned``, drawn into ``folder``.

    Raises:
        UsageError: what is to be explained or laid over the image is not there.
    """

    def __init__(
        self,
        model: LoadedModel,
        folder: Path,
        options: MapOptions,
        planned: Plan,
        prepared: Prepared,
        beside: Beside,
    ) -> None:
        self.beside = beside
        self.model, self.folder, self.options = model, folder, options
        self.plan, self.prepared = planned, prepared
        self.entries: list[dict[str, Any] | Future[dict[str, Any]]] = []
        self.seen = pictures.seen_by(model, prepared)
        self.overview = Overview(self.seen, options.look)
        self.sheets = Sheets()
        self.raw: RawMaps | None = None
        page = options.page
        self.paging = None if page is None else Paging(model, prepared, self.seen, planned, page)
        self.index: int | None = None
        self._is_first = True  # until a convolution has run
        self._refuse()

    def _refuse(self) -> None:
        options = self.options
        if (options.overlay or options.cam) and not pictures.is_picture(self.prepared):
            what = "--overlay" if options.overlay else "--cam"
            raise UsageError(f"{what} lies over a picture, and the input is none; leave it out")
        if options.cam is not None:
            refuse_layer(self.plan.layers, options.cam)
            if options.cam_class is not None:
                self.index = class_index(options.cam_class, self.model.labels)

    def files(self) -> list[str]:
        """The names of all files that are going to be written."""
        layers = [x for x in self.plan.layers if x.kind != "block" or self._wants(x)]
        numbered = [(number, x) for number, x in enumerate(layers, 1) if self._wants(x)]
        drawn = [name for number, layer in numbered for name in self._files_of(number, layer)]
        raw = [f"maps.{self.options.raw}"] if self.options.raw else []
        cam = [CAM] if self.options.cam else []
        page = [PAGE] if self.paging else []
        return [INPUT, *drawn, *cam, OVERVIEW, OUTPUT, PREDICTIONS, *raw, *page, MANIFEST]

    def _files_of(self, number: int, layer: LayerOutput) -> list[str]:
        """The pictures of one layer."""
        if layer.type == "Flatten":
            return []
        names = [self._file(number, layer)]
        if layer.shape is not None and self.options.overlays(layer.shape):
            names.append(self._file(number, layer, ".overlay"))
        modules: Any = self.model.module
        module = dict(modules.named_modules()).get(layer.name)
        is_conv = isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))
        if self.options.filters and is_conv and layer.call == 1:
            names.append(_filters_file(layer))
        return names

    def run(self, head: dict[str, Any]) -> dict[str, Any]:
        """Run and draw; the manifest, which begins with ``head``."""
        with ExitStack() as stack:
            if self.options.raw:
                self.raw = RawMaps(self.folder, self.options.raw)
                stack.callback(self.raw.close)
            stack.enter_context(self.sheets)
            evidence = self._evidence()  # first: where there is none, nothing is written
            self._write(INPUT, pictures.draw_input(self.prepared, self.seen, self.options.look))
            run = run_and_capture(
                self.model.module,
                self.prepared.tensor,
                wants=self._wants,
                receive=self._receive,
                hints=self._hints(),
                check=True,
            )
            self._finish(run)
            layers = [one if isinstance(one, dict) else one.result() for one in self.entries]
            found = answers.predictions_of(run, self.model.labels)
            manifest = {**head, **self._manifest(run, found, layers), "raw": None, "layers": layers}
            if self.raw:
                manifest["raw"] = self.raw.save(about_maps(manifest, self.model.title, self.seen))
        pictures_of_all = {
            "cam": self._explained(evidence, found),
            "overview": self._overview(found),
            "output": self._picture_of(run),
        }
        layers = manifest.pop("layers")
        manifest = {**manifest, **pictures_of_all, "page": None, "layers": layers}
        return self._paged(self.beside.manifest(manifest))

    def _paged(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Write the page; the manifest that names it."""
        if self.paging is None:
            return manifest
        explorer, name = self.paging.explorer, Path(manifest["image"]).name
        explorer.head = replace(explorer.head, title=f"{self.model.title} on {name}")
        page = explorer.html(manifest, self.beside.told())
        for name, data in page.files.items():
            self._write(name, data)
        return {**manifest, "page": PAGE, "notes": [*manifest["notes"], *page.warnings]}

    def _hints(self) -> Hints:
        return Hints.of(self.model.module, self.options.maps)

    def _wants(self, layer: LayerOutput) -> bool:
        return layer in self.plan.selection

    def _receive(self, layer: LayerOutput, call: Call) -> None:
        """Draw one layer while the model goes on."""
        number = len(self.entries) + 1
        entry = entry_of(number, layer, self.model.paper_names)
        kernels, beside = self._kernels(call)
        if layer.values is None:
            self.entries.append(entry)
            return
        values = layer.values.numpy()
        if self.raw:
            self.raw.add(layer.key, values)
        if layer.type == "Flatten":
            self.entries.append(entry | {"reason": IN_A_ROW})
            return
        facts = self.paging.facts(layer, call) if self.paging else None
        convolved = held(call)
        entry["file"] = self._file(number, layer)
        if self.options.overlays(values.shape):
            entry["overlay"] = self._file(number, layer, ".overlay")
        if kernels is not None and layer.call == 1:
            entry["filters"] = _filters_file(layer)
        place = self.overview.place(entry)
        self.entries.append(
            self.sheets.add(
                lambda: self._drawn(entry, values, place, kernels, beside, facts, convolved)
            )
        )

    def _kernels(self, call: Call) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
        """A convolution's kernels; and again those that stand beside the first one's maps."""
        is_first = self._is_first
        self._is_first = is_first and call.kind != "conv"
        if not self.options.filters:
            return None, None
        channels = self.prepared.tensor.shape[1]
        beside = filters.beside(call.module, channels) if is_first else None
        return filters.kernels_of(call.module), beside

    def _drawn(
        self,
        entry: dict[str, Any],
        values: NDArray[Any],
        place: int,
        kernels: NDArray[Any] | None,
        beside: NDArray[Any] | None,
        facts: LayerFacts | None,
        convolved: Call | None,
    ) -> dict[str, Any]:
        """Verify and draw all of one layer; the whole entry."""
        entry["verified"] = verify(convolved, values) if convolved else None
        entry = measured(entry, values)
        if self.paging is not None and facts is not None:
            self.paging.explorer.add(entry, values, facts)
        options = self.options
        channels = ordered(entry["channels"], options.sort, options.channels)
        is_all = len(channels) == len(values)
        caption = pictures.caption_of(entry, "" if is_all else WORDS[options.sort])
        names = self.model.labels if self._is_output(entry, values) else ()
        how: dict[str, Any] = {"names": names, "kernels": beside}
        picture = self.beside.layer(entry, values, caption, channels)
        if picture is None:
            picture = pictures.draw_layer(values, caption, options.look, channels, **how)
        self._write(entry["file"], picture)
        if entry["filters"] is not None and kernels is not None:
            drawn = filters.draw_filters(entry, kernels, options.look, channels)
            self._write(entry["filters"], drawn)
        if entry["overlay"] is not None:
            over = pictures.draw_channel_over(self.seen, values, entry, options.overlay_channel)
            self._write(entry["overlay"], over)
        self.overview.add(place, entry, values)
        return entry

    def _is_output(self, entry: dict[str, Any], values: NDArray[Any]) -> bool:
        """Whether the values are the network's, one for each class."""
        put_out = [layer for layer in self.plan.layers if layer.shape and layer.kind != "block"]
        return put_out[-1].name == entry["name"] and len(values) == len(self.model.labels)

    def _finish(self, run: Run) -> None:
        """The layers that never ran, which come last."""
        for layer in run.layers[len(self.entries) :]:
            number = len(self.entries) + 1
            self.entries.append(entry_of(number, layer, self.model.paper_names))

    def _file(self, number: int, layer: LayerOutput, what: str = "") -> str:
        return file_of(number, self.plan.total, layer.key, what)

    def _write(self, name: str, data: bytes) -> str:
        storage.write_bytes(self.folder / name, data)
        return name

    def _evidence(self) -> Evidence | None:
        """Grad-CAM of the class that was asked for, or the best one."""
        layer, module = self.options.cam, self.model.module
        if layer is None:
            return None
        return grad_cam(module, self.prepared.tensor, layer, self.index, self._hints())

    def _explained(
        self, evidence: Evidence | None, found: Predictions | None
    ) -> dict[str, Any] | None:
        if evidence is None:
            return None
        label = answers.label_of(evidence.index, self.model.labels)
        share = answers.share_of(evidence.index, found)
        self._write(CAM, pictures.draw_cam(self.seen, evidence, label, share))
        return {
            "file": CAM,
            "layer": evidence.layer,
            "class": {"index": evidence.index, "label": label, "probability": share},
            "shape": list(evidence.values.shape),
            "max": float(np.nan_to_num(evidence.values).max()),
        }

    def _overview(self, found: Predictions | None) -> str | None:
        bars = answers.bars_of(found) if found else []
        drawn = self.overview.drawn(self.model.title, bars)
        return None if drawn is None else self._write(OVERVIEW, drawn)

    def _picture_of(self, run: Run) -> str | None:
        """The model's output, where it is a picture itself."""
        made = answers.picture_of(run)
        if made is None:
            return None
        size = f"{made.shape[0]}x{made.shape[1]}"
        drawn = pictures.draw_seen(made, f"What {self.model.title} puts out: {size}", "")
        return self._write(OUTPUT, drawn)

    def _manifest(
        self, run: Run, found: Predictions | None, layers: list[dict[str, Any]]
    ) -> dict[str, Any]:
        if found is not None:
            blank = self.prepared.blank
            bars = answers.draw_predictions(found, self.model.title, self.options.top, blank=blank)
            self._write(PREDICTIONS, bars)
        head = head_of(self.model, self.prepared, run, self.options)
        return head | {
            "selection": self.plan.selection.said,
            "predictions": found.classes if found else [],
            "predictions_from": found.said if found else None,
            "failed_limits": self.options.failed(layers),
        }


def _filters_file(layer: LayerOutput) -> str:
    return f"filters_{safe_name(layer.name)}.png"
