"""What of this installation works, what does not, and what to do about it."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from cnnviz.cores import cores
from cnnviz.errors import CnnvizError, ModelError
from cnnviz.kernels import kernel_names
from cnnviz.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALL = "pip install --force-reinstall cnnviz"
OPENCV = (
    *("opencv-python-headless", "opencv-python"),
    *("opencv-contrib-python", "opencv-contrib-python-headless"),
)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: ``status`` is ok, missing (something optional) or broken.

    ``fix`` says what to do, where there is something.
    """

    name: str
    status: str
    detail: str
    fix: str = ""


def examine() -> list[Check]:
    """All checks, cheap ones first; the last ones import torch and take seconds."""
    looks = (
        *(_python, _package, _opencv, _torch, _agreement, _formats, _figures),
        *(_devices, _torchvision, _timm),
    )
    return [_safely(look) for look in looks]


def _safely(look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Exception as error:  # whatever is broken in what is not ours is what we are after
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return Check(look.__name__.strip("_"), "broken", said, INSTALL)


def _python() -> Check:
    system = f"{platform.system()} {platform.machine()}"
    return Check("python", "ok", f"{platform.python_version()}, {system}, {cores()} cores")


def _package() -> Check:
    return Check("cnnviz", "ok", f"{__version__}, {len(kernel_names())} kernels")


def _opencv() -> Check:
    import cv2

    variants = [name for name in OPENCV if _installed(name)]
    detail = f"{cv2.__version__} ({', '.join(variants) or 'not from PyPI'})"
    if len(variants) > 1:
        fix = f"they overwrite each other; keep one: pip uninstall {' '.join(variants[1:])}"
        return Check("opencv", "broken", detail, fix)
    return Check("opencv", "ok", detail)


def _torch() -> Check:
    from cnnviz.engines import libtorch

    found = _installed("torch")
    if found is None:
        return Check("torch", "broken", "not installed", "pip install torch")
    if reason := libtorch.why_not():
        detail = f"{found}; its convolution is called through Python, which takes seconds: {reason}"
        return Check("torch", "ok", detail, "pip install torch==2.13.* makes filters start sooner")
    return Check("torch", "ok", f"{found}; its convolution is called without importing it")


def _agreement() -> Check:
    import numpy as np

    from cnnviz.filtering import filter_image
    from cnnviz.kernels import load_kernel

    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    try:
        verdict = filter_image(pixels, load_kernel("sobel_x")).verdict
    except CnnvizError as error:
        return Check("agreement", "broken", str(error), INSTALL)
    values = verdict.values if verdict else 0
    return Check("agreement", "ok", f"OpenCV and torch are identical on {values:,} values")


def _formats() -> Check:
    from PIL import features

    import_module("simplejpeg")
    import_module("isal")
    names = {"jpg": "JPEG", "zlib": "PNG", "libtiff": "TIFF", "webp": "WebP", "avif": "AVIF"}
    missing = [name for feature, name in names.items() if not features.check(feature)]
    detail = f"Pillow {_installed('pillow')}"
    if missing:
        fix = "pip install --force-reinstall pillow takes a build that has all"
        return Check("images", "missing", f"{detail} does not read {', '.join(missing)}", fix)
    return Check("images", "ok", f"{detail} reads {', '.join(names.values())} and more")


def _figures() -> Check:
    found = _installed("matplotlib")
    if found is None:
        return Check("figures", "missing", "no matplotlib", 'pip install "cnnviz[figures]"')
    return Check("figures", "ok", f"matplotlib {found}")


def _devices() -> Check:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = [f"cuda:{n} {torch.cuda.get_device_name(n)}" for n in range(count)]
    return Check("devices", "ok", ", ".join(["cpu", *names]))


def _torchvision() -> Check:
    from cnnviz.models.sources import torchvision

    found = _installed("torchvision")
    if found is None:
        return Check("torchvision", "broken", "not installed", "pip install torchvision")
    try:
        torchvision.load_torchvision()
    except ModelError as error:
        fix = "take the two that fit: pip install --upgrade torch torchvision"
        return Check("torchvision", "broken", f"{found}; {error}", fix)
    if torchvision.mismatch():
        detail = (
            f"{found}; its compiled operators (nms and others, for detectors) do not load beside"
            f" torch {_installed('torch')}; models are built without them"
        )
        fix = "to run detectors, install torch and torchvision from one index of pytorch.org"
        return Check("torchvision", "ok", detail, fix)
    return Check("torchvision", "ok", found)


def _timm() -> Check:
    from cnnviz.models.sources import timm

    found = _installed("timm")
    if found is None:
        return Check("timm", "missing", "no timm", 'pip install "cnnviz[timm]"')
    try:
        count = len(timm.load_timm().list_models())
    except ModelError as error:
        return Check("timm", "broken", f"{found}; {error}", "pip install --upgrade timm")
    return Check("timm", "ok", f"{found}, {count:,} models as timm:NAME")


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
