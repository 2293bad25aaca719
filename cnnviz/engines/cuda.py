"""Correlation by torch's Conv2d on a CUDA device, where it sums directly.

cuDNN, which chooses its algorithm by size (Winograd's and Fourier transforms among them), and
TF32, which rounds factors to 11 bits, are switched off for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.engines import borders, torch_pools
from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from cnnviz.engines import Image, Window
    from cnnviz.engines.pools import Pool
    from cnnviz.kernels import Kernel


class OnDevice:
    """An engine as the modules of this room are, bound to one of torch's devices."""

    KEEPS_INTEGERS = True
    __name__ = __name__

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def correlate(self, image: Image, kernel: Kernel, window: Window) -> Image:
        """Unflipped kernel over each channel; (H, W, C) in and out, in the image's float dtype."""
        import torch

        rows, columns = window.fitted(kernel.shape, image.shape)
        padded = borders.padded(image, rows, columns, window.border).transpose(2, 0, 1)
        weights = torch.from_numpy(np.array(kernel.rounded, image.dtype))
        # Of a single channel torch would write every window out as a column of its own; two or
        # more it takes one by one, without.
        planes = np.repeat(padded, 2, axis=0) if image.shape[2] == 1 else padded
        with torch.inference_mode():
            total = torch.nn.functional.conv2d(
                torch.from_numpy(np.ascontiguousarray(planes))[None].to(self._device),
                weights.expand(len(planes), 1, -1, -1).contiguous().to(self._device),
                stride=window.stride,
                dilation=window.dilation,
                groups=len(planes),
            )[0, : image.shape[2]]
            result: Image = total.permute(1, 2, 0).contiguous().cpu().numpy()
        return result + result.dtype.type(kernel.offset) if kernel.offset else result

    @staticmethod
    def transform_error(kernel: Kernel, peak: float, dtype: np.dtype[np.floating]) -> float:
        """0: it sums directly."""
        return 0.0

    def pool(self, image: Image, how: Pool) -> Image:
        """Each window's value; (H, W, C) in and out, in the image's float dtype."""
        import torch

        how.output_size(image.shape)
        planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        with torch.inference_mode():
            result = torch_pools.pooled(planes.to(self._device), how.over(image.shape))[0]
            pixels: Image = result.permute(1, 2, 0).contiguous().cpu().numpy()
        return pixels

    @staticmethod
    def running_error(how: Pool, shape: tuple[int, ...], peak: float) -> float:
        """0: every window is summed by itself."""
        return 0.0

    @staticmethod
    @contextmanager
    def one_thread() -> Iterator[None]:
        """Nothing to hold back: the work is not done by threads of this process."""
        yield


@cache
def on_device(name: str) -> OnDevice:
    """The engine on the device called ``cuda`` or ``cuda:N``; the same object each time.

    Raises:
        UsageError: there is no such device.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for CPUs alone"
        raise UsageError(
            f"--device {name}: torch {torch.__version__}, built {built}, finds no CUDA device;"
            " leave --device out to use the CPU"
        )
    device = torch.device(name)
    if (device.index or 0) >= count:
        raise UsageError(f"--device {name}: there are {count}, cuda:0 to cuda:{count - 1}")
    torch.backends.cudnn.enabled = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return OnDevice(device)
