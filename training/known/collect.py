"""Write what ``cnnviz models`` knows of torchvision's and timm's models.

    python training/known/collect.py

asks the torchvision and timm that are installed, and writes ``torchvision.json`` and ``timm.json``
into ``cnnviz/models/data/``. Nothing is downloaded. A model whose family ``families.json`` does
not know is named; years, papers and sentences stand there, written by hand.
"""

import json
from pathlib import Path
from typing import Any

import torch

from cnnviz.models.sources.families import DATA, family_of
from cnnviz.models.sources.torchvision import input_size, load_torchvision

# Of timm's many models those that the course notes name and torchvision lacks.
OF_TIMM = (
    "legacy_xception",
    "xception41",
    "xception65",
    "xception71",
    "inception_v4",
    "inception_resnet_v2",
    "mobilenetv1_100",
    "darknet53",
    "tf_efficientnet_lite0",
)

# The last part of torchvision's folder, where it is not the task's name itself.
TASKS = {
    "models": "classification",
    "quantization": "quantized classification",
    "optical_flow": "optical flow",
}


def of_torchvision(name: str) -> dict[str, Any]:
    """What the metadata of the model's default weights state."""
    models = load_torchvision().models
    folder = models.get_model_builder(name).__module__.split(".")[-2]
    task = TASKS.get(folder, folder)
    weights = models.get_model_weights(name)
    stated = weights.DEFAULT.meta
    return {
        "task": task,
        "input": input_size(name),
        "parameters": stated["num_params"],
        "gmacs": stated["_ops"],
        "weights": [each.name for each in weights],
        "default": weights.DEFAULT.name,
        "mib": stated["_file_size"],
        "metrics": stated["_metrics"],
    }


def of_timm(name: str) -> dict[str, Any]:
    """What timm's configuration of the model says, and the size of the model it builds."""
    import timm

    stated = timm.get_pretrained_cfg(name)
    assert stated is not None, f"timm has no weights for {name}"
    with torch.device("meta"):
        built = timm.create_model(name)
    return {
        "task": "classification",
        "input": stated.input_size,
        "parameters": sum(parameter.numel() for parameter in built.parameters()),
        "weights": [tag.partition(".")[2] for tag in timm.list_pretrained(name)],
        "default": stated.tag,
    }


def write(path: Path, version: str, models: dict[str, dict[str, Any]]) -> None:
    """One model a line, so that a newer version shows as a readable difference."""
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(models[name])}" for name in models)
    path.write_text(f'{{"version": "{version}", "models": {{\n{lines}\n}}}}\n', encoding="utf-8")
    strangers = [name for name in models if family_of(name) is None]
    print(f"{path.name}: {len(models)} models of {version}")
    if strangers:
        print(f"  of no family, add one to families.json: {', '.join(strangers)}")


def main() -> None:
    torchvision = load_torchvision()  # first: timm imports torchvision, which may need mending
    import timm

    names = torchvision.models.list_models()
    version = torchvision.__version__.partition("+")[0]
    write(DATA / "torchvision.json", version, {name: of_torchvision(name) for name in names})
    write(DATA / "timm.json", timm.__version__, {name: of_timm(name) for name in OF_TIMM})


if __name__ == "__main__":
    main()
