"""torchvision's default weights: fetched once, checked, and nothing left behind when that fails."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnviz.errors import CnnvizError
from cnnviz.models.naming import find_source
from cnnviz.models.sources import downloads, torchvision

NAME = "squeezenet1_1"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing: the test's own output is enough."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server of our own, and the folder that it serves."""
    folder = tmp_path / "site"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "torch" / "hub" / "checkpoints"


def published(state: Any, address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``state`` as a file of the server, named by its hash, as torchvision's default weights."""
    torch.save(state, folder / "new")
    digest = hashlib.sha256((folder / "new").read_bytes()).hexdigest()
    file = (folder / "new").rename(folder / f"net-{digest[:8]}.pth")
    return offered(f"{address}/{file.name}", file, monkeypatch)


def offered(url: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    weights = torchvision.load_torchvision().models.get_model_weights(NAME).DEFAULT
    monkeypatch.setattr(weights.value, "url", url)
    return file


def load() -> torch.nn.Module:
    source = find_source(NAME)
    assert source.load_default is not None
    return source.load_default()


def test_weights_are_fetched_once_into_torchs_cache(
    site: tuple[str, Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = torchvision.build(NAME).state_dict()
    file = published(state, *site, monkeypatch)
    torch.testing.assert_close(dict(load().state_dict()), dict(state))
    assert [each.name for each in cache.iterdir()] == [file.name]
    file.unlink()  # the second time nothing is asked of the server
    torch.testing.assert_close(dict(load().state_dict()), dict(state))


def test_a_file_that_is_not_what_was_published_is_refused(
    site: tuple[str, Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = published({}, *site, monkeypatch)
    file.write_bytes(b"something else")
    with pytest.raises(CnnvizError, match="invalid hash value") as caught:
        load()
    assert caught.value.exit_code == 1
    assert list(cache.iterdir()) == []


class Marks:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def test_a_published_pickle_that_runs_code_is_not_run(
    site: tuple[str, Path], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published({"a": Marks(tmp_path / "marker")}, *site, monkeypatch)
    with pytest.raises(CnnvizError, match="could not be fetched"):
        load()
    assert not (tmp_path / "marker").exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/net.pth", "http://no.such.host.invalid/n.pth"])
def test_offline_the_host_and_the_ways_on_are_named(
    url: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(url, tmp_path, monkeypatch)
    host = url.split("/")[2].partition(":")[0]
    with pytest.raises(CnnvizError, match=f"weights of {NAME} could not be .* {host} ") as caught:
        load()
    assert caught.value.exit_code == 1
    assert "--weights FILE" in str(caught.value)
    assert "--weights random" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(cache.iterdir()) == []


def test_a_page_that_is_not_there_is_said(
    site: tuple[str, Path], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(f"{site[0]}/none.pth", tmp_path, monkeypatch)
    with pytest.raises(CnnvizError, match="HTTP Error 404"):
        load()


def test_a_server_that_says_nothing_is_not_waited_for(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        offered(f"http://127.0.0.1:{silent.getsockname()[1]}/net.pth", tmp_path, monkeypatch)
        with pytest.raises(CnnvizError, match="timed out"):
            load()
    assert socket.getdefaulttimeout() is None
    assert list(cache.iterdir()) == []


def test_a_proxy_is_left_to_look_hosts_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "getproxies", lambda: {"https": "http://proxy:1"})
    downloads.check_reachable("no.such.host.invalid")
    monkeypatch.setattr(downloads, "getproxies", dict)
    with pytest.raises(OSError, match=r".+"):
        downloads.check_reachable("no.such.host.invalid")
