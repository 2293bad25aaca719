"""Sobel x of one photo by OpenCV and by torch, compared, OpenCV's written: SOURCE TARGET."""

import sys

import cv2
import numpy as np
import torch

image = cv2.imread(sys.argv[1])
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
result = cv2.filter2D(image, cv2.CV_32F, kernel)
pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
padded = torch.nn.functional.pad(pixels, (1, 1, 1, 1), mode="reflect")
weights = torch.from_numpy(kernel)[None, None].repeat(3, 1, 1, 1)
other = torch.nn.functional.conv2d(padded, weights, groups=3)[0].permute(1, 2, 0).numpy()
assert np.abs(result - other).max() == 0
cv2.imwrite(sys.argv[2], cv2.convertScaleAbs(result))
