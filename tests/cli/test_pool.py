"""``cnnviz pool``: lines, JSON, files, batches, refusals; matrices and their numbers."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from cnnviz import engines
from cnnviz.engines import Pool
from tests.albums import NAMES, contents
from tests.conftest import ROOT, Run

EXAMPLE = "8 10 12 14; 18 20 22 24; 28 30 32 34; 38 40 42 44"


def pixels_of(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


def test_a_result_is_written_and_said_in_a_line(run: Run, samples: Path, tmp_path: Path) -> None:
    result = run("pool", samples / "coffee.png", "--mode", "max", "-k2", "-s2")
    assert result.exit_code == 0
    assert result.stdout == (
        f"{samples / 'coffee.png'} × maxpool:k2,s2 → coffee.maxpool_k2_s2.png  200x300"
        "  verified: identical on 180,000 values  display: clip of 0 to 255\n"
    )
    source = pixels_of(samples / "coffee.png")
    written = pixels_of(tmp_path / "coffee.maxpool_k2_s2.png")
    assert np.array_equal(written, source.reshape(200, 2, 300, 2, 3).max(axis=(1, 3)))


def test_json_has_the_keys_of_filter(run: Run, samples: Path) -> None:
    pooled = json.loads(run("pool", samples / "bag.png", "-m", "avg,min", "--json").stdout)
    filtered = json.loads(run("filter", samples / "bag.png", "-k", "box", "--json").stdout)
    assert [set(each) for each in pooled["results"]] == [set(filtered["results"][0])] * 2
    first = pooled["results"][0]
    names = ("kernel", "size", "channels", "border", "padding", "stride", "precision", "verified")
    assert [first[name] for name in names] == [
        *("avgpool:k2,s2", [14, 14], 1, "zeros", [0, 0], [2, 2], "float32", True),
    ]
    assert (first["exact"], first["tolerance"], first["values"]) == (True, 0.0, 196)


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("max", "  20 24\n  40 44\n"),
        ("avg", "  14 18\n  34 38\n"),
        ("min", "   8 12\n  28 32\n"),
    ],
)
def test_a_matrix_is_pooled_and_printed(run: Run, mode: str, rows: str) -> None:
    result = run("pool", "--input", EXAMPLE, "--mode", mode, "-k2", "-s2", "-q")
    assert (result.exit_code, result.stdout, result.stderr) == (0, rows, "")


def test_the_example_of_the_docs_prints_what_they_show(run: Run) -> None:
    page = (ROOT / "docs" / "pool.md").read_text(encoding="utf-8")
    (line, shown) = re.findall(r"```console\n\$ cnnviz ([^\n]*)\n(.*?)```", page, re.DOTALL)[0]
    result = run(*shlex.split(line))
    assert (result.exit_code, result.stdout) == (0, shown)


def test_several_pools_of_a_matrix_of_two_channels(run: Run) -> None:
    result = run("pool", "--input", "1 2; 3 4 | 5 6; 7 9", "-m", "max,avg")
    assert result.stdout == (
        "2x2 × maxpool:k2,s2 → 1x1  verified: identical on 2 values\n  4\n\n  9\n"
        "2x2 × avgpool:k2,s2 → 1x1  verified: identical on 2 values\n  2.5\n\n  6.75\n"
    )
    found = json.loads(run("pool", "--input", "1 2; 3 4 | 5 6; 7 9", "--json").stdout)
    assert [each["result"] for each in found["results"]] == [[[[4]], [[9]]]]


def test_a_root_that_is_no_number_is_null_in_json(run: Run) -> None:
    command = ("pool", "--input", "-1 -2; -3 -4", "-m", "lp", "--p", "3")
    assert run(*command).stdout.endswith("torch alone\n  nan\n")
    (found,) = json.loads(run(*command, "--json").stdout)["results"]
    assert (found["result"], found["verified"]) == ([[None]], None)


def test_16_bits_and_floats_keep_their_depth(run: Run, tmp_path: Path) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (8, 8), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "deep.tif", deep)
    tifffile.imwrite(tmp_path / "fine.tif", deep.astype(np.float64) / 65535)
    found = run("pool", "deep.tif", "fine.tif", "-o", "out/", "--raw", "out/", "--json")
    assert [each["precision"] for each in json.loads(found.stdout)["results"]] == [
        "float32",
        "float64",
    ]
    largest = deep.reshape(4, 2, 4, 2).max(axis=(1, 3))
    written = pixels_of(tmp_path / "out/deep.maxpool_k2_s2.png")
    assert np.array_equal(written, largest)
    raw = np.load(tmp_path / "out/fine.maxpool_k2_s2.npy")
    assert np.array_equal(raw, largest / 65535)


@pytest.mark.usefixtures("photos")
def test_a_folder_is_pooled_once_and_taken_up_again(run: Run) -> None:
    command = ("pool", "in", "-r", "-m", "max,avg", "-o", "out/")
    assert run(*command).exit_code == 0
    before = contents("out")
    assert len(before) == 2 * len(NAMES)
    assert "deep/e.maxpool_k2_s2.png" in before
    again = run(*command, "--resume")
    assert again.exit_code == 0
    assert [line.split("  ")[1] for line in again.stdout.splitlines()] == ["done before"] * 10
    other = run("pool", "in", "-r", "-m", "max,avg", "-o", "out/", "--resume", "-k3")
    assert (other.exit_code, len(contents("out"))) == (0, 4 * len(NAMES))
    assert run(*command).exit_code == 2  # they exist


@pytest.mark.usefixtures("photos")
def test_results_are_not_pooled_again_but_those_of_filter_are(run: Run) -> None:
    run("pool", "in", "-o", "in/")
    run("filter", "in/a.png", "-k", "box", "-o", "in/")
    lines = run("pool", "in", "-m", "avg", "-o", "out/").stdout.splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        *(f"in/{name}.png" for name in ("a.box", "a", "b", "c", "d")),
    ]


def test_an_engine_that_is_wrong_ends_in_exit_code_3(
    run: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engines.load("opencv")
    right = engine.pool

    def wrong(image: np.ndarray, how: Pool) -> np.ndarray:
        result = right(image, how).copy()
        result[30, 20, 1] += 1
        return result

    monkeypatch.setattr(engine, "pool", wrong)
    result = run("pool", samples / "coffee.png")
    assert result.exit_code == 3
    assert "the engines disagree at row 30, column 20, channel 1: opencv" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_lp_is_verified_for_1_and_2_alone(run: Run, samples: Path) -> None:
    for p, verified in (("1", True), ("2", True), ("3", None), ("0.5", None)):
        command = ("pool", samples / "bag.png", "-m", "lp", "--p", p, "--json")
        (found,) = json.loads(run(*command).stdout)["results"]
        assert (found["verified"], found["display"]) == (verified, "minmax")


def test_a_figure_shows_both_results(run: Run, samples: Path, tmp_path: Path) -> None:
    result = run("pool", samples / "digit_7.png", "-m", "avg", "--figure", "seven.svg")
    assert result.exit_code == 0
    drawn = (tmp_path / "seven.svg").read_text()
    assert drawn.startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "or give a matrix with --input"),
        ("a.png --input 1", "one of these"),
        ("a.png -m median", "'median' is no pool; there are max, avg, min, lp"),
        ("a.png -m avg -d2", "avg pooling has no dilation, as in torch"),
        ("a.png --global -k3", "leave --kernel-size 3x3 out"),
        ("a.png --global -s3", "global pooling is one window"),
        ("a.png -m lp --p 0", "'0' is not a number above 0"),
        ("--input 1 -o x.png", "--output is for images"),
        ("--input 1;2,x", "row 1: 'x' is not a number"),
        ("--input 1 -k2", "height: kernel spans 2 px but the padded input is 1 px"),
        ("a.png -m lp --p 3 --engine opencv", "OpenCV has lp pooling for p = 1 and 2, not 3"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    run: Run, samples: Path, tmp_path: Path, arguments: str, message: str
) -> None:
    (tmp_path / "a.png").write_bytes((samples / "bag.png").read_bytes())
    result = run("pool", *arguments.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("given", [("m.csv",), ("--input", "m.csv")], ids=["file", "option"])
def test_a_csv_file_is_a_matrix(run: Run, tmp_path: Path, given: tuple[str, ...]) -> None:
    (tmp_path / "m.csv").write_text("1,2,3\n4,5,6\n7,8,9\n\n0,0,0\n0,1,0\n0,0,0\n")
    said = run("pool", *given, "-k2", "-s1", "-q")
    assert said.exit_code == 0
    assert said.stdout == "  5 6\n  8 9\n\n  1 1\n  1 1\n"


def test_a_csv_file_is_pooled_alone_and_writes_nothing(
    run: Run, samples: Path, tmp_path: Path
) -> None:
    (tmp_path / "m.csv").write_text("1,2\n3,4\n")
    assert run("pool", "m.csv", samples / "bag.png").exit_code == 2
    assert run("pool", "m.csv", "-o", "x.png").exit_code == 2
    assert run("pool", "none.csv").exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]


def test_channels_are_put_together(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("1,2\n3,4\n")
    for given in (
        ("--input", "1 2; 3 4", "--input", "5 6; 7 9"),
        ("--input", "1 2; 3 4 | 5 6; 7 9"),
    ):
        assert run("pool", *given, "-q").stdout == "  4\n\n  9\n"
    assert run("pool", "--input", "m.csv", "--input", "5 6; 7 9", "-q").stdout == "  4\n\n  9\n"
    refused = run("pool", "--input", "1 2; 3 4", "--input", "1")
    assert refused.exit_code == 2


def test_one_value_is_one(run: Run) -> None:
    assert "identical on 1 value\n" in run("pool", "--input", "1 2; 3 4").stdout
