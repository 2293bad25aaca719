"""Chains as drawings: what is on them, and where."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from cnnviz.errors import CnnvizError, UsageError
from cnnviz.figures.chain import draw_chain
from cnnviz.figures.marks import Box, Drawing, Line, Words, encoded, text_width
from cnnviz.shapes.chain import trace_chain
from tests.conftest import Run

LENET = "conv:6,k5 tanh avgpool conv:16,k5 tanh avgpool flatten linear:120 tanh linear:84 linear:10"
BLOCKS = "conv:8,k3 res[ conv:8,k3,p1 bn / ] res[ conv:16,k3,s2,p1 / conv:16,k1,s2 bn ] relu"


def drawn(text: str, *shape: int) -> Drawing:
    return draw_chain(trace_chain(text, shape))


def words(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks if isinstance(mark, Words)]


def test_lenet_is_drawn_as_in_its_paper() -> None:
    drawing = drawn(LENET, 1, 32, 32)
    sizes = ["1@32x32", "6@28x28", "6@14x14", "16@10x10", "16@5x5", "400", "120", "84", "10"]
    texts = words(drawing)
    assert [text for text in texts if text in sizes] == sizes
    assert [texts.count(name) for name in ("conv 5x5", "avgpool 2x2 /2", "tanh")] == [2, 2, 3]
    assert texts[-1] == "61,706 parameters, 416,520 multiply-adds"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        pytest.param(LENET, (1, 32, 32), id="lenet"),
        pytest.param(BLOCKS, (3, 32, 32), id="branches"),
        pytest.param("conv1d:512,k5 gap flatten linear:9", (16, 999), id="1-D"),
        pytest.param("conv3d:8,k3 maxpool", (3, 9, 32, 8), id="3-D"),
        pytest.param("conv:999999,k1,s999 upsample:999999", (1, 1, 1), id="extremes"),
        pytest.param("linear:3", (7,), id="features"),
        pytest.param("relu", (3, 4, 5), id="the input alone"),
    ],
)
def test_every_mark_is_on_the_sheet(text: str, shape: tuple[int, ...]) -> None:
    drawing = drawn(text, *shape)
    for mark in drawing.marks:
        points = mark.points if isinstance(mark, Line) else ((mark.x, mark.y),)
        if isinstance(mark, Box):
            points = (*points, (mark.x + mark.width, mark.y + mark.height))
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in points)


def stacks(drawing: Drawing) -> list[tuple[float, float]]:
    """Left and right edge of each stack; its maps lie on one diagonal and have one size."""
    boxes = [mark for mark in drawing.marks if isinstance(mark, Box) and mark.fill != "none"]
    by_place: dict[tuple[float, float], list[Box]] = {}
    for box in boxes:
        by_place.setdefault((box.x - box.y, box.width), []).append(box)
    return [(min(b.x for b in s), max(b.x + b.width for b in s)) for s in by_place.values()]


def test_stacks_do_not_overlap() -> None:
    edges = stacks(drawn(BLOCKS, 3, 32, 32))
    assert len(edges) == 4
    assert all(first[1] < second[0] for first, second in pairwise(edges))


def around(drawing: Drawing) -> list[Line]:
    """The lines of branches that are not drawn map by map."""
    return [mark for mark in drawing.marks if isinstance(mark, Line) and len(mark.points) == 6]


def test_shortcuts_are_drawn_from_their_start_to_their_end() -> None:
    drawing = drawn(BLOCKS, 3, 32, 32)
    _, first, second, third = stacks(drawing)
    ends = [(line.points[0][0], line.points[-1][0]) for line in around(drawing)]
    assert ends == [(first[1], second[0]), (second[1], third[0])]
    assert [text for text in words(drawing) if text in {"identity", "conv 1x1 /2 bn"}] == [
        "identity",
        "conv 1x1 /2 bn",
    ]


INCEPTION = (
    "cat[ conv:4,k1 / conv:3,k1 relu conv:8,k3,p1 / conv:2,k1 conv:8,k5,p2 / maxpool:k3,s1,p1 ]"
)


def test_the_longest_branch_is_drawn_and_the_others_go_around() -> None:
    drawing = drawn(f"conv:8,k3 {INCEPTION} relu", 3, 30, 30)
    sizes = [text for text in words(drawing) if "@" in text]
    assert sizes == ["3@30x30", "8@28x28", "3@28x28", "8@28x28", "28@28x28"]
    assert {"conv 1x1", "conv 1x1 conv 5x5", "maxpool 3x3"} <= set(words(drawing))
    _, begin, _, _, end = stacks(drawing)
    assert [(line.points[0][0], line.points[-1][0]) for line in around(drawing)] == [
        (begin[1], end[0])
    ] * 3


UNET = "conv:4,k1 cat[ maxpool conv:8,k1 cat[ maxpool relu convt:8,k2,s2 / ] convt:4,k2,s2 / ]"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{INCEPTION}@2", id="inception"),
        pytest.param(UNET, id="nested"),
        pytest.param(
            "res[ conv:3,k1 res[ conv:3,k1 / bn ] / relu elu selu ]@2", id="ends together"
        ),
    ],
)
def test_lines_of_branches_do_not_meet_each_other_or_words(text: str) -> None:
    drawing = drawn(text, 3, 32, 32)
    levels = [(*sorted((line.points[2], line.points[3])),) for line in around(drawing)]
    tops = [(left[0], right[0], left[1]) for left, right in levels]
    assert len(tops) > 1
    for place, (left, right, y) in enumerate(tops):
        for start, stop, other in tops[place + 1 :]:
            assert y != other or right < start or stop < left
        said = [m for m in drawing.marks if isinstance(m, Words) and m.y == y - 4]
        label = next(m for m in said if left < m.x < right)
        half = text_width(label.text, label.size) / 2
        for line in around(drawing):
            ups = (line.points[2], line.points[3])
            crossing = [x for x, top in ups if top < label.y and abs(x - label.x) < half]
            assert crossing == []


def test_windows_are_drawn_where_one_slides() -> None:
    for text, count in (("conv:8,k3 relu maxpool", 2), ("convt:8,k3", 0), ("flatten linear:2", 0)):
        windows = [m for m in drawn(text, 3, 9, 9).marks if isinstance(m, Box) and m.fill == "none"]
        assert len(windows) == count


def test_svg_is_xml_with_the_same_words() -> None:
    drawing = drawn(BLOCKS, 3, 32, 32)
    root = ElementTree.fromstring(encoded(drawing, ".svg"))  # noqa: S314 (our own)
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert texts == words(drawing)
    escaped = encoded(Drawing(9, 9, (Words(1, 1, "<&>"),)), ".svg")
    assert b"&lt;&amp;&gt;" in escaped


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG\r\n"), (".pdf", b"%PDF-")])
def test_png_and_pdf_are_the_same_each_time(suffix: str, magic: bytes) -> None:
    first, second = (encoded(drawn(BLOCKS, 3, 32, 32), suffix) for _ in range(2))
    assert first.startswith(magic)
    assert first == second


def test_a_png_is_never_wider_than_matplotlib_can_draw() -> None:
    png = encoded(Drawing(100_000, 50, ()), ".png")
    assert int.from_bytes(png[16:20], "big") <= 60_000


def test_other_formats_are_refused() -> None:
    with pytest.raises(UsageError, match=r"ends in '\.gif'; it must end in \.png, \.svg, \.pdf"):
        encoded(drawn("relu", 1, 2, 2), ".gif")


def test_without_matplotlib_there_is_svg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnviz.figures.filter.find_spec", lambda _: None)
    with pytest.raises(CnnvizError, match=r"need matplotlib; .* pip install 'cnnviz\[figures\]'"):
        encoded(drawn("relu", 1, 2, 2), ".pdf")
    assert encoded(drawn("relu", 1, 2, 2), ".svg")


def test_command_writes_the_figure_once(run: Run) -> None:
    arguments = ("shape", "1x32x32", LENET, "--figure", "lenet.svg")
    first = run(*arguments)
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout.endswith("  figure           lenet.svg\n")
    again = run(*arguments)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "lenet.svg exists already; --overwrite replaces it" in again.stderr
    assert run(*arguments, "--overwrite", "-q").stdout == "10\n"
