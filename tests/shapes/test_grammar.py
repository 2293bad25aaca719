"""The text of chains: what is understood, and what is refused with the layer's name."""

from __future__ import annotations

import json
import time

import pytest

from cnnviz.errors import ShapeError
from cnnviz.shapes.chain import image_shape, trace_chain
from cnnviz.shapes.grammar import (
    DEEPEST_NESTING,
    MOST_LAYERS,
    Arguments,
    Branches,
    LayerText,
    parse_chain,
)
from cnnviz.shapes.names import KINDS
from cnnviz.shapes.report import Wanted, chain_report, document

RELU, TANH = LayerText("relu", Arguments(), "relu"), LayerText("tanh", Arguments(), "tanh")


def test_every_argument_is_read() -> None:
    text = "convt:64,k3x5,s2,p1x2,d2,op1,g4,m2,nobias,ceil,affine,bilinear,p0+1x2,0.5"
    (layer,) = parse_chain(text)
    numbers = (64,), (3, 5), (2,), (1, 2), (2,), (1,), 4, 2
    given = Arguments(*numbers, True, True, True, "bilinear", ((0, 1), (2, 2)), 0.5)
    assert layer == LayerText("convt", given, text)


def test_a_cross_may_be_written_three_ways() -> None:
    assert parse_chain("conv:k3x5") == parse_chain("conv:k3x5 ")
    for cross in "X×":
        (layer,) = parse_chain(f"conv:k3{cross}5")
        assert isinstance(layer, LayerText)
        assert layer.arguments.k == (3, 5)


def test_repeats_are_written_out() -> None:
    names = [
        step.text for step in trace_chain("res[ conv:1,k1@2 relu / ]@2 tanh@3", (1, 4, 4)).steps
    ]
    assert names == ["conv:1,k1", "conv:1,k1", "relu", "add"] * 2 + ["tanh"] * 3


def test_brackets_nest_and_need_no_spaces() -> None:
    (outer,) = parse_chain("res[res[relu/]/tanh]")
    assert outer == Branches("res", ((Branches("res", ((RELU,), ())),), (TANH,)))
    (cat,) = parse_chain("cat[relu/tanh/]")
    assert cat == Branches("cat", ((RELU,), (TANH,), ()))


def test_layers_are_counted_with_their_repeats_and_additions() -> None:
    half = MOST_LAYERS // 2
    assert len(trace_chain(f"res[ relu / ]@{half}", (1, 4, 4)).steps) == MOST_LAYERS
    for text in (f"res[ relu / ]@{half} relu", f"relu res[ relu / ]@{half}"):
        with pytest.raises(ShapeError, match=f"at most {MOST_LAYERS} layers"):
            parse_chain(text)
    with pytest.raises(ShapeError, match="layer 7, 'foo'"):
        trace_chain("res[ relu@2 / ]@2 foo", (1, 4, 4))
    with pytest.raises(ShapeError, match="layer 7, 'relu:x'"):
        parse_chain("res[ relu@2 / ]@2 relu:x")


def test_brackets_nest_as_deep_as_is_said() -> None:
    assert parse_chain("res[ " * DEEPEST_NESTING + "relu" + " / ]" * DEEPEST_NESTING)
    deeper = DEEPEST_NESTING + 1
    with pytest.raises(ShapeError, match=f"nested more than {DEEPEST_NESTING} deep"):
        parse_chain("res[ " * deeper + "relu" + " / ]" * deeper)


def test_depthwise_channels_by_number_or_multiplier() -> None:
    for text in ("dwconv:8,k3", "dwconv:m2,k3", "dwconv:8,m2,k3"):
        assert trace_chain(text, (4, 9, 9)).output == (8, 7, 7)


def test_branches_are_added_and_shown_by_their_indent() -> None:
    chain = trace_chain("res[ conv:2,k1 res[ relu / tanh ] / conv:2,k1 elu ]", (1, 4, 4))
    assert [step.indent + step.text for step in chain.steps] == [
        "  conv:2,k1",
        "    relu",
        "  / tanh",
        "  add",
        "/ conv:2,k1",
        "  elu",
        "add",
    ]
    assert chain.params == 2 * (2 + 2)


