"""Sobel x of one photo by SciPy, read and written by Pillow: SOURCE TARGET.

Not ``ndimage.sobel``: on an (H, W, 3) array it smooths across the channels too.
"""

import sys

import numpy as np
from PIL import Image
from scipy import ndimage

image = np.asarray(Image.open(sys.argv[1]), np.float32)
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])[:, :, None]
result = np.abs(ndimage.correlate(image, kernel, mode="mirror"))
Image.fromarray(np.minimum(result, 255).astype(np.uint8)).save(sys.argv[2], quality=95)
