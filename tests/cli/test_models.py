"""``cnnviz models``."""

import json

import pytest

from cnnviz.models import MODELS
from cnnviz.models.known import known_models
from tests.conftest import Run

KEYS = {"name", "title", "year", "paper", "known_for", "input", "parameters", "macs", "weights"}


def test_alone_it_is_an_overview(run: Run) -> None:
    alone = run("models").stdout
    assert alone == run("models", "list").stdout
    lines = alone.splitlines()
    assert lines[0] == "cnnviz's own"
    assert [line.split()[0] for line in lines[2 : 2 + len(MODELS)]] == [
        known.name for known in known_models().values() if known.home == "cnnviz"
    ]
    resnet = next(line.split() for line in lines if line.startswith("  resnet "))
    assert resnet[:5] == ["resnet", "2015", "11.7M", "-", "60.2M"]
    assert max(map(len, lines)) < 120


def test_names_alone_are_all_names(run: Run) -> None:
    names = run("models", "-q").stdout.splitlines()
    assert names == list(known_models())
    assert {"lenet", "resnet18", "raft_small", "timm:xception41"} <= set(names)


def test_all_has_a_line_per_model(run: Run) -> None:
    lines = run("models", "list", "--all").stdout.splitlines()
    rows = [line.split()[0] for line in lines if line.startswith("  ")]
    assert sorted(name for name in rows if name != "name") == sorted(known_models())


def test_words_show_models_with_their_figures(run: Run) -> None:
    lines = run("models", "list", "vgg16", "fcn_resnet50", "raft_small").stdout.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("  ")}
    vgg16 = "2014 3x224x224 138,357,544 15.470 G top-1 71.6 default 527.8 MiB"
    assert " ".join(rows["vgg16"]) == vgg16
    assert rows["fcn_resnet50"][-5:] == ["mIoU", "60.5", "default", "135.0", "MiB"]
    assert " ".join(rows["raft_small"]) == "2020 3x512x512 990,162 47.655 G default 3.8 MiB"


def test_json_has_every_model_with_every_key(run: Run) -> None:
    models = json.loads(run("models", "--json").stdout)["models"]
    assert [model["name"] for model in models] == list(known_models())
    assert all(model.keys() >= KEYS | {"home", "task"} for model in models)
    one = json.loads(run("models", "show", "alexnet", "--json").stdout)
    assert one in models
    assert one["input"] == [3, 224, 224]
    assert one["weights"] == ["IMAGENET1K_V1"]
    assert one["macs"] == 714_000_000
    (chosen,) = json.loads(run("models", "list", "alexnet", "--json").stdout)["models"]
    assert chosen == one


def test_show_says_what_a_model_is_and_what_to_type_next(run: Run) -> None:
    lines = run("models", "show", "resnet50").stdout.splitlines()
    assert lines[0] == "resnet50: ResNet (2015)"
    assert "  parameters       25,557,032" in lines
    assert "  weights          default: IMAGENET1K_V2, 97.8 MiB to download" in lines
    assert "  others           IMAGENET1K_V1" in lines
    assert lines[-2:] == [
        "  cnnviz summary resnet50",
        "  cnnviz featuremaps IMAGE --model resnet50",
    ]
    quiet = run("models", "show", "resnet50", "-q").stdout.splitlines()
    assert quiet == lines[: len(quiet)]
    assert quiet[-1].startswith("  result")


def test_show_offers_only_commands_that_take_the_models_input(run: Run) -> None:
    assert "cnnviz summary r3d_18" in run("models", "show", "r3d_18").stdout
    assert "featuremaps" not in run("models", "show", "r3d_18").stdout
    assert "featuremaps" not in run("models", "show", "raft_large").stdout


@pytest.mark.parametrize("name", list(known_models()))
def test_every_model_is_shown(run: Run, name: str) -> None:
    result = run("models", "show", name)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{name}: ")
    assert max(map(len, result.stdout.splitlines())) < 100


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "resnet19"), "no model is called 'resnet19'; did you mean resnet18, "),
        (
            ("show", "yolov3"),
            "no model is called 'yolov3'; YOLO comes with a package of your own; ",
        ),
        (("list", "vgg16", "zzzzz"), "no model of the list fits 'zzzzz'"),
        (("shw",), "No such command 'shw'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_exits_2(run: Run, arguments: tuple[str, ...], said: str) -> None:
    result = run("models", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
