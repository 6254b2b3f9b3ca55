"""Commands about OHIF: install its published build into the data folder, remove it, say what is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.console import say, write_object
from radfuse.cli.options import Data, Json, settings_of

if TYPE_CHECKING:
    from radfuse.services.ohif import Installed

app = typer.Typer(
    help="OHIF: a viewer for general reading beside the workstation.", no_args_is_help=True, rich_markup_mode=None
)

Source = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE|DIR", help="The package @ohif/app as 'npm pack' makes it, or unpacked."),
]
Version = Annotated[
    str | None,
    typer.Option("--version", metavar="VERSION", help="Another version than the one that Radfuse was tried with."),
]


@app.command()
def install(source: Source = None, version: Version = None, data: Data = None, as_json: Json = False) -> None:
    """Put OHIF's published build into the data folder; npm fetches it (50 MB). A running service offers it at once."""
    from radfuse.services.ohif import VERSION
    from radfuse.services.ohif import install as install_now

    if source is not None and version is not None:
        raise typer.BadParameter("a file or folder has its version; leave --version out")
    found = install_now(settings_of(data).data, source, version or VERSION)
    _show(found, as_json=as_json)


@app.command()
def remove(data: Data = None) -> None:
    """Remove OHIF from the data folder."""
    from radfuse.services.ohif import remove as remove_now

    say("OHIF is removed." if remove_now(settings_of(data).data) else "OHIF is not installed.")


@app.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Say which version of OHIF is installed."""
    from radfuse.services.ohif import installed

    _show(installed(settings_of(data).data), as_json=as_json)


def _show(found: Installed | None, *, as_json: bool) -> None:
    if as_json:
        facts = {"Installed": found is not None}
        write_object(facts if found is None else {**facts, "Version": found.version, "Bytes": found.size_bytes})
    elif found is None:
        say("OHIF is not installed: 'radfuse ohif install' fetches it with npm.")
    else:
        say(f"OHIF {found.version} (MIT license, {found.size_bytes / 1e6:.0f} MB) is at /ohif/ of the web server.")
