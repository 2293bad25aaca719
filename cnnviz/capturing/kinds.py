"""The kind of a layer, by which layers are chosen: conv, relu, pool, norm, linear, attention."""

from __future__ import annotations

from torch import nn

KINDS = ("conv", "relu", "pool", "norm", "linear", "attention", "block", "function")

MODULES: dict[str, tuple[type[nn.Module], ...]] = {
    "attention": (nn.MultiheadAttention,),
    "conv": (nn.modules.conv._ConvNd,),
    "pool": (
        nn.modules.pooling._MaxPoolNd,
        nn.modules.pooling._AvgPoolNd,
        nn.modules.pooling._AdaptiveAvgPoolNd,
        nn.modules.pooling._AdaptiveMaxPoolNd,
        nn.modules.pooling._LPPoolNd,
    ),
    "norm": (
        nn.modules.batchnorm._NormBase,
        nn.GroupNorm,
        nn.LayerNorm,
        nn.RMSNorm,
        nn.LocalResponseNorm,
    ),
    "linear": (nn.Linear, nn.Bilinear),
}
NO_ACTIVATIONS = (nn.MultiheadAttention, nn.Softmax, nn.LogSoftmax, nn.Softmax2d)

# Beginnings of names of functions in torch and torch.nn.functional; further arithmetic is none.
FUNCTIONS = {
    "conv": ("conv",),
    "pool": ("max_pool", "avg_pool", "adaptive_", "lp_pool"),
    "norm": ("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"),
    "linear": ("linear", "bilinear"),
    "attention": ("scaled_dot_product_attention", "multi_head_attention"),
    "relu": (
        *("relu", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish"),
        *("hardswish", "hardtanh", "hardsigmoid", "tanh", "sigmoid", "softplus", "softsign"),
    ),
}


def kind_of_module(module: nn.Module) -> str:
    """One of ``KINDS``, or "other"."""
    for kind, types in MODULES.items():
        if isinstance(module, types):
            return kind
    name = type(module).__name__
    is_activation = type(module).__module__ == "torch.nn.modules.activation"
    if is_activation and not isinstance(module, NO_ACTIVATIONS):
        return "relu"
    if "Attention" in name:
        return "attention"
    if "Norm" in name and not any(module.children()):
        return "norm"
    return "block" if any(module.children()) else "other"


def kind_of_function(name: str) -> str:
    """One of ``KINDS``; "function" for what is none of the layers."""
    for kind, beginnings in FUNCTIONS.items():
        if name.startswith(beginnings):
            return kind
    return "function"
