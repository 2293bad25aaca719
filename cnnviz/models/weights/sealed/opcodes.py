"""Follows the opcodes of a pickle as data: nothing is called or imported, whatever it asks for."""

from __future__ import annotations

import pickletools
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import TYPE_CHECKING, Any

from cnnviz.models.weights.places import CONVERT, RefusedError, brief

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

MOST_STEPS = 2_000_000  # ResNet-152's pickle has 31,570

CONSTANTS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE"),
    *("BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
VALUES: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": list,
}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
PUTS, GETS = {"PUT", "BINPUT", "LONG_BINPUT"}, {"GET", "BINGET", "LONG_BINGET"}
NOTHING = {"PROTO", "FRAME", "STOP"}
# What the methods of the same names do.
OTHERS = {
    *("MARK", "POP", "POP_MARK", "DUP", "TUPLE", "LIST", "DICT", "APPEND", "APPENDS", "SETITEM"),
    *("SETITEMS", "ADDITEMS", "FROZENSET", "MEMOIZE", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"),
    "BINPERSID",
}


class Name(str):
    """A class or function that a pickle names, as ``module.name``; never looked up."""

    __slots__ = ()


class Opaque:
    """Something that a pickle holds and that is of no use here."""


class Machine:
    """The stack and memo of one pickle.

    ``known`` says whether a name may stand in the pickle; ``call`` gives what a named thing makes
    of its arguments, ``storage`` what a persistent identifier stands for.
    """

    def __init__(
        self,
        known: Callable[[str], bool],
        call: Callable[[str, tuple[Any, ...]], Any],
        storage: Callable[[Any], Any],
    ) -> None:
        self._known, self._call, self._storage = known, call, storage
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # the stacks below each mark
        self._memo: dict[int, Any] = {}

    def run(self, stream: BinaryIO) -> Any:
        """The object that the pickle at ``stream`` describes, in plain containers.

        Sets come as lists. Time and memory are those of the pickle's length: no value is hashed
        but text and numbers, and nothing is made that the pickle does not spell out.

        Raises:
            RefusedError: it names what is not known, or is damaged.
        """
        steps = 0
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                self._step(opcode.name, argument)
                steps += 1
                if steps > MOST_STEPS:
                    raise RefusedError(f"has a pickle of over {MOST_STEPS:,} steps")
            return self._stack.pop()
        except RefusedError:
            raise
        # What a stack that does not hold what an opcode wants leads to.
        except (IndexError, KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise RefusedError("is damaged: its pickle cannot be followed to its end") from None

    def _step(self, opcode: str, argument: Any) -> None:
        if opcode in CONSTANTS:
            self._stack.append(argument)
        elif opcode in PUTS:
            self._memo[argument] = self._stack[-1]
        elif opcode in GETS:
            self._stack.append(self._memo[argument])
        elif opcode in OTHERS:
            getattr(self, f"_{opcode.lower()}")()
        elif opcode in TUPLES:
            items = self._top(TUPLES[opcode])
            self._stack.append(tuple(items))
        elif opcode in VALUES:
            self._stack.append(VALUES[opcode])
        elif opcode in EMPTY:
            self._stack.append(EMPTY[opcode]())
        elif opcode == "GLOBAL":
            self._stack.append(self._name(*argument.split(" ", 1)))
        elif opcode not in NOTHING:
            raise RefusedError(f"asks for {opcode}, which files of weights have no use for")

    def _top(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise IndexError
        items = self._stack[-count:]
        del self._stack[-count:]
        return items

    def _name(self, module: str, name: str) -> Name:
        module, name = NAME_MAPPING.get((module, name), (module, name))
        full = f"{IMPORT_MAPPING.get(module, module)}.{name}"
        if not self._known(full):
            raise RefusedError(
                f"needs {brief(full)}, and no code is run for a file; where it was made: {CONVERT}"
            )
        return Name(full)

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _pop_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_mark()

    def _dup(self) -> None:
        self._stack.append(self._stack[-1])

    def _memoize(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _tuple(self) -> None:
        items = tuple(self._pop_mark())
        self._stack.append(items)

    def _list(self) -> None:
        items = self._pop_mark()
        self._stack.append(items)

    _frozenset = _list

    def _dict(self) -> None:
        made = _filled({}, self._pop_mark())
        self._stack.append(made)

    def _append(self) -> None:
        (item,) = self._top(1)
        _extended(self._stack[-1], [item])

    def _appends(self) -> None:
        items = self._pop_mark()
        _extended(self._stack[-1], items)

    _additems = _appends

    def _setitem(self) -> None:
        pair = self._top(2)
        _filled(self._stack[-1], pair)

    def _setitems(self) -> None:
        items = self._pop_mark()
        _filled(self._stack[-1], items)

    def _stack_global(self) -> None:
        module, name = self._top(2)
        if type(module) is not str or type(name) is not str:
            raise TypeError
        self._stack.append(self._name(module, name))

    def _reduce(self) -> None:
        name, arguments = self._top(2)
        if type(name) is not Name or type(arguments) is not tuple:
            raise TypeError
        self._stack.append(self._call(name, arguments))

    _newobj = _reduce

    def _build(self) -> None:
        self._top(1)  # attributes, such as the versions beside a state dict's entries
        if type(self._stack[-1]) is Name:
            raise TypeError

    def _binpersid(self) -> None:
        (identifier,) = self._top(1)
        self._stack.append(self._storage(identifier))


def _extended(target: Any, items: list[Any]) -> None:
    if type(target) is list:
        target.extend(items)
    elif not isinstance(target, Opaque):
        raise TypeError


def _filled(target: Any, items: list[Any]) -> Any:
    """``target`` with the keys and values that alternate in ``items``."""
    if len(items) % 2 or not isinstance(target, (dict, Opaque)):
        raise TypeError
    if isinstance(target, dict):
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Anything else may hide a tree of tuples that takes for ever to hash.
            target[key if type(key) in {str, int, float, bool, bytes} else Opaque()] = value
    return target
