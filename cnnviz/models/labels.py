"""What a model's outputs are called: the class names of data sets, and of a user's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnviz.errors import ImageError, ModelError, UsageError

MAX_BYTES, MAX_LABELS = 1_000_000, 100_000

MNIST = tuple("0123456789")
FASHION_MNIST = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
CIFAR_10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
OWN = {"mnist": MNIST, "fashion_mnist": FASHION_MNIST, "cifar_10": CIFAR_10}

# A model of torchvision's whose weights were trained on that data and name its classes.
TRAINED_ON = {
    "imagenet": "resnet18",
    "coco": "fasterrcnn_resnet50_fpn",
    "voc": "fcn_resnet50",
    "kinetics": "r3d_18",
}


def labels_of(name: str) -> tuple[str, ...]:
    """The class names of data set ``name``, in the order of a model's outputs.

    ``coco`` and ``voc`` begin with the background; ``coco`` has ``N/A`` where it skips a number.

    Raises:
        ModelError: no such data set, or torchvision, which holds the list, cannot be imported.
    """
    if name in OWN:
        return OWN[name]
    if name not in TRAINED_ON:
        known = ", ".join([*OWN, *TRAINED_ON])
        raise ModelError(f"no class names are known for {name!r}; there are those of {known}")
    return labels_of_torchvision(TRAINED_ON[name])


def labels_of_torchvision(model: str) -> tuple[str, ...]:
    """The class names of the default weights of torchvision's ``model``; empty where it has none.

    Raises:
        ModelError: torchvision has no such model or cannot be imported.
    """
    from cnnviz.models.sources.torchvision import (
        load_torchvision,  # seconds: only where they are meant
    )

    try:
        meta = load_torchvision().models.get_model_weights(model).DEFAULT.meta
    except (ValueError, AttributeError) as error:
        raise ModelError(f"torchvision has no weights for {model!r}") from error
    return tuple(meta.get("categories") or ())


def read_labels(path: str | Path) -> tuple[str, ...]:
    """The class names in a file: one a line, or a JSON list, or a JSON index of numbers.

    An index is ``{"0": "tench", …}`` or ``{"0": ["n01440764", "tench"], …}``.

    Raises:
        ImageError: the file cannot be read.
        UsageError: it is too large, not UTF-8, or not such a list.
    """
    text = _text(Path(path)).strip()
    is_json = text[:1] in {"[", "{"}
    names = _of_json(text, path) if is_json else text.splitlines()
    if len(names) > MAX_LABELS:
        raise UsageError(f"{path} has {len(names):,} class names; the limit is {MAX_LABELS:,}")
    labels = tuple(_printable(name) for name in names)
    if not labels:
        raise UsageError(f"{path} has no class names; write one a line")
    if "" in labels:
        raise UsageError(f"{path}: class name {labels.index('')} is empty; name every class")
    return labels


def matched(labels: tuple[str, ...], count: int) -> tuple[str, ...]:
    """``labels``, where there is one for each of ``count`` outputs.

    Raises:
        UsageError: there are more or fewer.
    """
    if len(labels) != count:
        raise UsageError(
            f"there are {len(labels):,} class names and the model has {count:,} outputs; "
            "give --labels a file with one name for each"
        )
    return labels


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ImageError(f"{path}: there is no such file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES:,} bytes; it should hold class names")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text; save the class names as UTF-8") from None


def _of_json(text: str, path: str | Path) -> list[str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"{path} begins like JSON and is not; write one class a line") from None
    if isinstance(value, dict):
        value = [value.get(str(index)) for index in range(len(value))]
    names = [_last(item) for item in value]
    wrong = [index for index, name in enumerate(names) if not isinstance(name, str)]
    if wrong:
        raise UsageError(
            f"{path}: there is no name for class {wrong[0]}; write a list of names, or "
            '{"0": "name", "1": "name"} with a number for each'
        )
    return names


def _last(item: Any) -> Any:
    """The name in ImageNet's pairs of an identifier and a name."""
    return item[-1] if isinstance(item, list) and len(item) == 2 else item


def _printable(name: str) -> str:
    """In one line, without characters that would steer a terminal."""
    return "".join(letter for letter in " ".join(name.split()) if letter.isprintable())
