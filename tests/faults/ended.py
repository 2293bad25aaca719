"""A batch that is ended at random moments, many times, and what was left.

``python -m tests.faults.ended KILL 100`` and ``python -m tests.faults.ended INT,TERM,HUP 100``.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from tests.albums import contents, noise
from tests.conftest import ROOT

IMAGES, RUNS_A_FOLDER, LONGEST = 24, 8, 1.2
COMMAND = [sys.executable, "-m", "cnnviz", "filter", "in", "-k", "box,sobel_x", "--resume", "-o"]
LINE = re.compile(r"(Interrupted|Ended by SIG\w+)(; \d+ of 24 images done(, \d+ not reached)?)?\n")


def ended(names: list[str], count: int, folder: Path) -> Counter[str]:
    """How often the run was ended, and each thing that must not be: all but that should be 0."""
    random, found = np.random.default_rng(0), Counter[str]()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    (folder / "in").mkdir()
    for number in range(IMAGES):
        noise(number, 300, 400).save(folder / "in" / f"{number}.png", compress_level=1)

    def run(out: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, out],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    run("whole/").communicate()
    whole = contents(folder / "whole")
    for number in range(count):
        out = folder / f"out{number // RUNS_A_FOLDER}"
        process = run(f"{out}/")
        time.sleep(random.uniform(0.1, LONGEST))
        which = getattr(signal, f"SIG{names[number % len(names)]}")
        process.send_signal(which)
        _, said = process.communicate(timeout=60)
        code = process.returncode
        found["ended"] += code != 0
        found["wrong code"] += code not in {0, -which, 128 + which}
        found["wrong words"] += not (said == "" if code <= 0 else LINE.fullmatch(said))
        results = contents(out) if out.exists() else {}
        final = {name: data for name, data in results.items() if not name.endswith(".tmp")}
        found["wrong bytes"] += any(whole.get(name) != data for name, data in final.items())
        found["temporaries"] += which != signal.SIGKILL and any(out.glob("*.tmp"))
        if number % RUNS_A_FOLDER == RUNS_A_FOLDER - 1:
            run(f"{out}/").communicate()
            found["not completed"] += contents(out) != whole or any(out.glob("*.tmp"))
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        counts = ended(sys.argv[1].split(","), int(sys.argv[2]), Path(place))
        sys.stdout.write(f"{dict(counts)}\n")
