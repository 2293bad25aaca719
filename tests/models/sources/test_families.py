from __future__ import annotations

import re

import pytest

from cnnviz.models.sources.families import families, family_of
from tests.conftest import ROOT


def test_sentences_are_sentences() -> None:
    for family in families():
        assert family.known_for.endswith(".")
        assert not family.note or family.note.endswith(".")
        assert 1998 < family.year < 2030
        assert not family.paper.endswith(".")


def test_page_has_every_family() -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (\d{4}) \| (.*) \|$", page, re.MULTILINE)
    assert rows == [(f.name, f.title, str(f.year), f.known_for) for f in families()]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("resnext50_32x4d", "resnext"),
        ("quantized_resnet18", "resnet"),
        ("efficientnet_v2_s", "efficientnet_v2"),
        ("swin3d_b", "swin3d"),
        ("ssdlite320_mobilenet_v3_large", "ssdlite"),
        ("inception_resnet_v2", "inception_resnet"),
        ("resnet1001", "resnet"),
        ("xyz", None),
    ],
)
def test_longest_beginning_names_the_family(name: str, family: str | None) -> None:
    found = family_of(name)
    assert (found and found.name) == family
