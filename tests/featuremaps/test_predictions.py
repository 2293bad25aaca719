"""What scores say: shares of classes, by one softmax and never by two."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz.capturing import run_and_capture
from cnnviz.featuremaps.predictions import Predictions, last_type_of, predict

LOGITS = torch.tensor([1.0, 3.0, 2.0])
EXPECTED = {n: math.exp(v) / sum(math.exp(w) for w in (1, 3, 2)) for n, v in enumerate((1, 3, 2))}


def shares(found: Predictions | None) -> dict[int, float]:
    assert found is not None
    return {one["index"]: one["probability"] for one in found.classes}


@dataclass
class Output:
    loss: None
    logits: Tensor


@pytest.mark.parametrize(
    "output",
    [
        LOGITS,
        LOGITS[None],
        LOGITS[:, None, None],
        LOGITS.half(),
        {"loss": None, "logits": LOGITS[None]},
        OrderedDict(hidden=torch.ones(1, 5, 5), logits=LOGITS[None]),
        Output(None, LOGITS[None]),
        (LOGITS[None], torch.ones(1, 3)),
        LOGITS.log_softmax(0),
    ],
    ids=["one axis", "batch", "1x1 maps", "half", "dict", "HF", "dataclass", "tuple", "log"],
)
def test_scores_wherever_they_are_become_shares_best_first(output: Any) -> None:
    found = predict(output, ("a", "b", "c"), "Linear")
    assert shares(found) == pytest.approx(EXPECTED, rel=1e-3)
    assert found is not None
    assert [one["label"] for one in found.classes] == ["b", "c", "a"]
    assert (found.said, found.sums_to_one) == ("softmax of the model's scores", True)


class Ends(nn.Module):
    """Ends as it is told, by a function and an arrangement of its result."""

    def __init__(self, end: Any) -> None:
        super().__init__()
        self.head, self.end = nn.Identity(), end

    def forward(self, x: Tensor) -> Tensor:
        """Shares, mostly."""
        y: Tensor = self.end(self.head(x)).flatten(1)
        return y


@pytest.mark.parametrize(
    ("model", "said", "expected"),
    [
        (nn.Sequential(nn.Softmax(1)), "the model's own softmax", LOGITS.softmax(0)),
        (Ends(lambda x: x.softmax(1)), "the model's own softmax", LOGITS.softmax(0)),
        (
            nn.Sequential(nn.Sigmoid()),
            "the model's own sigmoid: each class for itself",
            LOGITS.sigmoid(),
        ),
        (Ends(torch.sigmoid), "the model's own sigmoid: each class for itself", LOGITS.sigmoid()),
        (nn.Identity(), "softmax of the model's scores", LOGITS.softmax(0)),
        (Ends(torch.relu), "softmax of the model's scores", LOGITS.softmax(0)),
    ],
    ids=["softmax", "F.softmax", "sigmoid", "F.sigmoid", "scores", "relu"],
)
def test_end_of_the_model_is_noticed_and_gets_no_second_softmax(
    model: nn.Module, said: str, expected: Tensor
) -> None:
    run = run_and_capture(model, LOGITS[None])
    found = predict(run.output, (), last_type_of(run.layers))
    assert found is not None
    assert found.said == said
    assert found.sums_to_one is ("sigmoid" not in said)
    assert shares(found) == pytest.approx(dict(enumerate(expected.tolist())))


@pytest.mark.parametrize(
    "output",
    [
        {"out": torch.ones(1, 21, 8, 8), "aux": torch.ones(1, 21, 8, 8)},
        [{"boxes": torch.ones(9, 4), "labels": torch.ones(9), "scores": torch.rand(9)}],
        {"features": {"0": torch.ones(1, 3)}, "heads": torch.ones(1, 4)},
        torch.ones(1, 3, 8, 8),
        torch.ones(1),
        torch.ones(4, 3),
        torch.tensor([1, 2, 3]),
        None,
        {1, 2},
        (),
    ],
    ids=[
        *("segmentation", "boxes", "maps", "image", "one number", "four images", "whole", "none"),
        *("set", "empty"),
    ],
)
def test_what_is_no_list_of_scores_gives_no_predictions(output: Any) -> None:
    assert predict(output, (), "Linear") is None


def test_scores_that_are_no_numbers_are_none_and_come_last() -> None:
    found = predict(torch.tensor([1.0, torch.nan, 2.0]), (), "Linear")
    assert set(shares(found).values()) == {None}
    own = predict(torch.tensor([torch.nan, torch.nan]), (), "Softmax")
    assert own is not None
    assert [one["index"] for one in own.classes] == [0, 1]


def test_large_scores_do_not_overflow() -> None:
    assert shares(predict(torch.tensor([1e30, -1e30]), (), "")) == {0: 1.0, 1: 0.0}


def test_labels_that_do_not_fit_are_not_used() -> None:
    found = predict(LOGITS, ("a", "b"), "Linear")
    assert found is not None
    assert [one["label"] for one in found.classes] == ["class 1", "class 2", "class 0"]
