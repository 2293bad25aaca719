"""Two languages that say the same: no text is missing, no number is another, nothing leaks."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from threading import Thread

import pytest

import cnnviz
from cnnviz.kernels import kernel_names, load_kernel
from cnnviz.language import (
    LOCALES,
    SENTENCE_ENDS,
    described,
    legible,
    of_locale,
    say,
    speaking,
    spoken,
    titled,
)
from cnnviz.language.descriptions import SENTENCES
from cnnviz.language.korean import LETTERS, TEXTS
from cnnviz.language.titles import TITLES
from cnnviz.render import lettering
from cnnviz.step import painting
from tests.conftest import Run
from tests.language.fonts import korean_font

SOURCES = [path for path in Path(cnnviz.__file__).parent.rglob("*.py") if path.stem != "korean"]
HANGUL = re.compile(r"[가-힣]")

CHAIN = (
    "conv:8,k3,p1,s2 bn ln maxpool:k3,s2,ceil convt:4,k4,s3,p1,op1 adaptiveavgpool:7x7 relu"
    " upsample:2,bilinear upsample:2 pad:1 pad:0+1x2 cat[ sepconv:4,k4,psame / conv:2,k1 ]"
    " conv:4,k3,d2,s3 linear:5 avgpool:k1 adaptiveavgpool:2 gap flatten linear:10,nobias"
)
ALSO_GIVEN = {"unit", "count"}


def constants() -> set[str]:
    """Every text in the package's code; implicitly joined ones are one."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES)
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in nodes if isinstance(node.value, str)}


def assigned(tree: ast.AST) -> dict[str, set[str]]:
    """The texts that each name of a module is given, alone or in a table."""
    texts: dict[str, set[str]] = {}
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    attributes = {id(line) for node in classes for line in node.body}
    for node in ast.walk(tree):
        if id(node) in attributes:
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            value = node.value
            parts = value.values if isinstance(value, ast.Dict) else getattr(value, "elts", [value])
            found = {p.value for p in parts if isinstance(p, ast.Constant) and type(p.value) is str}
            for target in targets:
                texts.setdefault(getattr(target, "id", ""), set()).update(found)
    return texts


