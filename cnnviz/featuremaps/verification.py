"""A convolution layer's maps, computed a second time: by OpenCV from what the layer was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from cnnviz.agreement import Sum, compare, tolerances
from cnnviz.engines import opencv
from cnnviz.errors import DisagreementError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.capturing.watch import Call

CHANNELS = 3  # of a layer, fewer where they would take longer than the network itself
PRODUCTS = 5e7
MOST_PRODUCTS = 2e9  # of one channel; beyond it a layer would take seconds
PADDING_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def verify(call: Call, maps: NDArray[np.float32]) -> dict[str, Any] | None:
    """What the manifest says of some of a layer's ``maps``, (C, H, W); None for other layers.

    They are computed from the layer's input and weights by ``cv2.filter2D`` in float64, one input
    channel after the other, and may differ by the rounding error that the layer's own float32 sum
    can have (see ``cnnviz.agreement``).

    Raises:
        DisagreementError: a value differs by more.
    """
    layer = call.module
    if not _can_verify(layer, call):
        return None
    assert isinstance(layer, nn.Conv2d)  # noqa: S101 (said to the type checker)
    padded = _padded(call.inputs[0][0], layer)
    channels = _spread(layer.out_channels, int(PRODUCTS / (layer.weight[0].numel() * maps[0].size)))
    found = [_again(padded, layer, channel) for channel in channels]
    expected = np.stack([one.values for one in found], axis=2)
    terms = int(np.prod(layer.weight.shape[1:]))
    magnitudes = np.stack([one.magnitudes for one in found], axis=2)
    seen = maps[channels].transpose(1, 2, 0)
    ignore = ~np.isfinite(magnitudes) | ~np.isfinite([one.bias for one in found])
    bias = max((abs(one.bias) for one in found if np.isfinite(one.bias)), default=0.0)
    total = Sum(terms, 1.0, bias, integers=False)
    allowed = np.where(ignore, 0, tolerances(magnitudes, total, np.dtype(np.float32)))
    verdict = compare(seen.astype(np.float64), expected, allowed, ignore if ignore.any() else None)
    if not verdict.agree:
        row, column, place = verdict.worst
        raise DisagreementError(
            f"layer {call.name}: channel {channels[place]} at row {row}, column {column} is"
            f" {verdict.pair[0]:.9g}, but OpenCV computes {verdict.pair[1]:.9g} from the layer's"
            f" input and weights; rounding explains {verdict.bound.tolerance:.3g}"
        )
    return {
        "engine": "opencv",
        "channels": channels,
        "values": verdict.values,
        "nonfinite": verdict.nonfinite,
        "max_abs_diff": verdict.max_abs_diff,
        "tolerance": verdict.bound.tolerance,
    }


def _can_verify(layer: nn.Module | None, call: Call) -> bool:
    if type(layer) is not nn.Conv2d or layer.weight.dtype.itemsize < 4 or len(call.inputs) != 1:
        return False
    given = call.inputs[0]
    if not isinstance(given, Tensor) or given.ndim != 4 or given.is_meta:
        return False
    positions = given.shape[2] * given.shape[3]
    return layer.weight[0].numel() * positions <= MOST_PRODUCTS


def _spread(count: int, affordable: int) -> list[int]:
    """Channels that lie evenly apart; at least one."""
    shown = min(CHANNELS, max(affordable, 1))
    return sorted({int((n + 0.5) * count / shown) for n in range(shown)})


def _padded(image: Tensor, layer: nn.Conv2d) -> NDArray[np.float64]:
    """The layer's input (C, H, W) with its padding around it."""
    left, right, top, bottom = layer._reversed_padding_repeated_twice
    pixels = image.detach().to("cpu").double().numpy()
    mode: Any = PADDING_MODES[layer.padding_mode]
    return np.pad(pixels, ((0, 0), (top, bottom), (left, right)), mode=mode)


@dataclass(frozen=True)
class _Channel:
    """One output channel, (H, W), and sum(|w| * |x|) for each of its values."""

    values: NDArray[np.float64]
    magnitudes: NDArray[np.float64]
    bias: float


def _again(padded: NDArray[np.float64], layer: nn.Conv2d, channel: int) -> _Channel:
    weights = layer.weight[channel].detach().to("cpu").double().numpy()
    first = channel // (layer.out_channels // layer.groups) * len(weights)
    bias = 0.0 if layer.bias is None else float(layer.bias[channel])
    values = magnitudes = np.zeros(())
    for plane, kernel in zip(padded[first : first + len(weights)], weights, strict=True):
        spread = _dilated(kernel, layer.dilation)
        values = values + _strided(plane, spread, layer.stride)
        magnitudes = magnitudes + _strided(np.abs(plane), np.abs(spread), layer.stride)
    return _Channel(values + bias, magnitudes, bias)


def _strided(
    plane: NDArray[np.float64], kernel: NDArray[np.float64], stride: tuple[int, ...]
) -> NDArray[np.float64]:
    whole = opencv.in_pieces(plane[:, :, np.newaxis], kernel)[:, :, 0]
    return np.asarray(whole[:: stride[0], :: stride[1]], np.float64)


def _dilated(kernel: NDArray[np.float64], dilation: tuple[int, ...]) -> NDArray[np.float64]:
    down, right = dilation
    height, width = np.subtract(kernel.shape, 1) * (down, right) + 1
    spread: NDArray[np.float64] = np.zeros((height, width))
    spread[::down, ::right] = kernel
    return spread
