"""filter_image: both engines, every rule of the agreement, and engines that are wrong."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cnnviz.engines import BORDERS, ENGINES, Window
from cnnviz.errors import CnnvizError, ShapeError, UsageError
from cnnviz.filtering import FilterOptions, filter_image
from cnnviz.kernels import Kernel, kernel_names, load_kernel
from tests.linear import loaded, parsed

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
        loaded("laplacian_8"),
        Window("zeros"),
        channels="mean",
        engines=(engine,),
    )
    assert np.array_equal(result[:, :, 0], (RGB_TIMES_3 / 3).astype(np.float32))
    assert result[0, 0, 0] == pytest.approx(771.33, abs=0.01)


def test_mean_over_channels_is_verified_as_exact() -> None:
    options = FilterOptions(Window("zeros"), channels="mean")
    verdict = filter_image(RGB, loaded("laplacian_8"), options).verdict
    assert verdict is not None
    assert verdict.bound.exact
    assert verdict.max_abs_diff == 0


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 2), (2, 1), (3, 200)])
def test_tiny_images_are_verified_at_every_border(border: str, shape: tuple[int, int]) -> None:
    pixels = RANDOM.integers(0, 256, (*shape, 3), dtype=np.uint8)
    done = filter_image(pixels, loaded("unsharp"), FilterOptions(Window(border)))
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


@pytest.mark.parametrize("channels", ["each", "gray", "mean"])
@pytest.mark.parametrize(("name", "dtype"), [("sobel", np.float32), ("roberts", np.float64)])
def test_magnitude_is_the_length_of_the_gradient(name: str, channels: str, dtype: type) -> None:
    how: dict[str, Any] = {"channels": channels, "precision": np.dtype(dtype).name}
    across, down = (
        filtered(PHOTO, loaded(f"{name}_{axis}"), **how).astype(np.float64) for axis in "xy"
    )
    done = filter_image(PHOTO, load_kernel(name), FilterOptions(**how))
    expected: np.ndarray = np.sqrt(across**2 + down**2).astype(dtype)
    np.testing.assert_array_max_ulp(done.result, expected, 0 if dtype == np.float32 else 1)
    assert done.verdict is not None
    assert done.verdict.bound.exact
    assert done.verdict.values == done.result.size


def test_magnitude_of_a_step_by_hand() -> None:
    step = np.zeros((3, 3), np.uint8)
    step[2, 2] = 10
    result = filter_image(step, load_kernel("sobel"), FilterOptions(Window("zeros"))).result
    assert result[1, 1, 0] == np.float32(np.sqrt(10**2 + 10**2))
    assert result[2, 1, 0] == 20  # 2 * 10 to the right, nothing above or below
    assert result[0, 0, 0] == 0


@pytest.mark.parametrize("name", ["gaussian", "box", "box_5", "gaussian_5_sigma1", "unsharp"])
def test_fractions_of_integers_are_exact_on_integers(name: str) -> None:
    verdict = filter_image(PHOTO, loaded(name)).verdict
    assert verdict is not None
    assert verdict.bound.exact


def test_luminance_comes_first_for_gray() -> None:
    from PIL import Image

    gray = np.asarray(Image.fromarray(PHOTO).convert("L"))
    kernel = loaded("sobel_x")
    result = filtered(PHOTO, kernel, channels="gray")
    assert np.array_equal(result, filtered(gray, kernel))


def test_luminance_of_whole_floats_is_not_taken_for_whole() -> None:
    # 0.299 R + 0.587 G + 0.114 B has fractions, so the sums may be rounded in any order.
    wide = parsed(str(RANDOM.integers(-9, 10, (15, 15)).tolist()))
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
    dense = filtered(PHOTO, loaded("sobel_y"))
    strided = filtered(PHOTO, loaded("sobel_y"), Window(stride=(3, 2)))
    assert np.array_equal(strided, dense[::3, ::2])


def test_kernel_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="kernel spans 5 px but the padded input is 2 px"):
        filtered(PHOTO[:2], loaded("box_5"), Window(padding="valid"))


def test_windows_with_nan_are_left_out_and_counted() -> None:
    pixels = np.ones((9, 9, 1), np.float32)
    pixels[4, 4] = np.nan
    done = filter_image(pixels, loaded("laplacian"))
    assert done.verdict is not None
    assert done.verdict.agree
    # Zero weights count: OpenCV skips them, torch multiplies NaN by them.
    assert (done.verdict.nonfinite, done.verdict.values) == (9, 72)


@pytest.mark.parametrize("used", [ENGINES, ("opencv",)])
def test_sums_beyond_float32_are_refused(used: tuple[str, ...]) -> None:
    pixels = np.full((3, 3), 1e38)
    with pytest.raises(CnnvizError, match="use --precision float64"):
        filter_image(pixels, loaded("sharpen_8"), FilterOptions(engines=used))
    double = FilterOptions(precision="float64", engines=used)
    result = filter_image(pixels, loaded("sharpen_8"), double).result
    assert result[1, 1, 0] == pytest.approx(1e38)


def test_pixels_beyond_float32_are_refused_and_not_taken_for_infinite() -> None:
    with pytest.raises(CnnvizError, match="values beyond float32"):
        filter_image(np.array([[1.0, 1e300]]), loaded("identity"))


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        pytest.param(np.full((5, 5), 9, np.uint8), 128, id="8 bits"),
        pytest.param(np.full((5, 5), 9, np.uint16), 128 * 257, id="16 bits"),
        pytest.param(np.array([[-1.0, 4.1]] * 5), 128 * 5.1 / 255, id="floats, by their range"),
    ],
)
def test_offset_is_in_256ths_of_the_depth(pixels: np.ndarray, expected: float) -> None:
    kernel = parsed('{"weights": [[1, -1], [-1, 1]], "offset": 128}')
    result = filtered(pixels, kernel)
    assert result[2, 0, 0] == pytest.approx(expected, rel=1e-6)


def test_outcome_names_the_range_of_the_signed_result() -> None:
    done = filter_image(COUNT_TO_16.astype(np.uint8), loaded("laplacian_8"))
    assert done.range == (float(done.result.min()), float(done.result.max()))
    assert done.range[0] < 0 < done.range[1]


@pytest.mark.parametrize("channels", ["each", "mean"])
@pytest.mark.parametrize("border", BORDERS)
def test_nan_is_left_out_for_any_divisor_and_every_border(border: str, channels: str) -> None:
    kernel = parsed('{"weights": [[0.123456789012, 1, 0], [1, 2, 0.3]], "divisor": -16}')
    pixels = PHOTO.astype(np.float32) / np.float32(255)
    pixels[5, 7, 2] = np.nan
    verdict = filter_image(pixels, kernel, FilterOptions(Window(border), channels=channels)).verdict
    assert verdict is not None
    assert verdict.agree
    assert verdict.nonfinite == 6


def test_negative_pixels_count_by_their_size() -> None:
    pixels = np.full((4, 4), -(2.0**22), np.float32)
    verdict = filter_image(pixels, parsed("[[1, 1, 1, 1, 1]]")).verdict
    assert verdict is not None
    assert not verdict.bound.exact, "the sum of five passes 2^24"


def test_mean_sums_three_times_as_much() -> None:
    pixels = np.full((4, 4, 3), 2.0**22, np.float32)
    kernel = parsed("[[1, 1]]")
    for channels, exact in (("each", True), ("mean", False)):
        verdict = filter_image(pixels, kernel, FilterOptions(channels=channels)).verdict
        assert verdict is not None
        assert verdict.bound.exact == exact


def test_large_kernels_are_exact_in_float64_too() -> None:
    # filter2D's Fourier transform would be off by 0.25 here.
    rows = (RANDOM.integers(-(2**30), 2**30, (11, 11))).tolist()
    options = FilterOptions(precision="float64")
    verdict = filter_image(PHOTO, parsed(str(rows)), options).verdict
    assert verdict is not None
    assert (verdict.bound.exact, verdict.max_abs_diff) == (True, 0)


def test_range_is_that_of_the_finite_values() -> None:
    pixels = np.full((12_000, 200), np.nan, np.float32)
    pixels[:500] = 7
    assert filter_image(pixels, loaded("identity")).range == (7, 7)
    nothing = filter_image(np.full((3, 3), np.nan), loaded("identity"))
    assert nothing.range is None
    assert nothing.verdict is not None
    assert nothing.verdict.values == 0


def test_absurd_padding_is_refused_by_arithmetic() -> None:
    with pytest.raises(ShapeError, match="the limit is 1,000,000,000 pixels"):
        filtered(PHOTO, loaded("box"), Window(padding=(70_000, 70_000)))


def test_notes_example_of_003_by_conv2d_itself() -> None:
    import torch

    conv = torch.nn.Conv2d(3, 1, 3, padding=1, bias=False)
    weight = torch.tensor([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]) / 3
    with torch.no_grad():
        conv.weight.copy_(weight.expand(1, 3, 3, 3))
        theirs = conv(torch.from_numpy(RGB).permute(2, 0, 1)[None].float())[0, 0].numpy()
    ours = filtered(RGB, loaded("laplacian_8"), Window("zeros"), channels="mean")[:, :, 0]
    assert np.allclose(ours, theirs, rtol=0, atol=1e-3)
    assert (RGB.min(), RGB.max()) == (12, 242)


def test_average_pooling_of_the_notes_is_a_box_with_a_stride() -> None:
    summed = filtered(COUNT_TO_25.astype(np.uint8), matrix("1 0 / 0 1"), Window(padding="valid"))
    box = parsed('{"weights": [[1, 1], [1, 1]], "divisor": 4}')
    pooled = filtered(summed, box, Window(padding="valid", stride=(2, 2)))
    assert np.array_equal(pooled[:, :, 0], numbers("14 18 / 34 38"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FilterOptions(channels="grey"), "channels is 'grey'; it must be each or gray"),
        (lambda: FilterOptions(precision="float16"), "precision is 'float16'"),
        (lambda: FilterOptions(engines=()), "no engine is named"),
        (lambda: Window("mirror"), "no border is called 'mirror'"),
        (lambda: filter_image(np.zeros((2, 2, 4)), loaded("box")), r"shape \(2, 2, 4\)"),
        (lambda: filter_image(np.zeros(3), loaded("box")), r"shape \(3,\)"),
        (lambda: filter_image(np.zeros((2, 2), complex), loaded("box")), "complex128"),
    ],
)
def test_what_python_callers_get_wrong_is_said(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize(("channels", "terms"), [("each", 2), ("mean", 6)])
def test_bound_is_that_of_the_terms_that_are_summed(channels: str, terms: int) -> None:
    pixels = np.full((4, 4, 3), 0.3, np.float32)
    kernel = parsed("[[0.1, -0.2]]")
    verdict = filter_image(pixels, kernel, FilterOptions(channels=channels)).verdict
    assert verdict is not None
    roundings = (terms + 2) * 2.0**-24
    expected = 2 * roundings / (1 - roundings) * 0.3 * 0.3
    assert verdict.bound.tolerance == pytest.approx(expected, rel=1e-5)


def test_nan_between_the_taps_of_a_dilated_kernel_is_not_read() -> None:
    pixels = np.ones((20, 20), np.float32)
    pixels[10, 10] = np.nan
    window = Window(dilation=(2, 3))
    verdict = filter_image(pixels, loaded("box"), FilterOptions(window)).verdict
    assert verdict is not None
    assert verdict.agree
    assert verdict.nonfinite == 9
