"""Image files in, filtered image files out."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic

import numpy as np

from cnnviz import images, storage
from cnnviz.display import mapping
from cnnviz.errors import CnnvizError
from cnnviz.figures.filter import draw_filter, lettered
from cnnviz.filtering.bands import Crew
from cnnviz.filtering.operation import Operation, W
from cnnviz.filtering.work import ROWS_AT_A_TIME, timed
from cnnviz.images import Encoding
from cnnviz.language import say
from cnnviz.record import digest, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cnnviz.display import Mapping
    from cnnviz.engines import Image
    from cnnviz.figures.filter import Comparison
    from cnnviz.filtering.outcome import Outcome
    from cnnviz.filtering.plan import Target
    from cnnviz.images import Picture
    from cnnviz.record import Record

    Pixels = NDArray[Any]


@dataclass(frozen=True)
class Report:
    """What became of one image and one kernel or pool, whose ``settings`` are as JSON has them.

    ``output``, ``raw`` and ``figure`` are written.
    """

    input: Path
    kernel: str
    output: Path | None
    raw: Path | None
    figure: Path | None
    settings: dict[str, Any]
    outcome: Outcome
    display: str
    notes: list[str]


@dataclass(frozen=True)
class Kept:
    """A result that an earlier run made of the same image in the same way."""

    input: Path
    kernel: str
    output: Path


@dataclass(frozen=True)
class FileFilter(Generic[W]):
    """How files are filtered: the arithmetic, what is shown of it, who works, what is recorded.

    Where there is a ``record``, each result is added to it; with ``resume``, those that it has
    already are not made again. What may be a file of the user's is then replaced only with
    ``overwrite``.
    """

    operation: Operation[W]
    display: str = "auto"
    encoding: Encoding = field(default_factory=Encoding)
    crew: Crew = field(default_factory=Crew)
    record: Record | None = None
    resume: bool = False
    overwrite: bool = False

    def __call__(self, path: Path, targets: list[Target[W]]) -> Iterator[Report | Kept]:
        """Read an image once, apply each target's kernel, and write each result.

        Where the engines disagree, nothing is written and the report has no output.

        Raises:
            ImageError: the file is not an image that can be read.
            OutputError: a result cannot be written.
            UsageError: another file is where it should go.
            ShapeError, CnnvizError: see ``filter_image``.
        """
        if self.record is None or path == storage.STANDARD_STREAM:
            yield from self._reports(path, targets)
            return
        content, todo, origins = digest(path), [], []
        for target in targets:
            how = target.kernel, self.operation, self.display, self.encoding
            origin = fingerprint(content, *how)
            if self.resume and self.record.has(target.files, origin):
                yield Kept(path, target.kernel.name, target.output)
            else:
                todo.append(target)
                origins.append(origin)
        reports = self._reports(path, todo)
        for target, origin, report in zip(todo, origins, reports, strict=True):
            if report.output:
                self.record.add(target.files, origin)
            yield report

    def _reports(self, path: Path, targets: list[Target[W]]) -> Iterator[Report]:
        """A report for each target, in order."""
        if not targets:
            return
        with self.crew.admitted(images.claimed_pixels(path)):
            start = perf_counter()
            picture = images.read_image(path)
            reading = perf_counter() - start
            for target in targets:
                yield self._report(path, picture, target, reading)

    def _report(self, path: Path, picture: Picture, target: Target[W], reading: float) -> Report:
        shown_as = self.operation.display(self.display, target.kernel)
        try:
            done = self._filtered(picture.pixels, target, shown_as)
        except CnnvizError as error:
            raise type(error)(f"{path} × {target.kernel.name}: {error}") from error
        outcome, notes = done.outcome, done.notes
        outcome.seconds["read"] = reading
        if not outcome.disagreement:
            with timed(outcome.seconds, "write"):
                notes = notes + self._write(target, done, picture.alpha)
            if target.figure:
                with timed(outcome.seconds, "figure"):
                    self._draw(path, picture.pixels, target, target.figure, done)
        written = None if outcome.disagreement else target
        return Report(
            input=path,
            kernel=target.kernel.name,
            output=written.output if written else None,
            raw=written.raw if written else None,
            figure=written.figure if written else None,
            settings={
                **self.operation.settings(target.kernel),
                "precision": self.operation.precision(picture.pixels, target.kernel),
            },
            outcome=outcome,
            display=shown_as,
            notes=[*picture.notes, *outcome.notes, *notes],
        )

    def _filtered(self, source: Pixels, target: Target[W], display: str) -> _Done:
        """The outcome, its pixels, and the signed results where they are needed.

        The signed result of a large image is four times the pixels: it is kept only where it is
        to be written or drawn, or ``minmax`` needs all of it first.
        """
        operation, kernel = self.operation, target.kernel
        size, precision = operation.size(source, kernel), operation.precision(source, kernel)
        map_to = partial(mapping, source, display, zero_sum=operation.keeps_zero(kernel))
        needed = len(operation.engines(kernel)) if target.figure else 1
        whole = target.raw or target.figure or display == "minmax"
        kept = [np.empty(size, precision) for _ in range(needed if whole else 0)]
        shown = map_to() if not kept else None
        pixels = None if shown is None else np.empty(size, shown.depth)

        def take(rows: slice, results: Sequence[Image]) -> None:
            for array, result in zip(kept, results, strict=False):
                array[rows] = result
            if shown is not None and pixels is not None:
                pixels[rows] = shown(results[0])

        outcome = operation.run(source, kernel, take, self.crew)
        if shown is None or pixels is None:
            shown = map_to(kept[0])
            pixels = _mapped(kept[0], shown)
        notes = [shown.note] if shown.note else []
        if outcome.verdict and outcome.verdict.nonfinite:
            notes.append("NaN is shown black")
        return _Done(outcome, pixels, kept, notes, shown)

    def _write(self, target: Target[W], done: _Done, alpha: Pixels | None) -> list[str]:
        notes, suffix, pixels = [], target.suffix, done.pixels
        if pixels.dtype == np.uint16 and suffix not in images.SIXTEEN_BIT:
            notes.append(f"reduced to 8 bits, all that {suffix} holds")
            pixels = (pixels >> 8).astype(np.uint8)
        if alpha is not None:
            fits = alpha.shape == pixels.shape[:2] and alpha.dtype == pixels.dtype
            kept = fits and suffix in images.WITH_ALPHA
            notes.append("alpha carried over unfiltered" if kept else "alpha dropped")
            alpha = alpha if kept else None
        encoding = replace(self.encoding, threads=self.crew.threads)
        chunks = images.image_chunks(pixels, suffix, alpha, encoding, consume=True)
        storage.write_chunks(target.output, chunks, same=self._is_in_doubt(target.output))
        if target.raw:
            data = _raw_bytes(done.kept[0], target.raw.suffix.lower())
            storage.write_bytes(target.raw, data, same=self._is_in_doubt(target.raw))
        return notes

    def _is_in_doubt(self, file: Path) -> bool:
        """Whether a file that is there may be the user's own, and not an earlier run's result."""
        if self.record is None or not self.resume or self.overwrite:
            return False
        return self.record.may_be_foreign(file)

    def _draw(
        self, path: Path, source: Pixels, target: Target[W], figure: Path, done: _Done
    ) -> None:
        with lettered():
            comparison = self._comparison(path, source, target, done)
            data = draw_filter(comparison, figure.suffix.lower())
        storage.write_bytes(figure, data, same=self._is_in_doubt(figure))

    def _comparison(self, path: Path, source: Pixels, target: Target[W], done: _Done) -> Comparison:
        results = dict(zip(done.outcome.engines, done.kept, strict=True))
        shown = {
            "input": say("standard input") if path == storage.STANDARD_STREAM else path.name,
            "source": source,
            "results": results,
            "shown": {name: _mapped(result, done.mapping) for name, result in results.items()},
            "display": self.operation.display(self.display, target.kernel),
            "verdict": done.outcome.verdict,
        }
        return self.operation.comparison(target.kernel, shown)


@dataclass(frozen=True)
class _Done:
    """A filtered image in memory: ``kept`` are the engines' signed results, as far as needed."""

    outcome: Outcome
    pixels: Pixels
    kept: list[Image]
    notes: list[str]
    mapping: Mapping


def _mapped(result: Image, shown: Mapping) -> Pixels:
    """All of a result as pixels, some rows at a time."""
    pixels = np.empty(result.shape, shown.depth)
    for top in range(0, len(result), ROWS_AT_A_TIME):
        rows = slice(top, top + ROWS_AT_A_TIME)
        pixels[rows] = shown(result[rows])
    return pixels


def _raw_bytes(result: Image, suffix: str) -> bytes:
    """The exact signed result as a file: (H, W, C), or (H, W) for one channel."""
    squeezed = result[:, :, 0] if result.shape[2] == 1 else result
    if suffix in {".tiff", ".tif"}:
        return images.encode_image(result, suffix)
    buffer = io.BytesIO()
    if suffix == ".npz":
        np.savez_compressed(buffer, result=squeezed)
    else:
        np.save(buffer, squeezed)
    return buffer.getvalue()
