"""Devices and precisions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnviz.capturing import feature_maps
from cnnviz.errors import CnnvizError, UsageError
from cnnviz.featuremaps.job import read_input
from cnnviz.featuremaps.placing import place_of, placed
from cnnviz.models import load_model

EPSILON = {"float32": 2**-23, "float64": 2**-23, "bfloat16": 2**-7, "float16": 2**-10}


@pytest.mark.parametrize("precision", EPSILON)
def test_model_and_input_have_the_precision(precision: str, samples: Path) -> None:
    path = samples / "digit_7.png"
    expected = feature_maps(
        load_model("lenet").module, read_input(path, load_model("lenet")).tensor
    )
    model = placed(load_model("lenet"), precision=precision)
    assert {param.dtype for param in model.module.parameters()} == {getattr(torch, precision)}
    assert place_of(model.module).precision == precision
    prepared = read_input(path, model)
    assert prepared.tensor.dtype == getattr(torch, precision)
    assert (f"rounded to {precision}" in prepared.steps) == (EPSILON[precision] > 2**-23)
    found = feature_maps(model.module, prepared.tensor)["classifier.3"]
    error = abs(found - expected["classifier.3"]).max()
    assert error <= 30 * EPSILON[precision] * abs(expected["classifier.3"]).max()
    assert (error == 0) == (precision == "float32")


def test_without_a_precision_the_model_stays_what_it_is(samples: Path) -> None:
    model = load_model("lenet")
    model.module.half()
    assert placed(model) is model
    assert read_input(samples / "digit_7.png", model).tensor.dtype == torch.float16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--device cuda: torch .* finds no CUDA device"):
        placed(load_model("lenet"), "cuda")


def test_model_that_refuses_to_be_cast_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model("lenet")

    def refuse(**_: object) -> None:
        raise NotImplementedError("packed weights")

    monkeypatch.setattr(model.module, "to", refuse)
    with pytest.raises(CnnvizError, match=r"lenet cannot be put on cpu as float64: NotImp.*packed"):
        placed(model, precision="float64")
