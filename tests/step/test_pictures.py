"""Slides and animations: what is on them, that it is on the sheet, that the files play."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageChops

from cnnviz.errors import UsageError
from cnnviz.step.animation import encoded, frames
from cnnviz.step.counting import reach_counts, visit_counts
from cnnviz.step.files import scene_of
from cnnviz.step.marks import (
    HEIGHT,
    WEIGHT,
    WEIGHT_ON_DARK,
    WIDTH,
    WRONG_FILL,
    Cell,
    Scene,
    Stroke,
    Words,
    svg,
)
from cnnviz.step.moving import shifted
from cnnviz.step.painting import SIGNS, paint, text_width
from cnnviz.step.pictures import shift_scene, visits_scene
from cnnviz.step.pipeline import Pipeline, Progress
from cnnviz.step.scenes import Slide
from cnnviz.step.setup import Asked, work_out
from cnnviz.step.shift import moved

THREE = Asked(
    size=(5, 5),
    kernels=("1 0; 0 1", "1 0; 1 1", "1 0; 0 0"),
    then="relu maxpool flatten",
    linear=("1 " * 12,),
)


def texts(scene: Scene) -> list[str]:
    return [mark.text for mark in scene if isinstance(mark, Words)]


def slide(asked: Asked, row: int = 0, column: int = 0, filled: int | None = None) -> Scene:
    worked = work_out(asked)
    return Slide(worked).scene(worked.sliding.window(0, row, column), filled)


def shift_picture(asked: Asked) -> Scene:
    maps, results = shifted(asked, (0, 1))
    return shift_scene(maps, moved(maps, 0, 1), results, (0, 1))


SCENES = [
    pytest.param(lambda: slide(Asked()), id="example"),
    pytest.param(lambda: slide(Asked(rows=("1|2|3",) * 2, kernels=("1",))), id="six channels"),
    pytest.param(lambda: slide(Asked(size=(30, 60), kernels=("5x5",), padding="same")), id="large"),
    pytest.param(
        lambda: slide(Asked(size=(3, 3), kernels=("3x3",), transposed=True, stride=(2, 2)), 2, 2),
        id="transposed",
    ),
    pytest.param(
        lambda: slide(Asked(rows=("1/3 1000000000; -99999 1/997",), kernels=("1/7 2; -3 4",))),
        id="long numbers",
    ),
    pytest.param(lambda: Pipeline(work_out(THREE)).scene(), id="pipeline"),
    pytest.param(
        lambda: Pipeline(
            work_out(Asked(rows=("1 2|3 4|5 6",), kernels=("1",), then="gap"))
        ).scene(),
        id="pipeline of channels",
    ),
    pytest.param(
        lambda: visits_scene(visit_counts(Asked(size=(9, 4), kernels=("3x2",)))), id="visits"
    ),
    pytest.param(
        lambda: visits_scene(reach_counts(Asked(kernels=("3x3",), dilation=(3, 3)), 5)), id="reach"
    ),
    pytest.param(lambda: shift_picture(Asked(then="relu maxpool:s1")), id="shift"),
]


@pytest.mark.parametrize("make", SCENES)
def test_every_mark_is_on_the_sheet(make: type) -> None:
    for mark in make():
        if isinstance(mark, Words):
            long = text_width(mark.text, mark.size)
            left = mark.x - {"start": 0, "middle": long / 2, "end": long}[mark.anchor]
            points: tuple[tuple[float, float], ...] = ((left, mark.y), (left + long, mark.y))
        elif isinstance(mark, Stroke):
            points = mark.points
        else:
            points = ((mark.x, mark.y), (mark.x + mark.width, mark.y + mark.height))
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points), mark


@pytest.mark.parametrize("make", SCENES)
def test_numbers_stay_inside_their_cells(make: type) -> None:
    scene = make()
    cells = [mark for mark in scene if isinstance(mark, Cell)]
    for mark in scene:
        inside = [
            cell
            for cell in cells
            if isinstance(mark, Words)
            and mark.anchor == "middle"
            and abs(cell.x + cell.width / 2 - mark.x) < 0.01
            and abs(cell.y + cell.height / 2 - mark.y) < 0.01
        ]
        if isinstance(mark, Words) and inside:
            assert text_width(mark.text, mark.size) <= inside[0].width


def test_a_slide_shows_the_products_and_their_sum() -> None:
    shown = texts(slide(Asked()))
    assert shown[:2] == ["3×3 kernel, stride 1", "row 0, column 0"]
    assert shown[-2] == "1×1 + 1×0 + 1×1 + 0×0 + 1×1 + 1×0 + 0×1 + 0×0 + 1×1"
    assert shown[-1] == "= 1 + 0 + 1 + 0 + 1 + 0 + 0 + 0 + 1 = 4"


@pytest.mark.parametrize("weights", ["1 0", "1/3 1000000", "123456789012345 1"])
def test_weights_in_the_corners_stay_inside_their_cells(weights: str) -> None:
    scene = slide(Asked(rows=("3 4; 5 6",), kernels=(weights,)))
    cells = [mark for mark in scene if isinstance(mark, Cell)]
    corners = [m for m in scene if isinstance(m, Words) and m.anchor == "end" and "×" in m.text]
    assert bool(corners) == ("345" not in weights)  # that one would be too small to be read
    for mark in corners:
        left = mark.x - text_width(mark.text, mark.size)
        assert any(c.x <= left and mark.x <= c.x + c.width and c.y <= mark.y for c in cells)


@pytest.mark.parametrize(("channels", "lowest"), [(2, 550), (3, 628)])
def test_of_many_products_the_grids_have_the_room_of_the_sum(channels: int, lowest: int) -> None:
    scene = slide(Asked(rows=("1 2 3; 4 5 6; 7 8 9",) * channels, kernels=("3x3",)))
    ends = [mark.y + mark.height for mark in scene if isinstance(mark, Cell)]
    assert lowest - 20 < max(ends) <= lowest


def test_of_an_image_the_strongest_result_is_drawn_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    Image.fromarray(np.pad(np.full((1, 1), 200, np.uint8), ((2, 5), (3, 4)))).save(path)
    worked = work_out(Asked(files=(str(path),), kernels=("laplacian_8",), padding=(1, 1)))
    shown = texts(scene_of(worked, None, blank=False))
    assert shown[:2] == ["dot.png: 3×3 kernel, stride 1, padding 1", "row 2, column 3"]
    assert shown[-1].endswith("1600")
    worked = work_out(Asked(size=(4, 4), kernels=("2x2",)))
    assert texts(scene_of(worked, None, blank=False))[1] == "row 2, column 2"


def test_a_long_name_leaves_its_middle_out(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 90}{'z' * 90}.png"
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(path)
    title = texts(slide(Asked(files=(str(path),), kernels=("3x3",))))[0]
    assert title == f"{'a' * 20}…{'z' * 16}.png: 3×3 kernel, stride 1"


def test_weights_on_dark_pixels_are_light(tmp_path: Path) -> None:
    path = tmp_path / "two.png"
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(path)
    scene = slide(Asked(files=(str(path),), kernels=("3 4",)))
    colors = [m.parts[0][1] for m in scene if isinstance(m, Words) and m.anchor == "end"][1:]
    assert colors == [WEIGHT_ON_DARK, WEIGHT]


def test_long_decimals_in_small_cells_are_rounded_which_is_said() -> None:
    rows = "; ".join(" ".join(f"0.{n}2345678" for n in range(1, 9)) for _ in range(8))
    shown = texts(slide(Asked(rows=(rows,), kernels=("1 0 0; 0 0 0; 0 0 0",))))
    assert "0.123" in shown
    assert shown[-1] == "numbers in cells are rounded"
    assert shown[-2].endswith(" ≈ 0.123457")
    assert "= ≈" not in shown[-2]
    assert "numbers in cells are rounded" not in texts(
        slide(Asked(rows=("0.12345 1",), kernels=("1",)))
    )


def test_a_single_product_is_its_own_sum() -> None:
    shown = texts(slide(Asked(size=(1, 1), kernels=("5",))))
    assert shown[-1] == "1×5 = 5"
    assert "= 5 = 5" not in shown


def test_the_output_fills_as_the_window_moves_on() -> None:
    empty, one = slide(Asked(), 0, 1, filled=1), slide(Asked(), 0, 1, filled=2)
    assert "?" in texts(empty)
    assert texts(one).count("?") == texts(empty).count("?") - 1
    assert len(texts(slide(Asked()))) - len(texts(one)) == 7  # of nine values


def test_a_worksheet_has_the_question_and_no_answer() -> None:
    worked = work_out(THREE)
    blank, key = (texts(Pipeline(worked, blank).scene()) for blank in (True, False))
    assert blank.count("25") == 1
    assert [text for text in ("44", "68", "65") if text in blank] == []
    assert len(key) - len(blank) == 3 * 16 * 2 + 3 * 4 + 12 + 1
    assert blank[-1] == "linear:1: weights 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1; bias 0"
    assert key[-1].endswith("= 380")


def test_the_pool_that_is_looked_at_is_worked_out() -> None:
    worked = work_out(THREE)
    scene = Pipeline(worked).scene(Progress(1, 1, worked.stages[1].pooled[0]))
    assert texts(scene)[-1] == "max(8, 10, 18, 20) = 20"
    assert len([mark for mark in scene if isinstance(mark, Cell) and mark.thickness == 3]) == 5


def test_divisor_and_bias_stand_beside_the_kernel() -> None:
    asked = Asked(size=(4, 4), kernels=("gaussian",), biases=(-2,), then="relu")
    assert "kernel / 16 − 2" in texts(Pipeline(work_out(asked)).scene())


def test_what_is_never_read_is_red() -> None:
    scene = visits_scene(reach_counts(Asked(kernels=("3x3",), dilation=(2, 2)), 3))
    red = [mark for mark in scene if isinstance(mark, Cell) and mark.fill == WRONG_FILL]
    assert len(red) == 120


def test_so_much_that_nothing_could_be_seen_is_refused() -> None:
    with pytest.raises(UsageError, match="too much for one picture"):
        slide(Asked(size=(200, 200), kernels=("3x3",)))


@pytest.mark.parametrize("make", SCENES)
def test_svg_is_well_formed_and_has_the_same_words(make: type) -> None:
    scene = make()
    root = ElementTree.fromstring(svg(scene))  # noqa: S314 (our own)
    found = ["".join(e.itertext()) for e in root if e.tag.endswith("text")]
    assert found == texts(scene)


def test_signs_that_the_font_lacks_are_drawn() -> None:
    for sign in SIGNS:
        image = paint((Words(640, 360, ((sign, "#000000"),), 100),))
        left, top, right, low = (
            image.convert("L").point(lambda v: 255 * (v < 128)).getbbox() or (0,) * 4
        )
        assert right - left > 30
        assert abs((left + right) / 2 - 640) < 6
        assert abs((top + low) / 2 - 360) < 12


@pytest.mark.parametrize("kind", ["gif", "webp", "apng"])
def test_an_animation_plays_window_by_window(kind: str) -> None:
    made = list(frames(work_out(Asked())))
    assert len(made) == 3 * 9
    data = encoded(made, kind)
    assert len(data) < 150_000
    with Image.open(io.BytesIO(data)) as image:
        assert (image.n_frames, image.size) == (27, (960, 540))  # type: ignore[attr-defined]
        assert image.info["loop"] == 0
        image.seek(26)
        last = image.convert("RGB")
        assert last.getpixel((5, 300)) == (255, 255, 255)
        expected = paint(made[26].scene, 0.75)
        differences = ImageChops.difference(last, expected).getextrema()
        assert max(high for _, high in differences) < 60  # type: ignore[misc]  # 64 colours


def test_stages_are_animated_after_the_windows() -> None:
    made = list(frames(work_out(THREE)))
    assert len(made) == 48 + 4 + 12 + 1
    assert made[-1].scene == Pipeline(work_out(THREE)).scene()


def test_too_many_windows_are_refused() -> None:
    with pytest.raises(UsageError, match="784 windows are too many to animate"):
        list(frames(work_out(Asked(size=(28, 28), kernels=("1",)))))
