"""What a MODEL can be called, and what is said where it cannot be had."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from torch import nn

from cnnviz.errors import ModelError
from cnnviz.models import torchvision
from cnnviz.models.naming import find_source

CODE = """
from torch import nn
import beside

WIDTH = 3
ready = nn.Linear(4, 2)

class Net(nn.Sequential):
    def __init__(self, channels=WIDTH):
        super().__init__(nn.Conv2d(channels, beside.MAPS, 3))

class Outer:
    Inner = Net

def make():
    return Net(1)

def needs(size):
    return Net(size)

def nothing():
    return "no model"

def leaves():
    raise SystemExit(3)
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "beside", raising=False)
    (tmp_path / "beside.py").write_text("MAPS = 7\n")
    (tmp_path / "net.py").write_text(CODE)
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "raises.py").write_text("raise ValueError('two\\nlines')\n")
    return tmp_path / "net.py"


@pytest.mark.parametrize("name", ["Net", "make", "Outer.Inner"])
def test_a_class_or_factory_of_a_file_is_called(file: Path, name: str) -> None:
    source = find_source(f"{file}:{name}")
    assert source.input_size is None
    built = source.build()
    assert isinstance(built, nn.Sequential)
    assert next(built.parameters()).shape[0] == 7


def test_a_module_that_is_there_is_taken(file: Path) -> None:
    assert isinstance(find_source(f"{file.name}:ready").build(), nn.Linear)


def test_a_package_is_imported(file: Path) -> None:
    assert isinstance(find_source("torch.nn:Identity").build(), nn.Identity)
    assert isinstance(find_source("net:make").build(), nn.Sequential)
    sys.modules.pop("net")


def test_nothing_is_left_behind(file: Path) -> None:
    path, modules = list(sys.path), sys.modules.get("net")
    find_source("net.py:make").build()
    assert sys.path == path
    assert sys.modules.get("net") is modules


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lenett", "no model is called 'lenett'; did you mean lenet"),
        ("resnet19", "did you mean .*resnet18"),
        ("torchvision:resnet19", "did you mean .*resnet18"),
        ("xyzzy", "no model is called 'xyzzy'; there are lenet, .* of torchvision's"),
        ("net.py", "name a class or factory of the file too, such as net.py:Net"),
        ("none.py:Net", "there is no file none.py"),
        ("net.py:Nett", "has no 'Nett'; it has Net, Outer, make, needs, nothing, leaves"),
        ("net.py:WIDTH", "is of type int, not a class or a factory"),
        ("net.py:needs", "cannot be built: TypeError: .*; name a class or factory that needs no"),
        ("net.py:nothing", "made a str, not a torch.nn.Module"),
        ("net.py:leaves", "cannot be built: SystemExit: 3"),
        ("broken.py:Net", "broken.py cannot be imported: SyntaxError"),
        ("raises.py:Net", "raises.py cannot be imported: ValueError: two lines"),
        ("no.such.package:Net", "cannot be imported: ModuleNotFoundError"),
        (":Net", "is not FILE.py:CLASS or PACKAGE.MODULE:CLASS"),
        ("net.py:", "is not FILE.py:CLASS or PACKAGE.MODULE:CLASS"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence(file: Path, text: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        find_source(text).build()
    assert "\n" not in str(caught.value)


def test_torchvision_models_know_their_input_and_year() -> None:
    found = {
        name: find_source(name) for name in ("alexnet", "vit_h_14", "r3d_18", "wide_resnet50_2")
    }
    sizes = {name: source.input_size for name, source in found.items()}
    assert sizes == {
        "alexnet": (3, 224, 224),
        "vit_h_14": (3, 518, 518),
        "r3d_18": (3, 16, 112, 112),
        "wide_resnet50_2": (3, 224, 224),
    }
    assert [source.year for source in found.values()] == [2012, 2020, 2017, 2016]


def test_torchvision_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ModelError, match="pip install torchvision"):
        torchvision.load_torchvision()
