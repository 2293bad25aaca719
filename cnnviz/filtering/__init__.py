"""One kernel over one image: in bands, by both engines, compared, made visible, written."""

from cnnviz.filtering.files import RAW_SUFFIXES, Report, Target, filter_file
from cnnviz.filtering.image import Filtered, FilterOptions, Outcome, filter_image

__all__ = [
    "RAW_SUFFIXES",
    "FilterOptions",
    "Filtered",
    "Outcome",
    "Report",
    "Target",
    "filter_file",
    "filter_image",
]
