"""What a run would take: layers, files, memory and time, before anything is run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.parameter import is_lazy
from torch.utils.flop_counter import FlopCounterMode

from cnnviz.cores import cores
from cnnviz.featuremaps.plan import memory_of
from cnnviz.featuremaps.sheets import WAITING
from cnnviz.models.building.unallocated import meta_copy
from cnnviz.render.grid import draw_maps
from cnnviz.render.sheet import Caption

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.featuremaps.plan import Plan

SAMPLE = (32, 56, 56)  # maps whose drawing is timed
PASSES = 2  # with hooks, and again without to compare
REPEATS = 3
SMALLEST_SHEET = 0.2  # of the sample's time, for a layer of a few numbers
DRAWN_AT_MOST = 16_000_000  # pixels of a sheet, beyond which maps are shrunk


@dataclass(frozen=True)
class Estimate:
    """What a run takes.

    Bytes are those of the weights, of the maps that are drawn, of those held at once at most, and
    of the raw file. ``macs`` are of one pass, None where they cannot be counted. ``seconds`` are a
    guess from short measurements, without loading the model.
    """

    layers: int
    drawn: int
    files: int
    parameters: int
    macs: int | None
    weights_bytes: int
    maps_bytes: int
    held_bytes: int
    raw_bytes: int
    seconds: float | None


def estimate(
    model: nn.Module, image: Tensor, planned: Plan, options: MapOptions, files: int
) -> Estimate:
    """What a run of ``model`` as ``planned`` would take; ``model`` may be without memory."""
    sizes = [memory_of(layer) for layer in planned.shown]
    waiting = cores() * WAITING + 1
    held = max((sum(sizes[n : n + waiting]) for n in range(len(sizes))), default=0)
    bare = meta_copy(model)
    macs = multiply_adds(bare, image)
    drawn = [layer for layer in planned.shown if layer.type != "Flatten"]
    shapes = [layer.shape for layer in drawn if layer.shape]
    return Estimate(
        layers=planned.total,
        drawn=len(drawn),
        files=files,
        parameters=sum(param.numel() for param in bare.parameters() if not is_lazy(param)),
        macs=macs,
        weights_bytes=sum(
            tensor.numel() * tensor.element_size()
            for tensor in (*bare.parameters(), *bare.buffers())
            if not is_lazy(tensor)
        ),
        maps_bytes=sum(sizes),
        held_bytes=held,
        raw_bytes=sum(sizes) if options.raw else 0,
        seconds=None if macs is None else PASSES * macs / _rate() + _drawing(shapes),
    )


def multiply_adds(bare: nn.Module, image: Tensor) -> int | None:
    """Of one pass, counted by torch itself on its meta device; None where that is impossible.

    ``bare`` lies there, and its lazy layers get their sizes.
    """
    counter: Any = FlopCounterMode(display=False)
    try:
        with torch.inference_mode(False), torch.no_grad(), counter:
            bare.eval()(image.to("meta"))
    except Exception:  # what code that looks at values raises without any
        return None
    return int(counter.get_total_flops()) // 2


def _rate() -> float:
    """Multiply-adds a second of an ordinary convolution here."""
    maps, weights = torch.zeros(1, 64, 56, 56), torch.zeros(64, 64, 3, 3)
    with torch.inference_mode():
        F.conv2d(maps, weights, padding=1)
        best = min(_timed(lambda: F.conv2d(maps, weights, padding=1)) for _ in range(REPEATS))
    return weights.numel() * 56 * 56 / best


def _drawing(shapes: list[tuple[int, ...]]) -> float:
    """Seconds for the sheets of layers of these shapes, on all cores."""
    sample = np.random.default_rng(0).normal(size=SAMPLE).astype(np.float32)
    draw_maps(sample, Caption("warm"))
    once = min(_timed(lambda: draw_maps(sample, Caption("timed"))) for _ in range(REPEATS))
    values = float(np.prod(SAMPLE))
    shares = [min(float(np.prod(shape)), DRAWN_AT_MOST) / values for shape in shapes]
    return once * sum(max(share, SMALLEST_SHEET) for share in shares) / cores()


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return max(time.perf_counter() - start, 1e-9)
