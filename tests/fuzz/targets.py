"""What a fuzzer gives its bytes to, and what must be true of whatever comes back.

Each target takes any bytes. It returns whether they were accepted, and raises whatever is wrong:
an exception that is not of cnnviz's own classes, a message that is no single line, or an
``AssertionError`` where what was read contradicts itself or another reader.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from cnnviz.cli.options import fault
from cnnviz.cli.values import Size
from cnnviz.errors import CnnvizError, ImageError, KernelError, ShapeError, UsageError
from cnnviz.images import claimed_pixels, read_image
from cnnviz.kernels import Kernel, read_kernel
from cnnviz.kernels.kernel import Magnitude
from cnnviz.limits import MAX_SIDE, allowing
from cnnviz.models.weights.headers import read_header
from cnnviz.models.weights.places import RefusedError
from cnnviz.models.weights.sealed.archives import read_archive
from cnnviz.models.weights.sealed.choice import choose
from cnnviz.shapes.chain import Chain, image_shape, trace_chain
from cnnviz.shapes.grammar import parse_chain
from cnnviz.shapes.report import Wanted, chain_report, document

PIXELS = 4_000_000  # so that a single input takes no second
SECONDS = 30.0  # of one core, where every branch is counted
MEMORY = Path("/dev/shm")  # noqa: S108 (faster than a disk, where there is one)
FOLDER = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
WANTED = Wanted(memory=True, flops=True, explain=True, dtype="float32", batch=1)
STRONG = (int, np.integer)

Target = Callable[[bytes], bool]


def image(data: bytes) -> bool:
    """An image is refused, or has the pixels that it was admitted for."""
    path = _file("image", data)
    start = process_time()
    try:
        with allowing(PIXELS):
            claimed = claimed_pixels(path)
            picture = read_image(path)
    except ImageError as error:
        _check_message(error)
        return False
    finally:
        assert process_time() - start < SECONDS, "took too long"
    pixels, alpha = picture.pixels, picture.alpha
    height, width, channels = pixels.shape
    assert pixels.dtype in (np.uint8, np.uint16, np.float32, np.float64), pixels.dtype
    assert channels in {1, 3}, channels
    assert 0 < height * width <= PIXELS, (height, width)
    assert max(height, width) <= MAX_SIDE, (height, width)
    assert claimed >= min(height * width, len(data)), (claimed, height, width)
    assert alpha is None or alpha.shape == (height, width), alpha
    assert all(note.isprintable() for note in picture.notes), picture.notes
    with allowing(PIXELS):
        again = read_image(path)
    assert np.array_equal(pixels, again.pixels, equal_nan=pixels.dtype.kind == "f"), "by chance"
    return True


def kernel(data: bytes) -> bool:
    """A kernel is refused, or its numbers are those that Python's own JSON reader finds."""
    path = _file("kernel.json", data)
    try:
        found = read_kernel(path)
    except KernelError as error:
        _check_message(error)
        return False
    given = json.loads(data.decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal)
    if isinstance(found, Magnitude):
        assert len(found.parts) == len(given["magnitude"])
        return True
    rows = given["weights"] if isinstance(given, dict) else given
    divisor = given.get("divisor", 1) if isinstance(given, dict) else 1
    assert isinstance(found, Kernel)
    assert found.weights == tuple(tuple(map(Fraction, row)) for row in rows)
    assert found.divisor == Fraction(divisor)
    assert np.isfinite(np.array(found.rounded, np.float32)).all()
    return True


def shape(data: bytes) -> bool:
    """A chain is refused, or follows from its parts and from its own words."""
    text = data.decode("utf-8", "replace")
    size, _, layers = text.partition(" ")
    start = process_time()
    try:
        chain = _traced(size, layers)
        said = document(chain, WANTED)
        assert all(line.isprintable() for line in chain_report(chain, WANTED, "").split("\n"))
    except (ShapeError, UsageError) as error:
        _check_message(error)
        return False
    finally:
        assert process_time() - start < SECONDS, "took too long"
    assert json.loads(json.dumps(said)) is not None
    assert min(chain.output) >= 1, chain.output
    assert all(isinstance(n, STRONG) for n in (*chain.output, chain.params, chain.macs))
    assert document(_traced(size, f"  {' '.join(layers.split())}  "), WANTED) == said
    for step in chain.steps:
        assert min(step.output) >= 1, step
        assert step.macs >= 0, step
    nodes = parse_chain(layers)
    half = len(nodes) // 2
    if half:  # the whole is its halves, one after the other
        first = trace_chain(nodes[:half], chain.input)
        second = trace_chain(nodes[half:], first.output)
        assert second.output == chain.output
        assert first.params + second.params == chain.params
        assert first.macs + second.macs == chain.macs
    return True


def header(data: bytes) -> bool:
    """A header of safetensors is refused, or says where each byte of the file belongs."""
    with _file("header", data).open("rb") as file:
        try:
            places, _ = read_header(file)
        except RefusedError as error:
            _check_message(error)
            return False
    for place in places:
        assert 0 <= place.start <= place.start + place.size <= len(data), place
    begin = 8 + int.from_bytes(data[:8], "little")
    assert begin + sum(place.size for place in places) == len(data)
    return True


def pickled(data: bytes) -> bool:
    """A file of torch.save is refused, or its tensors lie within it; nothing in it is run."""
    start = process_time()
    with _file("pickled", data).open("rb") as file:
        try:
            places, notes = choose(read_archive(file), len(data))
        except (RefusedError, MemoryError, RecursionError) as error:  # as the sealed process does
            _check_message(error)
            return False
        finally:
            assert process_time() - start < SECONDS, "took too long"
    for place in places:
        json.dumps(place.row())
    assert all(isinstance(note, str) for note in notes)
    return True


TARGETS: dict[str, Target] = {
    "image": image,
    "kernel": kernel,
    "shape": shape,
    "header": header,
    "pickled": pickled,
}


def _traced(size: str, layers: str) -> Chain:
    import click

    try:
        numbers = Size().convert(size, None, None)
    except click.BadParameter as error:
        raise UsageError(error.format_message()) from None
    nodes = parse_chain(layers)
    return trace_chain(nodes, image_shape(numbers, nodes))


def _file(name: str, data: bytes) -> Path:
    path = Path(FOLDER.name, f"{os.getpid()}-{name}")
    path.write_bytes(data)
    return path


def _check_message(error: Exception) -> None:
    said: Any = fault(error)
    assert said.isprintable(), said
    assert len(said) < 300, said
    assert isinstance(error, CnnvizError | RefusedError | MemoryError | RecursionError)
