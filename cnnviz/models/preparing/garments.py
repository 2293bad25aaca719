"""Any image of a garment as Fashion-MNIST shows its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from cnnviz.models.preparing.grays import border, brightness, fitted
from cnnviz.models.preparing.prepared import Prepared

if TYPE_CHECKING:
    from cnnviz.images import Picture

SIDE = 28
CLOSE = 0.05  # of black to white: what counts as ground, as the data set's makers chose it


def prepare(picture: Picture) -> Prepared:
    """The (1, 1, 28, 28) input for an image: a light garment on a ground of 0, at most 1.

    The image is made gray, inverted when its border is light (shops photograph on white, and
    Fashion-MNIST is the negative), its ground set to 0, the empty margins cut off, fitted to
    28x28 keeping its proportions, and centred. An image whose longer side is 28 keeps its
    margins: one of the data set, whose ground is black, stays as it is. Nothing is stretched
    and no mean is taken away, as in training.

    Source of the steps: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for
    Benchmarking Machine Learning Algorithms", 2017, section 2. Their sharpening is left out,
    and where they take every n-th pixel the pixels are averaged here.
    """
    gray, steps = brightness(picture)
    garment = _on_black(gray, steps)
    if max(garment.shape) != SIDE:
        garment = _trimmed(garment, steps)
    seen = _framed(fitted(garment, SIDE, steps).float(), steps)
    return Prepared(seen.reshape(1, 1, SIDE, SIDE), steps, blank=bool(seen.max() <= CLOSE))


def _on_black(image: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """The image from 0 to 1, with a ground of 0."""
    if border(image).median() > 0.5:
        steps.append("inverted (light ground)")
        image = 1 - image
    ground = float(border(image).median())
    if ground == 0:
        return image
    steps.append(f"ground of {ground:.1%} taken as black")
    on_black: torch.Tensor = ((image - ground) / (1 - ground)).clamp(min=0)
    return on_black


def _trimmed(image: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """Without the rows and columns at its edges that show nothing but ground."""
    rows, columns = torch.nonzero(image > CLOSE, as_tuple=True)
    if not len(rows):
        steps.append("all of one colour: no garment to see")
        return image
    (top, bottom), (left, right) = ((int(x.min()), int(x.max()) + 1) for x in (rows, columns))
    if (bottom - top, right - left) == image.shape:
        return image
    steps.append(f"empty margins cut off, {bottom - top}x{right - left} left")
    return image[top:bottom, left:right]


def _framed(image: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """Centred in 28x28 on 0; the odd row above, the odd column to the left, as in the data set."""
    height, width = image.shape
    if (height, width) == (SIDE, SIDE):
        return image
    steps.append(f"{height}x{width} centred in {SIDE}x{SIDE}")
    below, right = (SIDE - height) // 2, (SIDE - width) // 2
    return F.pad(image, (SIDE - width - right, right, SIDE - height - below, below))
