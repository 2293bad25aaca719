"""Symmetry, rank and factors of kernels, against numpy and against the weights themselves."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnviz.kernels import Kernel, kernel_names, load_kernel
from cnnviz.kernels.analysis import factors, rank, symmetries
from cnnviz.kernels.wording import separability_text, symmetry_text
from tests.linear import loaded, parsed

KERNELS = [part for name in kernel_names() for part in load_kernel(name).parts]
VECTORS = st.lists(st.integers(-9, 9), min_size=1, max_size=6).filter(any)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: str(kernel.name))
def test_rank_is_that_of_numpy_and_factors_give_the_weights_back(kernel: Kernel) -> None:
    expected = int(np.linalg.matrix_rank(np.array(kernel.rounded), tol=1e-9))
    assert rank(kernel) == expected
    found = factors(kernel)
    assert (found is not None) == (expected == 1)
    if found:
        product = [[Fraction(c * r) / found.divisor for r in found.row] for c in found.column]
        assert product == [[weight / kernel.divisor for weight in row] for row in kernel.weights]


@given(column=VECTORS, row=VECTORS, divisor=st.integers(-50, 50).filter(bool))
def test_a_product_of_vectors_is_found_to_be_one(
    column: list[int], row: list[int], divisor: int
) -> None:
    weights = tuple(tuple(Fraction(c * r) for r in row) for c in column)
    kernel = Kernel("product", weights, Fraction(divisor))
    found = factors(kernel)
    assert found
    assert np.gcd.reduce(found.column) == np.gcd.reduce(found.row) == 1
    assert found.divisor > 0
    assert [[Fraction(c * r) / found.divisor for r in found.row] for c in found.column] == [
        [Fraction(c * r, divisor) for r in row] for c in column
    ]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: str(kernel.name))
def test_symmetries_are_those_of_the_array(kernel: Kernel) -> None:
    weights = np.array(kernel.rounded)
    changed = {
        "left-right": np.fliplr(weights),
        "up-down": np.flipud(weights),
        "turned": np.rot90(weights, 2),
    }
    changed |= {"diagonal": weights.T} if weights.shape[0] == weights.shape[1] else {}
    found = symmetries(kernel)
    for name, other in changed.items():
        assert (found.get(name) == "same") == np.array_equal(weights, other), name
        if found.get(name) != "same":
            assert (found.get(name) == "negated") == np.array_equal(weights, -other), name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sobel_x", "column (1 2 1) × row (-1 0 1)"),
        ("gaussian", "column (1 2 1) × row (1 2 1) / 16"),
        ("line_vertical", "column (1 1 1) × row (-1 2 -1)"),
        ("laplacian", "no, rank 2"),
        ("motion_blur", "no, rank 9"),
    ],
)
def test_separability_in_words(name: str, text: str) -> None:
    assert separability_text(loaded(name)) == text


def test_long_factors_are_decimals() -> None:
    text = separability_text(loaded("farid_x"))
    assert text.startswith("about column (0.0376593 0.249153 0.426375 0.249153 0.0376593) × row (-")


def test_a_kernel_of_no_symmetry_and_one_of_zeros() -> None:
    assert symmetry_text(parsed("[[1, 2], [3, 5]]")) == "none"
    assert symmetry_text(parsed("[[1, 2], [2, 1], [1, 2], [2, 1]]")).startswith("same when turned")
    assert separability_text(parsed("[[0, 0]]")) == "no, rank 0"
