from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnviz.errors import CnnvizError, ImageError, ModelError, UsageError
from cnnviz.models.labels import labels_of, labels_of_torchvision, matched, read_labels


@pytest.mark.parametrize(
    ("name", "count", "known"),
    [
        ("mnist", 10, {0: "0", 9: "9"}),
        ("fashion_mnist", 10, {0: "T-shirt/top", 7: "Sneaker", 9: "Ankle boot"}),
        ("imagenet", 1000, {0: "tench", 281: "tabby", 967: "espresso", 999: "toilet tissue"}),
        ("coco", 91, {0: "__background__", 1: "person", 12: "N/A", 17: "cat", 90: "toothbrush"}),
        ("voc", 21, {0: "__background__", 8: "cat", 20: "tvmonitor"}),
        ("kinetics", 400, {0: "abseiling", 399: "zumba"}),
    ],
)
def test_classes_of_a_data_set(name: str, count: int, known: dict[int, str]) -> None:
    labels = labels_of(name)
    assert len(labels) == count
    assert {index: labels[index] for index in known} == known


def test_data_set_that_is_unknown_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"'cifar'; there are those of mnist, fashion_mnist, cifar_10, im"
    ):
        labels_of("cifar")


def test_model_of_torchvision_without_classes_has_none() -> None:
    assert labels_of_torchvision("raft_small") == ()
    with pytest.raises(ModelError, match=r"no weights for 'resnet19'"):
        labels_of_torchvision("resnet19")


@pytest.mark.parametrize(
    "text",
    [
        "cat\ndog\nred panda\n",
        "\ufeffcat\r\ndog\r\n  red   panda \r\n\r\n",
        '["cat", "dog", "red panda"]',
        '{"2": "red panda", "0": "cat", "1": "dog"}',
        '{"0": ["n01", "cat"], "1": ["n02", "dog"], "2": ["n03", "red panda"]}',
        "cat\n\x1b[31m\x07dog\nred panda",
    ],
    ids=["lines", "byte order mark", "list", "index", "index of ImageNet", "control characters"],
)
def test_labels_of_a_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "labels.txt"
    file.write_bytes(text.encode())
    wanted = ("cat", "[31mdog" if "\x1b" in text else "dog", "red panda")
    assert read_labels(file) == wanted


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"has no class names; write one a line"),
        (b"[]", r"has no class names"),
        (b"cat\n\ndog\n", r"class name 1 is empty"),
        (b"cat\n\xff\xfe", r"is not UTF-8 text"),
        (b'["cat", ', r"begins like JSON and is not"),
        (b"[" * 100_000, r"begins like JSON and is not"),
        (b'["cat", 5]', r"there is no name for class 1"),
        (b'{"0": "cat", "2": "dog"}', r"there is no name for class 1"),
        (b'{"0": ["a", "b", "c"]}', r"there is no name for class 0"),
        (b"x" * 1_000_001, r"larger than 1,000,000 bytes"),
        (b"x\n" * 100_001, r"has 100,001 class names; the limit is 100,000"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_file_that_names_no_classes_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "labels.json"
    file.write_bytes(data)
    with pytest.raises(UsageError, match=message):
        read_labels(file)


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_file_that_is_not_there_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match="there is no such file"):
        read_labels(tmp_path / name)


def test_labels_match_the_outputs_or_say_so() -> None:
    assert matched(("cat", "dog"), 2) == ("cat", "dog")
    with pytest.raises(CnnvizError, match=r"2 class names and the model has 1,000 outputs"):
        matched(("cat", "dog"), 1000)


def test_index_of_imagenet_reads_as_torchvision_has_it(tmp_path: Path) -> None:
    names = labels_of("imagenet")
    file = tmp_path / "imagenet_class_index.json"
    file.write_text(json.dumps({str(i): [f"n{i:08}", name] for i, name in enumerate(names)}))
    assert read_labels(file) == names
