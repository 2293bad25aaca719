"""The pictures and animations that ``cnnviz step`` writes."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import UsageError
from cnnviz.language import ENGLISH, legible, say, speaking
from cnnviz.storage import refuse_existing, write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnviz.step.marks import Scene
    from cnnviz.step.setup import Worked
    from cnnviz.step.sliding import Window

STILLS = (".png", ".svg")
ANIMATIONS = {"gif": (".gif",), "webp": (".webp",), "apng": (".png", ".apng")}
KIB = 1024


class Made(NamedTuple):
    """The bytes of a picture, and how many frames an animation has."""

    data: bytes
    frames: int = 0


class Written(NamedTuple):
    """A file that was written; see ``Target``."""

    option: str
    path: Path
    size: str
    made: Made

    @property
    def what(self) -> str:
        """Its size in pixels and on disk, and its frames."""
        kib = f"{max(1, round(len(self.made.data) / KIB)):,} KiB"
        if not self.made.frames:
            return f"{self.size}, {kib}"
        told = "{size}, {count} frames, {kib}"
        return say(told, size=self.size, count=self.made.frames, kib=kib)

    @property
    def document(self) -> dict[str, str]:
        """The same for JSON, which is English."""
        with speaking(ENGLISH):
            return {"option": self.option, "path": str(self.path), "what": self.what}


class Target(NamedTuple):
    """A file to write: the option that named it, where, and what makes its bytes.

    ``make`` gives the bytes, ``size`` is in pixels.
    """

    option: str
    path: Path
    size: str
    make: Callable[[], Made]


def still(path: Path, scene: Callable[[], Scene]) -> Target:
    """A picture of one scene, a PNG or an SVG by the name's ending.

    Raises:
        UsageError: another ending.
    """
    _refuse_ending("figure", path, STILLS)
    suffix = path.suffix.lower()
    return Target("figure", path, "1280x720", lambda: Made(_encoded(scene(), suffix)))


def steps_figure(
    figure: str, worked: Worked, window: Window | None, *, blank: bool, key: bool
) -> list[Target]:
    """The picture of ``window``, of one that tells most, or of everything if there is more to see.

    That is where there are layers after the convolution, or several maps and no window chosen.

    With ``blank`` the answers are left out, and with ``key`` too they are in a second file
    beside the first, named ``.key``.
    """
    path = Path(figure)
    targets = [still(path, lambda: scene_of(worked, window, blank=blank))]
    if blank and key:
        second = path.with_suffix(f".key{path.suffix}")
        targets.append(still(second, lambda: scene_of(worked, window, blank=False)))
    return targets


def animation(kind: str, name: str, worked: Worked) -> Target:
    """An animation of all windows.

    Raises:
        UsageError: a name with another ending.
    """
    path = Path(name)
    _refuse_ending(kind, path, ANIMATIONS[kind])

    def make() -> Made:
        from cnnviz.step.animation import encoded, frames  # Pillow: only where it is drawn

        pictures = list(frames(worked))
        return Made(encoded(pictures, kind), len(pictures))

    return Target(kind, path, "960x540", make)


def write(targets: Sequence[Target], inputs: Sequence[str], *, overwrite: bool) -> list[Written]:
    """What was written, in the language that is spoken; all is made before anything is.

    In English where no font has the other's letters.

    Raises:
        UsageError: a file exists, or is an input.
        OutputError: it cannot be written.
    """
    refuse_existing(
        [target.path for target in targets],
        [Path(name) for name in inputs if len(name) < 1000],
        overwrite=overwrite,
    )
    if not targets:
        return []
    from cnnviz.step.painting import is_lettered  # Pillow: only where it is drawn

    with legible(letters=is_lettered()):
        made = [target.make() for target in targets]
    for target, (data, _) in zip(targets, made, strict=True):
        write_bytes(target.path, data)
    return [Written(*t[:3], each) for t, each in zip(targets, made, strict=True)]


def scene_of(worked: Worked, window: Window | None, *, blank: bool) -> Scene:
    """The slide of ``window``, or of one that tells most, or of all; see ``steps_figure``."""
    sliding = worked.sliding
    if worked.stages or (window is None and len(sliding.filters) > 1):
        from cnnviz.step.pipeline import Pipeline

        return Pipeline(worked, blank).scene()
    from cnnviz.step.scenes import Slide

    return Slide(worked, blank).scene(window or sliding.window(0, *_telling(worked)))


def _telling(worked: Worked) -> tuple[int, int]:
    """The last position; of a picture that of the strongest result, as its corners are empty."""
    height, width = worked.sliding.size
    last = height - 1, width - 1
    if not worked.is_picture:
        return last
    output = worked.sliding.output[0]
    places = product(range(height), range(width))
    return max(places, key=lambda at: abs(float(output[at[0]][at[1]])), default=last)


def _encoded(scene: Scene, suffix: str) -> bytes:
    if suffix == ".svg":
        from cnnviz.step.marks import svg

        return svg(scene)
    import io

    from cnnviz.step.painting import paint

    file = io.BytesIO()
    paint(scene).quantize(256).save(file, "PNG", optimize=True)
    return file.getvalue()


def _refuse_ending(option: str, path: Path, endings: Sequence[str]) -> None:
    if path.suffix.lower() not in endings:
        raise UsageError(f"--{option} {path}: the name must end in {' or '.join(endings)}")
