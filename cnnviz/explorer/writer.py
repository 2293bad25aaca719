"""Collects layers as they come, and writes the page."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from cnnviz.explorer import bundle
from cnnviz.explorer.exact import Candidates, base64_of
from cnnviz.explorer.layers import Kept, described, key_of
from cnnviz.explorer.sprites import as_webp, cells_of, picture_png, sheet_of
from cnnviz.render.colors import table
from cnnviz.render.look import COLOR_MAPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cnnviz.explorer.facts import Head, LayerFacts, PageOptions
    from cnnviz.explorer.sprites import Sheet

TELLING = 6  # channels of a layer in the overview
NOSCRIPT = 640  # pixels that a small sheet may be enlarged to without a script
LOSSLESS = 2_000_000  # bytes of lossless sheets, beyond which the largest become WebP
SHOWN_CLASSES = 10
FROM_RUN = (
    *("cnnviz", "image", "weights", "notes", "preprocess", "predictions_from", "selection"),
    *("hooks_change_nothing", "scale", "colors"),
)


@dataclass(frozen=True)
class Page:
    """The files of the page by name, ``index.html`` first, and what is to be said of them."""

    files: dict[str, bytes]
    warnings: list[str]


class Explorer:
    """Collects layers as they come, in any order and from any thread, and is written at the end.

    Of a layer's values 256 levels are kept, and the values themselves only as long as they may
    find room in the budget of exact numbers.
    """

    def __init__(self, head: Head, options: PageOptions) -> None:
        self.head, self.options = head, options
        self._kept: dict[int, Kept] = {}
        self._exact = Candidates(options.exact_budget)
        self._lock = Lock()

    def add(self, entry: Mapping[str, Any], values: NDArray[np.float32], facts: LayerFacts) -> None:
        """Take a layer's (C, …) values in; ``entry`` is its entry in the manifest."""
        kept = self._layer(values, facts)
        with self._lock:
            self._kept[entry["index"]] = kept
            self._exact.add(entry["index"], key_of(entry), values, facts.convolution)

    def html(self, manifest: Mapping[str, Any]) -> Page:
        """The page of all layers that were added, with what the run's ``manifest`` says."""
        self._limit_lossless()
        exact = self._exact.chosen(self.head.tensor)
        layers = [described(x, self._kept.get(x["index"])) for x in manifest["layers"]]
        files = {"index.html": self._page(manifest, layers, exact, None)}
        if self.options.html_dir:
            for layer in layers:
                if layer["index"] in self._kept:
                    name = page_of(layer["index"])
                    files[name] = self._page(manifest, layers, exact, layer["index"])
        return Page(files, self._warnings(files))

    def _layer(self, values: NDArray[np.float32], facts: LayerFacts) -> Kept:
        cells = cells_of(values, self.options.cell)
        if cells is None:
            return Kept(facts)
        telling = _telling(values)
        lossless = self.options.lossless
        few = replace(cells, levels=cells.levels[telling]) if self.options.html_dir else None
        return Kept(
            facts,
            {"kind": cells.kind, "size": cells.size, "reduced": cells.reduced}
            | {"cell": cells.levels.shape[1:]},
            sheet_of(cells, lossless=lossless),
            tuple(telling),
            sheet_of(few, lossless=lossless) if few else None,
        )

    def _limit_lossless(self) -> None:
        """Make the largest lossless sheets WebP where all together are too large."""
        if self.options.lossless is not None or self.options.html_dir:
            return
        png = {n: kept.sheet for n, kept in self._kept.items() if kept.sheet and not kept.sheet.off}
        total = sum(len(sheet.data) for sheet in png.values())
        for number in sorted(png, key=lambda n: (-len(png[n].data), n)):
            if total <= LOSSLESS:
                return
            smaller = as_webp(png[number])
            total -= len(png[number].data)
            self._kept[number] = replace(self._kept[number], sheet=smaller)

    def _page(
        self,
        manifest: Mapping[str, Any],
        layers: list[dict[str, Any]],
        exact: Mapping[str, NDArray[np.float32]],
        only: int | None,
    ) -> bytes:
        """One file: all layers, or with ``html_dir`` the overview or ``only`` one of them."""
        shown, sheets = [], []
        for layer in layers:
            kept = self._kept.get(layer["index"])
            sheet, cells = self._sheet(kept, layer["index"], only)
            if sheet is None:
                shown.append(layer)
                continue
            sheets.append(_figure(layer, sheet))
            shown.append(layer | {"sheet": _sheet_facts(sheet, cells)})
        names = _needed(layers, only) if self.options.html_dir else exact
        document = {
            "words": bundle.words(self.options.language),
            "language": self.options.language,
            "maps": _color_maps(),
            "pages": self.options.html_dir,
            "only": only,
            "runs": [
                self._run(manifest)
                | {"layers": shown, "exact": {n: _exact(exact[n]) for n in names if n in exact}}
            ],
        }
        return self._rendered(document, sheets)

    def _sheet(
        self, kept: Kept | None, number: int, only: int | None
    ) -> tuple[Sheet | None, tuple[int, ...] | None]:
        """The picture of a layer that goes into a page, and of which channels it is (None: all)."""
        if kept is None or kept.sheet is None:
            return None, None
        if not self.options.html_dir or only == number:
            return kept.sheet, None
        return (kept.telling_sheet, kept.telling) if only is None else (None, None)

    def _rendered(self, document: dict[str, Any], sheets: list[dict[str, Any]]) -> bytes:
        run = document["runs"][0]
        text = _template().render(
            language=self.options.language,
            words=document["words"],
            title=self.head.title,
            picture=run["input"]["picture"],
            predictions=run["predictions"],
            sheets=sheets,
            policy=bundle.policy(),
            style=bundle.style(),
            script=bundle.script(),
            data=bundle.json_in_html(document),
        )
        return text.encode("utf-8", "replace")

    def _run(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        head = self.head
        picture = base64.b64encode(picture_png(head.picture)).decode("ascii")
        return {key: manifest.get(key) for key in FROM_RUN} | {
            "title": head.title,
            "model": head.model,
            "command": head.command,
            "versions": dict(head.versions),
            "predictions": list(manifest.get("predictions") or [])[:SHOWN_CLASSES],
            "input": {
                "picture": f"data:image/png;base64,{picture}",
                "picture_size": head.picture.shape[:2],
                "shape": head.tensor.shape,
            },
        }

    def _warnings(self, files: Mapping[str, bytes]) -> list[str]:
        return [
            f"{name} has {len(data) / 1e6:.1f} MB, which browsers open slowly; choose fewer layers"
            " or smaller cells, or give every layer a page of its own with --html-dir"
            for name, data in files.items()
            if len(data) > self.options.large
        ]


def in_frame(page: bytes, height: int = 820) -> str:
    """HTML that shows a page inside another one, such as a notebook.

    The page may run its script, and reach nothing around it. ``height`` is in pixels.
    """
    source = html.escape(page.decode("utf-8", "replace"))
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{source}" title="cnnviz"'
        f' style="width: 100%; height: {height}px; border: 0"></iframe>'
    )