def test_a_slash_begins_each_branch_but_the_first() -> None:
    text = "cat[ relu elu / cat[ / tanh selu ] / res[ celu / ] ]"
    assert [step.indent + step.text for step in trace_chain(text, (1, 4, 4)).steps] == [
        "  relu",
        "  elu",
        "/ / tanh",
        "    selu",
        "  cat",
        "/   celu",
        "  add",
        "cat",
    ]


def test_channels_of_branches_add_up() -> None:
    assert trace_chain("cat[ conv:5,k1 / gap upsample:4 / ]", (2, 4, 4)).output == (9, 4, 4)
    assert trace_chain("cat[ flatten / gap flatten linear:3 ]", (2, 4, 4)).output == (35,)
    assert trace_chain("cat[ bn conv:3,k1 / ]@4", (2, 4, 4)).output == (14, 4, 4)


def test_padding_may_differ_at_the_ends() -> None:
    assert trace_chain("pad:0+1", (1, 4, 5)).output == (1, 5, 6)
    assert trace_chain("pad:1+2x3", (1, 4, 5)).output == (1, 7, 11)
    assert trace_chain("pad:p1+0x0+2", (1, 4, 5)).output == (1, 5, 7)
    fields = trace_chain("pad:1+2x3 conv:1,k3,p1", (1, 4, 5)).fields
    assert [field.padding for field in fields] == [2, 4]


def test_instance_normalisation_has_scales_only_if_asked() -> None:
    assert trace_chain("in", (3, 4, 4)).params == 0
    assert trace_chain("in:affine", (3, 4, 4)).params == 6


@pytest.mark.parametrize(
    ("name", "shape"),
    [(name, (3, *(8,) * (kind.usual_axes if kind.axes else 2))) for name, kind in KINDS.items()],
    ids=KINDS,
)
def test_every_name_can_be_used(name: str, shape: tuple[int, ...]) -> None:
    sizes = {"adaptive": ":2", "pad": ":1", "gn": ":3", "linear": ":4"}
    arguments = next((given for start, given in sizes.items() if name.startswith(start)), "")
    (step,) = trace_chain(name + arguments, shape).steps
    assert min(step.output) >= 1
    assert step.layer.explain_params()
    assert step.layer.explain_macs(shape)


