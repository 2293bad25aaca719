"""Pages of small runs, and a browser to open them in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cnnviz import images
from cnnviz.models import load_model
from tests.explorer.driver import Driven, drive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.explorer.opening import Open

CHROMIUM = Path("/usr/bin/chromium")
REQUIRED = "CNNVIZ_BROWSER_TESTS"  # set by CI: without a browser these tests fail


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def lenet(**options: Any) -> Driven:
    """LeNet's page on a digit."""
    samples = Path(__file__).parent.parent.parent / "samples"
    model = load_model("lenet")
    prepared = model.prepare(images.read_image(samples / "digit_7.png"))
    names, labels = model.paper_names, model.labels
    head = {
        "title": "LeNet-5 on digit_7.png",
        "command": "cnnviz featuremaps samples/digit_7.png --model lenet",
        "versions": {"torch": "2.13.0"},
    }
    return drive(
        model.module, prepared.tensor, head=head, paper_names=names, labels=labels, **options
    )


@pytest.fixture(scope="session")
def lenet_run() -> Driven:
    return lenet()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; its tests are skipped where there is none."""
    missing = "" if CHROMIUM.exists() else f"no {CHROMIUM}: apt-get install chromium"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "playwright is not installed: pip install playwright"
    if missing:
        if os.environ.get(REQUIRED):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a run's page from a file; nothing may be logged, and nothing else be asked for."""
    heard: list[str] = []
    asked: list[str] = []

    def opened(driven: Driven, fragment: str = "", **options: Any) -> Page:
        for name, data in driven.page.files.items():
            (tmp_path / name).write_bytes(data)
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("dialog", lambda dialog: heard.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{(tmp_path / 'index.html').as_uri()}{fragment}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield opened
    outside = [url for url in asked if not url.startswith((tmp_path.as_uri(), "data:"))]
    for context in browser.contexts:
        context.close()
    assert heard == []
    assert outside == []
