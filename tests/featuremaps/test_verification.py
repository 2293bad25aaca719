"""Convolutions are computed again by OpenCV; what rounding does not explain is caught."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cnnviz.capturing import LayerOutput, run_and_capture
from cnnviz.capturing.watch import Call
from cnnviz.errors import DisagreementError
from cnnviz.featuremaps.verification import verify
from tests.conftest import Run
from tests.models.drawn import seven

Forge = Callable[[Tensor], Any]


def verdict_of(
    model: nn.Module, image: Tensor, forge: Forge = lambda maps: maps
) -> dict[str, Any] | None:
    """What is said of the first convolution's maps, after ``forge`` has changed them."""
    found: list[dict[str, Any] | None] = []

    def receive(layer: LayerOutput, call: Call) -> None:
        if layer.values is not None and isinstance(call.module, nn.Conv2d) and not found:
            forge(layer.values)
            found.append(verify(call, layer.values.numpy()))

    run_and_capture(model, image, receive=receive)
    return found[0]


def random_case(seed: int) -> tuple[nn.Conv2d, Tensor]:
    """A convolution of any form with random weights, and an image that it takes."""
    dice = random.Random(seed)
    groups = dice.choice([1, 1, 2, 3, 6])
    inputs, outputs = 6 * dice.randint(1, 2), groups * dice.randint(1, 3)
    sides = dice.choice([(1, 1), (3, 3), (2, 4), (1, 5), (7, 7), (11, 3), (4, 4)])
    dilation = (dice.randint(1, 3), dice.randint(1, 2))
    spans = [(k - 1) * d + 1 for k, d in zip(sides, dilation, strict=True)]
    mode: Any = dice.choice(["zeros", "reflect", "replicate", "circular"])
    stride: Any = (dice.randint(1, 3), dice.randint(1, 3))
    padding: Any = (dice.randint(0, 3), dice.randint(0, 4))
    if dice.random() < 0.3:
        stride, padding = 1, "same"
    torch.manual_seed(seed)
    layer = nn.Conv2d(
        *(inputs, outputs, sides, stride, padding, dilation, groups),
        bias=dice.random() < 0.6,
        padding_mode=mode,
    )
    size = [span + dice.randint(4, 12) for span in spans]
    image = torch.randn(1, inputs, *size) * 10 ** dice.randint(-3, 3)
    return (layer.double(), image.double()) if seed % 5 == 0 else (layer, image)


def bound_at(layer: nn.Conv2d, image: Tensor, place: tuple[int, ...]) -> float:
    """2 gamma(n + 2) (sum |w| |x| + |b|) of one value, by torch in float64."""
    sizes = deepcopy(layer).double().requires_grad_(requires_grad=False)
    sizes.weight.abs_()
    bias, sizes.bias = sizes.bias, None
    offset = 0.0 if bias is None else float(bias.abs().max())
    roundings = (layer.weight[0].numel() + 2) * 2.0**-24
    return 2 * roundings * (float(sizes(image.double().abs())[0][place]) + offset)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("seed", range(60))
def test_convolutions_of_any_form_agree_and_one_value_that_is_forged_is_caught(seed: int) -> None:
    layer, image = random_case(seed)
    verdict = verdict_of(nn.Sequential(layer), image)
    assert verdict is not None
    assert verdict["max_abs_diff"] <= verdict["tolerance"]
    assert verdict["nonfinite"] == 0
    with torch.inference_mode():
        shape = layer(image).shape[1:]
    channels = verdict["channels"]
    assert verdict["values"] == len(channels) * shape[1] * shape[2]
    dice = random.Random(seed + 1)
    place = (dice.choice(channels), dice.randrange(shape[1]), dice.randrange(shape[2]))

    beyond = 3 * bound_at(layer, image, place)

    def forge(maps: Tensor) -> None:
        maps[place] += beyond

    channel, row, column = place
    with pytest.raises(
        DisagreementError, match=rf"^layer 0: channel {channel} at row {row}, column {column} is "
    ):
        verdict_of(nn.Sequential(layer), image, forge)


