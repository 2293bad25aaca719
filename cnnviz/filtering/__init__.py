"""One kernel over one image: in bands, by both engines, compared, made visible, written."""

from cnnviz.filtering.bands import Crew
from cnnviz.filtering.correlation import Correlation
from cnnviz.filtering.files import FileFilter, Kept, Report
from cnnviz.filtering.image import filter_image
from cnnviz.filtering.options import FilterOptions
from cnnviz.filtering.outcome import Filtered, Outcome
from cnnviz.filtering.plan import Places, Target, folder_of, plan_targets

__all__ = [
    "Correlation",
    "Crew",
    "FileFilter",
    "FilterOptions",
    "Filtered",
    "Kept",
    "Outcome",
    "Places",
    "Report",
    "Target",
    "filter_image",
    "folder_of",
    "plan_targets",
]
