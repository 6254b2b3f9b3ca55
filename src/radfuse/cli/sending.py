"""The command that sends: files, or studies of the own archive, to a peer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.asking import caller, peer_named
from radfuse.cli.console import progress, say, warn, write_object
from radfuse.cli.failures import sentence_of, talking_to
from radfuse.cli.options import Data, Database, From, Json, database_named, settings_of, wrong_use
from radfuse.core.errors import NotPart10, RadfuseError, WireError

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.services.send import Destination, FileObject, Sent

_MAX_FAILED_SHOWN: Final = 50

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILES", show_default=False, help="DICOM files, or folders with all folders in them."),
]
Studies = Annotated[
    list[str] | None,
    typer.Option("--study", metavar="UID", help="Send this study of the own archive; can be given again."),
]
ToPeer = Annotated[str, typer.Option("--to", metavar="PEER", help="A configured name or AET@HOST:PORT.")]


def send(
    to_peer: ToPeer,
    files: Files = None,
    study: Studies = None,
    from_title: From = None,
    database: Database = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send files, or studies of the own archive, to a peer (C-STORE).

    Objects are sent as they are, or transcoded without loss where the peer wants it. Exit code 1 when one was not sent.
    """
    from radfuse.app import open_archive
    from radfuse.dicom import Transcoder
    from radfuse.services import send as sending

    if bool(files) == bool(study):
        raise typer.BadParameter("give either FILES or --study UID")
    settings = settings_of(data)
    peer, us = peer_named(settings, to_peer), caller(settings, from_title)
    results: list[Sent] = []
    unreadable: list[tuple[str, str]] = []
    with Transcoder() as transcoder, talking_to(peer, us.ae_title):
        destination = sending.Destination(peer, us, transcoder)
        if files:
            objects, unreadable = _readable(files)
            _collect(sending.send_files(objects, destination), len(objects), results)
        else:
            name = database_named(settings, database)
            with open_archive(settings, name) as archive:
                _send_studies(archive, study or [], destination, results)
    rows = [_row(result, destination) for result in results]
    rows += [{"SOPInstanceUID": "", "File": name, "Status": "", "Reason": reason} for name, reason in unreadable]
    _report(rows, peer.name, as_json)


def _readable(paths: list[Path]) -> tuple[list[FileObject], list[tuple[str, str]]]:
    """The objects in files, and the files that hold a broken one; what is not DICOM is left out."""
    from radfuse.services import import_media
    from radfuse.services import send as sending

    objects, unreadable = [], []
    skipped = 0
    for path in import_media.files_below(paths):
        try:
            objects.append(sending.file_object(path))
        except NotPart10:
            skipped += 1
        except (RadfuseError, OSError) as error:
            unreadable.append((str(path), str(error)))
    if skipped:
        warn(f"{skipped} files are not DICOM objects and are left out")
    return objects, unreadable


def _send_studies(archive: Archive, studies: list[str], destination: Destination, results: list[Sent]) -> None:
    from radfuse.services import send as sending

    with wrong_use():
        objects = sending.objects_of_studies(archive, studies)
    _collect(sending.send_objects(archive, objects, destination), len(objects), results)


def _collect(sent: Iterator[Sent], total: int, results: list[Sent]) -> None:
    with progress("Sending", total, "objects") as advance:
        for result in sent:
            results.append(result)
            advance(len(results), None)


def _row(result: Sent, destination: Destination) -> dict[str, object]:
    error = result.error
    if isinstance(error, WireError):
        reason = sentence_of(error, destination.peer, destination.caller.ae_title)
    elif error is not None:
        reason = str(error)
    else:
        reason = "" if result.is_sent else result.comment or "the peer refused it"
    code = "" if result.status is None else f"{result.status:04X}"
    name = "" if result.path is None else str(result.path)
    return {"SOPInstanceUID": result.sop_instance_uid, "File": name, "Status": code, "Reason": reason}


def _report(rows: list[dict[str, object]], peer_name: str, as_json: bool) -> None:
    failed = [row for row in rows if row["Reason"]]
    if as_json:
        write_object({"Sent": len(rows) - len(failed), "Failed": len(failed), "Instances": rows})
    else:
        for row in failed[:_MAX_FAILED_SHOWN]:
            answer = f"status {row['Status']}: " if row["Status"] else ""
            warn(f"not sent: {row['File'] or row['SOPInstanceUID']}: {answer}{row['Reason']}")
        if len(failed) > _MAX_FAILED_SHOWN:
            warn(f"and {len(failed) - _MAX_FAILED_SHOWN} more; --json lists them all")
        warnings = sum(row["Status"] not in ("", "0000") for row in rows if not row["Reason"])
        told = f" ({warnings} with a warning)" if warnings else ""
        say(f"{len(rows) - len(failed)} sent to {peer_name}{told}, {len(failed)} failed")
    if failed or not rows:
        raise typer.Exit(1)
