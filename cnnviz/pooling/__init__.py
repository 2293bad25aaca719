"""One pool over one image: in bands, by both engines, compared."""

from cnnviz.pooling.image import pool_image
from cnnviz.pooling.operation import Pooling
from cnnviz.pooling.options import PoolOptions

__all__ = ["PoolOptions", "Pooling", "pool_image"]
