"""The shipped kernels against the notes and against OpenCV's own."""

import cv2
import numpy as np
import pytest

from cnnviz.kernels import Kernel, Magnitude, kernel_names, load_kernel
from tests.linear import loaded

FACTS = {
    "sobel_x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel_y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "prewitt_x": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "prewitt_y": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "laplacian": [[0, -1, 0], [-1, 4, -1], [0, -1, 0]],
    "laplacian_8": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "gaussian": [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}

COMPASS = ("n", "ne", "e", "se", "s", "sw", "w", "nw")

EXPECTED = [
    *("scharr_x", "scharr_y", "roberts_x", "roberts_y", "laplacian_of_gaussian", "gaussian_5"),
    *("box", "box_5", "sharpen_8", "unsharp", "motion_blur", "identity", *FACTS),
    *(f"{family}_{point}" for family in ("kirsch", "robinson") for point in COMPASS),
]


def rows(kernel: Kernel) -> np.ndarray:
    return np.array(kernel.rounded)


@pytest.mark.parametrize("name", kernel_names())
def test_kernel_says_what_it_is(name: str) -> None:
    kernel = load_kernel(name)
    assert kernel.name == name
    assert kernel.title
    assert kernel.description.endswith(".")
    assert kernel.source
    for part in kernel.parts:
        assert part.sum in {0, 1}, "a kernel keeps brightness or removes it"


def test_expected_kernels_ship() -> None:
    assert set(EXPECTED) <= set(kernel_names())


@pytest.mark.parametrize("name", FACTS)
def test_weights_of_the_notes(name: str) -> None:
    kernel = loaded(name)
    assert [[int(w) for w in row] for row in kernel.weights] == FACTS[name]
    assert kernel.divisor == (16 if name == "gaussian" else 1)


@pytest.mark.parametrize(
    ("name", "orders", "size"),
    [
        ("sobel_x", (1, 0), 3),
        ("sobel_y", (0, 1), 3),
        ("sobel_x_5", (1, 0), 5),
        ("sobel_y_5", (0, 1), 5),
        ("scharr_x", (1, 0), cv2.FILTER_SCHARR),
        ("scharr_y", (0, 1), cv2.FILTER_SCHARR),
    ],
)
def test_derivatives_are_opencv_s(name: str, orders: tuple[int, int], size: int) -> None:
    across, down = cv2.getDerivKernels(*orders, size)
    assert np.array_equal(rows(loaded(name)), down @ across.T)


@pytest.mark.parametrize(("name", "size"), [("gaussian", 3), ("gaussian_5", 5)])
def test_binomials_are_opencv_s_small_gaussians(name: str, size: int) -> None:
    line = cv2.getGaussianKernel(size, 0)
    assert np.array_equal(rows(loaded(name)), line @ line.T)


@pytest.mark.parametrize(("name", "size"), [("box", 3), ("box_5", 5)])
def test_boxes_are_averages(name: str, size: int) -> None:
    kernel = loaded(name)
    assert kernel.weights == ((1,) * size,) * size
    assert kernel.divisor == size * size


def test_unsharp_is_twice_the_image_minus_its_blur() -> None:
    blur, unsharp = rows(loaded("gaussian_5")), rows(loaded("unsharp"))
    impulse = np.zeros((5, 5))
    impulse[2, 2] = 1
    assert np.array_equal(unsharp, 2 * impulse - blur)


def turned(weights: np.ndarray) -> np.ndarray:
    """A 3x3 kernel's ring moved on by one place, clockwise."""
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    result = weights.copy()
    for here, there in zip(ring, ring[1:] + ring[:1], strict=True):
        result[there] = weights[here]
    return result


@pytest.mark.parametrize("family", ["kirsch", "robinson"])
def test_compass_sets_turn_clockwise_and_point_to_the_bright_side(family: str) -> None:
    kernels = [rows(loaded(f"{family}_{point}")) for point in COMPASS]
    assert kernels[0][0].min() > 0 > kernels[0][2].max(), "north is bright above"
    for kernel, successor in zip(kernels, kernels[1:] + kernels[:1], strict=True):
        assert np.array_equal(turned(kernel), successor)


@pytest.mark.parametrize(
    ("across", "down"),
    [
        ("sobel_x", "sobel_y"),
        ("sobel_x_5", "sobel_y_5"),
        ("prewitt_x", "prewitt_y"),
        ("scharr_x", "scharr_y"),
        ("farid_x", "farid_y"),
        ("frei_chen_x", "frei_chen_y"),
    ],
)
def test_derivatives_are_positive_where_it_gets_brighter_rightwards_or_downwards(
    across: str, down: str
) -> None:
    step = np.zeros((7, 7))
    step[:, 4:] = 1
    assert cv2.filter2D(step, -1, rows(loaded(across)))[3, 3] > 0
    assert cv2.filter2D(step.T, -1, rows(loaded(down)))[3, 3] > 0
    assert np.allclose(rows(loaded(down)), rows(loaded(across)).T)


@pytest.mark.parametrize("name", ["sobel", "prewitt", "scharr", "roberts", "farid"])
def test_gradients_are_the_length_of_their_pair(name: str) -> None:
    kernel = load_kernel(name)
    assert isinstance(kernel, Magnitude)
    assert kernel.parts == (loaded(f"{name}_x"), loaded(f"{name}_y"))
