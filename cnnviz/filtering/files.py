"""Image files in, filtered image files out."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import images, storage
from cnnviz.display import mapping, resolve_display
from cnnviz.errors import CnnvizError
from cnnviz.filtering.bands import Crew
from cnnviz.filtering.image import ROWS_AT_A_TIME, correlate_and_compare, result_size
from cnnviz.images import Encoding
from cnnviz.record import digest, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cnnviz.engines import Image
    from cnnviz.filtering.image import FilterOptions, Outcome
    from cnnviz.filtering.plan import Target
    from cnnviz.record import Record

    Pixels = NDArray[Any]


@dataclass(frozen=True)
class Report:
    """What became of one image and one kernel; ``output`` and ``raw`` are what was written."""

    input: Path
    kernel: str
    output: Path | None
    raw: Path | None
    options: FilterOptions
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
class FileFilter:
    """How files are filtered: the arithmetic, what is shown of it, who works, what is recorded.

    Where there is a ``record``, each result is added to it; with ``resume``, those that it has
    already are not made again.
    """

    options: FilterOptions
    display: str = "auto"
    encoding: Encoding = field(default_factory=Encoding)
    crew: Crew = field(default_factory=Crew)
    record: Record | None = None
    resume: bool = False

    def __call__(self, path: Path, targets: list[Target]) -> Iterator[Report | Kept]:
        """Read an image once, apply each target's kernel, and write each result.

        Where the engines disagree, nothing is written and the report has no output.

        Raises:
            ImageError: the file is not an image that can be read.
            OutputError: a result cannot be written.
            ShapeError, CnnvizError: see ``filter_image``.
        """
        if self.record is None or path == storage.STANDARD_STREAM:
            yield from self._reports(path, targets)
            return
        made_from = digest(path) or ""
        how = {id(target): self._fingerprint(target) for target in targets}
        todo = []
        for target in targets:
            if self.resume and self.record.has(target.files, made_from, how[id(target)]):
                yield Kept(path, target.kernel.name, target.output)
            else:
                todo.append(target)
        for target, report in zip(todo, self._reports(path, todo), strict=True):
            if report.output:
                self.record.add(target.files, made_from, how[id(target)])
            yield report

    def _fingerprint(self, target: Target) -> str:
        encoding = replace(self.encoding, threads=None)
        return fingerprint(target.kernel, self.options, self.display, encoding)

    def _reports(self, path: Path, targets: list[Target]) -> Iterator[Report]:
        """A report for each target, in order."""
        if not targets:
            return
        with self.crew.admitted(images.claimed_pixels(path)):
            start = perf_counter()
            picture = images.read_image(path)
            reading = perf_counter() - start
            for target in targets:
                yield self._report(path, picture, target, reading)

    def _report(
        self, path: Path, picture: images.Picture, target: Target, reading: float
    ) -> Report:
        shown_as = resolve_display(self.display, target.kernel)
        try:
            outcome, pixels, raw, notes = self._filtered(picture.pixels, target, shown_as)
        except CnnvizError as error:
            raise type(error)(f"{path} × {target.kernel.name}: {error}") from error
        outcome.seconds["read"] = reading
        if not outcome.disagreement:
            start = perf_counter()
            notes += self._write(target, pixels, raw, picture.alpha)
            outcome.seconds["write"] = perf_counter() - start
        return Report(
            input=path,
            kernel=target.kernel.name,
            output=None if outcome.disagreement else target.output,
            raw=None if outcome.disagreement else target.raw,
            options=self.options,
            outcome=outcome,
            display=shown_as,
            notes=[*picture.notes, *outcome.notes, *notes],
        )

    def _filtered(
        self, source: Pixels, target: Target, display: str
    ) -> tuple[Outcome, Pixels, Image | None, list[str]]:
        """The outcome, its pixels, the signed result where it is asked for, and notes.

        The signed result of a large image is four times the pixels: it is kept only where it is
        to be written or ``minmax`` needs all of it first.
        """
        compute = partial(correlate_and_compare, source, target.kernel, self.options)
        size = result_size(source, target.kernel, self.options)
        map_to = partial(mapping, source, display, zero_sum=target.kernel.zero_sum)
        result = None
        if target.raw is None and display != "minmax":
            shown = map_to()
            pixels = np.empty(size, shown.depth)

            def take(rows: slice, values: Image) -> None:
                pixels[rows] = shown(values)

            outcome = compute(take, self.crew)
        else:
            result = np.empty(size, self.options.precision)
            outcome = compute(result.__setitem__, self.crew)
            shown = map_to(result)
            pixels = np.empty(size, shown.depth)
            for top in range(0, size[0], ROWS_AT_A_TIME):
                rows = slice(top, top + ROWS_AT_A_TIME)
                pixels[rows] = shown(result[rows])
        notes = [shown.note] if shown.note else []
        if outcome.verdict and outcome.verdict.nonfinite:
            notes.append("NaN is shown black")
        return outcome, pixels, result, notes

    def _write(
        self, target: Target, pixels: Pixels, raw: Image | None, alpha: Pixels | None
    ) -> list[str]:
        notes, suffix = [], target.suffix
        if pixels.dtype == np.uint16 and suffix not in images.SIXTEEN_BIT:
            notes.append(f"reduced to 8 bits, all that {suffix} holds")
            pixels = (pixels >> 8).astype(np.uint8)
        if alpha is not None:
            fits = alpha.shape == pixels.shape[:2] and alpha.dtype == pixels.dtype
            kept = fits and suffix in images.WITH_ALPHA
            notes.append("alpha carried over unfiltered" if kept else "alpha dropped")
            alpha = alpha if kept else None
        encoding = replace(self.encoding, threads=self.crew.threads)
        storage.write_bytes(target.output, images.encode_image(pixels, suffix, alpha, encoding))
        if target.raw and raw is not None:
            storage.write_bytes(target.raw, _raw_bytes(raw, target.raw.suffix.lower()))
        return notes


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
