"""Draws the pictures of the explorer in docs/pictures again: run it in the checkout.

It needs Debian's chromium and Playwright for Python, as the tests of the page do.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parent
SAMPLES = DOCS.parent / "samples"


class View(NamedTuple):
    """A place in the page of ``cnnviz featuremaps ARGUMENTS``; it is cut below ``last``."""

    name: str
    arguments: tuple[str, ...]
    fragment: str
    width: int
    last: str
    scheme: str = "light"


LENET = ("-m", "lenet", "digit_7.png")
BOOTS = ("-m", "fashion_cnn", "ankle_boot.png", "--compare", "epoch0")
VIEWS = (
    View("explorer.overview", LENET, "#/", 1200, ".flow"),
    View("explorer.channel", LENET, "#/layer/4/channel/5/at/2,3", 1440, ".parts", "dark"),
    View("explorer.compared", BOOTS, "#/", 1100, ".flow"),
)


def shot(browser: Browser, view: View, page: Path) -> Image.Image:
    """The place, from the top to where ``last`` ends."""
    size = {"width": view.width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=view.scheme)
    tab = context.new_page()
    tab.goto(f"{page.as_uri()}{view.fragment}")
    tab.wait_for_selector("html[data-ready]")
    box = tab.locator(view.last).bounding_box()
    height = box["y"] + box["height"] + 20
    clip = {"x": 0, "y": 0, "width": view.width, "height": height}
    return Image.open(io.BytesIO(tab.screenshot(full_page=True, clip=clip)))


def main() -> None:
    """Draw all of them."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for view in VIEWS:
            output = Path(folder, view.name)
            command = [sys.executable, "-m", "cnnviz", "featuremaps", *view.arguments, "-q"]
            subprocess.run([*command, "-o", output], cwd=SAMPLES, check=True)  # noqa: S603 (ours)
            picture = shot(browser, view, output / "index.html").convert("RGB")
            picture.save(DOCS / "pictures" / f"{view.name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
