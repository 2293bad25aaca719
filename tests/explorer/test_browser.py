"""The page in headless Chromium: all four levels, by pointer and by keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from tests.explorer.driver import Driven, drive
from tests.explorer.opening import AXE, pixels, settle, violations

expect = pytest.importorskip("playwright.sync_api", reason="pip install playwright").expect

if TYPE_CHECKING:
    from tests.explorer.opening import Open


def test_the_overview_has_every_layer_and_the_answer(open_page: Open, lenet_run: Driven) -> None:
    page = open_page(lenet_run)
    assert page.locator(".card").count() == len(lenet_run.values)
    assert page.locator(".predictions li").first.inner_text().split() == ["7", "99.97", "%"]
    assert "Verified" not in page.title()
    assert "LeNet-5 on digit_7.png" in page.title()


def test_clicking_leads_through_all_four_levels_and_back(
    open_page: Open, lenet_run: Driven
) -> None:
    page = open_page(lenet_run)
    page.get_by_role("link", name=re.compile("^C3 Conv2d")).click()
    page.wait_for_selector(".grid")
    assert page.locator(".tile").count() == 16
    page.locator(".tile").nth(5).click()
    page.wait_for_selector(".map")
    page.locator(".map").click(position={"x": 5, "y": 5})
    assert page.url.endswith("#/layer/4/channel/5/at/0,0")
    assert page.locator(".arithmetic .part").count() == 6
    page.go_back()
    page.wait_for_selector(".grid")
    page.get_by_role("link", name="Overview").click()
    page.wait_for_selector(".flow")


def test_the_keyboard_alone_leads_through_all_four_levels(
    open_page: Open, lenet_run: Driven
) -> None:
    page = open_page(lenet_run)
    press = page.keyboard.press
    press("?")
    assert page.locator("#help").is_visible()
    press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    for number in range(1, 5):
        press("ArrowRight")
        expect(page.locator(f"[data-layer='{number}']")).to_be_focused()
    press("Enter")
    page.wait_for_selector(".grid")
    press("ArrowRight")
    press("ArrowRight")
    press("ArrowDown")
    here = page.evaluate("document.activeElement.querySelector('.tile-name').innerText")
    assert int(here) > 1
    press("Enter")
    page.wait_for_selector(".map")
    press("ArrowRight")  # to the map
    place = page.locator(".caption dd").first
    before = place.inner_text()
    press("ArrowUp")
    settle(page)
    assert place.inner_text() != before
    assert re.search(r"row \d+, column \d+: ", page.locator("#said").inner_text())
    press("Tab")
    press("Escape")
    page.wait_for_selector(".grid")
    press("Escape")
    page.wait_for_selector(".flow")


def test_focus_is_seen(open_page: Open, lenet_run: Driven) -> None:
    page = open_page(lenet_run)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert page.evaluate(outline) == "3px"


def test_a_layer_is_found_by_typing(open_page: Open, lenet_run: Driven) -> None:
    page = open_page(lenet_run)
    page.keyboard.press("/")
    page.keyboard.type("avgpool 16x5")
    assert page.locator(".found a").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_selector(".grid")
    assert page.locator("h1").inner_text() == "S4"


def test_channels_are_sorted_and_found(open_page: Open, lenet_run: Driven) -> None:
    page = open_page(lenet_run, "#/layer/4")
    page.get_by_label("Sort by").select_option("max")
    shown = [int(text) for text in page.locator(".tile-name").all_inner_texts()]
    most = lenet_run.values["features.3"].max((1, 2))
    assert shown == np.argsort(-most, kind="stable").tolist()
    page.locator("h1").focus()
    page.keyboard.press("/")
    page.keyboard.type("3, 10-12")
    assert page.locator(".tile:visible").count() == 4
    assert "4 of 16" in page.locator(".shown").inner_text()


def test_dead_channels_are_filtered(open_page: Open) -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    conv = net[0]
    assert isinstance(conv, nn.Conv2d)
    with torch.no_grad():
        conv.weight.fill_(0.1)
        assert conv.bias is not None
        conv.bias.copy_(torch.tensor([0.0, -99.0, 0.0, -99.0]))
    page = open_page(drive(net, torch.rand(1, 1, 8, 8)), "#/layer/2")
    page.get_by_label("Show").select_option("dead")
    shown = page.locator(".tile:visible .tile-name")
    assert shown.all_inner_texts() == ["1", "3"]
    page.get_by_label("Colours").select_option("gray")
    page.get_by_label("Show").select_option("all")
    settle(page)
    assert (np.ptp(pixels(page, "li:nth-child(1) > .tile canvas").astype(int), axis=2) == 0).all()


def test_tools_are_not_printed(open_page: Open, lenet_run: Driven) -> None:
    page = open_page(lenet_run)
    page.emulate_media(media="print")
    assert not page.locator(".tools").is_visible()
    assert page.locator(".card").count() == page.locator(".card:visible").count()


@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize(
    "fragment",
    ["#/", "#/layer/4", "#/layer/4/channel/5/at/1,1", "#/layer/12"],
    ids=["overview", "layer", "channel", "numbers"],
)
def test_nothing_is_wider_than_the_screen(
    open_page: Open, lenet_run: Driven, width: int, fragment: str
) -> None:
    page = open_page(lenet_run, fragment, viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_accessibility_checker_finds_nothing(
    open_page: Open, lenet_run: Driven, scheme: str
) -> None:
    page = open_page(lenet_run, color_scheme=scheme)
    fragments = (
        *("#/", "#/layer/4", "#/layer/4/channel/5/at/1,1"),
        *("#/layer/12", "#/layer/12/channel/7"),
    )
    assert violations(page, fragments) == []


def test_the_command_is_copied_or_else_selected(open_page: Open, lenet_run: Driven) -> None:
    page = open_page(lenet_run, "#/layer/4/channel/5/at/2,3")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    page.get_by_role("button", name="Copy").click()
    said = page.evaluate("getSelection().toString()")
    assert said == page.locator(".arithmetic code").inner_text()
    page.evaluate(
        "() => { navigator.clipboard.writeText = async (text) => { window.kept = text; }; }"
    )
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="✓")).to_be_visible()
    assert page.evaluate("window.kept") == said
