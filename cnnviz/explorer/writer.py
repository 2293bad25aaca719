"""Writes a page, or a page per layer, of a run or of two that were compared."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2

from cnnviz.explorer import bundle
from cnnviz.explorer.exact import base64_of
from cnnviz.explorer.sprites import picture_png
from cnnviz.render.colors import table
from cnnviz.render.look import COLOR_MAPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cnnviz.explorer.facts import Head, PageOptions
    from cnnviz.explorer.layers import Kept
    from cnnviz.explorer.sprites import Sheet

NOSCRIPT = 640  # pixels that a small sheet may be enlarged to without a script
SHOWN_CLASSES = 10
SIDES = ("A", "B")
FROM_RUN = (
    *("cnnviz", "image", "weights", "notes", "preprocess", "predictions_from", "selection"),
    *("hooks_change_nothing", "scale", "colors", "precision"),
)
FROM_COMPARISON = ("with", "names", "limit", "first_divergent")


@dataclass(frozen=True)
class Page:
    """The files of the page by name, ``index.html`` first, and what is to be said of them."""

    files: dict[str, bytes]
    warnings: list[str]


@dataclass(frozen=True)
class Told:
    """A run as a page has it: its layers, what is kept of them by number, and exact numbers."""

    head: Head
    manifest: Mapping[str, Any]
    layers: list[dict[str, Any]]
    kept: Mapping[int, Kept]
    exact: Mapping[str, NDArray[np.float32]]


def written(runs: Sequence[Told], options: PageOptions) -> Page:
    """The page of one run, or of two that were compared; the first one is what it is about."""
    files = {"index.html": _page(runs, options, None)}
    if options.html_dir:
        for number in sorted(runs[0].kept):
            files[page_of(number)] = _page(runs, options, number)
    return Page(files, _warnings(files, options))


def _page(runs: Sequence[Told], options: PageOptions, only: int | None) -> bytes:
    """One file: all layers, or with ``html_dir`` the overview or ``only`` one of them."""
    sheets: list[dict[str, Any]] = []
    document = {
        "words": bundle.words(options.language),
        "language": options.language,
        "maps": _color_maps(),
        "pages": options.html_dir,
        "only": only,
        "compare": _comparison(runs[0].manifest),
        "runs": [_run(runs, side, options, only, sheets) for side in range(len(runs))],
    }
    return _rendered(document, sheets)


def _run(
    runs: Sequence[Told],
    side: int,
    options: PageOptions,
    only: int | None,
    sheets: list[dict[str, Any]],
) -> dict[str, Any]:
    """One of the runs in the page's document; the pictures of its layers go to ``sheets``."""
    run, shown = runs[side], []
    for layer in run.layers:
        sheet, cells = _sheet(run.kept.get(layer["index"]), layer["index"], options, only)
        if sheet is None:
            shown.append(layer)
            continue
        sheets.append(_figure(layer, sheet, side if len(runs) > 1 else None))
        kept = run.kept[layer["index"]]
        few = None if options.html_dir else kept.telling_sheet
        pictures = {"sheet": _sheet_facts(sheet, cells), "few": few and _few(few, kept.telling)}
        shown.append(layer | pictures)
    names = _needed(run.layers, only) if options.html_dir else run.exact
    exact = {n: _exact(n, run, runs[0]) for n in names if n in run.exact}
    return _about(run) | {"layers": shown, "exact": exact}


def _sheet(
    kept: Kept | None, number: int, options: PageOptions, only: int | None
) -> tuple[Sheet | None, tuple[int, ...] | None]:
    """The picture of a layer that goes into a page, and of which channels it is (None: all)."""
    if kept is None or kept.sheet is None:
        return None, None
    if not options.html_dir or only == number:
        return kept.sheet, None
    return (kept.telling_sheet, kept.telling) if only is None else (None, None)


