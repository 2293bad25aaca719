"""A small U-Net: down to the whole picture, and up again to every pixel."""

from __future__ import annotations

import torch
from torch import nn


class UNet(nn.Module):
    """A class score for every pixel: (in_channels, H, W) in, (num_classes, H, W) out.

    Four levels of ``width``, 2, 4 and 8 times ``width`` channels, each two 3x3 convolutions with
    ReLU; max pooling goes down, transposed convolutions come up, and at each level what was seen
    on the way down is put beside what comes up (``torch.cat``). H and W must be multiples of 8.
    With the defaults 120,834 parameters; the paper's, of 64 to 1,024 channels, has 31 million.

    Source: Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image
    Segmentation", 2015, figure 1, with a level less, 8 channels for its 64, and padding 1, so
    that nothing is cropped on the way across and the output has the input's size.
    """

    def __init__(self, in_channels: int = 3, num_classes: int = 2, width: int = 8) -> None:
        super().__init__()
        self.down1 = _two_convolutions(in_channels, width)
        self.down2 = _two_convolutions(width, 2 * width)
        self.down3 = _two_convolutions(2 * width, 4 * width)
        self.bottom = _two_convolutions(4 * width, 8 * width)
        self.pool = nn.MaxPool2d(2)
        self.up3 = nn.ConvTranspose2d(8 * width, 4 * width, kernel_size=2, stride=2)
        self.merge3 = _two_convolutions(8 * width, 4 * width)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, kernel_size=2, stride=2)
        self.merge2 = _two_convolutions(4 * width, 2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, kernel_size=2, stride=2)
        self.merge1 = _two_convolutions(2 * width, width)
        self.head = nn.Conv2d(width, num_classes, kernel_size=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Scores (N, num_classes, H, W) for images of shape (N, in_channels, H, W)."""
        first = self.down1(images)
        second = self.down2(self.pool(first))
        third = self.down3(self.pool(second))
        x = self.bottom(self.pool(third))
        x = self.merge3(torch.cat([third, self.up3(x)], dim=1))
        x = self.merge2(torch.cat([second, self.up2(x)], dim=1))
        x = self.merge1(torch.cat([first, self.up1(x)], dim=1))
        scores: torch.Tensor = self.head(x)
        return scores


def _two_convolutions(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1),
        nn.ReLU(),
    )
