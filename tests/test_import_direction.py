"""Imports point one way: no room imports from a room above it."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cnnviz"

# From the bottom up; rooms on one line do not import each other, unless they are one room.
ORDER = [
    {"errors", "version", "cores", "memory", "language", "limits"},
    {"shapes", "storage", "kernels", "statistics"},
    {"images", "inputs", "record", "matrices"},
    {"engines", "agreement", "models", "render", "display"},
    {"capturing", "explorer", "figures", "preview"},
    {"filtering", "summary", "step"},
    {"featuremaps", "pooling"},
    {"doctor"},
    {"batch"},
    {"cli"},
]
LEVELS = {room: level for level, rooms in enumerate(ORDER) for room in rooms}

# The same within a room of rooms; "" are the modules at its front.
WITHIN = {
    "models": [
        {"networks", "preparing", "programs", "weights"},
        {"building"},
        {"sources"},
        {""},
    ],
}

# Types alone, named for the reader and imported by nobody at run time.
TYPES_ONLY = {("agreement", "engines"), ("display", "engines")}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(source: str) -> Iterator[list[str]]:
    """What a module names of ours in any import, wherever it stands: room, module, name."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1:] for name in names if name.startswith("cnnviz."))


def packages_of(source: str) -> set[str]:
    """The packages that a module names in any import, wherever it stands."""
    nodes = list(ast.walk(ast.parse(source)))
    named = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    named += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in named}


def climbs(room: str, other: str) -> bool:
    same_room = room == other
    return not same_room and LEVELS[other] >= LEVELS[room] and (room, other) not in TYPES_ONLY


def inner_room(room: str, parts: Sequence[str]) -> str:
    """Which room within ``room`` the first of ``parts`` is; "" where it is none."""
    inner = {name for names in WITHIN[room] for name in names}
    return next((part for part in parts[:1] if part in inner), "")


def climbs_within(room: str, inner: str, other: str) -> bool:
    levels = {name: level for level, names in enumerate(WITHIN[room]) for name in names}
    return inner != other and levels[other] >= levels[inner]


MODULES = [
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or "__" not in path.name
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_import_climbs(path: Path) -> None:
    room = room_of(path)
    assert [other for other, *_ in imports_of(path.read_text()) if climbs(room, other)] == []


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if room_of(path) in WITHIN],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_no_import_climbs_within_a_room_of_rooms(path: Path) -> None:
    room = room_of(path)
    inner = inner_room(room, path.relative_to(PACKAGE / room).parts)
    climbing = [
        names
        for other, *names in imports_of(path.read_text())
        if other == room and climbs_within(room, inner, inner_room(room, names))
    ]
    assert climbing == []


def test_every_room_has_its_level() -> None:
    assert {room_of(path) for path in MODULES} == set(LEVELS)
    for room, order in WITHIN.items():
        folders = {path.parent.name for path in (PACKAGE / room).glob("*/__init__.py")}
        assert folders | {""} == {name for names in order for name in names}


def test_figures_alone_import_matplotlib() -> None:
    rooms = {room_of(path) for path in MODULES if "matplotlib" in packages_of(path.read_text())}
    assert rooms == {"figures"}


def test_a_climbing_import_is_seen() -> None:
    source = "def f():\n    from cnnviz import filtering\n    import cnnviz.cli.main\n"
    assert [other for other, *_ in imports_of(source) if climbs("images", other)] == [
        "filtering",
        "cli",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "from cnnviz.models import MODELS",
        "from cnnviz.models.table import MODELS",
        "from cnnviz.models import sources",
        "from cnnviz.models.sources import timm",
        "import cnnviz.models.sources.timm",
    ],
)
def test_a_climbing_import_within_a_room_is_seen(source: str) -> None:
    ((room, *names),) = imports_of(source)
    assert climbs_within(room, "preparing", inner_room(room, names))
