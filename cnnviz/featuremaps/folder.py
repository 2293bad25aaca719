"""What a folder of feature maps is called inside, and the result that tells of it. Light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

INPUT, OUTPUT, PREDICTIONS = "00_input.png", "output.png", "predictions.png"
OVERVIEW, CAM = "overview.png", "cam.png"
CHANNELS = "channels.json"  # over several images
PAGE = "index.html"


@dataclass(frozen=True)
class FeatureMaps:
    """What was written for one image: the folder, and what its ``manifest.json`` says."""

    input: Path
    folder: Path
    manifest: dict[str, Any]


def file_of(number: int, total: int, key: str, what: str = "") -> str:
    """The name of a layer's picture, with numbers as long as that of the last of ``total``.

    ``what`` is the end of the name of further pictures: ".overlay".
    """
    return f"{number:0{max(2, len(str(total)))}}_{safe_name(key)}{what}.png"


def safe_name(key: str) -> str:
    """A layer's key as part of a file's name: anything odd becomes "_"."""
    return "".join(char if char.isalnum() or char in ".-_#" else "_" for char in key)[:120]


def key_of(entry: dict[str, Any]) -> str:
    """The key of a layer, from its entry in the manifest: the name, with ``#call`` from 2 on."""
    name, call = str(entry["name"]), int(entry["call"])
    return name if call == 1 else f"{name}#{call}"
