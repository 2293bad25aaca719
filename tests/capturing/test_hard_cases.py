"""One tiny model for each thing in its code that makes extractors of feature maps go wrong."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

import cnnviz
from cnnviz.capturing import feature_maps, run_and_capture
from cnnviz.errors import CnnvizError
from tests.capturing.made import EVERYTHING, IMAGE, Does, hooks, keys, reasons, seeded


def test_module_under_two_names_is_captured_once_with_its_aliases() -> None:
    model = nn.ModuleDict({"a": nn.ReLU(), "conv": nn.Conv2d(2, 2, 1)})
    model["b"] = model["a"]
    model.forward = lambda x: model["b"](model["conv"](model["a"](x)))
    run = run_and_capture(model, IMAGE)
    assert [(x.key, x.aliases) for x in run.layers] == [
        ("a", ("b",)),
        ("conv", ()),
        ("a#2", ("b",)),
    ]


def test_list_of_one_layer_three_times_is_three_calls_of_it() -> None:
    layer = nn.Conv2d(2, 2, 1)
    model = seeded(layer, layer, layer)
    run = run_and_capture(model, IMAGE)
    assert [(x.key, x.aliases) for x in run.layers] == [
        (key, ("1", "2")) for key in ("0", "0#2", "0#3")
    ]
    with torch.inference_mode():
        assert torch.equal(run.output, layer(layer(layer(IMAGE)))[0])


def test_functions_of_a_model_without_layers_are_captured_in_order() -> None:
    weight = torch.randn(3, 2, 3, 3, generator=torch.Generator().manual_seed(0))

    def forward(x: Tensor) -> Tensor:
        y = F.conv2d(x, weight, padding=1)
        y = F.relu(y, inplace=True)
        y = torch.cat([y, y + 1], dim=1)
        y += 2
        return F.max_pool2d(y, 2).flatten(1)

    run = run_and_capture(Does(forward), IMAGE, **EVERYTHING)
    assert keys(run) == ["conv2d", "relu", "add", "cat", "add#2", "max_pool2d", "Does"]
    conv = F.conv2d(IMAGE, weight, padding=1)[0]
    maps = {layer.key: layer.values for layer in run.layers}
    assert torch.equal(torch.as_tensor(maps["conv2d"]), conv)
    assert torch.equal(torch.as_tensor(maps["relu"]), conv.relu())
    assert torch.equal(torch.as_tensor(maps["cat"]), torch.cat([conv.relu(), conv.relu() + 1]))
    assert torch.equal(torch.as_tensor(maps["add#2"]), torch.as_tensor(maps["cat"]) + 2)
    kinds = {layer.name: layer.kind for layer in run.layers}
    assert (kinds["conv2d"], kinds["relu"], kinds["max_pool2d"]) == ("conv", "relu", "pool")
    assert (kinds["cat"], kinds["add"]) == ("function", "function")


def test_activations_and_pools_that_are_functions_count_as_layers() -> None:
    model = Does(lambda x: F.max_pool2d(F.relu(model.conv(x)), 2) * 2)
    model.conv = nn.Conv2d(2, 3, 3)
    assert set(feature_maps(model, IMAGE)) == {"conv", "relu", "max_pool2d"}


def test_branches_that_depend_on_values_are_taken_as_without_hooks() -> None:
    model = Does(lambda x: model.up(x) if x.mean() > 0 else model.down(x))
    model.up, model.down = nn.ReLU(), nn.Tanh()
    for sign, taken, left in ((1, "up", "down"), (-1, "down", "up")):
        run = run_and_capture(model, sign * IMAGE.abs(), check=True)
        assert (keys(run), reasons(run)) == ([taken, left], {left: "never ran"})
        assert run.same_output


def test_layer_that_fails_and_is_caught_is_said_and_what_follows_is_seen() -> None:
    def forward(x: Tensor) -> Tensor:
        try:
            x = model.bad(x)
        except ValueError:
            x = model.good(F.relu(x))
        return x + 1

    def fail(_: Tensor) -> Tensor:
        raise ValueError("too\nfew")

    model = Does(forward)
    model.bad, model.good = Does(fail), nn.Tanh()
    run = run_and_capture(model, IMAGE, check=True, **EVERYTHING)
    assert keys(run) == ["bad", "relu", "good", "add"]
    assert reasons(run) == {"bad": "it failed: ValueError: too few"}
    assert run.same_output


def test_model_that_ends_the_process_has_failed() -> None:
    def leave(_: Tensor) -> Tensor:
        raise SystemExit(3)

    model = nn.Sequential(nn.ReLU(), Does(leave))
    with pytest.raises(CnnvizError, match=r"the model failed in layer 1: SystemExit: 3"):
        run_and_capture(model, IMAGE, check=True)
    assert hooks(model) == 0


def test_layer_that_returns_nothing_while_an_error_is_handled_has_not_failed() -> None:
    model = nn.Sequential(Does(lambda _: None))
    try:
        raise ValueError
    except ValueError:
        run = run_and_capture(model, IMAGE)
    assert reasons(run) == {"0": "it returned nothing"}


def test_what_the_model_draws_by_lot_is_drawn_the_same_with_hooks() -> None:
    def forward(x: Tensor) -> Tensor:
        noise = torch.rand_like(x) + random.gauss() + float(np.random.rand())
        return F.dropout(model.conv(x) + noise, training=True)

    model = Does(forward)
    model.conv = nn.Conv2d(2, 2, 1)
    first, second = (run_and_capture(model, IMAGE, check=True) for _ in range(2))
    assert first.same_output
    assert second.same_output
    assert not torch.equal(first.output, second.output)


def test_modules_called_on_nothing_are_layers_too() -> None:
    model = Does(lambda x: x + model.position())
    model.position = Does(lambda: torch.full((1, 2, 6, 6), 3.0))
    run = run_and_capture(model, IMAGE)
    assert (feature_maps(model, IMAGE)["position"] == 3).all()
    assert run.layers[0].layout == "NCHW (assumed)"


def test_modules_made_while_the_model_runs_are_said_not_to_be_listened_to() -> None:
    def forward(x: Tensor) -> Tensor:
        model.late = nn.Sequential(nn.ReLU(), nn.Conv2d(2, 1, 1))
        y: Tensor = model.late(x)
        return y

    model = Does(forward)
    run = run_and_capture(model, IMAGE, **EVERYTHING)
    assert keys(run) == ["relu", "conv2d", "Does", "late.0", "late.1"]
    assert reasons(run) == {
        "late.0": "made while the model ran, so nothing listened to it",
        "late.1": "used inside its parent's call",
    }


def test_modules_made_in_a_first_run_are_listened_to_in_the_second() -> None:
    def forward(x: Tensor) -> Tensor:
        if not hasattr(model, "late"):
            model.late = nn.Tanh()
        y: Tensor = model.late(x)
        return y

    model = Does(forward)
    with cnnviz.capture(model) as maps:
        model(IMAGE)
        assert "late" not in maps
        model(IMAGE)
    assert (maps["late"] == IMAGE.tanh()[0].numpy()).all()
    assert hooks(model) == 0


def test_modules_deleted_while_the_model_runs_are_captured_and_come_unhooked() -> None:
    def forward(x: Tensor) -> Tensor:
        y: Tensor = model.once(x)
        del model.once
        return y

    model, once = Does(forward), nn.Conv2d(2, 2, 1)
    model.once = once
    assert set(feature_maps(model, IMAGE)) == {"once"}
    assert hooks(once) == 0


@pytest.mark.parametrize("add", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_parametrised_layer_is_one_layer(add: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(add(nn.Conv2d(2, 3, 3)), nn.ReLU()).eval()
    run = run_and_capture(model, IMAGE, check=True, **EVERYTHING)
    assert [(x.key, x.kind) for x in run.layers] == [("0", "conv"), ("1", "relu")]
    assert run.same_output
    with torch.inference_mode():
        assert torch.equal(torch.as_tensor(run.layers[0].values), model[0](IMAGE)[0])


def test_model_that_is_one_layer_is_named_by_its_type() -> None:
    conv = nn.Conv2d(2, 3, 3)
    maps = feature_maps(conv, IMAGE)
    assert list(maps) == ["Conv2d"]


def test_hooks_of_the_models_own_are_kept_and_what_they_return_is_captured() -> None:
    layer = nn.Conv2d(2, 3, 3)
    model = seeded(layer, nn.ReLU())
    seen: list[Tensor] = []
    layer.register_forward_hook(lambda *call: call[2] * 2)
    model[1].register_forward_pre_hook(lambda _, args: (args[0] + 1,))
    model[1].register_forward_hook(lambda *call: seen.append(call[2]))
    before = hooks(model)
    run = run_and_capture(model, IMAGE, check=True)
    with torch.inference_mode():
        conv = F.conv2d(IMAGE, layer.weight, layer.bias)
    first, second = (torch.as_tensor(layer.values) for layer in run.layers)
    assert torch.equal(first, 2 * conv[0])
    assert torch.equal(second, (2 * conv[0] + 1).relu())
    assert run.same_output
    assert (len(seen), hooks(model)) == (2, before)


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_gradient_checkpointing_does_not_hide_layers(reentrant: bool) -> None:
    model = Does(lambda x: checkpoint(model.body, x, use_reentrant=reentrant))
    model.body = seeded(nn.Conv2d(2, 3, 3), nn.ReLU())
    run = run_and_capture(model, IMAGE, check=True)
    assert keys(run) == ["body.0", "body.1"]
    assert run.same_output


def test_forward_called_by_hand_leaves_the_layers_functions_and_the_reason() -> None:
    conv = nn.Conv2d(2, 3, 3)
    model = Does(conv.forward)
    model.conv = conv
    run = run_and_capture(model, IMAGE)
    assert keys(run) == ["conv2d", "conv"]
    assert reasons(run) == {"conv": "used inside its parent's call"}


def test_several_inputs_and_arguments_in_loops_are_captured_call_by_call() -> None:
    model = Does(lambda a, b, *, flag: model.relu(a - b) if flag else model.relu(b))
    model.relu = nn.ReLU()
    model.train()
    with cnnviz.capture(model) as maps:
        for scale in (1, 2):
            model(scale * IMAGE, IMAGE, flag=True)
        model(IMAGE, b=-IMAGE, flag=False)
        assert not model.relu.training
    assert list(maps) == ["relu", "relu#2", "relu#3"]
    assert (maps["relu#2"] == IMAGE.relu()[0].numpy()).all()
    assert (maps["relu#3"] == (-IMAGE).relu()[0].numpy()).all()
    assert model.training
    assert hooks(model) == 0


def test_users_own_exception_names_the_layer_and_leaves_nothing_behind() -> None:
    model = nn.Sequential(nn.ReLU(), nn.Conv2d(5, 1, 1))
    with pytest.raises(RuntimeError, match="to have 5 channels") as caught, cnnviz.capture(model):
        model(IMAGE)
    assert caught.value.__notes__ == ["the model failed in layer 1"]
    assert hooks(model) == 0
    with pytest.raises(RuntimeError) as other, cnnviz.capture(model):
        raise RuntimeError("of the user's own")
    assert not hasattr(other.value, "__notes__")


def test_run_after_one_that_failed_is_captured() -> None:
    model = seeded(nn.ReLU(), nn.Conv2d(2, 1, 1))
    with cnnviz.capture(model) as maps:
        with pytest.raises(RuntimeError):
            model(IMAGE[:, :1])
        model(IMAGE)
    assert list(maps) == ["0", "0#2", "1#2"]
    assert maps.layers[1].reason is not None


def test_fault_of_a_receiver_comes_out_even_where_the_model_catches_it() -> None:
    def refuse(*_: object) -> None:
        raise CnnvizError("no room")

    def forward(x: Tensor) -> Tensor:
        try:
            y: Tensor = model.relu(x)
        except Exception:
            return x
        return y

    model = Does(forward)
    model.relu = nn.ReLU()
    with pytest.raises(CnnvizError, match=r"^no room$"):
        run_and_capture(model, IMAGE, receive=refuse)
    assert hooks(model) == 0
