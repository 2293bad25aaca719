"""What the list of models states, against the packages that it was collected from."""

from __future__ import annotations

from typing import Any

import pytest

from cnnviz.errors import ModelError
from cnnviz.models import MODELS
from cnnviz.models.known import Known, find_known, known_models, matching, near_names
from cnnviz.models.sources.families import QUANTIZED, families
from cnnviz.models.sources.torchvision import load_torchvision

AGAIN = "python training/known/collect.py collects the data anew"

# Of the course notes; the sizes stand in torchvision's and timm's documentation too.
OF_THE_NOTES = {
    "alexnet": (2012, 61_100_840),
    "vgg16": (2014, 138_357_544),
    "vgg19": (2014, 143_667_240),
    "googlenet": (2014, 6_624_904),
    "resnet18": (2015, 11_689_512),
    "resnet152": (2015, 60_192_808),
    "densenet121": (2017, 7_978_856),
    "maskrcnn_resnet50_fpn": (2017, 44_401_393),
    "efficientnet_b0": (2019, 5_288_548),
    "vit_b_16": (2020, 86_567_656),
    "timm:legacy_xception": (2016, 22_855_952),
    "timm:inception_resnet_v2": (2016, 55_843_464),
    "timm:mobilenetv1_100": (2017, 4_231_976),
    "timm:darknet53": (2018, 41_609_928),
}


def of(home: str) -> dict[str, Known]:
    return {name: model for name, model in known_models().items() if model.home == home}


@pytest.fixture(scope="module")
def models() -> Any:
    return load_torchvision().models


def test_every_model_of_torchvision_is_known_and_no_other(models: Any) -> None:
    assert sorted(of("torchvision")) == sorted(models.list_models()), AGAIN


def test_figures_are_those_of_torchvisions_default_weights(models: Any) -> None:
    wrong = {}
    for name, known in of("torchvision").items():
        weights = models.get_model_weights(name)
        meta = weights.DEFAULT.meta
        stated = (meta["num_params"], meta["_ops"], meta["_file_size"], meta["_metrics"])
        ours = (known.parameters, (known.macs or 0) / 1e9, known.download, known.metrics)
        names = ([each.name for each in weights], weights.DEFAULT.name)
        if ours != stated or (list(known.weights), known.default) != names:
            wrong[name] = (ours, stated)
    assert wrong == {}, AGAIN


def test_input_is_the_crop_of_the_default_weights(models: Any) -> None:
    wrong = {}
    for name, known in of("torchvision").items():
        if "classification" in known.task:
            (crop,) = models.get_model_weights(name).DEFAULT.transforms().crop_size
            if known.input_size != (3, crop, crop):
                wrong[name] = known.input_size
    assert wrong == {}, AGAIN


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("inception_v3", (3, 299, 299)),
        ("vit_h_14", (3, 518, 518)),
        ("fcn_resnet50", (3, 520, 520)),
        ("maskrcnn_resnet50_fpn", (3, 800, 800)),
        ("ssd300_vgg16", (3, 300, 300)),
        ("fasterrcnn_mobilenet_v3_large_320_fpn", (3, 320, 320)),
        ("r3d_18", (3, 16, 112, 112)),
        ("raft_small", (3, 512, 512)),
        ("timm:darknet53", (3, 256, 256)),
        ("lenet", (1, 32, 32)),
    ],
)
def test_input_size(name: str, size: tuple[int, ...]) -> None:
    assert known_models()[name].input_size == size


def test_task_is_the_part_of_torchvision_that_lists_the_model(models: Any) -> None:
    parts = ("segmentation", "detection", "video", "optical_flow")
    for part in parts:
        listed = models.list_models(module=getattr(models, part))
        task = part.replace("_", " ")
        assert sorted(n for n, k in of("torchvision").items() if k.task == task) == listed
    listed = models.list_models(module=models.quantization)
    assert sorted(n for n in of("torchvision") if n.startswith(QUANTIZED)) == listed


def test_figures_are_those_of_timm() -> None:
    load_torchvision()  # timm imports it, and it may need mending first
    timm = pytest.importorskip("timm")
    torch = pytest.importorskip("torch")
    wrong = {}
    for name, known in of("timm").items():
        bare = name.removeprefix("timm:")
        config = timm.get_pretrained_cfg(bare)
        with torch.device("meta"):
            count = sum(p.numel() for p in timm.create_model(bare).parameters())
        stated = (config.input_size, count, config.tag)
        if (known.input_size, known.parameters, known.default) != stated:
            wrong[name] = stated
    assert wrong == {}, AGAIN


