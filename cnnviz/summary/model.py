"""A model as numbers: its layers, parameters, multiply-adds, memory and receptive field."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnviz.errors import CnnvizError, ModelError, UsageError
from cnnviz.models.building.quick_import import compiler_left_out
from cnnviz.models.building.unallocated import meta_copy, unallocated
from cnnviz.models.naming import ModelSource, find_source
from cnnviz.models.programs.operations import Operations, listened
from cnnviz.models.sources.detectors import is_detector
from cnnviz.shapes.notation import size_text
from cnnviz.summary.detectors import note_of
from cnnviz.summary.inputs import known_inputs
from cnnviz.summary.layers import LayerSummary, layers_of, without_batch
from cnnviz.summary.tracing import SEED, trace_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cnnviz.shapes.layer import Shape
    from cnnviz.shapes.receptive import Field
    from cnnviz.summary.tracing import Traced

META = torch.device("meta")
NEEDED_VALUES = (
    "its code needs values, so it was built and run with random ones on {}; other values may take"
    " another way"
)
TOKENS = "its input was taken as whole numbers, such as the tokens of a text"
SEVERAL = "it returns {} tensors; the output and its receptive field are those of the first"
NO_TENSOR = "no tensor was found in what it returns, so its output and depth are not known"
NO_WAY = "torch does not see the way from the input to the output, so its depth is not known"
SCRIPT = "TorchScript does not show which of its layers runs, so they are one row"
PACKED = "quantised layers keep their weights packed, where they cannot be counted"


@dataclass(frozen=True)
class ModelSummary:
    """What there is to say of a model and one image of shape ``input``.

    Every parameter is counted once, in ``total_params`` and in one row of ``layers``, also where
    it is shared or did not run. ``buffers`` are numbers kept beside them. ``memory`` is in bytes:
    of parameters, buffers, and the output of every layer. ``depth`` is the number of layers with
    weights on the longest way through, None where torch does not see a way. ``fields`` are those
    of the output. ``inputs`` are all that the model takes, ``input`` the first of them. ``notes``
    say what was done differently.
    """

    model: str
    year: int | None
    input: Shape
    inputs: tuple[Shape, ...]
    output: Shape | None
    layers: tuple[LayerSummary, ...]
    total_params: int
    trainable_params: int
    buffers: int
    macs: int
    memory: dict[str, int]
    depth: int | None
    fields: tuple[Field, ...]
    notes: tuple[str, ...]

    @property
    def last_map(self) -> LayerSummary | None:
        """The layer with the largest receptive field that is known, the last of several.

        Mostly it is the last map before global pooling.
        """
        seen = [layer for layer in reversed(self.layers) if layer.fields]
        known = [layer for layer in seen if not any(field.limit for field in layer.fields)]
        return max(
            known, key=lambda layer: [field.size or 0 for field in layer.fields], default=None
        )


def summarize(
    model: str | nn.Module,
    input_size: Shape | Sequence[Shape] | None = None,
    *,
    depth: int | None = None,
    freeze: Sequence[str] = (),
    classes: int | None = None,
    args: Mapping[str, Any] | None = None,
) -> ModelSummary:
    """The layers of a model for one image of ``input_size``, (channels, height, width).

    A model that takes several inputs is given as many sizes, in the order of its ``forward``.
    ``model`` is a module, which is left as it is, or a name as the command takes it. Without
    ``input_size`` it is the one that the model is known for. ``depth`` folds what lies deeper,
    ``freeze`` are globs over the names of parameters and modules (with a leading ``!``: all but
    those) that are counted as not trained, ``classes`` replaces the outputs of torchvision's,
    ``args`` are named arguments for a class or factory.

    Raises:
        ModelError: the model cannot be named or built.
        UsageError: its input is not known, or a glob matches nothing.
        CnnvizError: it failed on this input.
    """
    if isinstance(model, nn.Module):
        source = ModelSource(type(model).__name__, lambda: model)
    else:
        source = find_source(model, classes=classes, args=args)
    sizes, module, traced, notes = _run(source, _sizes_of(input_size))
    frozen = {id(param) for param in module.parameters() if not param.requires_grad}
    frozen |= _matching(module, freeze)
    layers = tuple(layers_of(module, traced, depth, frozen))
    params, buffers = list(_known(module.parameters())), list(_known(module.buffers()))
    root = traced.root
    return ModelSummary(
        model=source.name,
        year=source.year,
        input=sizes[0],
        inputs=sizes,
        output=without_batch(root),
        layers=layers,
        total_params=_numbers(params),
        trainable_params=_numbers(param for param in params if id(param) not in frozen),
        buffers=_numbers(buffers),
        macs=root.all_macs,
        memory={
            "params": _bytes(params),
            "buffers": _bytes(buffers),
            "outputs": sum(layer.memory for layer in layers),
        },
        depth=root.depth,
        fields=root.trace.fields if root.trace else (),
        notes=(*notes, *_notes_of(module, traced)),
    )


def _sizes_of(given: Shape | Sequence[Shape] | None) -> tuple[Shape, ...]:
    sizes: Sequence[Any] = given or ()
    is_one = bool(sizes) and isinstance(sizes[0], int)
    return tuple(map(tuple, [sizes] if is_one else sizes))


def _run(
    source: ModelSource, sizes: tuple[Shape, ...]
) -> tuple[tuple[Shape, ...], nn.Module, Traced, list[str]]:
    """The inputs, the model, without memory if it lets itself, and what a run of it showed."""
    if source.home in {"torchscript", "export"}:
        return _run_program(source, sizes)
    try:
        with unallocated():
            module = meta_copy(source.build())
        with compiler_left_out():
            return _traced(source, module, sizes, META)
    except CnnvizError as error:
        if not _needs_values(error):
            raise
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = source.build()
        device = next((param.device for param in module.parameters()), torch.device("cpu"))
        sizes, module, traced, notes = _traced(source, module, sizes, device)
    return sizes, module, traced, [NEEDED_VALUES.format(device), *notes]


def _run_program(
    source: ModelSource, sizes: tuple[Shape, ...]
) -> tuple[tuple[Shape, ...], nn.Module, Traced, list[str]]:
    """The same of a file that carries its code and weights, on the CPU."""
    module = source.build()
    sizes = known_inputs(source, module, sizes)
    if source.fixed_size and sizes[0] != source.input_size:
        raise UsageError(
            f"{source.name} was exported for {size_text(source.input_size or ())} and takes no"
            f" other size than that; {size_text(sizes[0])} was given"
        )
    notes = [f"{source.description}, run with its own weights on the CPU"]
    if isinstance(module, Operations):
        module = listened(module, sizes[0])
        notes.append("its layers are the operations that it runs: no part of it can be listened to")
    return sizes, module, trace_model(module, sizes, torch.device("cpu")), notes


def _traced(
    source: ModelSource, module: nn.Module, sizes: tuple[Shape, ...], device: torch.device
) -> tuple[tuple[Shape, ...], nn.Module, Traced, list[str]]:
    """A run, with whole numbers where the model looks them up in a table."""
    sizes = known_inputs(source, module, sizes)
    try:
        return sizes, module, trace_model(module, sizes, device), []
    except CnnvizError as error:
        if "'indices'" not in str(error.__cause__):
            raise
    return sizes, module, trace_model(module, sizes, device, tokens=True), [TOKENS]


def _notes_of(module: nn.Module, traced: Traced) -> Iterator[str]:
    """What a reader has to know to read the numbers rightly."""
    root = traced.root
    if is_detector(module):
        yield note_of(module)
    elif root.returned > 1:
        yield SEVERAL.format(root.returned)
    if root.output is None:
        yield NO_TENSOR
    elif root.depth is None:
        yield NO_WAY
    if any(hasattr(each, "_packed_params") for each in module.modules()):
        yield PACKED
    if isinstance(module, torch.jit.ScriptModule):
        yield SCRIPT


def _needs_values(error: CnnvizError) -> bool:
    """Whether code failed for want of values; torch has no class of its own for that."""
    cause = error.__cause__
    return isinstance(cause, NotImplementedError) or "meta" in str(cause).lower()


def _matching(module: nn.Module, globs: Sequence[str]) -> set[int]:
    """The ids of parameters that the globs name, by their own name or that of a module around.

    Raises:
        UsageError: a glob matches nothing.
    """
    named = dict(module.named_parameters())
    chosen: set[int] = set()
    for glob in globs:
        negated, pattern = glob.startswith("!"), glob.removeprefix("!")
        inside = {name for name in named if _is_within(name, pattern)}
        if not inside:
            raise ModelError(
                f"no parameter or module matches {pattern!r}; their names are those of the table,"
                f" such as {next(iter(named), 'none')}"
            )
        chosen |= {id(param) for name, param in named.items() if (name in inside) != negated}
    return chosen


def _is_within(name: str, pattern: str) -> bool:
    parts = name.split(".")
    return any(fnmatchcase(".".join(parts[:end]), pattern) for end in range(1, len(parts) + 1))


def _known(tensors: Iterable[Tensor]) -> Iterator[Tensor]:
    """Without those of lazy layers that never ran, which have no size."""
    return (tensor for tensor in tensors if not is_lazy(tensor))


def _numbers(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
