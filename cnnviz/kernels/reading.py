"""Kernels from JSON, strictly: where the files lie, and what is wrong with one."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

from cnnviz.errors import KernelError
from cnnviz.kernels.kernel import Kernel, Magnitude

MAX_FILE_BYTES = 1_000_000
MAX_SIDE = 1023
MAX_DIGITS = 100

# Weights are used in float32 unless float64 is asked for: its largest number, and its smallest
# that has full precision.
LARGEST = Decimal("3.4028234e38")
SMALLEST = Decimal("1.1754944e-38")

TEXTS = ("name", "title", "description", "source")
KEYS = ("weights", "divisor", "offset", *TEXTS)
MAGNITUDE_KEYS = ("magnitude", *TEXTS)
MOST_PARTS = 16


def kernel_names() -> list[str]:
    """Names of the kernels that ship with cnnviz, in alphabetical order."""
    return sorted(path.stem for path in _library().glob("*.json"))


def load_kernel(name: str) -> Kernel | Magnitude:
    """The kernel called ``name``, or the one in the file ``name`` if that ends in ``.json``.

    Raises:
        KernelError: no such kernel, or a file that is not one; says where the fault is.
    """
    if name.lower().endswith(".json"):
        return read_kernel(Path(name))
    if name not in kernel_names():
        raise KernelError(_unknown(name))
    return read_kernel(_library() / f"{name}.json")


def read_kernel(path: Path) -> Kernel | Magnitude:
    """The kernel in a JSON file: an object with ``weights`` or ``magnitude``, or a bare matrix.

    Raises:
        KernelError: the file cannot be read or is not a kernel; names the place.
    """
    try:
        return parse_kernel(_text(path), default_name=path.stem)
    except KernelError as error:
        raise KernelError(f"{path}: {error}") from None


def parse_kernel(text: str, default_name: str = "kernel") -> Kernel | Magnitude:
    """The kernel written in ``text`` as JSON.

    Raises:
        KernelError: not JSON, or not a kernel; names line and column, or row and column.

    >>> parse_kernel("[[1, 2], [3, 4]]").shape
    (2, 2)
    >>> [part.name for part in parse_kernel('{"magnitude": ["sobel_x", "sobel_y"]}').parts]
    ['sobel_x', 'sobel_y']
    """
    document = _json(text)
    if isinstance(document, dict) and "magnitude" in document:
        return _magnitude(document, default_name)
    return _kernel(document, default_name)


def _kernel(document: Any, default_name: str) -> Kernel:
    fields = document if isinstance(document, dict) else {"weights": document}
    _refuse_unknown_keys(fields, KEYS)
    divisor = Fraction(_number(fields.get("divisor", Decimal(1)), "divisor"))
    if divisor == 0:
        raise KernelError("divisor is 0; give the number that the sum is divided by")
    weights = _matrix(fields.get("weights"))
    _refuse_beyond_float32(weights, divisor)
    return Kernel(
        weights=weights,
        divisor=divisor,
        offset=Fraction(_number(fields.get("offset", Decimal(0)), "offset")),
        **_texts(fields, default_name),
    )


def _magnitude(fields: dict[str, Any], default_name: str) -> Magnitude:
    _refuse_unknown_keys(fields, MAGNITUDE_KEYS)
    given = fields["magnitude"]
    if not isinstance(given, list) or not 2 <= len(given) <= MOST_PARTS:
        raise KernelError(
            f"magnitude is {_shown(given)}; list 2 to {MOST_PARTS} kernels,"
            ' by name or as rows of numbers: ["sobel_x", "sobel_y"]'
        )
    return Magnitude(
        parts=tuple(_part(part, number) for number, part in enumerate(given, 1)),
        **_texts(fields, default_name),
    )


def _part(given: Any, number: int) -> Kernel:
    """A kernel inside a magnitude: the name of one that ships, or written out."""
    try:
        found = load_kernel(given) if _is_name(given) else _kernel(given, f"part {number}")
    except KernelError as error:
        raise KernelError(f"part {number} of the magnitude: {error}") from None
    if isinstance(found, Magnitude):
        raise KernelError(f"part {number} of the magnitude is a magnitude itself; name its parts")
    return found


def _is_name(given: Any) -> bool:
    """Whether it names a kernel that ships; files may not name other files."""
    return isinstance(given, str) and not given.lower().endswith(".json")


def _texts(fields: dict[str, Any], default_name: str) -> dict[str, str]:
    texts = {key: _string(fields, key) for key in TEXTS}
    return {**texts, "name": texts["name"] or default_name}


def _library() -> Path:
    """The folder of shipped kernels: inside an installed package, else beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "data" / "kernels"
    return installed if installed.is_dir() else package.parent / "kernels"


