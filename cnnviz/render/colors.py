"""Colour maps as tables of 256 colours; the names are matplotlib's, and so are the colours."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Color = tuple[int, int, int]

IN_OPENCV = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "magma": cv2.COLORMAP_MAGMA,
    "inferno": cv2.COLORMAP_INFERNO,
    "plasma": cv2.COLORMAP_PLASMA,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "turbo": cv2.COLORMAP_TURBO,
}
# ColorBrewer's eleven colours, between which matplotlib goes in straight lines.
ANCHORS = {
    "RdBu": "67001f b2182b d6604d f4a582 fddbc7 f7f7f7 d1e5f0 92c5de 4393c3 2166ac 053061",
    "PuOr": "7f3b08 b35806 e08214 fdb863 fee0b6 f7f7f7 d8daeb b2abd2 8073ac 542788 2d004b",
}

# What a NaN looks like: the first that the colour map does not have itself.
NOT_FINITE: tuple[Color, ...] = ((190, 30, 45), (0, 190, 60), (255, 0, 220))
FAR = 60  # of 255, in any of red, green and blue


@cache
def table(name: str) -> Pixels:
    """RGB (256, 3) of the colour map of that name, from its low end to its high one."""
    if name.endswith("_r"):
        return np.ascontiguousarray(table(name.removesuffix("_r"))[::-1])
    levels = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    if name == "gray":
        return np.repeat(levels, 3, axis=1)
    if name in IN_OPENCV:
        bgr = cv2.applyColorMap(levels, IN_OPENCV[name])
        return np.ascontiguousarray(np.asarray(bgr, np.uint8)[:, 0, ::-1])
    anchors = np.array([list(bytes.fromhex(color)) for color in ANCHORS[name].split()])
    places = np.linspace(0, 1, len(anchors))
    share = np.linspace(0, 1, 256)
    channels = [np.interp(share, places, channel) for channel in anchors.T]
    rounded: Pixels = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return rounded


def colored(levels: Pixels, name: str) -> Pixels:
    """RGB (…, 3) of ``levels`` (…) from 0 to 255."""
    # np.take copies each colour by itself; OpenCV's table is several times as fast.
    if not levels.size:
        return np.zeros((*levels.shape, 3), np.uint8)
    rows = np.ascontiguousarray(levels).reshape(-1, (levels.shape or (1,))[-1])
    rgb = cv2.LUT(cv2.merge([rows] * 3), table(name).reshape(256, 1, 3))
    return np.asarray(rgb, np.uint8).reshape(*levels.shape, 3)


def not_finite(name: str) -> Color:
    """The colour of what is not a number; far from all colours of the map of that name."""
    colors = table(name).astype(int)

    def distance(color: Color) -> int:
        return int(np.abs(colors - color).max(axis=1).min())

    return next((c for c in NOT_FINITE if distance(c) > FAR), max(NOT_FINITE, key=distance))
