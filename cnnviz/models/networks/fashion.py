"""Two small networks that tell garments apart: one to look into, one of ordinary width."""

import torch
from torch import nn


class FashionCNN(nn.Module):
    """Four and eight maps, few enough to see all: 1x28x28 in, ten class scores out.

    F1 is 4x28x28, F2 is 8x14x14. The convolutions have 40 + 296 = 336 parameters, the linear
    layer after them 15,690; in all 16,026.

    Source: the course notes' network that shows the feature maps of a shoe. It ends with F2
    and is not trained there; the linear layer is added, so that it can be.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, kernel_size=3, padding=1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 8, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(8 * 14 * 14, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores of shape (N, 10) for images of shape (N, 1, 28, 28)."""
        first = self.relu1(self.conv1(images))
        second = self.pool(self.relu2(self.conv2(first)))
        scores: torch.Tensor = self.fc(self.flatten(second))
        return scores


class WideFashionCNN(nn.Module):
    """Thirty-two and sixty-four maps: 1x28x28 in, ten class scores out, 41,866 parameters.

    The first convolution is padded and keeps 28x28; the second is not, so 14x14 becomes 12x12.
    Two pools make that 64x6x6.

    Source: the SimpleCNN of the course notes' first chapter.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.layer2 = nn.Sequential(
            nn.Conv2d(32, 64, kernel_size=3),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64 * 6 * 6, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores of shape (N, 10) for images of shape (N, 1, 28, 28)."""
        scores: torch.Tensor = self.fc(self.flatten(self.layer2(self.layer1(images))))
        return scores
