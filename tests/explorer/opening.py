"""What is read from an open page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Open = Callable[..., Page]


AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"


def pixels(page: Page, selector: str) -> np.ndarray:
    """(H, W, 3) of a canvas."""
    uri: str = page.evaluate("(selector) => document.querySelector(selector).toDataURL()", selector)
    data = base64.b64decode(uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def settle(page: Page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def violations(page: Page, fragments: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    """What axe-core finds at these places: fragment, rule, and where."""
    page.evaluate(AXE.read_text())
    found = []
    for fragment in fragments:
        page.evaluate(f"location.hash = '{fragment}'")
        page.wait_for_timeout(200)
        for one in page.evaluate("axe.run().then((result) => result.violations)"):
            found.append((fragment, one["id"], [node["target"] for node in one["nodes"]][:3]))
    return found
