"""What several tests of commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.albums import NAMES, noise


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five images of several sizes in the folder ``in``, the last in a sub-folder, and a kernel."""
    for number, name in enumerate(NAMES):
        path = tmp_path / "in" / ("deep" if name == "e" else "") / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise(number, 30 - 4 * number, 20 + number).save(path)
    (tmp_path / "k.json").write_text("[[1, 0, -1]]")
    return tmp_path / "in"
