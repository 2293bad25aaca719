"""Kernels of which a test needs the weights."""

from cnnviz.kernels import Kernel, load_kernel, parse_kernel


def loaded(name: str) -> Kernel:
    kernel = load_kernel(name)
    assert isinstance(kernel, Kernel)
    return kernel


def parsed(text: str) -> Kernel:
    kernel = parse_kernel(text)
    assert isinstance(kernel, Kernel)
    return kernel
