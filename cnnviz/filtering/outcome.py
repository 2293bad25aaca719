"""How a result came about, and how far it is proved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnviz.errors import DisagreementError

if TYPE_CHECKING:
    from cnnviz.agreement import Verdict
    from cnnviz.engines import Image


@dataclass(frozen=True)
class Outcome:
    """How a result came about: its (H, W, C) ``size``, and how it was verified.

    ``range`` is from its smallest finite value to its largest, None where there is none.
    ``verdict`` is None when one engine worked alone, or nothing bounds their difference.
    ``seconds`` has a time per engine, one for importing them, and one for the comparison, each
    summed over all threads.
    """

    size: tuple[int, int, int]
    range: tuple[float, float] | None
    verdict: Verdict | None
    engines: tuple[str, ...]
    seconds: dict[str, float]
    notes: list[str]

    @property
    def disagreement(self) -> DisagreementError | None:
        """The error that names the worst pixel, when the engines disagree."""
        if self.verdict is None or self.verdict.agree:
            return None
        row, column, channel = self.verdict.worst
        first, second = (
            f"{name} {value:.9g}"
            for name, value in zip(self.engines, self.verdict.pair, strict=True)
        )
        return DisagreementError(
            f"the engines disagree at row {row}, column {column}, channel {channel}:"
            f" {first}, {second}; the difference {self.verdict.max_abs_diff:.6g} is above the"
            f" bound {self.verdict.bound.tolerance:.6g}"
        )


@dataclass(frozen=True)
class Filtered(Outcome):
    """An outcome with its signed ``result``, (H, W, C) in the precision asked for."""

    result: Image
