"""What torch's operations do to a receptive field, one small rule per kind of operation.

Statistics of normalisation are not counted, as in ``cnnviz shape``. An operation without a rule
ends what is known, so a number that is given is right, and one that is missing is not a wrong one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnviz.shapes.axes import AdaptiveAxis
from cnnviz.shapes.readers import Reader, Slide, Spread
from cnnviz.summary.resizing import resized
from cnnviz.summary.trace import Trace, axes_of, joined, length, marked, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnviz.shapes.layer import Shape


class Call(NamedTuple):
    """One call of one of torch's operations: ``name`` is that of the schema, ``convolution``.

    ``given`` are the arguments by the names in torch's schema, ``traces`` those that depend on
    the model's input, ``shape`` is that of the output.
    """

    name: str
    given: dict[str, Any]
    traces: dict[str, Trace]
    shape: Shape

    @property
    def trace(self) -> Trace:
        """The only argument that matters, or the first."""
        return next(iter(self.traces.values()))

    @property
    def dim(self) -> int:
        """The dimension that the call names, counted from the front."""
        return int(self.given.get("dim", 0)) % max(1, len(self.trace.dims))

    @property
    def axes(self) -> int:
        """The number of axes in the operation's name: 2 in ``avg_pool2d``."""
        return int(re.findall(r"[123](?=d)", self.name)[0])

    def numbers(self, name: str, default: int = 1) -> list[int]:
        """An argument that is one number for every axis, or one number per axis."""
        value = self.given.get(name, default)
        values = [value] if isinstance(value, int) else list(value)
        return values * self.axes if len(values) == 1 else values


def follow(call: Call, *, pointwise: bool) -> Trace:
    """What is known of the output of a call."""
    for pattern, rule in RULES.items():
        if re.fullmatch(pattern, call.name):
            return rule(call)
    if pointwise:
        return _same(call)
    return _lost(call)


def _same(call: Call) -> Trace:
    return joined(list(call.traces.values()), call.shape)


def _lost(call: Call) -> Trace:
    flat = [trace.lost(call.shape) for trace in call.traces.values()]
    return joined(flat, call.shape)


def _convolution(call: Call) -> Trace:
    if list(call.traces) != ["input"]:
        return _lost(call)  # weights that were computed from the input
    kernel = call.given["weight"].shape[2:]
    window = [call.given[name] for name in ("stride", "padding", "dilation")]
    kind = Spread if call.given["transposed"] else Slide
    readers = [kind(*each) for each in zip(kernel, *window, strict=True)]
    trace = _windows(call.trace.read_all([1]), readers, call.shape)
    return trace.with_dim(1, plain(call.shape[1]))._replace(depth=trace.depth + 1)


def _pool(call: Call) -> Trace:
    kernel = call.numbers("kernel_size")
    stride = call.numbers("stride") if call.given.get("stride") else kernel
    window = zip(kernel, stride, call.numbers("padding", 0), call.numbers("dilation"), strict=True)
    return _windows(call.trace, [Slide(*each) for each in window], call.shape)


def _adaptive(call: Call) -> Trace:
    sizes = [length(dim) for dim in call.trace.dims[-call.axes :]]
    lengths = zip(call.shape[-call.axes :], sizes, strict=True)
    readers = [AdaptiveAxis(new).reader(size) for new, size in lengths]
    return _windows(call.trace, readers, call.shape)


def _windows(trace: Trace, readers: Sequence[Reader], shape: Shape) -> Trace:
    """A reader along each of the last dimensions."""
    for dim, reader in zip(range(-len(readers), 0), readers, strict=True):
        trace = trace.through(dim, reader, shape[dim])
    return trace


def _pixel_shuffled(call: Call) -> Trace:
    factor = int(call.given["upscale_factor"])
    spread = [Spread(factor, factor)] * 2
    return _windows(call.trace, spread, call.shape).with_dim(-3, plain(call.shape[-3]))


def _pad(call: Call) -> Trace:
    trace, amounts = call.trace, call.given.get("pad") or call.given["padding"]
    for place, before in enumerate(amounts[::2], 1):  # torch names the last axis first
        trace = trace.through(-place, Slide(padding=before), call.shape[-place])
    return trace


def _slice(call: Call) -> Trace:
    dim = call.dim
    size = length(call.trace.dims[dim])
    start, step = call.given.get("start") or 0, call.given.get("step", 1)
    start = max(start + size, 0) if start < 0 else start
    return call.trace.through(dim, Slide(stride=step, padding=-start), call.shape[dim])


