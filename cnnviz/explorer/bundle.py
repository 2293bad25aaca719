"""The page's script and style, each as one text, and the policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

# A module is put before those that import it.
MODULES = (
    "numbers.js",
    "levels.js",
    "window.js",
    "choose.js",
    "route.js",
    "command.js",
    "store.js",
    "state.js",
    "dom.js",
    "paint.js",
    "sides.js",
    "input.js",
    "about.js",
    "overview.js",
    "layer.js",
    "arithmetic.js",
    "pixel.js",
    "channel.js",
    "search.js",
    "keys.js",
    "main.js",
)
IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)


def source(name: str) -> str:
    """The text of one of the page's files."""
    return (files("cnnviz.explorer") / "page" / name).read_text("utf-8")


@cache
def script() -> str:
    """All modules as one, without what imports and exports between them."""
    return "\n".join(EXPORT.sub("", IMPORT.sub("", source(name))) for name in MODULES)


@cache
def style() -> str:
    """The style sheet."""
    return source("style.css")


@cache
def words(language: str) -> dict[str, str]:
    """Every string of the page in one language."""
    table: dict[str, dict[str, str]] = json.loads(source("words.json"))
    return {name: said[language] for name, said in table.items()}


def policy() -> str:
    """The content-security policy: pictures within the page, this script, this style."""
    return (
        f"default-src 'none'; img-src data:; script-src '{_hash(script())}';"
        f" style-src '{_hash(style())}'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def json_in_html(document: Any) -> str:
    r"""JSON that may stand in a script element: nothing in it can end the element.

    >>> json_in_html({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