def _unknown(name: str) -> str:
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(name.lower(), kernel_names(), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return f"no kernel is called {name!r}; {hint}`cnnviz kernels` lists them, FILE.json is your own"


def _text(path: Path) -> str:
    try:
        if not path.exists():
            raise KernelError("there is no such file")
        if not path.is_file():
            raise KernelError("not a regular file; name a JSON file")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KernelError(f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise KernelError(f"larger than {MAX_FILE_BYTES:,} bytes, the limit for a kernel file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise KernelError(f"byte {error.start} is not UTF-8; save the file as UTF-8") from None


def _json(text: str) -> Any:
    """``text`` as JSON, strictly: every number a ``Decimal``, no NaN, no duplicate keys."""
    try:
        return json.loads(
            text,
            parse_int=_decimal,
            parse_float=_decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise KernelError(f"not JSON: {error.msg.removesuffix(' at')} at {place}") from None
    except RecursionError:
        raise KernelError("nested too deeply; weights are rows of numbers") from None


def _decimal(digits: str) -> Decimal:
    if len(digits) > MAX_DIGITS:
        raise KernelError(f"{digits[:12]}… has {len(digits)} digits; the limit is {MAX_DIGITS}")
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise KernelError(f"{digits} is too large or too small for float32") from None


def _refuse_constant(word: str) -> None:
    raise KernelError(f"{word} is not a number that JSON or a kernel can hold")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise KernelError(f"key {_shown(twice)} appears twice; keep one")
    return fields


def _refuse_unknown_keys(fields: dict[str, Any], known: tuple[str, ...]) -> None:
    from difflib import get_close_matches

    for key in fields:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
            raise KernelError(f"unknown key {_shown(key)}; {hint}")


def _matrix(rows: Any) -> tuple[tuple[Fraction, ...], ...]:
    if rows is None:
        raise KernelError('"weights" is missing; give rows of numbers: [[1, 0], [0, -1]]')
    if not isinstance(rows, list) or not rows:
        raise KernelError(f"weights are {_shown(rows)}; give rows of numbers: [[1, 0], [0, -1]]")
    for number, row in enumerate(rows, 1):
        _refuse_uneven(number, row, rows[0])
    if max(len(rows), len(rows[0])) > MAX_SIDE:
        raise KernelError(f"weights are {len(rows)}x{len(rows[0])}; the limit is {MAX_SIDE} a side")
    return tuple(
        tuple(
            Fraction(_number(weight, f"weight in row {r}, column {c}"))
            for c, weight in enumerate(row, 1)
        )
        for r, row in enumerate(rows, 1)
    )


def _refuse_beyond_float32(weights: tuple[tuple[Fraction, ...], ...], divisor: Fraction) -> None:
    sizes = [abs(weight / divisor) for row in weights for weight in row if weight]
    for size in (max(sizes, default=None), min(sizes, default=None)):
        if size is not None and not Fraction(SMALLEST) <= size <= Fraction(LARGEST):
            raise KernelError(
                f"a weight divided by {float(divisor):g} is beyond what float32 holds"
                f" ({SMALLEST} to {LARGEST} in size); change the divisor"
            )


def _refuse_uneven(number: int, row: Any, first: Any) -> None:
    if not isinstance(row, list):
        raise KernelError(f"row {number} is {_shown(row)}, not a list of numbers")
    if not row:
        raise KernelError(f"row {number} is empty; give it numbers")
    if len(row) != len(first):
        raise KernelError(
            f"row {number} has {len(row)} weights but row 1 has {len(first)};"
            " all rows must be equally long"
        )


def _number(value: Any, what: str) -> Decimal:
    if not isinstance(value, Decimal):
        raise KernelError(f"{what} is {_shown(value)}, not a number")
    size = value.copy_abs()
    if size and not SMALLEST <= size <= LARGEST:
        limit = f"at most {LARGEST}" if size > LARGEST else f"0 or at least {SMALLEST}"
        raise KernelError(f"{what} is {value}; in float32 it must be {limit} in size")
    return value


def _string(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise KernelError(f"{key} is {_shown(value)}, not text")
    return value


def _shown(value: Any) -> str:
    """``value`` as JSON on one short line."""
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, default=_plain)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _plain(number: Decimal) -> int | float:
    """As JSON writes it; 1e999999999 as a whole number would take all memory."""
    whole = number.adjusted() < MAX_DIGITS and number == number.to_integral_value()
    return int(number) if whole else float(number)
