"""``cnnviz shape`` as it is typed."""

import json
import re
import shlex

import pytest
import torch

from tests.conftest import ROOT, Run

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


CHAIN = """\
16x5x5

     layer       output    params     MACs  receptive field
  1  conv:6,k5   6x28x28      156  117,600  5x5
  2  tanh        6x28x28        0        0  5x5
  3  avgpool     6x14x14        0        0  6x6
  4  conv:16,k5  16x10x10   2,416  240,000  14x14
  5  maxpool     16x5x5         0        0  16x16
     total                  2,572  357,600

  input            1x32x32 (SIZE names none)
  parameters       2,572 (2,550 weights, 22 biases)
  multiply-adds    357,600 (as torchvision counts: without bias and normalisation)
  receptive field  16x16, stride 4x4, padding 0x0
  memory           10.0 KiB of parameters and buffers, 49.2 KiB of outputs; at most 36.8 KiB of\
 input and outputs at once (float32, batch 1)
"""


def test_chain_is_a_table_with_totals(run: Run) -> None:
    result = run("shape", "32x32", "conv:6,k5", "tanh", "avgpool", "conv:16,k5", "maxpool")
    assert result.exit_code == 0
    assert result.stdout == CHAIN
    quoted = run("shape", "32x32", "conv:6,k5 tanh avgpool conv:16,k5 maxpool")
    assert quoted.stdout == result.stdout


RESNET_STEM = "3x64x64 conv:8,k7,s2,p3,nobias bn res[ conv:8,k3,p1 relu / conv:8,k1 ]@2 gap"


def test_columns_of_the_table_add_up(run: Run) -> None:
    lines = run("shape", *RESNET_STEM.split()).stdout.splitlines()
    table = [re.split(r"\s{2,}", line.strip()) for line in lines if re.match(r" +\d+  ", line)]
    (total,) = (line.split() for line in lines if line.split()[:1] == ["total"])
    assert [row[0] for row in table] == [str(n) for n in range(1, len(table) + 1)]
    for column, sum_shown in ((3, total[1]), (4, total[2])):
        numbers = [int(row[column].replace(",", "")) for row in table]
        assert f"{sum(numbers):,}" == sum_shown


def test_json_of_a_chain_adds_up_too(run: Run) -> None:
    document = json.loads(run("shape", *RESNET_STEM.split(), "--json").stdout)
    for key in ("params", "macs", "buffers"):
        assert sum(layer[key] for layer in document["layers"]) == document[key]
    assert document["receptive_field"] is None
    assert document["layers"][-2]["receptive_field"] == [15, 15]
    assert document["output"] == [8, 1, 1]
    assert "flops" not in document


def test_fields_of_one_layer_and_of_the_same_as_a_chain_agree(run: Run) -> None:
    single = json.loads(run("shape", "3x9x9", "-k3x5", "-s2", "-p1", "-c4", "--json").stdout)
    chain = json.loads(run("shape", "3x9x9", "conv:4,k3x5,s2,p1", "--json").stdout)
    assert [single.pop("layers")[0].pop("layer"), chain.pop("layers")[0].pop("layer")] == [
        "conv",
        "conv:4,k3x5,s2,p1",
    ]
    assert single == chain


@pytest.mark.parametrize(
    ("arguments", "headline"),
    [
        pytest.param("3x32x32 --op maxpool", "3x16x16", id="pools halve"),
        pytest.param("4x4 --op maxpool -k5 --ceil", "1x1", id="ceil"),
        pytest.param("8x7x7 --op convt -s2 -p1 --output-padding 1 -c4", "4x14x14", id="convt"),
        pytest.param("3x8x8 --op dwconv --multiplier 2 -p same", "6x8x8", id="depthwise"),
        pytest.param("16x100 --op conv1d -k5 -c8", "8x96", id="1-D"),
        pytest.param("3x4x8x8 --op conv3d -k3x1x1 -c8", "8x2x8x8", id="3-D"),
        pytest.param("48 --op linear -c2", "2", id="linear"),
        pytest.param("3x8x8 --op flatten", "192", id="flatten"),
        pytest.param("300x400 relu", "300x400", id="a chain of one channel"),
    ],
)
def test_every_layer_can_be_given_by_options(run: Run, arguments: str, headline: str) -> None:
    assert run("shape", *arguments.split()).stdout.splitlines()[0] == headline


