"""What models of one's own do that torchvision's do not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from cnnviz.errors import UsageError
from cnnviz.summary.model import ModelSummary, summarize


def table(summary: ModelSummary) -> list[tuple[str, str, object, int, int]]:
    rows = summary.layers
    return [(row.key, row.type, row.output, row.params, row.macs) for row in rows]


def test_a_layer_whose_weights_are_computed_is_one_row() -> None:
    model = nn.Sequential(parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), nn.ReLU())
    assert table(summarize(model, (3, 8, 8))) == [
        ("0", "ParametrizedConv2d", (4, 6, 6), 4 * 27 + 4 + 4, 36 * 4 * 27),
        ("1", "ReLU", (4, 6, 6), 0, 0),
    ]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weights_computed_by_a_hook_are_no_obstacle() -> None:
    model = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))
    assert summarize(model, (3, 8, 8)).total_params == 4 * 27 + 4 + 4


def test_lazy_layers_get_their_sizes_and_the_model_keeps_its_own() -> None:
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))
    summary = summarize(model, (3, 8, 8))
    assert [row.type for row in summary.layers] == ["Conv2d", "BatchNorm2d", "Flatten", "Linear"]
    assert summary.total_params == 112 + 8 + 144 * 2 + 2
    assert isinstance(model[0], nn.LazyConv2d)
    assert not summarize(model, (3, 8, 8)).notes


def test_lazy_layers_that_never_run_have_no_numbers() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    model[0].head = nn.LazyLinear(5)
    summary = summarize(model, (3, 8, 8))
    assert (summary.total_params, summary.memory["params"]) == (112, 448)


class Swaps(nn.Module):
    """Puts another block in the place of one that has run."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        made: Tensor = self.block(image)
        self.block = nn.Sequential(nn.Tanh())
        return made


def test_what_ran_is_listed_though_the_model_has_dropped_it() -> None:
    rows = summarize(Swaps(), (3, 8, 8)).layers
    assert [(row.name, row.type) for row in rows[:2]] == [
        ("block.0", "Conv2d"),
        ("block.1", "ReLU"),
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_rows_add_up_where_a_part_is_torchscript() -> None:
    part = torch.jit.trace(nn.Sequential(nn.Conv2d(3, 4, 3)), torch.ones(1, 3, 8, 8))
    summary = summarize(nn.Sequential(part, nn.Conv2d(4, 2, 1)), (3, 8, 8))
    assert summary.macs == 36 * 4 * 27 + 36 * 2 * 4
    assert sum(row.macs for row in summary.layers) == summary.macs
    assert sum(row.params for row in summary.layers) == summary.total_params
    assert "own code" in summary.layers[0].note


def test_the_input_has_the_precision_of_the_model() -> None:
    summary = summarize(nn.Conv2d(3, 4, 3).half(), (3, 8, 8))
    assert summary.memory == {"params": 224, "buffers": 0, "outputs": 4 * 36 * 2}


def test_a_table_of_tokens_is_given_whole_numbers() -> None:
    summary = summarize(nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2)), (7,))
    assert (summary.output, summary.macs) == ((7, 2), 7 * 8)
    assert "whole numbers" in summary.notes[0]


def test_rows_of_tokens_take_memory_though_torch_hands_on_a_view() -> None:
    summary = summarize(nn.Sequential(nn.Linear(4, 6), nn.Flatten()), (5, 4))
    assert [row.memory for row in summary.layers] == [5 * 6 * 4, 0]


class Returns(nn.Module):
    """A convolution, another after it, and what ``kind`` makes of their outputs."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.one, self.two = kind, nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)

    def forward(self, image: Tensor) -> object:
        first = self.one(image)
        both = {"first": first, "second": self.two(first)}
        kinds = {"dict": both, "object": SimpleNamespace(**both), "nothing": 3}
        return kinds[self.kind]


@pytest.mark.parametrize("kind", ["dict", "object"])
def test_several_outputs_are_said_and_the_longest_way_counts(kind: str) -> None:
    summary = summarize(Returns(kind), (3, 8, 8))
    assert (summary.output, summary.depth) == ((4, 6, 6), 2)
    assert "2 tensors" in summary.notes[0]


def test_a_model_that_returns_no_tensor_still_has_its_layers() -> None:
    summary = summarize(Returns("nothing"), (3, 8, 8))
    assert (summary.output, summary.depth, summary.fields) == (None, None, ())
    assert summary.total_params == 112 + 185
    assert "no tensor" in summary.notes[0]


def test_a_way_past_torch_is_not_guessed() -> None:
    class ThroughNumpy(nn.Conv2d):
        def forward(self, image: Tensor) -> Tensor:
            return F.relu(super().forward(torch.from_numpy(image.numpy() * 2)))

    summary = summarize(ThroughNumpy(3, 4, 3), (3, 8, 8))
    assert (summary.depth, summary.macs) == (None, 36 * 4 * 27)
    assert "does not see the way" in summary.notes[1]


class Adds(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(1, 4, 3, 2)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        out: Tensor = self.left(one) + self.right(other)
        return out


def test_inputs_of_other_sizes_lie_nobody_knows_how() -> None:
    summary = summarize(Adds(), [(3, 8, 8), (1, 13, 13)])
    assert [field.limit for field in summary.fields] == ["not computed"] * 2
    assert [field.size for field in summary.layers[0].fields] == [3, 3]


def test_every_input_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"takes 2 inputs \(one, other\)"):
        summarize(Adds(), (3, 8, 8))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_one_row() -> None:
    model = torch.jit.trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), torch.ones(1, 3, 8, 8))
    summary = summarize(model, (3, 8, 8))
    assert (summary.total_params, summary.macs, summary.output) == (112, 36 * 4 * 27, (4, 6, 6))
    assert len(summary.layers) == 1


@pytest.mark.filterwarnings("ignore")  # torch's own, of what is to be removed
def test_packed_weights_are_said_not_to_be_counted() -> None:
    linear = nn.Sequential(nn.Linear(8, 4))
    model = torch.ao.quantization.quantize_dynamic(linear, {nn.Linear}, dtype=torch.qint8)
    assert any("packed" in note for note in summarize(model, (8,)).notes)


class NeedsValues(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, image: Tensor) -> Tensor:
        maps: Tensor = self.conv(image)
        return maps if maps.mean().item() > 1e9 else maps.relu()


def test_a_model_that_needs_values_runs_on_the_cpu_and_says_so() -> None:
    summary = summarize(NeedsValues(), (1, 8, 8))
    assert (summary.total_params, summary.macs) == (20, 18 * 36)
    assert "needs values" in summary.notes[0]
    assert summarize("lenet").notes == ()
