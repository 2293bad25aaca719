"""The lessons' console blocks print what the pages show; the glossary's commands run."""

import re
import shlex
from pathlib import Path

import pytest

from cnnviz.language.korean import TEXTS
from tests.conftest import ROOT, Run

PAGES = sorted((ROOT / "docs" / "lessons").glob("*.md"))
GLOSSARY = ROOT / "docs" / "glossary.md"


def commands() -> list[tuple[str, str, str]]:
    """Each ``$ cnnviz …`` line of the lessons' blocks with its page and the text after it."""
    return [
        (page.stem, match[1], match[2])
        for page in PAGES
        for block in re.findall(
            r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        for match in re.finditer(r"^\$ cnnviz (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def terms() -> list[list[str]]:
    """The cells of the glossary's rows: English, Korean, meaning in both, command."""
    rows = re.findall(
        r"^\| (?!English)(.*) \|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [re.split(r"(?<!\\) ?\| ", row) for row in rows]


@pytest.mark.parametrize(
    ("line", "shown"),
    [pytest.param(line, shown, id=f"{page}: {line}") for page, line, shown in commands()],
)
def test_lesson_prints_what_is_shown(
    run: Run, samples: Path, tmp_path: Path, line: str, shown: str
) -> None:
    (tmp_path / "samples").symlink_to(samples)
    result = run(*shlex.split(line))
    assert result.exit_code == 0
    assert result.output == shown


@pytest.mark.parametrize("page", [*PAGES, GLOSSARY], ids=lambda page: page.stem)
def test_pictures_and_pages_of_a_page_exist(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_lesson_is_listed_and_has_examples() -> None:
    contents = (ROOT / "docs" / "lessons" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\d\. \[.*?\]\((.*?)\)", contents, re.MULTILINE)
    assert listed == [page.name for page in PAGES if page.name != "README.md"]
    assert {page for page, _, _ in commands()} == {name.removesuffix(".md") for name in listed}


@pytest.mark.parametrize("row", terms(), ids=lambda row: row[0])
def test_command_of_a_term_runs(run: Run, samples: Path, tmp_path: Path, row: list[str]) -> None:
    english, korean, meaning, told, command = row
    assert all(re.search("[가-힣]", text) for text in (korean, told))
    assert meaning.endswith(".")
    assert told.endswith("다.")
    (tmp_path / "samples").symlink_to(samples)
    found = re.fullmatch(r"`cnnviz (.*)`", command.replace("\\|", "|"))
    assert found is not None, english
    result = run(*shlex.split(found[1]))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("receptive field", "수용 영역"),
        ("stride", "스트라이드"),
        ("padding", "패딩"),
        ("dilation", "팽창"),
        ("kernel", "커널"),
    ],
)
def test_glossary_and_program_say_the_same(english: str, korean: str) -> None:
    assert TEXTS[english] == korean
    assert korean in {row[1] for row in terms() if row[0] == english}
