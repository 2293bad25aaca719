"""One kernel over one image by both engines, compared, and made visible."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import agreement, engines, images, storage
from cnnviz.display import resolve_display, to_pixels
from cnnviz.engines import Window
from cnnviz.errors import DisagreementError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cnnviz.agreement import Verdict
    from cnnviz.engines import Image
    from cnnviz.kernels import Kernel

    Pixels = NDArray[Any]

RAW_SUFFIXES = (".npy", ".npz", ".tiff")


@dataclass(frozen=True)
class FilterOptions:
    """What ``filter_image`` does: see the options of ``cnnviz filter`` of the same names."""

    window: Window = field(default_factory=Window)
    engines: tuple[str, ...] = engines.ENGINES
    channels: str = "each"
    flip: bool = False
    precision: str = "float32"


@dataclass(frozen=True)
class Filtered:
    """A signed result, (H, W, C) in the precision asked for, and how it was verified.

    ``verdict`` is None when one engine worked alone. ``seconds`` has a time per engine, one
    for importing them, and one for the comparison.
    """

    result: Image
    verdict: Verdict | None
    engines: tuple[str, ...]
    seconds: dict[str, float]
    notes: list[str]

    @property
    def disagreement(self) -> DisagreementError | None:
        """The error that names the worst pixel, when the engines disagree."""
        if self.verdict is None or self.verdict.agree:
            return None
        row, column, channel = self.verdict.worst
        first, second = (
            f"{name} {value:.9g}"
            for name, value in zip(self.engines, self.verdict.pair, strict=True)
        )
        return DisagreementError(
            f"the engines disagree at row {row}, column {column}, channel {channel}:"
            f" {first}, {second}; the difference {self.verdict.max_abs_diff:.6g} is above the"
            f" bound {self.verdict.bound.tolerance:.6g}"
        )


def filter_image(pixels: Pixels, kernel: Kernel, options: FilterOptions | None = None) -> Filtered:
    """``kernel`` correlated with each channel of (H, W) or (H, W, C) pixels of any depth.

    The result is OpenCV's when both engines ran, and is not clipped, scaled or rounded to
    the image's depth.

    Raises:
        DisagreementError: the engines differ by more than rounding explains; names the pixel.
        ShapeError: the kernel does not fit into the padded image.
        CnnvizError: sums too large for the precision.
    """
    filtered = correlate_and_compare(pixels, kernel, options or FilterOptions())
    if error := filtered.disagreement:
        raise error
    return filtered


def correlate_and_compare(pixels: Pixels, kernel: Kernel, options: FilterOptions) -> Filtered:
    """As ``filter_image``, but a disagreement is in the result instead of raised."""
    image, notes = _prepared(pixels, options)
    if options.flip:
        kernel = kernel.flipped
    whole, divisor = kernel.split(agreement.largest_integer(image.dtype))
    results: list[Image] = []
    seconds: dict[str, float] = {}
    for name in options.engines:
        with _timed(seconds, "import"):
            engine = engines.load(name)
        with _timed(seconds, name):
            total = engine.correlate(image, whole, options.window)
            results.append(_finished(total, divisor, float(kernel.offset), options))
    verdict = None
    if len(results) > 1:
        with _timed(seconds, "compare"):
            verdict = _verdict(results, image, (whole, divisor, float(kernel.offset)), options)
    return Filtered(results[0], verdict, options.engines, seconds, notes)


def _prepared(pixels: Pixels, options: FilterOptions) -> tuple[Image, list[str]]:
    """The (H, W, C) floats that both engines get."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if options.channels == "gray":
        pixels = images.luminance(pixels)
    with np.errstate(over="ignore"):
        image = np.ascontiguousarray(pixels, options.precision)
    if pixels.dtype == np.float64 and not np.array_equal(image, pixels, equal_nan=True):
        return image, ["values rounded to float32; --precision float64 keeps them"]
    return image, []


def _finished(total: Image, divisor: int, offset: float, options: FilterOptions) -> Image:
    """One division and one addition after the sums; for ``mean`` the sum over channels first."""
    if options.channels == "mean":
        divisor *= total.shape[2]
        total = total.sum(axis=2, keepdims=True)
    if divisor != 1:
        total = total / total.dtype.type(divisor)
    return total + total.dtype.type(offset) if offset else total


def _verdict(
    results: list[Image], image: Image, parts: tuple[Kernel, int, float], options: FilterOptions
) -> Verdict:
    """The two results against the bound for the kernel's (weights, divisor, offset)."""
    whole, divisor, offset = parts
    channels = image.shape[2] if options.channels == "mean" else 1
    damaged = _windows_with_nonfinite(image, whole, options)
    peak, integers = _peak(image)
    weights = [abs(w) for row in whole.rounded for w in row]
    total = agreement.Sum(
        terms=len(weights) * channels,
        magnitude=float(sum(weights)) * channels * peak,
        divisor=float(divisor * channels),
        offset=offset,
        integers=integers and all(w == int(w) for w in weights),
    )
    direct = all(engines.load(name).SUMS_DIRECTLY for name in options.engines)
    allowed = agreement.bound(total, image.dtype, direct=direct)
    return agreement.compare(results[0], results[1], allowed, damaged)


