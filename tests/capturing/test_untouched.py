"""Capturing leaves a model, its input and torch's settings as they were, to the byte."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import cnnviz
from cnnviz.capturing import run_and_capture, survey
from cnnviz.capturing.untouched import is_same, same_bits
from cnnviz.errors import CnnvizError
from tests.capturing.made import IMAGE, Does, hooks, seeded


def bytes_of(model: nn.Module) -> dict[str, bytes]:
    return {name: t.detach().numpy().tobytes() for name, t in model.state_dict().items()}


def trains_its_norm() -> Any:
    """A model whose normalisation is in training mode whenever it runs."""

    def forward(x: Tensor) -> Tensor:
        model.norm.train()
        y: Tensor = model.norm(x)
        return F.relu(y)

    model = Does(forward)
    model.norm = nn.BatchNorm2d(2)
    model.norm.running_mean = torch.tensor([-0.0, 3.0])
    return model


@pytest.mark.parametrize("how", ["run_and_capture", "survey", "capture"])
def test_statistics_that_a_run_moves_are_put_back_to_the_byte(how: str) -> None:
    model = trains_its_norm().eval()
    before, mean = bytes_of(model), model.norm.running_mean
    if how == "capture":
        with cnnviz.capture(model) as found:
            model(IMAGE)
            model(IMAGE)
        restored = found.restored
    else:
        run = run_and_capture(model, IMAGE) if how == "run_and_capture" else survey(model, IMAGE)
        restored = run.restored
    assert restored == ("norm.running_mean", "norm.running_var", "norm.num_batches_tracked")
    assert bytes_of(model) == before
    assert model.norm.running_mean is mean
    assert not model.norm.training


@pytest.mark.parametrize("check", [True, False])
def test_lazy_layers_keep_what_their_first_run_made_and_can_be_trained(check: bool) -> None:
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))
    first, second = (run_and_capture(model, IMAGE, check=check) for _ in range(2))
    assert torch.equal(first.output, second.output)
    assert first.restored == ()
    assert dict(model.named_buffers()).keys() == {
        *("1.running_mean", "1.running_var", "1.num_batches_tracked"),
    }
    before = bytes_of(model)
    model.train()(IMAGE).sum().backward()
    torch.optim.SGD(model.parameters(), 1.0).step()
    assert bytes_of(model)["0.weight"] != before["0.weight"]


def test_run_that_is_checked_begins_twice_from_the_same_statistics() -> None:
    """The output depends on a buffer that each run changes."""

    def forward(x: Tensor) -> Tensor:
        model.count += 1
        return x * model.get_buffer("count")

    model = Does(forward)
    model.register_buffer("count", torch.zeros(()))
    run = run_and_capture(model, IMAGE, check=True)
    assert run.same_output
    assert torch.equal(run.output, IMAGE[0])
    assert run.restored == ("count",)
    assert model.count == 0


def test_buffers_that_are_replaced_deleted_or_made_are_as_before() -> None:
    def forward(x: Tensor) -> Tensor:
        model.replaced = model.replaced + 1
        del model.deleted
        model.register_buffer("made", x.mean())
        return x

    model = Does(forward)
    model.register_buffer("replaced", torch.zeros(2))
    model.register_buffer("deleted", torch.ones(2))
    replaced, deleted = model.replaced, model.deleted
    run = run_and_capture(model, IMAGE)
    assert run.restored == ("replaced", "deleted", "made")
    assert (model.replaced is replaced, model.deleted is deleted) == (True, True)
    assert {*dict(model.named_buffers())} == {"replaced", "deleted"}


def test_zero_that_became_minus_zero_is_put_back() -> None:
    model = Does(lambda x: model.zero.mul_(-1) + x)
    model.register_buffer("zero", torch.zeros(2, 6, 6))
    before = bytes_of(model)
    assert run_and_capture(model, IMAGE).restored == ("zero",)
    assert bytes_of(model) == before


def test_input_that_the_model_writes_into_stays_as_it_was() -> None:
    model = Does(lambda x: model.relu(x.sub_(1)))
    model.relu = nn.ReLU(inplace=True)
    image = IMAGE.clone()
    run = run_and_capture(model, image, check=True)
    survey(model, image)
    assert run.same_output
    assert torch.equal(image, IMAGE)
    assert torch.equal(run.output, (IMAGE[0] - 1).relu())


def test_model_can_be_trained_afterwards() -> None:
    model = seeded(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True)).train()
    run_and_capture(model, IMAGE)
    with cnnviz.capture(model):
        model(IMAGE)
    model(IMAGE).sum().backward()
    assert all(param.grad is not None for param in model.parameters())
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("fast", [True, False])
def test_torchs_settings_are_restored_also_after_a_failure(fast: bool) -> None:
    set_fast = torch.backends.mha.set_fastpath_enabled
    model = Does(lambda x: x.undefined)
    before = torch.backends.mha.get_fastpath_enabled()
    set_fast(fast)
    try:
        with pytest.raises(CnnvizError, match="undefined"):
            run_and_capture(model, IMAGE)
        assert torch.backends.mha.get_fastpath_enabled() is fast
    finally:
        set_fast(before)
    assert hooks(model) == 0


def test_transformer_puts_out_the_same_with_hooks_and_without() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    run = run_and_capture(model, torch.randn(1, 5, 8), check=True)
    assert run.same_output
    assert [x.key for x in run.layers if x.kind == "attention"][:2] == [
        *("layers.0.self_attn", "layers.0.self_attn.weights")
    ]


def test_model_that_notices_hooks_is_seen_to_put_out_something_else() -> None:
    model = Does(lambda x: x + len(model._forward_hooks))
    assert run_and_capture(model, IMAGE, check=True).same_output is False


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (torch.tensor([torch.nan]), torch.tensor([torch.nan]), True),
        (torch.tensor([0.0]), torch.tensor([-0.0]), False),
        (torch.tensor(1), torch.tensor(1), True),
        (torch.tensor(1), torch.tensor(1.0), False),
        (torch.ones(2, 1), torch.ones(1, 2), False),
        (torch.ones(2, 3).T, torch.ones(3, 2), True),
        (torch.ones(3, dtype=torch.bfloat16), torch.ones(3, dtype=torch.bfloat16), True),
        (torch.ones(3, dtype=torch.complex64), torch.ones(3, dtype=torch.complex64).conj(), False),
        (torch.eye(3).to_sparse(), torch.eye(3).to_sparse(), True),
        (torch.ones(0, 3), torch.ones(0, 3), True),
    ],
)
def test_bits_are_compared(one: Tensor, other: Tensor, same: bool) -> None:
    assert same_bits(one, other) is same
    assert is_same({"a": [one]}, {"a": [other]}) is same
    assert is_same({"a": [one]}, {"b": [one]}) is False
