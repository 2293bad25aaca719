"""LeNet-5, the network that read handwritten cheques in 1998, for 32x32 and for 28x28."""

import torch
from torch import nn


class LeNet5(nn.Module):
    """LeNet-5 in today's form: 1x32x32 in, ten class scores (logits) out, 61,706 parameters.

    Layer sizes are the paper's. Three things are today's: C3 connects every map of S2
    (the paper leaves 60 of 96 connections), S2 and S4 have no trainable coefficients, and the
    output is a linear layer instead of Euclidean radial basis functions. The paper's
    squashing function 1.7159 tanh(2x/3) is the plain tanh here.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document
    Recognition", Proceedings of the IEEE 86(11), 1998, section II.B and figure 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_to_s4(),
            nn.Conv2d(16, 120, kernel_size=5),
            nn.Tanh(),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, 10),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores of shape (N, 10) for images of shape (N, 1, 32, 32)."""
        scores: torch.Tensor = self.classifier(self.features(images))
        return scores


class LeNet5For28(nn.Module):
    """LeNet-5 for MNIST's digits as they are: 1x28x28 in, ten class scores out, 44,426 parameters.

    Many courses draw LeNet-5 this way. The digits are not set into 32x32, so S4 is 16x4x4
    instead of 16x5x5, and C5 is a linear layer from its 256 values to 120: 17,280 weights fewer.

    Source: as ``LeNet5``; the input is 28x28 instead of the paper's 32x32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*_to_s4())
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * 4 * 4, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, 10),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores of shape (N, 10) for images of shape (N, 1, 28, 28)."""
        scores: torch.Tensor = self.classifier(self.features(images))
        return scores


def _to_s4() -> list[nn.Module]:
    """The layers C1 to S4: six maps, then sixteen, each time halved."""
    return [
        nn.Conv2d(1, 6, kernel_size=5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.Tanh(),
        nn.AvgPool2d(2),
    ]
