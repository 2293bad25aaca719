"""What the page shows in Chromium is what torch computed, to the colour and to the bit."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz.explorer import PageOptions
from cnnviz.models import load_model
from cnnviz.render.colors import table
from cnnviz.summary.model import summarize
from tests.explorer.conftest import lenet
from tests.explorer.driver import Driven, drive
from tests.explorer.opening import pixels, settle

expect = pytest.importorskip("playwright.sync_api", reason="pip install playwright").expect

if TYPE_CHECKING:
    from tests.explorer.opening import Open


def levels(values: np.ndarray, low: float, high: float) -> np.ndarray:
    share = (values.astype(np.float64) - low) / (high - low)
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)


@pytest.mark.parametrize("scale", ["channel", "layer", "symmetric"])
@pytest.mark.parametrize("name", ["gray", "magma"])
def test_colours_are_those_of_the_lookup_table(
    open_page: Open, lenet_run: Driven, name: str, scale: str
) -> None:
    page = open_page(lenet_run, "#/layer/4/channel/5")
    page.get_by_label("Scale").select_option(scale)
    page.get_by_label("Colours").select_option(name)
    settle(page)
    layer = lenet_run.values["features.3"].astype(np.float64)
    values = layer[5]
    most = np.abs(layer).max()
    ends = {
        "channel": (values.min(), values.max()),
        "layer": (layer.min(), layer.max()),
        "symmetric": (-most, most),
    }[scale]
    seen = pixels(page, ".map canvas").astype(int)
    expected = table(name)[levels(values, *ends)].astype(int)
    if scale == "channel":
        assert np.array_equal(seen, expected)
    else:  # by way of 256 levels: the colour may be the next one
        near = np.stack(
            [
                table(name)[np.clip(levels(values, *ends).astype(int) + n, 0, 255)]
                for n in (-1, 0, 1)
            ]
        )
        assert (np.abs(near - seen).sum(-1).min(0) == 0).all()
        assert not np.array_equal(table(name)[levels(values, values.min(), values.max())], seen)


@pytest.mark.parametrize("place", [(0, 0), (1, 5), (9, 9)], ids=str)
def test_a_windows_sum_is_what_torch_computed(
    open_page: Open, lenet_run: Driven, place: tuple[int, int]
) -> None:
    row, column = place
    page = open_page(lenet_run, f"#/layer/4/channel/5/at/{row},{column}")
    total = float(page.locator("[data-total]").get_attribute("data-total") or "nan")
    value = lenet_run.values["features.3"][5, row, column]
    assert abs(total - float(value)) < 1e-5
    assert np.float32(page.locator(".value").inner_text().replace("−", "-")) == value
    assert "float32 rounding allows" in page.locator(".sum .good").inner_text()


def test_every_sum_of_a_padded_strided_grouped_convolution_is_torchs(open_page: Open) -> None:
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2),
    )
    driven = drive(net, torch.rand(1, 3, 9, 10))
    page = open_page(driven)
    for number, key in ((1, "0"), (2, "1")):
        values = driven.values[key]
        for channel in (0, len(values) - 1):
            for place in ((0, 0), (values.shape[1] - 1, values.shape[2] - 1), (1, 3)):
                page.evaluate(
                    f"location.hash = '#/layer/{number}/channel/{channel}/at/{place[0]},{place[1]}'"
                )
                expect(page.locator("h1")).to_have_text(f"{key} › channel {channel}")
                expect(page.locator(".caption dd").first).to_have_text(
                    f"row {place[0]}, column {place[1]}"
                )
                total = float(page.locator("[data-total]").get_attribute("data-total") or "nan")
                assert abs(total - float(values[channel][place])) < 1e-6
                assert page.locator(".sum .bad").count() == 0


def test_hovering_shows_each_pixels_value_and_clicking_holds_it(
    open_page: Open, lenet_run: Driven
) -> None:
    page = open_page(lenet_run, "#/layer/6/channel/2")
    box = page.locator(".map").bounding_box()
    assert box is not None
    values = lenet_run.values["features.5"][2]
    for row, column in ((0, 0), (2, 3), (4, 4)):
        x = box["x"] + (column + 0.5) * box["width"] / 5
        y = box["y"] + (row + 0.5) * box["height"] / 5
        page.mouse.move(x, y)
        settle(page)
        assert page.locator(".caption dd").first.inner_text() == f"row {row}, column {column}"
        said = page.locator(".value").inner_text().replace("−", "-")
        assert np.float32(said) == values[row, column]
    page.mouse.click(x, y)
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    settle(page)
    assert page.locator(".caption dd").first.inner_text() == "row 4, column 4"


def test_the_field_drawn_is_the_calculators(open_page: Open, lenet_run: Driven) -> None:
    page = open_page(lenet_run, "#/layer/4/channel/0/at/3,2")
    model = lenet_model()
    (layer,) = [x for x in summarize(model, (1, 32, 32)).layers if x.key == "features.3"]
    top, bottom = layer.fields[0].reach.at(3) or (0, 0)
    left, right = layer.fields[1].reach.at(2) or (0, 0)
    said = page.locator(".caption dd").nth(2).inner_text()
    assert said == f"rows {top}…{bottom}, columns {left}…{right} (14 × 14)"
    settle(page)
    seen = pixels(page, "canvas.input").astype(int)
    scale = seen.shape[0] // 32
    yellow = (np.abs(seen - [255, 212, 0]).sum(-1) < 40).nonzero()
    edges = [yellow[0].min(), yellow[0].max() + 1, yellow[1].min(), yellow[1].max() + 1]
    assert np.abs(np.array(edges) / scale - [top, bottom + 1, left, right + 1]).max() < 0.4


def test_where_numbers_are_left_out_their_range_and_the_command_are_given(
    open_page: Open,
) -> None:
    driven = lenet(options=PageOptions(exact_budget=0))
    page = open_page(driven, "#/layer/4/channel/5/at/2,3")
    low, high = (
        float(text.replace("−", "-")) for text in page.locator(".value").inner_text().split(" to ")
    )
    value = driven.values["features.3"][5, 2, 3]
    assert low - 0.005 <= value <= high + 0.005
    assert high - low < 0.1
    command = page.locator(".arithmetic code").inner_text()
    assert (
        command
        == "cnnviz step samples/digit_7.png --model lenet --layer features.3 --channel 5 --at 2,3"
    )


def test_the_overlay_mixes_the_channel_in(open_page: Open, lenet_run: Driven) -> None:
    page = open_page(lenet_run, "#/layer/4/channel/5/at/0,0")
    before = pixels(page, "canvas.input")
    page.locator("input[type=range]").fill("1")
    settle(page)
    corner = pixels(page, "canvas.input")[-20:, -20:]
    assert not np.array_equal(before[-20:, -20:], corner)
    assert len(np.unique(corner.reshape(-1, 3), axis=0)) == 1


def test_a_lossy_sheet_is_within_what_the_page_says(open_page: Open) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 24, 5, stride=2), nn.ReLU())
    image = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 12), 220, mode="bicubic")
    driven = drive(net, image, PageOptions(lossless=False, exact_budget=0))
    html = driven.html
    found = re.search(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    layer = json.loads(found[1])["runs"][0]["layers"][0]
    page = open_page(driven, "#/layer/1/channel/3")
    assert f"{layer['sheet']['off'][1]} at most" in page.locator(".badges").inner_text()
    page.get_by_label("Colours").select_option("gray")
    settle(page)
    values = driven.values["0"][3]
    seen = pixels(page, ".map canvas")[..., 0].astype(int)
    exact = levels(values, values.min(), values.max()).astype(int)
    assert seen.shape == exact.shape
    assert np.abs(seen - exact).max() <= layer["sheet"]["off"][1]
    statistics = np.frombuffer(base64.b64decode(layer["statistics"]), "<f4").reshape(-1, 4)
    assert statistics[3, :2].tolist() == [values.min(), values.max()]


def lenet_model() -> nn.Module:
    return load_model("lenet").module


def test_the_overview_of_a_large_layer_needs_not_the_whole_sheet(open_page: Open) -> None:
    torch.manual_seed(5)
    driven = drive(nn.Sequential(nn.Conv2d(1, 64, 3)), torch.rand(1, 1, 114, 114))
    page = open_page(driven)
    page.get_by_label("Colours").select_option("gray")
    settle(page)
    layer = json.loads(page.locator("#data").text_content() or "")["runs"][0]["layers"][0]
    values = driven.values["0"]
    assert layer["sheet"]["off"] is not None  # so many pixels are not kept without loss
    assert layer["few"]["cells"] == layer["telling"]
    assert layer["few"]["cell"] == [56, 56]
    for place, channel in enumerate(layer["telling"]):
        seen = pixels(page, f".thumb:nth-child({place + 1}) canvas").astype(int)[:, :, 0]
        means = values[channel].astype(np.float64).reshape(56, 2, 56, 2).mean((1, 3))
        expected = levels(means, values[channel].min(), values[channel].max())
        allowed = layer["few"]["off"][1] if layer["few"]["off"] else 0
        assert np.abs(seen - expected.astype(int)).max() <= allowed
