"""Importing a folder, zip file or disc image of the server as a durable job; it goes on where it was after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError, OutOfSpace, TransientFailure
from radfuse.jobs import ItemState, JobContext, NewItem, NewJob, Retry
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.import_media import FileCount, ImportJournal, ImportReport, import_paths
from radfuse.services.import_media.journal import forget_old_journals

IMPORT_MEDIA: Final = "import media"
"""The kind of these jobs."""

_ITEM: Final = "medium"
_SAY_EVERY_S: Final = 0.5
_MOST_REFUSED: Final = 1000
_REPORT_KEPT_S: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class ImportSurroundings:
    """What such a job needs of the process that runs it. ``data``: the data folder, where reports are kept."""

    open_archive: Callable[[str], Archive]
    data: Path
    folders: Sequence[Path] = ()
    """Folders of the server that may be read."""


def new_media_import(path: Path, *, database: str = DEFAULT_DATABASE, by: str = "", priority: int = 5) -> NewJob:
    """The job that imports what lies at ``path`` (see ``media_folders.path_below``). ``by``: who wants it."""
    parameters = {"path": str(path), "database": database, "by": by}
    retry = Retry(10, 60.0)
    return NewJob(
        IMPORT_MEDIA, f"{IMPORT_MEDIA} {database}", "import of media", parameters, [NewItem(_ITEM)], priority, retry
    )


def import_report(data: Path, job: int) -> Mapping[str, Any] | None:
    """What became of the files of a job that has ended, as ``ImportReport.to_json``; None while there is no report."""
    try:
        found: Mapping[str, Any] = json.loads(_report_file(data, job).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found


def imports_folder(data: Path) -> Path:
    """Where the journals and reports of imports are."""
    return data / "imports"


def _report_file(data: Path, job: int) -> Path:
    return imports_folder(data) / f"job-{job}.json"


def forget_old_imports(data: Path, now_s: float | None = None) -> int:
    """Remove reports of a month ago and journals of interrupted imports that nobody resumed for a week; how many."""
    now_s = time.time() if now_s is None else now_s
    removed = forget_old_journals(imports_folder(data), now_s)
    for path in imports_folder(data).glob("job-*.json"):
        with contextlib.suppress(OSError):
            if now_s - path.stat().st_mtime > _REPORT_KEPT_S:
                path.unlink()
                removed += 1
    return removed


def run_media_import(context: JobContext, surroundings: ImportSurroundings) -> None:
    """The kind "import media". What was committed before a crash is passed over by a journal, and counted once.

    Raises TransientFailure when there is no space or another process still has the journal, ConfigurationError for
    a folder that may not be read any more.
    """
    job = context.job
    path = _checked_path(Path(job.parameters["path"]), surroundings.folders)
    forget_old_imports(surroundings.data)
    archive = surroundings.open_archive(job.parameters["database"])
    try:
        journal = ImportJournal(imports_folder(surroundings.data) / f"job-{job.id}.journal")
    except BlockingIOError as error:
        raise TransientFailure("another process is still at this import") from error
    with journal:
        try:
            report = _import(context, archive, path, journal)
        except OutOfSpace as error:
            raise TransientFailure(str(error)) from error
        if context.should_stop():
            return
        _write_report(_report_file(surroundings.data, job.id), report)
        is_clean = not report.refused and not report.findings.total
        for item in context.pending():
            context.record(item.number, ItemState.SENT if is_clean else ItemState.WARNED, None, report.sentence())
        context.say(report.sentence())
        context.flush()
        journal.finish()


def _checked_path(path: Path, allowed: Sequence[Path]) -> Path:
    """The path, as long as it lies below an allowed folder. Raises ConfigurationError."""
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(os.path.realpath(folder)) for folder in allowed):
        raise ConfigurationError("media.import_folders", "does not hold what this job imports any more: add its folder")
    if not real.exists():
        raise ConfigurationError("path", "there is nothing at this place any more: put the medium in and start again")
    return real


def _import(context: JobContext, archive: Archive, path: Path, journal: ImportJournal) -> ImportReport:
    report = ImportReport()
    count = FileCount([path], context.should_stop).start()
    begin_s = said_s = time.monotonic()
    for done, imported in enumerate(import_paths(archive, [path], journal=journal, should_stop=context.should_stop), 1):
        report.add(imported)
        now_s = time.monotonic()
        if now_s - said_s >= _SAY_EVERY_S:
            said_s = now_s
            context.say(_progress(done, done - report.from_before, count.total, now_s - begin_s))
    return report


def _progress(done: int, done_now: int, total: int | None, elapsed_s: float) -> str:
    rate = done_now / elapsed_s
    if total is None or total < done:
        return f"{done:,} files, {rate:,.0f} a second"
    left_s = (total - done) / rate if rate else 0.0
    return f"{done:,} of {total:,} files, {rate:,.0f} a second, {left_s:,.0f} s left"


def _write_report(path: Path, report: ImportReport) -> None:
    """The report appears whole or not at all. Raises TransientFailure."""
    content = dict(report.to_json())
    content["RefusedFiles"] = content["RefusedFiles"][:_MOST_REFUSED]
    partial = path.with_suffix(".part")
    try:
        partial.write_text(json.dumps(content), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise TransientFailure("the report of the import could not be written: make room in the data folder") from error
