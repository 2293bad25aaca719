"""The models that can be named: what they are, without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.models.table import LENET, MODELS, ModelEntry, find_model

if TYPE_CHECKING:
    from cnnviz.models.asked import Asked
    from cnnviz.models.loading import LoadedModel

__all__ = ["LENET", "MODELS", "ModelEntry", "find_model", "load_model"]


def load_model(name: str, asked: Asked | None = None) -> LoadedModel:
    """The model that ``name`` says, in eval mode; ``asked`` says with which weights.

    Raises:
        ModelError: no such model or weights.
        CnnvizError: weights could not be fetched or read.
    """
    from cnnviz.models.loading import load_model as load  # torch: only when a model is built

    return load(name, asked)