def test_channels_that_are_computed_again_lie_apart() -> None:
    verdict = verdict_of(nn.Sequential(nn.Conv2d(3, 64, 3)), torch.randn(1, 3, 20, 20))
    assert verdict is not None
    assert verdict["channels"] == [10, 32, 53]
    assert verdict["engine"] == "opencv"


class Doubles(nn.Conv2d):
    """A convolution of somebody's own."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """Twice what torch's gives."""
        return 2 * super().forward(input)


def hooked() -> nn.Module:
    layer = nn.Conv2d(2, 3, 3)
    layer.register_forward_hook(lambda *call: call[2] * 2)
    return layer


def patched() -> nn.Module:
    layer = nn.Conv2d(2, 3, 3)
    plain = layer.forward
    vars(layer)["forward"] = lambda x: plain(x) * 2
    return layer


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Conv2d(2, 3, 3).half(),
        lambda: nn.Conv2d(2, 3, 3).bfloat16(),
        lambda: Doubles(2, 3, 3),
        hooked,
        patched,
        lambda: nn.ConvTranspose2d(2, 3, 3),
    ],
    ids=["half", "bfloat16", "own", "hooked", "patched", "transposed"],
)
def test_what_computes_something_else_is_not_verified(make: Callable[[], nn.Module]) -> None:
    layer = make()
    dtype = next(layer.parameters()).dtype
    found: list[Any] = []
    run_and_capture(
        nn.Sequential(layer),
        torch.randn(1, 2, 8, 8).to(dtype),
        receive=lambda seen, call: found.append(verify(call, torch.as_tensor(seen.values).numpy())),
    )
    assert found == [None]


def test_convolution_that_autocast_rounds_is_not_verified() -> None:
    class Rounded(nn.Sequential):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
            with torch.autocast("cpu", torch.bfloat16):
                found: Tensor = self[0](input)
            return found

    assert verdict_of(Rounded(nn.Conv2d(2, 3, 3)), torch.randn(1, 2, 8, 8)) is None


@pytest.mark.parametrize("weight", [0.0, 1.0], ids=["weights of 0", "weights of 1"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, 3e38])
def test_values_that_are_no_numbers_are_counted_and_left_out(weight: float, value: float) -> None:
    layer = nn.Conv2d(1, 1, 3, bias=False)
    nn.init.constant_(layer.weight, weight)
    image = torch.ones(1, 1, 8, 8)
    image[0, 0, 3, 3] = value
    image[0, 0, 3, 4] = value
    verdict = verdict_of(nn.Sequential(layer), image)
    assert verdict is not None
    touched = 12 if not (weight == 0 and value == 3e38) else 0
    assert (verdict["nonfinite"], verdict["values"]) == (touched, 36 - touched)


def test_weights_that_are_no_numbers_leave_out_their_channel() -> None:
    layer = nn.Conv2d(1, 2, 3)
    layer.weight.data[0, 0, 0, 0] = torch.nan
    assert layer.bias is not None
    layer.bias.data[1] = torch.inf
    verdict = verdict_of(nn.Sequential(layer), torch.ones(1, 1, 5, 5))
    assert verdict is not None
    assert (verdict["nonfinite"], verdict["values"]) == (18, 0)


def test_forged_map_ends_the_command_with_3_naming_layer_and_pixel(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    plain = nn.Conv2d._conv_forward

    def forged(self: nn.Conv2d, *arguments: Any) -> Tensor:
        maps: Tensor = plain(self, *arguments)
        if self.in_channels == 6:  # C3, which puts out 16x10x10
            maps[0, 8, 7, 4] += 1
        return maps

    assert run("featuremaps", "--model", "lenet", "seven.png", "-q").exit_code == 0
    monkeypatch.setattr(nn.Conv2d, "_conv_forward", forged)
    result = run("featuremaps", "--model", "lenet", "seven.png", "-o", "forged")
    assert result.exit_code == 3
    assert "layer features.3: channel 8 at row 7, column 4 is" in result.stderr
    assert not (tmp_path / "forged" / "manifest.json").exists()
    assert np.asarray(Image.open(tmp_path / "seven.png")).shape == (28, 28)
