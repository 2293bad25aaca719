"""What is put around a model for training is taken off again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed, nn

from cnnviz.models.building.wrappers import unwrapped
from cnnviz.models.naming import find_source


@pytest.fixture
def net() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())


def compiled(module: nn.Module, backend: Any = "eager") -> Any:
    """The wrapper; nothing is compiled before it runs."""
    return torch.compile(module, backend=backend)


def test_a_model_without_wrapper_stays_as_it_is(net: nn.Module) -> None:
    assert unwrapped(net) == (net, [])


def test_wrappers_are_left_out_and_named(net: nn.Module) -> None:
    module, notes = unwrapped(nn.DataParallel(compiled(net)))
    assert module is net
    assert [note.partition(" ")[0] for note in notes] == ["DataParallel", "OptimizedModule"]


def test_distributed_data_parallel_is_left_out(net: nn.Module, tmp_path: Path) -> None:
    where = (tmp_path / "store").as_uri()
    distributed.init_process_group("gloo", init_method=where, rank=0, world_size=1)
    try:
        module, notes = unwrapped(nn.parallel.DistributedDataParallel(net))
    finally:
        distributed.destroy_process_group()
    assert module is net
    assert notes[0].startswith("DistributedDataParallel")


def test_compiled_parts_run_as_they_are_written(net: nn.Sequential) -> None:
    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        raise AssertionError("compiled")

    inside = net[0]
    model = nn.Sequential(compiled(inside, backend), nn.ReLU())
    model[1].compile(backend=backend)
    module, notes = unwrapped(model)
    assert isinstance(module, nn.Sequential)
    assert module[0] is inside
    assert len(notes) == 1
    assert module(torch.zeros(1, 1, 3, 3)).shape == (1, 2, 1, 1)


def test_a_class_of_ones_own_that_is_called_so_is_no_wrapper(net: nn.Module) -> None:
    class DataParallel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = net

    own = DataParallel()
    assert unwrapped(own) == (own, [])


def test_a_source_builds_what_is_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "from torch import nn\ndef make():\n    return nn.DataParallel(nn.Conv2d(1, 2, 3))\n"
    (tmp_path / "wrapped.py").write_text(code)
    assert isinstance(find_source("wrapped.py:make").build(), nn.Conv2d)
    assert "wrapped" not in sys.modules
