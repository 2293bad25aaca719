"""``cnnviz featuremaps --compare``: what is printed of two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli.mapped import files_beside
from cnnviz.cli.options import shown
from cnnviz.errors import UsageError
from cnnviz.featuremaps.against import Against, Divergence, diverges

if TYPE_CHECKING:
    from cnnviz.featuremaps.compare import Comparer
    from cnnviz.featuremaps.folder import FeatureMaps
    from cnnviz.models.asked import Asked
    from cnnviz.models.loading import LoadedModel

HEAD = ("layer", "largest difference", "mean", "relative", "correlation")


class AgainstType(click.ParamType[Any]):
    """What to compare with: see ``Against.read``."""

    name = "other"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Against:
        """What it says.

        Raises:
            click.BadParameter: it cannot be read.
        """
        if isinstance(value, Against):
            return value
        try:
            return Against.read(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


option = click.option(
    "--compare",
    "against",
    metavar="OTHER",
    type=AgainstType(),
    help="Draw beside it, and measure the difference to: another image, weights:random, a file of"
    " weights, seed:N, device:cuda, precision:float64, or maps:FILE of --raw.",
)


def limit_of(texts: tuple[str, ...], against: Against | None) -> Divergence | None:
    """The limit of --fail-on that is about a comparison.

    Raises:
        UsageError: there is one and nothing is compared.
    """
    found = [limit for limit in map(Divergence.read, texts) if limit]
    if found and against is None:
        raise UsageError("--fail-on diverges is for --compare OTHER; add it")
    return min(found, key=lambda one: one.limit, default=None)


def comparer(
    model: LoadedModel, asked: Asked, against: Against | None, limit: Divergence | None
) -> Comparer | None:
    """What compares runs of the model; None where nothing is compared."""
    if against is None:
        return None
    from cnnviz.featuremaps.compare import Comparer  # torch: only when there is work

    return Comparer.of(model, asked, against, limit)


def table(result: FeatureMaps, *, quiet: bool) -> str:
    """A line per layer with its errors, and the first that is beyond rounding."""
    if quiet:
        return f"{shown(result.folder)}/"
    said = result.manifest["compare"]
    layers = [layer for layer in result.manifest["layers"] if layer.get("compare")]
    rows = [HEAD, *(_row(layer) for layer in layers)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEAD))]
    lines = [
        f"  {row[0]:<{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    left, right = map(shown, said["names"])
    return "\n".join(
        [
            f"{shown(result.input)}: {left} (left) and {right} (right)",
            "",
            *(line.rstrip() for line in lines),
            "",
            *_verdict(said, layers),
            *_answers(result.manifest),
            f"{shown(result.folder)}/  {_pictures(result.manifest)} pictures,"
            f" {files_beside(result.manifest)}",
        ]
    )


def _row(layer: dict[str, Any]) -> tuple[str, ...]:
    errors = layer["compare"]
    call = f"#{layer['call']}" if layer["call"] > 1 else ""
    name = shown("  ".join(filter(None, (layer["paper_name"], layer["name"] + call))))
    if errors["reason"]:
        return name, f"not compared: {shown(errors['reason'])}", "", "", ""
    like = errors["correlation"]
    beyond = " !" if diverges(errors) else "  "
    bad = f", {errors['nonfinite']:,} NaN or infinite on one side" if errors["nonfinite"] else ""
    return (
        name,
        f"{errors['max_abs_diff']:.3g}{bad}",
        f"{errors['mean_abs_diff']:.3g}",
        f"{errors['relative']:.3g}{beyond}",
        "-" if like is None else f"{like:.6f}",
    )


def _verdict(said: dict[str, Any], layers: list[dict[str, Any]]) -> list[str]:
    compared = [layer for layer in layers if not layer["compare"]["reason"]]
    limit = f"beyond rounding (relative > {said['limit']:.2g})"
    if said["first_divergent"]:
        return [f"  first to differ {limit}: {shown(said['first_divergent'])}"]
    if not compared:
        return ["  no layer could be compared"]
    if all(layer["compare"]["max_abs_diff"] == 0 for layer in compared):
        return [f"  all {len(compared)} layers compared are equal, bit for bit"]
    is_image = said["with"].startswith("image:")
    return [] if is_image else [f"  no layer differs {limit}"]


def _answers(manifest: dict[str, Any]) -> list[str]:
    """What each side predicts."""
    sides = (manifest["predictions"], manifest["compare"]["predictions"])
    if not all(sides):
        return []
    best = [shown(side[0]["label"]) + _percent(side[0]["probability"]) for side in sides]
    return [f"  left says {best[0]}, right says {best[1]}"]


def _percent(share: float | None) -> str:
    return "" if share is None else f" ({share:.1%})".replace("%", " %")


def _pictures(manifest: dict[str, Any]) -> int:
    drawn = sum(layer["file"] is not None for layer in manifest["layers"])
    pages = (manifest["overview"], manifest["predictions"], manifest["compare"]["file"])
    return 1 + drawn + sum(map(bool, pages))
