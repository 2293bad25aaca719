"""A convolution layer's maps, computed a second time: by OpenCV from what the layer was given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
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
PRECISIONS = {torch.float32, torch.float64}
SMALL_ENOUGH = float(np.finfo(np.float32).max) / 2  # no sum on the way is too large for float32
PADDING_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def held(call: Call) -> Call | None:
    """The call with a copy of what it was given, for ``verify`` later; None for other layers."""
    layer = call.module
    if not isinstance(layer, nn.Conv2d) or not _can_verify(layer, call):
        return None
    return replace(call, inputs=(call.inputs[0].detach().clone(),))


def verify(call: Call, maps: NDArray[np.float32]) -> dict[str, Any] | None:
    """What the manifest says of some of a layer's ``maps``, (C, H, W); None for other layers.

    They are computed from the layer's input and weights by ``cv2.filter2D`` in float64, one input
    channel after the other, and may differ by the rounding error that the layer's own float32 sum
    can have (see ``cnnviz.agreement``). Only what computes nothing else is verified: torch's
    Conv2d on the CPU in float32 or float64, without hooks of the model's own. Values that NaN, Inf
    or float32's largest number stand in the way of are counted as ``nonfinite`` and left out.

    Raises:
        DisagreementError: a value differs by more.
    """
    layer = call.module
    if not isinstance(layer, nn.Conv2d) or not _can_verify(layer, call):
        return None
    padded = _padded(call.inputs[0][0], layer)
    channels = _spread(layer.out_channels, int(PRODUCTS / (layer.weight[0].numel() * maps[0].size)))
    found = [_again(padded, layer, channel) for channel in channels]
    expected = np.stack([one.values for one in found], axis=2)
    terms = int(np.prod(layer.weight.shape[1:]))
    magnitudes = np.stack([one.magnitudes for one in found], axis=2)
    seen = maps[channels].transpose(1, 2, 0)
    biases = np.abs([one.bias for one in found])
    ignore = ~(magnitudes + biases < SMALL_ENOUGH)  # NaN is not smaller than anything
    total = Sum(terms, 1.0, float(biases[np.isfinite(biases)].max(initial=0)), integers=False)
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


def _can_verify(layer: nn.Conv2d, call: Call) -> bool:
    kind = type(layer)
    is_torchs = kind.forward is nn.Conv2d.forward and kind._conv_forward is nn.Conv2d._conv_forward
    changed = "forward" in vars(layer) or len(layer._forward_hooks) > 1  # one is the capture's
    if not is_torchs or changed or len(call.inputs) != 1:
        return False
    given, put_out = call.inputs[0], call.output
    tensors = (given, put_out, layer.weight)
    if not all(isinstance(one, Tensor) and one.device.type == "cpu" for one in tensors):
        return False  # elsewhere the algorithm, and so its error, is not known
    dtypes = {one.dtype for one in tensors}
    if given.ndim != 4 or len(dtypes) > 1 or not dtypes <= PRECISIONS:
        return False
    return bool(layer.weight[0].numel() * given.shape[2] * given.shape[3] <= MOST_PRODUCTS)


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
    bias = 0.0 if layer.bias is None else float(layer.bias[channel].detach())
    planes = padded[first : first + len(weights)]
    values = magnitudes = np.zeros(())
    for plane, kernel in zip(planes, weights, strict=True):
        spread = _dilated(kernel, layer.dilation)
        values = values + _strided(plane, spread, layer.stride)
        magnitudes = magnitudes + _strided(np.abs(plane), np.abs(spread), layer.stride)
    unknown = ~np.isfinite(planes).all(axis=0)
    if unknown.any():  # filter2D skips weights that are 0; torch multiplies them by NaN too
        window = _dilated(np.ones(weights.shape[1:]), layer.dilation)
        near = _strided(np.asarray(unknown, np.float64), window, layer.stride) > 0
        magnitudes = np.where(near, np.nan, magnitudes)
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
