"""``cnnviz summary``: the table, its options, the documents, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.conftest import Run

NET = """
from torch import nn
print("made by hand")

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(1, 4, 3)

    def forward(self, one, other):
        return self.left(one) + self.right(other)

class Exits(nn.Identity):
    def forward(self, image):
        raise SystemExit(7)
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    (tmp_path / "net.py").write_text(NET)
    return "net.py:Net"


def test_json_has_the_keys_of_the_contract_and_nothing_else_on_stdout(run: Run, net: str) -> None:
    result = run("summary", net, "--input", "1x8x8", "--json")
    assert result.exit_code == 0, result.stderr
    assert "made by hand" in result.stderr
    found = json.loads(result.stdout)
    assert (found["model"], found["input"], found["output"]) == (net, [1, 8, 8], [2])
    assert (found["total_params"], found["trainable_params"], found["buffers"]) == (326, 326, 0)
    assert found["macs"] == 36 * 36 + 288
    keys = ("name", "type", "output", "params", "macs", "receptive_field")
    assert [tuple(layer[key] for key in keys) for layer in found["layers"]] == [
        ("0", "Conv2d", [4, 6, 6], 36, 1296, [3, 3]),
        ("1", "ReLU", [4, 6, 6], 0, 0, [3, 3]),
        ("2", "Flatten", [144], 0, 0, [3, 3]),
        ("3", "Linear", [2], 290, 288, None),
    ]
    assert found["last_map"]["layer"] == "2"
    assert found["memory"] == {"params": 326 * 4, "buffers": 0, "outputs": (144 + 144 + 2) * 4}


def test_table_of_a_file(run: Run, net: str) -> None:
    result = run("summary", net, "--input", "1x8x8", "--trainable", "--freeze", "0")
    assert (
        result.stdout
        == """\
  layer  type     output  params  trainable   MACs  receptive field
  0      Conv2d   4x6x6       36          0  1,296  3x3
  1      ReLU     4x6x6        0          0      0  3x3
  2      Flatten  144          0          0      0  3x3
  3      Linear   2          290        290    288  whole input
  total                      326        290  1,584

  input            1x8x8
  parameters       326 (290 trainable)
  multiply-adds    1,584 (as torchvision counts: without bias and normalisation)
  depth            2 layers with weights on the longest way
  receptive field  whole input; up to 2 3x3, stride 1x1, padding 0x0
  memory           1.3 KiB of parameters and buffers, 1.1 KiB of outputs (one image)
"""
    )


def test_sorted_rows_as_csv(run: Run, net: str) -> None:
    result = run("summary", net, "--input", "1x8x8", "--sort", "params", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["name"] for row in rows] == ["3", "0", "1", "2"]
    assert rows[1]["output"] == "4x6x6"
    assert rows[1]["receptive_field"] == "3x3"


def test_comparison_has_one_row_per_model(run: Run) -> None:
    result = run("summary", "--compare", "lenet", "alexnet", "resnet18")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["model", "year", "depth", "params", "MACs", "input", "receptive", "field"],
        ["lenet", "1998", "5", "61,706", "416,520", "1x32x32", "32x32"],
        ["alexnet", "2012", "8", "61,100,840", "714,188,480", "3x224x224", "195x195"],
        ["resnet18", "2015", "18", "11,689,512", "1,814,073,344", "3x224x224", "435x435"],
    ]
    named = ["lenet", "alexnet", "vgg16", "googlenet", "resnet152"]
    found = json.loads(run("summary", "--compare", *named, "--json").stdout)["models"]
    # The last is the ``_ops`` of torchvision's weights, in units of 10^9.
    assert [
        (m["year"], m["depth"], m["total_params"], round(m["macs"] / 1e9, 3)) for m in found
    ] == [
        (1998, 5, 61_706, 0.0),
        (2012, 8, 61_100_840, 0.714),
        (2014, 16, 138_357_544, 15.47),
        (2014, 22, 6_624_904, 1.498),
        (2015, 152, 60_192_808, 11.514),
    ]
    by_size = run("summary", "--compare", "lenet", "alexnet", "--sort", "params", "--csv")
    assert by_size.stdout.splitlines() == [
        "model,year,depth,params,macs,input,receptive_field",
        "alexnet,2012,8,61100840,714188480,3x224x224,195x195",
        "lenet,1998,5,61706,416520,1x32x32,32x32",
    ]
    found = json.loads(run("summary", "--compare", "lenet", "--json").stdout)
    assert [each["model"] for each in found["models"]] == ["lenet"]


def test_one_input_for_each_that_the_model_takes(run: Run, net: str) -> None:
    sizes = ["--input", "3x8x8", "--input", "1x8x8"]
    found = json.loads(run("summary", "net.py:Pair", *sizes, "--json").stdout)
    assert (found["input"], found["inputs"]) == ([3, 8, 8], [[3, 8, 8], [1, 8, 8]])
    assert (found["output"], found["total_params"]) == ([4, 6, 6], 112 + 40)
    assert found["receptive_field"] == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lenet", "alexnet"], 2, "--compare"),
        (["lenet", "--csv", "--json"], 2, "leave out one"),
        (["lenet", "--compare", "--depth", "2"], 2, "leave out --depth"),
        (["lenet", "--compare", "--trainable"], 2, "leave out --trainable"),
        (["lenet", "--input", "28x28"], 2, "takes 3 numbers, such as 1x32x32"),
        (["net.py:Pair", "--input", "3x8x8"], 2, "takes 2 inputs (one, other)"),
        (["net.py:Exits", "--input", "3x8x8"], 1, "SystemExit: 7"),
        (["net.py:Net"], 2, "give --input"),
        (["net.py:Net", "--input", "3x8x8"], 1, "in 0"),
        (["net.py:Nett"], 2, "has no 'Nett'; it has Net"),
        (["lenet", "--input", "big"], 2, "is not a size"),
        (["lenet", "--freeze", "head"], 2, "no parameter or module matches 'head'"),
        (["lenet", "--depth", "0"], 2, "0 is below 1"),
    ],
)
def test_what_is_refused(run: Run, net: str, arguments: list[str], code: int, said: str) -> None:
    result = run("summary", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
