"""See what convolution does: verified filters, feature maps, shape arithmetic.

Names are resolved when first used, so that ``import cnnviz`` loads neither torch nor OpenCV.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnnviz.version import __version__

if TYPE_CHECKING:
    from cnnviz.capturing import Capture as capture  # noqa: N813 (used as a function is)
    from cnnviz.capturing import feature_maps
    from cnnviz.engines import Pool, Window
    from cnnviz.errors import CnnvizError
    from cnnviz.explorer import PageOptions
    from cnnviz.featuremaps.held import save_capture
    from cnnviz.featuremaps.job import save_feature_maps
    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.filtering import FilterOptions, filter_image
    from cnnviz.images import read_image
    from cnnviz.kernels import Kernel, Magnitude, kernel_names, load_kernel
    from cnnviz.models import load_model
    from cnnviz.pooling import PoolOptions, pool_image
    from cnnviz.shapes import conv_output_size as output_size
    from cnnviz.summary.model import summarize

__all__ = [
    "CnnvizError",
    "FilterOptions",
    "Kernel",
    "Magnitude",
    "MapOptions",
    "PageOptions",
    "Pool",
    "PoolOptions",
    "Window",
    "__version__",
    "capture",
    "feature_maps",
    "filter_image",
    "kernel_names",
    "load_kernel",
    "load_model",
    "output_size",
    "pool_image",
    "read_image",
    "save_capture",
    "save_feature_maps",
    "summarize",
]

_HOMES = {
    "CnnvizError": ("cnnviz.errors", "CnnvizError"),
    "FilterOptions": ("cnnviz.filtering", "FilterOptions"),
    "Kernel": ("cnnviz.kernels", "Kernel"),
    "Magnitude": ("cnnviz.kernels", "Magnitude"),
    "Pool": ("cnnviz.engines", "Pool"),
    "PoolOptions": ("cnnviz.pooling", "PoolOptions"),
    "Window": ("cnnviz.engines", "Window"),
    "capture": ("cnnviz.capturing", "Capture"),
    "feature_maps": ("cnnviz.capturing", "feature_maps"),
    "filter_image": ("cnnviz.filtering", "filter_image"),
    "kernel_names": ("cnnviz.kernels", "kernel_names"),
    "load_kernel": ("cnnviz.kernels", "load_kernel"),
    "load_model": ("cnnviz.models", "load_model"),
    "output_size": ("cnnviz.shapes", "conv_output_size"),
    "pool_image": ("cnnviz.pooling", "pool_image"),
    "MapOptions": ("cnnviz.featuremaps.options", "MapOptions"),
    "PageOptions": ("cnnviz.explorer", "PageOptions"),
    "read_image": ("cnnviz.images", "read_image"),
    "save_capture": ("cnnviz.featuremaps.held", "save_capture"),
    "save_feature_maps": ("cnnviz.featuremaps.job", "save_feature_maps"),
    "summarize": ("cnnviz.summary.model", "summarize"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnnviz' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
