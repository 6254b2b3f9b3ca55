"""The command ``commission``: how exact this installation is, against phantoms of known truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import progress, say, warn, write_object, write_table
from radfuse.cli.options import Json
from radfuse.core.errors import ConfigurationError

if TYPE_CHECKING:
    from radfuse.services.commission import Commission

_NAMES: Final = ("commission.json", "commission.pdf")
_ARCHIVE: Final = "archive"


def commission(
    small: Annotated[
        bool, typer.Option("--small", help="Few, coarse images: finds in seconds what is broken.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Write commission.json and commission.pdf into this folder."),
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option("--pdf", metavar="FILE", help="Write the table as PDF; a new file.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep phantoms and results as a data folder, archive, in the folder of --to.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Register, measure and export phantoms of known truth, and show how exact this installation is.

    CT, MR and PET are made up, written as DICOM, stored in an archive of their own, registered rigidly and
    deformably, and compared with what is known. Exit code 1 when a value is beyond its limit.
    """
    from datetime import UTC, datetime

    from radfuse.services.commission import FULL, SMALL, report_pdf
    from radfuse.services.commission import commission as measured

    if keep and to is None:
        raise typer.BadParameter("--keep needs a folder: --to DIR", param_hint="--keep")
    _require_new(to, pdf, keep=keep)
    size = SMALL if small else FULL
    when = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    with progress("Commissioning", None, "parts") as advance:
        made = measured(size, when, to / _ARCHIVE if keep and to else None, advance)
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        (to / _NAMES[0]).write_text(json.dumps(made.as_json(), indent=2) + "\n", encoding="utf-8")
        (to / _NAMES[1]).write_bytes(report_pdf(made))
    if pdf is not None:
        pdf.write_bytes(report_pdf(made))
    if as_json:
        write_object(made.as_json())
    else:
        _show(made)
    if made.failed:
        raise typer.Exit(1)


def _require_new(to: Path | None, pdf: Path | None, *, keep: bool) -> None:
    """Nothing that is there is written over."""
    places = [to / name for name in (*_NAMES, *([_ARCHIVE] if keep else []))] if to else []
    for place in (*places, *([pdf] if pdf else [])):
        if place.exists():
            raise ConfigurationError("to", f"{place} is there already, and is not overwritten")


def _show(made: Commission) -> None:
    from radfuse.services.commission import passed_words, verdict

    write_table({"Fact": name, "Value": value} for name, value in made.machine.facts)
    say("")
    write_table(
        {
            "Part": row.part,
            "Test": row.test,
            "Quantity": row.quantity,
            "Limit": row.limit_words,
            "Measured": f"{row.measured_words} {row.unit}".removesuffix(" 1"),
            "Passed": passed_words(row),
        }
        for row in made.rows
    )
    say("")
    (warn if made.failed else say)(verdict(made))
