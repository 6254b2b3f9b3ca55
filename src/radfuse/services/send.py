"""Sending to a peer now: files from disk, or objects of our own archive (C-STORE as SCU, PS3.4 Annex B)."""

from __future__ import annotations

import contextlib
import mmap
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from radfuse.archive import Archive, InformationModel, StoredObject, queries
from radfuse.core.errors import ConfigurationError, JobFailed, NotPart10, RadfuseError, WireError
from radfuse.core.levels import Level
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY
from radfuse.core.store_statuses import Outcome, meaning_of
from radfuse.core.uids import checked_uid
from radfuse.dicom import Element, FileMeta, Identifier, read_file_meta, scan_header
from radfuse.services.object_source import FileObject
from radfuse.services.storage_scu import NOT_OFFERED_ADVICE, Route
from radfuse.services.transfer import ObjectSender, kinds_of, propose
from radfuse.wire import Association

_USUAL_HEAD_BYTES: Final = 4096
_LONGEST_HEAD_BYTES: Final = 2 << 20
_SOP_CLASS: Final = 0x0008_0016
_SOP_INSTANCE: Final = 0x0008_0018
_NAMES: Final = frozenset({_SOP_CLASS, _SOP_INSTANCE})


@dataclass(frozen=True, slots=True)
class Sent:
    """One object and the status that the peer answered, or the error that kept it back."""

    sop_instance_uid: str
    path: Path | None
    status: int | None = None
    comment: str = ""
    """What the peer said about a status that is not success (Error Comment, PS3.7 section C)."""
    error: Exception | None = None
    is_sent: bool = False
    """Whether the peer has it now: success, or one of the warnings that count as sent."""


# --- what to send --------------------------------------------------------------------------------


def file_object(path: Path) -> FileObject:
    """The object in a file. Raises NotPart10, another DataSetError, InvalidUID or OSError."""
    with path.open("rb") as file:
        meta = _file_meta(file)
        if meta.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
            raise NotPart10("it is the directory of a medium")
        if not (meta.sop_class_uid and meta.sop_instance_uid):
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                meta = _named(meta, content)
    checked_uid(meta.sop_class_uid, "SOP Class UID")
    checked_uid(meta.sop_instance_uid, "SOP Instance UID")
    return FileObject(path, meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid, meta.data_offset)


def _file_meta(file: BinaryIO) -> FileMeta:
    """The meta information of a file; little is read where that is enough."""
    head = file.read(_USUAL_HEAD_BYTES)
    with contextlib.suppress(NotPart10):
        meta = read_file_meta(head)
        if meta.sop_class_uid and meta.sop_instance_uid and not meta.guessed:
            return meta
    head += file.read(_LONGEST_HEAD_BYTES - len(head))
    return read_file_meta(head)


def _named(meta: FileMeta, content: mmap.mmap) -> FileMeta:
    """``meta`` with the UIDs of the data set, for a file without file meta information."""
    header = scan_header(content, meta.transfer_syntax_uid, _NAMES, start=meta.data_offset)
    return FileMeta(
        header.sop_class_uid, header.sop_instance_uid, meta.transfer_syntax_uid, data_offset=meta.data_offset
    )


def objects_of_studies(archive: Archive, study_uids: Iterable[str]) -> list[StoredObject]:
    """Every object of the studies. Raises InvalidUID, or ConfigurationError for a study that is not kept."""
    return _objects_of(archive, Level.STUDY, study_uids)


def objects_of_series(archive: Archive, series_uids: Iterable[str]) -> list[StoredObject]:
    """Every object of the series. Raises InvalidUID, or ConfigurationError for a series that is not kept."""
    return _objects_of(archive, Level.SERIES, series_uids)


def _objects_of(archive: Archive, level: Level, uids: Iterable[str]) -> list[StoredObject]:
    name = level.name.lower()
    found: list[StoredObject] = []
    for uid in uids:
        top = Element.of("QueryRetrieveLevel", "STUDY")
        key = Element.of(f"{name.title()}InstanceUID", checked_uid(uid, f"{name.title()} Instance UID"))
        query = queries.query_from_identifier(Identifier((top, key)), InformationModel.STUDY_ROOT)
        with archive.reading() as connection:
            # No keys of the levels above: a UID says enough.
            objects = list(queries.instances(connection, replace(query, level=level)))
        if not objects:
            raise ConfigurationError(f"--{name}", f"the archive has no {name} {uid}")
        found += objects
    return found


# --- sending -----------------------------------------------------------------------------------


def send_files(files: Sequence[FileObject], to: Route) -> Iterator[Sent]:
    """Send files; yields the result of each. Raises the WireError of a first association that cannot be made."""
    return _send(None, files, to)


def send_objects(archive: Archive, objects: Sequence[StoredObject], to: Route) -> Iterator[Sent]:
    """Send objects of the archive; otherwise as ``send_files``."""
    return _send(archive, objects, to)


def _send(archive: Archive | None, objects: Sequence[FileObject] | Sequence[StoredObject], to: Route) -> Iterator[Sent]:
    is_first = True
    offered = []
    for item in objects:
        if reason := to.why_not((item.sop_class_uid, item.transfer_syntax_uid)):
            yield Sent(item.sop_instance_uid, _path(item), error=JobFailed(f"{reason}: {NOT_OFFERED_ADVICE}"))
        else:
            offered.append(item)
    for kinds, contexts in propose(kinds_of(offered), to.offer):
        waiting = deque(item for item in offered if (item.sop_class_uid, item.transfer_syntax_uid) in kinds)
        while waiting:
            try:
                association = to.associate(contexts)
            except WireError as error:
                if is_first:
                    raise
                # It was there a moment ago: what is left fails, with the reason.
                yield from (Sent(item.sop_instance_uid, _path(item), error=error) for item in waiting)
                break
            is_first = False
            with association:
                sender = ObjectSender(archive, association, to.transcoder, offer=to.offer)
                yield from _send_over(association, waiting, sender, is_lenient=to.peer.lenient_statuses)


def _send_over(
    association: Association,
    waiting: deque[FileObject | StoredObject],
    sender: ObjectSender,
    *,
    is_lenient: bool,
) -> Iterator[Sent]:
    """Send until nothing waits or the association is gone; one bad object does not keep the others back."""
    while waiting and association.is_established:
        item = waiting.popleft()
        try:
            answer, comment, _ = sender.store(item)
        except (RadfuseError, OSError) as error:
            yield Sent(item.sop_instance_uid, _path(item), error=error)
        else:
            is_sent = meaning_of(answer, lenient=is_lenient).outcome in (Outcome.SENT, Outcome.WARNED)
            yield Sent(item.sop_instance_uid, _path(item), answer, comment, is_sent=is_sent)


def _path(item: FileObject | StoredObject) -> Path | None:
    return item.path if isinstance(item, FileObject) else None
