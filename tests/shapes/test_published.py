"""Networks written as chains against the numbers that are published for them.

Parameters and GMACs: torchvision's table of weights (``num_params``, ``_ops``), the papers, and
counts by hand. Receptive field, stride and padding: measured with gradients in torchvision's
models.
"""

from __future__ import annotations

import pytest

from cnnviz.shapes.chain import Chain, image_shape, trace_chain
from cnnviz.shapes.grammar import parse_chain
from cnnviz.shapes.notation import per_axis


def lenet(features: int) -> str:
    dense = f"flatten linear:{features} tanh linear:84 tanh linear:10"
    return f"conv:6,k5 tanh avgpool conv:16,k5 tanh avgpool {dense}"


ALEXNET = (
    "conv:64,k11,s4,p2 relu maxpool:k3,s2 conv:192,k5,p2 relu maxpool:k3,s2"
    " conv:384,k3,p1 relu conv:256,k3,p1 relu conv:256,k3,p1 relu maxpool:k3,s2"
    " adaptiveavgpool:6x6 flatten dropout linear:4096 relu dropout linear:4096 relu linear:1000"
)

ALEXNET_OF_THE_PAPER = (
    "conv:96,k11,s4 relu maxpool:k3,s2 conv:256,k5,p2,g2 relu maxpool:k3,s2 conv:384,k3,p1 relu"
    " conv:384,k3,p1,g2 relu conv:256,k3,p1,g2 relu maxpool:k3,s2"
    " flatten linear:4096 relu linear:4096 relu linear:1000"
)


def vgg(*repeats: int) -> str:
    stages = zip((64, 128, 256, 512, 512), repeats, strict=True)
    features = " ".join(f"{f'conv:{c},k3,p1 relu ' * n}maxpool" for c, n in stages)
    dense = "flatten linear:4096 relu dropout linear:4096 relu dropout linear:1000"
    return f"{features} adaptiveavgpool:7 {dense}"


STEM = "conv:64,k7,s2,p3,nobias bn relu maxpool:k3,s2,p1"


def resnet18() -> str:
    def block(channels: int, stride: int) -> str:
        main = f"conv:{channels},k3,s{stride},p1,nobias bn relu conv:{channels},k3,p1,nobias bn"
        shortcut = f"conv:{channels},k1,s{stride},nobias bn" if stride > 1 else ""
        return f"res[ {main} / {shortcut} ] relu"

    rest = [f"{block(c, 2)} {block(c, 1)}" for c in (128, 256, 512)]
    return " ".join([STEM, block(64, 1), block(64, 1), *rest, "gap flatten linear:1000"])


def resnet_of_bottlenecks(*repeats: int) -> str:
    def block(channels: int, stride: int, first: bool) -> str:
        wide = 4 * channels
        main = f"conv:{channels},k1,nobias bn relu conv:{channels},k3,s{stride},p1,nobias bn relu"
        shortcut = f"conv:{wide},k1,s{stride},nobias bn" if first else ""
        return f"res[ {main} conv:{wide},k1,nobias bn / {shortcut} ] relu"

    stages = [
        [block(c, s if i == 0 else 1, i == 0) for i in range(n)]
        for c, s, n in zip((64, 128, 256, 512), (1, 2, 2, 2), repeats, strict=True)
    ]
    blocks = [block for stage in stages for block in stage]
    return " ".join([STEM, *blocks, "gap flatten linear:1000"])


def mobilenet_v2() -> str:
    text, width = "conv:32,k3,s2,p1,nobias bn relu6", 32
    table = (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)
    for expansion, out, repeats, stride in (*table, (6, 160, 3, 2), (6, 320, 1, 1)):
        for turn in range(repeats):
            step = stride if turn == 0 else 1
            widen = f"conv:{width * expansion},k1,nobias bn relu6" if expansion > 1 else ""
            block = f"{widen} dwconv:k3,s{step},p1,nobias bn relu6 conv:{out},k1,nobias bn"
            text += f" res[ {block} / ]" if turn else f" {block}"
            width = out
    return f"{text} conv:1280,k1,nobias bn relu6 gap flatten dropout linear:1000"


