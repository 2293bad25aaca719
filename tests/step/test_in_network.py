"""A value inside a network: its terms are those that the layer's own code reads and weighs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz.errors import UsageError
from cnnviz.images import read_image
from cnnviz.models import load_model
from cnnviz.step.in_network import value_of
from tests.conftest import Run

NET = """
import torch
from torch import nn

torch.manual_seed(3)
net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d({arguments}))
"""
KINDS = {
    "plain": "4, 6, 3",
    "strided and padded": "4, 6, (3, 5), stride=(2, 3), padding=(1, 2)",
    "dilated, without bias": "4, 6, 3, dilation=(2, 1), bias=False",
    "grouped": "4, 6, 3, groups=2, padding=1",
    "depthwise": "4, 8, 3, groups=4",
    "same with an even kernel": "4, 6, 4, padding='same'",
    "a point": "4, 6, 1",
}


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch's remark on even kernels
@pytest.mark.parametrize("arguments", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("at", [(0, 0), (3, 2)], ids=["the corner", "inside"])
def test_the_sum_is_what_the_layer_put_out(
    samples: Path, tmp_path: Path, arguments: str, at: tuple[int, int]
) -> None:
    (tmp_path / "net.py").write_text(NET.format(arguments=arguments))
    image, model = samples / "ankle_boot.png", f"{tmp_path / 'net.py'}:net"
    value = value_of(image, model, "2", 5, at)
    loaded = load_model(model)
    layer = loaded.module.get_submodule("2")
    assert isinstance(layer, nn.Conv2d)
    with torch.inference_mode():
        expected = loaded.module(loaded.prepare(read_image(image)).tensor)[0, 5]
        read = loaded.module.get_submodule("1")(
            loaded.module.get_submodule("0")(loaded.prepare(read_image(image)).tensor)
        )
    # How torch itself cuts the window out, for the plain case; the others by the sum alone.
    if arguments == KINDS["plain"]:
        window = read[0, :, at[0] : at[0] + 3, at[1] : at[1] + 3].double().numpy()
        assert np.array_equal(value.windows, window)
    assert value.put_out == float(expected[at])
    assert abs(value.total - value.put_out) <= value.tolerance
    assert value.tolerance < 1e-4
    assert value.windows.shape == value.kernels.shape == tuple(layer.weight[0].shape)


@pytest.mark.parametrize(
    ("layer", "channel", "at", "said"),
    [
        ("features.9", 0, (0, 0), "no layer 'features.9'; its convolutions are features.0"),
        ("features.1", 0, (0, 0), "features.1 is a Tanh; a Conv2d is worked out"),
        ("features.0", 6, (0, 0), "channel 6 of features.0: it has 6, counted from 0"),
        ("features.0", 0, (28, 0), "--at 28,0: the map has 28 rows and 28 columns"),
    ],
)
def test_what_is_not_there_is_said(
    samples: Path, layer: str, channel: int, at: tuple[int, int], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        value_of(samples / "digit_7.png", "lenet", layer, channel, at)


def test_the_command_prints_the_maps_that_count_most_and_what_the_others_add(
    run: Run, samples: Path
) -> None:
    line = ["step", f"{samples / 'digit_7.png'}", "--model", "lenet", "--layer", "features.3"]
    said = run(*line, "--channel", "2", "--at", "1,5", "--windows", "2")
    assert (said.exit_code, said.stderr) == (0, "")
    document = json.loads(run(*line, "--channel", "2", "--at", "1,5", "--json").stdout)
    largest = sorted(sorted(range(6), key=lambda n: -abs(document["sums"][n]))[:2])
    assert [int(x.split()[1]) for x in said.stdout.splitlines() if x[:4] == "map "] == largest
    rest = sum(total for n, total in enumerate(document["sums"]) if n not in largest)
    assert f"4 more maps add {rest:.7g}; --windows all shows them" in said.stdout
    assert f"= {document['value']:.9g}" in said.stdout
    products = np.multiply(document["windows"], document["kernels"])
    assert document["value"] == pytest.approx(products.sum() + document["bias"], rel=1e-12)


@pytest.mark.parametrize("given", [["--model", "lenet"], ["--layer", "features.0"]])
def test_half_a_question_is_refused(run: Run, samples: Path, given: list[str]) -> None:
    done = run("step", f"{samples / 'digit_7.png'}", *given)
    assert done.exit_code == 2
    assert "--layer" in done.stderr
