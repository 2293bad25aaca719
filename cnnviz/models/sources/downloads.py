"""Trained weights from where their makers keep them: patient, checked, and clear when offline."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import getproxies

from cnnviz.errors import CnnvizError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30.0  # that a server may take to answer; torch's download would wait for ever
WAYS_ON = "give --weights FILE with weights of your own, or --weights random for untrained ones"


@contextmanager
def downloading(name: str, host: str) -> Iterator[None]:
    """Within, a library may fetch the weights of model ``name`` from ``host`` into its own cache.

    What was fetched is read as tensors only: torch's switch for that is on, because
    the libraries' own loading leaves it off for older files.

    Raises:
        CnnvizError: they could not be had, whatever the library raised.
    """
    patience, switch = socket.getdefaulttimeout(), os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    socket.setdefaulttimeout(SECONDS)
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    try:
        yield
    except CnnvizError:
        raise
    except Exception as error:  # of urllib, the libraries, the file system, a damaged file
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise CnnvizError(
            f"the trained weights of {name} could not be fetched from {host} ({said}); {WAYS_ON}"
        ) from error
    finally:
        socket.setdefaulttimeout(patience)
        if switch is None:
            del os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"]
        else:
            os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = switch


def check_reachable(host: str) -> None:
    """Raise an ``OSError`` where ``host`` has no address, which is how being offline looks.

    A proxy would look it up itself, so nothing is asked then.
    """
    if not getproxies():
        socket.getaddrinfo(host, 443)
