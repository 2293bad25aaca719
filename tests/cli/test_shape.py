"""``cnnviz shape`` as it is typed."""

import json

import pytest
import torch

from tests.conftest import Run

REPORT = """\
150x200

  height           floor((300 + 2*1 - 1*(3 - 1) - 1) / 2) + 1 = floor(149.5) + 1 = 150
  width            floor((400 + 2*1 - 1*(3 - 1) - 1) / 2) + 1 = floor(199.5) + 1 = 200
  channels         1 in (SIZE names none), 1 out
  parameters       10 = 1*1*3*3 + 1 bias
  multiply-adds    270,000 = 9 weights * 150*200 positions (as torchvision counts: without bias)
  receptive field  3x3
"""


def test_worked_example_of_the_notes(run: Run) -> None:
    result = run("shape", "300x400", "-k3", "-p1", "-s2")
    assert result.exit_code == 0
    assert result.stdout == REPORT


def test_json_has_the_contract_s_keys(run: Run) -> None:
    result = run("shape", "3x32x32", "-k3", "-p1", "-c64", "--json")
    field = [3, 3]
    layer = {"layer": "conv", "output": [64, 32, 32], "params": 1792, "macs": 1769472}
    document = json.loads(result.stdout)
    (only,) = document.pop("layers")
    assert only.items() >= {**layer, "receptive_field": field}.items()
    assert (
        document.items()
        >= {
            "input": [3, 32, 32],
            "output": [64, 32, 32],
            "params": 1792,
            "macs": 1769472,
            "receptive_field": field,
            "effective_stride": [1, 1],
            "effective_padding": [1, 1],
        }.items()
    )


@pytest.mark.parametrize(
    ("arguments", "headline"),
    [
        pytest.param("32x32 -k3", "30x30", id="no padding"),
        pytest.param("32X32 -k3 -p same", "32x32", id="same, capital X"),
        pytest.param("32×32 -k3 -p valid", "30x30", id="valid, true cross"),
        pytest.param("10x20 -k3x5 -p0x2", "8x20", id="a number per axis"),
        pytest.param("10x10 -k3 -d2", "6x6", id="dilation"),
        pytest.param("3x224x224 -k7 -s2 -p3 -c64", "64x112x112", id="channels"),
        pytest.param("224x224 -i3 -k7 -s2 -p3", "1x112x112", id="-i names channels"),
        pytest.param("5x5", "3x3", id="defaults"),
    ],
)
def test_first_line_is_the_output_size(run: Run, arguments: str, headline: str) -> None:
    assert run("shape", *arguments.split()).stdout.splitlines()[0] == headline
    assert run("shape", *arguments.split(), "-q").stdout == headline + "\n"


@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_same_is_torch_s(run: Run, kernel_size: int, dilation: int) -> None:
    layer = torch.nn.Conv2d(
        1, 1, kernel_size, padding="same", dilation=dilation, padding_mode="replicate"
    )
    left, _, top, _ = layer._reversed_padding_repeated_twice
    arguments = ["shape", "19x21", f"-k{kernel_size}", f"-d{dilation}", "-psame", "--json"]
    document = json.loads(run(*arguments).stdout)
    assert document["output"] == [1, 19, 21]
    assert document["effective_padding"] == [top, left]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param("300", "'300' is not a size; write HEIGHTxWIDTH", id="one number"),
        pytest.param("3x", "is not a size", id="half a size"),
        pytest.param("0x4", "every number must be at least 1", id="no rows"),
        pytest.param("-3x4", "No such option|is not a size", id="negative"),
        pytest.param("1e3x4", "is not a size", id="exponent"),
        pytest.param("٣x٤", "is not a size", id="other digits"),
        pytest.param("9999999999x4", "is too large; a number has", id="absurd"),
        pytest.param("1x2x3x4", "must be CHANNELSxHEIGHTxWIDTH, but it is 1x2", id="four numbers"),
        pytest.param("3x3 -k7", "kernel spans 7 px but the padded input is 3 px", id="misfit"),
        pytest.param("9x9 -k0", "0 is below 1", id="kernel 0"),
        pytest.param("9x9 -s0", "0 is below 1", id="stride 0"),
        pytest.param("9x9 -p-1", "-1 is below 0", id="negative padding"),
        pytest.param("9x9 -k1_0", "'1_0' is neither", id="underscore"),
        pytest.param("9x9 -c٣", "not a whole number", id="other digits in a number"),
        pytest.param("9x9 -psame -s2", "padding same needs stride 1", id="same with stride"),
        pytest.param("3x9x9 -i4", "SIZE names 3 channels but --in-channels is 4", id="channels"),
        pytest.param("3x9x9 --groups 2", "groups 2 does not divide in_channels 3", id="groups"),
        pytest.param("9x9 conv:3 -k3", "--kernel-size describes a single layer", id="chain"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(run: Run, arguments: str, message: str) -> None:
    result = run("shape", *arguments.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert any(part in result.stderr for part in message.split("|")), result.stderr
    assert "Traceback" not in result.stderr
