from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.capturing import Run, run_and_capture
from cnnviz.errors import ModelError
from cnnviz.models import MODELS, find_model, load_model
from cnnviz.models.loading import LoadedModel
from tests.models.drawn import seven


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load_model("lenet")


@pytest.fixture(scope="module")
def images() -> Tensor:
    return F.pad(torch.tensor(seven()) / 255, (2, 2, 2, 2)).reshape(1, 1, 32, 32) * 1.275 - 0.1


@pytest.fixture(scope="module")
def captured(model: LoadedModel, images: Tensor) -> Run:
    return run_and_capture(model.module, images)


@pytest.mark.parametrize(
    ("layer", "parameters"),
    [
        pytest.param("features.0", 6 * (5 * 5 * 1 + 1), id="C1"),
        pytest.param("features.3", 16 * (5 * 5 * 6 + 1), id="C3"),
        pytest.param("features.6", 120 * (5 * 5 * 16 + 1), id="C5"),
        pytest.param("classifier.1", 84 * (120 + 1), id="F6"),
        pytest.param("classifier.3", 10 * (84 + 1), id="OUTPUT"),
    ],
)
def test_layer_has_the_papers_weights_and_biases(
    model: LoadedModel, layer: str, parameters: int
) -> None:
    assert sum(p.numel() for p in model.module.get_submodule(layer).parameters()) == parameters


def test_lenet_has_61706_parameters() -> None:
    assert MODELS["lenet"].parameters == 156 + 2416 + 48_120 + 10_164 + 850 == 61_706


def test_layers_have_the_papers_names_and_sizes(captured: Run) -> None:
    names = MODELS["lenet"].paper_names
    sizes = {
        names[layer.name]: tuple(layer.values.shape)
        for layer in captured.layers
        if layer.name in names and layer.values is not None
    }
    assert {name: size for name, size in sizes.items() if "tanh" not in name} == {
        "C1": (6, 28, 28),
        "S2": (6, 14, 14),
        "C3": (16, 10, 10),
        "S4": (16, 5, 5),
        "C5": (120, 1, 1),
        "F6": (84,),
        "OUTPUT": (10,),
    }
    assert {name for name in sizes if "tanh" in name} == {
        f"{n} tanh" for n in ("C1", "C3", "C5", "F6")
    }


@torch.inference_mode()
def by_hand(weights: dict[str, Tensor], x: Tensor) -> dict[str, Tensor]:
    """The maps of figure 2 of the paper, from the weights alone."""

    def conv(name: str, x: Tensor) -> Tensor:
        return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    maps = {"C1": conv("features.0", x)}
    maps["S2"] = F.avg_pool2d(maps["C1"].tanh(), 2)
    maps["C3"] = conv("features.3", maps["S2"])
    maps["S4"] = F.avg_pool2d(maps["C3"].tanh(), 2)
    maps["C5"] = conv("features.6", maps["S4"])
    maps["F6"] = linear("classifier.1", maps["C5"].tanh().reshape(1, 120))
    maps["OUTPUT"] = linear("classifier.3", maps["F6"].tanh())
    return maps


def test_captured_maps_are_those_of_the_weights_bit_for_bit(
    model: LoadedModel, images: Tensor, captured: Run
) -> None:
    expected = by_hand(model.module.state_dict(), images)
    names = model.paper_names
    seen = {names[x.name]: x.values for x in captured.layers if x.name in names}
    for name, maps in expected.items():
        values = seen[name]
        assert values is not None
        assert torch.equal(values, maps[0]), name
    assert torch.equal(captured.output, expected["OUTPUT"][0])


def test_shipped_weights_read_a_drawn_seven(captured: Run) -> None:
    assert captured.output.argmax() == 7


def test_shipped_weights_say_how_they_were_made(model: LoadedModel) -> None:
    said = model.weights.about
    assert (said["dataset"], said["test_images"]) == ("MNIST", "10000")
    assert 0.988 <= float(said["test_accuracy"]) <= 1
    assert int(said["seed"]) >= 0


def test_loaded_model_is_in_eval_mode_with_finite_weights(model: LoadedModel) -> None:
    assert not any(module.training for module in model.module.modules())
    assert all(p.isfinite().all() for p in model.module.parameters())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("lennet", "did you mean lenet? there is lenet", id="a slip"),
        pytest.param("LeNet", "did you mean lenet?", id="capitals"),
        pytest.param("zzzz", "no model is called 'zzzz'; there is lenet", id="nothing near"),
    ],
)
def test_unknown_model_names_those_there_are(name: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        find_model(name)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
