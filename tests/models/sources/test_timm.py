"""timm's models: built, counted, and said to be missing."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from safetensors.torch import save_file

from cnnviz.errors import CnnvizError, ModelError
from cnnviz.models.naming import find_source
from cnnviz.models.sources import timm
from cnnviz.summary.model import summarize

# Parameters in millions, as timm's own table of results on ImageNet gives them.
PUBLISHED = {"xception41": 26.97, "inception_resnet_v2": 55.84, "legacy_xception": 22.86}


@pytest.mark.parametrize("name", PUBLISHED)
def test_networks_of_the_notes_have_the_published_parameters(name: str) -> None:
    found = summarize(f"timm:{name}", (3, 128, 128), depth=1)
    with torch.device("meta"):
        module = timm.load_timm().create_model(name)
    assert found.total_params == sum(param.numel() for param in module.parameters())
    assert round(found.total_params / 1e6, 2) == PUBLISHED[name]
    assert found.year == 2016


def test_a_source_knows_its_input() -> None:
    sizes = {
        name: find_source(f"timm:{name}").input_size
        for name in (
            "xception41",
            "tf_efficientnet_lite0",
            "test_resnet.r160_in1k",
            "botnet50ts_256",
        )
    }
    assert list(sizes.values()) == [(3, 299, 299), (3, 224, 224), (3, 160, 160), (3, 256, 256)]


def test_what_comes_without_trained_weights_says_so() -> None:
    assert find_source("timm:coatnet_0_224").load_default is None
    assert find_source("timm:xception41").load_default is not None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("xceptoin41", "did you mean timm:xception41"),
        ("q" * 30, "has [0-9]+, none like it"),
        ("resnet50.nonesuch", "no weights 'nonesuch' of resnet50; it has resnet50.a1_in1k, "),
    ],
)
def test_a_name_that_is_not_there_is_said(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        find_source(f"timm:{name}")


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("xception41", 2016),
        ("resnet50", 2015),
        ("resnext50_32x4d", 2016),
        ("tf_efficientnetv2_s", 2021),
        ("tf_efficientnet_lite0", 2019),
        ("botnet50ts_256", None),
    ],
)
def test_years_are_those_of_the_papers(name: str, year: int | None) -> None:
    assert timm.year_of(name) == year


def test_timm_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModelError, match=r'pip install "cnnviz\[timm\]"'):
        find_source("timm:xception41")


def test_timm_that_does_not_fit_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> NoReturn:
        raise RuntimeError("too old")

    monkeypatch.setattr(timm, "import_module", fails)
    with pytest.raises(ModelError, match="timm cannot be imported: RuntimeError: too old"):
        timm.load_timm()


def test_weights_in_the_hubs_cache_need_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = timm.build("test_resnet", {})
    repository = tmp_path / "models--timm--test_resnet.r160_in1k"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    (repository / "snapshots" / ("0" * 40)).mkdir(parents=True)
    save_file(module.state_dict(), repository / "snapshots" / ("0" * 40) / "model.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    def no_network(*_: object, **__: object) -> NoReturn:
        raise AssertionError("asked")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    load = find_source("timm:test_resnet").load_default
    assert load is not None
    torch.testing.assert_close(dict(load().state_dict()), dict(module.state_dict()))


@pytest.mark.parametrize(
    ("name", "host"), [("xception41", "huggingface.co"), ("legacy_xception", "github.com")]
)
def test_offline_the_host_and_the_ways_on_are_named(
    name: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_address(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    monkeypatch.setattr("cnnviz.models.sources.downloads.getproxies", dict)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    load = find_source(f"timm:{name}").load_default
    assert load is not None
    with pytest.raises(
        CnnvizError, match=f"timm:{name} could not be .* {host} .*gaierror|no such"
    ) as e:
        load()
    assert e.value.exit_code == 1
    assert "--weights FILE" in str(e.value)
    assert "--weights random" in str(e.value)
