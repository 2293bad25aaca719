"""torchvision's detectors, whose last step depends on what is in the image.

What slides over the maps (the heads of RetinaNet, FCOS and SSD, and the head that proposes
regions) runs as it does for an image. The heads of a region run on as many regions as the model
keeps at the most, cut out as large as its pooling does. Anchors, the choice of boxes and the
cutting are not run: they have no weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.summary.trace import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from cnnviz.summary.calls import Tracer


def note_of(model: nn.Module) -> str:
    """What is said of a detector's summary."""
    if not hasattr(model, "roi_heads"):
        return "the heads give a score and a box for every anchor; choosing among them is not run"
    kept = f"{_most(model, 'box'):,} proposals"
    if len(list(_kinds(model))) > 1:
        kept += f" and {_most(model, 'mask'):,} detections"
    return f"the heads of regions are counted for {kept}, the most that the model keeps"


def run_detector(model: Any, image: Tensor, tracer: Tracer) -> Any:
    """What the heads return; the image is taken as it is, without the model's own resizing."""
    found = model.backbone(image)
    maps = list(found.values()) if isinstance(found, dict) else [found]
    if not hasattr(model, "roi_heads"):
        return model.head(maps)
    model.rpn.head(maps)
    return [_run_regions(model, kind, maps, tracer) for kind in _kinds(model)]


def _kinds(model: Any) -> Iterator[str]:
    """What is said of a region: its box, and perhaps its mask or keypoints."""
    for kind in ("box", "mask", "keypoint"):
        if getattr(model.roi_heads, f"{kind}_roi_pool", None) is not None:
            yield kind


def _most(model: Any, kind: str) -> int:
    """How many regions of a kind the model keeps at the most."""
    rpn, heads = model.rpn, model.roi_heads
    return int(rpn._post_nms_top_n["testing"] if kind == "box" else heads.detections_per_img)


def _run_regions(model: Any, kind: str, maps: list[Tensor], tracer: Tracer) -> Any:
    heads, count = model.roi_heads, _most(model, kind)
    pool = getattr(heads, f"{kind}_roi_pool")
    regions = maps[0].new_zeros(count, maps[0].shape[1], *pool.output_size)
    shape = tuple(regions.shape)
    read = [trace.lost(shape) for each in maps if (trace := tracer.traces.get(each))]
    what = "proposals" if kind == "box" else "detections"
    tracer.batch, tracer.note = count, f"for each of {count:,} {what}"
    name = f"roi_heads.{kind}_roi_pool"
    tracer.stand_in(name, pool, regions, joined(read, shape))
    found = getattr(heads, f"{kind}_predictor")(getattr(heads, f"{kind}_head")(regions))
    tracer.batch, tracer.note = 1, ""
    return found
