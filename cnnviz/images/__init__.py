"""Image files to arrays and back: upright, bounded, at full depth."""

from cnnviz.images.encoding import (
    LOSSY,
    SIXTEEN_BIT,
    SUFFIXES,
    WITH_ALPHA,
    Encoding,
    encode_image,
    image_chunks,
)
from cnnviz.images.picture import Picture, luminance
from cnnviz.images.reading import claimed_pixels, read_image

__all__ = [
    "LOSSY",
    "SIXTEEN_BIT",
    "SUFFIXES",
    "WITH_ALPHA",
    "Encoding",
    "Picture",
    "claimed_pixels",
    "encode_image",
    "image_chunks",
    "luminance",
    "read_image",
]