@pytest.mark.parametrize(
    ("size", "text", "shape"),
    [
        ((300, 400), "conv:k3", (1, 300, 400)),
        ((300, 400), "relu maxpool", (1, 300, 400)),
        ((16, 100), "relu conv1d:8", (16, 100)),
        ((16, 100), "res[ conv1d:16,psame / ] relu", (16, 100)),
        ((3, 8, 8), "conv:8", (3, 8, 8)),
        ((3, 4, 8, 8), "conv3d:8", (3, 4, 8, 8)),
        ((3, 4, 8, 8), "maxpool", (3, 4, 8, 8)),
        ((784,), "relu linear:10", (784,)),
        ((28, 28), "flatten linear:10", (1, 28, 28)),
        ((9, 9), "flatten linear:4 bn1d", (1, 9, 9)),
    ],
)
def test_what_a_size_means(size: tuple[int, ...], text: str, shape: tuple[int, ...]) -> None:
    nodes = parse_chain(text)
    assert image_shape(size, nodes) == shape
    assert trace_chain(nodes, shape).input == shape


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "names no layer", id="nothing"),
        pytest.param("relu con:3", "layer 2, 'con:3': .* did you mean conv?", id="misspelt"),
        pytest.param("relu@2 foo", "layer 3, 'foo': there is no layer 'foo'; there are", id="name"),
        pytest.param(
            "relu:k3", "relu does not take kernel size .*; it takes nothing", id="relu:k3"
        ),
        pytest.param("maxpool:2", "not take bare number; it takes kernel size", id="maxpool:2"),
        pytest.param("conv:64,ceil", "conv does not take ceil", id="ceil"),
        pytest.param("avgpool:d2", "avgpool does not take dilation", id="torch's has none"),
        pytest.param("conv:k3,k5", "'k5' says again", id="twice"),
        pytest.param("conv:", "nothing follows the colon", id="colon"),
        pytest.param("conv:64,,k3", "a comma has nothing beside it; write no spaces", id="comma"),
        pytest.param("conv:q7", "'q7' is not an argument", id="letter"),
        pytest.param("conv:k3x3x3", "3x3x3 has 3 numbers for 2 axes", id="axes"),
        pytest.param("conv:3x3", "3x3 should be one number, the output channels", id="n"),
        pytest.param("conv:psame,s2", "padding same needs stride 1", id="same"),
        pytest.param("maxpool:psame", "padding same is for convolutions", id="pool same"),
        pytest.param("convt:pvalid", "padding valid is for convolutions", id="convt valid"),
        pytest.param("conv1d", "must be CHANNELSxLENGTH, but it is 4x9x9", id="conv1d"),
        pytest.param("conv:4,g3", "groups 3 does not divide in_channels 4", id="groups"),
        pytest.param("dwconv:6", "6 output channels are not a multiple of the 4", id="dw"),
        pytest.param("dwconv:6,m2", "6 output channels are not 2 times the 4", id="dw m"),
        pytest.param("gn", "needs its number of groups", id="gn"),
        pytest.param("gn:3", "groups 3 does not divide the 4 channels", id="gn:3"),
        pytest.param("linear", "needs its number of output features", id="linear"),
        pytest.param("adaptiveavgpool", "needs the size of its output", id="adaptive"),
        pytest.param("pad:1,p2", "the pixels to add once", id="pad"),
        pytest.param("upsample:2,s2", "its scale once", id="upsample"),
        pytest.param("prelu:3", "3 slopes are neither 1 nor one for each of 4", id="prelu"),
        pytest.param("dropout:1.5", "its probability is 1.5", id="dropout"),
        pytest.param("flatten conv:3", "must be CHANNELSxHEIGHTxWIDTH, but it is 324", id="flat"),
        pytest.param("conv:8,k9 conv:8,k2", "layer 2, .*kernel spans 2 px", id="misfit"),
        pytest.param("convt:op1", "output padding 1 must be below the stride 1", id="op"),
        pytest.param("convt:k1,p5", "the output would have -1 px", id="cut off"),
        pytest.param("res[ conv:8 / ]", "branch gives 8x7x7 and the shortcut 4x9x9", id="res"),
        pytest.param(
            "res[ relu ]",
            r"needs a / between its branches, .*: res\[ main… / shortcut… \]",
            id="no slash",
        ),
        pytest.param("res[ relu /", "is not closed", id="open"),
        pytest.param("res[ / relu ]", "main branch is empty", id="empty main"),
        pytest.param("res[ a / b / c ]", "3 branches, but two are added; cat", id="three branches"),
        pytest.param("cat[ relu ]", r"needs a / .*: cat\[ branch… / branch… \]", id="one branch"),
        pytest.param("cat[ / / ]", "all its branches are empty", id="identities alone"),
        pytest.param("cat[ relu / tanh", "not closed; write cat", id="open cat"),
        pytest.param(
            "relu cat[ / conv:8 ]", "layer 3, 'cat.* gives 4x9x9 and another 8x7x7", id="cat"
        ),
        pytest.param("cat[ relu / flatten ]", "but for the channels", id="cat of axes"),
        pytest.param("cat[ relu / ]@99", "largest torch can count", id="channels above 64 bits"),
        pytest.param("conv:8,3", "'3' is a second bare number; .* such as k3", id="torch's order"),
        pytest.param("conv 8 k3", "layer 2, '8': .* arguments follow a colon", id="spaces"),
        pytest.param("conv(8,3)", "arguments follow a colon", id="brackets"),
        pytest.param("Conv2d:8", "did you mean conv2d?", id="torch's Conv2d"),
        pytest.param("BatchNorm2d", "did you mean bn2d?", id="torch's BatchNorm2d"),
        pytest.param("Dense:8", "did you mean linear?", id="Keras' Dense"),
        pytest.param("conv3d:8", "but it is 4x9x9; conv2d would take that", id="other axes"),
        pytest.param("upsample:2,trilinear", "take nearest or bilinear or bicubic", id="mode"),
        pytest.param("pad:1+2x0+0x1", r"1\+2x0\+0x1\+1 has 3 numbers for 2 axes", id="ends"),
        pytest.param("pad:1+-1", "-1 is below 0", id="a negative end"),
        pytest.param("pad:1+2+3", r"'2\+3' is neither", id="three ends"),
        pytest.param("pad:0+1,p2", "the pixels to add once", id="ends and pixels"),
        pytest.param("conv:p0+1", "conv does not take padding of two ends", id="ends of conv"),
        pytest.param("gap in", "more than one value in each map, but its input is 4x1x1", id="in"),
        pytest.param("relu ]", r"'\]' stands outside", id="bracket"),
        pytest.param("relu / relu", "'/' stands outside", id="slash"),
        pytest.param("res[ relu / ]x2", r"'\]x2' should be \] or", id="repeat of res"),
        pytest.param("relu@0", "layer 1, 'relu@0': 0 is below 1", id="@0"),
        pytest.param("upsample:999999999@3", "largest torch can count", id="above 64 bits"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        trace_chain(text, (4, 9, 9))


HOSTILE_NUMBERS = [
    "0",
    "-1",
    "1e400",
    "1" + "0" * 30,
    "３",
    "٣",
    "1_000",
    "nan",
    "9" * 40,
    "+3",
    "",
]


@pytest.mark.parametrize("number", HOSTILE_NUMBERS)
@pytest.mark.parametrize(
    "text", ["conv:{}", "conv:k{}", "conv:1,s{}", "conv:g{}", "relu@{}", "conv:k3x{}", "dwconv:m{}"]
)
def test_hostile_numbers_are_refused_in_a_short_sentence(text: str, number: str) -> None:
    with pytest.raises(ShapeError) as refusal:
        trace_chain(text.format(number), (1, 9, 9))
    sentence = str(refusal.value)
    assert sentence.startswith("layer 1, ")
    assert len(sentence) < 250


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("relu " * 10_000, "at most 1000 layers", id="ten thousand layers"),
        pytest.param("relu@999999999", "at most 1000 layers", id="a huge repeat"),
        pytest.param("res[ " * 9999 + "relu" + " / ]" * 9999, "nested more than", id="deep"),
        pytest.param("res[ " * 16 + "relu" + " / ]@2" * 16, "at most 1000", id="doubled 16 times"),
        pytest.param("x" * 1_000_000, "there is no layer", id="a long name"),
    ],
)
def test_too_much_is_refused_at_once(text: str, message: str) -> None:
    started = time.process_time()
    with pytest.raises(ShapeError, match=message) as refusal:
        trace_chain(text, (1, 9, 9))
    assert len(str(refusal.value)) < 500
    assert time.process_time() - started < 2  # it takes milliseconds; unbounded, minutes


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("conv:1,k1,s999999999@900", id="strides beyond 64 bits"),
        pytest.param("convt:1,k1,s999999999@900", id="and their inverse"),
        pytest.param("upsample:999999999 adaptiveavgpool:999999997", id="two long periods"),
        pytest.param(f"conv:1,k3,p1@{MOST_LAYERS}", id="as many layers as there may be"),
        pytest.param("upsample:999999999 conv:1,k3,s2,d2", id="too many pixels to count"),
    ],
)
def test_what_is_large_but_possible_is_computed_soon(text: str) -> None:
    started = time.process_time()
    chain = trace_chain(text, (1, 1, 1))
    assert chain_report(chain, Wanted(explain=True), "")
    assert json.dumps(document(chain, Wanted()))
    assert time.process_time() - started < 10  # unbounded, hours
