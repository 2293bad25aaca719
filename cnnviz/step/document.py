"""What ``cnnviz step --json`` prints."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnviz.matrices import Maps, Matrix, Number
    from cnnviz.step.layers import Stage
    from cnnviz.step.shift import Shifted
    from cnnviz.step.sliding import Sliding, Terms, Window


def number(value: Number) -> int | float:
    """The number as JSON holds it: the nearest float where it is not whole."""
    return float(value) if isinstance(value, Fraction) else value


def matrix(values: Matrix) -> list[list[int | float]]:
    """Rows of numbers."""
    return [[number(value) for value in row] for row in values]


def maps(values: Maps) -> list[list[list[int | float]]]:
    """One matrix per channel."""
    return [matrix(each) for each in values]


def step_document(
    sliding: Sliding, windows: Iterable[Window], stages: Sequence[Stage]
) -> dict[str, Any]:
    """Input, kernels, the windows that are shown, the whole output, and what follows it."""
    rows, columns = sliding.axes
    return {
        "input": _tensor(sliding.input),
        "kernels": [
            {
                "name": each.name,
                "weights": maps(each.weights),
                "channels": list(each.channels),
                "divisor": number(each.divisor),
                "bias": number(each.bias),
            }
            for each in sliding.filters
        ],
        "stride": [rows.stride, columns.stride],
        "padding": [list(side) for side in sliding.padding],
        "dilation": [rows.dilation, columns.dilation],
        "windows": [_window(window) for window in windows],
        "output": _tensor(sliding.output),
        "stages": [_stage(stage) for stage in stages],
    }


def shift_document(results: Sequence[Shifted]) -> list[dict[str, Any]]:
    """The maps before and after, and how many values are the same."""
    return [
        {
            "what": result.what,
            "stride": [number(n) for n in result.stride],
            "before": maps(result.before),
            "after": maps(result.after),
            "moved_by": None if result.by is None else list(result.by),
            "same": result.same,
            "compared": result.compared,
        }
        for result in results
    ]


def _tensor(values: Maps) -> dict[str, Any]:
    return {"shape": [len(values), len(values[0]), len(values[0][0])], "values": maps(values)}


def _window(window: Window) -> dict[str, Any]:
    value = window.value
    return {
        "map": window.number,
        "position": [window.row, window.column],
        "channels": [_channel(terms) for terms in window.channels],
        "sums": [number(total) for total in window.sums],
        "value": number(value),
        "exact": None if isinstance(value, float) else str(value),
    }


def _channel(terms: Terms) -> dict[str, Any]:
    return {
        "input": [[number(t.value) for t in row] for row in terms],
        "weights": [[number(t.weight) for t in row] for row in terms],
        "products": [[number(t.product) for t in row] for row in terms],
        "padded": sum(t.padded for row in terms for t in row),
    }


def _stage(stage: Stage) -> dict[str, Any]:
    values = maps(stage.output.maps)
    return {
        "layer": stage.text,
        "shape": list(stage.output.shape),
        "values": values[0][0] if stage.output.flat else values,
    }
