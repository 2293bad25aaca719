"""What goes on beside the drawing of one image's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.explorer import Told
    from cnnviz.render.sheet import Caption


class Beside:
    """Sees every layer that is drawn; this one does nothing about it. Threads call it."""

    def layer(
        self,
        entry: dict[str, Any],
        values: NDArray[Any],
        caption: Caption,
        channels: Sequence[int],
    ) -> bytes | None:
        """A PNG in place of the usual one, if there is to be one; ``entry`` may be added to."""

    def manifest(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """The whole manifest, with what there is to add."""
        return manifest

    def told(self) -> Told | None:
        """Another run that the page shows beside this one."""
