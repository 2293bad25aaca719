from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from cnnviz.errors import UsageError
from cnnviz.render.look import Look


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"scale": "log"}, "percentile"),
        ({"cmap": "jet"}, "viridis"),
        ({"tile": 0}, "1 or more"),
    ],
    ids=["scale", "colour map", "tile"],
)
def test_what_is_not_there_is_refused_and_what_is_there_named(
    options: dict[str, Any], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        Look(**options)


def test_symmetric_scale_has_a_diverging_map_unless_another_is_asked_for() -> None:
    assert Look().colors == "viridis"
    assert Look("symmetric").colors == "RdBu"
    assert Look("symmetric", "gray").colors == "gray"


def test_choices_are_read_without_heavy_libraries() -> None:
    code = "import sys, cnnviz.render.look; print(*{'cv2', 'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
