"""``cnnviz kernels``."""

import json
from pathlib import Path

from cnnviz.kernels import kernel_names
from tests.conftest import Run


def test_list_has_a_line_per_kernel(run: Run) -> None:
    lines = run("kernels").stdout.splitlines()
    assert [line.split()[0] for line in lines] == kernel_names()
    assert run("kernels", "list", "-q").stdout.split() == kernel_names()


def test_show_prints_rows_divisor_and_sum(run: Run) -> None:
    lines = run("kernels", "show", "gaussian").stdout.splitlines()
    assert lines[2:6] == ["  1  2  1", "  2  4  2  / 16", "  1  2  1", ""]
    assert "sum 1" in lines


def test_show_puts_the_parts_of_a_magnitude_beside_each_other(run: Run) -> None:
    lines = run("kernels", "show", "sobel").stdout.splitlines()
    assert lines[2:6] == [
        "  -1   0   1     -1  -2  -1",
        "  -2   0   2      0   0   0",
        "  -1   0   1      1   2   1",
        "",
    ]
    assert lines[6] == "sqrt(sobel_x^2 + sobel_y^2)"
    document = json.loads(run("kernels", "show", "sobel", "--json").stdout)
    assert [part["name"] for part in document["magnitude"]] == ["sobel_x", "sobel_y"]


def test_json_of_one_and_all(run: Run) -> None:
    one = json.loads(run("kernels", "show", "emboss_gray", "--json").stdout)
    assert (one["offset"], one["sum"]) == (128, 0)
    everything = json.loads(run("kernels", "list", "--json").stdout)["kernels"]
    assert one in everything


def test_check_accepts_a_kernel_and_names_a_fault(run: Run, samples: Path, tmp_path: Path) -> None:
    good = run("kernels", "check", samples / "ridge.json")
    assert good.exit_code == 0
    assert "a 5x3 kernel called ridge, sum 0" in good.stdout
    (tmp_path / "bad.json").write_text('[[1, 2], [3, "x"]]')
    bad = run("kernels", "check", "bad.json")
    assert bad.exit_code == 2
    assert bad.stderr == 'Error: bad.json: weight in row 2, column 2 is "x", not a number\n'


def test_show_says_symmetry_and_factors(run: Run) -> None:
    lines = run("kernels", "show", "sobel_x").stdout.splitlines()
    assert lines[6:9] == [
        "sum 0",
        "symmetry: same with up and down exchanged; negated with left and right exchanged",
        "separable: column (1 2 1) × row (-1 0 1)",
    ]
    found = json.loads(run("kernels", "show", "gaussian", "--json").stdout)
    assert found["separable"] == {"column": [1, 2, 1], "row": [1, 2, 1], "divisor": "16"}
    assert found["rank"] == 1


def test_figure_and_gallery_are_written_once(run: Run, samples: Path, tmp_path: Path) -> None:
    assert run("kernels", "show", "box", "--figure", "box.svg").exit_code == 0
    assert (tmp_path / "box.svg").read_text().startswith("<?xml")
    again = run("kernels", "show", "box", "--figure", "box.svg")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "box.svg exists already; --overwrite replaces it" in again.stderr
    image = samples / "bag.png"
    drawn = run("kernels", "list", "-q", "--gallery", "all.png", "--image", image)
    assert (drawn.exit_code, drawn.stderr) == (0, "")
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    wrong = run("kernels", "list", "--image", image)
    assert (wrong.exit_code, "is for --gallery FILE" in wrong.stderr) == (2, True)
