"""Output sizes, parameters, multiply-adds and receptive fields, on plain integers."""

from cnnviz.shapes.conv import Conv2d, conv_output_size
from cnnviz.shapes.window import Axis, same_padding

__all__ = ["Axis", "Conv2d", "conv_output_size", "same_padding"]
