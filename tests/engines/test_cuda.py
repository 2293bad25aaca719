"""torch on a device: the same sums, tried here on the CPU as a device, on CUDA where it is."""

from typing import Any

import numpy as np
import pytest
import torch

from cnnviz import engines
from cnnviz.engines import BORDERS, Pool, Window, cuda
from cnnviz.errors import UsageError
from cnnviz.filtering import FilterOptions, filter_image
from cnnviz.kernels import Kernel
from tests.linear import loaded, parsed

RANDOM = np.random.default_rng(11)
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("border", BORDERS)
def test_integers_are_exact_on_a_device(
    device: str, channels: int, dtype: str, border: str
) -> None:
    image = RANDOM.integers(0, 256, (23, 31, channels)).astype(dtype)
    kernel = parsed(str(RANDOM.integers(-9, 10, (4, 5)).tolist()))
    window = Window(border, (2, 3), (1, 2), (2, 1))
    result = cuda.OnDevice(torch.device(device)).correlate(image, kernel, window)
    assert result.dtype == image.dtype
    assert np.array_equal(result, engines.load("opencv").correlate(image, kernel, window))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "how",
    [
        *(Pool(mode, (3, 2), padding=(1, 1)) for mode in ("max", "avg", "min")),
        Pool("lp", (3, 2)),
        Pool("avg", None),
    ],
    ids=lambda how: str(how.name),
)
def test_pools_are_the_same_on_a_device(device: str, how: Pool) -> None:
    image = RANDOM.integers(0, 256, (23, 31, 3)).astype("float64")
    result = cuda.OnDevice(torch.device(device)).pool(image, how)
    np.testing.assert_allclose(result, engines.load("opencv").pool(image, how), rtol=1e-14)


def test_the_engine_of_a_device_takes_torch_s_place(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Recorded(cuda.OnDevice):
        def correlate(self, image: Any, kernel: Kernel, window: Window) -> Any:
            seen.append(kernel.name)
            return super().correlate(image, kernel, window)

    engine = Recorded(torch.device("cpu"))
    monkeypatch.setattr(cuda, "on_device", lambda _: engine)
    pixels = RANDOM.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    done = filter_image(pixels, loaded("box"), FilterOptions(device="cuda:1"))
    assert seen == ["box"]
    assert done.verdict is not None
    assert done.verdict.bound.exact


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--device cuda: torch .* finds no CUDA device"):
        FilterOptions(device="cuda")


def test_a_device_is_of_no_use_to_opencv() -> None:
    with pytest.raises(UsageError, match="device is 'cuda', which is torch's"):
        FilterOptions(device="cuda", engines=("opencv",))
