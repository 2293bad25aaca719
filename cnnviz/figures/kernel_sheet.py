"""The sheet of one kernel: weights and frequency response above, what it answers to below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cnnviz.figures import panels, words
from cnnviz.figures.drawings import EDGE, KERNEL_COLORS, PALER
from cnnviz.figures.responses import frequency_response, probes, response
from cnnviz.figures.style import (
    DPI,
    drawing_alone,
    encoded,
    language_fonts,
    lettering,
    own_settings,
    shade,
    text_width,
    write_line,
)
from cnnviz.kernels import Kernel
from cnnviz.kernels.analysis import factors
from cnnviz.kernels.wording import separability_text, symmetry_text
from cnnviz.language import described, say, titled
from cnnviz.render.canvas import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cnnviz.kernels import Magnitude

WIDTH, HEIGHT, MARGIN = 40 / 3, 7.5, 0.45  # inches
TITLE_TEXT, SUBTITLE_TEXT, PANEL_TEXT, NOTE_TEXT, FOOT_TEXT = 22, 13.5, 14, 11.5, 10.5  # points
TOP, SIDE = 6.05, 2.55  # upper edge and side of the pictures of the upper row
LOWER_TOP, PROBE, ANSWER, APART = 2.45, 0.62, 1.55, 0.12  # of the lower row
FACTS, LINE = 7.7, 0.235  # where facts begin, lines apart
MOST_PARTS, MOST_LINES = 2, 14
ROUNDED = 1e-12  # of the largest; what is below it is a rounding error


def draw(kernel: Kernel | Magnitude, suffix: str) -> bytes:
    """The file of the sheet; see ``cnnviz.figures.kernel.draw_kernel``."""
    texts = (kernel.name, kernel.title, kernel.description, kernel.source)
    fonts, instead = lettering([*texts, *(part.name for part in kernel.parts)])
    fonts = [fonts[0], *language_fonts(), *fonts[1:]]
    with drawing_alone, own_settings(fonts):
        return encoded(build(kernel, instead), suffix)


def build(kernel: Kernel | Magnitude, instead: dict[int, str]) -> Figure:
    """The figure, with ``instead`` of characters that cannot be drawn."""
    figure = Figure((WIDTH, HEIGHT), dpi=DPI)
    title = f"{kernel.name}  {words.size(np.empty(kernel.shape))}".translate(instead)
    write_line(figure, title, MARGIN, 6.98, TITLE_TEXT, shade(INK), weight="bold")
    subtitle = titled(kernel.title).translate(instead)
    write_line(figure, subtitle, MARGIN, 6.66, SUBTITLE_TEXT, shade(FAINT))
    shown = kernel.parts[:MOST_PARTS]
    apart = SIDE + 0.35
    for number, part in enumerate(shown):
        _weights(figure, part, MARGIN + number * apart, part.name.translate(instead))
    beside = MARGIN + len(shown) * apart + 0.45
    _frequencies(figure, kernel, beside)
    _facts(figure, kernel, max(FACTS, beside + SIDE + 1.3), instead)
    _answers(figure, kernel)
    write_line(figure, _foot(kernel), MARGIN, 0.2, FOOT_TEXT, shade(FAINT))
    return figure


def _weights(figure: Figure, kernel: Kernel, x: float, name: str) -> None:
    rows, columns = kernel.shape
    side = SIDE / max(kernel.shape)
    axes = _axes(figure, x, TOP - rows * side, columns * side, rows * side)
    panels.kernel_panel(kernel, SIDE).draw(axes)
    title = say("{name}: weights", name=name)
    write_line(figure, title, x, TOP + 0.12, PANEL_TEXT, shade(INK), SIDE, "bold")


def _frequencies(figure: Figure, kernel: Kernel | Magnitude, x: float) -> None:
    """Draw |H|, with 0 in the middle, and its colour bar."""
    values = frequency_response(kernel)
    top = float(values.max()) or 1.0
    axes = _axes(figure, x, TOP - SIDE, SIDE, SIDE)
    norm = Normalize(0, top)
    axes.imshow(values, cmap="viridis", norm=norm, extent=(-0.5, 0.5, 0.5, -0.5), aspect="auto")
    axes.set(xticks=(-0.5, 0, 0.5), yticks=(-0.5, 0, 0.5))
    bar = _axes(figure, x + SIDE + 0.1, TOP - SIDE, 0.15, SIDE)
    Colorbar(bar, ScalarMappable(norm, "viridis"))
    bar.set_yticks((0, top), ("0", words.number(top)))
    for each in (axes, bar):
        _quiet(each)
    title = say("frequency response |H|")
    write_line(figure, title, x, TOP + 0.12, PANEL_TEXT, shade(INK), SIDE + 0.9, "bold")


def _facts(figure: Figure, kernel: Kernel | Magnitude, x: float, instead: dict[int, str]) -> None:
    """Write sum, symmetry, factors, description and source in lines."""
    width, y = WIDTH - MARGIN - x, TOP + 0.12
    lines = [(line, INK) for fact in _properties(kernel) for line in _wrapped(fact, width)]
    for text in filter(None, (described(kernel.description), kernel.source)):
        wrapped = _wrapped(text.translate(instead), width)
        lines += [("", FAINT), *((line, FAINT) for line in wrapped)]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1] = "…", FAINT
    for line, color in lines[:MOST_LINES]:
        write_line(figure, line, x, y, NOTE_TEXT, shade(color), width)
        y -= LINE


def _wrapped(text: str, width: float) -> list[str]:
    """The words in lines of at most ``width`` inches; a word that is longer has one of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, NOTE_TEXT) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _properties(kernel: Kernel | Magnitude) -> list[str]:
    if isinstance(kernel, Kernel):
        symmetry, separability = symmetry_text(kernel), separability_text(kernel)
        return [
            say("sum: {text}", text=words.number(float(kernel.sum))),
            say("symmetry: {text}", text=words.minus(symmetry)),
            say("separable: {text}", text=words.minus(separability)),
        ]
    said = [f"√({' + '.join(f'{part.name}²' for part in kernel.parts)})"]
    return [*said, *(f"{part.name}, {words.product(factors(part))}" for part in kernel.parts)]


