"""Keeps libtiff and Pillow around it from writing to standard error behind our back."""

from __future__ import annotations

from functools import cache


@cache
def silence_libtiff() -> None:
    """Take away what prints its errors and warnings; what cannot be read, Pillow raises.

    Where libtiff cannot be reached, as when it is linked into Pillow itself, it keeps its voice.
    """
    import ctypes  # only for TIFF
    import logging

    from PIL import _imaging

    # What Pillow's plugin logs goes to standard error too, where nobody handles it.
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    try:
        library = ctypes.CDLL(_imaging.__file__)  # a handle finds what the file is linked to
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            setter = getattr(library, name)
            setter.restype, setter.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
            setter(None)
    except (OSError, AttributeError):
        return