INCEPTIONS = (  # channels of 1x1, reduction and 3x3, reduction and 5x5, pool; table 1 of the paper
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def googlenet(conv: str, five: int, last_pool: str) -> str:
    """Szegedy et al., "Going Deeper with Convolutions", without its auxiliary heads.

    ``conv`` follows the kernel of each convolution, ``five`` is the kernel of its 5x5 branch.
    """

    def block(one: int, small: int, three: int, tiny: int, wide: int, pooled: int) -> str:
        return (
            f"cat[ conv:{one},k1{conv} / conv:{small},k1{conv} conv:{three},k3,p1{conv}"
            f" / conv:{tiny},k1{conv} conv:{wide},k{five},p{five // 2}{conv}"
            f" / maxpool:k3,s1,p1,ceil conv:{pooled},k1{conv} ]"
        )

    pool = "maxpool:k3,s2,ceil"
    stem = f"conv:64,k7,s2,p3{conv} {pool} conv:64,k1{conv} conv:192,k3,p1{conv} {pool}"
    first, middle, last = (" ".join(block(*row) for row in rows) for rows in INCEPTIONS)
    return f"{stem} {first} {pool} {middle} {last_pool} {last} gap flatten dropout linear:1000"


GOOGLENET_OF_THE_PAPER = googlenet(" relu", 5, "maxpool:k3,s2,ceil")
# torchvision's has normalisation, 3x3 where the paper has 5x5, and a last pool of 2x2.
GOOGLENET = googlenet(",nobias bn relu", 3, "maxpool:k2,s2,ceil")


def densenet121() -> str:
    layer = "bn relu conv:128,k1,nobias bn relu conv:32,k3,p1,nobias"
    text, channels = STEM, 64
    for repeats in (6, 12, 24):
        channels = (channels + 32 * repeats) // 2
        text += f" cat[ {layer} / ]@{repeats} bn relu conv:{channels},k1,nobias avgpool"
    return f"{text} cat[ {layer} / ]@16 bn relu gap flatten linear:1000"


def squeezenet() -> str:
    """Version 1.1."""

    def fire(squeezed: int, expanded: int) -> str:
        wide = f"conv:{expanded},k1 relu / conv:{expanded},k3,p1 relu"
        return f"conv:{squeezed},k1 relu cat[ {wide} ]"

    first = " ".join(2 * [fire(16, 64)] + ["maxpool:k3,s2,ceil"] + 2 * [fire(32, 128)])
    rest = " ".join(2 * [fire(48, 192)] + 2 * [fire(64, 256)])
    stem = "conv:64,k3,s2 relu maxpool:k3,s2,ceil"
    return f"{stem} {first} maxpool:k3,s2,ceil {rest} dropout conv:1000,k1 relu gap flatten"


def traced(size: str, text: str) -> Chain:
    nodes = parse_chain(text)
    return trace_chain(nodes, image_shape(per_axis(size), nodes))


BATCHNORM_CNN = (
    "conv:32,k3,p1 bn relu maxpool conv:64,k3,p1 bn relu maxpool conv:128,k3,p1 bn relu maxpool"
    " flatten linear:256 relu dropout linear:10"
)


@pytest.mark.parametrize(
    ("size", "text", "params"),
    [
        pytest.param("1x32x32", lenet(120), 61_706, id="lenet, 1998"),
        pytest.param("28x28", lenet(120), 44_426, id="lenet for 28x28, notes 002"),
        pytest.param("3x224x224", ALEXNET, 61_100_840, id="alexnet"),
        pytest.param("3x227x227", ALEXNET_OF_THE_PAPER, 60_965_224, id="alexnet, 2012"),
        pytest.param("3x224x224", vgg(2, 2, 3, 3, 3), 138_357_544, id="vgg16"),
        pytest.param("3x224x224", vgg(2, 2, 4, 4, 4), 143_667_240, id="vgg19"),
        pytest.param("3x224x224", resnet18(), 11_689_512, id="resnet18"),
        pytest.param("3x224x224", resnet_of_bottlenecks(3, 4, 6, 3), 25_557_032, id="resnet50"),
        pytest.param("3x224x224", resnet_of_bottlenecks(3, 8, 36, 3), 60_192_808, id="resnet152"),
        pytest.param("3x224x224", mobilenet_v2(), 3_504_872, id="mobilenet_v2"),
        pytest.param("3x224x224", GOOGLENET_OF_THE_PAPER, 6_998_552, id="googlenet, 2014"),
        pytest.param("3x224x224", GOOGLENET, 6_624_904, id="googlenet"),
        pytest.param("3x224x224", densenet121(), 7_978_856, id="densenet121"),
        pytest.param("3x224x224", squeezenet(), 1_235_496, id="squeezenet1_1"),
        pytest.param(
            "28x28",
            "conv:32,k3 relu maxpool conv:64,k3,p1 relu maxpool flatten linear:10",
            41_866,
            id="SimpleCNN of 000",
        ),
        pytest.param("3x32x32", BATCHNORM_CNN, 620_810, id="SimpleCNN of 002"),
        pytest.param(
            "3x32x32",
            "conv:16,k3,p1 relu maxpool conv:32,k3,p1 relu maxpool flatten linear:10",
            25_578,
            id="SimpleCNN of 003",
        ),
        pytest.param("28x28", "conv:4,k3,p1 relu conv:8,k3,p1 relu maxpool", 336, id="fashion CNN"),
        pytest.param("48", "linear:2 linear:3", 107, id="SimpleFCN of 003"),
        pytest.param("150528", "linear:1024 relu linear:10", 154_151_946, id="MLP of 002"),
        pytest.param("10x40x40", "flatten linear:1", 16_001, id="fully connected, 003"),
        pytest.param("512x1x1", "flatten linear:10", 5_130, id="new head of resnet18"),
        pytest.param("32x32", "conv:10,k5", 260, id="a layer by hand"),
        pytest.param("3x32x32", "conv:64,k3", 1_792, id="Conv2d(3, 64, 3)"),
        # One output of a fully connected layer, where note 003 has 1,600.
        pytest.param("10x40x40", "flatten linear:1,nobias", 16_000, id="10x40x40 to one number"),
    ],
)
def test_parameters(size: str, text: str, params: int) -> None:
    assert traced(size, text).params == params


def test_sizes_of_googlenet_s_table() -> None:
    """Table 1: the size after every block of branches."""
    chain = trace_chain(GOOGLENET_OF_THE_PAPER, (3, 224, 224))
    assert [step.output for step in chain.steps if step.text == "cat"] == [
        *((256, 28, 28), (480, 28, 28)),
        *((512, 14, 14), (512, 14, 14), (512, 14, 14), (528, 14, 14), (832, 14, 14)),
        *((832, 7, 7), (1024, 7, 7)),
    ]


@pytest.mark.parametrize("channels", [1, 16, 64])
def test_residual_block_of_the_notes(channels: int) -> None:
    layer = f"conv:{channels},k3,p1 bn"
    chain = trace_chain(f"res[ {layer} relu {layer} / ] relu", (channels, 8, 8))
    assert chain.params == 2 * (9 * channels**2 + channels) + 4 * channels


def test_running_statistics_are_buffers() -> None:
    assert traced("3x32x32", BATCHNORM_CNN).buffers == 2 * (32 + 64 + 128) + 3


@pytest.mark.parametrize(
    ("text", "giga"),
    [
        pytest.param(ALEXNET, 0.714, id="alexnet"),
        pytest.param(vgg(2, 2, 3, 3, 3), 15.47, id="vgg16"),
        pytest.param(vgg(2, 2, 4, 4, 4), 19.632, id="vgg19"),
        pytest.param(resnet18(), 1.814, id="resnet18"),
        pytest.param(resnet_of_bottlenecks(3, 4, 6, 3), 4.089, id="resnet50"),
        pytest.param(resnet_of_bottlenecks(3, 8, 36, 3), 11.514, id="resnet152"),
        pytest.param(mobilenet_v2(), 0.301, id="mobilenet_v2"),
        pytest.param(GOOGLENET, 1.498, id="googlenet"),
        pytest.param(densenet121(), 2.834, id="densenet121"),
        pytest.param(squeezenet(), 0.349, id="squeezenet1_1"),
    ],
)
def test_multiply_adds_of_torchvision_s_table(text: str, giga: float) -> None:
    assert round(trace_chain(text, (3, 224, 224)).macs / 1e9, 3) == giga


def test_multiply_adds_of_a_transposed_convolution() -> None:
    """Each input pixel meets each weight once: 3*2*3*3 * 224*224."""
    assert trace_chain("convt:2,k3,s2", (3, 224, 224)).macs == 2_709_504


@pytest.mark.parametrize(
    ("text", "field", "stride", "padding"),
    [
        pytest.param(ALEXNET, 195, 32, 66, id="alexnet"),
        pytest.param(vgg(2, 2, 3, 3, 3), 212, 32, 90, id="vgg16"),
        pytest.param(resnet18(), 435, 32, 217, id="resnet18"),
        pytest.param(resnet_of_bottlenecks(3, 4, 6, 3), 427, 32, 213, id="resnet50"),
        pytest.param(mobilenet_v2(), 491, 32, 245, id="mobilenet_v2"),
        pytest.param(GOOGLENET, 379, 32, 167, id="googlenet"),
        pytest.param(densenet121(), 2071, 32, 1021, id="densenet121"),
    ],
)
def test_receptive_fields(text: str, field: int, stride: int, padding: int) -> None:
    features = text.partition(" gap")[0].partition(" adaptive")[0]
    chain = trace_chain(features, (3, 224, 224))
    for axis in chain.fields:
        assert (axis.size, axis.stride, axis.padding) == (field, stride, padding)
    whole = trace_chain(text, (3, 224, 224))
    assert [axis.size for axis in whole.fields] == [None, None]
    assert [axis.stride for axis in whole.fields] == [stride, stride]


def test_sizes_of_lenet() -> None:
    sizes = [step.output for step in trace_chain(lenet(120), (1, 32, 32)).steps if step.macs]
    assert sizes == [(6, 28, 28), (16, 10, 10), (120,), (84,), (10,)]


def test_pooling_of_the_notes() -> None:
    assert trace_chain("maxpool:k2,s2", (64, 32, 32)).output == (64, 16, 16)
    assert trace_chain("gap", (64, 32, 32)).output == (64, 1, 1)


def test_first_two_maps_of_the_fashion_cnn_see_6_pixels() -> None:
    chain = trace_chain("conv:4,k3,p1 relu conv:8,k3,p1 relu maxpool", (1, 28, 28))
    assert chain.output == (8, 14, 14)
    assert [axis.size for axis in chain.fields] == [6, 6]
