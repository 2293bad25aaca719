"""The text of a chain: ``conv:64,k7,s2,p3 bn relu res[ conv:64,k3,p1 / ]@2``."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, NoReturn

from cnnviz.errors import ShapeError
from cnnviz.shapes.notation import per_axis, quoted, whole_number

MOST_LAYERS = 1000
DEEPEST_NESTING = 16

TOKEN = re.compile(r"res\[|\][^\s/\]]*|/|[^\s/\[\]]+|\[")
NUMBERED = re.compile(r"(op|[kspdgm]?)(-?[0-9].*)", re.DOTALL)
DECIMAL = re.compile(r"[0-9]*\.[0-9]+")


class Arguments(NamedTuple):
    """What a layer is given, under the letters it is written with; None is its default.

    ``n`` is the bare number: channels, features, or sizes, one per axis.
    """

    n: tuple[int, ...] | None = None
    k: tuple[int, ...] | None = None
    s: tuple[int, ...] | None = None
    p: tuple[int, ...] | Literal["same", "valid"] | None = None
    d: tuple[int, ...] | None = None
    op: tuple[int, ...] | None = None
    g: int | None = None
    m: int | None = None
    nobias: bool | None = None
    ceil: bool | None = None
    probability: float | None = None


class LayerText(NamedTuple):
    """One layer as it is written: its name, its arguments, and the text itself."""

    name: str
    arguments: Arguments
    text: str


class Residual(NamedTuple):
    """Two branches whose outputs are added; an empty shortcut is the identity."""

    main: tuple[Node, ...]
    shortcut: tuple[Node, ...]


Node = LayerText | Residual


def parse_chain(text: str) -> tuple[Node, ...]:
    """The layers that ``text`` describes, repeats written out.

    Raises:
        ShapeError: not of the grammar, more than ``MOST_LAYERS`` layers, or residual brackets
            nested deeper than ``DEEPEST_NESTING``; the layer is named.

    >>> [layer.name for layer in parse_chain("conv:8,k3 relu@2")]
    ['conv', 'relu', 'relu']
    """
    return _Parser(text).chain()


def parse_layer(text: str) -> LayerText:
    """One layer, ``NAME[:ARG,…]``, without a repeat.

    Raises:
        ShapeError: an argument is not of the grammar, or given twice.
    """
    name, colon, rest = text.partition(":")
    if colon and not rest:
        raise ShapeError("nothing follows the colon")
    return LayerText(name, _arguments(rest.split(",")) if rest else Arguments(), text)


def _arguments(parts: list[str]) -> Arguments:
    given: dict[str, object] = {}
    for part in parts:
        key, value = _argument(part)
        if key in given:
            raise ShapeError(f"{quoted(part)} says again what {quoted(','.join(parts))} has said")
        given[key] = value
    return Arguments(**given)  # type: ignore[arg-type]  # _argument pairs keys with their types


def _argument(part: str) -> tuple[str, object]:
    if part in {"psame", "pvalid"}:
        return "p", part[1:]
    if part in {"nobias", "ceil"}:
        return part, True
    if DECIMAL.fullmatch(part) and len(part) <= 20:
        return "probability", float(part)
    match = NUMBERED.fullmatch(part)
    if not match:
        raise ShapeError(
            f"{quoted(part)} is not an argument; there are N, kN, sN, pN, dN, opN, gN, mN,"
            " psame, pvalid, nobias and ceil"
        )
    key, number = match.groups()
    try:
        minimum = 0 if key in {"p", "op"} else 1
        if key in {"g", "m"}:
            return key, whole_number(number, minimum)
        return key or "n", per_axis(number, minimum)
    except ShapeError as error:
        raise ShapeError(f"{quoted(part)}: {error}" if key else str(error)) from None


class _Parser:
    """Reads tokens one by one; ``count`` is how many layers they stand for so far."""

    def __init__(self, text: str) -> None:
        self.tokens = (match[0] for match in TOKEN.finditer(text))
        self.count = 0
        self.at_hand = next(self.tokens, "")

    def chain(self) -> tuple[Node, ...]:
        nodes = self._nodes(0)
        if self.at_hand:
            raise ShapeError(f"{quoted(self.at_hand)} stands outside of res[ … / … ]")
        if not nodes:
            raise ShapeError("the chain names no layer")
        return nodes

    def _nodes(self, depth: int) -> tuple[Node, ...]:
        """Layers up to the end of the branch."""
        nodes: list[Node] = []
        while self.at_hand and self.at_hand != "/" and not self.at_hand.startswith("]"):
            nodes += self._residual(depth + 1) if self.at_hand == "res[" else self._layer()
        return tuple(nodes)

    def _layer(self) -> list[Node]:
        written = self.at_hand
        text, at, repeats = written.partition("@")
        self._advance()
        try:
            layer = parse_layer(text)
            return [layer] * self._counted(1, repeats if at else "1")
        except ShapeError as error:
            self._blame(written, self.count + 1, error)

    def _residual(self, depth: int) -> list[Node]:
        if depth > DEEPEST_NESTING:
            raise ShapeError(f"res[ is nested more than {DEEPEST_NESTING} deep")
        before = self.count
        self._advance()
        main = self._nodes(depth)
        if self.at_hand != "/":
            self._blame("res[", before + 1, "it needs a / before its shortcut, which may be empty")
        self._advance()
        shortcut = self._nodes(depth)
        if not self.at_hand.startswith("]"):
            self._blame("res[", before + 1, "it is not closed; write res[ main… / shortcut… ]")
        if not main:
            self._blame("res[", before + 1, "its main branch is empty")
        bracket, at, repeats = self.at_hand.partition("@")
        self._advance()
        inside = self.count - before + 1  # its layers, and the addition
        self.count = before
        try:
            if bracket != "]":
                raise ShapeError(f"{quoted(bracket)} should be ] or ]@N")
            return [Residual(main, shortcut)] * self._counted(inside, repeats if at else "1")
        except ShapeError as error:
            self._blame("]", before + inside, error)

    def _counted(self, layers: int, repeats: str) -> int:
        times = whole_number(repeats)
        if self.count + layers * times > MOST_LAYERS:
            raise ShapeError(f"a chain has at most {MOST_LAYERS} layers, repeats counted")
        self.count += layers * times
        return times

    def _advance(self) -> None:
        self.at_hand = next(self.tokens, "")

    def _blame(self, text: str, position: int, reason: object) -> NoReturn:
        raise ShapeError(f"layer {position}, {quoted(text)}: {reason}") from None
