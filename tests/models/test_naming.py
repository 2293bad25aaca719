"""What a MODEL can be called, and what is said where it cannot be had."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from torch import nn

from cnnviz.errors import ModelError
from cnnviz.models.building.unallocated import unallocated
from cnnviz.models.naming import find_source
from cnnviz.models.sources import torchvision

CODE = """
import types

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

class Own(BaseException):
    pass

def ends():
    raise Own("at the end")

def holds():
    return types.SimpleNamespace(inner=Net(2))
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
        ("xception41", "no model is called 'xception41'; timm has it: timm:xception41"),
        ("xyzzy", "no model is called 'xyzzy'; there are lenet, .* of torchvision's"),
        ("net.py", "name a class or factory of the file too, such as net.py:Net"),
        ("none.py:Net", "there is no file none.py"),
        (
            "net.py:Nett",
            "has no 'Nett'; it has Net, Outer, make, needs, nothing, leaves, Own, ends",
        ),
        ("net.py:WIDTH", "is of type int, not a class or a factory"),
        ("net.py:needs", "missing a required argument: 'size'; it takes \\(size\\), which --model"),
        ("net.py:nothing", "made a str, not a torch.nn.Module"),
        ("net.py:leaves", "cannot be built: SystemExit: 3"),
        ("net.py:ends", "cannot be built: Own: at the end"),
        (
            "net.py:holds",
            "made a SimpleNamespace, .*; its attribute inner is one: .*inner takes it",
        ),
        ("net.py:holds().other", "what net.py:holds returns, a SimpleNamespace, has no 'other'"),
        ("net.py:ready(3)", "is a model already"),
        ("net.py:make(1)", "net.py:make takes no arguments"),
        ("net.py:make(size=1)", "net.py:make takes no arguments"),
        ("net.py:Net(1, 2)", "too many positional arguments; it takes \\(channels=3\\)"),
        ("net.py:make() + 1", "is not a name, nor a call with plain values"),
        ("net.py:make(open('x'))", "is not a name, nor a call with plain values"),
        ("net.py:make()()", "is not a name, nor a call with plain values"),
        ("net.py:Net(**{})", "is not a name, nor a call with plain values"),
        ("net.py:" + "(" * 3_000, "is not a name, nor a call with plain values"),
        ("a" * 300 + ".py:Net", "there is no file aaa"),
        ("a" * 300 + ".pt", "there is no file aaa"),
        ("a" * 5_000, "at most 4,000 characters, not 5,000"),
        ("net.py:Net(", "is not a name, nor a call with plain values"),
        ("weights.safetensors", "is weights without a model; .* by --weights weights.safetensors"),
        ("last.ckpt", "is weights without a model"),
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


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("net.py:Net", {"channels": 5}),
        ("net.py:Net(5)", {}),
        ("net.py:Net(channels=5)", None),
        ("net.py:Net(channels=4)", {"channels": 5}),
        ("net.py:needs", {"size": 5}),
    ],
)
def test_arguments_come_from_the_text_and_beside_it(
    file: Path, text: str, args: dict[str, int] | None
) -> None:
    built = find_source(text, args=args).build()
    assert next(built.parameters()).shape[1] == 5


YOLO = """
from torch import nn

class YOLO:
    def __init__(self, model="yolo.pt", task=None):
        assert model.endswith(".yaml"), "a file to build from"
        self.model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.Conv2d(16, 255, 1))
"""
FACTORY = """
def yolo():
    from standin_ultralytics import YOLO
    return YOLO("yolov3.yaml").model
"""


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ('standin_ultralytics:YOLO("yolov3.yaml").model', {}),
        ("standin_ultralytics:YOLO().model", {"model": "yolov3.yaml"}),
        ("factories.py:yolo", {}),
    ],
    ids=["as it is written in Python", "with --model-args", "by a factory of one's own"],
)
def test_a_model_inside_another_packages_object_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, args: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "standin_ultralytics", raising=False)
    package = tmp_path / "standin_ultralytics"
    package.mkdir()
    (package / "__init__.py").write_text(YOLO)
    (tmp_path / "factories.py").write_text(FACTORY)
    built = find_source(text, args=args).build()
    sys.modules.pop("standin_ultralytics")
    assert sum(p.numel() for p in built.parameters()) == 3 * 16 * 9 + 16 + 16 * 255 + 255


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lenet", "lenet takes no arguments"),
        ("model.pt", "model.pt takes no arguments"),
        ("alexnet", "alexnet cannot be built: TypeError: .*'width'"),
        ("timm:test_resnet", "test_resnet cannot be built: TypeError: .*'width'"),
    ],
)
def test_arguments_that_a_model_does_not_take_are_refused(text: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        find_source(text, args={"width": 3}).build()


@pytest.mark.parametrize(
    ("text", "argument"), [("resnet18", "num_classes"), ("timm:test_resnet", "in_chans")]
)
def test_a_value_that_no_layer_can_have_is_said(text: str, argument: str) -> None:
    with pytest.raises(ModelError, match="cannot be built: RuntimeError: "):
        find_source(text, args={argument: -1}).build()


@pytest.mark.parametrize("text", ["resnet18", "timm:test_resnet"])
def test_classes_and_arguments_reach_a_librarys_builder(text: str) -> None:
    for how in ({"classes": 7}, {"args": {"num_classes": 7}}):
        source = find_source(text, **how)
        with unallocated():
            *_, last = source.build().parameters()
        assert last.shape == (7,)


@pytest.mark.parametrize("text", ["lenet", "net.py:Net", "net.pt"])
def test_classes_are_of_libraries_only(file: Path, text: str) -> None:
    with pytest.raises(ModelError, match="is its own; --classes is torchvision's and timm's"):
        find_source(text, classes=3)


def test_a_source_says_where_it_is_from(file: Path) -> None:
    homes = {text: find_source(text) for text in ("lenet", "alexnet", "timm:xception41", "net:Net")}
    assert [source.home for source in homes.values()] == ["cnnviz", "torchvision", "timm", "user"]
    assert [bool(source.load_default) for source in homes.values()] == [False, True, True, False]
    assert all(source.takes_weights and source.description for source in homes.values())


def test_a_folder_that_is_called_as_a_model_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resnet18").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_source("resnet18").home == "torchvision"


def test_a_folder_is_weights_at_most(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is weights without a model"):
        find_source(str(tmp_path))


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