def _peak(image: Image) -> tuple[float, bool]:
    """Largest finite |pixel|, and whether all finite pixels are whole numbers."""
    peak, integers = 0.0, True
    for row in image:  # row by row: no second copy of a large image
        finite = row if np.isfinite(row).all() else row[np.isfinite(row)]
        if finite.size:
            peak = max(peak, float(np.abs(finite).max()))
            integers = integers and bool((finite == np.rint(finite)).all())
    return peak, integers


def _windows_with_nonfinite(
    image: Image, kernel: Kernel, options: FilterOptions
) -> NDArray[np.bool_] | None:
    """Where the window reads a NaN or Inf, in the result's shape; None where none does."""
    damaged = ~np.isfinite(image)
    if not damaged.any():
        return None
    ones = replace(kernel, weights=tuple(tuple(abs(w) * 0 + 1 for w in r) for r in kernel.weights))
    count = engines.load("opencv").correlate(damaged.astype(image.dtype), ones, options.window)
    touched: NDArray[np.bool_] = np.asarray(count > 0.5)
    if options.channels == "mean":
        return np.asarray(touched.any(axis=2, keepdims=True))
    return touched


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[name] = seconds.get(name, 0.0) + perf_counter() - start


@dataclass(frozen=True)
class Target:
    """One result to be made: which kernel, and where its picture and its numbers go."""

    kernel: Kernel
    output: Path
    raw: Path | None = None


@dataclass(frozen=True)
class Report:
    """What became of one image and one kernel; ``output`` is None when nothing was written."""

    input: Path
    kernel: str
    output: Path | None
    filtered: Filtered
    border: str
    display: str
    notes: list[str]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the result."""
        height, width = self.filtered.result.shape[:2]
        return height, width


def filter_file(
    path: Path, targets: list[Target], options: FilterOptions, display: str = "auto"
) -> Iterator[Report]:
    """Read an image once, apply each target's kernel, and write each result.

    Where the engines disagree, nothing is written and the report has no output.

    Raises:
        ImageError: the file is not an image that can be read.
        OutputError: a result cannot be written.
        ShapeError, CnnvizError: see ``filter_image``.
    """
    start = perf_counter()
    picture = images.read_image(path)
    reading = perf_counter() - start
    for target in targets:
        filtered = correlate_and_compare(picture.pixels, target.kernel, options)
        mapping = resolve_display(display, target.kernel)
        notes: list[str] = []
        if not filtered.disagreement:
            with _timed(filtered.seconds, "write"):
                notes = _write(target, filtered, picture, mapping)
        filtered.seconds["read"] = reading
        yield Report(
            input=path,
            kernel=target.kernel.name,
            output=None if filtered.disagreement else target.output,
            filtered=filtered,
            border=options.window.border,
            display=mapping,
            notes=[*picture.notes, *filtered.notes, *notes],
        )


def _write(target: Target, filtered: Filtered, picture: images.Picture, display: str) -> list[str]:
    pixels, notes = to_pixels(filtered.result, picture.pixels, display)
    suffix = ".png" if target.output == storage.STANDARD_STREAM else target.output.suffix.lower()
    if pixels.dtype == np.uint16 and suffix not in images.SIXTEEN_BIT:
        notes.append(f"reduced to 8 bits, all that {suffix} holds")
        pixels = (pixels >> 8).astype(np.uint8)
    alpha = picture.alpha
    if alpha is not None:
        fits = alpha.shape == pixels.shape[:2] and alpha.dtype == pixels.dtype
        kept = fits and suffix in images.WITH_ALPHA
        notes.append("alpha carried over unfiltered" if kept else "alpha dropped")
        alpha = alpha if kept else None
    storage.write_bytes(target.output, images.encode_image(pixels, suffix, alpha))
    if target.raw:
        storage.write_bytes(target.raw, _raw_bytes(filtered.result, target.raw.suffix.lower()))
    return notes


def _raw_bytes(result: Image, suffix: str) -> bytes:
    """The exact signed result as a file: (H, W, C), or (H, W) for one channel."""
    squeezed = result[:, :, 0] if result.shape[2] == 1 else result
    if suffix == ".tiff":
        return images.encode_image(result, suffix)
    buffer = io.BytesIO()
    if suffix == ".npz":
        np.savez_compressed(buffer, result=squeezed)
    else:
        np.save(buffer, squeezed)
    return buffer.getvalue()
