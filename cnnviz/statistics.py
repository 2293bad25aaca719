"""What values say: their range, a layer's sparsity, and what is wrong with a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# By torch's names of modules and of functions, in lower case.
RELU_LIKE = {"relu", "relu6", "threshold"}
BOUNDS = {
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
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


def channel_statistics(values: NDArray[Any], layer_type: str) -> list[dict[str, Any]]:
    """min, max, mean, sparsity and flags of each channel of (C, …) values.

    ``layer_type`` is the name of the module's class or of the function. The flags say what is
    wrong with one channel, for one image, which proves little. *dead*: no value above 0 after a
    ReLU; *constant*: all values equal (of more than one); *saturated*: over 99 % of a bounded
    activation's values within 1 % of its bounds; *nonfinite*: any NaN or Inf.
    """
    rows = values.reshape(len(values), -1)
    finite = np.isfinite(rows).all(axis=1)
    low, high = rows.min(axis=1), rows.max(axis=1)
    flags = {
        "dead": (layer_type.lower() in RELU_LIKE) & ~(rows > 0).any(axis=1),
        "constant": (rows.shape[1] > 1) & (low == high),
        "saturated": _are_saturated(rows, layer_type.lower()),
        "nonfinite": ~finite,
    }
    mean, sparsity = rows.mean(axis=1, dtype=np.float64), (rows == 0).mean(axis=1)
    return [
        (
            {
                "min": float(low[n]),
                "max": float(high[n]),
                "mean": float(mean[n]),
                "sparsity": float(sparsity[n]),
            }
            if finite[n]
            else _of_finite_values(rows[n])
        )
        | {"flags": [name for name, channels in flags.items() if channels[n]]}
        for n in range(len(rows))
    ]


def _of_finite_values(values: NDArray[Any]) -> dict[str, Any]:
    statistics: dict[str, Any] = layer_statistics(values)
    del statistics["std"]
    return statistics


def _are_saturated(rows: NDArray[Any], layer_type: str) -> NDArray[np.bool_]:
    if layer_type not in BOUNDS:
        return np.zeros(len(rows), np.bool_)
    low, high = BOUNDS[layer_type]
    near = NEAR_BOUND * (high - low)
    return np.asarray(((rows <= low + near) | (rows >= high - near)).mean(axis=1) > MOSTLY)
