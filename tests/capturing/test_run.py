from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz.capturing import feature_maps, run_and_capture
from cnnviz.errors import CnnvizError
from tests.capturing.made import IMAGE, hooks, seeded


class Twice(nn.Module):
    """Calls ``relu`` twice, ``pool`` never."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv(x))
        y: Tensor = self.relu(x - 0.5)
        return y


class Odd(nn.Module):
    """A leaf that puts out whatever it was given."""

    def __init__(self, output: object) -> None:
        super().__init__()
        self.output = output

    def forward(self, _: object) -> object:
        return self.output


class Container(nn.Module):
    """Goes on to ``end`` whatever ``odd`` puts out."""

    def __init__(self, output: object) -> None:
        super().__init__()
        self.odd = Odd(output)
        self.end = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        self.odd(x)
        y: Tensor = self.end(x)
        return y


class Failing(nn.Module):
    """Fails in ``bad`` where it has one, else in its own code after ``good``."""

    def __init__(self, bad: nn.Module | None) -> None:
        super().__init__()
        self.good = nn.Sequential(nn.Dropout(), nn.Identity())
        self.bad = bad

    def forward(self, x: Tensor) -> Tensor:
        x = self.good(x)
        if self.bad is None:
            raise ValueError("two maps do not fit")
        y: Tensor = self.bad(x)
        return y


class Raising(nn.Module):
    """A model that is one layer and raises."""

    def forward(self, _: Tensor) -> Tensor:
        raise KeyError("mask")


def test_relu_in_place_leaves_the_captured_map_of_the_conv_before_it() -> None:
    layer = nn.Conv2d(2, 3, 3)
    maps = feature_maps(seeded(layer, nn.ReLU(inplace=True)), IMAGE)
    with torch.inference_mode():
        conv = layer(IMAGE)[0].numpy()
    assert conv.min() < 0
    assert (maps["0"] == conv).all()
    assert (maps["1"] == conv.clip(0)).all()


def test_module_called_twice_has_two_keys_and_one_that_never_ran_is_skipped() -> None:
    model = Twice()
    model.conv.weight.data.fill_(0.1)
    run = run_and_capture(model, IMAGE)
    assert [(x.key, x.name, x.call) for x in run.layers] == [
        ("conv", "conv", 1),
        ("relu", "relu", 1),
        ("sub", "sub", 1),
        ("relu#2", "relu", 2),
        ("pool", "pool", 1),
    ]
    pool = run.layers[-1]
    assert (pool.values, pool.reason) == (None, "never ran")
    maps = feature_maps(model, IMAGE)
    assert set(maps) == {"conv", "relu", "relu#2"}
    assert (maps["relu#2"] == (maps["relu"] - 0.5).clip(0)).all()


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        pytest.param({1, 2}, "unknown output type set", id="set"),
        pytest.param(None, "it returned nothing", id="nothing"),
        pytest.param(torch.ones(1, 2, 2, 2, 2), "not spatial: output is 1x2x2x2x2", id="5 axes"),
        pytest.param(torch.tensor(1.0), "not spatial: output is a single number", id="scalar"),
        pytest.param(torch.ones(4, 3), "not of one image: output is 4x3", id="four boxes"),
        pytest.param(torch.ones(1, 0, 3, 3), "empty output: 1x0x3x3", id="no channels"),
    ],
)
def test_output_that_is_no_map_is_skipped_with_the_reason(output: object, reason: str) -> None:
    run = run_and_capture(Container(output), IMAGE)
    odd, end = run.layers
    assert (odd.name, odd.values, odd.reason) == ("odd", None, reason)
    assert end.values is not None


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(
            Failing(nn.Sequential(nn.Conv2d(5, 1, 1))),
            r"^the model failed in layer bad\.0: RuntimeError: .* to have 5 channels",
            id="in a layer",
        ),
        pytest.param(
            Failing(None),
            r"^the model failed after layer good\.1: ValueError: two maps do not fit$",
            id="between layers",
        ),
        pytest.param(
            Raising(), r"^the model failed in layer Raising: KeyError: 'mask'$", id="one layer"
        ),
    ],
)
def test_failure_names_the_layer_and_leaves_the_model_as_it_was(
    model: nn.Module, message: str
) -> None:
    model.train()
    with pytest.raises(CnnvizError, match=message):
        run_and_capture(model, IMAGE)
    assert hooks(model) == 0
    assert all(module.training for module in model.modules())


def test_success_leaves_each_modules_own_mode_and_no_hooks() -> None:
    model = seeded(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.9))
    model.train()
    model[1].eval()  # as a frozen layer is
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, second = (run_and_capture(model, IMAGE).output for _ in range(2))
    assert [module.training for module in model] == [True, False, True]
    assert hooks(model) == 0
    assert torch.equal(first, second)  # dropout was off
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_output_is_that_of_the_model_without_hooks() -> None:
    model = seeded(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(48, 4)).eval()
    with torch.inference_mode():
        expected = model(IMAGE)[0]
    assert torch.equal(run_and_capture(model, IMAGE).output, expected)


def test_output_that_is_no_tensor_comes_back_as_it_is() -> None:
    output = {"boxes": torch.ones(4, 3)}
    assert run_and_capture(Odd(output), IMAGE).output is output


def test_maps_are_arrays_without_the_batch_axis_in_float32() -> None:
    model = seeded(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(48, 4)).double()
    maps = feature_maps(model, IMAGE.double())
    assert {key: value.shape for key, value in maps.items()} == {
        "0": (3, 4, 4),
        "1": (48,),
        "2": (4,),
    }
    assert {str(value.dtype) for value in maps.values()} == {"float32"}
