"""Sobel x of one photo by kornia: SOURCE TARGET."""

import sys

import torch
from kornia.filters import filter2d
from kornia.io import ImageLoadType, load_image, write_image

image = load_image(sys.argv[1], ImageLoadType.RGB8)[None].float()
kernel = torch.tensor([[[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]])
result = filter2d(image, kernel, border_type="reflect")[0].abs().clamp(max=255)
write_image(sys.argv[2], result.byte(), quality=95)
