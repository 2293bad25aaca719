"""What is read from an open page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Open = Callable[..., Page]


def pixels(page: Page, selector: str) -> np.ndarray:
    """(H, W, 3) of a canvas."""
    uri: str = page.evaluate("(selector) => document.querySelector(selector).toDataURL()", selector)
    data = base64.b64decode(uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def settle(page: Page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
