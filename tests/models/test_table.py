"""The table of models, against the networks that it names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from cnnviz.images import Picture
from cnnviz.models import MODELS, find_model, load_model
from cnnviz.models.labels import labels_of
from cnnviz.models.naming import find_source
from cnnviz.models.preparing.latent import draw
from cnnviz.models.preparing.preprocessing import prepare
from cnnviz.models.preparing.recipes import Preprocessing
from cnnviz.models.supply import resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnviz.models import ModelEntry
    from cnnviz.models.preparing.prepared import Prepared


def mobile_blocks(width: int, out: int, expand: int, side: int, count: int) -> Iterator[int]:
    """Weights and normalisation of a stage of EfficientNet: table 1 of its paper."""
    for _ in range(count):
        inner = width * expand
        yield width * inner + 2 * inner if expand > 1 else 0
        yield side * side * inner + 2 * inner
        yield inner * out + 2 * out
        width = out


# Layer by layer, weights and biases; FACTS are the sums.
BY_HAND = {
    "lenet": (156, 2_416, 48_120, 10_164, 850),
    "lenet_28": (156, 2_416, 256 * 120 + 120, 120 * 84 + 84, 84 * 10 + 10),
    "fashion_cnn": (4 * 10, 8 * 37, 8 * 14 * 14 * 10 + 10),
    "fashion_cnn_wide": (32 * 10, 64 * 289, 64 * 6 * 6 * 10 + 10),
    "cifar_cnn": (16 * 28, 32 * 145, 32 * 8 * 8 * 10 + 10),
    "cifar_cnn_bn": (
        *(32 * 28, 64, 64 * 289, 128, 128 * 577, 256),
        *(128 * 4 * 4 * 256 + 256, 256 * 10 + 10),
    ),
    "residual_block": (2 * (9 * 3 * 3 + 3), 4 * 3),
    "mobile_block": (3 * 9, 2 * 3, 3 * 16, 2 * 16),
    "mlp": (150_528 * 1024 + 1024, 1024 * 10 + 10),
    "simple_fcn": (48 * 2 + 2, 2 * 3 + 3),
    "unet": (
        *(8 * 28, 8 * 73, 16 * 73, 16 * 145, 32 * 145, 32 * 289, 64 * 289, 64 * 577),
        *(64 * 32 * 4 + 32, 32 * 577, 32 * 289),
        *(32 * 16 * 4 + 16, 16 * 289, 16 * 145),
        *(16 * 8 * 4 + 8, 8 * 145, 8 * 73, 2 * 9),
    ),
    "dcgan_generator": (
        *(100 * 1024 * 16, 2 * 1024, 1024 * 512 * 16, 2 * 512, 512 * 256 * 16, 2 * 256),
        *(256 * 128 * 16, 2 * 128, 128 * 3 * 16),
    ),
    "efficientnet_lite0": (
        *(32 * 27, 2 * 32),  # the stem, then the blocks without squeeze-and-excite
        *mobile_blocks(32, 16, 1, 3, 1),
        *mobile_blocks(16, 24, 6, 3, 2),
        *mobile_blocks(24, 40, 6, 5, 2),
        *mobile_blocks(40, 80, 6, 3, 3),
        *mobile_blocks(80, 112, 6, 5, 3),
        *mobile_blocks(112, 192, 6, 5, 4),
        *mobile_blocks(192, 320, 6, 3, 1),
        *(320 * 1280, 2 * 1280, 1280 * 1000 + 1000),
    ),
}
FACTS = {
    "lenet": 61_706,
    "lenet_28": 44_426,
    "fashion_cnn_wide": 41_866,
    "cifar_cnn": 25_578,
    "cifar_cnn_bn": 620_810,
    "mlp": 154_151_946,
    "simple_fcn": 107,
}
OUTPUTS = {
    "simple_fcn": (3,),
    "residual_block": (3, 128, 128),
    "mobile_block": (16, 128, 128),
    "unet": (2, 128, 128),
    "dcgan_generator": (3, 64, 64),
    "efficientnet_lite0": (1000,),
}

each_entry = pytest.mark.parametrize("entry", MODELS.values(), ids=MODELS)


def built_on_meta(entry: ModelEntry) -> torch.nn.Module:
    with torch.device("meta"):
        return find_source(entry.name).build().eval()


def prepared_for(entry: ModelEntry, picture: Picture) -> Prepared:
    """The model's input of a picture, by its recipe or function."""
    how = resolved(entry.prepare)
    made: Prepared = prepare(picture, how) if isinstance(how, Preprocessing) else how(picture)
    return made


@each_entry
def test_entry_states_the_parameters_of_the_model_it_builds(entry: ModelEntry) -> None:
    built = sum(p.numel() for p in built_on_meta(entry).parameters() if p.requires_grad)
    assert built == entry.parameters == sum(BY_HAND[entry.name])
    assert entry.parameters == FACTS.get(entry.name, built)


@each_entry
def test_model_takes_two_inputs_of_the_stated_size(entry: ModelEntry) -> None:
    made = built_on_meta(entry)(torch.empty(2, *entry.input_size, device="meta"))
    assert tuple(made.shape) == (2, *OUTPUTS.get(entry.name, (10,)))


@each_entry
def test_a_picture_becomes_the_input_of_the_stated_size(entry: ModelEntry) -> None:
    picture = Picture(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    prepared = prepared_for(entry, picture) if entry.prepare else draw()
    assert tuple(prepared.tensor.shape) == (1, *entry.input_size)
    assert prepared.tensor.dtype == torch.float32
    assert prepared.steps


@each_entry
def test_entry_says_in_a_sentence_what_it_is(entry: ModelEntry) -> None:
    assert entry.known_for.endswith(".")
    assert 60 < len(entry.known_for) < 200
    assert "." not in entry.known_for[:-1].replace("x.", "")
    assert 1950 < entry.year < 2030
    assert entry.title
    assert entry.paper


@each_entry
def test_labels_and_paper_names_belong_to_the_model(entry: ModelEntry) -> None:
    layers = dict(built_on_meta(entry).named_modules())
    assert set(entry.paper_names) <= set(layers)
    names = labels_of(entry.labels[0]) if len(entry.labels) == 1 else entry.labels
    assert len(names) in (0, math.prod(OUTPUTS.get(entry.name, (10,))))


@each_entry
def test_trained_weights_come_first(entry: ModelEntry) -> None:
    assert next(iter(entry.weights), "trained") == "trained"


def test_the_same_seed_draws_the_same_latent_vector() -> None:
    assert torch.equal(draw(3).tensor, draw(3).tensor)
    assert not torch.equal(draw(3).tensor, draw(4).tensor)
    assert draw(3).steps == ["100 numbers drawn from the normal distribution, seed 3"]


def test_a_model_without_shipped_weights_is_random_and_says_so() -> None:
    weights = load_model("unet").weights
    assert (weights.source, weights.about) == ("random", {"seed": "0"})


def test_arguments_reach_the_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    wide: Any = replace(find_model("residual_block"), arguments={"channels": 64})
    monkeypatch.setitem(MODELS, "residual_block", wide)
    built = find_source("residual_block").build()
    assert sum(p.numel() for p in built.parameters()) == 2 * (9 * 64**2 + 64) + 4 * 64
