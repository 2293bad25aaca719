"""What a folder of feature maps is called inside, and the result that tells of it. Light."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from cnnviz.render.overview import OverviewRow

INPUT, OUTPUT, PREDICTIONS = "00_input.png", "output.png", "predictions.png"
OVERVIEW, CAM = "overview.png", "cam.png"
CHANNELS = "channels.json"  # over several images
PAGE = "index.html"


@dataclass(frozen=True)
class FeatureMaps:
    """What was written for one image: the folder, and what its ``manifest.json`` says.

    ``rows`` are the overview's maps, which a run has at hand. A notebook shows its overview;
    ``explore`` gives the page.
    """

    input: Path
    folder: Path
    manifest: dict[str, Any]
    rows: Sequence[OverviewRow] = field(default=(), repr=False, compare=False)

    def explore(self, height: int = 800) -> InFrame:
        """The page that opens the network, for a notebook: ``height`` pixels high, in a sandbox.

        Raises:
            UsageError: the run wrote no page.
        """
        if not self.manifest.get("page"):
            raise UsageError("this run wrote no page; give its MapOptions a page")
        from cnnviz.explorer import in_frame  # jinja2, numpy: only when it is shown

        return InFrame(in_frame((self.folder / PAGE).read_bytes(), height))

    def _repr_html_(self) -> str | None:
        """The overview as a picture, where there is one."""
        if not self.manifest.get("overview"):
            return None
        data = base64.b64encode((self.folder / OVERVIEW).read_bytes()).decode("ascii")
        name = html.escape(f"the most active maps of {self.manifest['model']}")
        return f'<img alt="{name}" style="max-width: 100%" src="data:image/png;base64,{data}">'


@dataclass(frozen=True)
class InFrame:
    """A page as a notebook shows it."""

    markup: str

    def _repr_html_(self) -> str:
        return self.markup


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
