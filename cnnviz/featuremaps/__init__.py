"""One image through one model: every layer as a picture, the predictions, the manifest."""

from cnnviz.featuremaps.job import FeatureMaps, save_feature_maps

__all__ = ["FeatureMaps", "save_feature_maps"]
