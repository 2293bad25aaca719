"""Engines that are wrong are found out, wherever and however little."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cnnviz import engines
from cnnviz.engines import ENGINES, Window
from cnnviz.errors import CnnvizError, DisagreementError
from cnnviz.filtering import filter_image
from cnnviz.kernels import Kernel, load_kernel
from tests.linear import loaded, parsed

PHOTO = np.random.default_rng(7).integers(0, 256, (41, 57, 3), dtype=np.uint8)


def doctor(monkeypatch: pytest.MonkeyPatch, name: str, wrong: Callable[..., np.ndarray]) -> None:
    """Put ``wrong(correlate, image, kernel, window)`` in an engine's place."""
    engine = engines.load(name)
    right = engine.correlate
    monkeypatch.setattr(engine, "correlate", lambda *arguments: wrong(right, *arguments))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kernel", ["sobel_x", "gaussian", "box", "farid_x"])
def test_one_value_off_by_one_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, kernel: str
) -> None:
    def off_by_one(correlate: Any, *arguments: Any) -> np.ndarray:
        result: np.ndarray = correlate(*arguments).copy()
        result[30, 20, 1] += 1
        return result

    doctor(monkeypatch, name, off_by_one)
    with pytest.raises(DisagreementError, match="row 30, column 20, channel 1"):
        filter_image(PHOTO, loaded(kernel))


def test_a_wrong_sign_is_found_though_the_magnitude_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doctor(monkeypatch, "torch", lambda correlate, *arguments: -correlate(*arguments))
    with pytest.raises(DisagreementError):
        filter_image(PHOTO, load_kernel("sobel"))


def test_one_wrong_value_in_the_second_part_of_a_magnitude_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def off_by_one(correlate: Any, image: Any, kernel: Kernel, window: Window) -> np.ndarray:
        result: np.ndarray = correlate(image, kernel, window).copy()
        result[3, 5, 2] += kernel.name == "prewitt_y"
        return result

    doctor(monkeypatch, "opencv", off_by_one)
    with pytest.raises(DisagreementError, match="row 3, column 5, channel 2"):
        filter_image(PHOTO, load_kernel("prewitt"))


def wrong_weight(correlate: Any, image: Any, kernel: Kernel, window: Window) -> np.ndarray:
    rows = [list(row) for row in kernel.weights]
    rows[0][0] += Fraction(1, 1000)
    changed = Kernel("wrong", tuple(map(tuple, rows)))
    return np.asarray(correlate(image, changed, window))


def flipped(correlate: Any, image: Any, kernel: Kernel, window: Window) -> np.ndarray:
    return np.asarray(correlate(image, kernel.flipped, window))


def other_border(correlate: Any, image: Any, kernel: Kernel, window: Window) -> np.ndarray:
    other = "replicate" if window.border != "replicate" else "zeros"
    return np.asarray(correlate(image, kernel, Window(other, window.padding, window.stride)))


@pytest.mark.parametrize("wrong", [wrong_weight, flipped, other_border])
@pytest.mark.parametrize("depth", ["uint8", "float32"])
def test_wrong_arithmetic_is_found(
    monkeypatch: pytest.MonkeyPatch, wrong: Callable[..., np.ndarray], depth: str
) -> None:
    doctor(monkeypatch, "torch", wrong)
    asymmetric = parsed("[[1, 2, 3, 4], [5, 6, 7, -8], [9, -10, 11, 12.5]]")
    pixels = PHOTO if depth == "uint8" else PHOTO.astype(np.float32) / np.float32(255)
    with pytest.raises(DisagreementError):
        filter_image(pixels, asymmetric)


def add_to_one_value(monkeypatch: pytest.MonkeyPatch, name: str, amount: float) -> None:
    """Doctor an engine so that it adds ``amount`` at row 30, column 20, channel 1."""

    def wrong(correlate: Any, *arguments: Any) -> np.ndarray:
        result: np.ndarray = correlate(*arguments).copy()
        result[30, 20, 1] += amount
        return result

    doctor(monkeypatch, name, wrong)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kernel", ["unsharp", "gaussian_5_sigma1", "farid_y"])
def test_one_value_off_by_one_is_found_at_16_bits(
    monkeypatch: pytest.MonkeyPatch, name: str, kernel: str
) -> None:
    add_to_one_value(monkeypatch, name, 1)
    with pytest.raises(DisagreementError, match="row 30, column 20, channel 1"):
        filter_image(PHOTO.astype(np.uint16) * 257, loaded(kernel))


@pytest.mark.parametrize("name", ENGINES)
def test_one_value_off_by_one_is_found_beside_nan(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pixels = PHOTO.astype(np.float32)
    pixels[0, 0] = np.nan
    add_to_one_value(monkeypatch, name, 1)
    with pytest.raises(DisagreementError, match="row 30, column 20, channel 1"):
        filter_image(pixels, loaded("sobel_x"))


def test_one_huge_pixel_does_not_hide_what_is_wrong_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = PHOTO.astype(np.float32) / np.float32(255)
    pixels[0, 0] = 1e8
    add_to_one_value(monkeypatch, "torch", 0.01)
    with pytest.raises(DisagreementError, match="row 30, column 20, channel 1"):
        filter_image(pixels, loaded("farid_x"))


def test_a_library_s_own_error_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> np.ndarray:
        raise MemoryError("1e12 bytes")

    doctor(monkeypatch, "torch", fail)
    with pytest.raises(CnnvizError, match=r"^torch failed: MemoryError: 1e12 bytes$"):
        filter_image(PHOTO, loaded("box"))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("depth", ["uint8", "float32"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_an_engine_that_computes_nothing_sensible_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, depth: str, value: float
) -> None:
    doctor(monkeypatch, name, lambda correlate, *more: correlate(*more) * 0 + np.float32(value))
    pixels = PHOTO if depth == "uint8" else PHOTO.astype(np.float32) / np.float32(255)
    with pytest.raises(DisagreementError):
        filter_image(pixels, loaded("farid_x"))
