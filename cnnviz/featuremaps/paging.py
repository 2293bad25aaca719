"""The explorer page of a run, filled as its layers are drawn."""

from __future__ import annotations

import platform
import shlex
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from cnnviz.explorer import Convolution, Explorer, Head, LayerFacts
from cnnviz.explorer.facts import INPUT
from cnnviz.summary.fields import fields_by_call
from cnnviz.version import __version__

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.capturing import LayerOutput
    from cnnviz.capturing.watch import Call
    from cnnviz.explorer import PageOptions
    from cnnviz.featuremaps.plan import Plan
    from cnnviz.models.loading import LoadedModel
    from cnnviz.models.preparing.prepared import Prepared

MAP_AXES = 3


class Paging:
    """What the page is told of each layer: where it looks, what it convolves with what."""

    def __init__(
        self,
        model: LoadedModel,
        prepared: Prepared,
        seen: NDArray[np.uint8],
        planned: Plan,
        options: PageOptions,
    ) -> None:
        given = prepared.tensor
        self._labels = model.labels
        self._fields = fields_by_call(model.module, [tuple(given.shape[1:])])
        self._given = given
        # Whose output a tensor is; what a layer writes into in place is that layer's.
        self._keys = WeakTensorKeyDictionary()
        tensor = given[0].detach().to("cpu", torch.float32).numpy()
        head = Head(model.title, model.name, seen, tensor, command_line(), versions())
        self.explorer = Explorer(head, options, planned.shapes)

    def facts(self, layer: LayerOutput, call: Call) -> LayerFacts:
        """What there is to know of a layer, while its module's run goes on."""
        reads = self._read_by(call)
        if isinstance(call.output, Tensor):
            self._keys[call.output] = layer.key
        shape = layer.shape or ()
        fields = self._fields.get(layer.key, ()) if len(shape) == MAP_AXES else ()
        named = self._labels if shape == (len(self._labels),) else ()
        count = sum(param.numel() for param in call.module.parameters()) if call.module else None
        plain = fields if len(fields) == MAP_AXES - 1 else ()
        return LayerFacts(plain, _convolution(call.module, reads), count, named)

    def _read_by(self, call: Call) -> str | None:
        """The key of what a call was given first: a layer's output, or the model's own input."""
        read = call.inputs[0] if call.inputs else None
        if not isinstance(read, Tensor):
            return None
        is_input = read.shape == self._given.shape and torch.equal(read, self._given)
        return INPUT if is_input else self._keys.get(read)


def command_line() -> str:
    """The line that was typed, as a shell takes it."""
    return shlex.join(["cnnviz", *sys.argv[1:]])


def versions() -> dict[str, str]:
    """What computed the page."""
    return {
        "cnnviz": __version__,
        "torch": torch.__version__,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _convolution(module: nn.Module | None, reads: str | None) -> Convolution | None:
    """The convolution whose sums the page can show: a plain one, with zeros around its input."""
    if type(module) is not nn.Conv2d or module.padding_mode != "zeros":
        return None
    left, _, top, _ = module._reversed_padding_repeated_twice
    return Convolution(
        _array(module.weight),
        None if module.bias is None else _array(module.bias),
        reads,
        (module.stride[0], module.stride[1]),
        (top, left),
        (module.dilation[0], module.dilation[1]),
        module.groups,
    )


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().to("cpu", torch.float32).numpy()
    return array
