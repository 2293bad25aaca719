"""The text of a chain: ``conv:64,k7,s2,p3 bn relu res[ conv:64,k3,p1 / ]@2``."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, NoReturn

from cnnviz.errors import ShapeError
from cnnviz.shapes.axes import MODES
from cnnviz.shapes.notation import both_ends, per_axis, quoted, whole_number

MOST_LAYERS = 1000
DEEPEST_NESTING = 16

TOKEN = re.compile(r"(?:res|cat)\[|\][^\s/\]]*|/|[^\s/\[\]]+|\[")
NUMBERED = re.compile(r"(op|[kspdgm]?)(-?[0-9].*)", re.DOTALL)
FORMS = {"res[": "res[ main… / shortcut… ]", "cat[": "cat[ branch… / branch… ]"}
DECIMAL = re.compile(r"[0-9]*\.[0-9]+")


ENTIRE: dict[str, tuple[str, object]] = {  # arguments that carry no number
    "psame": ("p", "same"),
    "pvalid": ("p", "valid"),
    **{name: (name, True) for name in ("nobias", "ceil", "affine")},
    **{name: ("mode", name) for name in MODES},
}


class Arguments(NamedTuple):
    """What a layer is given, under the letters it is written with; None is its default.

    ``n`` is the bare number: channels, features, or sizes, one per axis; ``ends`` is padding that
    differs before and after an axis.
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
    affine: bool | None = None
    mode: str | None = None
    ends: tuple[tuple[int, int], ...] | None = None
    probability: float | None = None


class LayerText(NamedTuple):
    """One layer as it is written: its name, its arguments, and the text itself."""

    name: str
    arguments: Arguments
    text: str


class Branches(NamedTuple):
    """Branches from one input, of which an empty one is the identity.

    ``name`` says how they end: ``res`` adds two, ``cat`` lays the channels of all one after the
    other.
    """

    name: str
    branches: tuple[tuple[Node, ...], ...]

    @property
    def text(self) -> str:
        """How it is written, its layers left out."""
        return f"{self.name}[ … ]"


Node = LayerText | Branches


def parse_chain(text: str) -> tuple[Node, ...]:
    """The layers that ``text`` describes, repeats written out.

    Raises:
        ShapeError: not of the grammar, more than ``MOST_LAYERS`` layers, or brackets nested
            deeper than ``DEEPEST_NESTING``; the layer is named.

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
        if key in given and key == "n":
            raise ShapeError(
                f"{quoted(part)} is a second bare number; one per axis is written 3x5,"
                " and other numbers have a letter, such as k3"
            )
        if key in given:
            raise ShapeError(f"{quoted(part)} says again what {quoted(','.join(parts))} has said")
        given[key] = value
    return Arguments(**given)  # type: ignore[arg-type]  # _argument pairs keys with their types


def _argument(part: str) -> tuple[str, object]:
    if part in ENTIRE:
        return ENTIRE[part]
    if not part:
        raise ShapeError("a comma has nothing beside it; write no spaces, such as conv:64,k3,p1")
    if DECIMAL.fullmatch(part) and len(part) <= 20:
        return "probability", float(part)
    match = NUMBERED.fullmatch(part)
    if not match:
        raise ShapeError(
            f"{quoted(part)} is not an argument; there are N, kN, sN, pN, dN, opN, gN, mN,"
            " psame, pvalid, nobias, ceil, affine and bilinear"
        )
    key, number = match.groups()
    try:
        minimum = 0 if key in {"", "p", "op"} else 1  # pad:0 and dropout:0 are layers
        if key in {"g", "m"}:
            return key, whole_number(number, minimum)
        if key in {"", "p"} and "+" in number:
            return "ends", both_ends(number)
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
            raise ShapeError(f"{quoted(self.at_hand)} stands outside of res[ … ] and cat[ … ]")
        if not nodes:
            raise ShapeError("the chain names no layer")
        return nodes

    def _nodes(self, depth: int) -> tuple[Node, ...]:
        """Layers up to the end of the branch."""
        nodes: list[Node] = []
        while self.at_hand and self.at_hand != "/" and not self.at_hand.startswith("]"):
            nodes += self._fork(depth + 1) if self.at_hand in FORMS else self._layer()
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

    def _fork(self, depth: int) -> list[Node]:
        opening = self.at_hand
        if depth > DEEPEST_NESTING:
            raise ShapeError(f"{opening} is nested more than {DEEPEST_NESTING} deep")
        before = self.count
        branches = self._branches(depth)
        reason = _misuse(opening, branches, closed=self.at_hand.startswith("]"))
        if reason:
            self._blame(opening, before + 1, reason)
        bracket, at, repeats = self.at_hand.partition("@")
        self._advance()
        inside = self.count - before + 1  # its layers, and what joins them
        self.count = before
        try:
            if bracket != "]":
                raise ShapeError(f"{quoted(bracket)} should be ] or ]@N")
            node = Branches(opening[:-1], branches)
            return [node] * self._counted(inside, repeats if at else "1")
        except ShapeError as error:
            self._blame("]", before + inside, error)

    def _branches(self, depth: int) -> tuple[tuple[Node, ...], ...]:
        """What stands between the slashes, up to the closing bracket."""
        branches: list[tuple[Node, ...]] = []
        while not branches or self.at_hand == "/":
            self._advance()
            branches.append(self._nodes(depth))
        return tuple(branches)

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


def _misuse(opening: str, branches: tuple[tuple[Node, ...], ...], *, closed: bool) -> str:
    """Why there cannot be such branches; nothing where there can."""
    if not closed:
        return f"it is not closed; write {FORMS[opening]}"
    if len(branches) < 2:
        return f"it needs a / between its branches, of which one may be empty: {FORMS[opening]}"
    if opening == "res[" and len(branches) > 2:
        return f"it has {len(branches)} branches, but two are added; cat[ takes more"
    if not any(branches) or (opening == "res[" and not branches[0]):
        return "its main branch is empty" if opening == "res[" else "all its branches are empty"
    return ""