def _product(left: str, right: str) -> Callable[[Call], Trace]:
    """A matrix product: the columns of the left and the rows of the right are summed over."""

    def rule(call: Call) -> Trace:
        if not call.traces.keys() <= {left, right}:
            return _lost(call)
        first, second = call.traces.get(left), call.traces.get(right)
        parts = [first.read_all([-1])] if first else []
        parts += [second.read_all([-2])] if second else []
        rows = first.dims[-2] if first else plain(call.shape[-2])
        columns = second.dims[-1] if second else plain(call.shape[-1])
        batch = call.trace.dims[:-2]
        flat = [part._replace(dims=(*part.dims[:-2], (), ())) for part in parts]
        both = joined(flat, (*(length(dim) for dim in batch), 1, 1))
        crossed = axes_of(rows) & axes_of(columns)
        weighted = len(parts) == 1
        result = both._replace(dims=(*batch, rows, columns), depth=both.depth + weighted)
        return result.unknown(crossed)

    return rule


def _reduced(call: Call) -> Trace:
    trace, count = call.trace, len(call.trace.dims)
    named = call.given.get("dim")
    named = [named] if isinstance(named, int) else list(named or range(count))
    dims = {dim % max(1, count) for dim in named}
    done = trace.read_all(dims)
    if len(call.shape) == count:  # kept as dimensions of one position
        return done._replace(dims=tuple(() if n in dims else d for n, d in enumerate(done.dims)))
    return done._replace(dims=tuple(d for n, d in enumerate(done.dims) if n not in dims))


def _softmax(call: Call) -> Trace:
    return call.trace.read_all([call.dim])


def _viewed(call: Call) -> Trace:
    return call.trace.viewed(call.shape)


def _permuted(call: Call) -> Trace:
    dims = call.trace.dims
    return call.trace._replace(dims=tuple(dims[place] for place in call.given["dims"]))


def _swapped(call: Call) -> Trace:
    dims = list(call.trace.dims)
    if len(dims) > 1:
        one, other = call.given.get("dim0", 0), call.given.get("dim1", 1)
        dims[one], dims[other] = dims[other], dims[one]
    return call.trace._replace(dims=tuple(dims))


def _unsqueezed(call: Call) -> Trace:
    place = call.given["dim"] % len(call.shape)
    dims = call.trace.dims
    return call.trace._replace(dims=(*dims[:place], (), *dims[place:]))


def _concatenated(call: Call) -> Trace:
    dim = call.dim
    axes = {axis for trace in call.traces.values() for axis in axes_of(trace.dims[dim])}
    others = [trace.with_dim(dim, ()) for trace in call.traces.values()]
    return joined(others, call.shape).unknown(axes).with_dim(dim, marked(axes, call.shape[dim]))


def _stacked(call: Call) -> Trace:
    place = call.given.get("dim", 0) % len(call.shape)
    wider = [t._replace(dims=(*t.dims[:place], (), *t.dims[place:])) for t in call.traces.values()]
    return joined(wider, call.shape)


def _split(call: Call) -> Trace:
    trace, dim = call.trace, call.dim
    if call.shape[dim] == length(trace.dims[dim]):
        return trace
    axes = axes_of(trace.dims[dim])
    return trace.unknown(axes).with_dim(dim, marked(axes, call.shape[dim]))


def _without(call: Call) -> Trace:
    trace, dim = call.trace, call.dim
    dims = (*trace.dims[:dim], *trace.dims[dim + 1 :])
    return trace.unknown(axes_of(trace.dims[dim]))._replace(dims=dims)


def _moved(call: Call) -> Trace:
    """Positions change places along the named dimensions, or along all."""
    named = call.given.get("dims") or range(len(call.trace.dims))
    return call.trace.unknown({axis for dim in named for axis in axes_of(call.trace.dims[dim])})


RULES: dict[str, Callable[[Call], Trace]] = {
    r"convolution": _convolution,
    r"(max|avg)_pool[123]d(_with_indices)?": _pool,
    r"_?adaptive_(avg|max)_pool[123]d": _adaptive,
    r"_?upsample_(\w*linear|bicubic|nearest|nearest_exact)[123]d": resized,
    r"pixel_shuffle": _pixel_shuffled,
    r"constant_pad_nd|(reflection|replication)_pad[123]d": _pad,
    r"mm|bmm": _product("self", "mat2"),
    r"addmm": _product("mat1", "mat2"),
    r"baddbmm": _product("batch1", "batch2"),
    r"mean|sum|amax|amin|var|std|max|min|argmax|argmin|logsumexp|linalg_vector_norm": _reduced,
    r"_softmax|_safe_softmax|_log_softmax": _softmax,
    r"view|_unsafe_view|_reshape_alias|squeeze_?": _viewed,
    r"permute": _permuted,
    r"transpose_?|t_?": _swapped,
    r"unsqueeze_?": _unsqueezed,
    r"cat": _concatenated,
    r"stack": _stacked,
    r"split|split_with_sizes": _split,
    r"select|unbind": _without,
    r"slice": _slice,
    r"roll|flip": _moved,
    r"\w*batch_norm\w*|native_(layer|group)_norm|_fused_rms_norm": _same,
    r"expand|alias|detach|clone|_to_copy|copy_|lift_fresh|native_dropout|_prelu_kernel": _same,
}
