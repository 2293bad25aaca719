"""The models of our own: what they are, without importing torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError
from cnnviz.models.labels import CIFAR_10, FASHION_MNIST, MNIST

if TYPE_CHECKING:
    from collections.abc import Mapping

LENET_PAPER = (
    "LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition"
)
FASHION_PAPER = "data: Xiao, Rasul, Vollgraf, Fashion-MNIST: a Novel Image Dataset"
MLP_PAPER = "idea: Rumelhart, Hinton, Williams, Learning Representations by Back-Propagating Errors"


@dataclass(frozen=True)
class ModelEntry:
    """A model of the table.

    ``year`` is that of ``paper``; of a network drawn up for teaching they name the data set or
    the idea. ``known_for`` is a sentence on what it is known for, or what it shows.
    ``input_size`` is (channels, height, width); ``parameters`` counts the trainable ones.
    ``factory`` and ``prepare`` are ``module:name``: the first takes ``arguments`` and makes the
    network, the second is a recipe (``Preprocessing``) or a function that makes its input of a
    picture, and is empty where no picture goes in. ``weights`` maps the names of weights to their
    files in cnnviz/models/data/weights, or to the ``module:function`` that makes the network with
    them; ``trained`` is the first where there are any. ``labels`` are the classes, or the one name
    of the data set that has them. ``paper_names`` maps torch's dotted names to the names that the
    paper gives its layers.
    """

    name: str
    title: str
    year: int
    paper: str
    known_for: str
    input_size: tuple[int, ...]
    parameters: int
    factory: str
    prepare: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    paper_names: Mapping[str, str] = field(default_factory=dict)


LENET = ModelEntry(
    name="lenet",
    title="LeNet-5",
    year=1998,
    paper=LENET_PAPER,
    known_for="Read the handwritten amounts on millions of bank cheques; convolve, pool, convolve,"
    " pool, then decide is how most image networks have been built since.",
    input_size=(1, 32, 32),
    parameters=61_706,
    factory="cnnviz.models.networks.lenet:LeNet5",
    prepare="cnnviz.models.preparing.digits:prepare",
    weights={"trained": "lenet.safetensors"},
    labels=MNIST,
    paper_names={
        "features.0": "C1",
        "features.1": "C1 tanh",
        "features.2": "S2",
        "features.3": "C3",
        "features.4": "C3 tanh",
        "features.5": "S4",
        "features.6": "C5",
        "features.7": "C5 tanh",
        "classifier.1": "F6",
        "classifier.2": "F6 tanh",
        "classifier.3": "OUTPUT",
    },
)

LENET_28 = ModelEntry(
    name="lenet_28",
    title="LeNet-5 for 28x28",
    year=1998,
    paper=LENET_PAPER,
    known_for="LeNet-5 as many courses draw it, for MNIST's 28x28 digits without a margin:"
    " 17,280 weights fewer than the paper's, all saved where the maps meet the linear layers.",
    input_size=(1, 28, 28),
    parameters=44_426,
    factory="cnnviz.models.networks.lenet:LeNet5For28",
    prepare="cnnviz.models.preparing.digits:prepare_28",
    weights={"trained": "lenet_28.safetensors"},
    labels=MNIST,
    paper_names={
        "features.0": "C1",
        "features.1": "C1 tanh",
        "features.2": "S2",
        "features.3": "C3",
        "features.4": "C3 tanh",
        "features.5": "S4",
        "classifier.1": "C5",
        "classifier.2": "C5 tanh",
        "classifier.3": "F6",
        "classifier.4": "F6 tanh",
        "classifier.5": "OUTPUT",
    },
)

FASHION_CNN = ModelEntry(
    name="fashion_cnn",
    title="Fashion CNN",
    year=2017,
    paper=FASHION_PAPER,
    known_for="Four maps, then eight, few enough to follow every one; its weights after 0, 1, 3"
    " and 10 epochs ship too, so that filters can be watched as they form.",
    input_size=(1, 28, 28),
    parameters=16_026,
    factory="cnnviz.models.networks.fashion:FashionCNN",
    prepare="cnnviz.models.preparing.garments:prepare",
    weights={
        "trained": "fashion_cnn.safetensors",
        "epoch0": "fashion_cnn_epoch0.safetensors",
        "epoch1": "fashion_cnn_epoch1.safetensors",
        "epoch3": "fashion_cnn_epoch3.safetensors",
        "epoch10": "fashion_cnn_epoch10.safetensors",
    },
    labels=FASHION_MNIST,
    paper_names={"relu1": "F1", "pool": "F2", "fc": "OUTPUT"},
)

FASHION_CNN_WIDE = ModelEntry(
    name="fashion_cnn_wide",
    title="Wide fashion CNN",
    year=2017,
    paper=FASHION_PAPER,
    known_for="fashion_cnn with eight times as many maps: right more often, though five of the 96"
    " have died in training, as maps behind a ReLU may.",
    input_size=(1, 28, 28),
    parameters=41_866,
    factory="cnnviz.models.networks.fashion:WideFashionCNN",
    prepare="cnnviz.models.preparing.garments:prepare",
    weights={"trained": "fashion_cnn_wide.safetensors"},
    labels=FASHION_MNIST,
    paper_names={"fc": "OUTPUT"},
)

CIFAR_CNN = ModelEntry(
    name="cifar_cnn",
    title="CIFAR CNN",
    year=2009,
    paper="data: Krizhevsky, Learning Multiple Layers of Features from Tiny Images",
    known_for="A small network for colour pictures: of its 25,578 parameters 20,490 stand in the"
    " one fully connected layer.",
    input_size=(3, 32, 32),
    parameters=25_578,
    factory="cnnviz.models.networks.cifar:CifarCNN",
    prepare="cnnviz.models.preparing.recipes:COLOUR_32",
    labels=CIFAR_10,
    paper_names={"fc": "OUTPUT"},
)

CIFAR_CNN_BN = ModelEntry(
    name="cifar_cnn_bn",
    title="CIFAR CNN with BatchNorm",
    year=2015,
    paper="idea: Ioffe, Szegedy, Batch Normalization: Accelerating Deep Network Training",
    known_for="The textbook block four layers long (convolution, BatchNorm, ReLU, pool) three"
    " times over: each halves the side and doubles the channels.",
    input_size=(3, 32, 32),
    parameters=620_810,
    factory="cnnviz.models.networks.cifar:CifarCNNWithBatchNorm",
    prepare="cnnviz.models.preparing.recipes:COLOUR_32",
    labels=CIFAR_10,
    paper_names={"classifier.4": "OUTPUT"},
)

RESIDUAL_BLOCK = ModelEntry(
    name="residual_block",
    title="Residual block",
    year=2015,
    paper="He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition",
    known_for="H(x) = F(x) + x: the input goes around the layers and is added again, so that"
    " a block can do nothing at no cost, and 152 layers can be trained.",
    input_size=(3, 128, 128),
    parameters=180,
    factory="cnnviz.models.networks.blocks:ResidualBlock",
    prepare="cnnviz.models.preparing.recipes:COLOUR_128",
    arguments={"channels": 3},
    paper_names={"bn2": "F(x)"},
)

MOBILE_BLOCK = ModelEntry(
    name="mobile_block",
    title="Depthwise separable block",
    year=2017,
    paper="Howard et al., MobileNets: Efficient Convolutional Neural Networks for Mobile Vision"
    " Applications",
    known_for="Filters each channel alone and then mixes the channels: 75 weights here do the work"
    " of 432 in a plain 3x3 convolution, which is how networks came to fit into telephones.",
    input_size=(3, 128, 128),
    parameters=113,
    factory="cnnviz.models.networks.blocks:MobileBlock",
    prepare="cnnviz.models.preparing.recipes:COLOUR_128",
    arguments={"in_channels": 3, "out_channels": 16},
)

MLP = ModelEntry(
    name="mlp",
    title="Multilayer perceptron",
    year=1986,
    paper=MLP_PAPER,
    known_for="Why images need convolution: without it, two layers on a 224x224 picture have more"
    " parameters than all of VGG16, and do not know which pixels are neighbours.",
    input_size=(3, 224, 224),
    parameters=154_151_946,
    factory="cnnviz.models.networks.dense:mlp",
    prepare="cnnviz.models.preparing.recipes:COLOUR_224",
)

SIMPLE_FCN = ModelEntry(
    name="simple_fcn",
    title="Simple fully connected network",
    year=1986,
    paper=MLP_PAPER,
    known_for="Every pixel joined to every unit: 107 parameters, few enough to work through by"
    " hand, before a convolution begins to share them.",
    input_size=(3, 4, 4),
    parameters=107,
    factory="cnnviz.models.networks.dense:simple_fcn",
    prepare="cnnviz.models.preparing.recipes:COLOUR_4",
)

UNET = ModelEntry(
    name="unet",
    title="Small U-Net",
    year=2015,
    paper="Ronneberger, Fischer, Brox, U-Net: Convolutional Networks for Biomedical Image"
    " Segmentation",
    known_for="Gives every pixel a class: transposed convolutions enlarge what was understood, and"
    " connections across hand over where it was.",
    input_size=(3, 128, 128),
    parameters=120_834,
    factory="cnnviz.models.networks.unet:UNet",
    prepare="cnnviz.models.preparing.recipes:COLOUR_128",
    arguments={"in_channels": 3, "num_classes": 2, "width": 8},
)

DCGAN_GENERATOR = ModelEntry(
    name="dcgan_generator",
    title="DCGAN generator",
    year=2015,
    paper="Radford, Metz, Chintala, Unsupervised Representation Learning with Deep Convolutional"
    " Generative Adversarial Networks",
    known_for="A convolutional network run backwards in shape: five transposed convolutions turn"
    " 100 random numbers into a 64x64 picture.",
    input_size=(100, 1, 1),
    parameters=12_658_432,
    factory="cnnviz.models.networks.dcgan:DCGANGenerator",
    prepare="",
    arguments={"latent": 100, "width": 128},
)

EFFICIENTNET_LITE0 = ModelEntry(
    name="efficientnet_lite0",
    title="EfficientNet-Lite0",
    year=2020,
    paper="Liu, Higher accuracy on vision models with EfficientNet-Lite, TensorFlow blog; after Tan"
    " and Le, EfficientNet, 2019",
    known_for="EfficientNet for phones: no squeeze-and-excite, ReLU6 in place of swish; real"
    " ImageNet features without a download.",
    input_size=(3, 224, 224),
    parameters=4_652_008,
    factory="cnnviz.models.sources.efficientnet_lite:efficientnet_lite0",
    prepare="cnnviz.models.sources.efficientnet_lite:RECIPE",
    weights={"trained": "cnnviz.models.sources.efficientnet_lite:trained"},
    labels=("imagenet",),
)

MODELS: Mapping[str, ModelEntry] = {
    entry.name: entry
    for entry in (
        LENET,
        LENET_28,
        FASHION_CNN,
        FASHION_CNN_WIDE,
        CIFAR_CNN,
        CIFAR_CNN_BN,
        RESIDUAL_BLOCK,
        MOBILE_BLOCK,
        MLP,
        SIMPLE_FCN,
        UNET,
        DCGAN_GENERATOR,
        EFFICIENTNET_LITE0,
    )
}


def find_model(name: str) -> ModelEntry:
    """The entry called ``name``.

    Raises:
        ModelError: no such model.
    """
    if name in MODELS:
        return MODELS[name]
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(name.lower(), MODELS, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ModelError(f"no model is called {name!r}; {hint}there is {', '.join(MODELS)}")
