"""The command that shows a structured report of any vendor."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.console import say, warn, write_array, write_object, write_table
from radfuse.cli.images import opened_archive, require_new_file
from radfuse.cli.options import Data, Database, Json
from radfuse.core.uids import is_valid_uid

if TYPE_CHECKING:
    from radfuse.objects.sr import MeasurementGroup, Report

_Object = Annotated[
    str, typer.Argument(metavar="OBJECT", help="A DICOM file, or the SOP Instance UID of an object of the own archive.")
]
_Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write it as one HTML page that needs nothing else; a new file."),
]
_Measurements = Annotated[
    bool, typer.Option("--measurements", help="Show the numbers of its measurement groups (TID 1500), as a table.")
]
_NoPatient = Annotated[bool, typer.Option("--no-patient", help="Leave the patient's name and identifier out.")]


def show(
    wanted: _Object,
    html: _Html = None,
    measurements: _Measurements = False,
    no_patient: _NoPatient = False,
    database: Database = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show a structured report, a dose report or a key object selection of any vendor.

    As text, as HTML, or as JSON. What in it is not as the standard has it is said at its end.
    """
    from radfuse.objects.sr import html_of, json_of, text_of

    if measurements and html is not None:
        raise typer.BadParameter("--measurements and --html do not go together")
    if html is not None:
        require_new_file("--html", html)
    report = _report(wanted, database, data)
    if measurements:
        _show_measurements(report, as_json)
        return
    if html is not None:
        html.write_text(html_of(report, with_patient=not no_patient), encoding="utf-8")
    if as_json:
        shown = json_of(report, with_patient=not no_patient)
        write_object(shown)
    elif html is None:
        for line in text_of(report, with_patient=not no_patient):
            say(line)


def _report(wanted: str, database: str | None, data: Path | None) -> Report:
    from radfuse.services import show_report

    if Path(wanted).is_file():
        return show_report.report_in_file(Path(wanted))
    if not is_valid_uid(wanted):
        raise typer.BadParameter("there is no such file, and it is no UID", param_hint="OBJECT")
    with contextlib.ExitStack() as opened:
        return show_report.stored_report(opened_archive(data, database, opened)[0], wanted)


def _show_measurements(report: Report, as_json: bool) -> None:
    from radfuse.objects.sr import group_json, measurements_of

    groups = measurements_of(report)
    if as_json:
        write_array(group_json(group) for group in groups)
        return
    rows = [row for group in groups for row in _rows(group)]
    if not write_table(rows):
        warn("it holds no measurement groups")


def _rows(group: MeasurementGroup) -> list[dict[str, object]]:
    from radfuse.objects.sr import measurement_row

    about = {"Group": group.tracking_id, "Finding": group.finding.meaning if group.finding else ""}
    return [about | measurement_row(measurement) for measurement in group.measurements]
