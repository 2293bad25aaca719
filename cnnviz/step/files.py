"""The pictures and animations that ``cnnviz step`` writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import UsageError
from cnnviz.storage import refuse_existing, write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnviz.step.marks import Scene
    from cnnviz.step.setup import Worked
    from cnnviz.step.sliding import Window

STILLS = (".png", ".svg")
ANIMATIONS = {"gif": (".gif",), "webp": (".webp",), "apng": (".png", ".apng")}
KIB = 1024


class Target(NamedTuple):
    """A file to write: the option that named it, where, and what makes its bytes.

    ``make`` gives the bytes and what to say of them.
    """

    option: str
    path: Path
    make: Callable[[], tuple[bytes, str]]


def still(path: Path, scene: Callable[[], Scene]) -> Target:
    """A picture of one scene, a PNG or an SVG by the name's ending.

    Raises:
        UsageError: another ending.
    """
    _refuse_ending("figure", path, STILLS)
    return Target("figure", path, lambda: (_encoded(scene(), path.suffix.lower()), "1280x720"))


def steps_figure(
    figure: str, worked: Worked, window: Window | None, *, blank: bool, key: bool
) -> list[Target]:
    """The picture of ``window``, or of the last one; of everything where there is more to see.

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

    def make() -> tuple[bytes, str]:
        from cnnviz.step.animation import encoded, frames  # Pillow: only where it is drawn

        pictures = list(frames(worked))
        return encoded(pictures, kind), f"960x540, {len(pictures)} frames"

    return Target(kind, path, make)


def write(
    targets: Sequence[Target], inputs: Sequence[str], *, overwrite: bool
) -> list[dict[str, str]]:
    """What was written, as ``{"option", "path", "what"}``; all is made before anything is.

    Raises:
        UsageError: a file exists, or is an input.
        OutputError: it cannot be written.
    """
    refuse_existing(
        [target.path for target in targets],
        [Path(name) for name in inputs if len(name) < 1000],
        overwrite=overwrite,
    )
    made = [(target, *target.make()) for target in targets]
    written = []
    for target, data, what in made:
        write_bytes(target.path, data)
        size = f"{max(1, round(len(data) / KIB)):,} KiB"
        written.append(
            {"option": target.option, "path": str(target.path), "what": f"{what}, {size}"}
        )
    return written


def scene_of(worked: Worked, window: Window | None, *, blank: bool) -> Scene:
    """The slide of ``window``, of the last one, or of all stages; see ``steps_figure``."""
    sliding = worked.sliding
    if worked.stages or (window is None and len(sliding.filters) > 1):
        from cnnviz.step.pipeline import Pipeline

        return Pipeline(worked, blank).scene()
    from cnnviz.step.scenes import Slide

    height, width = sliding.size
    return Slide(worked, blank).scene(window or sliding.window(0, height - 1, width - 1))


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
