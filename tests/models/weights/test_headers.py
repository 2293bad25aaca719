"""Headers of safetensors, above all such that are damaged or lie: these are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from safetensors.torch import load_file, save

from cnnviz.models.weights import read_weights

from .hostile import HEADERS, refused, refused_inside, state
from .torchfiles import entry, pickled, safetensors, tensor, zipped


def test_truncated_safetensors_are_refused_wherever_they_end(tmp_path: Path) -> None:
    whole = save(state())
    for end in range(0, len(whole), 5):
        refused(tmp_path, whole[:end], "w.safetensors")


@pytest.mark.parametrize(("content", "said"), HEADERS.values(), ids=HEADERS.keys())
def test_bad_headers_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert re.search(said, refused(tmp_path, content, "w.safetensors"))


def test_an_empty_tensor_may_be_named_after_the_one_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(safetensors({"full": entry(0, 8), "empty": entry(0, 0)}))
    assert {name: t.numel() for name, t in load_file(path).items()} == {"full": 2, "empty": 0}
    assert {n: t.numel() for n, t in read_weights(path).tensors.items()} == {"empty": 0, "full": 2}


def test_names_with_anything_in_them_stay_on_one_short_line(tmp_path: Path) -> None:
    name = "\x1b[31m\n\u202e\0" + "n" * 900
    said = refused(tmp_path, safetensors({name: entry(0, 8, [3])}), "w.safetensors")
    assert said.isprintable()
    assert refused_inside(zipped(pickled({name: tensor(shape=(5,))}))).isprintable()
    far = tmp_path / ("f" * 100) / ("g" * 100)
    far.mkdir(parents=True)
    assert "\\x1b" in refused(far, zipped(b"c\x1b[31m" + b"\x1b" * 900 + b"\nsystem\n."))
    key = pickled({name: tensor()})
    assert refused_inside(zipped(key.replace(b"_rebuild_tensor_v2", b"\x1b[31m"))).isprintable()
