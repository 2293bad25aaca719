"""How large the explorer's page is, and how soon it is ready in Chromium.

    cnnviz featuremaps samples/chelsea.png --model vgg16 --weights random --layers conv
    python benchmarks/page_speed.py chelsea.vgg16/index.html

Ready is when every channel of the overview is drawn, from the beginning of the navigation; drawn
again is how long it takes after another colour map is chosen. Medians of ``REPEATS``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

REPEATS = 5
READY = """new Promise((done) => {
    const look = () => document.documentElement.dataset.ready
        ? done(performance.now()) : setTimeout(look, 2);
    look();
})"""
AGAIN = """new Promise((done) => {
    const select = document.querySelectorAll(".tools select")[0];
    const start = performance.now();
    select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
    select.dispatchEvent(new Event("change"));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""


def measured(page: Page, path: Path) -> tuple[float, float]:
    """Seconds until ready, and to draw again in other colours."""
    page.goto(path.resolve().as_uri(), wait_until="commit")
    ready: float = page.evaluate(READY)
    again: float = page.evaluate(AGAIN)
    return ready / 1000, again / 1000


def main(paths: list[Path]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for path in paths:
            runs = [measured(browser.new_page(), path) for _ in range(REPEATS)]
            ready, again = (median(column) for column in zip(*runs, strict=True))
            size = path.stat().st_size / 1e6
            print(f"{path}: {size:.2f} MB, ready {ready:.2f} s, drawn again {again:.3f} s")
        browser.close()


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
