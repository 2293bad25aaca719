"""A file of maps drawn again, without the model that made them."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

from cnnviz import storage
from cnnviz.errors import UsageError
from cnnviz.featuremaps import pictures
from cnnviz.featuremaps.channels import WORDS, ordered
from cnnviz.featuremaps.folder import INPUT, OVERVIEW, FeatureMaps, file_of, key_of
from cnnviz.featuremaps.manifest import as_text, measured
from cnnviz.featuremaps.options import MANIFEST, MapOptions
from cnnviz.featuremaps.overview import Overview
from cnnviz.featuremaps.sheets import Sheets
from cnnviz.featuremaps.stored import FIGURES, read_maps
from cnnviz.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cnnviz.featuremaps.stored import StoredMaps

ALL, MOST_AXES = "all", 4
SHOWN_CLASSES = 5


def redraw(path: Path, folder: Path, options: MapOptions | None = None) -> FeatureMaps:
    """Draw the maps in the file at ``path``, which ``--raw`` has written, into ``folder``.

    The figures are computed again from the values. A file of somebody else's has bare names.

    Raises:
        UsageError: no such file or layer, or a picture would replace the file.
        CnnvizError: it cannot be read.
        OutputError: a picture cannot be written.
    """
    return draw_stored(read_maps(path), folder, options or MapOptions(), [path])


def draw_stored(
    stored: StoredMaps, folder: Path, options: MapOptions, inputs: Sequence[Path] = ()
) -> FeatureMaps:
    """Draw maps that are there already; ``inputs`` are files that must not be replaced.

    Raises:
        UsageError: no such layer, or a picture would replace an input.
        OutputError: a picture cannot be written.
    """
    path = stored.path
    entries = _entries(stored)
    chosen = _chosen(entries, options.layers)
    head = _head(stored)
    for entry in entries:
        entry["file"] = None
        if key_of(entry) in chosen:
            entry["file"] = file_of(entry["index"], len(entries), key_of(entry))
    files = [entry["file"] for entry in entries if entry["file"]]
    _make_way(folder, [INPUT, *files, OVERVIEW, MANIFEST], inputs)
    overview = None if stored.seen is None else Overview(stored.seen, options.look)
    if stored.seen is not None:
        storage.write_bytes(folder / INPUT, _seen(stored.seen, head))
    layers = _draw(stored, entries, folder, options, overview)
    page = overview.drawn(stored.title, _bars(head)) if overview else None
    if page is not None:
        storage.write_bytes(folder / OVERVIEW, page)
    manifest = head | {
        "cnnviz": __version__,
        "from": str(path),
        "selection": f"{len(files)} of {len(stored.shapes)} layers in {path.name}",
        "scale": options.look.scale,
        "colors": options.look.colors,
        "failed_limits": options.failed(layers),
        "overview": None if page is None else OVERVIEW,
        "raw": None,
        "layers": layers,
    }
    storage.write_bytes(folder / MANIFEST, as_text(manifest))
    return FeatureMaps(path, folder, manifest)


def _make_way(folder: Path, names: list[str], inputs: Sequence[Path]) -> None:
    storage.refuse_existing([folder / name for name in names], inputs, overwrite=True)
    with storage.named_error(folder / MANIFEST):
        (folder / MANIFEST).unlink(missing_ok=True)


def _head(stored: StoredMaps) -> dict[str, Any]:
    """What the manifest says of the run; of a file of somebody else's, nothing."""
    nothing: dict[str, Any] = {
        "model": stored.title,
        "weights": None,
        "notes": [],
        "predictions": [],
    }
    known = stored.manifest or {"image": None, "preprocess": None, "predictions_from": None}
    return {"cnnviz": None, **nothing, **known}


def _entries(stored: StoredMaps) -> list[dict[str, Any]]:
    """The layers as the manifest has them."""
    if stored.manifest is not None:
        blank: dict[str, Any] = {**dict.fromkeys(FIGURES), "channels": []}
        return [{**layer, **blank} for layer in stored.manifest["layers"]]
    return [_bare(number, key) for number, key in enumerate(stored.shapes, 1)]


