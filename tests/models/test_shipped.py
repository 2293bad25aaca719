"""The shipped weights: what their files say, and that they do it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from cnnviz.capturing import run_and_capture
from cnnviz.images import read_image
from cnnviz.models import MODELS, load_model
from cnnviz.models.networks.fashion import FashionCNN
from cnnviz.models.preparing.garments import prepare
from cnnviz.models.supply import WEIGHTS
from tests.conftest import ROOT

FILES = {
    f"{entry.name} {variant}": (entry, variant, WEIGHTS / file)
    for entry in MODELS.values()
    for variant, file in entry.weights.items()
    if ":" not in file  # a package's
}
TOLD = {"model", "dataset", "test_accuracy", "test_images", "seed", "epochs", "script", "input"}
GARMENTS = {"ankle_boot": "Ankle boot", "trouser": "Trouser", "bag": "Bag"}
LEAST = {"lenet": 0.99, "lenet_28": 0.99, "fashion_cnn": 0.88, "fashion_cnn_wide": 0.9}

each_file = pytest.mark.parametrize("name", FILES)


def told(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata()
    return metadata


@each_file
def test_file_says_how_it_was_made(name: str) -> None:
    entry, variant, path = FILES[name]
    said = told(path)
    assert set(said) >= TOLD | {"torch"}
    assert said["model"] == entry.name
    assert said["test_images"] == "10000"
    assert (ROOT / said["script"]).is_file()
    if variant.startswith("epoch"):
        assert said["epochs"] == variant.removeprefix("epoch")
    else:
        assert LEAST[entry.name] <= float(said["test_accuracy"]) < 1


@each_file
def test_file_holds_the_models_parameters_and_nothing_else(name: str) -> None:
    entry, _, path = FILES[name]
    state = load_file(path)
    assert sum(tensor.numel() for tensor in state.values()) == entry.parameters
    assert all(tensor.isfinite().all() for tensor in state.values())


def test_every_file_belongs_to_the_table_and_together_they_are_below_a_megabyte() -> None:
    files = list(WEIGHTS.glob("*.safetensors"))
    assert sorted(files) == sorted(path for _, _, path in FILES.values())
    assert sum(path.stat().st_size for path in files) < 1_000_000


@pytest.mark.parametrize("name", ["fashion_cnn", "fashion_cnn_wide"])
def test_garments_of_the_test_set_are_named(name: str, samples: Path) -> None:
    model = load_model(name)
    for file, label in GARMENTS.items():
        seen = model.prepare(read_image(samples / f"{file}.png"))
        output = run_and_capture(model.module, seen.tensor).output
        assert model.labels[int(output.argmax())] == label


def test_lenet_28_reads_the_digits_of_the_test_set(samples: Path) -> None:
    model = load_model("lenet_28")
    for digit in range(10):
        seen = model.prepare(read_image(samples / f"digit_{digit}.png"))
        assert seen.steps == []
        assert run_and_capture(model.module, seen.tensor).output.argmax() == digit


def test_fashion_cnn_learns_from_epoch_to_epoch() -> None:
    variants = ("epoch0", "epoch1", "epoch3", "epoch10", "trained")
    said = [told(FILES[f"fashion_cnn {variant}"][2]) for variant in variants]
    assert float(said[0]["test_accuracy"]) < 0.2
    assert all(float(a["test_accuracy"]) < float(b["test_accuracy"]) for a, b in pairwise(said))
    assert len({one["seed"] for one in said}) == 1


def test_epoch_0_is_what_the_seed_gives() -> None:
    path = FILES["fashion_cnn epoch0"][2]
    with torch.random.fork_rng():
        torch.manual_seed(int(told(path)["seed"]))
        drawn = FashionCNN().state_dict()
    assert all(torch.equal(drawn[name], tensor) for name, tensor in load_file(path).items())


def test_trained_filters_are_far_from_where_they_began() -> None:
    began, trained = (load_file(FILES[f"fashion_cnn {v}"][2]) for v in ("epoch0", "trained"))
    for layer in ("conv1.weight", "conv2.weight"):
        moved = (trained[layer] - began[layer]).flatten(1).norm(dim=1)
        assert (moved > began[layer].flatten(1).norm(dim=1) / 2).all(), layer


@pytest.mark.parametrize("variant", ["epoch1", "epoch3", "epoch10", "trained"])
@pytest.mark.parametrize("garment", GARMENTS)
def test_no_map_of_the_trained_fashion_cnn_is_dead(
    variant: str, garment: str, samples: Path
) -> None:
    model = FashionCNN()
    model.load_state_dict(load_file(FILES[f"fashion_cnn {variant}"][2]))
    seen = prepare(read_image(samples / f"{garment}.png")).tensor
    for layer in run_and_capture(model, seen).layers:
        if layer.name in ("relu1", "pool"):
            assert layer.values is not None
            varied = layer.values.flatten(1).amax(1) - layer.values.flatten(1).amin(1)
            assert (varied > 0.05).all(), layer.name


def test_the_dead_maps_of_the_wide_network_are_those_that_are_owned_up_to(samples: Path) -> None:
    model = load_model("fashion_cnn_wide")
    alive = {"layer1.1": torch.zeros(32), "layer2.1": torch.zeros(64)}
    for garment in GARMENTS:
        seen = prepare(read_image(samples / f"{garment}.png")).tensor
        for layer in run_and_capture(model.module, seen).layers:
            if layer.name in alive and layer.values is not None:
                alive[layer.name] += layer.values.flatten(1).amax(1)
    dead = {name: torch.nonzero(most == 0).flatten().tolist() for name, most in alive.items()}
    assert dead == {"layer1.1": [29], "layer2.1": [23, 28, 54, 57]}
