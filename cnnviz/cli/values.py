"""The types of values that options of more than one command take."""

from __future__ import annotations

import re
from typing import Any

import click

from cnnviz.shapes.notation import CROSS, WHOLE, quoted

ARGUMENTS_HINT = """; write names and values in braces, such as '{"num_classes": 7}'"""
TOO_LONG = re.compile(r"[0-9]{10}")


class WholeNumber(click.ParamType[int]):
    """A whole number in plain digits, at least ``minimum`` and at most ``maximum``."""

    name = "n"

    def __init__(self, minimum: int = 1, maximum: int | None = None) -> None:
        self.minimum, self.maximum = minimum, maximum

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        Raises:
            click.BadParameter: not a whole number, or beyond the limits.
        """
        number = int(value) if re.fullmatch(rf"-?{WHOLE}", str(value)) else None
        if number is None:
            self.fail(f"{value!r} is not a whole number of at most 9 digits", param, ctx)
        if number < self.minimum:
            self.fail(f"{number} is below {self.minimum}", param, ctx)
        if self.maximum is not None and number > self.maximum:
            self.fail(f"{number} is above {self.maximum}", param, ctx)
        return number


class Size(click.ParamType[Any]):
    """HEIGHTxWIDTH, CHANNELSxHEIGHTxWIDTH, or what the layer needs."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """One to four numbers.

        Raises:
            click.BadParameter: not of that form, or a number is 0.
        """
        if re.fullmatch(rf"[0-9]+(?:{CROSS}[0-9]+){{0,3}}", value) and TOO_LONG.search(value):
            self.fail(f"{quoted(value)} is too large; a number has at most 9 digits", param, ctx)
        if not re.fullmatch(rf"{WHOLE}(?:{CROSS}{WHOLE}){{0,3}}", value):
            self.fail(
                f"{quoted(value)} is not a size; write HEIGHTxWIDTH such as 300x400,"
                " or CHANNELSxHEIGHTxWIDTH",
                param,
                ctx,
            )
        numbers = tuple(int(n) for n in re.split(CROSS, value))
        if min(numbers) < 1:
            self.fail(f"{value!r} has a 0; every number must be at least 1", param, ctx)
        return numbers


class Pair(click.ParamType[Any]):
    """One number for height and width, or HxW: ``3`` or ``3x5``."""

    name = "n|hxw"

    def __init__(self, minimum: int = 1) -> None:
        self.minimum = minimum

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """(along height, along width).

        Raises:
            click.BadParameter: not of that form, or below the minimum.
        """
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(rf"-?{WHOLE}({CROSS}-?{WHOLE})?", str(value)):
            self.fail(f"{value!r} is neither a whole number nor HEIGHTxWIDTH", param, ctx)
        numbers = [int(n) for n in re.split(CROSS, value)]
        if min(numbers) < self.minimum:
            self.fail(f"{min(numbers)} is below {self.minimum}", param, ctx)
        return numbers[0], numbers[-1]


class Place(click.ParamType[Any]):
    """A row and a column, counted from 0: ``0,2``."""

    name = "row,col"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """(row, column).

        Raises:
            click.BadParameter: not of that form.
        """
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(rf"{WHOLE}, ?{WHOLE}", str(value)):
            self.fail(
                f"{quoted(str(value))} is not ROW,COL, counted from 0, such as 0,2", param, ctx
            )
        row, column = map(int, value.split(","))
        return row, column


class Padding(Pair):
    """As ``Pair``, or a word: ``same`` or ``valid``."""

    name = "same|valid|n|hxw"

    def convert(  # type: ignore[override]  # a word is no pair
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[int, int]:
        """The word, or (along height, along width).

        Raises:
            click.BadParameter: not of that form.
        """
        if value in {"same", "valid"}:
            return str(value)
        if isinstance(value, str) and value[:1].isalpha():
            self.fail(f"{value!r} is not same, valid, a whole number or HEIGHTxWIDTH", param, ctx)
        return super().convert(value, param, ctx)


class Device(click.ParamType[str]):
    """One of torch's devices: ``cpu``, ``cuda`` or ``cuda:N``."""

    name = "cpu|cuda|cuda:n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as torch writes it.

        Raises:
            click.BadParameter: not of that form.
        """
        if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", str(value)):
            self.fail(f"{value!r} is not cpu, cuda or cuda:N", param, ctx)
        return str(value)


class Arguments(click.ParamType[Any]):
    """Named arguments as a JSON object: ``{"num_classes": 7}``."""

    name = "json"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        """The arguments by name.

        Raises:
            click.BadParameter: not a JSON object.
        """
        if isinstance(value, dict):
            return value
        import json  # only where it is given

        try:
            found = json.loads(value)
        except (ValueError, RecursionError) as error:
            self.fail(f"{quoted(value)} is not JSON: {error}{ARGUMENTS_HINT}", param, ctx)
        if not isinstance(found, dict):
            self.fail(f"{quoted(value)} is no JSON object{ARGUMENTS_HINT}", param, ctx)
        return found