def _answers(figure: Figure, kernel: Kernel | Magnitude) -> None:
    """Draw each test picture, small, and what the kernel makes of it, all in one scale."""
    pictures = probes(kernel)
    answers = {name: response(kernel, picture) for name, picture in pictures.items()}
    top = max(float(np.abs(answer).max()) for answer in answers.values()) or 1.0
    norm = Normalize(-PALER * top, PALER * top)
    step = (WIDTH - 2 * MARGIN) / len(pictures)
    for number, (name, answer) in enumerate(answers.items()):
        x = MARGIN + number * step
        small = _axes(figure, x, LOWER_TOP - PROBE, PROBE, PROBE)
        small.imshow(pictures[name], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        large = _axes(figure, x + PROBE + APART, LOWER_TOP - ANSWER, ANSWER, ANSWER)
        colors = KERNEL_COLORS(norm(answer))[..., :3]
        large.imshow(colors, interpolation="nearest", aspect="auto")
        for axes in (small, large):
            axes.set(xticks=[], yticks=[])
            _quiet(axes)
        title, y = say(name), LOWER_TOP + 0.12
        write_line(figure, title, x, y, PANEL_TEXT, shade(INK), step - 0.2, "bold")
        below = LOWER_TOP - ANSWER - 0.2
        exact = np.where(np.abs(answer) < ROUNDED * top, 0, answer)
        write_line(
            figure, words.extent(exact), x + PROBE + APART, below, NOTE_TEXT, shade(FAINT), ANSWER
        )


def _foot(kernel: Kernel | Magnitude) -> str:
    told = "Frequencies are in cycles per pixel, down and across; the middle is a flat image"
    said = [say(told), say("answers: red above 0, blue below, all in one scale")]
    if isinstance(kernel, Kernel):
        said.append(say("a dot answers with the kernel turned by 180°"))
    if (rest := len(kernel.parts) - MOST_PARTS) > 0:
        said.append(say("{count} more kernels are not shown", count=rest))
    if any(part.offset for part in kernel.parts):
        said.append(say("without the offset"))
    return "   ·   ".join(said)


def _axes(figure: Figure, x: float, y: float, width: float, height: float) -> Axes:
    return figure.add_axes((x / WIDTH, y / HEIGHT, width / WIDTH, height / HEIGHT))


def _quiet(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_color(EDGE)
    axes.tick_params(labelsize=9, color=EDGE, labelcolor=shade(FAINT), length=3)
