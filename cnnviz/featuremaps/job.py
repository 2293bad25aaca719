"""One image through one model: every layer as a picture, the predictions, the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnviz import images, storage
from cnnviz.capturing import survey
from cnnviz.capturing.untouched import has_lazy_layers
from cnnviz.errors import UsageError
from cnnviz.featuremaps.beside import Beside
from cnnviz.featuremaps.drawing import Drawing
from cnnviz.featuremaps.folder import FeatureMaps
from cnnviz.featuremaps.manifest import as_text
from cnnviz.featuremaps.options import MANIFEST, MapOptions
from cnnviz.featuremaps.placing import place_of
from cnnviz.featuremaps.plan import plan
from cnnviz.models.preparing import latent
from cnnviz.models.preparing.tensors import is_tensor_file, read_tensor
from cnnviz.models.programs.operations import Operations, listened
from cnnviz.models.supply import NONE
from cnnviz.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cnnviz.featuremaps.plan import Plan
    from cnnviz.models.loading import LoadedModel
    from cnnviz.models.preparing.prepared import Prepared


__all__ = ["FeatureMaps", "read_input", "save_feature_maps"]


def save_feature_maps(
    path: Path,
    model: LoadedModel,
    folder: Path,
    inputs: Iterable[Path] = (),
    options: MapOptions | None = None,
    beside: Beside | None = None,
    prepared: Prepared | None = None,
) -> FeatureMaps:
    """Draw the layers of ``model`` for the image at ``path`` into ``folder``.

    The manifest is removed first and written last: where it is, the pictures are whole and
    belong to it. ``inputs`` are other files that must not be replaced; ``beside`` sees what is
    drawn, and may add to it. ``prepared`` is the image, where it has been read already.

    Raises:
        ImageError: the file is not an image that can be read.
        UsageError: no such layer, or a picture would replace an input.
        CnnvizError: the model failed on it.
        DisagreementError: a convolution's maps are not what OpenCV computes.
        OutputError: a picture cannot be written.
    """
    options, beside = options or MapOptions(), beside or Beside()
    prepared = prepared or read_input(path, model)
    planned = planned_for(model, prepared, options)
    drawing = Drawing(model, folder, options, planned, prepared, beside)
    files = [folder / name for name in drawing.files()]
    storage.refuse_existing(files, [path, *inputs], overwrite=True)
    drawing.folder = folder.absolute()  # a model's code may change the current folder
    _remove(folder / MANIFEST)
    manifest = drawing.run({"cnnviz": __version__, "model": model.name, "image": str(path)})
    storage.write_bytes(folder / MANIFEST, as_text(manifest))
    return FeatureMaps(path, folder, manifest, drawing.overview.rows)


def planned_for(model: LoadedModel, prepared: Prepared, options: MapOptions) -> Plan:
    """What a run on that input would put out, and what of it is drawn.

    Raises:
        UsageError: no such layer.
        CnnvizError: the model failed on it.
    """
    if isinstance(model.module, Operations):  # which has layers only once it has run
        listened(model.module, tuple(prepared.tensor.shape[1:]))
    if has_lazy_layers(model.module) and model.weights.source != NONE:
        _let_grow(model, prepared)
    return plan(model.module, [prepared.tensor], options.layers, options.maps)


def _let_grow(model: LoadedModel, prepared: Prepared) -> None:
    """Let lazy layers make their weights, which the model's seed says like all others."""
    with torch.random.fork_rng():
        torch.manual_seed(int(model.weights.about.get("seed", 0)))
        survey(model.module, prepared.tensor)


def read_input(path: Path, model: LoadedModel) -> Prepared:
    """The model's input for an image, what a file of one tensor holds, or numbers that are drawn.

    It is where the model is, in the type of its numbers.

    Raises:
        ImageError: it cannot be read.
        UsageError: latent numbers for a model that takes pictures.
    """
    return place_of(model.module).taken(_read(path, model))


def _read(path: Path, model: LoadedModel) -> Prepared:
    seed = latent.seed_of(str(path))
    if seed is not None:
        if model.entry is None or model.entry.prepare:
            raise UsageError(f"{path}: {model.name} takes pictures and no latent numbers")
        return latent.draw(seed)
    if is_tensor_file(path):
        return read_tensor(path)
    return model.prepare(images.read_image(path))


def _remove(manifest: Path) -> None:
    with storage.named_error(manifest):
        manifest.unlink(missing_ok=True)
