"""The sizes of what a model is run on."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING

from cnnviz.errors import UsageError
from cnnviz.shapes.notation import size_text

if TYPE_CHECKING:
    from torch import nn

    from cnnviz.models.naming import ModelSource
    from cnnviz.shapes.layer import Shape

BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def known_inputs(
    source: ModelSource, module: nn.Module, given: tuple[Shape, ...]
) -> tuple[Shape, ...]:
    """The sizes of a model's inputs: those ``given``, else those that it is known for.

    One that takes several alike, such as the two images of an optical flow, is known for one.

    Raises:
        UsageError: its input is not known, or has more or fewer parts.
    """
    required, most = _arguments(module)
    if not given:
        if source.input_size is None:
            raise UsageError(
                f"what {source.name} takes is not known; give --input CHANNELSxHEIGHTxWIDTH,"
                " such as 3x224x224"
            )
        return (source.input_size,) * max(1, len(required))
    if source.input_size and any(len(size) != len(source.input_size) for size in given):
        sizes = " and ".join(map(size_text, given))
        raise UsageError(
            f"{source.name} takes {len(source.input_size)} numbers, such as"
            f" {size_text(source.input_size)}, and not {sizes}"
        )
    if len(given) == 1 and source.input_size:
        given *= max(1, len(required))
    if not len(required) <= len(given) <= most:
        inputs = f"{len(required)} input{'' if len(required) == 1 else 's'}"
        raise UsageError(
            f"{source.name} takes {inputs} ({', '.join(required)}), and --input was given"
            f" {len(given)} times; give it once for each"
        )
    return given


def _arguments(module: nn.Module) -> tuple[list[str], float]:
    """The names of what ``forward`` cannot do without, and how much it takes at the most."""
    try:
        takes = signature(module.forward).parameters.values()
    except (TypeError, ValueError):  # written in C++, or in TorchScript
        return [], float("inf")
    places = [each for each in takes if each.kind in BY_POSITION]
    is_open = any(each.kind is Parameter.VAR_POSITIONAL for each in takes)
    required = [each.name for each in places if each.default is Parameter.empty]
    return required, float("inf") if is_open else len(places)
