"""The page in Chromium with other networks, odd layers, hostile names, and in other places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from cnnviz.explorer import PageOptions, in_frame
from cnnviz.models.sources.torchvision import build, load_torchvision
from cnnviz.summary.model import summarize
from tests.explorer.conftest import lenet
from tests.explorer.driver import Driven, drive
from tests.explorer.opening import settle

expect = pytest.importorskip("playwright.sync_api", reason="pip install playwright").expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.explorer.opening import Open

HOSTILE = '<img src=x onerror="alert(1)">\u202e\n</script>'


def test_a_page_per_layer_leads_from_file_to_file(open_page: Open) -> None:
    page = open_page(lenet(options=PageOptions(html_dir=True)))
    page.get_by_role("link", name=re.compile("^C3 Conv2d")).click()
    page.wait_for_url("**/layer_004.html#/layer/4")
    page.wait_for_selector("html[data-ready]")
    page.locator(".tile").nth(5).click()
    page.wait_for_selector(".arithmetic .part")
    assert page.locator(".sum .good").count() == 1
    page.get_by_role("link", name="Channel after").click()
    page.wait_for_selector("h1:has-text('channel 6')")
    page.get_by_role("link", name="Overview").click()
    page.wait_for_selector(".flow")


def test_hostile_names_are_shown_as_text(open_page: Open) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    about = {"image": HOSTILE, "notes": [HOSTILE], "weights": {HOSTILE: HOSTILE}}
    driven = drive(
        net,
        torch.rand(1, 1, 6, 6),
        head={"title": HOSTILE, "model": HOSTILE, "command": HOSTILE},
        paper_names={"0": HOSTILE, "1": HOSTILE},
        about=about,
    )
    page = open_page(driven)
    for fragment in ("#/", "#/layer/1", "#/layer/1/channel/1/at/0,0"):
        page.evaluate(f"location.hash = '{fragment}'")
        settle(page)
        assert "‹U+202E›" in page.locator("body").inner_text()
        assert page.locator("img[onerror], img[src=x]").count() == 0


def test_layers_of_all_kinds_open(open_page: Open) -> None:
    class Odd(nn.Module):
        """A sequence, a volume, an empty range, numbers that are not finite."""

        def __init__(self) -> None:
            super().__init__()
            self.rows = nn.Conv1d(3, 4, 1)
            self.volume = nn.Conv3d(1, 2, 1)
            self.flat = nn.Conv2d(3, 2, 1)
            self.broken = nn.ReLU()
            self.numbers = nn.Linear(8, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.rows(x.flatten(2))
            self.volume(x[:, None])
            self.flat(x * 0)
            broken = x.clone()
            broken[0, 0, 0, 0] = float("nan")
            self.broken(broken)
            numbers: torch.Tensor = self.numbers(x[:, 0, 0])
            return numbers

    driven = drive(Odd(), torch.rand(1, 3, 6, 8))
    page = open_page(driven)
    shown = [layer for layer in driven.manifest["layers"] if layer["channels"]]
    assert len(shown) == 5
    for layer in shown:
        for fragment in (f"#/layer/{layer['index']}", f"#/layer/{layer['index']}/channel/0"):
            page.evaluate(f"location.hash = '{fragment}'")
            title = layer["name"] + (" › channel 0" if "channel" in fragment else "")
            expect(page.locator("h1")).to_have_text(title)


def test_a_residual_network_opens_at_every_level(open_page: Open) -> None:
    torch.manual_seed(1)
    net = torchvision_model("resnet18")
    image = torch.rand(1, 3, 64, 64)
    driven = drive(net, image, wants=r"^(conv1|bn1|relu|maxpool|fc|layer1|layer2\.0)")
    page = open_page(driven)
    by_key = {layer["name"]: layer for layer in driven.manifest["layers"] if layer["channels"]}
    for key in ("conv1", "layer1.0.conv2", "layer2.0.downsample.0"):
        layer, values = by_key[key], driven.values[key]
        page.evaluate(f"location.hash = '#/layer/{layer['index']}/channel/3/at/1,2'")
        expect(page.locator("h1")).to_have_text(f"{key} › channel 3")
        total = float(page.locator("[data-total]").get_attribute("data-total") or "nan")
        assert abs(total - float(values[3, 1, 2])) < 1e-5
        assert page.locator(".sum .bad").count() == 0
        assert "bias" not in page.locator(".sum").inner_text()
        fields = next(row.fields for row in summarize(net, (3, 64, 64)).layers if row.key == key)
        down, across = fields[0].reach.at(1), fields[1].reach.at(2)
        assert down is not None
        assert across is not None
        said = f"rows {down[0]}…{down[1]}, columns {across[0]}…{across[1]}".replace("-", "−")
        assert page.locator(".caption dd").nth(2).inner_text().startswith(said)


def test_a_vision_transformer_opens_at_every_level(open_page: Open) -> None:
    torch.manual_seed(1)
    net = load_torchvision().models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=7).eval()
    driven = drive(net, torch.rand(1, 3, 32, 32))
    page = open_page(driven)
    shown = [layer for layer in driven.manifest["layers"] if layer["channels"]]
    assert page.locator(".card").count() == len(shown) > 10
    for layer in shown[::3]:
        page.evaluate(f"location.hash = '#/layer/{layer['index']}'")
        expect(page.locator("h1")).to_have_text(layer["name"])
        page.locator(".tile").first.click()
        expect(page.locator("h1")).to_contain_text("channel 0")
    page.evaluate(f"location.hash = '#/layer/{shown[0]['index']}/channel/5/at/3,1'")
    expect(page.locator(".caption dd").first).to_have_text("row 3, column 1")
    total = float(page.locator("[data-total]").get_attribute("data-total") or "nan")
    assert abs(total - float(driven.values["conv_proj"][5, 3, 1])) < 1e-5


def test_the_page_works_in_a_sandboxed_frame(browser: Browser, lenet_run: Driven) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(in_frame(lenet_run.page.files["index.html"]))
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name=re.compile("^C3 Conv2d")).click()
    frame.locator(".tile").nth(5).click()
    frame.locator(".map").click(position={"x": 5, "y": 5})
    assert "row 0" in frame.locator(".caption dd").first.inner_text()
    page.close()
    assert errors == []


def test_without_scripts_the_pictures_are_there(
    browser: Browser, lenet_run: Driven, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_bytes(lenet_run.page.files["index.html"])
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    assert page.locator("noscript img").count() == 7
    assert page.locator("noscript img").first.is_visible()
    context.close()


def torchvision_model(name: str) -> nn.Module:
    return build(name).eval()
