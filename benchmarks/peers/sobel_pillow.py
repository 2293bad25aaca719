"""Sobel x of one photo by Pillow: SOURCE TARGET.

A filter of Pillow's cuts negatives off, so it takes two for the absolute value.
"""

import sys

from PIL import Image, ImageChops, ImageFilter

image = Image.open(sys.argv[1])
rising = image.filter(ImageFilter.Kernel((3, 3), (-1, 0, 1, -2, 0, 2, -1, 0, 1), scale=1))
falling = image.filter(ImageFilter.Kernel((3, 3), (1, 0, -1, 2, 0, -2, 1, 0, -1), scale=1))
ImageChops.lighter(rising, falling).save(sys.argv[2], quality=95)