def said() -> Iterator[str]:
    """The texts that are handed to ``say``: as they are, by a name, or out of a table."""
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = assigned(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "say":
                continue
            first = node.args[0]
            if isinstance(first, ast.Subscript):
                first = first.value
            if isinstance(first, ast.Constant):
                yield str(first.value)
            elif isinstance(first, ast.Name):
                yield from texts.get(first.id, ())


def test_every_text_that_is_said_has_its_korean() -> None:
    texts = set(said())
    assert len(texts) > 50
    assert texts - TEXTS.keys() == set()


def test_every_korean_text_belongs_to_an_english_one_in_the_code() -> None:
    assert TEXTS.keys() - constants() == set()


@pytest.mark.parametrize("english", TEXTS, ids=str)
def test_korean_has_the_same_values(english: str) -> None:
    given, used = (
        {name for _, name, _, _ in Formatter().parse(text) if name}
        for text in (english, TEXTS[english])
    )
    assert used <= given | ALSO_GIVEN
    assert given - used <= {"stride", "unit", "each", "scale", "taps"}


def test_every_kernel_that_ships_has_a_korean_title_with_its_numbers() -> None:
    titles = {load_kernel(name).title for name in kernel_names()}
    assert set(TITLES) == titles
    for english, korean in TITLES.items():
        numbers = (re.findall(r"[0-9]+(?:x[0-9]+)?", title) for title in (english, korean))
        assert len({*map(tuple, numbers)}) == 1


def test_every_sentence_on_a_kernel_that_ships_has_its_korean_with_its_numbers() -> None:
    described_by = (load_kernel(name).description for name in kernel_names())
    assert set(SENTENCES) == {each for text in described_by for each in SENTENCE_ENDS.split(text)}
    for english, korean in SENTENCES.items():
        numbers = ({*re.findall(r"[0-9]+(?:x[0-9]+)?", text)} for text in (english, korean))
        before, after = numbers
        assert before <= after, english
        assert after - before <= {"2", "4", "8"}  # where English spells second and double


def test_a_description_of_ones_own_stays_as_it_is() -> None:
    with speaking("ko"):
        assert described("The weights sum to 1. Mine.") == "The weights sum to 1. Mine."
        assert described("The weights sum to 1.") == "가중치의 합은 1이다."


def test_a_title_of_ones_own_stays_as_it_is() -> None:
    with speaking("ko"):
        assert titled("Mine {of} braces") == "Mine {of} braces"
        assert titled("Identity") == "항등"


def explained(run: Run, *arguments: str) -> str:
    result = run("shape", *arguments, "--explain", "--flops")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("3x64x64", CHAIN), id="chain"),
        pytest.param(("300x400", "-k3", "-p1", "-s2"), id="layer"),
        pytest.param(("4x5x6x7", "conv3d:2,k3"), id="3-D"),
        pytest.param(("2x30", "conv1d:2,k3,s4", "res[ conv1d:2,k1 / ]"), id="1-D"),
    ],
)
def test_explanations_have_the_same_numbers_in_both_languages(
    run: Run, arguments: tuple[str, ...]
) -> None:
    english, korean = explained(run, *arguments), explained(run, *arguments, "--lang", "ko")
    assert not HANGUL.search(english)
    numbers = [Counter(re.findall(r"[0-9](?:[0-9,.]*[0-9])?", text)) for text in (english, korean)]
    assert numbers[0] == numbers[1]
    foreign = {*re.findall(r"[A-Za-z]{4,}", korean)} - {*re.findall(r"[A-Za-z]+", CHAIN)}
    assert foreign <= {"floor", "ceil", "torchvision", "FLOPs", "float", "SIZE", "flatten", "convd"}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--size", "4x4", "-k", "gaussian", "--bias", "-1/2"), id="divisor and bias"),
        pytest.param(
            ("--size", "5x5", "-k", "1 0; 0 1", "-k", "1 0; 1 1", "-p1", "--windows", "3"),
            id="maps and padding",
        ),
        pytest.param(
            ("--size", "5x5", "-k", "2x2", "--then", "maxpool", "--linear", "1 2 3 4"), id="layers"
        ),
        pytest.param(("--input", "1 2; 3 4 | 5 6; 7 8", "-k", "2x2"), id="channels"),
        pytest.param(("--size", "3x3", "-k", "2x2", "--blank", "--key"), id="worksheet"),
        pytest.param(("--size", "30x30", "-k", "2x2", "--windows", "1"), id="cut"),
        pytest.param(("--size", "2x2", "-k", "2x2", "--transposed", "-s3"), id="transposed"),
        pytest.param(("--size", "6x6", "-k", "3x3", "--visits", "-s2", "-d2"), id="visits"),
        pytest.param(("--reach", "2", "-k", "3x3", "-d2"), id="reach"),
        pytest.param(("--size", "6x7", "-k", "2x2", "--shift", "1x2"), id="shift"),
    ],
)
def test_steps_have_the_same_numbers_in_both_languages(
    run: Run, arguments: tuple[str, ...]
) -> None:
    english, korean = (run("step", *arguments, "--lang", lang).output for lang in ("en", "ko"))
    assert HANGUL.search(korean)
    assert not HANGUL.search(english)
    numbers = [Counter(re.findall(r"[0-9]+", text)) for text in (english, korean)]
    assert numbers[0] == numbers[1]
    foreign = {*re.findall(r"(?<![-\w])[A-Za-z]{4,}", korean)}
    assert foreign <= {"floor", "maxpool", "linear", "flatten", "gaussian", "POSITION", "ones"}
    documents = [run("step", *arguments, "--json", "--lang", lang).output for lang in ("en", "ko")]
    assert documents[0] == documents[1]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="window"),
        pytest.param(("--size", "4x4", "-k", "gaussian", "-p1", "-d2"), id="divisor"),
        pytest.param(("--input", "1 2; 3 4 | 5 6; 7 8", "-k", "2x2"), id="channels"),
        pytest.param(("--size", "9x9", "-k", "9x9"), id="many products"),
        pytest.param(("--size", "2x2", "-k", "2x2", "--transposed", "-s3"), id="transposed"),
        pytest.param(
            ("--size", "5x5", "-k", "2x2", "-k", "1", "--then", "relu maxpool"), id="refused"
        ),
        pytest.param(
            ("--size", "5x5", "-k", "2x2", "--then", "relu maxpool", "--linear", "1 2 3 4"),
            id="layers",
        ),
        pytest.param(
            (
                *("--size", "3x3", "-k", "2x2", "--then", "flatten", "--linear", "1 2 3 4"),
                "--blank",
            ),
            id="worksheet",
        ),
        pytest.param(("--size", "6x6", "-k", "3x3", "--visits", "-s2", "-d2"), id="visits"),
        pytest.param(("--size", "6x7", "-k", "2x2", "--shift", "1x2"), id="shift"),
    ],
)
def test_slides_have_the_same_numbers_in_both_languages(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    pictures, documents = [], []
    for lang in ("en", "ko"):
        drawn = run("step", *arguments, "--figure", f"{lang}.svg", "--lang", lang, "--json")
        documents.append(drawn.output.replace(f"{lang}.svg", "") + str(drawn.exit_code))
        written = tmp_path / f"{lang}.svg"
        svg = written.read_text(encoding="utf-8") if written.exists() else ""
        pictures.append(re.findall("<tspan[^>]*>([^<]*)", svg))
    if not pictures[0]:
        assert documents[0] == documents[1]
        return
    english, korean = (" ".join(texts) for texts in pictures)
    assert HANGUL.search(korean)
    assert not HANGUL.search(english)
    numbers = [Counter(re.findall(r"[0-9]+", text)) for text in (english, korean)]
    assert numbers[0] == numbers[1]
    foreign = {*re.findall(r"[A-Za-z]{4,}", korean)}
    assert foreign <= {"relu", "maxpool", "linear", "flatten"}


def test_without_a_korean_font_slides_are_english_which_is_said_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting, "_has_korean", lambda: False)
    names = ("--figure", "--gif")
    for lang in ("en", "ko"):
        files = (part for n in names for part in (n, f"{lang}.{n[2:].replace('figure', 'png')}"))
        result = run("step", *files, "--lang", lang)
        assert result.exit_code == 0
        assert result.stderr.count("no installed font has Korean letters") == (lang == "ko")
        assert bool(HANGUL.search(result.stdout)) == (lang == "ko")
    for kind in ("png", "gif"):
        assert (tmp_path / f"en.{kind}").read_bytes() == (tmp_path / f"ko.{kind}").read_bytes()


