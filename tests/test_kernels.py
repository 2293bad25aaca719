"""Kernel files: what is read, and how a fault is named."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from cnnviz.errors import KernelError
from cnnviz.kernels import MAX_FILE_BYTES, file_name, load_kernel, parse_kernel, read_kernel
from tests.linear import parsed


def test_decimals_are_exact() -> None:
    kernel = parsed('{"weights": [[0.1, 0.2], [-1e-1, 3]], "divisor": 0.4}')
    assert kernel.weights[0][0] == Fraction(1, 10)
    assert kernel.denominator == 4
    assert kernel.numerators == ((1, 2), (-1, 30))
    assert kernel.sum == 8


def test_bare_matrix_takes_the_file_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text("[[1, 0, -1]]")
    kernel = read_kernel(path)
    assert (kernel.name, kernel.shape) == ("mine", (1, 3))


def test_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(b"\xef\xbb\xbf[[1]]")
    assert read_kernel(path).shape == (1, 1)


def test_flipped_turns_by_180_degrees() -> None:
    kernel = parsed("[[1, 2, 3], [4, 5, 6]]").flipped
    assert kernel.rounded == [[6, 5, 4], [3, 2, 1]]


def test_split_keeps_fractions_whose_integers_do_not_fit() -> None:
    kernel = parsed('{"weights": [[0.123456789, 1]], "offset": 5}')
    whole, divisor = kernel.split(2**24)
    assert divisor == 1
    assert whole.rounded == [[0.123456789, 1.0]]
    assert whole.offset == 0
    whole, divisor = kernel.split(2**53)
    assert (whole.rounded, divisor) == ([[123456789.0, 1e9]], 10**9)


def test_split_keeps_fractions_whose_denominator_does_not_fit() -> None:
    whole, divisor = parsed("[[1e-9, 0]]").split(2**24)
    assert (whole.rounded, divisor) == ([[1e-9, 0.0]], 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('[[1, "2"]]', 'weight in row 1, column 2 is "2", not a number', id="string"),
        pytest.param("[[1, 2], [3, true]]", "row 2, column 2 is true, not a number", id="boolean"),
        pytest.param("[[1], [null]]", "row 2, column 1 is null, not a number", id="null"),
        pytest.param("[[[1]]]", r"row 1, column 1 is \[.*\], not a number", id="nested"),
        pytest.param("[[1, 2], [3]]", "row 2 has 1 weights but row 1 has 2", id="ragged"),
        pytest.param("[[1], 2]", "row 2 is .*2.*, not a list", id="bare number as a row"),
        pytest.param("[[], []]", "row 1 is empty", id="empty row"),
        pytest.param("[]", "give rows of numbers", id="empty"),
        pytest.param("7", "give rows of numbers", id="a number"),
        pytest.param("{}", '"weights" is missing', id="no weights"),
        pytest.param("[[1, NaN]]", "NaN is not a number", id="NaN"),
        pytest.param("[[Infinity]]", "Infinity is not a number", id="infinity"),
        pytest.param("[[1e39]]", "row 1, column 1 is 1E.39; in float32", id="too large"),
        pytest.param("[[1e-400]]", "in float32 it must be 0 or at least", id="too small"),
        pytest.param("[[1e-999999999]]", "in float32 it must be", id="absurd exponent"),
        pytest.param("[[1e9999999999999999999999]]", "too large or too small", id="absurd digits"),
        pytest.param(f"[[{'9' * 5000}]]", "has 5000 digits; the limit is 100", id="many digits"),
        pytest.param(
            '{"weights": [[3e38]], "divisor": 2e-38}', "change the divisor", id="quotient"
        ),
        pytest.param(
            '{"weights": [[2e-38]], "divisor": 9e9}', "change the divisor", id="vanishing"
        ),
        pytest.param('{"weights": [[1]], "divisor": 0}', "divisor is 0", id="divisor 0"),
        pytest.param('{"weights": [[1]], "divisor": "2"}', 'divisor is "2"', id="divisor text"),
        pytest.param('{"weights": [[1]], "name": 3}', "name is .*3.*, not text", id="name number"),
        pytest.param('{"wieghts": [[1]]}', "did you mean 'weights'", id="misspelt key"),
        pytest.param('{"weights": [[1]], "anchor": 1}', 'unknown key "anchor"', id="unknown key"),
        pytest.param('{"weights": [[1]], "weights": [[2]]}', '"weights" appears twice', id="twice"),
        pytest.param("[[1, 2]\n[3, 4]]", "line 2, column 1", id="not JSON"),
        pytest.param("[" * 100_000, "nested too deeply|not JSON", id="deep"),
        pytest.param(f"[{[1] * 1024}]", "limit is 1023 a side", id="too wide"),
    ],
)
def test_fault_is_named_in_one_line(text: str, message: str) -> None:
    with pytest.raises(KernelError, match=message) as caught:
        parse_kernel(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("sobelx", "did you mean sobel_x", id="near"),
        pytest.param("SOBEL_Y", "did you mean sobel_y", id="capitals"),
        pytest.param("zzzzzzz", "`cnnviz kernels` lists them", id="far"),
        pytest.param("nowhere.json", "nowhere.json: there is no such file", id="missing file"),
    ],
)
def test_unknown_kernel_is_named(name: str, message: str) -> None:
    with pytest.raises(KernelError, match=message):
        load_kernel(name)


def test_other_files_than_kernels_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder.json"
    folder.mkdir()
    large, binary = tmp_path / "large.json", tmp_path / "binary.json"
    large.write_bytes(b" " * (MAX_FILE_BYTES + 1))
    binary.write_bytes(b"[[1]]\xff")
    for path, message in [(folder, "not a regular file"), (large, "1,000,000"), (binary, "UTF-8")]:
        with pytest.raises(KernelError, match=message):
            read_kernel(path)


def test_magnitude_of_a_name_a_matrix_and_a_kernel() -> None:
    parts = '["roberts_x", [[0, 1], [-1, 0]], {"weights": [[1, 1], [1, 1]], "divisor": 4}]'
    kernel = parse_kernel(f'{{"magnitude": {parts}, "title": "three"}}', "mine")
    assert (kernel.name, kernel.title, kernel.shape) == ("mine", "three", (2, 2))
    assert [part.name for part in kernel.parts] == ["roberts_x", "part 2", "part 3"]
    assert not kernel.zero_sum


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        pytest.param('"sobel_x"', "list 2 to 16 kernels", id="not a list"),
        pytest.param('["sobel_x"]', "list 2 to 16 kernels", id="one"),
        pytest.param('["sobel_x", "soble_y"]', "part 2 .* did you mean sobel_y", id="unknown"),
        pytest.param('["sobel_x", "other.json"]', 'part 2 .* "other.json"', id="file"),
        pytest.param('["sobel_x", "sobel"]', "part 2 .* is a magnitude itself", id="nested"),
        pytest.param('["sobel_x", [[1, "a"]]]', "part 2 .* row 1, column 2", id="bad weight"),
        pytest.param('["sobel_x", "sobel_x_5"]', "is 5x5 but sobel_x is 3x3", id="shapes"),
        pytest.param('["emboss_gray", "sobel_x"]', "has the offset 128", id="offset"),
        pytest.param('["sobel_x", {"weight": [[1]]}]', "did you mean 'weights'", id="key"),
    ],
)
def test_faults_of_a_magnitude_are_named(parts: str, message: str) -> None:
    with pytest.raises(KernelError, match=message):
        parse_kernel(f'{{"magnitude": {parts}}}')


def test_a_magnitude_takes_no_divisor() -> None:
    with pytest.raises(KernelError, match='unknown key "divisor"; there are magnitude, name'):
        parse_kernel('{"magnitude": ["sobel_x", "sobel_y"], "divisor": 2}')


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("a\\b:c*\x00\n\u202e", "a_b_c_"),
        ("커널 하나", "커널_하나"),
        ("n" * 5000, "n" * 100),
        ("가" * 5000, "가" * 33),
        ("\ud800", "_"),
    ],
    ids=ascii,
)
def test_a_name_becomes_a_file_name_that_stays_in_its_folder(name: str, expected: str) -> None:
    kernel = parse_kernel(json.dumps({"weights": [[1]], "name": name}))
    assert file_name(kernel) == expected


def test_a_control_character_is_named_once() -> None:
    with pytest.raises(KernelError, match="Invalid control character at line 1, column 21"):
        parse_kernel('{"weights": 1, "a": "\n"}'.replace('"a": ', '"a":'))
