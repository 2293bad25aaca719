"""filter_image: both engines, every rule of the agreement, and engines that are wrong."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cnnviz import engines
from cnnviz.engines import BORDERS, ENGINES, Window
from cnnviz.errors import CnnvizError, DisagreementError, ShapeError
from cnnviz.filtering import FilterOptions, filter_image
from cnnviz.kernels import Kernel, kernel_names, load_kernel, parse_kernel

RANDOM = np.random.default_rng(7)
PHOTO = RANDOM.integers(0, 256, (41, 57, 3), dtype=np.uint8)


def numbers(text: str) -> np.ndarray:
    return np.array([[int(n) for n in row.split()] for row in text.split("/")])


def matrix(text: str) -> Kernel:
    rows = numbers(text)
    return Kernel("matrix", tuple(tuple(Fraction(int(w)) for w in row) for row in rows))


def filtered(
    pixels: np.ndarray, kernel: Kernel, window: Window | None = None, **more: Any
) -> np.ndarray:
    options = FilterOptions(window or Window(), **more)
    return filter_image(pixels, kernel, options).result


COUNT_TO_25 = np.arange(1, 26).reshape(5, 5)
COUNT_TO_16 = np.arange(1, 17).reshape(4, 4)
BITS = numbers("1 1 1 0 0 / 0 1 1 1 0 / 0 0 1 1 1 / 0 0 1 1 0 / 0 1 1 0 0")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("pixels", "kernel", "stride", "expected"),
    [
        pytest.param(BITS, "1 0 1 / 0 1 0 / 1 0 1", 1, "4 3 4 / 2 4 3 / 2 3 4", id="notes 001"),
        pytest.param(
            COUNT_TO_25,
            "1 0 / 0 1",
            1,
            "8 10 12 14 / 18 20 22 24 / 28 30 32 34 / 38 40 42 44",
            id="notes 004, filter 1",
        ),
        pytest.param(
            COUNT_TO_25,
            "1 0 / 1 1",
            1,
            "14 17 20 23 / 29 32 35 38 / 44 47 50 53 / 59 62 65 68",
            id="notes 004, filter 2",
        ),
        pytest.param(
            COUNT_TO_25,
            "1 0 / 0 0",
            1,
            "1 2 3 4 / 6 7 8 9 / 11 12 13 14 / 16 17 18 19",
            id="notes 004, filter 3",
        ),
        pytest.param(
            COUNT_TO_16, "1 0 / 0 1", 1, "7 9 11 / 15 17 19 / 23 25 27", id="notes 004, 4x4"
        ),
        pytest.param(COUNT_TO_16, "1 0 / 0 1", 2, "7 11 / 23 27", id="notes 004, stride 2"),
        pytest.param(
            numbers("50 52 49 / 51 200 53 / 48 49 52"),
            "-1 -1 -1 / -1 8 -1 / -1 -1 -1",
            1,
            "1196",
            id="notes 003, where 1195 is printed",
        ),
    ],
)
def test_sliding_window_examples(
    engine: str, pixels: np.ndarray, kernel: str, stride: int, expected: str
) -> None:
    window = Window(padding="valid", stride=(stride, stride))
    alone = filtered(pixels.astype(np.uint8), matrix(kernel), window, engines=(engine,))
    both = filtered(pixels.astype(np.uint8), matrix(kernel), window)
    assert np.array_equal(alone[:, :, 0], numbers(expected))
    assert np.array_equal(both, alone)


RGB = np.stack(
    [
        numbers("148 33 232 240 / 87 162 143 148 / 27 169 50 173 / 35 25 144 38"),
        numbers("63 158 46 102 / 80 193 139 137 / 53 192 29 114 / 138 77 90 153"),
        numbers("211 182 26 51 / 155 12 54 201 / 173 242 211 112 / 50 91 141 162"),
    ],
    axis=2,
).astype(np.uint8)
RGB_TIMES_3 = numbers(
    "2314 1233 477 2018 / 558 33 -527 2166 / 316 2465 -792 1352 / 735 -200 1162 1760"
)


@pytest.mark.parametrize("engine", ENGINES)
def test_mean_over_channels_is_the_sum_divided_once(engine: str) -> None:
    result = filtered(
        RGB,
        load_kernel("laplacian_8"),
        Window("zeros"),
        channels="mean",
        engines=(engine,),
    )
    assert np.array_equal(result[:, :, 0], (RGB_TIMES_3 / 3).astype(np.float32))
    assert result[0, 0, 0] == pytest.approx(771.33, abs=0.01)


def test_mean_over_channels_is_verified_as_exact() -> None:
    options = FilterOptions(Window("zeros"), channels="mean")
    verdict = filter_image(RGB, load_kernel("laplacian_8"), options).verdict
    assert verdict is not None
    assert verdict.bound.exact
    assert verdict.max_abs_diff == 0


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 2), (2, 1), (3, 200)])
def test_tiny_images_are_verified_at_every_border(border: str, shape: tuple[int, int]) -> None:
    pixels = RANDOM.integers(0, 256, (*shape, 3), dtype=np.uint8)
    done = filter_image(pixels, load_kernel("unsharp"), FilterOptions(Window(border)))
    assert done.result.shape == pixels.shape
    assert done.verdict is not None
    assert done.verdict.bound.exact


@pytest.mark.parametrize("name", kernel_names())
@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32", "float64"])
def test_every_kernel_is_verified_at_every_depth(name: str, depth: str) -> None:
    pixels = (PHOTO.astype(depth) * (257 if depth == "uint16" else 1)).astype(depth)
    if depth.startswith("float"):
        pixels = (pixels / pixels.dtype.type(255)) - pixels.dtype.type(0.3)
    done = filter_image(pixels, load_kernel(name))
    assert done.verdict is not None
    assert done.verdict.agree
    assert done.verdict.values == PHOTO.size


@pytest.mark.parametrize("name", ["gaussian", "box", "box_5", "gaussian_5_sigma1", "unsharp"])
def test_fractions_of_integers_are_exact_on_integers(name: str) -> None:
    verdict = filter_image(PHOTO, load_kernel(name)).verdict
    assert verdict is not None
    assert verdict.bound.exact


def test_luminance_comes_first_for_gray() -> None:
    from PIL import Image

    gray = np.asarray(Image.fromarray(PHOTO).convert("L"))
    kernel = load_kernel("sobel_x")
    result = filtered(PHOTO, kernel, channels="gray")
    assert np.array_equal(result, filtered(gray, kernel))


def test_luminance_of_whole_floats_is_not_taken_for_whole() -> None:
    # 0.299 R + 0.587 G + 0.114 B has fractions, so the sums may be rounded in any order.
    wide = parse_kernel(str(RANDOM.integers(-9, 10, (15, 15)).tolist()))
    pixels = PHOTO.astype(np.float32)
    verdict = filter_image(pixels, wide, FilterOptions(channels="gray")).verdict
    assert verdict is not None
    assert not verdict.bound.exact
    each = filter_image(pixels, wide).verdict
    assert each is not None
    assert each.bound.exact


def test_flip_is_correlation_with_the_turned_kernel() -> None:
    result = filtered(COUNT_TO_16.astype(np.uint8), matrix("1 2 / 3 4"), flip=True)
    turned = filtered(COUNT_TO_16.astype(np.uint8), matrix("4 3 / 2 1"))
    assert np.array_equal(result, turned)


def test_stride_takes_every_nth_row_and_column_of_the_dense_result() -> None:
    dense = filtered(PHOTO, load_kernel("sobel_y"))
    strided = filtered(PHOTO, load_kernel("sobel_y"), Window(stride=(3, 2)))
    assert np.array_equal(strided, dense[::3, ::2])


def test_kernel_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="kernel spans 5 px but the padded input is 2 px"):
        filtered(PHOTO[:2], load_kernel("box_5"), Window(padding="valid"))


def test_windows_with_nan_are_left_out_and_counted() -> None:
    pixels = np.ones((9, 9, 1), np.float32)
    pixels[4, 4] = np.nan
    done = filter_image(pixels, load_kernel("laplacian"))
    assert done.verdict is not None
    assert done.verdict.agree
    # Zero weights count: OpenCV skips them, torch multiplies NaN by them.
    assert (done.verdict.nonfinite, done.verdict.values) == (9, 72)


def test_sums_beyond_float32_are_refused() -> None:
    with pytest.raises(CnnvizError, match="use --precision float64"):
        filter_image(np.full((3, 3), 1e38), load_kernel("box_5"))
    double = FilterOptions(precision="float64")
    result = filter_image(np.full((3, 3), 1e38), load_kernel("box_5"), double).result
    assert result[1, 1, 0] == pytest.approx(1e38)


def test_pixels_beyond_float32_are_refused_and_not_taken_for_infinite() -> None:
    with pytest.raises(CnnvizError, match="values beyond float32"):
        filter_image(np.array([[1.0, 1e300]]), load_kernel("identity"))


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
        filter_image(PHOTO, load_kernel(kernel))


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
    asymmetric = parse_kernel("[[1, 2, 3, 4], [5, 6, 7, -8], [9, -10, 11, 12.5]]")
    pixels = PHOTO if depth == "uint8" else PHOTO.astype(np.float32) / np.float32(255)
    with pytest.raises(DisagreementError):
        filter_image(pixels, asymmetric)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        pytest.param(np.full((5, 5), 9, np.uint8), 128, id="8 bits"),
        pytest.param(np.full((5, 5), 9, np.uint16), 128 * 257, id="16 bits"),
        pytest.param(np.array([[-1.0, 4.1]] * 5), 128 * 5.1 / 255, id="floats, by their range"),
    ],
)
def test_offset_is_in_256ths_of_the_depth(pixels: np.ndarray, expected: float) -> None:
    kernel = parse_kernel('{"weights": [[1, -1], [-1, 1]], "offset": 128}')
    result = filtered(pixels, kernel)
    assert result[2, 0, 0] == pytest.approx(expected, rel=1e-6)


def test_outcome_names_the_range_of_the_signed_result() -> None:
    done = filter_image(COUNT_TO_16.astype(np.uint8), load_kernel("laplacian_8"))
    assert done.range == (float(done.result.min()), float(done.result.max()))
    assert done.range[0] < 0 < done.range[1]