def page_of(number: int) -> str:
    """The file of a layer that has a page of its own."""
    return f"layer_{number:03}.html"


def _telling(values: NDArray[np.float32]) -> list[int]:
    """The channels that differ most within themselves, in their order."""
    rows = np.nan_to_num(values.reshape(len(values), -1), posinf=0, neginf=0)
    best = np.argsort(-rows.std(axis=1), kind="stable")[:TELLING]
    return sorted(map(int, best))


def _sheet_facts(sheet: Sheet, cells: Sequence[int] | None) -> dict[str, Any]:
    return {"columns": sheet.columns, "off": sheet.off, "cells": cells}


def _figure(layer: Mapping[str, Any], sheet: Sheet) -> dict[str, Any]:
    """A layer's sheet for the grid that is there without a script, whence the script takes it."""
    height, width = sheet.size
    enlarged = max(1, min(NOSCRIPT // width, NOSCRIPT // height))
    data = base64.b64encode(sheet.data).decode("ascii")
    return {
        "index": layer["index"],
        "name": " · ".join(filter(None, (layer["paper_name"], layer["key"], layer["type"]))),
        "shape": " × ".join(map(str, layer["shape"])),
        "uri": f"data:{sheet.mime};base64,{data}",
        "height": height * enlarged,
        "width": width * enlarged,
    }


def _needed(layers: Sequence[Mapping[str, Any]], only: int | None) -> list[str]:
    """The exact numbers that the page of one layer shows."""
    layer = next((one for one in layers if one["index"] == only), None)
    if layer is None:
        return []
    reads = (layer["convolution"] or {}).get("reads")
    names = [layer["key"], f"{layer['key']}:weights", f"{layer['key']}:bias"]
    return names if reads is None else [*names, reads]


def _exact(values: NDArray[np.float32]) -> dict[str, Any]:
    return {"shape": values.shape, "data": base64_of(values)}


@cache
def _color_maps() -> dict[str, str]:
    return {name: base64_of(table(name)) for name in COLOR_MAPS}


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(bundle.source("page.html.j2"))
