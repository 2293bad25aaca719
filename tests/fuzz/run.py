"""Fuzz one target with atheris, which is not among the development tools.

``pip install atheris``, then ``python -m tests.fuzz.run image -max_total_time=600``; what follows
the target goes to libFuzzer, a folder of starting inputs for example. What is found is written to
the current folder, as ``crash-…``; once it is mended it belongs into ``tests/fuzz/corpus``.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import atheris

# Branches are counted in what is imported here: the readers, and Pillow's and zipfile's Python.
with atheris.instrument_imports():
    from cnnviz.shapes import coverage
    from tests.fuzz.seeds import SEEDS
    from tests.fuzz.targets import TARGETS

LIMITS = ["-timeout=20", "-rss_limit_mb=2048"]
LONGEST = {"image": 6000, "kernel": 2000, "shape": 300, "header": 2000, "pickled": 3000}


def main() -> None:
    """Fuzz the target that the first argument names until libFuzzer is told to stop."""
    name, *rest = sys.argv[1:]
    coverage.MOST_READS = 10_000  # a second's worth takes twenty where branches are counted
    counts = Counter[str]()

    def one(data: bytes) -> None:
        counts["accepted" if TARGETS[name](data) else "refused"] += 1
        total = counts.total()
        if total & (total - 1) == 0:  # now and then; libFuzzer ends the process by itself
            sys.stderr.write(f"{name}: {dict(counts)}\n")

    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(SEEDS[name]()):
            Path(folder, f"seed-{number}").write_bytes(data)
        atheris.Setup([sys.argv[0], *LIMITS, f"-max_len={LONGEST[name]}", *rest, folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
