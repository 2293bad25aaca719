"""What the whole command takes to refuse each hostile image: seconds, and MiB at its peak.

``python -m tests.faults.measured`` prints a line for each, the worst last.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.faults.hostile import READ, REFUSED

# A process's peak begins at that of the one that started it: here a small one.
MEASURE = """
import json, resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, time.monotonic() - start, usage.ru_maxrss / 1024, done.stderr]))
"""


def measured(name: str, folder: Path) -> tuple[int, float, float, str]:
    """Exit code, seconds, MiB and what is said on standard error."""
    command = [sys.executable, "-m", "cnnviz", "filter", name, "-k", "box", "-o", "out/"]
    done = subprocess.run(
        [sys.executable, "-S", "-c", MEASURE, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    code, seconds, mib, said = json.loads(done.stdout)
    return code, seconds, mib, said


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for file, data in {**REFUSED, **READ}.items():
            Path(place, file).write_bytes(data)
        rows = [(file, *measured(file, Path(place))) for file in [*REFUSED, *READ]]
    for file, code, seconds, mib, said in sorted(rows, key=lambda row: row[2]):
        expected = code == (1 if file in REFUSED else 0) and len(said.splitlines()) <= 1
        mark = "" if expected and len(said) < 300 else "  WRONG"
        sys.stdout.write(f"{file:34}{seconds:6.2f} s {mib:5.0f} MiB{mark}  {said[:110].strip()}\n")
    sys.stdout.write(f"{max(row[3] for row in rows):.0f} MiB at most\n")
