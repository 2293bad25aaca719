"""The positive half of Sobel x of one photo by Pillow: SOURCE TARGET."""

import sys

from PIL import Image, ImageFilter

image = Image.open(sys.argv[1])
sobel_x = ImageFilter.Kernel((3, 3), (-1, 0, 1, -2, 0, 2, -1, 0, 1), scale=1)
image.filter(sobel_x).save(sys.argv[2], quality=95)
