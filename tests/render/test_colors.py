from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from cnnviz.render.colors import colored, not_finite, table
from cnnviz.render.look import COLOR_MAPS


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_color_map_is_matplotlibs(name: str) -> None:
    shares = mpl.colormaps[name](np.arange(256))[:, :3]
    assert (table(name) == np.rint(shares * 255)).all()


@pytest.mark.parametrize("shape", [(), (1,), (5, 3), (2, 0), (2, 3, 4)])
def test_levels_of_any_shape_take_their_colors(shape: tuple[int, ...]) -> None:
    levels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert (colored(levels, "magma") == table("magma")[levels]).all()


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_what_is_not_finite_cannot_be_taken_for_a_value(name: str) -> None:
    away = np.abs(table(name).astype(int) - not_finite(name)).max(axis=1)
    assert away.min() > 60


def test_it_is_red_where_the_map_has_no_red() -> None:
    assert not_finite("viridis") == (190, 30, 45)
    assert not_finite("RdBu") != (190, 30, 45)
