"""One tiny model for each kind of output that makes extractors of feature maps go wrong."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz.capturing import feature_maps, run_and_capture
from tests.capturing.made import EVERYTHING, IMAGE, Does, keys, reasons, seeded


class Pair(NamedTuple):
    low: Tensor
    high: Tensor


@dataclass
class Output:
    logits: Tensor
    hidden: tuple[Tensor, ...] = ()
    missing: Tensor | None = None


class ModelOutput(OrderedDict[str, Any]):
    """As Hugging Face's: a dict that torch's pytree does not know."""


OLD = namedtuple("OLD", "a b")

LOW, HIGH = torch.ones(1, 2, 3, 3), torch.zeros(1, 4, 2, 2)


@pytest.mark.parametrize(
    ("output", "fields"),
    [
        ((LOW, HIGH), {"0": LOW, "1": HIGH}),
        ([LOW, [HIGH]], {"0": LOW, "1.0": HIGH}),
        (Pair(LOW, HIGH), {"low": LOW, "high": HIGH}),
        (OLD(LOW, 3), {"": LOW}),
        ({"out": LOW, "aux": HIGH, "n": 3}, {"out": LOW, "aux": HIGH}),
        (Output(LOW, (HIGH, HIGH)), {"logits": LOW, "hidden.0": HIGH, "hidden.1": HIGH}),
        (ModelOutput(last=LOW, all=(HIGH,)), {"last": LOW, "all.0": HIGH}),
        ((LOW,), {"": LOW}),
    ],
    ids=["tuple", "lists", "NamedTuple", "namedtuple", "dict", "dataclass", "subclass", "one"],
)
def test_outputs_are_captured_by_field(output: Any, fields: dict[str, Tensor]) -> None:
    model = nn.Sequential(Does(lambda _: output))
    run = run_and_capture(model, IMAGE)
    assert {x.field: x.shape for x in run.layers} == {k: v.shape[1:] for k, v in fields.items()}
    for layer in run.layers:
        assert layer.values is not None
        assert torch.equal(layer.values, fields[layer.field][0])
        assert layer.key == (f"0.{layer.field}" if layer.field else "0")


def test_fields_with_the_names_of_parts_have_keys_of_their_own() -> None:
    body = nn.ModuleDict({"layer1": nn.ReLU()})
    body.forward = lambda x: {"layer1": body["layer1"](x), "x": x}
    run = run_and_capture(nn.Sequential(body), IMAGE, **EVERYTHING)
    assert keys(run) == ["0.layer1", "0.returned.layer1", "0.x"]


def test_generator_is_left_to_who_asked_for_it() -> None:
    def twice(x: Tensor) -> Iterator[Tensor]:
        yield x
        yield x * 2

    first = Does(twice)
    model = Does(lambda x: sum(model.first(x)))
    model.first = first
    run = run_and_capture(model, IMAGE, check=True)
    assert reasons(run)["first"] == "unknown output type generator"
    assert run.same_output
    assert torch.equal(run.output, IMAGE[0] * 3)


def test_output_without_a_tensor_is_not_said_to_be_the_same() -> None:
    run = run_and_capture(Does(lambda x: iter([x])), IMAGE, check=True)
    assert run.same_output is None


@pytest.mark.parametrize("batch_first", [True, False], ids=["batch first", "time first"])
@pytest.mark.parametrize("layers", [1, 2])
def test_lstm_is_a_sequence_and_its_states_are_layer_by_layer(
    batch_first: bool, layers: int
) -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 5, layers, batch_first=batch_first, bidirectional=True)
    order = (0, 2, 1) if batch_first else (2, 0, 1)
    model = Does(lambda x: model.lstm(x.permute(order))[0].sum())
    model.lstm, sound = lstm, IMAGE.flatten(2)
    run = run_and_capture(model, sound)
    with torch.inference_mode():
        out, (hidden, cell) = lstm(sound.permute(order))
    sequence = (out[0] if batch_first else out[:, 0]).T
    expected = {"lstm.0": sequence, "lstm.1.0": hidden[:, 0].T, "lstm.1.1": cell[:, 0].T}
    found = {layer.key: layer.values for layer in run.layers if layer.name == "lstm"}
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert torch.equal(torch.as_tensor(value), expected[key]), key


@pytest.mark.parametrize("batch_first", [True, False], ids=["batch first", "time first"])
def test_lstm_over_the_places_of_an_image_is_a_map(batch_first: bool) -> None:
    order = (0, 2, 1) if batch_first else (2, 0, 1)
    model = Does(lambda x: model.lstm(x.flatten(2).permute(order))[0].sum())
    model.lstm = nn.LSTM(2, 5, batch_first=batch_first)
    maps = feature_maps(model, IMAGE[:, :, :4])
    with torch.inference_mode():
        out = model.lstm(IMAGE[:, :, :4].flatten(2).permute(order))[0]
    assert (maps["lstm.0"] == out.reshape(4, 6, 5).permute(2, 0, 1).numpy()).all()


def test_map_of_no_size_is_skipped_as_empty() -> None:
    model = nn.Sequential(Does(lambda x: x[:, :, :0]), nn.ReLU())
    assert reasons(run_and_capture(model, IMAGE)) == {
        "0": "empty output: 1x2x0x6",
        "1": "empty output: 1x2x0x6",
    }


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_other_precisions_are_cast_to_float32_before_they_are_kept(dtype: torch.dtype) -> None:
    model = seeded(nn.Conv2d(2, 3, 3), nn.Hardtanh()).to(dtype)
    maps = feature_maps(model, IMAGE.to(dtype))
    with torch.inference_mode():
        conv = model[0](IMAGE.to(dtype))
    assert maps["0"].dtype == np.float32
    assert (maps["0"] == conv[0].float().numpy()).all()


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool], ids=str)
def test_whole_numbers_and_truths_are_maps_too(dtype: torch.dtype) -> None:
    maps = feature_maps(nn.Sequential(Does(lambda x: (x * 9).to(dtype))), IMAGE)
    assert (maps["0"] == (IMAGE * 9).to(dtype)[0].numpy()).all()


def test_numbers_that_are_none_are_captured_and_compared_as_they_are() -> None:
    odd = IMAGE.clone()
    odd[0, 0, 0, :3] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    run = run_and_capture(nn.Sequential(nn.Identity()), odd, check=True)
    assert run.same_output
    assert run.layers[0].values is not None
    assert run.layers[0].values.numpy().tobytes() == odd[0].numpy().tobytes()


def test_complex_numbers_are_skipped() -> None:
    model = nn.Sequential(Does(lambda x: torch.complex(x, x)))
    assert reasons(run_and_capture(model, IMAGE)) == {"0": "complex numbers: output is 1x2x6x6"}


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantized_numbers_are_captured_by_their_values() -> None:
    model = nn.Sequential(Does(lambda x: torch.quantize_per_tensor(x, 0.25, 10, torch.quint8)))
    maps = feature_maps(model, IMAGE)
    assert (maps["0"] == (IMAGE / 0.25).round().mul(0.25)[0].numpy()).all()


def test_image_without_a_batch_axis_is_one_image() -> None:
    model = seeded(nn.Conv2d(2, 3, 3), nn.MaxPool2d(2))
    run = run_and_capture(model, IMAGE[0])
    assert [(x.shape, x.layout) for x in run.layers] == [((3, 4, 4), "CHW"), ((3, 2, 2), "CHW")]
