"""``cnnviz doctor``: what works is said, and what does not has a way out."""

import json
from importlib.metadata import PackageNotFoundError

import cv2
import pytest

from cnnviz import doctor, engines
from cnnviz.engines import libtorch
from cnnviz.errors import ModelError
from cnnviz.models.sources import timm, torchvision
from tests.conftest import Run


def checks(run: Run, code: int = 0) -> dict[str, dict[str, str]]:
    result = run("doctor", "--json")
    assert result.exit_code == code, result.stderr
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


def test_this_installation_works(run: Run) -> None:
    found = checks(run)
    assert {check["status"] for check in found.values()} <= {"ok", "missing"}
    assert found["opencv"]["detail"].startswith(cv2.__version__)
    assert "identical on 12,288 values" in found["agreement"]["detail"]
    assert found["devices"]["detail"].startswith("cpu")


def test_lines_name_what_was_looked_at_and_quiet_only_what_is_broken(run: Run) -> None:
    lines = run("doctor").stdout.splitlines()
    assert lines[0].split()[:2] == ["python", "ok"]
    assert run("doctor", "-q").stdout == ""


def test_the_door_to_torch_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libtorch, "why_not", lambda: "")
    assert checks(run)["torch"]["detail"].endswith("without importing it")
    monkeypatch.setattr(libtorch, "why_not", lambda: "no such function")
    found = checks(run)["torch"]
    assert found["detail"].endswith("through Python, which takes seconds: no such function")
    assert "pip install torch==2.13.*" in found["fix"]


def test_a_torchvision_that_does_not_fit_is_explained(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision, "mismatch", lambda: False)
    assert checks(run)["torchvision"]["fix"] == ""
    monkeypatch.setattr(torchvision, "mismatch", lambda: True)
    found = checks(run)["torchvision"]
    assert "do not load beside torch" in found["detail"]
    assert "from one index" in found["fix"]

    def fails() -> None:
        raise ModelError("torchvision cannot be imported: too old")

    monkeypatch.setattr(torchvision, "load_torchvision", fails)
    found = checks(run, code=1)["torchvision"]
    assert (found["status"], found["detail"][-7:]) == ("broken", "too old")


def test_timm_is_counted_or_said_to_be_broken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks(run)["timm"]["detail"].endswith("models as timm:NAME")

    def fails() -> None:
        raise ModelError("timm cannot be imported: too old")

    monkeypatch.setattr(timm, "load_timm", fails)
    found = checks(run, code=1)["timm"]
    assert (found["status"], found["detail"][-7:]) == ("broken", "too old")


def test_engines_that_disagree_are_broken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = engines.load("torch")
    right = torch.correlate
    monkeypatch.setattr(torch, "correlate", lambda *arguments: right(*arguments) + 1)
    found = checks(run, code=1)["agreement"]
    assert found["status"] == "broken"
    assert "the engines disagree at row" in found["detail"]
    assert found["fix"]


def test_a_package_that_cannot_be_looked_at_is_broken(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(name: str) -> str:
        raise OSError(f"{name}: no metadata")

    monkeypatch.setattr(doctor, "version", damaged)
    result = run("doctor")
    assert result.exit_code == 1
    assert "torch       broken   OSError: torch: no metadata" in result.stdout


@pytest.mark.parametrize(
    ("absent", "name", "status", "fix"),
    [
        ("matplotlib", "figures", "missing", 'pip install "cnnviz[figures]"'),
        ("timm", "timm", "missing", 'pip install "cnnviz[timm]"'),
        ("torch", "torch", "broken", "pip install torch"),
    ],
)
def test_what_is_not_installed_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, absent: str, name: str, status: str, fix: str
) -> None:
    def version(package: str) -> str:
        if package == absent:
            raise PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(doctor, "version", version)
    result = run("doctor", "--json")
    found = {check["name"]: check for check in json.loads(result.stdout)["checks"]}[name]
    assert (found["status"], found["fix"]) == (status, fix)


def test_two_opencv_packages_are_one_too_many(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda package: "5.0")
    found = checks(run, code=1)["opencv"]
    assert "pip uninstall opencv-python " in found["fix"]
