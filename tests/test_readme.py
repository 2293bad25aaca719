"""README's console blocks are run, and print what README says; its Python runs too."""

import re
import shlex
from pathlib import Path

import pytest

from cnnviz.cli.main import COMMANDS
from cnnviz.models.known import known_models
from tests.conftest import ROOT, Run

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Each ``$ cnnviz …`` line with the text that follows it."""
    return [
        (match[1], match[2])
        for block in blocks("console")
        for match in re.finditer(r"^\$ cnnviz (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


@pytest.mark.parametrize(("line", "shown"), commands(), ids=[line for line, _ in commands()])
def test_console_block_prints_what_is_shown(
    run: Run, samples: Path, tmp_path: Path, line: str, shown: str
) -> None:
    (tmp_path / "samples").symlink_to(samples)
    result = run(*shlex.split(line))
    assert result.exit_code == 0
    assert result.output == shown


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"doctor"}))
def test_every_command_appears(command: str) -> None:
    assert any(line.startswith(f"{command} ") for line, _ in commands())


def test_python_block_runs_and_its_comments_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(code, names)
    claims = re.findall(r"^(\S.*?)\s+# (True|\(.*?\)|\d+)", code, re.MULTILINE)
    assert len(claims) == 4
    for expression, value in claims:
        assert eval(expression, names) == eval(value), expression


def test_pictures_and_pages_exist() -> None:
    targets = re.findall(r"\]\(([^)#]+)", README)
    assert len(targets) > 8
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_number_of_kernels_is_true() -> None:
    (count,) = re.findall(r"^(\d+) kernels ship", README, re.MULTILINE)
    assert int(count) == len(list((ROOT / "kernels").glob("*.json")))


def test_number_of_torchvisions_models_is_true() -> None:
    (count,) = re.findall(r"all (\d+) of torchvision", README)
    homes = [model.home for model in known_models().values()]
    assert int(count) == homes.count("torchvision")
