"""Image files to arrays and back: upright, bounded, at full depth."""

from cnnviz.images.encoding import SIXTEEN_BIT, SUFFIXES, WITH_ALPHA, encode_image
from cnnviz.images.picture import Picture, luminance
from cnnviz.images.reading import read_image

__all__ = [
    "SIXTEEN_BIT",
    "SUFFIXES",
    "WITH_ALPHA",
    "Picture",
    "encode_image",
    "luminance",
    "read_image",
]
