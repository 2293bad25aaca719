"""What is asked of a model beside its name. Light: a command line fills it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from cnnviz.models.preparing.recipes import Fit, Size

TRAINED, RANDOM, DEFAULT, OWN = "trained", "random", "default", "own"


@dataclass(frozen=True)
class Asked:
    """What is asked of a model beside its name.

    ``weights`` is one of the shipped variants (``trained`` first), ``random`` with a ``seed``,
    ``default`` (torchvision's or timm's, which are downloaded), or a file; None is the first of
    these that there is. ``partial`` takes a file of weights that fits in part. ``arguments`` are
    for the user's class or factory. ``size``, ``mean``, ``std``, ``fit`` and ``gray`` change the
    preprocessing (see ``preparing.recipes.adjusted``), ``preprocess`` replaces it by a function,
    MODULE:FUNCTION or FILE.py:FUNCTION. ``labels`` is a file of class names.
    """

    weights: str | None = None
    seed: int | None = None
    partial: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    size: Size | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    fit: Fit | None = None
    gray: bool = False
    preprocess: str | None = None
    labels: Path | None = None
