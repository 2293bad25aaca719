"""``cnnviz filter --resume``: what is done stays, all else is made, nothing foreign replaced."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnviz import engines
from cnnviz.record import RECORD
from tests.albums import NAMES, contents, noise
from tests.conftest import ROOT, Run

pytestmark = pytest.mark.usefixtures("photos")


def stems(results: list[dict[str, Any]]) -> set[str]:
    return {Path(result["input"]).stem for result in results}


def nothing() -> None:
    pass


def change_input() -> None:
    noise(99, 30, 20).save("in/a.png")


def touch_input() -> None:
    os.utime("in/a.png", (0, 0))


def edit_output() -> None:
    with Path("out/a.k.png").open("ab") as file:
        file.write(b"\0")


def delete_output() -> None:
    Path("out/a.k.png").unlink()


def swap_output() -> None:
    shutil.copy("out/b.k.png", "out/a.k.png")


def change_kernel() -> None:
    Path("k.json").write_text("[[1, 0, -2]]")


def divide_kernel() -> None:
    Path("k.json").write_text('{"weights": [[1, 0, -1]], "divisor": 3}')


COMMAND = ("filter", "in", "-r", "-k", "k.json")


@pytest.mark.parametrize(
    ("change", "options", "again"),
    [
        pytest.param(nothing, "", "", id="nothing"),
        pytest.param(nothing, "-j 3", "", id="jobs"),
        pytest.param(nothing, "-q --overwrite", "", id="overwrite"),
        pytest.param(touch_input, "", "", id="time of an input"),
        pytest.param(change_input, "", "a", id="an input"),
        pytest.param(edit_output, "", "a", id="output edited"),
        pytest.param(delete_output, "", "a", id="output deleted"),
        pytest.param(swap_output, "", "a", id="output swapped"),
        pytest.param(change_kernel, "", "abcde", id="weights"),
        pytest.param(divide_kernel, "", "abcde", id="divisor"),
        pytest.param(nothing, "--raw out/", "abcde", id="raw"),
        *(
            pytest.param(nothing, options, "abcde", id=options)
            for options in (
                *("--border zeros", "--padding 2", "--stride 2", "--dilation 2", "--flip"),
                *("--channels gray", "--display offset", "--precision float64"),
                *("--engine opencv", "--compression small"),
            )
        ),
    ],
)
def test_what_is_done_is_known_by_content(
    run: Run, change: Callable[[], None], options: str, again: str
) -> None:
    assert run(*COMMAND, "-o", "out/").exit_code == 0
    change()
    result = run(*COMMAND, "-o", "out/", "--resume", "--json", *options.split())
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert list(document) == ["results", "skipped", "failures"]
    assert stems(document["results"]) == set(again)
    assert stems(document["skipped"]) == set(NAMES) - set(again)
    fresh = options.replace("out/", "fresh/").split()
    assert run(*COMMAND, "-o", "fresh/", *fresh).exit_code == 0
    assert contents("out") == contents("fresh")


def test_quality_is_part_of_what_is_done(run: Run) -> None:
    command = (*COMMAND, "-o", "out/", "--format", "jpg", "--resume")
    made = [
        len(json.loads(run(*command, "--json", "--quality", quality).stdout)["results"])
        for quality in (50, 50, 60)
    ]
    assert made == [5, 0, 5]


def test_a_line_says_what_was_done_before(run: Run) -> None:
    run(*COMMAND, "-o", "out/")
    delete_output()
    lines = run(*COMMAND, "-o", "out/", "--resume").stdout.splitlines()
    assert "verified: identical" in lines[0]
    assert lines[1] == "in/b.png × k → out/b.k.png  done before"
    assert len(lines) == 5


def test_what_failed_is_tried_again(run: Run, photos: Path) -> None:
    (photos / "b.png").write_text("no image")
    assert run(*COMMAND, "-o", "out/").exit_code == 1
    noise(1, 9, 9).save(photos / "b.png")
    result = run(*COMMAND, "-o", "out/", "--resume", "--json")
    assert result.exit_code == 0
    assert stems(json.loads(result.stdout)["results"]) == {"b"}


def test_a_moved_folder_is_taken_up_where_it_is(run: Run, tmp_path: Path) -> None:
    run(*COMMAND, "-o", "out/")
    (tmp_path / "elsewhere").mkdir()
    for name in ("in", "out", "k.json"):
        shutil.move(name, "elsewhere")
    os.chdir("elsewhere")
    result = run(*COMMAND, "-o", tmp_path / "elsewhere" / "out", "--resume", "--json")
    assert len(json.loads(result.stdout)["skipped"]) == 5


def test_a_batch_beside_it_in_the_folder_stays_done(run: Run) -> None:
    run(*COMMAND, "-o", "out/")
    run("filter", "in", "-r", "-k", "box", "-o", "out/")
    result = run(*COMMAND, "-k", "box", "-o", "out/", "--resume", "--json")
    assert len(json.loads(result.stdout)["skipped"]) == 10


def test_without_it_all_is_made_again(run: Run) -> None:
    run(*COMMAND, "-o", "out/")
    result = run(*COMMAND, "-o", "out/", "--overwrite", "--json")
    assert len(json.loads(result.stdout)["results"]) == 5


def test_what_the_engines_disagreed_on_is_tried_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (*COMMAND, "-o", "out/", "--resume", "--json")
    run(*command)
    torch = engines.load("torch")
    right = torch.correlate
    with monkeypatch.context() as patch:
        patch.setattr(torch, "correlate", lambda *arguments: right(*arguments) + 1)
        assert run(*command, "--flip").exit_code == 3
    assert len(json.loads(run(*command, "--flip").stdout)["results"]) == 5


def test_existing_results_are_refused_without_it(run: Run) -> None:
    run(*COMMAND, "-o", "out/")
    before = contents("out")
    result = run(*COMMAND, "-o", "out/")
    assert result.exit_code == 2
    assert "out/a.k.png exists already; --overwrite replaces it" in result.stderr
    assert contents("out") == before


def test_a_file_that_is_not_ours_is_refused_unless_overwritten(run: Run) -> None:
    Path("out").mkdir()
    Path("out/c.k.png").write_bytes(b"not ours")
    result = run(*COMMAND, "-o", "out/", "--resume")
    assert result.exit_code == 2
    assert "out/c.k.png exists already; --overwrite replaces it" in result.stderr
    assert contents("out") == {"c.k.png": b"not ours"}
    assert not Path("out", RECORD).exists()
    assert run(*COMMAND, "-o", "out/", "--resume", "--overwrite").exit_code == 0
    assert len(contents("out")) == 5


def test_a_file_that_is_no_record_is_refused(run: Run) -> None:
    Path("out").mkdir()
    Path("out", RECORD).write_text('{"mine": 1}')
    for resume in ([], ["--resume"]):
        result = run(*COMMAND, "-o", "out/", *resume)
        assert result.exit_code == 2
        assert result.stderr == (
            f"Error: out/{RECORD} is not a record of this tool; move it away\n"
        )
    assert contents("out") == {}
    assert Path("out", RECORD).read_text() == '{"mine": 1}'


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        pytest.param("in/a.png -k box,sobel_x -o out/", None, id="one image"),
        pytest.param("in/a.png -k box -o out/x.png --resume", "out", id="one, resumed"),
        pytest.param("in -k box -o out/", "out", id="batch"),
        pytest.param("in -k box -o out", "out", id="batch in a new folder"),
        pytest.param("nested -r -k box -o out", "out", id="batch of sub-folders alone"),
        pytest.param("in -k box", ".", id="batch in the current folder"),
    ],
)
def test_the_record_is_written_for_batches(
    run: Run, tmp_path: Path, arguments: str, where: str | None
) -> None:
    shutil.copytree("in", "nested/in")
    assert run("filter", *arguments.split()).exit_code == 0
    found = [path.parent for path in tmp_path.rglob(RECORD)]
    assert found == ([] if where is None else [tmp_path / where])


def test_odd_file_names_are_taken_up_again(run: Run, photos: Path) -> None:
    for number, name in enumerate((b"\xff.png", rb"\xff.png", b"new\nline.png", b"a b.png")):
        noise(number, 5, 5).save(os.fsencode(photos) + b"/" + name, format="png")
    for key, count in (("results", 9), ("skipped", 9)):
        result = run(*COMMAND, "-o", "out/", "--resume", "--json")
        assert result.exit_code == 0, result.stderr
        assert len(json.loads(result.stdout)[key]) == count


def test_standard_output_keeps_nothing(run: Run, tmp_path: Path) -> None:
    result = run("filter", "in/a.png", "-k", "box", "-o", "-", "--resume")
    assert result.exit_code == 2
    assert "--resume finds nothing on standard output" in result.stderr
    assert not (tmp_path / RECORD).exists()


def test_json_has_no_key_for_what_is_skipped_unless_resumed(run: Run, photos: Path) -> None:
    (photos / "b.png").write_text("no image")
    document = json.loads(run("filter", "in", "-k", "box", "-o", "out/", "--json").stdout)
    assert list(document) == ["results", "failures"]
    assert stems(document["results"]) == {"a", "c", "d"}
    (failure,) = document["failures"]
    assert set(failure) == {"input", "error"}
    assert failure["input"] == "in/b.png"


KILLED_BEFORE_IT_IS_RECORDED = """
import os, signal
from cnnviz.record import Record
Record.add = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from cnnviz.cli.main import main
main()
"""


def killed(*options: str) -> None:
    """A run that ends when its first result is written and not recorded yet."""
    words = [sys.executable, "-c", KILLED_BEFORE_IT_IS_RECORDED, *COMMAND, "-o", "out/", "-j", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*words, *options], env=environment, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert contents("out").keys() >= {"a.k.png"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill in that way")
@pytest.mark.parametrize("options", ["", "--raw out/ --figure out/"])
def test_what_was_written_just_before_a_kill_is_completed(run: Run, options: str) -> None:
    killed(*options.split())
    result = run(*COMMAND, "-o", "out/", "--resume", "--json", *options.split())
    assert result.exit_code == 0, result.stderr
    assert run(*COMMAND, "-o", "fresh/", *options.replace("out/", "fresh/").split()).exit_code == 0
    assert contents("out") == contents("fresh")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill in that way")
@pytest.mark.parametrize("own", ["b.k.png", "b.k.npy"])
def test_a_users_own_file_at_a_planned_name_is_left_alone(run: Run, own: str) -> None:
    options = ("--raw", "out/")
    killed(*options)
    Path("out", own).write_bytes(b"not ours")
    result = run(*COMMAND, "-o", "out/", "--resume", *options)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"Error: out/{own} is there, and is not what this makes; move it away, or --overwrite"
        " replaces it",
        "4 of 5 images done, 1 failed",
    ]
    assert Path("out", own).read_bytes() == b"not ours"
    assert not list(Path("out").rglob("*.tmp"))
    again = run(*COMMAND, "-o", "out/", "--resume", *options)
    assert (again.exit_code, Path("out", own).read_bytes()) == (1, b"not ours")
    assert run(*COMMAND, "-o", "out/", "--resume", "--overwrite", *options).exit_code == 0
    assert run(*COMMAND, "-o", "fresh/", "--raw", "fresh/").exit_code == 0
    assert contents("out") == contents("fresh")


def test_what_an_earlier_run_wrote_beside_it_may_be_replaced(run: Run) -> None:
    assert run(*COMMAND, "-o", "out/", "--raw", "out/").exit_code == 0
    assert run(*COMMAND, "-o", "out/", "--resume", "--flip").exit_code == 0
    result = run(*COMMAND, "-o", "out/", "--resume", "--flip", "--raw", "out/")
    assert result.exit_code == 0, result.stderr
    assert run(*COMMAND, "-o", "fresh/", "--flip", "--raw", "fresh/").exit_code == 0
    assert contents("out") == contents("fresh")
