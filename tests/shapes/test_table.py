"""Tables as plain text."""

from cnnviz.shapes.table import table_text


def test_columns_line_up_under_letters_that_take_two_columns() -> None:
    # Four syllables take eight columns of a terminal; é is here an e and an accent upon it.
    assert table_text([["합성곱층", "1"], ["cafe\u0301", "23"]], numbers={1}).splitlines() == [
        "  합성곱층   1",
        "  cafe\u0301      23",
    ]
