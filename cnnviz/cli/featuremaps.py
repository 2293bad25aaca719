"""``cnnviz featuremaps``: what every layer of a model makes of an image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.batch import Batch
from cnnviz.cli import options
from cnnviz.cli.options import shown
from cnnviz.errors import UsageError
from cnnviz.inputs import find_inputs
from cnnviz.models import MODELS, find_model
from cnnviz.storage import STANDARD_STREAM, refuse_filled

if TYPE_CHECKING:
    from cnnviz.featuremaps import FeatureMaps
    from cnnviz.models import ModelEntry

BAR = 30
MANIFEST = "manifest.json"


@click.command(
    "featuremaps",
    epilog="Example: cnnviz featuremaps --model lenet samples/digit_7.png",
)
@options.images
@click.option("-m", "--model", "name", required=True, metavar="NAME", help="A model: lenet.")
@options.outputs(
    "Folder; with several images, one folder each in it.", "IMAGE-STEM.MODEL/ in the current folder"
)
@options.everywhere
def command(
    images: tuple[Path, ...],
    recursive: bool,
    name: str,
    output: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Draw what every layer of a model puts out for an image.

    IMAGE is a file, a folder, a quoted pattern such as "scans/*.png", or - for standard input.
    Writes a folder with a picture per layer, the input as the model sees it, the predictions,
    and manifest.json with the figures. lenet reads handwritten digits; any image is accepted.
    """
    entry = find_model(name)
    found = find_inputs(images, recursive=recursive, output=output, is_result=_is_result)
    folders = _folders(found, entry, output)
    refuse_filled(folders.values(), overwrite=overwrite)

    from cnnviz.featuremaps import save_feature_maps  # torch: only when there is work
    from cnnviz.models.loading import load

    model = load(entry)
    if not as_json and not quiet:
        click.echo(_introduction(entry, model.training))
    batch = Batch(list(folders))
    done = []
    for result in batch.run(lambda path: [save_feature_maps(path, model, folders[path], found)]):
        done.append({"input": str(result.input), "output": str(result.folder), **result.manifest})
        if not as_json:
            click.echo(_report(result, quiet))
    if as_json:
        click.echo(json.dumps({"results": done, "failures": options.failures(batch)}))
    options.end(batch)


def _is_result(path: Path) -> bool:
    """Whether an image lies in a folder that this command has made."""
    return path.parent.suffix[1:] in MODELS and (path.parent / MANIFEST).is_file()


def _folders(images: dict[Path, Path], entry: ModelEntry, output: str | None) -> dict[Path, Path]:
    """Where each image's results go: ``output`` itself for one image, else folders in it."""
    if output == "":
        raise UsageError("--output is empty; name a folder")
    if output and Path(output) == STANDARD_STREAM:
        raise UsageError("results are a folder of files, which standard output cannot hold")
    if output and len(images) == 1:
        return dict.fromkeys(images, Path(output))
    stems = {image: "stdin" if image == STANDARD_STREAM else image.stem for image in images}
    base = Path(output or "")
    return {image: base / sub / f"{stems[image]}.{entry.name}" for image, sub in images.items()}


def _introduction(entry: ModelEntry, training: dict[str, str]) -> str:
    accuracy, count = float(training["test_accuracy"]), int(training["test_images"])
    return (
        f"{entry.name}: {entry.title} ({entry.year}), {entry.parameters:,} parameters, trained on"
        f" {training['dataset']}: {accuracy:.2%} of its {count:,} test images right"
    )


def _report(result: FeatureMaps, quiet: bool) -> str:
    """The folder; and unless ``quiet`` the steps, a line per layer, and the predictions."""
    if quiet:
        return f"{shown(result.folder)}/"
    manifest = result.manifest
    size = "x".join(map(str, manifest["preprocess"]["input"]))
    steps = ", ".join(manifest["preprocess"]["steps"]) or "as it is"
    blank = manifest["preprocess"]["blank"]
    return "\n".join(
        [
            f"{shown(result.input)} → {size}: {steps}",
            "",
            *(_layer_line(layer) for layer in manifest["layers"]),
            "",
            *(["  the image is blank, so what follows says nothing about it"] if blank else []),
            "  probabilities; they always add up to 100 %, whatever the image shows",
            *(_prediction_line(prediction) for prediction in manifest["predictions"]),
            "",
            f"{shown(result.folder)}/  {_count(manifest)} pictures and manifest.json",
        ]
    )


def _layer_line(layer: dict[str, Any]) -> str:
    shape = "x".join(map(str, layer["shape"] or ["-"]))
    what = layer["file"] or f"not drawn: {layer['reason']}"
    paper, name, kind = layer["paper_name"] or "", layer["name"], layer["type"]
    return f"  {paper:<8} {name:<13} {kind:<10} {shape:<9} {what}"


def _prediction_line(prediction: dict[str, Any]) -> str:
    from cnnviz.render.bars import percent  # cv2, which is loaded by now

    share = prediction["probability"]
    said = "no number" if share is None else percent(share)
    return f"  {prediction['label']}  {'█' * round((share or 0) * BAR):<{BAR}}  {said:>9}"


def _count(manifest: dict[str, Any]) -> int:
    """Pictures: the input, the predictions, and one per captured layer."""
    return 2 + sum(layer["file"] is not None for layer in manifest["layers"])
