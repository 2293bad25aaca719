"""Sobel x of a folder's JPEG files by OpenCV and torch, compared: SOURCE TARGET .png|.jpg."""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch

kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
weights = torch.from_numpy(kernel)[None, None].repeat(3, 1, 1, 1)
for path in Path(sys.argv[1]).glob("*.jpg"):
    image = cv2.imread(str(path))
    result = cv2.filter2D(image, cv2.CV_32F, kernel)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    padded = torch.nn.functional.pad(pixels, (1, 1, 1, 1), mode="reflect")
    other = torch.nn.functional.conv2d(padded, weights, groups=3)[0].permute(1, 2, 0).numpy()
    assert np.abs(result - other).max() == 0
    cv2.imwrite(str(Path(sys.argv[2], f"{path.stem}{sys.argv[3]}")), cv2.convertScaleAbs(result))
