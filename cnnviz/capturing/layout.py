"""How the axes of a tensor are to be read: which are channels, rows and columns.

It is followed from operation to operation: a convolution puts channels first, a linear layer puts
them last, a permutation moves them. A size never decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

Grid = tuple[int, int]

FIRST = {2: "NC", 3: "NCL", 4: "NCHW", 5: "NCDHW"}
LAST = {2: "NC", 3: "NLC", 4: "NHWC", 5: "NDHWC"}
USUAL = {2: "NC", 3: "NLC"}  # and of four axes what the model says

FIRST_MODULES = (
    nn.modules.conv._ConvNd,
    nn.modules.batchnorm._NormBase,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd,
    nn.modules.pooling._LPPoolNd,
    nn.GroupNorm,
    nn.LocalResponseNorm,
    nn.Upsample,
    nn.PixelShuffle,
)
LAST_MODULES = (nn.Linear, nn.Embedding, nn.MultiheadAttention, nn.RNNBase)
MOVES = ("permute", "transpose", "swapaxes", "swapdims")
SHAPES = ("reshape", "view", "flatten", "unflatten")
FIRST_FUNCTIONS = ("conv1d", "conv2d", "conv3d", "max_pool2d", "avg_pool2d", "batch_norm")
PREFIXES = ("class_token", "cls_token", "dist_token", "distillation_token", "reg_token")


@dataclass(frozen=True)
class Layout:
    """A letter for each axis: N images, C channels, D H W space, L a sequence.

    ``grid`` are the rows and columns that a sequence was made of. With
    ``assumed`` no operation said so.
    """

    axes: str
    grid: Grid | None = None
    assumed: bool = False


@dataclass(frozen=True)
class Hints:
    """What a model says of itself: the axes of its maps, and how many tokens are not the image's.

    ``prefix`` is None where it says nothing.
    """

    maps: str = "NCHW"
    prefix: int | None = None

    @classmethod
    def of(cls, model: nn.Module, maps: str | None = None) -> Hints:
        """Those of ``model``; ``maps``, NCHW or NHWC, is the user's word and goes first."""
        return cls(maps or _maps_of(model), _prefix_of(model))


def _maps_of(model: nn.Module) -> str:
    said = str(getattr(model, "output_fmt", "")).rpartition(".")[2]  # timm's
    swin = type(model).__module__ == "torchvision.models.swin_transformer"
    return "NHWC" if swin or said == "NHWC" else "NCHW"


def _prefix_of(model: nn.Module) -> int | None:
    counted = getattr(model, "num_prefix_tokens", None)  # timm's
    if isinstance(counted, int):
        return counted
    tokens = [
        param.shape[1]
        for name, param in model.named_parameters()
        if name.rpartition(".")[2].rstrip("s") in PREFIXES and param.ndim == 3
    ]
    return sum(tokens) if tokens else None


def usual(tensor: Tensor, hints: Hints) -> Layout | None:
    """The layout of a tensor that nothing is known of; None for one that has no usual one."""
    axes = hints.maps if tensor.ndim == 4 else USUAL.get(tensor.ndim)
    return Layout(axes, assumed=tensor.ndim > 2) if axes else None


def of_module(module: nn.Module, given: Layout | None, output: Tensor) -> Layout | None:
    """What a module's type says of its output; None where it says nothing."""
    if isinstance(module, FIRST_MODULES):
        return _layout(FIRST, output)
    if not _puts_channels_last(module):
        return None
    if getattr(module, "batch_first", True) is False and output.ndim == 3:
        return Layout("LNC")
    if given and len(given.axes) == output.ndim and given.axes.endswith("C"):
        return given
    return _layout(LAST, output)


def _puts_channels_last(module: nn.Module) -> bool:
    if isinstance(module, (nn.LayerNorm, nn.RMSNorm)):
        # Libraries derive norms from these that move the axes there and back.
        is_torchs = type(module).forward in {nn.LayerNorm.forward, nn.RMSNorm.forward}
        return is_torchs and len(module.normalized_shape) == 1
    return isinstance(module, LAST_MODULES)


