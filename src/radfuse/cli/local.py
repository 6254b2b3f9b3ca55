"""Commands on the own archive: ls, check."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import progress, say, warn, write_array, write_rows
from radfuse.cli.keys import as_row, information_model, question
from radfuse.cli.options import (
    AtLevel,
    Data,
    Database,
    Json,
    Keys,
    LevelName,
    database_named,
    databases_of,
    existing_data_folder,
    settings_of,
    wrong_use,
)
from radfuse.core.levels import Level

if TYPE_CHECKING:
    from radfuse.archive import CheckReport, InformationModel, Query
    from radfuse.dicom import Identifier

_MAX_SHOWN: Final = 50


def list_entities(
    keys: Keys = None,
    level: AtLevel = LevelName.STUDY,
    database: Database = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List patients, studies, series or images of the own archive, matched as by C-FIND."""
    from radfuse.app import open_archive
    from radfuse.services import search

    asked = question(keys, level.level)
    with wrong_use():
        query = index_query(asked.identifier, level.level)
    settings = existing_data_folder(settings_of(data))
    all_keys_supported = True
    with open_archive(settings, database_named(settings, database)) as archive:
        rows = []
        for answer in search.answers(archive, query, settings.ae_title):
            all_keys_supported &= answer.all_keys_supported
            rows.append(as_row(answer.elements))
    if not write_rows(rows, asked.columns, as_json=as_json) and not as_json:
        say("Nothing found.")
    if not all_keys_supported:
        warn("some keys are not known at this level; they were neither matched nor filled in")


def index_query(identifier: Identifier, level: Level) -> Query:
    """The query without the rules of hierarchical search: here a level needs no keys of those above it."""
    from radfuse.archive import queries
    from radfuse.dicom import Element, Identifier

    model = information_model(None, level)
    top = Element.of("QueryRetrieveLevel", _top_level(model).name)
    elements = (top, *(element for element in identifier if element.tag != top.tag))
    return dataclasses.replace(queries.query_from_identifier(Identifier(elements), model), level=level)


def _top_level(model: InformationModel) -> Level:
    return model.value


def check(
    repair: Annotated[bool, typer.Option("--repair", help="Put right what can be put right.")] = False,
    database: Database = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check that every object is there, byte-equal and indexed; without --database in all databases.

    Exit code 1 when something is wrong and was not put right.
    """
    from radfuse.app import open_archive
    from radfuse.archive import check_archive

    settings = existing_data_folder(settings_of(data))
    names = databases_of(settings) if database is None else [database_named(settings, database)]
    reports: dict[str, CheckReport] = {}
    for name in names:
        with open_archive(settings, name) as archive, progress("Checking", None, "objects") as advance:
            reports[name] = check_archive(archive, repair, advance)
    if as_json:
        write_array({"Database": name, **_check_row(report)} for name, report in reports.items())
    else:
        for name, report in reports.items():
            _say_check(report, f"{name}: " if len(reports) > 1 else "")
    if any(_findings(report) > report.repaired for report in reports.values()):
        raise typer.Exit(1)


def _findings(report: CheckReport) -> int:
    return len(report.missing) + len(report.orphaned) + len(report.damaged)


def _check_row(report: CheckReport) -> dict[str, object]:
    return {
        "Indexed": report.indexed,
        "Files": report.files,
        "Missing": list(report.missing),
        "Orphaned": list(report.orphaned),
        "Damaged": list(report.damaged),
        "Repaired": report.repaired,
    }


def _say_check(report: CheckReport, where: str) -> None:
    for finding, names in (("missing", report.missing), ("orphaned", report.orphaned), ("damaged", report.damaged)):
        for blob_id in names[:_MAX_SHOWN]:
            warn(f"{where}{finding}: {blob_id}")
        if len(names) > _MAX_SHOWN:
            warn(f"{where}and {len(names) - _MAX_SHOWN} more {finding}; --json lists them all")
    counts = f"{len(report.missing)} missing, {len(report.orphaned)} orphaned, {len(report.damaged)} damaged"
    say(f"{where}{report.indexed} indexed, {report.files} files, {counts}, {report.repaired} repaired")
    if _findings(report) > report.repaired:
        say(f"{where}Run 'radfuse check --repair' to put right what can be put right.")
