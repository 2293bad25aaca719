"""What an activation makes of one number: exact where the formula is, else a float."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import erf, exp, log1p, sqrt, tanh

from cnnviz.matrices import Number, divide
from cnnviz.matrices.numbers import exact

Function = Callable[[Number], Number]

LARGEST_EXPONENT = 700.0
SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def _clipped(low: int, high: int) -> Function:
    return lambda x: min(max(x, low), high)


def _scaled(x: Number, scale: Fraction) -> Number:
    return x * float(scale) if isinstance(x, float) else exact(Fraction(x) * scale)


def _leaky(x: Number) -> Number:
    return x if x >= 0 else _scaled(x, Fraction(1, 100))


def _hard_sigmoid(x: Number) -> Number:
    return divide(min(max(x + 3, 0), 6), 6)


def _hard_swish(x: Number) -> Number:
    return divide(x * min(max(x + 3, 0), 6), 6)


def _soft_sign(x: Number) -> Number:
    return x / (1 + max(x, -x)) if isinstance(x, float) else divide(x, 1 + max(x, -x))


def _sigmoid(x: Number) -> float:
    value = min(max(float(x), -LARGEST_EXPONENT), LARGEST_EXPONENT)
    return 1 / (1 + exp(-value)) if value >= 0 else exp(value) / (1 + exp(value))


def _soft_plus(x: Number) -> float:
    value = float(x)
    return max(value, 0.0) + log1p(exp(-abs(value)))


def _elu(x: Number) -> Number:
    return x if x > 0 else exp(float(x)) - 1


def _selu(x: Number) -> float:
    return SELU_SCALE * (float(x) if x > 0 else SELU_ALPHA * (exp(float(x)) - 1))


def _gelu(x: Number) -> float:
    return float(x) * (1 + erf(float(x) / sqrt(2))) / 2


FUNCTIONS: dict[str, Function] = {
    "relu": lambda x: max(x, 0),
    "relu6": _clipped(0, 6),
    "leakyrelu": _leaky,
    "elu": _elu,
    "selu": _selu,
    "celu": _elu,
    "gelu": _gelu,
    "silu": lambda x: float(x) * _sigmoid(x),
    "mish": lambda x: float(x) * tanh(_soft_plus(x)),
    "sigmoid": _sigmoid,
    "hardsigmoid": _hard_sigmoid,
    "logsigmoid": lambda x: -_soft_plus(-x),
    "tanh": lambda x: tanh(float(x)),
    "hardtanh": _clipped(-1, 1),
    "softplus": _soft_plus,
    "softsign": _soft_sign,
    "hardswish": _hard_swish,
    "dropout": lambda x: x,  # it only drops while a network is trained
}
FORMULAS = {
    "relu": "max(x, 0)",
    "relu6": "x, but at least 0 and at most 6",
    "leakyrelu": "x where it is positive, else x / 100",
    "sigmoid": "1 / (1 + e^-x)",
    "tanh": "(e^x - e^-x) / (e^x + e^-x)",
    "hardtanh": "x, but at least -1 and at most 1",
    "silu": "x * sigmoid(x)",
    "softplus": "log(1 + e^x)",
    "softmax": "e^x / the sum of all e^x",
    "dropout": "x: nothing is dropped outside of training",
}


def softmax(values: list[Number]) -> list[Number]:
    """Shares that add up to 1, larger for larger values."""
    top = max(values)
    powers = [exp(float(value - top)) for value in values]
    return [power / sum(powers) for power in powers]
