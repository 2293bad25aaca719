"""Weights go into a module whole, or in part when that is asked for, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz.errors import ModelError
from cnnviz.models.weights import WeightsFile, fill


def net(seed: int = 1, width: int = 4, classes: int = 2) -> nn.Module:
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Linear(4, classes))
    return nn.Sequential(layers, nn.Linear(2, 2))


def file(tensors: dict[str, Tensor]) -> WeightsFile:
    return WeightsFile(Path("folder/w.pth"), tensors, {}, "pickle", "", ())


def values(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def test_all_that_fits_is_copied() -> None:
    module, theirs = net(), values(net(2))
    fit = fill(module, file(theirs))
    assert (fit.loaded, fit.complete, str(fit), fit.notes) == (11, True, "", ())
    assert equal(values(module), theirs)
    theirs["0.0.weight"].zero_()
    assert not equal(values(module), theirs)  # copied, not shared


def changed(**tensors: Tensor | None) -> dict[str, Tensor]:
    """The tensors of another net with some replaced, added, or (None) left out."""
    state: dict[str, Any] = {**values(net(2)), **tensors}
    return {name: tensor for name, tensor in state.items() if tensor is not None}


MISFITS: dict[str, tuple[dict[str, Tensor], str]] = {
    "missing": (
        changed(**{"1.bias": None}),
        "fits 10 of the model's 11 tensors; 1 missing: 1.bias",
    ),
    "unexpected": (changed(extra=torch.ones(1)), "fits 11 .*; 1 unexpected: extra;"),
    "shape": (
        changed(**{"0.2.weight": torch.ones(10, 4)}),
        "1 wrong shape: '0.2.weight' is 10x4, the model's 2x4; --partial takes these",
    ),
    "whole numbers": (
        changed(**{"1.bias": torch.ones(2, dtype=torch.int8)}),
        "'1.bias' is int8, the model's float32",
    ),
    "many": (
        {f"n{i}": torch.ones(1) for i in range(9)} | {"1.bias": torch.ones(2)},
        r"9 missing: 0.0.weight, 0.0.bias, 0.1.weight, …; 9 unexpected: n0, n1, n2, …",
    ),
}


@pytest.mark.parametrize(("tensors", "said"), MISFITS.values(), ids=MISFITS.keys())
def test_what_does_not_fit_is_named_and_nothing_changes(
    tensors: dict[str, Tensor], said: str
) -> None:
    module, before = net(), values(net())
    with pytest.raises(ModelError, match=said) as caught:
        fill(module, file(tensors))
    assert len(str(caught.value)) < 300
    assert equal(values(module), before)


@pytest.mark.parametrize(("tensors", "said"), MISFITS.values(), ids=MISFITS.keys())
def test_in_part_what_fits_is_copied_and_the_rest_said(
    tensors: dict[str, Tensor], said: str
) -> None:
    module, before = net(), values(net())
    fit = fill(module, file(tensors), partial=True)
    after = values(module)
    fitting = [
        name
        for name in before
        if name in tensors
        and tensors[name].shape == before[name].shape
        and tensors[name].dtype == before[name].dtype
    ]
    assert fit.loaded == len(fitting)
    for name, tensor in before.items():
        assert torch.equal(after[name], tensors[name] if name in fitting else tensor)
    kinds = {
        "missing": fit.missing,
        "unexpected": fit.unexpected,
        "wrong shape": fit.wrong_shape,
    }
    counts = [f"{len(names)} {kind}" for kind, names in kinds.items() if names]
    assert [part.split(":")[0] for part in str(fit).split("; ")] == counts


@pytest.mark.parametrize("partial", [False, True], ids=["whole", "partial"])
def test_weights_of_another_architecture_are_refused_in_part_too(partial: bool) -> None:
    module = net()
    theirs = {"stem.kernel": torch.ones(3), "0.0.weight": torch.ones(7), "0.1.x": torch.ones(())}
    with pytest.raises(ModelError, match=r"w\.pth holds weights of another architecture: none of"):
        fill(module, file(theirs), partial=partial)
    assert equal(values(module), values(net()))


def test_counters_alone_are_no_fit() -> None:
    theirs = {"0.1.num_batches_tracked": torch.tensor(3), "a": torch.ones(2)}
    with pytest.raises(ModelError, match="another architecture"):
        fill(net(), file(theirs), partial=True)


def test_long_names_do_not_make_long_messages() -> None:
    long = {f"{i}" + "n" * 900: torch.ones(1) for i in range(9)}
    path = Path("folder" * 40, "w.pth")
    for theirs in (long, long | {"1.bias": torch.ones(2)}):
        with pytest.raises(ModelError, match=r"w\.pth ") as caught:
            fill(net(), replace(file(theirs), path=path))
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("prefix", ["model.", "net.", "a.b.c."])
def test_a_prefix_that_the_module_does_not_have_is_dropped(prefix: str) -> None:
    module, theirs = net(), values(net(2))
    fit = fill(module, file({prefix + name: tensor for name, tensor in theirs.items()}))
    assert fit.notes == (f"dropped the prefix {prefix!r} of 11 names",)
    assert equal(values(module), theirs)


def test_what_stands_beside_the_model_is_unexpected() -> None:
    theirs = {f"model.{name}": tensor for name, tensor in values(net(2)).items()}
    theirs["criterion.weight"] = torch.ones(2)
    with pytest.raises(ModelError, match=r"fits 11 .*1 unexpected: criterion.weight"):
        fill(net(), file(theirs))
    module = net()
    assert fill(module, file(theirs), partial=True).loaded == 11
    assert equal(values(module), values(net(2)))


def test_a_prefix_that_only_the_module_has_is_put_before() -> None:
    module, theirs = nn.ModuleDict({"backbone": net()}), values(net(2))
    fit = fill(module, file(theirs))
    assert fit.notes == ("put the prefix 'backbone.' before 11 names",)
    assert equal(values(module["backbone"]), theirs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_are_cast_to_the_type_of_the_module(dtype: torch.dtype) -> None:
    theirs = {n: t.to(dtype) if t.is_floating_point() else t for n, t in values(net(2)).items()}
    module = net()
    fit = fill(module, file(theirs))
    name = str(dtype).removeprefix("torch.")
    assert fit.notes == (f"cast 10 tensors from {name} to float32",)
    expected = {n: t.to(values(net())[n].dtype) for n, t in theirs.items()}
    assert equal(values(module), expected)


def test_batch_counters_may_be_missing_as_in_torch() -> None:
    theirs = changed(**{"0.1.num_batches_tracked": None})
    net().load_state_dict(theirs)  # torch allows it too
    assert fill(net(), file(theirs)).complete


def test_a_shared_tensor_may_be_there_under_one_name() -> None:
    module = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    module["b"].weight = module["a"].weight
    shared = module.get_parameter("b.weight")
    theirs = {"a.weight": torch.ones(2, 2), "a.bias": torch.ones(2), "b.bias": torch.ones(2)}
    assert fill(module, file(theirs)).complete
    assert torch.equal(shared, torch.ones(2, 2))


def test_single_numbers_of_old_files_fit() -> None:
    theirs = changed(**{"0.1.num_batches_tracked": torch.tensor([5])})
    module = net()
    assert fill(module, file(theirs)).complete
    assert values(module)["0.1.num_batches_tracked"] == 5


def test_a_module_that_refuses_is_one_line() -> None:
    class Stubborn(nn.Linear):
        def load_state_dict(self, *_: Any, **__: Any) -> Any:
            raise ValueError("no\nnever")

    with pytest.raises(ModelError, match="does not take its weights: no never"):
        fill(Stubborn(1, 1), file({"weight": torch.ones(1, 1), "bias": torch.ones(1)}))
