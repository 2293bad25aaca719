"""Numbers are read exactly and written as people read them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cnnviz.errors import UsageError
from cnnviz.matrices import Number, divide, number_texts, parse_number, value_text

THIRD = Fraction(1, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("+3", 3),
        ("-0.5", Fraction(-1, 2)),
        ("−2", -2),
        (".25", Fraction(1, 4)),
        ("1/16", Fraction(1, 16)),
        ("6/3", 2),
        ("2.5e3", 2500),
        ("0.1", Fraction(1, 10)),
        ("1.000000000000000000e+00", 1),
    ],
)
def test_a_number_is_read_exactly(text: str, value: Number) -> None:
    found = parse_number(text)
    assert found == value
    assert isinstance(found, int) == (value == int(value))


@pytest.mark.parametrize(
    "text", ["", "x", "1/0", "nan", "inf", "1_000", "١", "1e400", "0x1", "1/-2"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"write 3, -0\.5 or 1/16"):
        parse_number(text)


def test_a_number_beyond_all_use_is_refused() -> None:
    with pytest.raises(UsageError, match="beyond 1e30"):
        parse_number("-1e31")


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        pytest.param([1, -2], ["1", "-2"], id="whole"),
        pytest.param([1, Fraction(1, 8)], ["1", "0.125"], id="decimals of three places"),
        pytest.param([1, Fraction(1, 8), Fraction(1, 16)], ["1", "1/8", "1/16"], id="fractions"),
        pytest.param([THIRD, Fraction(1, 2)], ["1/3", "1/2"], id="one style"),
        pytest.param([Fraction(1, 99991)], ["1.00009e-05"], id="a large denominator"),
        pytest.param([0.5, 0.0, 1e9], ["0.5000", "0", "1e+09"], id="floats"),
    ],
)
def test_numbers_together_have_one_style(values: list[Number], texts: list[str]) -> None:
    assert number_texts(values) == texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4, "4"),
        (Fraction(309, 16), "19.3125"),
        (Fraction(2314, 3), "2314/3 ≈ 771.333"),
        (Fraction(1, 99991), "≈ 1.00009e-05"),
        (0.25, "0.2500"),
    ],
)
def test_a_result_is_exact_or_says_that_it_is_not(value: Number, text: str) -> None:
    assert value_text(value) == text


def test_division_stays_exact() -> None:
    assert divide(10, 4) == Fraction(5, 2)
    assert isinstance(divide(12, 4), int)
    assert divide(0.5, 2) == 0.25
