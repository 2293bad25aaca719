"""Two runs side by side in the page, against torch's own two runs."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from cnnviz.explorer import Page, PageOptions
from cnnviz.featuremaps.against import Against
from cnnviz.featuremaps.compare import Comparer
from cnnviz.featuremaps.folder import key_of
from cnnviz.featuremaps.job import read_input, save_feature_maps
from cnnviz.featuremaps.options import MapOptions
from cnnviz.models.asked import Asked
from cnnviz.models.loading import load_model
from cnnviz.render.colors import table
from tests.conftest import Run
from tests.explorer.driver import Driven
from tests.explorer.opening import AXE, pixels, settle, violations

expect = pytest.importorskip("playwright.sync_api", reason="pip install playwright").expect

if TYPE_CHECKING:
    from cnnviz.models.loading import LoadedModel
    from tests.explorer.opening import Open

SAMPLES = Path(__file__).parent.parent.parent / "samples"
SEVEN, ONE = SAMPLES / "digit_7.png", SAMPLES / "digit_1.png"
BOOT = SAMPLES / "ankle_boot.png"


def compared(model: LoadedModel, image: Path, text: str, folder: Path, **page: Any) -> Driven:
    """The page of a comparison, made as the command makes it."""
    comparer = Comparer.of(model, Asked(), Against.read(text))
    result = comparer.save(image, folder, [], MapOptions(page=PageOptions(**page)))
    files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.html"))}
    return Driven(Page(files, []), result.manifest)


def put_out(model: LoadedModel, image: Path, layer: str) -> np.ndarray:
    """(C, H, W) or (C,) of one layer, by torch's own hook."""
    seen: list[torch.Tensor] = []
    module = model.module.get_submodule(layer)
    hook = module.register_forward_hook(lambda *call: seen.append(call[2].clone()))
    with torch.inference_mode():
        model.module(read_input(image, model).tensor)
    hook.remove()
    return seen[0][0].numpy()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Driven:
    """Two images, one model."""
    return compared(load_model("lenet"), SEVEN, str(ONE), tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Driven:
    """One image, two checkpoints."""
    return compared(load_model("fashion_cnn"), BOOT, "epoch0", tmp_path_factory.mktemp("boots"))


def test_overview_has_both_inputs_answers_and_maps(open_page: Open, digits: Driven) -> None:
    page = open_page(digits)
    assert page.locator(".sides").inner_text().split() == ["A", "digit_7.png", "B", "digit_1.png"]
    assert page.locator(".inputs img").count() == 2
    firsts = page.locator(".predictions ol").all()
    assert [one.inner_text().split()[0] for one in firsts] == ["7", "1"]
    layers = [one for one in digits.manifest["layers"] if one["status"] == "captured"]
    assert page.locator(".card").count() == len(layers)
    assert page.locator(".card").first.locator(".pair canvas").count() == 12
    said = page.locator(".card").first.locator(".alike-text").inner_text()
    assert said == f"correlation {layers[0]['compare']['correlation']:.3f}"
    assert page.locator(".alike a").count() == len(layers)
    assert page.get_by_text("First to differ").count() == 0  # other images differ anyway


def test_of_two_checkpoints_the_first_layer_to_differ_is_named(
    open_page: Open, checkpoints: Driven
) -> None:
    page = open_page(checkpoints)
    assert page.locator(".inputs img").count() == 1  # both saw the same
    page.locator(".comparison p a").click()
    page.wait_for_selector(".grid")
    assert page.locator("h1").inner_text() == checkpoints.manifest["compare"]["first_divergent"]
    said = page.locator(".beside").inner_text()
    assert "trained weights" in said
    assert "epoch0 weights" in said


@pytest.mark.parametrize("channel", [0, 5])
def test_a_pair_has_one_scale_of_colours(open_page: Open, digits: Driven, channel: int) -> None:
    page = open_page(digits, f"#/layer/4/channel/{channel}")
    page.get_by_label("Colours").select_option("gray")
    settle(page)
    model = load_model("lenet")
    sides = [put_out(model, image, "features.3")[channel] for image in (SEVEN, ONE)]
    low, high = min(map(np.min, sides)), max(map(np.max, sides))
    for number, values in enumerate(sides):
        seen = pixels(page, f".bench > div:nth-child({number + 2}) .map canvas").astype(int)
        share = (values.astype(np.float64) - low) / (high - low)
        expected = table("gray")[np.rint(share * 255).astype(np.uint8)].astype(int)
        # A map has 256 levels of its own range, so its colour may be the next one.
        assert np.abs(seen - expected).max() <= 1


def test_values_and_their_difference_are_torchs(open_page: Open, digits: Driven) -> None:
    page = open_page(digits, "#/layer/4/channel/5/at/2,3")
    model = load_model("lenet")
    one, other = (put_out(model, image, "features.3")[5, 2, 3] for image in (SEVEN, ONE))
    shown = [text.replace("−", "-") for text in page.locator(".caption .value").all_inner_texts()]
    assert [np.float32(text) for text in shown] == [one, other]
    said = page.locator(".caption dd").nth(3).inner_text().replace("−", "-")
    assert float(said) == pytest.approx(float(one) - float(other), abs=0.005)
    totals = page.locator(".arithmetic [data-total]").all()
    sums = [float(total.get_attribute("data-total") or "nan") for total in totals]
    assert sums == pytest.approx([one, other], abs=1e-5)
    assert page.locator(".arithmetic .badge.good").count() == 2


def test_the_commands_of_both_sides_work_out_the_same_values(
    open_page: Open, run: Run, tmp_path: Path
) -> None:
    driven = compared(load_model("lenet", Asked("random", 7)), SEVEN, "trained", tmp_path / "out")
    page = open_page(driven, "#/layer/4/channel/5/at/2,3")
    commands = page.locator(".arithmetic code").all_inner_texts()
    assert ["--seed 7" in commands[0], "--weights" in commands[1]] == [True, False]
    shown = [text.replace("−", "-") for text in page.locator(".caption .value").all_inner_texts()]
    for command, value in zip(commands, shown, strict=True):
        words = shlex.split(command)
        result = run(*words[1:], "--json")
        assert json.loads(result.stdout)["put_out"] == float(np.float32(value))


def test_a_pixel_is_held_in_both_maps(open_page: Open, digits: Driven) -> None:
    page = open_page(digits, "#/layer/4/channel/5")
    page.locator(".map").nth(1).click(position={"x": 5, "y": 5})
    settle(page)
    assert page.url.endswith("#/layer/4/channel/5/at/0,0")
    tops = [mark.evaluate("e => e.style.top") for mark in page.locator(".map .mark").all()]
    assert tops == ["0%", "0%"]
    assert page.locator(".map.held").count() == 2
    page.locator(".map").nth(0).focus()
    page.keyboard.press("ArrowDown")
    settle(page)
    tops = [mark.evaluate("e => e.style.top") for mark in page.locator(".map .mark").all()]
    assert tops == ["10%", "10%"]
    assert re.search(r"A [−\d.]+, B [−\d.]+", page.locator("#said").inner_text())


def test_channels_are_sorted_by_their_difference(open_page: Open, digits: Driven) -> None:
    page = open_page(digits, "#/layer/4")
    page.get_by_label("Sort by").select_option("apart")
    model = load_model("lenet")
    one, other = (put_out(model, image, "features.3") for image in (SEVEN, ONE))
    far = np.abs(one.astype(np.float64) - other).max((1, 2))
    shown = [int(text) for text in page.locator(".tile-name").all_inner_texts()]
    assert shown == np.argsort(-far, kind="stable").tolist()
    assert page.locator(".tile").first.locator("canvas").count() == 2
    assert f"Δ {far.max():.2f}" in page.locator(".tile").first.inner_text()


def test_kept_maps_stand_beside_a_run_without_what_made_them(
    open_page: Open, tmp_path: Path
) -> None:
    model = load_model("lenet")
    save_feature_maps(ONE, model, tmp_path / "kept", options=MapOptions(raw="npz"))
    (tmp_path / "kept" / "maps.npz").rename(tmp_path / "<img src=x onerror=alert(1)>.npz")
    text = f"maps:{tmp_path}/<img src=x onerror=alert(1)>.npz"
    page = open_page(compared(model, SEVEN, text, tmp_path / "out"), "#/layer/4/channel/5/at/2,3")
    values = [
        np.float32(text.replace("−", "-"))
        for text in page.locator(".caption .value").all_inner_texts()
    ]
    assert values[0] == put_out(model, SEVEN, "features.3")[5, 2, 3]
    assert values[1] == put_out(model, ONE, "features.3")[5, 2, 3]
    assert page.locator(".arithmetic").count() == 1  # of kept maps no kernel is known
    assert "<img src=x onerror=alert(1)>.npz" in page.locator(".sides").inner_text()


def test_numbers_that_both_runs_share_are_in_the_page_once(digits: Driven) -> None:
    assert digits.html.count('"features.0:weights":{') == 1
    assert digits.html.count('"features.0:weights":null') == 1
    assert digits.html.count('"features.0":{') == 2


def test_half_precision_is_judged_by_its_own_rounding(open_page: Open, tmp_path: Path) -> None:
    driven = compared(load_model("lenet"), SEVEN, "precision:bfloat16", tmp_path / "out")
    page = open_page(driven, "#/layer/4/channel/5/at/2,3")
    said = page.locator(".arithmetic .badge").all_inner_texts()
    assert ["float32" in said[0], "bfloat16" in said[1]] == [True, True]
    assert page.locator(".arithmetic .badge.bad").count() == 0


def test_layers_have_pages_of_their_own(open_page: Open, tmp_path: Path) -> None:
    driven = compared(load_model("lenet"), SEVEN, str(ONE), tmp_path / "out", html_dir=True)
    captured = [one for one in driven.manifest["layers"] if one["status"] == "captured"]
    assert len(driven.page.files) == 1 + len(captured)
    page = open_page(driven)
    canvases = page.locator(".card").nth(3).locator(".pair canvas").count()
    assert canvases == 12
    page.get_by_role("link", name=re.compile("^C3 Conv2d")).click()
    page.wait_for_selector(".tile .pair")
    assert "layer_004.html" in page.url
    page.locator(".tile").nth(5).click()
    page.wait_for_selector(".arithmetic .badge.good")
    assert page.locator(".arithmetic .badge.good").count() == 2


def test_without_a_script_both_sides_are_there(digits: Driven) -> None:
    plain = digits.html.split("<noscript>")[1].split("</noscript>")[0]
    layer = next(one for one in digits.manifest["layers"] if key_of(one) == "features.3")
    for name, side in ((f"sheet-{layer['index']}", "A"), (f"sheet-{layer['index']}-b", "B")):
        assert re.search(rf'id="{name}"[^>]*alt="[^"]* · {side}"', plain)
    assert plain.count("What the model saw · ") == 2


@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("fragment", ["#/", "#/layer/4", "#/layer/4/channel/5", "#/layer/12"])
def test_nothing_is_wider_than_the_screen(
    open_page: Open, digits: Driven, width: int, fragment: str
) -> None:
    page = open_page(digits, fragment, viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_accessibility_checker_finds_nothing(
    open_page: Open, digits: Driven, scheme: str
) -> None:
    page = open_page(digits, color_scheme=scheme)
    fragments = ("#/", "#/layer/4", "#/layer/4/channel/5", "#/layer/12", "#/layer/12/channel/7")
    assert violations(page, fragments) == []
