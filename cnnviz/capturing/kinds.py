"""The kind of a layer, by which layers are chosen: conv, relu, pool, norm, linear, attention."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from cnnviz.models.programs.operations import Operation

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
BY_NAME = " by name"  # of a class that is not torch's, which may be a block of that name
OWN_ACTIVATIONS = ("relu", "gelu", "swish", "silu", "mish", "sigmoid", "tanh", "activation")

# Beginnings of names of functions in torch and torch.nn.functional, and of the operations below
# them; further arithmetic is none.
FUNCTIONS = {
    "conv": ("conv", "mkldnn_conv", "cudnn_conv", "thnn_conv"),
    "pool": ("max_pool", "avg_pool", "adaptive_", "lp_pool"),
    "norm": (
        *("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "native_batch"),
        *("native_layer", "native_group", "cudnn_batch", "local_response"),
    ),
    "linear": ("linear", "bilinear", "addmm"),
    "attention": ("scaled_dot_product", "multi_head_attention"),
    "relu": (
        *("relu", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish"),
        *("hardswish", "hardtanh", "hardsigmoid", "tanh", "sigmoid", "softplus", "softsign"),
        *("rrelu", "logsigmoid", "log_sigmoid", "threshold", "glu", "hardshrink", "softshrink"),
    ),
}


def contains_layers(module: nn.Module) -> bool:
    """Whether it is made of other layers; what computes a layer's weights is none."""
    if is_parametrized(module):
        return bool({*dict(module.named_children())} - {"parametrizations"})
    return any(module.children())


def torch_type(module: nn.Module) -> type:
    """The module's class; of a part of an exported program the class that it was, of torch's."""
    kind = type(module)
    if kind.__module__.startswith("torch.nn.modules."):
        return getattr(nn, kind.__name__, kind)
    return kind


def kind_of_module(module: nn.Module) -> str:
    """One of ``KINDS``, or "other"."""
    known = _kind_of_type(torch_type(module))
    if (known == "other" or known.endswith(BY_NAME)) and contains_layers(module):
        return "block"
    if isinstance(module, Operation):
        return kind_of_function(type(module).__name__)
    return known.removesuffix(BY_NAME)


def _kind_of_type(kind: type) -> str:
    for name, types in MODULES.items():
        if issubclass(kind, types):
            return name
    if "Attention" in kind.__name__:
        return "attention"
    is_activation = kind.__module__ == "torch.nn.modules.activation"
    if is_activation and not issubclass(kind, NO_ACTIVATIONS):
        return "relu"
    if kind.__name__.lower().endswith(OWN_ACTIVATIONS):
        return "relu" + BY_NAME
    return "norm" + BY_NAME if "Norm" in kind.__name__ else "other"


def kind_of_function(name: str) -> str:
    """One of ``KINDS``; "function" for what is none of the layers."""
    for kind, beginnings in FUNCTIONS.items():
        if name.startswith(beginnings):
            return kind
    return "function"
