"""Sobel x of one photo by libvips, through pyvips: SOURCE TARGET."""

import sys

import pyvips

options = {"Q": 95, "subsample_mode": "on"} if sys.argv[2].endswith(".jpg") else {}
image = pyvips.Image.new_from_file(sys.argv[1], access="sequential")
result = image.conv([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], precision="float")
result.abs().cast("uchar").write_to_file(sys.argv[2], **options)
