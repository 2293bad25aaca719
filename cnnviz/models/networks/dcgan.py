"""The generator of DCGAN: a picture out of a hundred random numbers."""

from __future__ import annotations

import torch
from torch import nn


class DCGANGenerator(nn.Module):
    """A 3x64x64 picture from -1 to 1 for a latent vector, (100, 1, 1): 12,658,432 parameters.

    The first transposed convolution makes 1024x4x4 of the vector; four more double the side
    and halve the channels: 512x8x8, 256x16x16, 128x32x32, 3x64x64. Each is followed by
    BatchNorm and ReLU, the last by tanh. The convolutions have no biases.

    Source: Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep
    Convolutional Generative Adversarial Networks", 2015, figure 1 and section 4 (weights from a
    normal distribution of standard deviation 0.02); kernels are 4x4, as in the authors' code.
    """

    def __init__(self, latent: int = 100, width: int = 128) -> None:
        super().__init__()
        self.project = _enlarge(latent, 8 * width, stride=1, padding=0)
        self.up1 = _enlarge(8 * width, 4 * width)
        self.up2 = _enlarge(4 * width, 2 * width)
        self.up3 = _enlarge(2 * width, width)
        self.up4 = _transposed(width, 3)
        self.tanh = nn.Tanh()
        for module in self.modules():
            if isinstance(module, nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Pictures (N, 3, 64, 64) for latent vectors (N, 100, 1, 1)."""
        x = self.up3(self.up2(self.up1(self.project(latent))))
        pictures: torch.Tensor = self.tanh(self.up4(x))
        return pictures


def _enlarge(
    in_channels: int, out_channels: int, *, stride: int = 2, padding: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        _transposed(in_channels, out_channels, stride=stride, padding=padding),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def _transposed(
    in_channels: int, out_channels: int, *, stride: int = 2, padding: int = 1
) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(
        in_channels, out_channels, kernel_size=4, stride=stride, padding=padding, bias=False
    )
