"""What a model answers: its predictions as bars, or the picture that it makes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cnnviz.featuremaps.predictions import last_type_of, predict
from cnnviz.render.bars import draw_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.capturing import LayerOutput, Run
    from cnnviz.featuremaps.predictions import Predictions

FEW_CLASSES, SHOWN_CLASSES = 10, 5
SCORING = ("softmax", "sigmoid")
PICTURE_ENDS = {"tanh": 1.0, "sigmoid": 0.0}  # what is added to the values: black is then 0
RGB = 3


def predictions_of(run: Run, labels: Sequence[str]) -> Predictions | None:
    """The classes that the output speaks for; None where it holds no scores of classes.

    A vector is taken as scores where there is a name for each of its numbers, or where a linear
    layer, a softmax or a sigmoid puts it out: what a pooling layer puts out are features.
    """
    last = _last(run)
    found = predict(run.output, labels, last_type_of(run.layers))
    if found is None or last is None or len(found.classes) == len(labels):
        return found
    said = f"{last.type} {last.key}".lower()
    is_score = last.kind == "linear" or any(word in said for word in SCORING)
    return found if is_score else None


def shown_count(classes: int, top: int | None) -> int:
    """How many classes are shown: all of few, some of many, or as many as asked for."""
    return top or (FEW_CLASSES if classes <= FEW_CLASSES else SHOWN_CLASSES)


def draw_predictions(found: Predictions, title: str, top: int | None, *, blank: bool) -> bytes:
    """A PNG of the best classes as bars, those of few in their own order."""
    few = len(found.classes) <= FEW_CLASSES
    best, shown = found.classes[0], found.classes[: shown_count(len(found.classes), top)]
    head = f"{title} reads {best['label']}"
    if best["probability"] is None:
        head = f"{title}: its scores are no numbers"
    if blank:
        head = f"{title} was shown nothing to read"
    if few and not top:
        shown = sorted(shown, key=lambda one: int(one["index"]))
    bars = [(one["label"], _share(one)) for one in shown]
    said = f"{found.said}; the shares always add up to 100 %, whatever the image shows"
    return draw_bars(head, bars, said if found.sums_to_one else found.said)


def bars_of(found: Predictions) -> list[tuple[str, float]]:
    """The five best classes with their shares."""
    return [(one["label"], _share(one)) for one in found.classes[:SHOWN_CLASSES]]


def label_of(index: int, labels: Sequence[str]) -> str:
    """What class ``index`` is called."""
    return labels[index] if index < len(labels) else f"class {index}"


def share_of(index: int, found: Predictions | None) -> float | None:
    """The share of class ``index``."""
    shares = {one["index"]: one["probability"] for one in found.classes} if found else {}
    return shares.get(index)


def picture_of(run: Run) -> NDArray[Any] | None:
    """The output as uint8 (H, W, C), where it is a picture: 1 or 3 maps behind a tanh or sigmoid.

    A tanh's -1 is black and its 1 white, a sigmoid's 0 and 1.
    """
    output, last = run.output, _last(run)
    if not isinstance(output, Tensor) or output.ndim != 3 or last is None:
        return None
    end = last.key.rpartition(".")[2] if last.type == "function" else last.type
    black = PICTURE_ENDS.get(end.lower())
    if black is None or len(output) not in {1, RGB} or max(output.shape[1:]) == 1:
        return None
    share = (output.detach().cpu().double() + black) / (1 + black)
    levels = (torch.nan_to_num(share) * 255).round().clamp(0, 255).to(torch.uint8)
    pixels: NDArray[Any] = levels.movedim(0, 2).contiguous().numpy()
    return pixels


def _last(run: Run) -> LayerOutput | None:
    """The layer that ran last."""
    ran = [layer for layer in run.layers if layer.shape is not None and layer.kind != "block"]
    return ran[-1] if ran else None


def _share(prediction: dict[str, Any]) -> float:
    return math.nan if prediction["probability"] is None else float(prediction["probability"])
