"""Runs a model and keeps what each of its layers put out."""

from cnnviz.capturing.hints import Hints
from cnnviz.capturing.outputs import LayerOutput
from cnnviz.capturing.run import Capture, Run, feature_maps, run_and_capture, survey

__all__ = ["Capture", "Hints", "LayerOutput", "Run", "feature_maps", "run_and_capture", "survey"]
