"""What a user can do wrong, one class per exit code."""


class CnnvizError(Exception):
    """Something that could not be done; the message says what, why, and what to change."""

    exit_code = 1


class UsageError(CnnvizError):
    """An option, kernel or name that cannot be used, or an output that exists already."""

    exit_code = 2


class ShapeError(UsageError):
    """Sizes that do not go together, such as a kernel larger than its padded input."""


class KernelError(UsageError):
    """A kernel that does not exist or is not written as one."""


class ModelError(UsageError):
    """A model or weights that cannot be named or loaded that way."""


class ImageError(CnnvizError):
    """A file that is not an image, or not one that can be read safely."""


class WeightsError(CnnvizError):
    """A file of weights that cannot be read, is damaged, or is not safe to read."""


class DisagreementError(CnnvizError):
    """The two engines computed different results."""

    exit_code = 3


class OutputError(CnnvizError):
    """A result that cannot be written: disk full, no permission, read-only folder."""

    exit_code = 4


def spoken(error: BaseException, most: int = 300) -> str:
    r"""What somebody's code raised, on one line of at most so many characters.

    >>> spoken(ValueError("no\n  good"))
    'ValueError: no good'
    """
    try:
        text = " ".join(str(error).split())[:most]
    except Exception:  # an error's own words are code too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
