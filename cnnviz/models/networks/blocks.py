"""Two famous building blocks, each alone, to look at what it does to a picture."""

import torch
from torch import nn


class ResidualBlock(nn.Module):
    """H(x) = F(x) + x: the block that lets a network be 152 layers deep. (C, H, W) in and out.

    F is two 3x3 convolutions with BatchNorm and a ReLU between them; a last ReLU follows the
    sum. 2·(9c² + c) + 4c parameters for c channels: 180 for the 3 of a picture, 74,112 for 64.
    Where F is 0 the block passes its input on, so that more layers need not do harm.

    Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, figure 2,
    as the course notes write it: the convolutions have biases, which torchvision's do not.
    """

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """ReLU(F(x) + x), of the shape of ``x``, (N, channels, H, W)."""
        residual = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out: torch.Tensor = self.relu(residual + x)
        return out


class MobileBlock(nn.Module):
    """A depthwise and a 1x1 convolution in place of one 3x3 convolution. (C, H, W) in.

    First every channel is filtered alone, by a 3x3 kernel of its own; then 1x1 kernels mix the
    channels. Each is followed by BatchNorm and ReLU. From m channels to n that is 9m + mn
    weights, where a plain 3x3 convolution has 9mn; BatchNorm adds 2m + 2n. From 32 to 64
    channels, as in MobileNet's first block, 2,336 weights do the work of 18,432; from 3 to 16,
    75 that of 432.

    Source: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
    Applications", 2017, section 3.1 and figure 3.
    """

    def __init__(self, in_channels: int = 3, out_channels: int = 16, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            in_channels,
            in_channels,
            kernel_size=3,
            stride=stride,
            padding=1,
            groups=in_channels,
            bias=False,
        )
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU()
        self.pointwise = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu2 = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps (N, out_channels, H, W) for (N, in_channels, H, W); ``stride`` divides H and W."""
        filtered = self.relu1(self.bn1(self.depthwise(x)))
        out: torch.Tensor = self.relu2(self.bn2(self.pointwise(filtered)))
        return out
