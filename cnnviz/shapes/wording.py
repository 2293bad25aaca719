"""Terms and sentences of the working that is shown."""

from cnnviz.language import say


def padding_text(padding: tuple[int, int]) -> str:
    """The padding of both ends as a term: ``2*1``, or ``1 + 2``."""
    before, after = padding
    return f"2*{before}" if before == after else f"{before} + {after}"


def quotient(dividend: int, divisor: int) -> str:
    """``dividend / divisor`` to four decimals; as a fraction where that would read as whole.

    >>> quotient(299, 2), quotient(299_999, 300_000)
    ('149.5', '299999 / 300000')
    """
    text = f"{dividend / divisor:.4f}".rstrip("0").rstrip(".")
    return f"{dividend} / {divisor}" if "." not in text and dividend % divisor else text


def product(factors: tuple[int, ...]) -> str:
    """The factors as a term: ``64*3*7*7``."""
    return "*".join(map(str, factors))


def many(count: int, one: str, more: str = "") -> str:
    """So many of them: ``1 weight``, ``1,000 weights``; the other language counts by ``one``."""
    told = say(one, count=f"{count:,}")
    return told if told != one else f"{count:,} {one if count == 1 else more or one + 's'}"


def steps_in_words(
    size: int, padding: tuple[int, int], span: int, stride: int, count: int, unit: str
) -> str:
    """How a window of ``span`` comes to ``count`` positions, and what it leaves unread."""
    room = size + sum(padding) - span
    given, of = "", say("{size} {unit}", size=size, unit=unit)
    if sum(padding):
        of = str(size + sum(padding))
        sizes = {"size": size, "unit": unit, "padding": sum(padding), "of": of}
        given = say("{size} {unit} and {padding} of padding are {of}; ", **sizes)
    told = say(
        "the window spans {span} of {of}, so it can move on by {room}: {steps} steps of {stride};"
        " with the start {steps} + 1 = {total} → {count}",
        span=span,
        of=of,
        room=room,
        steps=quotient(room, stride),
        stride=stride,
        total=quotient(room + stride, stride),
        count=count,
        unit=unit,
    )
    if room % stride:
        up = count > room // stride + 1
        told += say(", rounded up") if up else say(", rounded down")
    return given + told + _left_over(room - (count - 1) * stride, padding[1], unit)


def _left_over(rest: int, padding: int, unit: str) -> str:
    """What lies between the last window and the end, of which so much is ``padding`` at most."""
    if rest < 0:
        return say("; the last window hangs over the end by {more}", more=-rest, unit=unit)
    if rest == 0:
        return ""
    if padding >= rest:
        return say("; left over at the end: {rest} of padding", rest=rest, unit=unit)
    some = say(", {padding} of it padding", padding=padding) if padding else ""
    return say("; {unit} left over at the end: {rest}", rest=rest, unit=unit) + some
