"""Output sizes, parameters, multiply-adds and receptive fields, on plain integers.

Names are resolved when first used, so that one formula does not load the whole grammar.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnviz.shapes.axes import AdaptiveAxis, PadAxis, PoolAxis, TransposedAxis, UpsampleAxis
    from cnnviz.shapes.chain import Chain, Fork, Step, trace_chain
    from cnnviz.shapes.conv import (
        Conv2d,
        Convolution,
        SeparableConvolution,
        TransposedConvolution,
        conv_output_size,
    )
    from cnnviz.shapes.coverage import unread
    from cnnviz.shapes.grammar import parse_chain
    from cnnviz.shapes.layer import Layer, Pad, Pool, Upsample
    from cnnviz.shapes.memory import Memory, memory_of
    from cnnviz.shapes.plain import (
        Add,
        BatchNorm,
        Elementwise,
        Flatten,
        GroupNorm,
        LayerNorm,
        Linear,
    )
    from cnnviz.shapes.receptive import Field
    from cnnviz.shapes.window import Axis, same_padding

_HOMES = {
    "axes": ("AdaptiveAxis", "PadAxis", "PoolAxis", "TransposedAxis", "UpsampleAxis"),
    "chain": ("Chain", "Fork", "Step", "trace_chain"),
    "conv": (
        *("Conv2d", "Convolution", "SeparableConvolution", "TransposedConvolution"),
        "conv_output_size",
    ),
    "coverage": ("unread",),
    "grammar": ("parse_chain",),
    "layer": ("Layer", "Pad", "Pool", "Upsample"),
    "memory": ("Memory", "memory_of"),
    "plain": ("Add", "BatchNorm", "Elementwise", "Flatten", "GroupNorm", "LayerNorm", "Linear"),
    "receptive": ("Field",),
    "window": ("Axis", "same_padding"),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AdaptiveAxis",
    "Add",
    "Axis",
    "BatchNorm",
    "Chain",
    "Conv2d",
    "Convolution",
    "Elementwise",
    "Field",
    "Flatten",
    "Fork",
    "GroupNorm",
    "Layer",
    "LayerNorm",
    "Linear",
    "Memory",
    "Pad",
    "PadAxis",
    "Pool",
    "PoolAxis",
    "SeparableConvolution",
    "Step",
    "TransposedAxis",
    "TransposedConvolution",
    "Upsample",
    "UpsampleAxis",
    "conv_output_size",
    "memory_of",
    "parse_chain",
    "same_padding",
    "trace_chain",
    "unread",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'cnnviz.shapes' has no attribute {name!r}")
    return getattr(import_module(f"cnnviz.shapes.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
