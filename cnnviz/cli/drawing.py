"""The options of ``featuremaps`` that say what is drawn, and how."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options
from cnnviz.cli.values import WholeNumber
from cnnviz.errors import UsageError
from cnnviz.featuremaps.against import Divergence
from cnnviz.featuremaps.options import RAW_FORMATS, SORTS, Limit, MapOptions
from cnnviz.render.look import COLOR_MAPS, SCALES, Look

if TYPE_CHECKING:
    from cnnviz.explorer import PageOptions
    from cnnviz.explorer.facts import Language

LAYOUTS = ("NCHW", "NHWC")
MEGABYTE = 1_000_000


class Count(WholeNumber):
    """A whole number, or ``all``."""

    name = "n|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; None for all.

        Raises:
            click.BadParameter: neither of them.
        """
        return None if value == "all" else super().convert(value, param, ctx)


def drawing(command: options.Command) -> options.Command:
    """Which layers and channels are drawn, and how."""
    for option in (
        click.option(
            "--fail-on",
            multiple=True,
            metavar="FLAG[>N%]",
            help="Exit 1 where channels are nonfinite, dead, constant or saturated: dead>10%; with"
            " --compare where a layer diverges, or diverges>1e-6.",
        ),
        click.option(
            "--raw", type=click.Choice(RAW_FORMATS), help="Keep the exact values in a file too."
        ),
        click.option("--top", type=WholeNumber(), help="How many classes are named."),
        click.option(
            "--class",
            "cam_class",
            metavar="N|NAME",
            help="The class that --cam explains.  [default: the most probable]",
        ),
        click.option(
            "--cam",
            metavar="LAYER|auto",
            help="Show by Grad-CAM what in the image speaks for a class, as LAYER sees it; auto is"
            " the last with maps.",
        ),
        click.option(
            "--overlay-channel",
            type=WholeNumber(0),
            metavar="N",
            help="Which channel --overlay lays over the image.  [default: the most active]",
        ),
        click.option(
            "--overlay", is_flag=True, help="Lay each layer's most active map over the image too."
        ),
        click.option(
            "--filters",
            is_flag=True,
            help="Draw the kernels of the convolutions shown too, and beside the first one's maps.",
        ),
        click.option(
            "--layout",
            "maps",
            type=click.Choice(LAYOUTS),
            help="Where channels stand, of maps that no layer tells it of.",
        ),
        click.option("--tile", type=WholeNumber(), help="Width of a map, in pixels."),
        click.option("--cmap", type=click.Choice(COLOR_MAPS), help="Colours.  [default: viridis]"),
        click.option(
            "--scale",
            type=click.Choice(SCALES),
            default="channel",
            show_default=True,
            help="Whose range the colours span: each map's own, the layer's, about 0, without the"
            " outermost 1 %.",
        ),
        click.option(
            "--sort",
            type=click.Choice(SORTS),
            default="index",
            show_default=True,
            help="Which channels come first.",
        ),
        click.option(
            "--channels",
            type=Count(),
            default="all",
            show_default=True,
            help="How many of a layer's channels are drawn.",
        ),
        click.option(
            "-l",
            "--layers",
            multiple=True,
            metavar="SELECTION",
            help="A layer's name, a glob, a kind (conv, relu, pool, norm, linear, attention, block,"
            " function), or all. Repeatable.  [default: what a reader wants to see]",
        ),
    ):
        command = option(command)
    return command


def page(command: options.Command) -> options.Command:
    """Whether the HTML page is written, and how; ``page_of`` reads the values."""
    for option in (
        click.option("--open", "opened", is_flag=True, help="Open the page in the browser."),
        click.option(
            "--lossless", is_flag=True, help="Keep every map of the page to its last level."
        ),
        click.option(
            "--exact-budget",
            type=WholeNumber(0),
            default=4,
            show_default=True,
            help="Megabytes of the page that may be exact numbers, for sums to be followed.",
        ),
        click.option(
            "--html-dir", is_flag=True, help="A page for each layer, where one would be too large."
        ),
        click.option(
            "--html/--no-html",
            "html",
            default=True,
            show_default=True,
            help="Write index.html, a page that opens the network.",
        ),
        options.language,
    ):
        command = option(command)
    return command


def options_of(given: dict[str, Any]) -> MapOptions:
    """What is drawn, and how; without the page."""
    look = Look(given["scale"], given["cmap"], given["tile"])
    flags = (text for text in given["fail_on"] if not Divergence.read(text))
    limits = tuple(Limit.read(text) for text in flags)
    if given["cam_class"] is not None and given["cam"] is None:
        raise UsageError("--class is for --cam; add --cam auto")
    if given["overlay_channel"] is not None and not given["overlay"]:
        raise UsageError("--overlay-channel is for --overlay; add it")
    names = ("layers", "channels", "sort", "top", "raw", "maps", "overlay", "filters", "cam")
    rest = {name: given[name] for name in (*names, "overlay_channel", "cam_class")}
    return MapOptions(**rest, look=look, fail_on=limits)


def page_of(given: dict[str, Any]) -> PageOptions | None:
    """How the page is made, None where none is; its options are taken out of ``given``.

    Raises:
        UsageError: it is to be opened and not made.
    """
    wanted, opened = given.pop("html"), given.pop("opened")
    names = ("html_dir", "exact_budget", "lossless")
    html_dir, budget, lossless = (given.pop(name) for name in names)
    if not wanted:
        if opened:
            raise UsageError("--open opens the page, and --no-html writes none; leave one out")
        return None
    from cnnviz.explorer import PageOptions  # numpy and jinja2: only when there is work
    from cnnviz.language import KOREAN, spoken

    language: Language = "ko" if spoken() == KOREAN else "en"
    return PageOptions(language, budget * MEGABYTE, lossless or None, html_dir=html_dir)


def open_page(path: str) -> None:
    """Show a page in the user's browser; says where it is if there is none."""
    if not webbrowser.open(path):
        click.echo(f"note: no browser could be opened; the page is {path}", err=True)