def _rendered(document: dict[str, Any], sheets: list[dict[str, Any]]) -> bytes:
    run = document["runs"][0]
    text = _template().render(
        language=document["language"],
        words=document["words"],
        title=run["title"],
        seen=[
            (one["input"]["picture"], f"{side}: {name}" if name else "")
            for one, side, name in zip(document["runs"], SIDES, _names(document), strict=False)
            if one["input"]["picture"]
        ],
        predictions=run["predictions"],
        sheets=sheets,
        policy=bundle.policy(),
        style=bundle.style(),
        script=bundle.script(),
        data=bundle.json_in_html(document),
    )
    return text.encode("utf-8", "replace")


def _names(document: Mapping[str, Any]) -> Sequence[str]:
    return document["compare"]["names"] if document["compare"] else ("",)


def _about(run: Told) -> dict[str, Any]:
    head, manifest = run.head, run.manifest
    return {key: manifest.get(key) for key in FROM_RUN} | {
        "title": head.title,
        "model": head.model,
        "command": head.command,
        "versions": dict(head.versions),
        "predictions": list(manifest.get("predictions") or [])[:SHOWN_CLASSES],
        "input": _input(head),
    }


def _input(head: Head) -> dict[str, Any]:
    """What the model saw; of a run of which only the maps are known there is no picture."""
    shape = None if head.tensor is None else head.tensor.shape
    if head.picture is None:
        return {"picture": None, "picture_size": None, "shape": shape}
    data = base64.b64encode(picture_png(head.picture)).decode("ascii")
    size = head.picture.shape[:2]
    return {"picture": f"data:image/png;base64,{data}", "picture_size": size, "shape": shape}


def _comparison(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    said = manifest.get("compare")
    return said and {name: said[name] for name in FROM_COMPARISON}


def _warnings(files: Mapping[str, bytes], options: PageOptions) -> list[str]:
    return [
        f"{name} has {len(data) / 1e6:.1f} MB, which browsers open slowly; choose fewer layers"
        " or smaller cells, or give every layer a page of its own with --html-dir"
        for name, data in files.items()
        if len(data) > options.large
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


def _sheet_facts(sheet: Sheet, cells: Sequence[int] | None) -> dict[str, Any]:
    return {"columns": sheet.columns, "off": sheet.off, "cells": cells}


def _few(sheet: Sheet, cells: Sequence[int]) -> dict[str, Any]:
    """The overview's channels, in a picture that is sooner decoded than the whole sheet."""
    rows = -(-len(cells) // sheet.columns)
    cell = (sheet.size[0] // rows, sheet.size[1] // sheet.columns)
    return _sheet_facts(sheet, cells) | {"uri": _uri(sheet), "cell": cell}


def _uri(sheet: Sheet) -> str:
    return f"data:{sheet.mime};base64,{base64.b64encode(sheet.data).decode('ascii')}"


def _figure(layer: Mapping[str, Any], sheet: Sheet, side: int | None) -> dict[str, Any]:
    """A layer's sheet for the grid that is there without a script, whence the script takes it.

    ``side`` is which of two runs it is of, None of one alone.
    """
    height, width = sheet.size
    enlarged = max(1, min(NOSCRIPT // width, NOSCRIPT // height))
    names = (layer["paper_name"], layer["key"], layer["type"])
    return {
        "id": f"sheet-{layer['index']}" + ("-b" if side == 1 else ""),
        "name": " · ".join(filter(None, (*names, "" if side is None else SIDES[side]))),
        "shape": " × ".join(map(str, layer["shape"])),
        "uri": _uri(sheet),
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


def _exact(name: str, run: Told, first: Told) -> dict[str, Any] | None:
    """Exact numbers in the page; None where they are those of the first run, to the bit."""
    values, before = run.exact[name], first.exact.get(name)
    same = before is not None and before.shape == values.shape
    if run is not first and same and before is not None and before.tobytes() == values.tobytes():
        return None
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
