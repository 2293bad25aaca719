"""``cnnviz featuremaps --from``: maps in a file, drawn again without the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from cnnviz.batch import Batch
from cnnviz.cli import options
from cnnviz.cli.options import shown
from cnnviz.errors import UsageError
from cnnviz.storage import STANDARD_STREAM, refuse_filled

if TYPE_CHECKING:
    from cnnviz.featuremaps.folder import FeatureMaps
    from cnnviz.featuremaps.options import MapOptions

APPLY = {
    *("stored", "layers", "channels", "sort", "scale", "cmap", "tile", "fail_on"),
    *("output", "overwrite", "quiet", "as_json", "verbose"),
}

option = click.option(
    "--from",
    "stored",
    metavar="FILE",
    type=click.Path(path_type=Path),
    is_eager=True,
    help="Draw again what --raw has written, without IMAGE and MODEL: maps.safetensors or .npz.",
)


def redrawn(
    path: Path,
    chosen: MapOptions,
    *,
    output: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Draw the maps in the file at ``path``, and print what was drawn."""
    _refuse_others()
    folder = _folder(path, output)
    refuse_filled([folder], overwrite=overwrite)

    from cnnviz.featuremaps.redraw import redraw  # cv2: only when there is work

    batch = Batch([path])
    for result in batch.run(lambda _: [redraw(path, folder, chosen)]):
        failed = result.manifest["failed_limits"]
        if as_json:
            said = {"input": str(path), "output": str(folder), **result.manifest}
            click.echo(json.dumps({"results": [said], "failures": []}))
        else:
            click.echo(_report(result, quiet=quiet))
        if failed:
            click.echo(f"Error: {shown(path)}: {shown(', '.join(failed))}", err=True)
            click.get_current_context().exit(1)
    if as_json and batch.failures:
        click.echo(json.dumps({"results": [], "failures": options.failures(batch)}))
    options.end(batch)


def _refuse_others() -> None:
    """Refuse what is said of a model, which is not run."""
    context = click.get_current_context()
    for param in context.command.params:
        name = param.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in APPLY and context.params.get(name):
            which = (
                param.opts[-1] if param.opts[-1].startswith("-") else param.make_metavar(context)
            )
            raise UsageError(f"--from draws maps without running a model; leave out {which}")


def _folder(path: Path, output: str | None) -> Path:
    """Where the pictures go: maps/ beside nothing but the current folder, or ``output``."""
    if output == "":
        raise UsageError("--output is empty; name a folder")
    if output and Path(output) == STANDARD_STREAM:
        raise UsageError("results are a folder of files, which standard output cannot hold")
    return Path(output) if output else Path(f"{path.absolute().parent.name}.{path.stem}")


def _report(result: FeatureMaps, *, quiet: bool) -> str:
    if quiet:
        return f"{shown(result.folder)}/"
    manifest = result.manifest
    drawn = [layer for layer in manifest["layers"] if layer["file"]]
    pictures = len(drawn) + bool(manifest["overview"]) + (manifest["preprocess"] is not None)
    return "\n".join(
        [
            f"{shown(result.input)}: maps of {shown(manifest['model'])}, not run again",
            *([f"made from {shown(manifest['image'])}"] if manifest.get("image") else []),
            "",
            *(f"  {line}" for line in _layers(drawn)),
            f"  {shown(manifest['selection'])}",
            "",
            f"{shown(result.folder)}/  {pictures} pictures and manifest.json",
        ]
    )


def _layers(drawn: list[dict[str, Any]]) -> list[str]:
    rows = [
        (
            layer["paper_name"] or "",
            layer["name"] + (f"#{layer['call']}" if layer["call"] > 1 else ""),
            layer["type"],
            "x".join(map(str, layer["shape"])),
            layer["file"],
        )
        for layer in drawn
    ]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(5)]
    return [
        "  ".join(
            f"{shown(cell):<{width}}" for cell, width in zip(row, widths, strict=True) if width
        ).rstrip()
        for row in rows
    ]
