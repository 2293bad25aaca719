"""The sheet of a kernel, and what stands on it."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz.figures.gallery import Exhibit
from cnnviz.figures.gallery_sheet import build as build_gallery
from cnnviz.figures.kernel import draw_kernel
from cnnviz.figures.kernel_sheet import build
from cnnviz.figures.responses import FREQUENCIES, frequency_response, probes, response
from cnnviz.figures.style import own_settings
from cnnviz.kernels import kernel_names, load_kernel


def test_a_dot_answers_with_the_kernel_turned() -> None:
    kernel = load_kernel("emboss")
    answer = response(kernel, probes(kernel)["a dot"])
    middle = len(answer) // 2
    around = answer[middle - 1 : middle + 2, middle - 1 : middle + 2]
    assert np.array_equal(around, np.array(kernel.parts[0].rounded)[::-1, ::-1])
    assert np.count_nonzero(answer) == np.count_nonzero(around)


def test_edges_and_lines_answer_where_they_are() -> None:
    kernel = load_kernel("sobel_x")
    answers = {name: response(kernel, picture) for name, picture in probes(kernel).items()}
    assert answers["a vertical edge"][0].tolist() == [0, 0, 0, 0, 4, 4, 0, 0, 0, 0, 0]
    assert answers["a vertical line"][5].tolist() == [0, 0, 0, 0, 4, 0, -4, 0, 0, 0, 0]
    assert not answers["a horizontal edge"].any()
    assert not answers["a horizontal line"].any()


@pytest.mark.parametrize("name", ["gaussian", "sobel_x", "emboss", "roberts_x", "motion_blur"])
def test_the_frequency_response_is_that_of_the_discrete_transform(name: str) -> None:
    kernel = load_kernel(name)
    size = FREQUENCIES - 1
    expected = np.abs(np.fft.fftshift(np.fft.fft2(kernel.parts[0].rounded, (size, size))))
    # Frequencies f and -f have one |H|; the transform has no sample at +1/2.
    np.testing.assert_allclose(
        frequency_response(kernel)[:-1, :-1], expected, atol=1e-12 * expected.max() * size
    )


def test_the_middle_of_the_response_is_the_sum() -> None:
    for name in kernel_names():
        kernel = load_kernel(name)
        length = sum(float(part.sum) ** 2 for part in kernel.parts) ** 0.5
        middle = FREQUENCIES // 2
        assert frequency_response(kernel)[middle, middle] == pytest.approx(length, abs=1e-9)


@pytest.mark.parametrize("name", ["gaussian", "sobel", "farid", "laplacian_of_gaussian"])
def test_the_sheet_says_what_is_known(name: str) -> None:
    kernel = load_kernel(name)
    with own_settings(["DejaVu Sans"]):
        said = " ".join(text.get_text() for text in build(kernel, {}).texts)
    assert kernel.title in said
    assert "frequency response" in said
    assert ("sum: " if len(kernel.parts) == 1 else "√(") in said
    assert "a horizontal line" in said


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_kernel_gives_the_same_bytes(suffix: str) -> None:
    first, second = (draw_kernel(load_kernel("sharpen"), suffix) for _ in range(2))
    assert first == second


def test_a_gallery_names_every_picture() -> None:
    exhibits = [
        Exhibit(f"k{n}", "|x|", np.full((20, 30, 1 + 2 * (n % 2)), n, np.uint8)) for n in range(11)
    ]
    with own_settings(["DejaVu Sans"]):
        figure = build_gallery(exhibits, "photo.jpg")
    said = [text.get_text() for text in figure.texts]
    assert said[0] == "11 kernels on photo.jpg"
    assert said[1:12] == [f"k{n}  |x|" for n in range(11)]
    assert len(figure.axes) == 11