def _bare(number: int, key: str) -> dict[str, Any]:
    """What there is to say of a layer of which only the name is known."""
    name, sign, call = key.rpartition("#")
    again = bool(sign) and call.isdigit()
    return {
        "index": number,
        "name": name if again else key,
        "paper_name": None,
        "type": "",
        "kind": "other",
        "call": int(call) if again else 1,
        "aliases": [],
        "shape": None,
        "layout": None,
        "status": "captured",
        "reason": None,
        "stats": None,
        "channels": [],
        "verified": None,
    }


def _chosen(entries: list[dict[str, Any]], patterns: tuple[str, ...]) -> set[str]:
    """The keys of the layers that ``patterns`` choose of those in the file.

    Raises:
        UsageError: a pattern matches nothing.
    """
    drawable = [entry for entry in entries if entry["status"] == "captured"]
    keys: set[str] = set()
    for pattern in patterns or (ALL,):
        found = {key_of(one) for one in drawable if pattern == ALL or _matches(one, pattern)}
        if not found:
            known = ", ".join(key_of(one) for one in drawable[:8])
            raise UsageError(
                f"no layer in the file matches {pattern!r}; it has {known}"
                + (f" and {len(drawable) - 8} more" if len(drawable) > 8 else "")
            )
        keys |= found
    return keys


def _matches(entry: Mapping[str, Any], pattern: str) -> bool:
    names = (entry["name"], entry["kind"], f"{entry['name']}#{entry['call']}")
    return any(fnmatchcase(str(name), pattern) for name in names)


def _draw(
    stored: StoredMaps,
    entries: list[dict[str, Any]],
    folder: Path,
    options: MapOptions,
    overview: Overview | None,
) -> list[dict[str, Any]]:
    """The entries, with the figures of those that were drawn."""

    def drawn(entry: dict[str, Any], place: int = 0) -> dict[str, Any]:
        values = stored.get(key_of(entry))
        if values is None or not 1 <= values.ndim <= MOST_AXES or not values.size:
            return entry | {"status": "skipped", "file": None, "reason": "nothing to draw in it"}
        entry = measured(entry | {"shape": list(values.shape)}, values)
        channels = ordered(entry["channels"], options.sort, options.channels)
        choice = "" if len(channels) == len(values) else WORDS[options.sort]
        caption = pictures.caption_of(entry, choice)
        names = _labels(stored, entry)
        picture = pictures.draw_layer(values, caption, options.look, channels, names=names)
        storage.write_bytes(folder / entry["file"], picture)
        if overview:
            overview.add(place, entry, values)
        return entry

    layers: list[Any] = []
    with Sheets() as sheets:
        for entry in entries:
            if entry["file"] is None:
                layers.append(entry if entry["status"] != "captured" else _left_out(entry))
                continue
            place = overview.place(entry) if overview else 0
            layers.append(sheets.add(partial(drawn, entry, place)))
    return [one if isinstance(one, dict) else one.result() for one in layers]


def _left_out(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"status": "skipped", "reason": "not selected"}


def _labels(stored: StoredMaps, entry: dict[str, Any]) -> tuple[str, ...]:
    """The names of the classes, where the layer is the network's output."""
    known = stored.manifest or {"predictions": [], "layers": []}
    named = sorted(known["predictions"], key=lambda one: int(one["index"]))
    last = [one for one in known["layers"] if one["shape"] and one["kind"] != "block"][-1:]
    if not last or key_of(last[0]) != key_of(entry) or len(named) != entry["shape"][0]:
        return ()
    labels = tuple(str(one["label"]) for one in named)
    return () if labels[0] == "class 0" else labels


def _seen(seen: Any, head: Mapping[str, Any]) -> bytes:
    said = head["preprocess"] or {"input": [], "steps": []}
    size = "x".join(map(str, said["input"]))
    return pictures.draw_seen(
        seen, f"What the model sees: {size}", ", ".join(said["steps"]) or "the image as it is"
    )


def _bars(head: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The best classes with their shares, as the overview has them."""
    best = head["predictions"][:SHOWN_CLASSES]
    shares = [one["probability"] for one in best]
    return [
        (str(one["label"]), math.nan if share is None else float(share))
        for one, share in zip(best, shares, strict=True)
    ]
