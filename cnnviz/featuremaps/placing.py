"""Where a model computes, and with how many digits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from cnnviz.engines import cuda
from cnnviz.errors import CnnvizError, spoken

if TYPE_CHECKING:
    from torch import nn

    from cnnviz.models.loading import LoadedModel
    from cnnviz.models.preparing.prepared import Prepared


@dataclass(frozen=True)
class Place:
    """A device of torch's, and the type of a model's numbers."""

    device: str
    dtype: torch.dtype

    @property
    def precision(self) -> str:
        """The type by its name: float32."""
        return str(self.dtype).removeprefix("torch.")

    def taken(self, prepared: Prepared) -> Prepared:
        """The input there, in that type; a note says so where values were rounded."""
        tensor = prepared.tensor.to(self.device, self.dtype)
        steps = list(prepared.steps)
        if torch.finfo(self.dtype).bits < torch.finfo(prepared.tensor.dtype).bits:
            steps.append(f"rounded to {self.precision}")
        return replace(prepared, tensor=tensor, steps=steps)


def place_of(module: nn.Module) -> Place:
    """Where a model is: the device and type of its first parameter of real numbers.

    One without memory is as if on the CPU.
    """
    first = next((p for p in module.parameters() if p.is_floating_point()), torch.zeros(0))
    return Place("cpu" if first.is_meta else str(first.device), first.dtype)


def placed(model: LoadedModel, device: str = "cpu", precision: str | None = None) -> LoadedModel:
    """The model on a ``device``, with numbers of a ``precision`` (None: as they are).

    On a CUDA device cuDNN and TF32 are off, so that sums are as exact as the type lets them be.

    Raises:
        UsageError: there is no such device.
        CnnvizError: the model does not let itself be moved or cast.
    """
    if device != "cpu":
        cuda.on_device(device)
    dtype: Any = getattr(torch, precision) if precision else None
    here = place_of(model.module)
    if (device, dtype or here.dtype) == (here.device, here.dtype):
        return model
    try:
        return replace(model, module=model.module.to(device=device, dtype=dtype))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a model is somebody's code: it raises what it likes, exits
        said = spoken(error)
        to = " as ".join(filter(None, (device, precision)))
        raise CnnvizError(f"{model.name} cannot be put on {to}: {said}") from error
