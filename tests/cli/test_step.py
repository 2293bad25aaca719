"""``cnnviz step`` as it is typed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT, Run

THREE = ("--size", "5x5", "-k", "1 0; 0 1", "-k", "1 0; 1 1", "-k", "1 0; 0 0")
BLOCK = ("--input", "50 52 49; 51 200 53; 48 49 52", "--kernel", "laplacian_8")


def test_a_window_is_worked_out_as_on_paper(run: Run) -> None:
    result = run("step", *BLOCK)
    assert result.exit_code == 0
    assert result.stdout == (
        "input 3x3      laplacian_8 3x3\n"
        " 50  52  49    -1 -1 -1\n"
        " 51 200  53    -1  8 -1\n"
        " 48  49  52    -1 -1 -1\n"
        "\n"
        "rows and columns of the output: floor((3 + 2*0 - 1*(3 - 1) - 1) / 1) + 1"
        " = floor(0) + 1 = 1\n"
        "\n"
        "row 0, column 0\n"
        "    50×(-1) + 52×(-1) + 49×(-1)\n"
        "  + 51×(-1) +   200×8 + 53×(-1)\n"
        "  + 48×(-1) + 49×(-1) + 52×(-1)\n"
        "  = -50 - 52 - 49 - 51 + 1600 - 53 - 48 - 49 - 52 = 1196\n"
    )


def test_without_an_input_there_is_an_example(run: Run) -> None:
    assert run("step", "-q").stdout == "output of the convolution, 3x3\n  4 3 4\n  2 4 3\n  2 3 4\n"


def test_one_position_is_shown_for_every_kernel(run: Run) -> None:
    shown = run("step", *THREE, "--position", "0,1").stdout
    assert shown.count("row 0, column 1") == 3
    assert "  = 2 + 0 + 0 + 8 = 10\n" in shown


def test_divisor_and_bias_come_after_the_sum(run: Run) -> None:
    shown = run("step", "--size", "3x3", "-k", "gaussian", "--bias", "-1/2").stdout
    assert "= 80; 80 / 16 = 5; 5 - 0.5 (bias) = 4.5\n" in shown


def test_what_is_only_about_equal_has_one_sign(run: Run) -> None:
    shown = run("step", "--input", "0.12345678 1", "-k", "1 1", "--bias", "1").stdout
    assert " ≈ 1.12346; 1.12346 + 1 (bias) ≈ 2.12346\n" in shown
    assert "= ≈" not in shown


def test_channels_are_added_up(run: Run) -> None:
    shown = run("step", "--input", "1 2", "--input", "3 4", "-k", "1 1 | 2 -1").stdout
    assert "  3 + 2 = 5\n" in shown
    assert "    = 6 - 4 = 2\n" in shown


def test_padding_is_said(run: Run) -> None:
    shown = run("step", "--size", "3x3", "-k", "3x3", "-p", "same", "--position", "0,0").stdout
    assert "row 0, column 0 (5 of 9 pixels are padding)" in shown


def test_the_whole_way_is_worked_out(run: Run) -> None:
    shown = run("step", *THREE, "--then", "relu maxpool", "--linear", "1 " * 12).stdout
    for line in (
        "relu: max(x, 0), 3x4x4",
        "maxpool, 3x4x4 → 3x2x2",
        "  map 0, row 0, column 0: max(8, 10, 18, 20) = 20",
        "  … and 3 more windows",
        "flatten, 3x2x2 → 12",
        "  20 24 40 44 32 38 62 68  7  9 17 19",
        "linear:1, 12 → 1",
        "  380",
    ):
        assert line in shown.splitlines()


def test_a_worksheet_and_its_key(run: Run) -> None:
    blank, key = (run("step", option).stdout for option in ("--blank", "--key"))
    assert "  4 3 4" in key.splitlines()
    assert "  4 3 4" not in blank.splitlines()
    assert "  = ____" in blank.splitlines()
    both = run("step", "--blank", "--key").stdout
    assert both == f"{blank}\nanswers\n{key}"


def test_more_windows_are_cut_off_and_that_is_said(run: Run) -> None:
    shown = run("step", "--size", "6x6", "-k", "3x3", "--windows", "2").stdout
    assert shown.count("row 0, column") == 2
    assert "2 of 16 windows; --windows all shows all, --position ROW,COL one" in shown
    assert (
        run("step", "--size", "6x6", "-k", "3x3", "--windows", "all").stdout.count("\nrow ") == 16
    )


def test_a_csv_file_is_an_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("1,2\n3,4\n")
    for arguments in (("m.csv",), ("--input", "m.csv")):
        assert run("step", *arguments, "-k", "1 0; 0 1", "-q").stdout.endswith("\n  5\n")


@pytest.mark.parametrize(("row", "column"), [(0, 0), (120, 80), (299, 450)])
@pytest.mark.parametrize("kernel", ["sobel_x", "gaussian_5", "roberts_x"])
def test_a_pixel_is_what_filter_writes(
    run: Run, samples: Path, row: int, column: int, kernel: str
) -> None:
    photo = samples / "chelsea.png"
    run("filter", photo, "-k", kernel, "--border", "zeros", "--raw", "raw.npy", "-q")
    raw = np.load("raw.npy")
    at = ("--at", f"{row},{column}", "--channels", "each")
    found = json.loads(run("step", photo, "-k", kernel, *at, "--json").stdout)
    assert np.float32(found["output"]["values"]).ravel().tolist() == raw[row, column].tolist()


def test_a_window_at_a_pixel_says_which(run: Run, samples: Path) -> None:
    shown = run("step", samples / "coffee.png", "--at", "0,80", "-k", "box").stdout
    assert "coffee.png, around row 0, column 80\n" in shown
    assert "\nrow 0, column 80 (3 of 9 pixels are padding)\n" in shown


@pytest.mark.parametrize(
    ("at", "end"), [("400,0", "rows end at 399"), ("9,600", "columns end at 599")]
)
def test_a_pixel_beside_the_image_is_refused(run: Run, samples: Path, at: str, end: str) -> None:
    refused = run("step", samples / "coffee.png", "--at", at, "-k", "box")
    assert refused.exit_code == 2
    assert end in refused.stderr


def test_gray_is_luminance(run: Run, samples: Path) -> None:
    photo = samples / "chelsea.png"
    at = ("--at", "120,80", "--channels", "gray", "-k", "identity")
    found = json.loads(run("step", photo, *at, "--json").stdout)
    with Image.open(photo) as image:
        assert found["output"]["values"] == [[[image.convert("L").getpixel((80, 120))]]]


def test_json_holds_windows_output_and_stages(run: Run) -> None:
    found = json.loads(run("step", *BLOCK, "--then", "relu flatten", "--json").stdout)
    (window,) = found["windows"]
    assert window["channels"][0]["products"] == [[-50, -52, -49], [-51, 1600, -53], [-48, -49, -52]]
    assert (window["position"], window["value"], window["exact"]) == ([0, 0], 1196, "1196")
    assert found["output"] == {"shape": [1, 1, 1], "values": [[[1196]]]}
    assert found["stages"][1] == {"layer": "flatten", "shape": [1], "values": [1196]}


def test_json_says_a_third_exactly(run: Run) -> None:
    found = json.loads(run("step", "--input", "1", "-k", "1/3", "--json").stdout)
    assert (found["windows"][0]["value"], found["windows"][0]["exact"]) == (1 / 3, "1/3")


def test_visits_reach_and_shift_are_shown(run: Run) -> None:
    visits = run("step", "--visits", "--size", "5x5", "-k", "3x3").stdout
    assert "without padding: 1 to 9 times\n  1 2 3 2 1\n" in visits
    reach = run("step", "--reach", "3", "-k", "3x3", "-d", "2").stdout
    assert "dilation 2: 0 to 49 times; 120 of 169 never (.)\n" in reach
    shift = run("step", "--shift", "1").stdout
    assert "input\n  before       after\n  1 1 1 0 0    0 1 1 1 0\n" in shift
    assert "the same map, moved 1 column to the right: 6 of 6 values" in shift
    assert "the move is 1/2 of a step: no moved map" in shift
    found = json.loads(run("step", "--shift", "1x2", "--json").stdout)
    assert found["moved"] == [1, 2]
    assert found["shift"][0]["same"] == 2


def test_files_are_written_and_not_replaced(run: Run, tmp_path: Path) -> None:
    files = ("--figure", "s.svg", "--gif", "a.gif")
    result = run("step", *files, "-q")
    assert [line.split()[0] for line in result.stdout.splitlines()[-2:]] == ["s.svg", "a.gif"]
    again = run("step", *files)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "s.svg exists already; --overwrite replaces it" in again.stderr
    assert run("step", *files, "--overwrite").exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"s.svg", "a.gif"}


def test_a_worksheet_has_its_key_beside_it(run: Run, tmp_path: Path) -> None:
    assert run("step", "--blank", "--key", "--figure", "sheet.png").exit_code == 0
    blank, key = (tmp_path / name for name in ("sheet.png", "sheet.key.png"))
    with Image.open(blank) as first, Image.open(key) as second:
        assert first.size == second.size == (1280, 720)
        assert first.convert("RGB").tobytes() != second.convert("RGB").tobytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--input", "1 2; 3", "-k", "2x2"], "row 1 has 1 number but row 0 has 2"),
        (["--input", "1 x", "-k", "1"], "'x' is not a number"),
        (["--input", "1 2; 3 4", "-k", "3x3"], "raise the padding or take a smaller kernel"),
        (["--position", "9,9"], "row 9, column 9 is not in the output, which is 3x3"),
        (["--position", "-1,0"], "is not ROW,COL"),
        (["--blank", "--gif", "a.gif"], "--gif shows them; choose one, or add --key"),
        (["--position", "1,1", "--webp", "a.webp"], "--webp shows every position; --figure is"),
        (["--shift", "0"], "moves nothing"),
        (["--visits", "--reach", "2"], "choose one"),
        (["--visits", "--gif", "a.gif"], "--gif shows windows, and --visits shows none"),
        (["--gif", "a.mp4"], "the name must end in .gif"),
        (["--figure", "a.pdf"], "the name must end in .png or .svg"),
        (["--then", "maxpool:k9"], "layer 1 after the convolution, maxpool:k9"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_sentence(run: Run, arguments: list[str], told: str) -> None:
    result = run("step", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_large_image_needs_a_part(run: Run, samples: Path) -> None:
    result = run("step", samples / "coffee.png", "-k", "box")
    assert result.exit_code == 2
    assert "take a part: --region 200,300,8x8, or one window: --at 200,300" in result.stderr
    beyond = run("step", samples / "coffee.png", "-k", "box", "--region", "399,0,4x4")
    assert "reaches beyond the image" in beyond.stderr


PAGE = (ROOT / "docs" / "step.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n\$ cnnviz (.*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("line", "shown"), BLOCKS, ids=[line[:60] for line, _ in BLOCKS])
def test_the_page_shows_what_is_printed(run: Run, line: str, shown: str) -> None:
    assert run(*shlex.split(line)).output == shown


def test_the_pages_python_says_what_is_so() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    claims = re.findall(r"^(worked.*?)  # (.*)$", code, re.MULTILINE)
    assert len(claims) == 3
    for expression, value in claims:
        assert eval(expression, names) == eval(value), expression


def test_several_maps_are_all_drawn(run: Run, tmp_path: Path) -> None:
    run("step", *THREE, "--figure", "all.svg")
    run("step", *THREE, "--figure", "one.svg", "--position", "0,0")
    seen = [(tmp_path / name).read_text() for name in ("all.svg", "one.svg")]
    assert [">68<" in text for text in seen] == [True, False]
    assert ["row 0, column 0" in text for text in seen] == [False, True]


def test_the_pages_pictures_exist() -> None:
    pictures = re.findall(r"\]\((pictures/[^)]+)\)", PAGE)
    assert len(pictures) == 8
    assert [name for name in pictures if not (ROOT / "docs" / name).exists()] == []


def test_colours_are_for_terminals_that_want_them(samples: Path) -> None:
    program = (
        "import sys; from cnnviz.cli.main import cli; cli(['step', '--position', '0,0'], color={})"
    )
    for color, seen in (("True", True), ("None", False)):
        done = subprocess.run(
            [sys.executable, "-c", program.format(color)], capture_output=True, check=True
        )
        assert (b"\x1b[" in done.stdout) == seen
