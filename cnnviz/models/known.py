"""What is known of the models that can be named, read from data: neither torch nor torchvision."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError
from cnnviz.models import MODELS
from cnnviz.models.sources.families import QUANTIZED, families, family_of, read_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnviz.models import ModelEntry
    from cnnviz.models.sources.families import Family

OWN, TORCHVISION, TIMM = "cnnviz", "torchvision", "timm"
MOST_NEAR = 5
NO_PICTURE = {"video", "optical flow"}  # clips, and two images at once

YOLO = (
    "YOLO comes with a package of your own; where ultralytics is installed, whose licence is the"
    " AGPL, write 'ultralytics:YOLO(\"yolov3.yaml\").model' for MODEL; the backbone of YOLOv3 alone"
    " is timm:darknet53"
)


@dataclass(frozen=True)
class Known:
    """One model that can be named.

    ``input_size`` is channels first; ``takes_picture`` says whether it is that of one picture.
    ``macs`` is stated by the weights, to the nearest million. ``weights`` are those there are,
    ``default`` the one that is taken, ``download`` its size in MiB and ``metrics`` its results, by
    data set. ``home`` is the package that builds it, ``family`` None for a network of ours.
    """

    name: str
    title: str
    year: int | None
    paper: str
    known_for: str
    task: str
    home: str
    family: Family | None
    input_size: tuple[int, ...]
    takes_picture: bool
    parameters: int
    macs: int | None
    weights: tuple[str, ...]
    default: str | None
    download: float | None
    metrics: Mapping[str, Mapping[str, float]]
    note: str


@cache
def known_models() -> dict[str, Known]:
    """Every model of the list by the name that MODEL takes: ours, torchvision's, some of timm's.

    Ours stand in the order of their table, the others by their family's year and by size.
    """
    found = [*map(_own, MODELS.values()), *_others(TORCHVISION), *_others(TIMM)]
    return {model.name: model for model in found}


def _own(entry: ModelEntry) -> Known:
    return Known(
        name=entry.name,
        title=entry.title,
        year=entry.year,
        paper=entry.paper,
        known_for=entry.known_for,
        task="classification" if entry.labels else "",
        home=OWN,
        family=None,
        input_size=tuple(entry.input_size),
        takes_picture=bool(entry.prepare),
        parameters=entry.parameters,
        macs=None,
        weights=tuple(entry.weights),
        default=next(iter(entry.weights), None),
        download=None,
        metrics={},
        note="",
    )


def _others(home: str) -> list[Known]:
    models = [_other(home, name, stated) for name, stated in read_data(home)["models"].items()]
    return sorted(models, key=lambda m: (m.year or 0, m.family and m.title, m.parameters))


def _other(home: str, name: str, stated: dict[str, Any]) -> Known:
    family = family_of(name)
    return Known(
        name=f"timm:{name}" if home == TIMM else name,
        title=family.title if family else name,
        year=family.year if family else None,
        paper=family.paper if family else "",
        known_for=family.known_for if family else "",
        task=stated["task"],
        home=home,
        family=family,
        input_size=tuple(stated["input"]),
        takes_picture=stated["task"] not in NO_PICTURE,
        parameters=stated["parameters"],
        macs=round(stated["gmacs"] * 1000) * 10**6 if "gmacs" in stated else None,
        weights=tuple(stated["weights"]),
        default=stated["default"],
        download=stated.get("mib"),
        metrics=stated.get("metrics", {}),
        note=family.note if family else "",
    )


def find_known(name: str) -> Known:
    """The model called ``name``, which may begin with ``torchvision:``.

    Raises:
        ModelError: not in the list; the message has near names, or says where else it comes from.
    """
    models = known_models()
    bare = name.removeprefix("torchvision:")
    if bare in models and (bare == name or models[bare].home == TORCHVISION):
        return models[bare]
    if _plain(name).startswith("yolo"):
        raise ModelError(f"no model is called {name!r}; {YOLO}")
    home = name.rpartition(":")[0]
    near = [each for each in near_names(name) if home != TIMM or models[each].home == TIMM]
    if home not in {"", TORCHVISION, TIMM} or (home and not near):
        raise ModelError(f"{name} is not in the list; 'cnnviz summary {name}' shows what it is")
    hint = f"did you mean {_or(near)}?" if near else "'cnnviz models list -q' names all"
    raise ModelError(f"no model is called {name!r}; {hint}")


def refuse_unknown(name: str) -> None:
    """Raise a ``ModelError`` for a word that names no model, without loading what could.

    Paths and names with a colon are left to those who load them, and so is every word beside
    another torchvision than the list's, which may have other models.
    """
    is_word = ":" not in name and not Path(name).suffix and Path(name).name == name
    if is_word and name not in known_models() and _installed() == read_data(TORCHVISION)["version"]:
        find_known(name)


def _installed() -> str | None:
    from importlib import metadata  # only for a word that is not in the list

    try:
        return metadata.version(TORCHVISION).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def near_names(name: str) -> list[str]:
    """Names of the list that may have been meant by ``name``, in the order of the list.

    Spelling is compared without case and punctuation: ``ResNet-50`` is resnet50. What names a
    family (``inception``, ``mobilenet``) gives its members.
    """
    wanted = _plain(name)
    models = known_models()
    spelled = {each: _plain(each) for each in models}
    if not wanted:
        return []
    near = (
        [each for each in models if spelled[each] == wanted]
        or [e for e in models if spelled[e].startswith(wanted) or wanted in _plain(models[e].title)]
        or [each for each in models if wanted in spelled[each]]
        or [each for each in models if wanted.startswith(spelled[each])]
        or _close(wanted, spelled)
    )
    plain = [each for each in near if not each.startswith(QUANTIZED)]
    return (plain or near)[:MOST_NEAR]


def matching(words: Sequence[str]) -> list[Known]:
    """The models that fit any of ``words``, in the order of the list; all without words.

    A word is a glob over names (``vgg*_bn``), a family (``resnet``), a task, a home, or a part of a
    name or title.

    Raises:
        ModelError: a word that fits no model.
    """
    fits = {word: [each for each in known_models().values() if _fits(each, word)] for word in words}
    for word, found in fits.items():
        if not found:
            near = near_names(word)
            hint = f"; did you mean {_or(near)}?" if near else ""
            raise ModelError(f"no model of the list fits {word!r}{hint}")
    names = {each.name for found in fits.values() for each in found}
    return [each for each in known_models().values() if not words or each.name in names]


def _fits(model: Known, word: str) -> bool:
    lower, plain = word.lower(), _plain(word)
    if any(sign in word for sign in "*?["):
        return any(fnmatchcase(name, lower) for name in (model.name, _bare(model.name)))
    if lower in {model.home, *model.task.split()}:
        return True
    if lower in {family.name for family in families()}:
        return model.family is not None and model.family.name == lower
    return bool(plain) and (plain in _plain(model.name) or plain in _plain(model.title))


def _plain(name: str) -> str:
    return "".join(char for char in _bare(name).lower() if char.isalnum())


def _bare(name: str) -> str:
    return name.removeprefix(f"{TIMM}:").removeprefix(f"{TORCHVISION}:")


def _close(wanted: str, spelled: Mapping[str, str]) -> list[str]:
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(wanted, spelled.values(), n=3)
    return [name for near in close for name, plain in spelled.items() if plain == near]


def _or(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
