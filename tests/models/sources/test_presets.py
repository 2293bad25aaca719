from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from cnnviz.errors import ModelError, UsageError
from cnnviz.models.building.unallocated import unallocated
from cnnviz.models.preparing.preprocessing import as_seen, prepare
from cnnviz.models.preparing.recipes import seen_size
from cnnviz.models.sources.presets import of_timm, of_torchvision
from cnnviz.models.sources.torchvision import build, load_torchvision
from tests.models.pixels import noise, picture

HALF_A_LEVEL = 0.5 / 255
IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

IMAGES = [
    pytest.param(noise(231, 357), id="wide"),
    pytest.param(noise(402, 301), id="tall"),
    pytest.param(noise(61, 47), id="smaller than the crop"),
    pytest.param(noise(256, 256), id="square"),
]


@cache
def presets(kind: str) -> dict[str, Any]:
    """A model for each different preset of torchvision, and the preset."""
    models = load_torchvision().models
    different: dict[str, tuple[str, Any]] = {}
    for name in models.list_models():
        preset = models.get_model_weights(name).DEFAULT.transforms()
        if type(preset).__name__ == kind:
            different.setdefault(repr(preset), (name, preset))
    return dict(different.values())


@pytest.mark.parametrize("pixels", IMAGES[:3])
def test_every_classifier_of_torchvision_gets_exactly_its_own_input(
    pixels: NDArray[np.uint8],
) -> None:
    assert len(presets("ImageClassification")) > 20
    for name, preset in presets("ImageClassification").items():
        prepared = prepare(picture(pixels), of_torchvision(name))
        assert torch.equal(prepared.tensor[0], preset(Image.fromarray(pixels))), name


def test_every_classifier_of_torchvision_has_the_recipe_of_one_that_was_compared() -> None:
    compared = {of_torchvision(name) for name in presets("ImageClassification")}
    models = load_torchvision().models
    for name in models.list_models(module=models):
        kind = type(models.get_model_weights(name).DEFAULT.transforms()).__name__
        assert kind != "ImageClassification" or of_torchvision(name) in compared


@pytest.mark.parametrize("pixels", IMAGES)
def test_segmentation_of_torchvision_gets_its_whole_image(pixels: NDArray[np.uint8]) -> None:
    for name, preset in presets("SemanticSegmentation").items():
        how = of_torchvision(name)
        prepared = prepare(picture(pixels), how)
        assert torch.equal(prepared.tensor[0], preset(Image.fromarray(pixels)))
        assert seen_size(how, (pixels.shape[0], pixels.shape[1])) == prepared.tensor.shape[2:]


@pytest.mark.parametrize("pixels", IMAGES)
def test_video_of_torchvision_gets_one_image_as_a_clip(pixels: NDArray[np.uint8]) -> None:
    clip = torch.from_numpy(pixels).movedim(2, 0).expand(16, 3, *pixels.shape[:2])
    for name, preset in presets("VideoClassification").items():
        how = of_torchvision(name)
        prepared = prepare(picture(pixels), how)
        # torchvision rounds the resized frames to whole levels; here they keep their decimals.
        far = (prepared.tensor[0] - preset(clip.contiguous())).abs().max()
        assert far <= 1.001 * HALF_A_LEVEL / min(how.std), name
        assert how.size is not None
        assert as_seen(prepared.tensor, how).shape == (*how.size, 3)


DETECTORS = ["fasterrcnn_resnet50_fpn", "fasterrcnn_mobilenet_v3_large_320_fpn", "ssd300_vgg16"]


@pytest.mark.parametrize("name", [*DETECTORS, "ssdlite320_mobilenet_v3_large"])
def test_detector_of_torchvision_gets_what_its_first_step_makes(name: str) -> None:
    pixels = noise(231, 357)
    with unallocated() if name in DETECTORS else nullcontext():
        transform: Any = build(name).transform
    wanted = transform([torch.from_numpy(pixels).movedim(2, 0) / 255])[0].tensors
    how = of_torchvision(name)
    torch.testing.assert_close(prepare(picture(pixels), how).tensor, wanted, atol=2e-5, rtol=1e-5)
    assert seen_size(how, (231, 357)) == wanted.shape[2:]


TIMM = [
    pytest.param({}, id="center"),
    pytest.param({"interpolation": "bilinear", "crop_pct": 0.95}, id="bilinear"),
    pytest.param({"crop_pct": 1.15}, id="crop larger than the image"),
    pytest.param({"input_size": (3, 128, 96)}, id="not square"),
    pytest.param({"input_size": (3, 96, 128), "crop_pct": 1.0}, id="not square, whole"),
    pytest.param({"crop_mode": "squash", "crop_pct": 0.9}, id="squash"),
    pytest.param({"crop_mode": "squash", "input_size": (3, 128, 96), "crop_pct": 1}, id="squash 2"),
    pytest.param({"interpolation": "lanczos"}, id="lanczos"),
    pytest.param({"mean": (0.0,) * 3, "std": (1.0,) * 3}, id="no statistics"),
]


@pytest.mark.parametrize("pixels", IMAGES)
@pytest.mark.parametrize("settings", TIMM)
def test_model_of_timm_gets_exactly_its_own_input(
    settings: dict[str, Any], pixels: NDArray[np.uint8]
) -> None:
    assert torch.equal(*both(settings, pixels))


@pytest.mark.parametrize("pixels", IMAGES)
@pytest.mark.parametrize("share", [1.0, 0.9])
def test_border_of_timm_is_the_mean_colour_itself(pixels: NDArray[np.uint8], share: float) -> None:
    settings = {"crop_mode": "border", "crop_pct": share, **IMAGENET}
    ours, theirs = both(settings, pixels)
    inside = ours != 0
    assert torch.equal(ours[inside], theirs[inside])
    # timm fills with the nearest whole level.
    assert float((ours - theirs).abs().max()) <= 1.001 * HALF_A_LEVEL / min(IMAGENET["std"])


def both(settings: dict[str, Any], pixels: NDArray[np.uint8]) -> tuple[torch.Tensor, torch.Tensor]:
    """The input by our recipe and by timm's transforms."""
    load_torchvision()
    data = pytest.importorskip("timm.data")
    config = {"input_size": (3, 224, 224), "interpolation": "bicubic", "crop_pct": 0.875}
    config |= {"mean": (0.5,) * 3, "std": (0.5,) * 3, "crop_mode": "center"} | settings
    theirs = data.create_transform(**config)(Image.fromarray(pixels))
    return prepare(picture(pixels), of_timm(config)).tensor[0], theirs


def test_statistics_of_timm_for_another_count_of_channels_are_refused() -> None:
    with pytest.raises(UsageError, match=r"mean has 3 values and the input 1 channels"):
        of_timm({"input_size": (1, 28, 28)})


def test_way_of_timm_that_is_unknown_is_refused() -> None:
    with pytest.raises(UsageError, match=r"crop_mode is 'tile'; there is center, squash, border"):
        of_timm({"crop_mode": "tile"})


def test_model_that_torchvision_lacks_is_refused() -> None:
    with pytest.raises(ModelError, match=r"no weights for 'resnet19'"):
        of_torchvision("resnet19")


def test_optical_flow_sees_minus_1_to_1_at_a_size_it_can_take() -> None:
    how = of_torchvision("raft_small")
    assert (how.mean, how.std) == ((0.5,) * 3, (0.5,) * 3)
    assert how.size is not None
    assert [side % 8 for side in how.size] == [0, 0]
