"""What a classifier's scores say, with the names of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.capturing.fields import fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from cnnviz.capturing import LayerOutput

SUM_ERROR = 1e-3  # a softmax of 1,000 classes in half precision adds up to 1 within this
SCORES = ("logits", "out", "prediction_logits", "scores")
DETECTIONS = "boxes"  # whose scores are of boxes, not of classes


@dataclass(frozen=True)
class Predictions:
    """Classes from the most probable to the least, and in words where the shares are from.

    ``classes`` have index, label and probability, which is None where the score is no number.
    With ``sums_to_one`` the shares are of one whole.
    """

    classes: list[dict[str, Any]]
    said: str
    sums_to_one: bool


def predict(output: Any, labels: Sequence[str], last_type: str) -> Predictions | None:
    """The classes of a model's ``output`` for one image; None where it is no list of scores.

    Scores become shares by a softmax, unless the model ends in a softmax or sigmoid, which
    ``last_type``, the type of its last layer (see ``last_type_of``), or the values themselves say.
    """
    scores = _scores(output)
    if scores is None:
        return None
    shares, said = _shares(scores, last_type)
    names = labels if len(labels) == len(scores) else [f"class {n}" for n in range(len(scores))]
    order = np.argsort(-shares, kind="stable")
    classes = [
        {
            "index": int(n),
            "label": names[n],
            "probability": float(shares[n]) if np.isfinite(shares[n]) else None,
        }
        for n in order
    ]
    return Predictions(classes, said, "sigmoid" not in said)


def last_type_of(layers: Sequence[LayerOutput]) -> str:
    """The type of the last layer that put something out; of a function its name: sigmoid."""
    for layer in reversed(layers):
        if layer.shape is not None and layer.kind != "block":
            return layer.name.rpartition(".")[2] if layer.type == "function" else layer.type
    return ""


def _scores(output: Any) -> NDArray[np.float64] | None:
    """One number per class: the output, or the field of it that holds them.

    A map of scores, as segmentation puts out, is no list of them.
    """
    fields = dict(fields_of(output))
    if any(name.rpartition(".")[2] == DETECTIONS for name in fields):
        return None
    named = [fields[name] for name in SCORES if name in fields]
    in_order = [*named, *(value for name, value in fields.items() if name in ("", "0"))]
    return _row(in_order[0]) if in_order else None


def _row(scores: Tensor) -> NDArray[np.float64] | None:
    flat = scores.detach().squeeze()
    fits = flat.ndim == 1 and flat.numel() > 1 and flat.is_floating_point()
    return flat.cpu().double().numpy() if fits else None


def _shares(scores: NDArray[np.float64], last_type: str) -> tuple[NDArray[np.float64], str]:
    within = bool(np.isfinite(scores).all() and scores.min() >= 0 and scores.max() <= 1)
    if within and (abs(scores.sum() - 1) < SUM_ERROR or "softmax" in last_type.lower()):
        return scores, "the model's own softmax"
    if within and "sigmoid" in last_type.lower():
        return scores, "the model's own sigmoid: each class for itself"
    finite = scores[np.isfinite(scores)]
    powers = np.exp(scores - (finite.max() if finite.size else 0))
    with np.errstate(invalid="ignore"):
        return powers / powers.sum(), "softmax of the model's scores"
