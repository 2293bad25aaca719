"""The window slides, the products appear, the output fills: frames, and the file they make."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from cnnviz.errors import UsageError
from cnnviz.step.painting import paint
from cnnviz.step.pipeline import Pipeline, Progress
from cnnviz.step.scenes import Slide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnviz.step.marks import Scene
    from cnnviz.step.setup import Worked

FORMATS = {"gif": "GIF", "webp": "WEBP", "apng": "PNG"}
SCALE = 0.75  # 960 x 540
COLORS = 64
NEARLY_WHITE = 243
MOST_WINDOWS = 400
UNHURRIED = 16  # windows up to which every one is shown in three pictures
PLACED, MULTIPLIED, FILLED, QUICK, PAUSE = 600, 1100, 700, 300, 3000  # milliseconds


class Frame(NamedTuple):
    """A picture and how long it stays, in milliseconds."""

    scene: Scene
    milliseconds: int


def frames(worked: Worked) -> Iterator[Frame]:
    """The convolution window by window, then the layers after it, then the whole once more.

    Raises:
        UsageError: so many windows that nobody would look on, or so many pixels that none could
            be seen.
    """
    slide = Slide(worked)
    windows = list(worked.sliding.windows())
    pools = [len(stage.pooled) for stage in worked.stages]
    if len(windows) + sum(pools) > MOST_WINDOWS:
        raise UsageError(
            f"{len(windows) + sum(pools)} windows are too many to animate; the limit is"
            f" {MOST_WINDOWS}, so take a smaller input, a larger stride or --region of an image"
        )
    slow = len(windows) <= UNHURRIED
    for number, window in enumerate(windows):
        if slow:
            yield Frame(slide.scene(window, number, products=False), PLACED)
            yield Frame(slide.scene(window, number), MULTIPLIED)
        last = number + 1 == len(windows) and not worked.stages
        stays = PAUSE if last else FILLED if slow else QUICK
        yield Frame(slide.scene(window, number + 1), stays)
    if worked.stages:
        yield from _stage_frames(worked)


def _stage_frames(worked: Worked) -> Iterator[Frame]:
    pipeline = Pipeline(worked)
    for number, stage in enumerate(worked.stages):
        yield Frame(pipeline.scene(Progress(number)), FILLED)
        stays = MULTIPLIED if len(stage.pooled) <= UNHURRIED else QUICK
        for count, pooled in enumerate(stage.pooled, 1):
            yield Frame(pipeline.scene(Progress(number, count, pooled)), stays)
    yield Frame(pipeline.scene(), PAUSE)


def encoded(frames: list[Frame], kind: str) -> bytes:
    """The frames as an animated ``gif``, ``webp`` or ``apng``, without end."""
    pictures = [paint(frame.scene, SCALE) for frame in frames]
    times = [frame.milliseconds for frame in frames]
    file = io.BytesIO()
    first, *others = _reduced(pictures) if kind != "webp" else pictures
    # Each format's own settings; those of the others are passed over.
    first.save(
        file,
        FORMATS[kind],
        save_all=True,
        append_images=others,
        duration=times,
        loop=0,
        optimize=kind == "gif",
        lossless=True,
        method=4,
    )
    return file.getvalue()


def _reduced(pictures: list[Image.Image]) -> list[Image.Image]:
    """The pictures in one palette, taken from the first and the last, with a true white."""
    first, last = pictures[0], pictures[-1]
    sheet = Image.new("RGB", (first.width, first.height * 2))
    sheet.paste(first, (0, 0))
    sheet.paste(last, (0, first.height))
    palette = sheet.quantize(COLORS, Image.Quantize.MEDIANCUT)
    colors = (palette.getpalette() or [])[: 3 * COLORS]
    for at in range(0, len(colors), 3):
        # Pillow looks colours up in steps of 4, where a near-white would be taken for the paper.
        if min(colors[at : at + 3]) > NEARLY_WHITE:
            colors[at : at + 3] = [255] * 3
    palette.putpalette(colors)
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
