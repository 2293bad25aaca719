"""What ``cnnviz featuremaps`` prints of several images together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.cli.options import shown

if TYPE_CHECKING:
    from cnnviz.featuremaps.gather import Gathered

FLAGS = ("dead", "constant", "saturated", "nonfinite")
NAMED = 8  # channels that are named in a line


def report(gathered: Gathered, *, quiet: bool) -> str:
    """The folder; and unless ``quiet`` the layers with flagged channels, and how often."""
    if quiet:
        return f"{shown(gathered.folder)}/"
    said = gathered.said
    lines = [line for layer in said["layers"] for line in _layer(layer)]
    count = len(said["images"])
    return "\n".join(
        [
            "",
            f"{count} images together:",
            *(lines or ["  no channel was dead, constant, saturated or not finite"]),
            f"{shown(gathered.folder)}/  {len(said['layers'])} pictures of what excites the"
            " channels most, and channels.json",
        ]
    )


def _layer(layer: dict[str, Any]) -> list[str]:
    name = layer["name"] + (f"#{layer['call']}" if layer["call"] > 1 else "")
    name = "  ".join(filter(None, (layer["paper_name"], name)))
    found = [_flagged(layer, flag) for flag in FLAGS]
    return [f"  {shown(name)}: {said}" for said in found if said]


def _flagged(layer: dict[str, Any], flag: str) -> str:
    channels, images = layer["channels"], layer["images"]
    always = [channel["index"] for channel in channels if channel[flag] == images]
    sometimes = sum(0 < channel[flag] < images for channel in channels)
    parts = []
    if always:
        some = ", ".join(map(str, always[:NAMED])) + (", …" if len(always) > NAMED else "")
        parts.append(f"{len(always)} {flag} in every image ({some})")
    if sometimes:
        parts.append(f"{sometimes} {'' if always else flag + ' '}in some")
    return f"of {len(channels)} channels {', '.join(parts)}" if parts else ""
