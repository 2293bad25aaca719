"""What ``cnnviz filter`` and ``cnnviz pool`` say of a result: a line, or a JSON document."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from cnnviz.cli.options import shown
from cnnviz.language import say
from cnnviz.shapes.wording import many

if TYPE_CHECKING:
    from cnnviz.filtering import Kept, Outcome, Report


def line(report: Report | Kept) -> str:
    """One line on a result: what was made of what, and how far it is proved."""
    from cnnviz.filtering import Report  # cv2, which is loaded by now

    what = f"{shown(report.input)} × {shown(report.kernel)} → {shown(report.output)}"
    return f"{what}  {_measured(report) if isinstance(report, Report) else say('done before')}"


def _measured(report: Report) -> str:
    height, width, _ = report.outcome.size
    ends = report.outcome.range
    display = say("display: {name}", name=report.display)
    if ends:
        told = "display: {name} of {low} to {high}"
        low, high = (f"{end:.6g}" for end in ends)
        display = say(told, name=report.display, low=low, high=high)
    also = {say("raw"): report.raw, say("figure"): report.figure}
    beside = "".join(f"  {name}: {shown(path)}" for name, path in also.items() if path)
    return f"{height}x{width}  {verified(report.outcome)}  {display}{beside}"


def verified(outcome: Outcome) -> str:
    """How far a result is proved, in words."""
    verdict = outcome.verdict
    if verdict is None:
        return say("not verified: {engine} alone", engine=outcome.engines[0])
    if not verdict.values:
        return say("not verified: every window holds NaN or Inf")
    values = many(verdict.values, "value")
    if verdict.max_abs_diff == 0:
        said = say("verified: identical on {values}", values=values)
    else:
        told = "verified: within {largest} on {values}"
        said = say(told, largest=f"{verdict.max_abs_diff:.2g}", values=values)
    if not verdict.bound.exact:
        said += say(" (bound {bound})", bound=f"{verdict.bound.tolerance:.2g}")
    if verdict.nonfinite:
        told = ", {count} left out (their window holds NaN or Inf)"
        said += say(told, count=f"{verdict.nonfinite:,}")
    return said


def document(report: Report | Kept) -> dict[str, Any]:
    """A result as ``--json`` prints it; of one that was done before, what it is called."""
    from cnnviz.filtering import Kept  # cv2, which is loaded by now

    names = {"input": str(report.input), "output": str(report.output) if report.output else None}
    if isinstance(report, Kept):
        return {**names, "kernel": report.kernel}
    verdict = report.outcome.verdict
    difference = verdict.max_abs_diff if verdict else None
    return {
        **names,
        "raw": str(report.raw) if report.raw else None,
        "figure": str(report.figure) if report.figure else None,
        "kernel": report.kernel,
        "size": list(report.outcome.size[:2]),
        "channels": report.outcome.size[2],
        **report.settings,
        "range": report.outcome.range,
        "display": report.display,
        "engines": list(report.outcome.engines),
        "verified": verdict.agree if verdict and verdict.values else None,
        "exact": bool(verdict and verdict.bound.exact),
        "max_abs_diff": difference if difference is not None and isfinite(difference) else None,
        "tolerance": verdict.bound.tolerance if verdict else None,
        "values": verdict.values if verdict else 0,
        "nonfinite": verdict.nonfinite if verdict else 0,
        "notes": report.notes,
        "seconds": {name: round(time, 6) for name, time in report.outcome.seconds.items()},
    }