def of_function(
    name: str, args: Sequence[Any], given: Layout | None, output: Tensor
) -> Layout | None:
    """The layout of what a function made of a tensor of layout ``given``, where it can be told.

    ``args`` are the tensor and the function's other arguments in order.
    """
    if name in FIRST_FUNCTIONS:
        return _layout(FIRST, output)
    if output.ndim == 2:
        return Layout("NC")
    if given is None:
        return None
    if name in MOVES:
        return _moved(name, given, args[1:])
    if name in SHAPES:
        return _reshaped(given, tuple(args[0].shape), tuple(output.shape))
    return given if len(given.axes) == output.ndim else None


def _layout(table: dict[int, str], output: Tensor) -> Layout | None:
    return Layout(table[output.ndim]) if output.ndim in table else None


def _moved(name: str, given: Layout, dims: Sequence[Any]) -> Layout:
    order = list(given.axes)
    if name == "permute":
        order = [given.axes[dim] for dim in (dims[0] if len(dims) == 1 else dims)]
    else:
        first, second = dims
        order[first], order[second] = order[second], order[first]
    return replace(given, axes="".join(order))


def _reshaped(given: Layout, old: tuple[int, ...], new: tuple[int, ...]) -> Layout | None:
    """Rows and columns made a sequence, or a sequence made rows and columns again."""
    if new == old:
        return given
    sizes = dict(zip(given.axes, old, strict=True))
    if "HW" in given.axes:
        grid = (sizes["H"], sizes["W"])
        merged = Layout(given.axes.replace("HW", "L"), grid)
        sizes["L"] = math.prod(grid)
    elif given.grid and sizes["L"] == math.prod(given.grid):
        merged = Layout(given.axes.replace("L", "HW"))
        sizes["H"], sizes["W"] = given.grid
    else:
        return None
    return merged if new == tuple(sizes[axis] for axis in merged.axes) else None


@dataclass(frozen=True)
class View:
    """One image's values with channels first, (C, H, W), (C,), (C, L) or (C, D, H, W).

    ``values`` is None where there is nothing to draw, for ``reason``. ``said`` is the layout that
    was read, in words.
    """

    values: Tensor | None
    said: str | None = None
    reason: str | None = None


def read(tensor: Tensor, layout: Layout | None, hints: Hints) -> View:
    """The values of the one image in ``tensor``, without copying them."""
    size = "x".join(map(str, tensor.shape)) or "a single number"
    if layout is None or len(layout.axes) != tensor.ndim or "N" not in layout.axes:
        return View(None, reason=f"not spatial: output is {size}")
    if tensor.is_complex():
        return View(None, reason=f"complex numbers: output is {size}")
    batch = layout.axes.index("N")
    if tensor.shape[batch] != 1:
        return View(None, reason=f"not of one image: output is {size}")
    if not tensor.numel():
        return View(None, reason=f"empty output: {size}")
    values = tensor.select(batch, 0)
    axes = layout.axes.replace("N", "")
    values = values.movedim(axes.index("C"), 0)
    said = layout.axes + (" (assumed)" if layout.assumed else "")
    if layout.grid and values.ndim == 2:
        return _on_grid(values, layout.grid, said, hints)
    return View(values, said)


def _on_grid(values: Tensor, grid: Grid, said: str, hints: Hints) -> View:
    """Tokens (C, L) as maps (C, H, W), without those that the model puts in front."""
    count, extra = math.prod(grid), values.shape[1] - math.prod(grid)
    rows, columns = grid
    if extra == 0:
        return View(values.unflatten(1, grid), f"{said}, a grid of {rows}x{columns}")
    if extra > 0 and extra == hints.prefix:
        words = f"{extra} token{'s' * (extra > 1)} in front left out"
        return View(values[:, -count:].unflatten(1, grid), f"{said}, {rows}x{columns}, {words}")
    return View(values, f"{said}, not the grid of {rows}x{columns}")
