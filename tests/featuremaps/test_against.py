"""What --compare and its limits are read as."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnviz.errors import UsageError
from cnnviz.featuremaps.against import UPPER_HALF, Against, Divergence, diverges


@pytest.mark.parametrize(
    ("text", "kind", "value", "short"),
    [
        ("other.png", "image", "other.png", "other"),
        ("image:a/b.npy", "image", "a/b.npy", "b"),
        ("weights:random", "weights", "random", "random"),
        ("random", "weights", "random", "random"),
        ("epoch3", "weights", "epoch3", "epoch3"),
        ("runs/best.pt", "weights", "runs/best.pt", "best"),
        ("x.safetensors", "weights", "x.safetensors", "x"),
        ("maps:x.safetensors", "maps", "x.safetensors", "x"),
        ("seed:7", "seed", "7", "seed7"),
        ("device:cuda:1", "device", "cuda:1", "cuda_1"),
        ("precision:float64", "precision", "float64", "float64"),
        ("C:pictures.png", "image", "C:pictures.png", "C_pictures"),
    ],
)
def test_other_side_is_read(text: str, kind: str, value: str, short: str) -> None:
    against = Against.read(text)
    assert (against.kind, against.value, against.short) == (kind, value, short)


def test_image_called_like_weights_is_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random").write_bytes(b"")
    assert Against.read("random").kind == "image"


@pytest.mark.parametrize("text", ["", "weights:", "seed:x", "precision:float8", "device:tpu"])
def test_what_it_is_not_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        Against.read(text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [("diverges", UPPER_HALF), ("diverges>1e-6", 1e-6), ("diverges>2%", 0.02), ("diverges>0", 0)],
)
def test_limit_is_a_share_of_the_largest_magnitude(text: str, limit: float) -> None:
    found = Divergence.read(text)
    assert found is not None
    assert found.limit == limit


def test_other_limits_are_not_its_and_bad_ones_are_refused() -> None:
    assert Divergence.read("dead>10%") is None
    for text in ("diverges>", "diverges>x", "diverges10", "diverges>1e9999"):
        with pytest.raises(UsageError, match="is no limit"):
            Divergence.read(text)


def test_a_layer_diverges_beyond_the_limit_or_by_nan() -> None:
    at = {"relative": UPPER_HALF, "nonfinite": 0, "reason": None}
    assert not diverges(at)
    assert diverges(at | {"relative": UPPER_HALF * 1.01})
    assert diverges(at | {"nonfinite": 1})
    assert not diverges(at | {"reason": "other shapes", "relative": None})
    assert not diverges(None)