def test_explanation_is_in_words(run: Run) -> None:
    lines = run("shape", "300x400", "-k3", "-p1", "-s2", "--explain").stdout.splitlines()
    assert [line.strip() for line in lines[3:7]] == [
        "300 rows and 2 of padding are 302",
        "the window spans 3 of 302, so it can move on by 299: 149.5 steps of 2",
        "with the start 149.5 + 1 = 150.5 → 150, rounded down",
        "left over at the end: 1 of padding",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("20x21 conv:k3,s2", "rows left over at the end: 1\n"),
        ("20x21 conv:k3,s2", "never read by this layer: 1 of 20 rows"),
        ("20x20 conv:k1,s2", "never read by this layer: 10 of 20 rows"),
        ("10x10 conv:k2,s4,p3", "left over at the end: 2 of padding"),
        ("12x12 conv:k2,s5,p1", "rows left over at the end: 2, 1 of it padding"),
        ("6x6 maxpool:k3,s2,ceil", "with the start 1.5 + 1 = 2.5 → 3, rounded up"),
        ("6x6 maxpool:k3,s2,ceil", "the last window hangs over the end by 1"),
        ("4x4 maxpool:k1,s2,ceil", "less 1 because the last window would start beyond"),
        ("19x19 conv:k3,s2 conv:k3,d2", "3 + 2*(3 - 1)*2 = 11: what it was, and 2 taps more, 4 px"),
        ("9x9 conv:4,k1", "receptive field  1x1\n"),
        ("9x9 adaptiveavgpool:3", "9 rows shared among 3 windows: 3 each"),
        ("9x9 adaptiveavgpool:4", "window i is floor(i*9/4) to ceil((i + 1)*9/4)"),
        ("9x9 upsample:2", "each of 9 rows 2 times → 18"),
        ("9x9 pad:2", "9 rows and 2 at both ends → 13"),
        ("9x9 convt:s2", "9 copies of the kernel, 2 rows apart, each spanning 3"),
        ("9x9 conv:4,k3,g1 bn", "8 = 4 scales + 4 shifts; 9 buffers"),
        ("9x9 flatten linear:4", "328 = 4*81 + 4 bias"),
        ("9x9 res[ relu / ]", "layer 2, add: 1x9x9 → 1x9x9"),
    ],
)
def test_explanation_names_what_is_lost(run: Run, arguments: str, sentence: str) -> None:
    text = run("shape", *arguments.split(), "--explain").stdout
    assert sentence in text


def test_lost_rows_are_said_for_the_whole_chain(run: Run) -> None:
    text = run("shape", "21x20", "maxpool", "maxpool").stdout
    assert "never read       1 of 21 rows\n" in text
    assert "never read" not in run("shape", "300x400", "-k3", "-p1", "-s2").stdout


def test_flops_are_twice_the_macs(run: Run) -> None:
    assert (
        "FLOPs            540,000 = 2 * 270,000"
        in run("shape", *["300x400", "-k3", "-p1", "-s2", "--flops"]).stdout
    )
    document = json.loads(run("shape", "3x9x9", "conv:4", "--flops", "--json").stdout)
    assert document["flops"] == 2 * document["macs"] == document["layers"][0]["flops"]


def test_memory_is_said_for_a_dtype_and_a_batch(run: Run) -> None:
    arguments = ["3x32x32", "-k1", "-c4", "--dtype", "float16", "--batch", "32"]
    assert "256.0 KiB of outputs" in run("shape", *arguments).stdout
    memory = json.loads(run("shape", *arguments, "--json").stdout)["memory"]
    assert (memory["params"], memory["outputs"]) == (2 * 16, 32 * 2 * 4 * 1024)


def test_check_compares_with_torch(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("shape", *RESNET_STEM.split(), "--check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "all 11 layers are those of torch" in result.stdout
    monkeypatch.setattr("cnnviz.shapes.conv.Convolution.macs", lambda *_: 0)
    monkeypatch.setattr("cnnviz.shapes.layer.Windowed.channels", lambda _, given: given + 1)
    wrong = run("shape", "3x8x8", "relu", "maxpool", "--check")
    assert (wrong.exit_code, wrong.stdout) == (3, "")
    assert "layer 2, 'maxpool': output 4x4x4, but torch has 3x4x4" in wrong.stderr


@pytest.mark.parametrize(
    "option", ["-k3", "-s2", "-p1", "-d2", "-i3", "-c8", "--groups=2", "--no-bias", "--op=relu"]
)
def test_options_of_the_single_layer_are_refused_beside_a_chain(run: Run, option: str) -> None:
    result = run("shape", "8x8", "conv:3", option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "describes a single layer; beside LAYERs write it into them" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param("9x9 relu conv:k11", "layer 2, 'conv:k11': height: kernel spans 11", id="fit"),
        pytest.param("9x9 --op cnov", "did you mean conv?", id="--op"),
        pytest.param("9x9 --op maxpool --groups 2", "maxpool does not take groups", id="not taken"),
        pytest.param("300 conv1d", "'300' is not a size", id="a length without channels"),
        pytest.param("9x9 -k1e400", "is neither a whole number", id="-k1e400"),
        pytest.param("9x9 relu --batch 0", "0 is below 1", id="--batch 0"),
        pytest.param("9x9 relu@" + "9" * 40, "not a whole number of at most 9", id="@"),
        pytest.param("９x9 relu", "is not a size", id="full-width digit"),
    ],
)
def test_bad_chains_are_one_sentence_and_exit_2(run: Run, arguments: str, message: str) -> None:
    result = run("shape", *arguments.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()[-1]) < 300


PAGE = (ROOT / "docs" / "shape.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\$ cnnviz (shape .*)\n((?:(?!\$ |```).*\n)*)", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("line", "shown"), SHOWN)
def test_page_shows_what_is_printed(run: Run, line: str, shown: str) -> None:
    assert run(*shlex.split(line)).output == shown


def test_page_names_every_layer() -> None:
    from cnnviz.shapes.names import LISTED

    missing = [name for name in LISTED if f"`{name.split()[0]}" not in PAGE]
    assert missing == []
    assert SHOWN


def test_python_on_the_page_holds() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    claims = re.findall(r"^(\S.*?)  # (.*)$", code, re.MULTILINE)
    assert len(claims) == 6
    for expression, value in claims:
        assert eval(expression, names) == eval(value), expression
