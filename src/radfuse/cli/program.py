"""The program ``radfuse``: all commands, and what their errors become."""

from __future__ import annotations

import io
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from radfuse import __version__
from radfuse.cli import (
    anonymize,
    asking,
    commission,
    commit,
    contexts,
    contour,
    deid,
    exporting,
    followup,
    importing,
    jobs,
    local,
    measure,
    ohif,
    peers,
    register,
    registrations,
    rules,
    sending,
    serving,
    sr,
    suv,
    tls,
    tokens,
    users,
    volume,
)
from radfuse.core.errors import RadfuseError


class _Commands(TyperGroup):
    """Says an error in one line and ends with 1; wrong use is Typer's to say, and ends with 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except RadfuseError as error:
            sentence = str(error)
        except BrokenPipeError:
            raise
        except OSError as error:
            # The folder or file that a person named, or its volume.
            sentence = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        typer.echo(f"radfuse: {' '.join(sentence.split())}", err=True)
        raise typer.Exit(1)


app = typer.Typer(
    cls=_Commands,
    name="radfuse",
    help="Radfuse, an open DICOM archive node: receive, keep, find, give back.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    # Plain text: rich would cost a third of the start-up time of every command.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"radfuse {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and end."
    ),
) -> None:
    """Radfuse, an open DICOM archive node: receive, keep, find, give back."""


app.command()(serving.serve)
app.command()(serving.node)
app.command()(serving.web)
app.command()(serving.worker)
app.command()(serving.demo)
app.command()(asking.echo)
app.command()(sending.send)
app.command()(asking.find)
app.command()(asking.move)
app.command()(asking.get)
app.command("ls")(local.list_entities)
app.command("import")(importing.import_paths)
app.command("export")(exporting.export)
app.command()(local.check)
app.command("anonymize")(anonymize.anonymize)
app.command("sr")(sr.show)
app.command()(suv.suv)
app.command("volume")(volume.volume)
app.command("measure")(measure.measure)
app.command("register")(register.register)
app.command("followup")(followup.followup)
app.command("commission")(commission.commission)
app.add_typer(contexts.app, name="contexts")
app.add_typer(contour.app, name="contour")
app.add_typer(commit.app, name="commit")
app.add_typer(deid.app, name="deid")
app.add_typer(jobs.app, name="jobs")
app.add_typer(ohif.app, name="ohif")
app.add_typer(peers.app, name="peers")
app.add_typer(registrations.app, name="registrations")
app.add_typer(rules.app, name="rules")
app.add_typer(tls.app, name="tls")
app.add_typer(tokens.app, name="tokens")
app.add_typer(users.app, name="users")


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names of patients and files may hold what the terminal's encoding does not.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="radfuse")
    sys.exit(0)
