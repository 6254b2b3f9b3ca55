"""The command import: folders, files, zip files, disc images and media with a DICOMDIR into the own archive."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import progress, say, warn, write_object
from radfuse.cli.options import Data, Database, Json, database_named, settings_of

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.services.import_media import ImportJournal, ImportReport

_MAX_SHOWN: Final = 50
_MOVE_EVERY_S: Final = 0.05

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH",
        help="Folders (with all folders in them) and mounted media, DICOM files, zip files, images of discs.",
    ),
]
Again = Annotated[
    bool, typer.Option("--again", help="Read everything again, also what an interrupted import of the same had done.")
]


def import_paths(
    paths: Paths, again: Again = False, database: Database = None, data: Data = None, as_json: Json = False
) -> None:
    """Import DICOM files from folders, files, zip files, disc images and media into the own archive.

    A DICOMDIR is checked against the files beside it. What is not DICOM is counted and left out. An import that was
    interrupted goes on where it was when it is started again. Exit code 1 when a DICOM object was refused.
    """
    from radfuse.app import open_archive
    from radfuse.core.errors import InUse
    from radfuse.services.import_media import ImportJournal

    settings = settings_of(data)
    with open_archive(settings, database_named(settings, database)) as archive:
        try:
            journal = ImportJournal.of_paths(archive.settings.folder / "imports", paths, begins_anew=again)
        except BlockingIOError as error:
            raise InUse("the import of these paths", "another command is at it; wait for its end") from error
        with journal:
            report = _import(archive, paths, journal)
            journal.finish()
    if as_json:
        write_object(report.to_json())
    else:
        _say_report(report)
    if report.refused:
        raise typer.Exit(1)


def _import(archive: Archive, paths: Sequence[Path], journal: ImportJournal) -> ImportReport:
    from radfuse.services import import_media

    report = import_media.ImportReport()
    count = import_media.FileCount(paths).start()
    with progress("Importing", None, "files") as advance:
        moved_s = 0.0
        for done, imported in enumerate(import_media.import_paths(archive, paths, journal=journal), 1):
            report.add(imported)
            if (now_s := time.monotonic()) - moved_s >= _MOVE_EVERY_S:
                moved_s = now_s
                # Archives count as one file, and hold many.
                advance(done, None if count.total is None else max(done, count.total))
    return report


def _say_report(report: ImportReport) -> None:
    for sentence in report.findings.sentences[:_MAX_SHOWN]:
        warn(sentence)
    if report.findings.total > _MAX_SHOWN:
        warn(f"and {report.findings.total - _MAX_SHOWN} more findings about the medium")
    for imported in report.refused[:_MAX_SHOWN]:
        warn(f"refused: {imported.name}: {imported.reason}")
    if len(report.refused) > _MAX_SHOWN:
        warn(f"and {len(report.refused) - _MAX_SHOWN} more; --json lists them all")
    say(report.sentence())
