"""Puts into the console blocks of pages what their commands print; tests compare it.

Run in the checkout: python docs/fill_console_blocks.py docs/lessons/*.md
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

from cnnviz.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def printed(line: str) -> str:
    """What a command prints, in an empty folder that has the samples."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "samples").symlink_to(ROOT / "samples")
        os.chdir(folder)
        result = CliRunner().invoke(cli, shlex.split(line))
        os.chdir(ROOT)
    if result.exit_code:
        raise SystemExit(f"cnnviz {line}\n{result.output}")
    return result.output


def filled(block: re.Match[str]) -> str:
    """The block with every command followed by what it prints."""
    lines = re.findall(r"^\$ cnnviz (.*)$", block[1], re.MULTILINE)
    shown = "".join(f"$ cnnviz {line}\n{printed(line)}" for line in lines)
    return f"```console\n{shown}```" if lines else block[0]


def main() -> None:
    """Rewrite the pages that are named."""
    os.environ["LC_ALL"] = "C.UTF-8"
    for page in map(Path, sys.argv[1:]):
        text = page.resolve().read_text(encoding="utf-8")
        page.resolve().write_text(BLOCK.sub(filled, text), encoding="utf-8")


if __name__ == "__main__":
    main()
