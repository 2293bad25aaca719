"""TorchScript and torch.export files: what they hold is run and listened to."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError, ModelError
from cnnviz.models.naming import find_source
from cnnviz.models.programs.operations import Operations, listened
from cnnviz.summary.model import ModelSummary, summarize
from tests.models.programs.made import PARAMETERS, Net

FILES = ("scripted.pt", "traced.pt", "exported.pt2", "batches.pt2")


@pytest.mark.parametrize("file", FILES)
def test_a_program_computes_what_the_network_does(folder: Path, net: Net, file: str) -> None:
    image = torch.rand(1, 1, 8, 8)
    source = find_source(str(folder / file))
    assert not source.takes_weights
    with torch.no_grad():
        expected = net(image)
        torch.testing.assert_close(source.build()(image), expected)
        torch.testing.assert_close(source.build()(image), expected)


@pytest.mark.parametrize("file", FILES)
def test_parameters_keep_their_names(folder: Path, net: Net, file: str) -> None:
    built = find_source(str(folder / file)).build()
    torch.testing.assert_close(dict(built.state_dict()), dict(net.state_dict()))


def test_an_exported_program_says_its_input(folder: Path) -> None:
    found = [find_source(str(folder / f)) for f in (*FILES[1:], "any_size.pt2")]
    assert [each.home for each in found] == ["torchscript", "export", "export", "export"]
    assert [each.input_size for each in found] == [None, (1, 8, 8), (1, 8, 8), None]
    assert [each.fixed_size for each in found] == [False, True, True, False]


def heard(module: nn.Module, image: Tensor) -> dict[str, tuple[int, ...]]:
    outputs: dict[str, tuple[int, ...]] = {}
    for name, part in module.named_modules():
        part.register_forward_hook(lambda *call, name=name: outputs.update({name: call[2].shape}))
    with torch.no_grad():
        module(image)
    outputs.pop("")
    return outputs


def test_layers_of_an_exported_program_are_heard_by_their_names(folder: Path, net: Net) -> None:
    built = find_source(str(folder / "exported.pt2")).build()
    image = torch.zeros(1, 1, 8, 8)
    assert heard(built, image) == heard(net, image)
    parts = dict(built.named_modules())
    assert type(parts["inner.1"]).__name__ == "ReLU"
    assert type(parts["first"]).__name__ == "Conv2d"


@pytest.mark.parametrize("file", FILES[:2])
def test_operations_of_torchscript_are_heard_by_the_names_of_their_weights(
    folder: Path, file: str
) -> None:
    built = find_source(str(folder / file)).build()
    assert isinstance(built, Operations)
    found = heard(listened(built, (1, 8, 8)), torch.zeros(1, 1, 8, 8))
    maps = (1, 4, 6, 6)
    assert list(found) == [
        *("first", "inner.0", "relu", "inner.2", "mul", "add", "relu_2", "flatten", "head"),
    ]
    assert [found[name] for name in ("first", "inner.0", "relu", "mul", "relu_2")] == [maps] * 5
    assert found["head"] == (1, 2)


def test_torchscript_moves_with_its_weights(folder: Path, net: Net) -> None:
    built = find_source(str(folder / "scripted.pt")).build().double()
    image = torch.rand(1, 1, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(built(image), Net.forward(copy.deepcopy(net).double(), image))


def test_a_sparse_weight_is_refused(tmp_path: Path) -> None:
    class Sparse(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("weight", torch.eye(4).to_sparse())

        def forward(self, x: Tensor) -> Tensor:
            return x

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(Sparse()).save(tmp_path / "sparse.pt")
    with pytest.raises(ModelError, match=r"has a sparse tensor, weight|not TorchScript that torch"):
        find_source(str(tmp_path / "sparse.pt")).build()


def test_a_layer_that_runs_twice_is_one_layer(tmp_path: Path) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            once: Tensor = self.conv(self.conv(x))
            return once

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Twice(), torch.zeros(1, 1, 4, 4)).save(tmp_path / "twice.pt")
    layers = summarize(str(tmp_path / "twice.pt"), (1, 4, 4)).layers
    assert [(layer.name, layer.call, layer.params) for layer in layers] == [
        ("conv", 1, 2),
        ("conv", 2, 0),
    ]


@pytest.mark.parametrize("name", ["layers", "script", "cnnviz", "unroll", "relu"])
def test_parts_of_a_program_may_have_any_name(tmp_path: Path, name: str) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add_module(name, nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))

        def forward(self, x: Tensor) -> Tensor:
            part: nn.Module = getattr(self, name)
            out: Tensor = part(x)
            return out

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Net(), torch.zeros(1, 1, 8, 8)).save(tmp_path / "named.pt")
    first, second = summarize(str(tmp_path / "named.pt"), (1, 8, 8)).layers
    assert (first.name, first.params) == (f"{name}.0", 20)
    assert second.type == "relu"


def figures(summary: ModelSummary) -> tuple[int, int, int, int | None, tuple[int, ...] | None]:
    params, macs = summary.total_params, summary.macs
    return params, macs, summary.buffers, summary.depth, summary.output


@pytest.mark.parametrize("file", FILES)
def test_summary_of_a_program_adds_up_to_that_of_the_network(
    folder: Path, net: Net, file: str
) -> None:
    expected = summarize(net, (1, 8, 8))
    found = summarize(str(folder / file), (1, 8, 8))
    assert figures(found) == figures(expected)
    assert found.total_params == PARAMETERS
    assert sum(layer.params for layer in found.layers) == PARAMETERS
    assert sum(layer.macs for layer in found.layers) == found.macs
    assert found.last_map is not None
    assert [field.size for field in found.last_map.fields] == [3, 3]
    assert "run with its own weights on the CPU" in found.notes[0]


@pytest.mark.parametrize(
    ("file", "size", "said"),
    [
        ("exported.pt2", (1, 9, 9), "was exported for 1x8x8 and takes no other size"),
        ("scripted.pt", (3, 8, 8), "on an input of 3x8x8: .*expected input.* to have 1 channels"),
        ("traced.pt", None, "give --input"),
    ],
)
def test_an_input_that_does_not_fit_is_said(
    folder: Path, file: str, size: tuple[int, ...] | None, said: str
) -> None:
    with pytest.raises(CnnvizError, match=said) as caught:
        summarize(str(folder / file), size)
    assert "\n" not in str(caught.value)
