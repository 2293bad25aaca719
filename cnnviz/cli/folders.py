"""Which folders ``featuremaps`` writes into."""

from __future__ import annotations

import re
from pathlib import Path

from cnnviz.errors import UsageError
from cnnviz.featuremaps.folder import CHANNELS
from cnnviz.featuremaps.options import MANIFEST
from cnnviz.storage import STANDARD_STREAM


def is_result(path: Path) -> bool:
    """Whether an image lies in a folder that this command has made."""
    return any(_is_ours(path.with_name(name)) for name in (MANIFEST, CHANNELS))


def _is_ours(manifest: Path) -> bool:
    try:
        with manifest.open("rb") as file:
            return b'"cnnviz"' in file.read(64)
    except OSError:
        return False


def together_of(model: str, output: str | None) -> Path:
    """Where the results over all images go."""
    return Path(output or "") / f"channels.{_short(model)}"


def folders_of(
    images: dict[Path, Path], model: str, output: str | None, ending: str
) -> dict[Path, Path]:
    """Where each image's results go: ``output`` itself for one image, else folders in it."""
    if output == "":
        raise UsageError("--output is empty; name a folder")
    if output and Path(output) == STANDARD_STREAM:
        raise UsageError("results are a folder of files, which standard output cannot hold")
    if output and len(images) == 1:
        return dict.fromkeys(images, Path(output))
    stems = {image: _stem(image) for image in images}
    base, name = Path(output or ""), f"{_short(model)}{ending}"
    return {image: base / sub / f"{stems[image]}.{name}" for image, sub in images.items()}


def _stem(image: Path) -> str:
    """An image's part of its folder's name."""
    return "stdin" if image == STANDARD_STREAM else image.stem.replace(":", "_")


def _short(model: str) -> str:
    """A model's name as part of a folder's: NET of path/file.py:NET, FILE of path/FILE.pt."""
    last = model.rpartition(":")[2] or model
    plain = Path(last).stem if "/" in last or last.endswith((".pt", ".pt2")) else last
    return re.sub(r"[^\w.-]+", "_", plain).strip("_.")[:80] or "model"
