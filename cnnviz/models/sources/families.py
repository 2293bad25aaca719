"""The families that torchvision's and timm's models belong to, and the data that tells of both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
QUANTIZED = "quantized_"


@dataclass(frozen=True)
class Family:
    """Networks of one paper; a model belongs to it whose name begins with one of ``begins``.

    ``year`` is the one that the family is usually named by, mostly that of the preprint.
    """

    name: str
    title: str
    year: int
    paper: str
    known_for: str
    begins: tuple[str, ...]
    note: str


@cache
def families() -> tuple[Family, ...]:
    """All families, by year."""
    return tuple(
        Family(
            each["name"],
            each["title"],
            each["year"],
            each["paper"] or "",
            each["known_for"],
            tuple(each.get("begins", [each["name"]])),
            each.get("note", ""),
        )
        for each in read_data("families")["families"]
    )


def family_of(name: str) -> Family | None:
    """The family whose beginning fits most of a name of torchvision's or timm's."""
    bare = name.removeprefix(QUANTIZED)
    fits = [(len(b), family) for family in families() for b in family.begins if bare.startswith(b)]
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


def read_data(name: str) -> dict[str, Any]:
    """What the file called ``name`` holds: families, or the models of torchvision or timm."""
    data: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return data
