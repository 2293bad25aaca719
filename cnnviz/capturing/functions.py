"""The functions that a module's own code calls: torch.cat, x + y, functional.relu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from cnnviz.capturing.watch import Watch

# x += y and x + y are one function to the reader.
OPERATORS = {"iadd": "add", "radd": "add", "isub": "sub", "imul": "mul", "rmul": "mul"}
OPERATORS |= {"itruediv": "div", "truediv": "div", "rtruediv": "div", "imatmul": "matmul"}
OPERATORS |= {"concat": "cat", "concatenate": "cat", "ipow": "pow", "rpow": "pow"}

# These arrange, copy or cast values that a row before shows, or make empty tensors.
ARRANGING = {
    *("view", "view_as", "reshape", "reshape_as", "permute", "transpose", "swapaxes", "swapdims"),
    *("flatten", "unflatten", "contiguous", "expand", "expand_as", "getitem", "squeeze", "t"),
    *("unsqueeze", "chunk", "split", "tensor_split", "unbind", "movedim", "to", "type", "type_as"),
    *("float", "half", "double", "bfloat16", "clone", "detach", "cpu", "cuda", "requires_grad"),
    *("repeat", "narrow", "select", "unfold", "unsafe_chunk", "roll", "moveaxis", "broadcast_to"),
    *("data", "T", "H", "mT", "mH", "real", "imag", "grad", "adjoint", "iter", "copy", "int"),
    *("long", "bool", "as_strided", "split_with_sizes", "unsafe_split", "tile", "alias"),
}


def is_arranging(name: str) -> bool:
    """Whether a function computes nothing that a reader wants to see."""
    return name in ARRANGING or name.startswith("new_") or name.endswith("_like")


def name_of(func: Any) -> str:
    """What a reader calls a function of torch: relu of relu_, add of __iadd__, mT of its getter."""
    name: str = getattr(func, "__name__", "function")
    if name == "__get__":
        name = getattr(getattr(func, "__self__", None), "__name__", name)
    plain = name.partition(".")[0].strip("_")  # operators of torch.export are called relu.default
    return OPERATORS.get(plain, plain)


class Functions(TorchFunctionMode):
    """Within, a watch is told of every function of torch that is called."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run ``func`` and report it."""
        output = func(*args, **(kwargs or {}))
        if not self.watch.busy:
            self.watch.function(name_of(func), args, kwargs or {}, output)
        return output
