"""libtorch's C interface gives what torch's Python module gives, to the last bit."""

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz.engines import libtorch


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    opened = libtorch.open_library()
    if opened is None:
        pytest.skip("this torch has no such C interface")
    return opened


def depthwise(weights: np.ndarray, channels: int) -> np.ndarray:
    return np.repeat(weights[np.newaxis, np.newaxis], channels, axis=0)


def in_python(
    image: np.ndarray, weights: np.ndarray, stride: tuple[int, int], dilation: tuple[int, int]
) -> np.ndarray:
    """The same convolution by torch, on contiguous (1, C, H, W) and with no layout of ours."""
    pixels = torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0).contiguous()
    repeated = torch.from_numpy(weights).expand(image.shape[2], 1, -1, -1)
    result = torch.nn.functional.conv2d(
        pixels, repeated, stride=stride, dilation=dilation, groups=image.shape[2]
    )
    return result[0].permute(1, 2, 0).numpy()


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    channels=st.sampled_from([1, 3]),
    kernel=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_integers_give_the_same_values_as_torch(
    library: ctypes.CDLL,
    size: tuple[int, int],
    channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    dtype: type,
    seed: int,
) -> None:
    spans = [(kernel[i] - 1) * dilation[i] + 1 for i in (0, 1)]
    height, width = max(size[0], spans[0]), max(size[1], spans[1])
    random = np.random.default_rng(seed)
    image: np.ndarray = random.integers(-255, 256, (height, width, channels)).astype(dtype)
    weights: np.ndarray = random.integers(-9, 10, kernel).astype(dtype)
    result = libtorch.conv2d(library, image, depthwise(weights, channels), stride, dilation)
    assert result.dtype == dtype
    assert result.flags.c_contiguous
    assert np.array_equal(result, in_python(image, weights, stride, dilation))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("channels", "weights"),
    [
        pytest.param(3, (3, 1, 3, 3), id="depthwise"),
        pytest.param(1, (1, 1, 5, 5), id="one channel"),
        pytest.param(3, (3, 1, 9, 1), id="column"),
        pytest.param(16, (16, 16, 31, 3), id="16 columns as channels"),
        pytest.param(16, (16, 16, 1, 2), id="one row of them"),
    ],
)
def test_fractions_give_the_same_bits_as_the_python_fallback(
    library: ctypes.CDLL, channels: int, weights: tuple[int, ...], dtype: type
) -> None:
    from cnnviz.engines.torch import _conv2d_in_python, one_thread

    random = np.random.default_rng(0)
    image: np.ndarray = random.normal(size=(64, 80, channels)).astype(dtype)
    taps: np.ndarray = random.normal(size=weights).astype(dtype)
    for stride, dilation in (((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (2, 1))):
        with one_thread():
            result = libtorch.conv2d(library, image, taps, stride, dilation)
            expected = _conv2d_in_python(image, taps, stride, dilation)
        assert np.array_equal(result, expected)


def test_one_channel_with_a_stride_is_right(library: ctypes.CDLL) -> None:
    # In channels-last, torch 2.13 gives 5e+26 here.
    image = np.arange(28, dtype=np.float32).reshape(7, 4, 1)
    weights = np.ones((1, 1, 4, 4), np.float32)
    result = libtorch.conv2d(library, image, weights, (1, 3), (1, 1))
    assert result.ravel().tolist() == [float(sum(range(4 * r, 4 * r + 16))) for r in range(4)]


def test_a_refusal_is_an_error(library: ctypes.CDLL) -> None:
    image, weights = np.ones((2, 2, 1), np.float32), np.ones((1, 1, 3, 3), np.float32)
    with pytest.raises(RuntimeError, match="libtorch refused"):
        libtorch.conv2d(library, image, weights, (1, 1), (1, 1))


@pytest.mark.parametrize("found", ["no torch", "other version", "not a library", "no function"])
def test_surprises_mean_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: str) -> None:
    (tmp_path / "lib").mkdir()
    library = tmp_path / "lib" / libtorch.LIBRARY
    if found == "no function":
        library.symlink_to("/lib/x86_64-linux-gnu/libc.so.6")
    else:
        library.write_text("text")
    version = "2.99.0" if found == "other version" else "2.13.0"
    (tmp_path / "version.py").write_text(f"__version__ = '{version}'")
    monkeypatch.setattr(libtorch, "_folder", lambda: tmp_path)
    if found == "no torch":
        monkeypatch.undo()
        monkeypatch.setattr(libtorch, "find_spec", lambda _: None)
    libtorch._open_once.cache_clear()
    assert libtorch.open_library() is None
    libtorch._open_once.cache_clear()


PROGRAM = """
import sys
import numpy as np
import cnnviz
from cnnviz.engines import torch as engine
if {missing}:
    engine.libtorch.open_library = lambda: None
pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
done = cnnviz.filter_image(pixels, cnnviz.load_kernel("unsharp"))
print(done.verdict.bound.exact, "torch" in sys.modules, float(done.result.sum()))
"""


def test_filter_verifies_without_importing_torch_and_falls_back_to_it() -> None:
    lines = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM.format(missing=missing)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for missing in (False, True)
    ]
    assert [line[:2] for line in lines] == [["True", "False"], ["True", "True"]]
    assert lines[0][2] == lines[1][2]