def test_the_letters_of_pillow_are_not_korean_and_those_of_a_korean_font_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    korean_font()
    assert lettering.has_letters(LETTERS)
    monkeypatch.setattr(lettering, "OTHERS", ())
    assert not lettering.has_letters(LETTERS)
    assert lettering.has_letters("plain")


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        pytest.param(("kernels", "show", "sobel_x_5"), {"separable"}, id="kernel"),
        pytest.param(("kernels", "show", "sobel"), {"sqrt"}, id="magnitude"),
        pytest.param(("kernels", "show", "kirsch_ne"), set(), id="not separable"),
        pytest.param(("kernels", "show", "line_diagonal_up"), set(), id="symmetric"),
        pytest.param(("pool", "--input", "1 2; 3 4"), set(), id="pooled matrix"),
        pytest.param(("pool", "--input", "1 2; 3 4", "--mode", "lp", "--p", "3"), set(), id="lp"),
        pytest.param(("pool", "digit_7.png", "-o", "r.png", "--overwrite"), set(), id="pool"),
        pytest.param(
            ("filter", "digit_7.png", "-k", "gaussian", "-o", "r.png", "--overwrite"),
            set(),
            id="filter",
        ),
        pytest.param(
            ("filter", "four_by_four.png", "-k", "laplacian_8", "--explain-borders"),
            {"reflect", "replicate", "wrap", "zeros"},
            id="borders",
        ),
        pytest.param(
            (
                *("filter", "four_by_four.png", "-k", "laplacian_8", "--channels", "mean"),
                "--explain-depth",
            ),
            {"Conv"},
            id="depth",
        ),
        pytest.param(
            ("filter", "digit_7.png", "-k", "laplacian_8", "--explain-depth"), {"Conv"}, id="gray"
        ),
        pytest.param(
            (
                *("step", "digit_7.png", "--model", "lenet", "--layer", "features.3"),
                *("--channel", "2", "--at", "1,5", "--windows", "2"),
            ),
            {"features", "float"},
            id="network",
        ),
    ],
)
def test_results_have_the_same_numbers_in_both_languages(
    run: Run, samples: Path, arguments: tuple[str, ...], own: set[str]
) -> None:
    given = [samples / each if each.endswith(("7.png", "four.png")) else each for each in arguments]
    english, korean = (run(*given, "--lang", lang).stdout for lang in ("en", "ko"))
    assert HANGUL.search(korean)
    assert not HANGUL.search(english)
    if "kernels" not in given:  # whose descriptions spell numbers, which is tested above
        numbers = [Counter(re.findall(r"[0-9]+", text)) for text in (english, korean)]
        assert numbers[0] == numbers[1]
        names = {*re.findall(r"[A-Za-z]{4,}", " ".join(map(str, given)))}
        foreign = {*re.findall(r"(?<![-\w])[A-Za-z]{4,}", korean)} - names
        assert foreign <= own | {"windows", "clip", "minmax", "torch", "maxpool", "box"}
    documents = [json.loads(run(*given, "--json", "--lang", lang).stdout) for lang in ("en", "ko")]
    for document in documents:
        for result in document.get("results", ()):
            result.pop("seconds", None)
    assert documents[0] == documents[1]


