"""``net.py:Net``, ``package.module:factory`` or ``package:Factory("x").attribute``, taken apart.

Nothing of the text is run: a call's arguments are plain values, read by ``ast.literal_eval``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME_AND_NAME = re.compile(r"(?P<home>.*?\.py|[^:]*):(?P<name>.+)", re.DOTALL)
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class Call:
    """What to take from ``home``, a file or a package's module.

    ``name`` is called with ``positional`` and ``named`` where it is not a module already;
    ``attribute`` is a dotted name to take from what it returns.
    """

    home: str
    name: str
    positional: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    attribute: str = ""

    @property
    def place(self) -> str:
        """Where the class or factory is, as a user wrote it."""
        return f"{self.home}:{self.name}"

    def given(self, named: Mapping[str, Any]) -> Call:
        """The same call with more named arguments, which win over those in the text."""
        return replace(self, named={**self.named, **named})


def read_call(text: str) -> Call:
    """The call that ``text`` writes.

    Raises:
        ModelError: it is not of that form.

    >>> read_call('ultralytics:YOLO("yolov3.yaml").model').attribute
    'model'
    """
    match = HOME_AND_NAME.fullmatch(text)
    if not match or not match["home"]:
        raise ModelError(f"{text!r} is not FILE.py:CLASS or PACKAGE.MODULE:CLASS")
    home, name = match["home"], match["name"]
    if DOTTED.fullmatch(name):
        return Call(home, name)
    try:
        return _parsed(home, ast.parse(name, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ModelError(
            f"{name[:80]!r} after the colon is not a name, nor a call with plain values such as"
            ' YOLO("yolov3.yaml").model; write a factory of your own that returns the model'
        ) from None


def _parsed(home: str, node: ast.expr) -> Call:
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Call):
        raise ValueError("no call")
    called = ast.unparse(node.func)
    if not DOTTED.fullmatch(called) or any(keyword.arg is None for keyword in node.keywords):
        raise ValueError("not a plain call")
    return Call(
        home,
        called,
        tuple(ast.literal_eval(value) for value in node.args),
        {str(each.arg): ast.literal_eval(each.value) for each in node.keywords},
        ".".join(attributes),
    )
