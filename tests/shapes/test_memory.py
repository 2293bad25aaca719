"""Bytes, counted by hand."""

from __future__ import annotations

import pytest

from cnnviz.shapes.chain import trace_chain
from cnnviz.shapes.memory import Memory, memory_of


def test_a_small_chain_by_hand() -> None:
    """1x4x4 -> conv 2x4x4 -> bn -> pool 2x2x2 -> flatten 8 -> linear 3."""
    chain = trace_chain("conv:2,k3,p1 bn maxpool flatten linear:3", (1, 4, 4))
    assert memory_of(chain) == Memory(
        params=4 * (2 * 9 + 2 + 4 + 8 * 3 + 3),
        buffers=4 * (2 + 2) + 8,  # the batch counter is an int64
        outputs=4 * (32 + 32 + 8 + 3),  # flatten makes nothing new
        peak=4 * (32 + 32),  # bn's input and output
    )


def test_dtype_and_batch() -> None:
    chain = trace_chain("conv:2,k3,p1 bn", (1, 4, 4))
    half = memory_of(chain, "float16", batch=5)
    assert half == Memory(2 * 24, 2 * 4 + 8, 5 * 2 * 64, 5 * 2 * 64)


@pytest.mark.parametrize(
    ("text", "alive"),
    [
        pytest.param("relu", 2, id="input and output"),
        pytest.param("relu relu", 2, id="the first input is dropped"),
        pytest.param("res[ relu / ]", 3, id="both branches and the sum"),
        pytest.param("res[ relu relu / ]", 3, id="input held beside two"),
        pytest.param("res[ relu / relu relu ]", 3, id="main held beside two"),
        pytest.param("res[ relu / conv:9,k1 conv:1,k1 ]", 11, id="main beside 1 that becomes 9"),
        pytest.param("res[ conv:9,k1 conv:1,k1 / relu ]", 11, id="input beside 9 that become 1"),
        pytest.param("flatten", 1, id="a view"),
        pytest.param("res[ res[ relu relu / relu ] relu / relu ]", 4, id="nested: two are held"),
        pytest.param("cat[ relu / ]", 4, id="both branches and the two that they become"),
        pytest.param("cat[ relu / relu / relu ]", 6, id="three, and the three that they become"),
        pytest.param("cat[ relu relu / tanh / ]", 6, id="the input is held for the last"),
        pytest.param("cat[ / conv:9,k1 conv:1,k1 ]", 11, id="the input is one of the ends"),
        pytest.param("cat[ / conv:9,k1 conv:1,k1 / tanh ]", 11, id="and held for the others"),
        pytest.param("cat[ / relu / ]", 5, id="the input twice, and the three that they become"),
        pytest.param("cat[ conv:9,k1 conv:1,k1 / relu ]", 11, id="input beside 9, in a cat"),
        pytest.param(
            "cat[ relu / conv:9,k1 conv:1,k1 / tanh ]", 12, id="first branch and input beside 9"
        ),
    ],
)
def test_tensors_alive_at_once(text: str, alive: int) -> None:
    """All tensors have 100 numbers."""
    assert memory_of(trace_chain(text, (1, 10, 10)), "int8").peak == 100 * alive
