from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.models.programs.made import Net


@pytest.fixture(scope="session")
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, net: Net) -> Path:
    """A folder with the network in every form."""
    folder = tmp_path_factory.mktemp("containers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(folder / "scripted.pt")
        torch.jit.trace(net, torch.zeros(1, 1, 8, 8)).save(folder / "traced.pt")
        torch.export.save(
            torch.export.export(net, (torch.zeros(1, 1, 8, 8),)), folder / "exported.pt2"
        )
        batch = {0: torch.export.Dim("n")}
        several = torch.export.export(net, (torch.zeros(2, 1, 8, 8),), dynamic_shapes=(batch,))
        torch.export.save(several, folder / "batches.pt2")
        wide = nn.Conv2d(1, 2, 3)
        sides = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
        any_size = torch.export.export(wide, (torch.zeros(1, 1, 8, 9),), dynamic_shapes=(sides,))
        torch.export.save(any_size, folder / "any_size.pt2")
        torch.save(net.state_dict(), folder / "weights.pt")
        torch.save(net, folder / "module.pt")
        torch.save(net.state_dict(), folder / "old.pth", _use_new_zipfile_serialization=False)
    return folder
