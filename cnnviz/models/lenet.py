"""LeNet-5, the network that read handwritten cheques in 1998."""

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
            nn.Conv2d(1, 6, kernel_size=5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.Tanh(),
            nn.AvgPool2d(2),
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
