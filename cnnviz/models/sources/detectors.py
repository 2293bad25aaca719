"""torchvision's detectors as plain modules: an image tensor in, every layer's output to see."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch import Tensor, nn

HEADS_NOTE = (
    "backbone and heads run; what follows them (proposals, suppression of double boxes, pooling of"
    " regions) needs compiled operators of torchvision's that do not load beside this torch"
)
DETECTIONS_NOTE = "the whole detector runs, at its own size, and returns boxes"


def is_detector(model: nn.Module) -> bool:
    """Whether the model is one of torchvision's detectors, or built upon one.

    They take a list of images.
    """
    kinds = {kind.__module__ for kind in type(model).__mro__}
    return any(name.startswith("torchvision.models.detection") for name in kinds) and all(
        hasattr(model, part) for part in ("backbone", "transform")
    )


def runnable(detector: nn.Module) -> tuple[nn.Module, str]:
    """The detector as a module that takes images (N, 3, H, W) from 0 to 1, and what of it runs.

    The parts are the detector's own, under their own names, so that what listens to
    ``backbone.body.conv1`` hears it. They are normalised as the detector does itself.
    """
    if operators_load():
        return WholeDetector(detector), DETECTIONS_NOTE
    return BackboneAndHeads(detector), HEADS_NOTE


def operators_load() -> bool:
    """Whether torchvision's compiled operators, such as nms, are there."""
    return bool(import_module("torchvision.extension")._has_ops())


class _View(nn.Module):
    """A module with the parts of another, by the same names."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self._modules = detector._modules
        self.__dict__["detector"] = detector  # not a part: names would begin with it
        self.training = detector.training


class WholeDetector(_View):
    """A detector that takes a tensor of images."""

    def forward(self, images: Tensor) -> Any:
        """For each image what was found: boxes, labels, scores, and masks or keypoints."""
        return self.__dict__["detector"](list(images))

    def train(self, mode: bool = True) -> WholeDetector:
        """Itself, and the detector with it, in train or eval mode."""
        super().train(mode)
        self.__dict__["detector"].training = mode
        return self


class BackboneAndHeads(_View):
    """The convolutional part of a detector: backbone, feature pyramid, and the heads on it.

    Of the R-CNNs these are the heads that propose regions; RetinaNet, FCOS and SSD have no other.
    """

    def forward(self, images: Tensor) -> dict[str, Any]:
        """The maps of the pyramid by their names, and what the heads make of them."""
        detector: Any = self
        features = detector.backbone(self._normalised(images))
        if isinstance(features, Tensor):  # a backbone without a pyramid
            features = {"0": features}
        maps = list(features.values())
        heads = detector.rpn.head(maps) if hasattr(self, "rpn") else detector.head(maps)
        return {"features": dict(features), "heads": heads}

    def _normalised(self, images: Tensor) -> Tensor:
        """As the detector's own transform does, at the size that the images have."""
        transform: Any = self.transform
        normal = [transform.normalize(image) for image in images]
        batch: Tensor = transform.batch_images(normal, size_divisible=transform.size_divisible)
        return batch
