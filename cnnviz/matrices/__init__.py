"""Small matrices as people write them: rows of exact numbers, channels, CSV files."""

from cnnviz.matrices.numbers import Number, divide, number_texts, parse_number, value_text
from cnnviz.matrices.reading import Maps, Matrix, is_table, parse_maps, read_maps, shape_of

__all__ = [
    "Maps",
    "Matrix",
    "Number",
    "divide",
    "is_table",
    "number_texts",
    "parse_maps",
    "parse_number",
    "read_maps",
    "shape_of",
    "value_text",
]
