"""Networks without a convolution, for the comparison."""

from torch import nn


def mlp() -> nn.Sequential:
    """Every pixel of a 224x224 colour picture into 1,024 units: 154,151,946 parameters.

    3x224x224 in, ten class scores out. 150,528·1,024 + 1,024 and 1,024·10 + 10: 617 MB, more
    than VGG16, for two layers that do not know which pixels are neighbours.

    Source: the course notes' case against fully connected layers; they state 154,150,922,
    without the first layer's 1,024 biases.
    """
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(3 * 224 * 224, 1024),
        nn.ReLU(),
        nn.Linear(1024, 10),
    )


def simple_fcn() -> nn.Sequential:
    """48 values into 2 units into 3: 107 parameters, few enough to work out by hand.

    3x4x4 in, three class scores out: 48·2 + 2 and 2·3 + 3.

    Source: the SimpleFCN of the course notes, for their 4x4 colour picture.
    """
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(3 * 4 * 4, 2),
        nn.ReLU(),
        nn.Linear(2, 3),
    )
