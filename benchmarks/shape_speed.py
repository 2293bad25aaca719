"""How long `cnnviz shape` takes beside the least that a Click command can take.

    python benchmarks/shape_speed.py [--runs 25]

Whole processes in turn: an empty Python, `import click`, `cnnviz shape` for one layer, for a chain,
and with the working shown. Python must find compiled modules, as it does where pip has installed
them; in a checkout, run `python -m compileall -q cnnviz` first.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

CNNVIZ = str(Path(sys.executable).with_name("cnnviz"))
CHAIN = "conv:64,k7,s2,p3 bn relu maxpool:k3,s2,p1 conv:64,k3,p1@2 gap flatten linear:10"
BASE = "import click"
COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    BASE: [sys.executable, "-c", "import click"],
    "cnnviz shape, one layer": [CNNVIZ, "shape", "300x400", "-k3", "-p1", "-s2"],
    "cnnviz shape, a chain": [CNNVIZ, "shape", "3x224x224", CHAIN],
    "cnnviz shape --explain": [CNNVIZ, "shape", "3x224x224", CHAIN, "--explain"],
    "cnnviz shape --json": [CNNVIZ, "shape", "300x400", "-k3", "-p1", "-s2", "--json"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    silent = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    process = os.posix_spawn(command[0], command, os.environ, file_actions=[silent])
    if os.waitpid(process, 0)[1]:
        raise SystemExit(f"failed: {command}")
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=25)
    runs = parser.parse_args().runs
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(runs + 1):
        for name, command in COMMANDS.items():
            took = seconds(command)
            if number:  # the first round warms the caches
                times[name].append(took)
    base = statistics.median(times[BASE])
    print(f"|  | milliseconds | of {BASE} |\n| --- | --- | --- |")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"| {name} | {median * 1000:.0f} | {median / base:.2f} |")


if __name__ == "__main__":
    main()
