"""The ``cnnviz`` command: finds the subcommand, turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from cnnviz.cli.ending import Ended, end_at_once, line, listen
from cnnviz.cli.options import fault
from cnnviz.errors import CnnvizError, OutputError
from cnnviz.version import __version__

# Behind these stand libraries that take a sixth of a second or more to clear themselves away, when
# all is written and done: the operating system does it in none.
SLOW_TO_END = {"cnnviz.engines.torch", "torch"}
INTERRUPTED = {129, 130, 143}  # 128 and the signal's number
CONSOLE = {errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT}

COMMANDS = (
    *("filter", "pool", "kernels", "step", "shape"),
    *("summary", "models", "featuremaps", "doctor"),
)
ANYWHERE = {"kernels", "shape", "models"}  # without torch, and without files of their own


class Group(click.Group):
    """Commands that are imported when they are named, and one place where errors end."""

    def make_context(self, *arguments: Any, **others: Any) -> click.Context:
        """The context, before which click would call an interruption an abort."""
        try:
            return super().make_context(*arguments, **others)
        except KeyboardInterrupt as interruption:
            sys.exit(_told(interruption))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What is left of the arguments; what is wrong with them is said on one line."""
        try:
            return super().parse_args(ctx, args)
        except click.ClickException as error:
            raise _on_one_line(error) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from the module of its name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"cnnviz.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; a near miss is said."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches  # only on the way to an error

            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(COMMANDS)}"
            ctx.fail(f"No such command {args[0]!r}; {hint}")
        if args[0] not in ANYWHERE:
            _refuse_lost_folder()
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a ``CnnvizError`` becomes its message and its exit code."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except CnnvizError as error:
            click.echo(f"Error: {fault(error)}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt as interruption:
            ctx.exit(_told(interruption))
        except click.ClickException as error:
            raise _on_one_line(error) from None
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except (SystemExit, GeneratorExit) as error:  # click has classes of its own for its exits
            click.echo(f"Error: code that is not cnnviz's tried to end it: {error!r}", err=True)
            ctx.exit(1)
        except Exception as error:  # our own fault: said in one line, with -v in full
            if isinstance(error, OSError) and error.filename is None and error.errno in CONSOLE:
                said = [f"standard output cannot be written: {error.strerror}", *_notes(error)]
                click.echo(f"Error: {'; '.join(said)}", err=True)
                ctx.exit(OutputError.exit_code)
            verbose = ctx.meta.get("cnnviz.verbose")
            if verbose:
                import traceback  # 4 ms that a healthy run need not pay

                traceback.print_exc()
            hint = "" if verbose else "; -v shows where"
            what = f"a fault of cnnviz itself: {type(error).__name__}: {error}"
            click.echo(f"Error: {fault(what)}{hint}", err=True)
            ctx.exit(1)


def _refuse_lost_folder() -> None:
    """Refuse to begin in a folder that has been removed: torch ends the process there."""
    try:
        os.getcwd()  # noqa: PTH109 (pathlib is loaded by those that need it)
    except FileNotFoundError:
        raise CnnvizError("the current folder is gone; change to one that exists") from None


def _on_one_line(error: click.ClickException) -> click.ClickException:
    """The error, or one with what ``fault`` makes of its message where that differs."""
    said = error.format_message()
    if fault(said) == said:
        return error
    return click.UsageError(fault(said), getattr(error, "ctx", None))


def _told(interruption: KeyboardInterrupt) -> int:
    """The exit code of an interruption, of which a line is printed."""
    number = interruption.number if isinstance(interruption, Ended) else signal.SIGINT
    click.echo(line(number, _notes(interruption)), err=True)
    return 128 + number


def _notes(error: BaseException) -> list[str]:
    """How far a batch was, as ``Progress`` notes it."""
    return getattr(error, "__notes__", [])


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cnnviz")
def cli() -> None:
    """Show what convolution does, from one kernel to every layer of a network.

    \b
      cnnviz filter samples/coffee.png --kernel sobel_x
      cnnviz shape 300x400 -k3 -p1 -s2
      cnnviz featuremaps --model lenet samples/digit_7.png
    """  # noqa: D301 (click wants the backspace itself)


def main() -> None:
    """Run the command that the process was started with, and end by its exit code."""
    _occupy_closed_streams()
    # Warnings of decoders are about files that are refused or read here, with notes of our own.
    warnings.filterwarnings("ignore", module=r"(PIL|cnnviz)\.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names need not be text
    try:
        listen()
        cli(prog_name="cnnviz")
    except KeyboardInterrupt as interruption:  # just before the command, or just after
        end_at_once(_told(interruption))
    except SystemExit as end:
        slow = SLOW_TO_END & sys.modules.keys()
        if isinstance(end.code, int) and (slow or end.code in INTERRUPTED):
            end_at_once(end.code)
        raise


def _occupy_closed_streams() -> None:
    """Open nothing at all in place of closed standard streams.

    Else the next file that is opened is one of them, and what a C library prints ends up in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
