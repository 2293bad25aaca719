"""``cnnviz doctor``: versions, engines, devices; what works, what does not, how to fix it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from cnnviz.cli import options
from cnnviz.cli.options import shown


@click.command(
    "doctor",
    short_help="Say what of this installation works, and how to fix the rest.",
    epilog="Example: cnnviz doctor",
)
@options.everywhere
def command(quiet: bool, as_json: bool) -> None:
    """Look at versions, engines, formats and devices, and filter a small image with both engines.

    What is missing but optional is named with the way to get it. Where something is broken the
    exit code is 1.
    """
    from cnnviz.doctor import examine  # only when the command runs

    checks = examine()
    if as_json:
        click.echo(json.dumps({"checks": [asdict(check) for check in checks]}))
    else:
        for check in checks:
            if not quiet or check.status == "broken":
                click.echo(f"{check.name:<11} {check.status:<8} {shown(check.detail)}")
                if check.fix:
                    click.echo(f"{'':<20} -> {shown(check.fix)}")
    if any(check.status == "broken" for check in checks):
        click.get_current_context().exit(1)
