"""Whether a builder takes the arguments that it is given."""

from __future__ import annotations

from inspect import Signature, signature
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable


def check_arguments(
    factory: Callable[..., Any], place: str, positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    """Raise a ``ModelError`` that names what ``factory`` takes, where these do not fit."""
    try:
        takes = signature(factory)
    except (TypeError, ValueError):  # of builtins, which do not tell
        return
    try:
        takes.bind(*positional, **named)
    except TypeError as error:
        if not takes.parameters:
            raise ModelError(f"{place} takes no arguments; leave out --model-args") from None
        raise ModelError(
            f"{place}: {error}; it takes {_parameters_text(takes)},"
            """ which --model-args gives, as in '{"name": 7}'"""
        ) from None


def _parameters_text(takes: Signature) -> str:
    """The parameters with their defaults, without types."""
    plain = [
        each.replace(annotation=Signature.empty, default=_Shown.of(each.default))
        for each in takes.parameters.values()
    ]
    return str(Signature(plain))[:400]


class _Shown:
    """A default as text of its own, short; some print a whole object over many lines."""

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def of(cls, value: Any) -> Any:
        """The same, where it is short."""
        text = " ".join(getattr(value, "__name__", repr(value)).split())
        return value if value is Signature.empty else cls(text[:60])

    def __repr__(self) -> str:
        return self.text