def test_json_and_errors_stay_english(run: Run) -> None:
    english, korean = (run("shape", "9x9", "--json", "--lang", lang) for lang in ("en", "ko"))
    assert json.loads(english.output) == json.loads(korean.output)
    refused = run("shape", "3x3", "-k7", "--lang", "ko")
    assert refused.exit_code == 2
    assert not HANGUL.search(refused.output)


def test_the_locale_chooses_where_no_option_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert "높이" in run("shape", "9x9").output
    assert "상자 블러" in run("kernels").output
    assert "입력" in run("step").output
    assert "검증" in run("pool", "--input", "1 2; 3 4").output
    assert "높이" not in run("shape", "9x9", "--lang", "en").output
    assert spoken() == "en"  # and nothing of it stays


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        pytest.param({"LANG": "ko_KR.UTF-8"}, "ko", id="Korea"),
        pytest.param({"LANG": "ko"}, "ko", id="Korean"),
        pytest.param({"LANG": "kok_IN"}, "en", id="Konkani"),
        pytest.param({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en", id="LC_ALL holds first"),
        pytest.param({"LANG": "en_US", "LC_MESSAGES": "ko_KR"}, "ko", id="messages before LANG"),
        pytest.param({"LC_ALL": "", "LANG": "ko_KR"}, "ko", id="empty is unset"),
        pytest.param({}, "en", id="none"),
    ],
)
def test_locale_is_read_as_posix_has_it(
    monkeypatch: pytest.MonkeyPatch, locale: dict[str, str], language: str
) -> None:
    for name in LOCALES:
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    assert of_locale() == language


def test_a_language_is_spoken_only_within() -> None:
    with speaking("ko"):
        assert say("height") == "높이"
        with speaking("en"):
            assert say("height") == "height"
        assert spoken() == "ko"
    assert say("height") == "height"


def test_another_thread_speaks_on_where_one_has_no_letters() -> None:
    with speaking("ko"), legible(letters=False):
        heard: list[str] = []
        thread = Thread(target=lambda: heard.append(say("height")))
        thread.start()
        thread.join()
        assert (say("height"), heard) == ("height", ["높이"])
    with speaking("ko"), legible(letters=True):
        assert say("height") == "높이"
