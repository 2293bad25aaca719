"""The HTML page that opens a network: overview, layers, channels, arithmetic, in one file."""

from cnnviz.explorer.facts import Convolution, Head, LayerFacts, PageOptions
from cnnviz.explorer.writer import Explorer, Page, in_frame

__all__ = ["Convolution", "Explorer", "Head", "LayerFacts", "Page", "PageOptions", "in_frame"]
