"""How the axes of a tensor are to be read: which are channels, rows and columns.

It is followed from operation to operation: a convolution puts channels first, a linear layer puts
them last, a permutation moves them. A size never decides.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from cnnviz.capturing.kinds import kind_of_function, torch_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnviz.capturing.hints import Hints

Grid = tuple[int, int]

FIRST = {2: "NC", 3: "NCL", 4: "NCHW", 5: "NCDHW"}
LAST = {2: "NC", 3: "NLC", 4: "NHWC", 5: "NDHWC"}
USUAL = {2: "NC", 3: "NLC"}  # and of four axes what the model says

OF_SPACE = (
    nn.modules.conv._ConvNd,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd,
    nn.modules.pooling._LPPoolNd,
)
FIRST_MODULES = (
    *OF_SPACE,
    nn.modules.batchnorm._NormBase,
    nn.GroupNorm,
    nn.LocalResponseNorm,
    nn.Upsample,
    nn.PixelShuffle,
)
LAST_MODULES = (nn.Linear, nn.Embedding, nn.MultiheadAttention, nn.RNNBase)
FIRST_FUNCTIONS = {"batch_norm", "group_norm", "instance_norm", "pixel_shuffle", "interpolate"}
FIRST_FUNCTIONS |= {"native_batch_norm", "native_group_norm", "cudnn_batch_norm", "upsample"}
LAST_FUNCTIONS = ("linear", "embedding", "addmm")

SWAPS = {"transpose", "swapaxes", "swapdims", "mT", "adjoint", "mH"}
MOVES = {"movedim", "moveaxis"}
SHAPES = {"reshape", "view", "flatten", "unflatten", "reshape_as", "view_as", "unsafe_view"}
DROPS = {"select", "unbind", "squeeze", "mean", "sum", "amax", "amin", "max", "min", "std", "var"}
DROPS |= {"norm", "prod", "median", "logsumexp", "argmax", "argmin", "any", "all"}
# Their results have as many axes as what they were given, and other ones.
MIXES = {"matmul", "bmm", "baddbmm", "einsum", "tensordot", "cdist", "rot90", "unfold", "T", "H"}


@dataclass(frozen=True)
class Layout:
    """A letter for each axis: N images, C channels, D H W space, L a sequence.

    ``grid`` are the rows and columns that a sequence was made of. With
    ``assumed`` no operation said so.
    """

    axes: str
    grid: Grid | None = None
    assumed: bool = False


UNREADABLE = Layout("")  # known to be no map, whatever its number of axes


def usual(tensor: Tensor, hints: Hints) -> Layout | None:
    """The layout of a tensor that nothing is known of; None for one that has no usual one."""
    axes = hints.maps if tensor.ndim == 4 else USUAL.get(tensor.ndim)
    return Layout(axes, assumed=tensor.ndim > 2) if axes else None


def of_module(
    module: nn.Module, given: Layout | None, output: Tensor, place: int = 0
) -> Layout | None:
    """What a module's type says of its output; None where it says nothing.

    ``place`` is the tensor's among those that the module returns.
    """
    kind = torch_type(module)
    if issubclass(kind, FIRST_MODULES):
        return _without_batch(kind, output) or _layout(FIRST, output)
    if not _puts_channels_last(module, kind):
        return None
    if place > 0:  # a recurrent layer's states, layer by layer; attention's weights
        is_states = issubclass(kind, nn.RNNBase) and output.ndim == 3
        return Layout("LNC") if is_states else UNREADABLE
    if getattr(module, "batch_first", True) is False and output.ndim == 3:
        return Layout("LNC", given.grid if given else None)
    return _last(given, output)


def _without_batch(kind: type, output: Tensor) -> Layout | None:
    """The layers of torch that work over space also take one image without the batch axis."""
    if not issubclass(kind, OF_SPACE):
        return None
    sizes = (re.search(r"(\d)d", each.__name__) for each in kind.__mro__)
    space = next((int(found[1]) for found in sizes if found), 0)
    return Layout(FIRST[output.ndim + 1][1:]) if space and output.ndim == space + 1 else None


def _puts_channels_last(module: nn.Module, kind: type) -> bool:
    if issubclass(kind, (nn.LayerNorm, nn.RMSNorm)):
        # Libraries derive norms from these that move the axes there and back.
        is_torchs = kind.forward in {nn.LayerNorm.forward, nn.RMSNorm.forward}
        shape = getattr(module, "normalized_shape", (0,))  # an exported part has none
        return is_torchs and len(shape) == 1
    return issubclass(kind, LAST_MODULES)


def _last(given: Layout | None, output: Tensor) -> Layout | None:
    if given and len(given.axes) == output.ndim and given.axes.endswith("C"):
        return given
    found = _layout(LAST, output)
    # The last axis is known then, and not what the others are: windows, for one.
    return replace(found, assumed=output.ndim > 2) if found and given is None else found


def _layout(table: dict[int, str], output: Tensor) -> Layout | None:
    return Layout(table[output.ndim]) if output.ndim in table else None


def of_function(
    name: str, args: Sequence[Any], named: Mapping[str, Any], given: Layout | None, output: Tensor
) -> Layout | None:
    """The layout of what a function made of a tensor of layout ``given``, where it can be told.

    ``args`` are the tensor and the function's other arguments in order, ``named`` those by name.
    """
    try:
        return _followed(name, args, named, given, output)
    except (IndexError, KeyError, TypeError, ValueError):
        return None  # called in a way that is not foreseen here


def _followed(
    name: str, args: Sequence[Any], named: Mapping[str, Any], given: Layout | None, output: Tensor
) -> Layout | None:
    if name in FIRST_FUNCTIONS or kind_of_function(name) in ("conv", "pool"):
        return _layout(FIRST, output)
    if name in LAST_FUNCTIONS:
        return _last(given, output)
    if output.ndim == 2 and (given is None or name not in {*DROPS, "getitem"}):
        return Layout("NC")
    if given is None or name in MIXES:
        return given if given and name == "matmul" and _is_linear(given, args[1]) else None
    return _arranged(name, args, named, given, output)


def _arranged(
    name: str, args: Sequence[Any], named: Mapping[str, Any], given: Layout, output: Tensor
) -> Layout | None:
    rest = [*args[1:], *named.values()]
    found: Layout | None = None
    if name == "permute":
        order = rest[0] if len(rest) == 1 else rest
        found = replace(given, axes="".join(given.axes[dim] for dim in order))
    elif name in SWAPS:
        found = _swapped(given, *(rest or (-2, -1)))
    elif name in MOVES:
        found = _moved(given, *rest)
    elif name in SHAPES:
        found = _reshaped(given, tuple(args[0].shape), tuple(output.shape))
    elif name == "getitem":
        found = _indexed(given, args[1], output)
    elif len(given.axes) == output.ndim:
        found = given
    elif name in DROPS:
        found = _dropped(given, _dims(name, rest, named), output)
    return found


def _is_linear(given: Layout, weights: Any) -> bool:
    return given.axes.endswith("C") and isinstance(weights, Tensor) and weights.ndim == 2


def _swapped(given: Layout, first: int, second: int) -> Layout:
    order = list(given.axes)
    order[first], order[second] = order[second], order[first]
    return replace(given, axes="".join(order))


def _moved(given: Layout, source: Any, target: Any) -> Layout:
    count = len(given.axes)
    sources, targets = ([at] if isinstance(at, int) else list(at) for at in (source, target))
    left = [axis for n, axis in enumerate(given.axes) if n not in {s % count for s in sources}]
    for to, axis in sorted(
        (t % count, given.axes[s]) for s, t in zip(sources, targets, strict=True)
    ):
        left.insert(to, axis)
    return replace(given, axes="".join(left))


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


def _indexed(given: Layout, index: Any, output: Tensor) -> Layout | None:
    """What is left of the axes after ``x[:, 0]``: a number takes one away."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in [part for part in parts if not isinstance(part, Tensor)]:
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(given.axes) - len(parts) + 1)
    if not all(type(part) in (int, slice) for part in parts):
        return None
    return _dropped(given, [n for n, part in enumerate(parts) if type(part) is int], output)


def _dims(name: str, rest: Sequence[Any], named: Mapping[str, Any]) -> list[int]:
    """The axes that a function takes away: its ``dim``."""
    dim = named.get("dim", rest[0] if rest else 0 if name == "unbind" else None)
    return [dim] if isinstance(dim, int) else list(dim or ())


def _dropped(given: Layout, dims: Sequence[int], output: Tensor) -> Layout | None:
    count = len(given.axes)
    gone = {dim % count for dim in dims}
    axes = "".join(axis for n, axis in enumerate(given.axes) if n not in gone)
    if len(axes) != output.ndim:
        return None
    return Layout(axes, given.grid if "L" in axes else None, given.assumed)
