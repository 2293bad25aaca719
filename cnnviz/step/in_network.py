"""One value of a convolution inside a network: its window of every input map, and their sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from cnnviz.agreement import Sum, tolerances
from cnnviz.capturing import run_and_capture
from cnnviz.errors import UsageError
from cnnviz.images import read_image
from cnnviz.language import say
from cnnviz.models.asked import Asked
from cnnviz.models.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from cnnviz.capturing import LayerOutput
    from cnnviz.capturing.watch import Call

    Paint = Callable[[str, str], str]
    Place = tuple[int, int]


@dataclass(frozen=True)
class Value:
    """A value of a layer's output, and what it is made of.

    ``windows`` and ``kernels`` are (I, kh, kw), a pair for each input map read, ``maps`` their
    numbers; where the window lies in the padding it holds zeros. ``map`` (H, W) is all that the
    layer computed of the channel, in float32, and ``put_out`` the value there, from which the
    exact sum may differ by ``tolerance``.
    """

    layer: str
    channel: int
    at: Place
    maps: tuple[int, ...]
    windows: NDArray[np.float64]
    kernels: NDArray[np.float64]
    bias: float
    map: NDArray[np.float32]

    @property
    def put_out(self) -> float:
        """The value as the layer computed it."""
        return float(self.map[self.at])

    @property
    def parts(self) -> NDArray[np.float64]:
        """The sum of products of each map."""
        parts: NDArray[np.float64] = (self.windows * self.kernels).sum(axis=(1, 2))
        return parts

    @property
    def total(self) -> float:
        """The sum of all products and the bias, in float64."""
        return float(self.parts.sum()) + self.bias

    @property
    def tolerance(self) -> float:
        """How far the rounding of a float32 sum may lead (see ``cnnviz.agreement``)."""
        magnitude = np.abs(self.windows * self.kernels).sum(keepdims=True)
        total = Sum(self.windows.size, 1.0, abs(self.bias), integers=False)
        return float(tolerances(magnitude, total, np.dtype(np.float32)).item())


def value_of(
    image: Path, model: str, layer: str, channel: int, at: Place, asked: Asked | None = None
) -> Value:
    """The value at row and column ``at`` of a channel of ``layer``, a key as in a manifest.

    ``asked`` says which weights the model has.

    Raises:
        UsageError: no such convolution, channel or place.
        CnnvizError: the image or the model cannot be read, or it failed.
    """
    loaded = load_model(model, asked)
    prepared = loaded.prepare(read_image(image))
    found: list[Value] = []
    convolutions: list[str] = []

    def receive(output: LayerOutput, call: Call) -> None:
        if type(call.module) is nn.Conv2d:
            convolutions.append(output.key)
        if output.key == layer:
            found.append(_value(output, call, channel, at))

    run_and_capture(
        loaded.module, prepared.tensor, wants=lambda one: one.key == layer, receive=receive
    )
    if not found:
        more = [f"and {len(convolutions) - 4} more"] * (len(convolutions) > 4)
        known = ", ".join([*convolutions[:4], *more]) or "none"
        raise UsageError(f"{model} has no layer {layer!r}; its convolutions are {known}")
    return found[0]


def _value(output: LayerOutput, call: Call, channel: int, at: Place) -> Value:
    module = call.module
    if type(module) is not nn.Conv2d or module.padding_mode != "zeros" or output.values is None:
        raise UsageError(f"layer {output.key} is a {output.type}; a Conv2d is worked out")
    count, height, width = output.values.shape
    if channel >= count:
        raise UsageError(f"channel {channel} of {output.key}: it has {count}, counted from 0")
    row, column = at
    if row >= height or column >= width:
        raise UsageError(f"--at {row},{column}: the map has {height} rows and {width} columns")
    first = channel // (module.out_channels // module.groups) * module.weight.shape[1]
    kernels = module.weight[channel].detach().double().cpu()
    given = call.inputs[0][0, first : first + len(kernels)].detach().double().cpu()
    left, right, top, bottom = module._reversed_padding_repeated_twice
    padded = nn.functional.pad(given, (left, right, top, bottom))
    rows = row * module.stride[0] + torch.arange(kernels.shape[1]) * module.dilation[0]
    columns = column * module.stride[1] + torch.arange(kernels.shape[2]) * module.dilation[1]
    return Value(
        output.key,
        channel,
        at,
        tuple(range(first, first + len(kernels))),
        padded[:, rows][:, :, columns].numpy(),
        kernels.numpy(),
        0.0 if module.bias is None else float(module.bias[channel]),
        output.values[channel].numpy(force=True).copy(),
    )


def lines_of(value: Value, most: int | None, paint: Paint) -> list[str]:
    """The windows times their kernels, of ``most`` maps those that count most, and the sum."""
    order = sorted(range(len(value.maps)), key=lambda n: -abs(value.parts[n]))[:most]
    row, column = value.at
    where = say("channel {number}", number=value.channel)
    where += ", " + say("row {row}, column {column}", row=row, column=column)
    lines = [f"{value.layer}, {where}", ""]
    for n in sorted(order):
        lines += [*_products(value, n, paint), ""]
    left_out = len(value.maps) - len(order)
    if left_out:
        rest = float(value.parts.sum() - value.parts[order].sum())
        told = "{count} more maps add {rest}; --windows all shows them"
        lines += [say(told, count=left_out, rest=f"{rest:.7g}"), ""]
    shown = [f"{value.parts[n]:.7g}" for n in sorted(order)]
    if left_out:
        shown.append("…")
    bias = say(" + bias {bias}", bias=f"{value.bias:.7g}") if value.bias else ""
    lines.append(f"{' + '.join(shown)}{bias} = {paint(f'{value.total:.9g}', 'result')}")
    off = abs(value.total - value.put_out)
    told = "the layer put out {value}: off by {off}, and float32 rounding allows {bound}"
    value_text, off_text = f"{value.put_out:.9g}", f"{off:.2g}"
    bound = f"{value.tolerance:.2g}"
    return [*lines, say(told, value=value_text, off=off_text, bound=bound)]


def _products(value: Value, n: int, paint: Paint) -> list[str]:
    """A window, the kernel beside it, and the sum of their products."""
    window, kernel = _cells(value.windows[n]), _cells(value.kernels[n])
    middle = len(window) // 2
    lines = [say("map {number}", number=value.maps[n])]
    for row, (left, right) in enumerate(zip(window, kernel, strict=True)):
        sign, equals = ("×", f" = {value.parts[n]:.7g}") if row == middle else (" ", "")
        lines.append(f"  {left}  {sign}  {paint(right, 'weight')}{equals}")
    return lines


def _cells(matrix: NDArray[np.float64]) -> list[str]:
    texts = [[f"{number:.4g}" for number in row] for row in matrix]
    width = max(len(text) for row in texts for text in row)
    return [" ".join(f"{text:>{width}}" for text in row) for row in texts]


def document_of(value: Value) -> dict[str, Any]:
    """The same as one JSON document."""
    return {
        "layer": value.layer,
        "channel": value.channel,
        "at": list(value.at),
        "maps": list(value.maps),
        "windows": value.windows.tolist(),
        "kernels": value.kernels.tolist(),
        "sums": value.parts.tolist(),
        "bias": value.bias,
        "value": value.total,
        "put_out": value.put_out,
        "tolerance": value.tolerance,
    }
