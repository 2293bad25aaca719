"""The HTML page that opens a network: overview, layers, channels, arithmetic, in one file."""

from cnnviz.explorer.collect import Explorer, telling_of
from cnnviz.explorer.facts import Convolution, Head, LayerFacts, PageOptions
from cnnviz.explorer.writer import Page, Told, in_frame

__all__ = [
    "Convolution",
    "Explorer",
    "Head",
    "LayerFacts",
    "Page",
    "PageOptions",
    "Told",
    "in_frame",
    "telling_of",
]