@pytest.mark.parametrize(("name", "figures"), OF_THE_NOTES.items(), ids=OF_THE_NOTES)
def test_networks_of_the_course_notes(name: str, figures: tuple[int, int]) -> None:
    known = known_models()[name]
    assert (known.year, known.parameters) == figures


def test_our_own_networks_are_those_of_the_table() -> None:
    own = of("cnnviz")
    assert list(own) == list(MODELS)
    for name, entry in MODELS.items():
        assert (own[name].parameters, own[name].year) == (entry.parameters, entry.year)
        assert own[name].known_for


def test_every_model_has_a_family_and_every_family_a_model() -> None:
    used = {known.family for known in known_models().values() if known.home != "cnnviz"}
    assert used == set(families())


@pytest.mark.parametrize("name", ["resnet18", "torchvision:resnet18"])
def test_a_model_is_found_by_its_name(name: str) -> None:
    assert find_known(name).name == "resnet18"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("inception", ["googlenet", "inception_v3", "timm:inception_v4"]),
        ("xception", ["timm:legacy_xception", "timm:xception41"]),
        ("resnet", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]),
        ("vgg", ["vgg11"]),
        ("mobilenet", ["mobilenet_v2", "mobilenet_v3_small"]),
        ("efficientnet", ["efficientnet_lite0", "efficientnet_b0"]),
        ("vit", ["vit_b_16"]),
        ("maskrcnn", ["maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"]),
        ("Mask R-CNN", ["maskrcnn_resnet50_fpn"]),
        ("ResNet-50", ["resnet50"]),
        ("LeNet5", ["lenet"]),
        ("deeplab", ["deeplabv3_mobilenet_v3_large"]),
        ("resnet19", ["resnet18"]),
        ("quantized_resnet", ["quantized_resnet18", "quantized_resnet50"]),
        ("", []),
        ("-", []),
        ("zzzzzz", []),
    ],
)
def test_near_names(typed: str, meant: list[str]) -> None:
    assert near_names(typed)[: len(meant) or None] == meant


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("inception", "no model is called 'inception'; did you mean googlenet, inception_v3, "),
        ("ResNet-50", "did you mean resnet50\\?$"),
        ("torchvision:lenet", "did you mean lenet\\?$"),
        ("yolov3", "AGPL, write 'ultralytics:YOLO.*model' for MODEL; .* timm:darknet53$"),
        ("YOLO", "YOLO comes with a package of your own"),
        ("timm:xceptio", "did you mean timm:legacy_xception"),
        ("timm:resnet50", "timm:resnet50 is not in the list; 'cnnviz summary timm:resnet50'"),
        ("net.py:Net", "net.py:Net is not in the list; 'cnnviz summary net.py:Net'"),
        ("zzzzzz", "no model is called 'zzzzzz'; 'cnnviz models list -q' names all"),
        ("", "no model is called ''"),
    ],
)
def test_what_is_not_listed_is_said_in_one_sentence(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        find_known(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["wide_resnet"], ["wide_resnet50_2", "wide_resnet101_2"]),
        (["vgg1?_bn"], ["vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"]),
        (["VGG1?"], ["vgg11", "vgg13", "vgg16", "vgg19"]),
        (["xception7*"], ["timm:xception71"]),
        (["timm:xception7*"], ["timm:xception71"]),
        (["flow"], ["raft_small", "raft_large"]),
        (["googlenet", "alex"], ["alexnet", "googlenet", "quantized_googlenet"]),
        (["lr-aspp"], ["lraspp_mobilenet_v3_large"]),
    ],
    ids=" ".join,
)
def test_words_choose(words: list[str], names: list[str]) -> None:
    assert [known.name for known in matching(words)] == names


def test_a_family_a_task_and_a_package_choose_their_own() -> None:
    assert {k.name for k in matching(["resnet"]) if k.home != "cnnviz"} == {
        *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
        *("quantized_resnet18", "quantized_resnet50"),
    }
    assert {k.task for k in matching(["segmentation"])} == {"segmentation"}
    assert [k.name for k in matching(["timm"])] == list(of("timm"))
    assert matching([]) == list(known_models().values())


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("resnett", "fits 'resnett'; did you mean resnet"),
        ("zz*", "fits 'zz\\*'$"),
        ("", "fits ''$"),
    ],
)
def test_a_word_that_fits_nothing_is_said(word: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        matching(["vgg16", word])
