"""Comparisons made by hand, and what a figure of them says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz import agreement
from cnnviz.figures.filter import Comparison, draw_filter
from cnnviz.kernels import Kernel

Values = NDArray[Any]


def kernel(weights: list[list[Any]], name: str = "mine", **more: Any) -> Kernel:
    return Kernel(name, tuple(tuple(map(Fraction, row)) for row in weights), **more)


EDGE = kernel([[-1, 0, 1]], "edge")


def gray(rows: Any, dtype: Any = np.float32) -> Values:
    return np.asarray(rows, dtype)[:, :, np.newaxis]


def noise(height: int, width: int, channels: int = 3, dtype: Any = np.uint8) -> Values:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels)).astype(dtype)


def comparison(
    source: Values,
    opencv: Values,
    torch: Values | None = None,
    *,
    kernels: tuple[Kernel, ...] = (EDGE,),
    allowed: float | None = None,
    ignore: Values | None = None,
    **more: Any,
) -> Comparison:
    """One of these results; where there are two, with the verdict on them."""
    results: Mapping[str, Values] = {"opencv": opencv}
    verdict = None
    if torch is not None:
        results = {"opencv": opencv, "torch": torch}
        bounds = None if allowed is None else np.full(opencv.shape, allowed)
        verdict = agreement.compare(opencv, torch, bounds, ignore)
    shown = {
        name: np.clip(np.nan_to_num(np.abs(values)), 0, 255).astype(np.uint8)
        for name, values in results.items()
    }
    given = {"input": "image.png", "display": "abs"} | more
    return Comparison(
        source=source, kernels=kernels, results=results, shown=shown, verdict=verdict, **given
    )


def same(source: Values, **more: Any) -> Comparison:
    """A comparison of which both engines say what the input says."""
    values = source.astype(np.float32)
    return comparison(source, values, values.copy(), **more)


def spoilt(source: Values, row: int, column: int, channel: int = 0, by: float = 1) -> Comparison:
    """A comparison in which torch is wrong at one value."""
    wrong = source.astype(np.float32)
    wrong[row, column, channel] += by
    return comparison(source, source.astype(np.float32), wrong)


def said(made: Comparison) -> list[str]:
    """All texts of the figure; matplotlib names each in a comment beside its outlines."""
    return [text for panel in said_by_panel(made) for text in panel]


def said_by_panel(made: Comparison) -> list[list[str]]:
    """The texts in each panel, as they are written there; the last also has those outside."""
    svg = draw_filter(made, ".svg").decode()
    return [re.findall("<!-- (.*?) -->", part) for part in svg.split('<g id="axes_')[1:]]
