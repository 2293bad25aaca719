"""Which layers are shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cnnviz.capturing.kinds import KINDS
from cnnviz.capturing.run import is_leaf
from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnviz.capturing import LayerOutput

ALL = "all"
SHALLOW = 24  # a network of so many layers is shown whole
FEW_STAGES, MANY_BLOCKS = 4, 12
IDLE = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d")  # whose picture is that of the row before


@dataclass(frozen=True)
class Selection:
    """The keys of the layers that are shown, and in words which they are."""

    keys: frozenset[str]
    said: str

    def __contains__(self, layer: LayerOutput) -> bool:
        return layer.key in self.keys


def select(layers: Sequence[LayerOutput], patterns: Sequence[str] = ()) -> Selection:
    """What ``patterns`` choose of ``layers``, those of a survey, blocks included.

    A pattern is a layer's name or alias, a glob over names, a kind of layer, or "all": every layer
    that contains no others, and what the network's own code computes in between. Without patterns
    it is what a reader wants to see first: all of a small network; of a deep one its first
    convolution, the last block at each size, and the end.

    Raises:
        UsageError: a pattern matches nothing.
    """
    drawn = [layer for layer in layers if layer.shape is not None]
    shown = [layer for layer in drawn if layer.kind != "block"]
    if not patterns:
        return _usual(drawn)
    chosen: set[str] = set()
    for pattern in patterns:
        found = {layer.key for layer in _matching(layers, drawn, pattern)}
        if not found:
            raise UsageError(_nothing(layers, pattern))
        chosen |= found
    count = len(chosen & {layer.key for layer in shown})
    return Selection(frozenset(chosen), _counted(len(chosen), count, len(shown)))


def _matching(
    layers: Sequence[LayerOutput], drawn: Sequence[LayerOutput], pattern: str
) -> Iterable[LayerOutput]:
    if pattern == ALL:
        return (layer for layer in drawn if layer.kind != "block")
    named = {name for layer in layers if layer.type != "function" for name in _names(layer)}
    if pattern in KINDS and pattern not in named:
        return (layer for layer in drawn if layer.kind == pattern)
    return (layer for layer in drawn if _is_named(layer, pattern))


def _names(layer: LayerOutput) -> tuple[str, ...]:
    return (layer.name, layer.key, *layer.aliases)


def _is_named(layer: LayerOutput, pattern: str) -> bool:
    return any(name == pattern or fnmatchcase(name, pattern) for name in _names(layer))


def _nothing(layers: Sequence[LayerOutput], pattern: str) -> str:
    matched = [layer for layer in layers if _is_named(layer, pattern)]
    if matched:
        return f"layer {matched[0].key} has nothing to draw: {matched[0].reason}"
    if pattern in KINDS:
        return f"the model has no layer of the kind {pattern!r}; --dry-run lists its layers"
    close = get_close_matches(pattern, [layer.key for layer in layers] + list(KINDS), n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    kinds = ", ".join(KINDS)
    return f"no layer matches {pattern!r}; {hint}--dry-run lists them, kinds are {kinds}, or all"


def _usual(drawn: Sequence[LayerOutput]) -> Selection:
    leaves = [layer for layer in drawn if is_leaf(layer)]
    if not leaves:
        return Selection(frozenset(), "no layer puts out anything that can be drawn")
    if len(leaves) <= SHALLOW:
        changing = [layer for layer in leaves if not layer.type.endswith(IDLE)]
        said = "" if len(changing) == len(leaves) else "all but dropout, which does nothing now"
        return Selection(frozenset(layer.key for layer in changing), said)
    maps = [x for x in drawn if is_map(x) and x.type != "function" and x.kind != "attention"]
    stages = _stages(_of_known_size(maps))
    first = next((layer for layer in maps if layer.kind == "conv"), None)
    if len(stages) < FEW_STAGES:
        stages += _repeated_blocks(drawn)
    last = leaves[-1]
    is_shown = any(_is_within(last, block) and last.shape == block.shape for block in stages)
    chosen = {x.key for x in (first, *stages, None if is_shown else last) if x is not None}
    said = (
        f"{len(chosen)} of {len(leaves)} layers: the first convolution, the last block at each"
        " size, the output; --layers all, a name, a glob or a kind shows others"
    )
    return Selection(frozenset(chosen), said)


def _of_known_size(maps: Sequence[LayerOutput]) -> Sequence[LayerOutput]:
    """Those with a size that some layer tells; axes nobody tells of may be windows of attention."""
    known = {layer.shape[1:] for layer in maps if layer.shape and not _is_assumed(layer)}
    return [layer for layer in maps if layer.shape and layer.shape[1:] in known] or maps


def _is_assumed(layer: LayerOutput) -> bool:
    return str(layer.layout).endswith("(assumed)")


def is_map(layer: LayerOutput) -> bool:
    """Whether a layer's output has rows and columns."""
    return layer.shape is not None and len(layer.shape) == 3 and min(layer.shape[1:]) > 1


def _stages(maps: Sequence[LayerOutput]) -> list[LayerOutput]:
    """The last of the outermost blocks of each size, or where there is none the last layer."""
    chosen: list[LayerOutput] = []
    for side in dict.fromkeys(layer.shape[1:] for layer in maps if layer.shape):
        same = [layer for layer in maps if layer.shape and layer.shape[1:] == side]
        blocks = [
            layer
            for layer in same
            if layer.kind == "block" and not any(_is_within(one, layer) for one in chosen)
        ]
        level = min((layer.name.count(".") for layer in blocks), default=0)
        outermost = [layer for layer in blocks if layer.name.count(".") == level]
        chosen.append((outermost or [layer for layer in same if layer.kind != "block"])[-1])
    return chosen


def _is_within(layer: LayerOutput, block: LayerOutput) -> bool:
    return layer.name.startswith(f"{block.name}.")


def _repeated_blocks(drawn: Sequence[LayerOutput]) -> list[LayerOutput]:
    """Blocks of one kind that follow each other, as a transformer's do; a dozen of many."""
    blocks = [layer for layer in drawn if layer.kind == "block" and is_map(layer)]
    counts = Counter(layer.type for layer in blocks)
    repeated = [layer for layer in blocks if counts[layer.type] >= FEW_STAGES]
    outermost = [
        layer for layer in repeated if not any(_is_within(layer, other) for other in repeated)
    ]
    step = -(-len(outermost) // MANY_BLOCKS) if outermost else 1
    return outermost[::-1][::step][::-1]


def _counted(chosen: int, leaves: int, total: int) -> str:
    blocks = chosen - leaves
    more = f" and {blocks} blocks" if blocks else ""
    return f"{leaves} of {total} layers{more}"
