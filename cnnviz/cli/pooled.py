"""``cnnviz pool --input``: a matrix pooled, and its numbers printed."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from cnnviz.cli.filtered import document, verified
from cnnviz.cli.showing import terminal_for
from cnnviz.filtering import Report
from cnnviz.language import say
from cnnviz.matrices import Number, is_table, number_texts, parse_maps, read_maps
from cnnviz.matrices.numbers import LARGEST_DENOMINATOR, exact
from cnnviz.matrices.reading import alike
from cnnviz.pooling import Pooling, pool_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.engines import Pool
    from cnnviz.filtering import Filtered
    from cnnviz.pooling import PoolOptions
    from cnnviz.step.preview import View

NAME = "matrix"
LARGEST_EXACT = 2.0**53


def print_matrix(
    several: Sequence[str],
    pools: Sequence[Pool],
    options: PoolOptions,
    *,
    as_json: bool,
    quiet: bool,
    show: bool,
) -> None:
    """Print each pool of the matrix whose channels are rows or the names of CSV files.

    With ``show`` it is drawn in the terminal too, and what becomes of it.

    Raises:
        UsageError: the text is no matrix.
        ImageError: a file that cannot be read.
        ShapeError: no window fits into it.
        DisagreementError: the engines differ; names the place.
    """
    terminal = terminal_for(as_json=as_json) if show else None
    read = (read_maps(Path(each)) if is_table(each) else parse_maps(each) for each in several)
    maps = alike(tuple(matrix for maps in read for matrix in maps))
    pixels = np.array(maps, np.float64).transpose(1, 2, 0)
    done = [(how, pool_image(pixels, how, options)) for how in pools]
    if as_json:
        found = [_document(pixels, how, each, options) for how, each in done]
        click.echo(json.dumps({"results": found, "failures": []}))
        return
    for how, each in done:
        if not quiet:
            size, result = ("x".join(map(str, a.shape[:2])) for a in (pixels, each.result))
            click.echo(f"{size} × {how.name} → {result}  {verified(each)}")
        click.echo(_table(each))
    if terminal:
        from cnnviz.step.preview import view_lines  # Pillow: only where it is drawn

        for line in ("", *view_lines(_view(pixels, done), terminal)):
            click.echo(line)


def _view(pixels: NDArray[Any], done: Sequence[tuple[Pool, Filtered]]) -> View:
    from cnnviz.step.views import matrices_view

    named = [(say("input"), pixels), *((how.name, each.result) for how, each in done)]
    several = pixels.shape[2] > 1
    return matrices_view(
        [
            (f"{name}, {say('channel {number}', number=n)}" if several else name, channel)
            for name, values in named
            for n, channel in enumerate(np.moveaxis(values, 2, 0))
        ]
    )


def _table(done: Filtered) -> str:
    """The result as aligned rows, channels below each other."""
    channels = []
    for channel in np.moveaxis(done.result, 2, 0):
        texts = number_texts([_exact(value) for value in channel.ravel().tolist()])
        width, columns = max(map(len, texts)), channel.shape[1]
        rows = (texts[n : n + columns] for n in range(0, len(texts), columns))
        channels.append("\n".join("  " + " ".join(t.rjust(width) for t in row) for row in rows))
    return "\n\n".join(channels)


def _exact(value: float) -> Number:
    """A mean as the fraction that it is; what is none with a small denominator stays a float."""
    if not abs(value) < LARGEST_EXACT:  # NaN is neither
        return value
    near = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
    return exact(near) if float(near) == value else value


def _document(pixels: Any, how: Pool, done: Filtered, options: PoolOptions) -> dict[str, Any]:
    """The result as of an image, and its numbers: rows, of several channels one after another."""
    operation = Pooling(options)
    report = Report(
        input=Path(NAME),
        kernel=how.name,
        output=None,
        raw=None,
        figure=None,
        settings={**operation.settings(how), "precision": operation.precision(pixels, how)},
        outcome=done,
        display="none",
        notes=done.notes,
    )
    numbers = done.result.astype(object)
    numbers[~np.isfinite(done.result)] = None  # JSON has no NaN
    planes = np.moveaxis(numbers, 2, 0).tolist()
    return {**document(report), "result": planes[0] if len(planes) == 1 else planes}
