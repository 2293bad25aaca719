"""The models that can be named: what they are, without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.models.table import LENET, MODELS, ModelEntry, find_model

if TYPE_CHECKING:
    from cnnviz.models.loading import LoadedModel

__all__ = ["LENET", "MODELS", "ModelEntry", "find_model", "load_model"]


def load_model(name: str) -> LoadedModel:
    """The model called ``name`` with its trained weights, in eval mode.

    Raises:
        ModelError: no such model, or none of its weights ship with cnnviz.
    """
    from cnnviz.models.loading import load  # torch: only when a model is built

    return load(find_model(name))
