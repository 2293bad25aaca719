"""A layer as the page has it: its entry in the manifest in few bytes, and what it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.explorer.exact import base64_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cnnviz.explorer.facts import Convolution, LayerFacts
    from cnnviz.explorer.sprites import Sheet
    from cnnviz.shapes.receptive import Field

FACTS = (
    *("index", "name", "paper_name", "type", "kind", "call", "shape", "layout"),
    *("reason", "stats", "verified", "compare"),
)


@dataclass(frozen=True)
class Kept:
    """What is kept of a layer's values; without a sheet they are one number per channel.

    ``telling`` are the channels of the overview. ``telling_sheet`` has them alone, where the sheet
    is so large that it is not to be decoded for them.
    """

    facts: LayerFacts
    view: dict[str, Any] | None = None
    sheet: Sheet | None = None
    telling: tuple[int, ...] = ()
    telling_sheet: Sheet | None = None


def key_of(entry: Mapping[str, Any]) -> str:
    """The name of a layer's call, with ``#call`` from the second on."""
    call = entry.get("call") or 1
    return str(entry["name"]) if call == 1 else f"{entry['name']}#{call}"


def described(entry: Mapping[str, Any], kept: Kept | None) -> dict[str, Any]:
    """A layer's entry as the page has it; ``kept`` is None where it is not shown."""
    layer = {name: entry.get(name) for name in FACTS} | {"key": key_of(entry)}
    if kept is None:
        return layer
    facts = kept.facts
    return layer | {
        "parameters": facts.parameters,
        "labels": facts.labels,
        "view": kept.view,
        "telling": kept.telling,
        "fields": [_field(one) for one in facts.fields],
        "convolution": _convolution(facts.convolution),
        "statistics": base64_of(_statistics(entry["channels"])),
        "flags": _flags(entry["channels"]),
        "apart": None if facts.apart is None else base64_of(facts.apart),
    }


def _field(field: Field) -> dict[str, Any] | None:
    if field.limit:
        return None
    return {"advance": field.reach.advance, "spans": field.reach.spans}


def _convolution(convolution: Convolution | None) -> dict[str, Any] | None:
    if convolution is None:
        return None
    return {
        "shape": convolution.weights.shape,
        "stride": convolution.stride,
        "padding": convolution.padding,
        "dilation": convolution.dilation,
        "groups": convolution.groups,
        "reads": convolution.reads,
    }


def _statistics(channels: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
    """(C, 4): least, largest, mean and sparsity of each channel; NaN where there is none."""
    names = ("min", "max", "mean", "sparsity")
    rows = [[np.nan if one[name] is None else one[name] for name in names] for one in channels]
    return np.array(rows, np.float32)


def _flags(channels: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    flags: dict[str, list[int]] = {}
    for one in channels:
        for flag in one["flags"]:
            flags.setdefault(flag, []).append(one["index"])
    return flags
