"""Two small networks for 32x32 colour pictures in ten classes, such as CIFAR-10's."""

import torch
from torch import nn


class CifarCNN(nn.Module):
    """Two convolutions and a linear layer: 3x32x32 in, ten class scores out.

    16x32x32, pooled to 16x16x16, then 32x16x16, pooled to 32x8x8: 448 + 4,640 + 20,490 =
    25,578 parameters. One pool and one ReLU serve both convolutions, so each runs twice.

    Source: the SimpleCNN of the course notes that explains the fully connected layer. It
    flattens by ``view(-1, 2048)``, which makes four rows of one 64x64 picture; here a picture
    of another size is refused by the linear layer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(32 * 8 * 8, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores of shape (N, 10) for images of shape (N, 3, 32, 32)."""
        x = self.pool(self.relu(self.conv1(images)))
        x = self.pool(self.relu(self.conv2(x)))
        scores: torch.Tensor = self.fc(self.flatten(x))
        return scores


class CifarCNNWithBatchNorm(nn.Module):
    """Three blocks of convolution, BatchNorm, ReLU and pool: 3x32x32 in, class scores out.

    32x16x16, 64x8x8 and 128x4x4, then 256 units with dropout: 620,810 parameters with ten
    classes. BatchNorm's running means and variances, 448 values, are buffers and not counted.

    Source: the SimpleCNN of the course notes' chapter on whole architectures.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(*_block(3, 32), *_block(32, 64), *_block(64, 128))
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(128 * 4 * 4, 256),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(256, num_classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores of shape (N, num_classes) for images of shape (N, 3, 32, 32)."""
        scores: torch.Tensor = self.classifier(self.features(images))
        return scores


def _block(in_channels: int, out_channels: int) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
