"""Terms and sentences of the working that is shown."""


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
    """So many of them: ``1 weight``, ``1,000 weights``."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def steps_in_words(
    size: int, padding: tuple[int, int], span: int, stride: int, count: int, unit: str
) -> str:
    """How a window of ``span`` comes to ``count`` positions, and what it leaves unread."""
    room = size + sum(padding) - span
    given, of = "", f"{size} {unit}"
    if sum(padding):
        of = str(size + sum(padding))
        given = f"{size} {unit} and {sum(padding)} of padding are {of}; "
    rounded = ""
    if room % stride:
        rounded = ", rounded up" if count > room // stride + 1 else ", rounded down"
    told = (
        f"{given}the window spans {span} of {of}, so it can move on by {room}:"
        f" {quotient(room, stride)} steps of {stride}; with the start"
        f" {quotient(room, stride)} + 1 = {quotient(room + stride, stride)} → {count}{rounded}"
    )
    rest = room - (count - 1) * stride
    unread_padding = min(rest, padding[1])
    if rest < 0:
        return f"{told}; the last window hangs over the end by {-rest}"
    if rest == 0:
        return told
    if unread_padding == rest:
        return f"{told}; left over at the end: {rest} of padding"
    some = f", {unread_padding} of it padding" if unread_padding else ""
    return f"{told}; {unit} left over at the end: {rest}{some}"
