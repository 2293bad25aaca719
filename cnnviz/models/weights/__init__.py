"""Files of weights: read with nothing in them run, and put into a module."""

from cnnviz.models.weights.fitting import Fit, fill
from cnnviz.models.weights.reading import WeightsFile, read_weights

__all__ = ["Fit", "WeightsFile", "fill", "read_weights"]
