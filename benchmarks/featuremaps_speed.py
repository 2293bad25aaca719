"""What ``cnnviz featuremaps`` costs beside the network alone: seconds and memory.

    python benchmarks/featuremaps_speed.py [--runs 3] [--only capture|batches|command|memory]

Four tables. The forward pass with every layer captured, copied and dropped, beside the bare one,
in one process in turn. The whole command with ``--layers all`` beside the least that it could be:
imports, the network with random weights, one forward pass, and OpenCV's encoding of the same PNG
files. The peak of memory beside the sum of all maps, and beside the network alone. And the bare
forward pass of eight images one by one and as a batch. For Linux.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PHOTO = HERE.parent / "samples" / "chelsea.png"
MIB = 1024
SINGLE = 4  # bytes of a float32


def print_row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def capture_table(runs: int) -> None:
    """The forward pass bare, listened to, and with all maps copied."""
    import torch

    from cnnviz.capturing import run_and_capture
    from cnnviz.models.sources.torchvision import load_torchvision

    print_row("224x224", "bare, s", "listening", "of bare", "copying all maps", "of bare")
    print_row(*["---"] * 6)
    for name in ("resnet50", "vgg16"):
        model = getattr(load_torchvision().models, name)(weights=None).eval()
        image = torch.rand(1, 3, 224, 224)

        def dropped(*_: object) -> None:
            """Nothing is kept."""

        def bare(model: Any = model, image: Any = image) -> None:
            with torch.inference_mode():
                model(image)

        def listening(model: Any = model, image: Any = image) -> None:
            run_and_capture(model, image, wants=lambda _: False, receive=dropped)

        def copying(model: Any = model, image: Any = image) -> None:
            run_and_capture(model, image, receive=dropped)

        times: dict[Callable[[], None], list[float]] = {bare: [], listening: [], copying: []}
        for turn in range(runs + 1):
            for work, taken in times.items():
                seconds = seconds_of(work)
                if turn:  # the first warms up
                    taken.append(seconds)
        first, *others = (statistics.median(taken) for taken in times.values())
        cells = [cell for one in others for cell in (f"{one:.3f}", f"{one / first:.2f}")]
        print_row(name, f"{first:.3f}", *cells)
    print()


def batch_table(runs: int) -> None:
    """Eight images one by one and as one batch, and whether the outputs are the same."""
    import torch

    from cnnviz.models.sources.torchvision import load_torchvision

    print_row("224x224", "one by one, s", "batch of 8, s", "times as fast", "equal outputs")
    print_row(*["---"] * 5)
    for name in ("resnet18", "resnet50", "vgg16"):
        model = getattr(load_torchvision().models, name)(weights=None).eval()
        images = torch.rand(8, 3, 224, 224)

        def alone(model: Any = model, images: Any = images) -> Any:
            return torch.cat([model(image[None]) for image in images])

        def together(model: Any = model, images: Any = images) -> Any:
            return model(images)

        with torch.inference_mode():
            same = torch.equal(alone(), together())  # the first run warms up
            pairs = [(seconds_of(alone), seconds_of(together)) for _ in range(runs)]
        one, eight = (statistics.median(times) for times in zip(*pairs, strict=True))
        print_row(name, f"{one:.2f}", f"{eight:.2f}", f"{one / eight:.2f}", "yes" if same else "no")
    print()


def run_command(model: str, folder: Path, *options: str) -> tuple[float, float, float]:
    """Wall seconds, peak MiB, and the sum of all maps in MiB of one run of the command."""
    command = [sys.executable, "-m", "cnnviz", "featuremaps", str(PHOTO), "--model", model]
    command += ["--weights", "random", "--layers", "all", "-q", "-o", str(folder), *options]
    start = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(command[0], command, os.environ, file_actions=silent)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    layers = json.loads((folder / "manifest.json").read_text("utf-8"))["layers"]
    sizes = [layer["shape"] for layer in layers if layer["status"] == "captured"]
    values = sum(SINGLE * product(size) for size in sizes)
    return seconds, usage.ru_maxrss / MIB, values / MIB**2


def product(size: list[int]) -> int:
    total = 1
    for side in size:
        total *= side
    return total


def run_bare(model: str, side: int, *folder: str) -> dict[str, Any]:
    script = str(HERE / "peers" / "bare_forward.py")
    command = [sys.executable, script, model, str(side), *folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def command_table(runs: int) -> None:
    """The whole command beside its parts."""
    print_row("", "cnnviz, s", "imports", "network", "forward", "encoding", "sum", "cnnviz of sum")
    print_row(*["---"] * 8)
    for name in ("vgg16", "resnet50"):
        ours: list[float] = []
        theirs: list[dict[str, float]] = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as parent:
                folder = Path(parent) / "maps"
                ours.append(run_command(name, folder)[0])
                theirs.append(run_bare(name, 224, str(folder))["seconds"])
        parts = [statistics.median(one[part] for one in theirs) for part in theirs[0]]
        mean, total = statistics.median(ours), sum(parts)
        cells = (f"{part:.2f}" for part in parts)
        print_row(name, f"{mean:.2f}", *cells, f"{total:.2f}", f"{mean / total:.2f}")
    print()


def memory_table() -> None:
    """Peaks beside the sum of all maps."""
    print_row(
        "resnet50", "sum of all maps, MiB", "network alone, peak", "cnnviz, peak", "beyond it"
    )
    print_row(*["---"] * 5)
    for side in (224, 1024):
        with tempfile.TemporaryDirectory() as parent:
            size = f"{side}x{side}"
            _, peak, total = run_command("resnet50", Path(parent) / "maps", "--size", size)
        alone = run_bare("resnet50", side)["peak"]
        print_row(size, *(f"{value:.0f}" for value in (total, alone, peak, peak - alone)))
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=["capture", "batches", "command", "memory"])
    options = parser.parse_args()
    if options.only in (None, "command"):  # the largest process first: memory is inherited
        command_table(options.runs)
    if options.only in (None, "memory"):
        memory_table()
    if options.only in (None, "batches"):
        batch_table(options.runs)
    if options.only in (None, "capture"):
        capture_table(options.runs)


if __name__ == "__main__":
    main()
