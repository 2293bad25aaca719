"""What values say: their range, a layer's sparsity, and what is wrong with a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RELU_LIKE = {"ReLU", "ReLU6", "Threshold"}
BOUNDS = {
    "Tanh": (-1.0, 1.0),
    "Softsign": (-1.0, 1.0),
    "Sigmoid": (0.0, 1.0),
    "Hardsigmoid": (0.0, 1.0),
}
NEAR_BOUND = 0.01  # of the distance between the bounds
MOSTLY = 0.99


def finite_range(values: NDArray[Any]) -> tuple[float, float] | None:
    """Smallest and largest finite value; None where there is none."""
    low, high = float(values.min()), float(values.max())
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def layer_statistics(values: NDArray[Any]) -> dict[str, float | None]:
    """min, max, mean, std and sparsity (the share of exact zeros) over all finite values.

    ``None`` stands for a layer without a finite value.
    """
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return dict.fromkeys(("min", "max", "mean", "std", "sparsity"))
    return {
        "min": float(finite.min()),
        "max": float(finite.max()),
        "mean": float(finite.mean()),
        "std": float(finite.std()),
        "sparsity": float((finite == 0).mean()),
    }


def channel_statistics(channel: NDArray[Any], layer_type: str) -> dict[str, Any]:
    """min, max, mean and sparsity of one map, and its flags for a layer of ``layer_type``."""
    statistics: dict[str, Any] = layer_statistics(channel)
    del statistics["std"]
    statistics["flags"] = channel_flags(channel, layer_type)
    return statistics


def channel_flags(channel: NDArray[Any], layer_type: str) -> list[str]:
    """What is wrong with one map; one image proves little.

    *dead*: no value above 0 after a ReLU; *constant*: all values equal (of more than one);
    *saturated*: over 99 % of a bounded activation's values within 1 % of its bounds;
    *nonfinite*: any NaN or Inf.
    """
    flags = []
    if layer_type in RELU_LIKE and not (channel > 0).any():
        flags.append("dead")
    if channel.size > 1 and channel.max() == channel.min():
        flags.append("constant")
    if layer_type in BOUNDS and _share_near(channel, *BOUNDS[layer_type]) > MOSTLY:
        flags.append("saturated")
    if not np.isfinite(channel).all():
        flags.append("nonfinite")
    return flags


def _share_near(channel: NDArray[Any], low: float, high: float) -> float:
    near = NEAR_BOUND * (high - low)
    return float(((channel <= low + near) | (channel >= high - near)).mean())
