"""Sobel x of one photo by scikit-image, written by its imageio: SOURCE TARGET.

Its ``sobel`` divides by 4 and would smooth across the channels.
"""

import sys

import imageio.v3
import numpy as np
from skimage import io, util
from skimage.color.adapt_rgb import adapt_rgb, each_channel
from skimage.filters import sobel

sobel_x = adapt_rgb(each_channel)(sobel)
result = 4 * sobel_x(io.imread(sys.argv[1]), axis=1, mode="mirror")
pixels = util.img_as_ubyte(np.clip(np.abs(result), 0, 1))
imageio.v3.imwrite(sys.argv[2], pixels, quality=95)
