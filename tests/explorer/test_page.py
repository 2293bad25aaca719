"""The page as a text: it parses, lets nothing in, and holds what it should."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz.errors import UsageError
from cnnviz.explorer import PageOptions, bundle, telling_of
from tests.explorer.conftest import lenet
from tests.explorer.driver import Driven, drive

VOID = {"meta", "link", "img", "br", "input", "wbr"}
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--",
    "\u202egnp.exe",
    "line\nbreak\x00\x1b[31m",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;",
]


class Reader(HTMLParser):
    """Elements in their order; fails where they are not closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


def parsed(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def document(driven: Driven, name: str = "index.html") -> dict[str, Any]:
    html = driven.page.files[name].decode()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def policy_of(html: str) -> str:
    metas = [attrs for tag, attrs in parsed(html).elements if tag == "meta"]
    (content,) = [m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy"]
    assert content is not None
    return content


def test_the_page_parses_and_names_its_language(lenet_run: Driven) -> None:
    elements = parsed(lenet_run.html).elements
    assert elements[0] == ("html", {"lang": "en"})
    assert sum(tag == "script" for tag, _ in elements) == 2


def test_the_policy_lets_in_pictures_within_and_the_two_hashes_alone(lenet_run: Driven) -> None:
    html = lenet_run.html

    def hash_of(tag: str) -> str:
        found = re.search(rf"<{tag}(?: type=\"module\")?>(.*?)</{tag}>", html, re.DOTALL)
        assert found is not None
        digest = hashlib.sha256(found[1].encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    assert policy_of(html) == (
        "default-src 'none'; img-src data:;"
        f" script-src {hash_of('script')}; style-src {hash_of('style')}"
    )


def test_nothing_refers_outside_of_the_page(lenet_run: Driven) -> None:
    for tag, attrs in parsed(lenet_run.html).elements:
        for name in ("src", "href", "action", "srcset", "poster", "data"):
            assert (attrs.get(name) or "data:").startswith("data:"), tag
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
    texts = bundle.script() + bundle.style()
    assert not re.findall(
        r"https?://|//[a-z]+\.|@import|url\(|\bfetch\(|XMLHttp|WebSocket|import\(", texts
    )


def test_without_a_script_there_is_a_picture_of_every_layer_with_maps(lenet_run: Driven) -> None:
    plain = lenet_run.html.split("<noscript>")[1].split("</noscript>")[0]
    maps = [x for x in lenet_run.manifest["layers"] if x["shape"] and len(x["shape"]) == 3]
    shown = [layer for layer in maps if layer["shape"][1:] != [1, 1]]
    ids = re.findall(r'<img id="sheet-(\d+)" src="data:image/png;base64,[^"]+" alt="[^"]+"', plain)
    assert ids == [str(layer["index"]) for layer in shown]
    assert "<li>7: 99.97 %</li>" in plain


def test_every_layer_is_in_the_page_shown_or_with_its_reason(lenet_run: Driven) -> None:
    layers = document(lenet_run)["runs"][0]["layers"]
    assert [layer["key"] for layer in layers] == [x["name"] for x in lenet_run.manifest["layers"]]
    assert all("statistics" in layer or layer["reason"] for layer in layers)


def test_statistics_are_the_manifests(lenet_run: Driven) -> None:
    layer, entry = document(lenet_run)["runs"][0]["layers"][0], lenet_run.manifest["layers"][0]
    table = np.frombuffer(base64.b64decode(layer["statistics"]), "<f4").reshape(-1, 4)
    expected = [[c[name] for name in ("min", "max", "mean", "sparsity")] for c in entry["channels"]]
    assert np.array_equal(table, np.array(expected, np.float32))


def test_exact_numbers_are_torchs_to_the_bit(lenet_run: Driven) -> None:
    exact = document(lenet_run)["runs"][0]["exact"]
    for key, values in lenet_run.values.items():
        held = np.frombuffer(base64.b64decode(exact[key]["data"]), "<f4")
        assert held.tobytes() == values.astype("<f4").tobytes(), key
        assert exact[key]["shape"] == list(values.shape)


def test_receptive_fields_are_the_calculators(lenet_run: Driven) -> None:
    layers = {x["key"]: x for x in document(lenet_run)["runs"][0]["layers"]}
    # LeNet's C3 sees 14x14 pixels and steps by 2: 5 + (2 - 1) + (5 - 1)*2, from the left edge on.
    assert layers["features.3"]["fields"] == [{"advance": 2, "spans": [[0, 13]]}] * 2


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_stay_text(name: str) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    driven = drive(
        net,
        torch.zeros(1, 1, 6, 6),
        head={"title": name, "model": name, "command": name, "versions": {name: name}},
        paper_names={"0": name, "1": name},
        about={"image": name, "notes": [name], "weights": {name: name}},
        labels=[name] * 32,
    )
    plain = drive(net, torch.zeros(1, 1, 6, 6))
    tags = [tag for tag, _ in parsed(driven.html).elements]
    assert tags.count("script") == 2
    assert tags.count("img") == [tag for tag, _ in parsed(plain.html).elements].count("img")
    run = document(driven)["runs"][0]
    assert (run["title"], run["image"], run["layers"][0]["paper_name"]) == (name, name, name)
    assert not [a for _, attrs in parsed(driven.html).elements for a in attrs if a.startswith("on")]


def test_a_title_that_is_no_unicode_is_written() -> None:
    driven = drive(nn.ReLU(), torch.zeros(1, 1, 3, 3), head={"title": "bad\udcff.png"})
    assert "bad?.png" in driven.html


def test_every_page_in_korean_says_so() -> None:
    driven = lenet(options=PageOptions(language="ko"))
    assert parsed(driven.html).elements[0] == ("html", {"lang": "ko"})
    assert document(driven)["words"]["overview"] == "개요"


def test_an_exact_budget_of_nothing_leaves_the_numbers_out() -> None:
    driven = lenet(options=PageOptions(exact_budget=0))
    assert document(driven)["runs"][0]["exact"] == {}


def test_a_layer_has_a_page_of_its_own_with_html_dir() -> None:
    driven = lenet(options=PageOptions(html_dir=True))
    shown = [layer["index"] for layer in driven.manifest["layers"] if layer["channels"]]
    assert list(driven.page.files) == ["index.html", *(f"layer_{n:03}.html" for n in shown)]
    overview = document(driven)["runs"][0]
    assert overview["exact"] == {}
    assert overview["layers"][3]["sheet"]["cells"] == overview["layers"][3]["telling"]
    layer = document(driven, "layer_004.html")["runs"][0]
    assert {"features.3", "features.3:weights", "features.3:bias", "features.2"} == set(
        layer["exact"]
    )
    assert "sheet-4" in driven.page.files["layer_004.html"].decode()
    assert "sheet-1" not in driven.page.files["layer_004.html"].decode()


def test_a_large_page_is_warned_of() -> None:
    (warning,) = lenet(options=PageOptions(large=100_000)).page.warnings
    assert re.fullmatch(r"index\.html has 0\.\d MB, .* --html-dir", warning)


def test_the_same_run_makes_the_same_page(lenet_run: Driven) -> None:
    assert lenet().html == lenet_run.html


@pytest.mark.parametrize(
    "options", [{"language": "fr"}, {"exact_budget": -1}, {"cell": 0}], ids=lambda x: next(iter(x))
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        PageOptions(**options)


def test_modules_come_before_those_that_import_them() -> None:
    for place, name in enumerate(bundle.MODULES):
        for other in re.findall(r'from "\./(\w+\.js)"', bundle.source(name)):
            assert bundle.MODULES.index(other) < place, f"{name} imports {other}"


def test_no_import_is_left_in_the_script() -> None:
    assert not re.findall(r"^(?:import|export)\b", bundle.script(), re.MULTILINE)
    assert "</script" not in bundle.script()
    assert "</style" not in bundle.style()


def test_channels_are_told_apart_however_large_their_values() -> None:
    values = np.zeros((8, 2, 2), np.float32)
    values[5, 0, 0], values[3, 0, 0], values[1, 0, 0] = 3e38, 1e38, np.inf
    values[[0, 2, 4, 6], 1, 1] = 1e37
    with np.errstate(all="raise"):
        assert telling_of(values) == (0, 2, 3, 4, 5, 6)
