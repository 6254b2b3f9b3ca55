"""Sending to a peer now: files from disk, or objects of our own archive (C-STORE as SCU, PS3.4 Annex B)."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from radfuse.archive import Archive, InformationModel, StoredObject, queries
from radfuse.core.errors import (
    ConfigurationError,
    NotPart10,
    RadfuseError,
    WireError,
)
from radfuse.core.uids import checked_uid
from radfuse.dicom import Element, FileMeta, Identifier, Transcoder, read_file_meta, scan_header
from radfuse.services.import_media import DICOMDIR_CLASS
from radfuse.services.peers import Peer
from radfuse.services.query_peer import Caller, associate
from radfuse.services.transfer import Kind, ObjectSender, context_to_send, propose
from radfuse.wire import AcceptedContext, Association, FileSlice, scu, status

SENT: Final = frozenset({status.Category.SUCCESS, status.Category.WARNING})
"""B000H, B006H and B007H tell of coercion, discarded elements or a mismatch: the peer has the object."""

_HEAD_BYTES: Final = 2 << 20
_SOP_CLASS: Final = 0x0008_0016
_SOP_INSTANCE: Final = 0x0008_0018
_NAMES: Final = frozenset({_SOP_CLASS, _SOP_INSTANCE})


@dataclass(frozen=True, slots=True)
class FileObject:
    """One DICOM file to send: its data set begins at ``data_offset``."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_offset: int


@dataclass(frozen=True, slots=True)
class Sent:
    """One object and the status that the peer answered, or the error that kept it back."""

    sop_instance_uid: str
    path: Path | None
    status: int | None = None
    comment: str = ""
    """What the peer said about a status that is not success (Error Comment, PS3.7 section C)."""
    error: Exception | None = None

    @property
    def is_sent(self) -> bool:
        """Whether the peer has it now."""
        return self.status is not None and status.category(self.status) in SENT


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to send, as whom, and with what objects are transcoded if they must be."""

    peer: Peer
    caller: Caller
    transcoder: Transcoder


_Object = TypeVar("_Object", FileObject, StoredObject)
_Answer = tuple[int, str]
"""The peer's status and comment."""

_Sender = Callable[[_Object], _Answer]
"""Sends an object over one association."""


# --- what to send --------------------------------------------------------------------------------


def file_object(path: Path) -> FileObject:
    """The object in a file. Raises NotPart10, another DataSetError, InvalidUID or OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        meta = read_file_meta(head)
        if meta.sop_class_uid == DICOMDIR_CLASS:
            raise NotPart10("it is the directory of a medium")
        if not (meta.sop_class_uid and meta.sop_instance_uid):
            meta = _named(meta, head + file.read())
    checked_uid(meta.sop_class_uid, "SOP Class UID")
    checked_uid(meta.sop_instance_uid, "SOP Instance UID")
    return FileObject(path, meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid, meta.data_offset)


def _named(meta: FileMeta, content: bytes) -> FileMeta:
    """``meta`` with the UIDs of the data set, for a file without file meta information."""
    header = scan_header(content, meta.transfer_syntax_uid, _NAMES, start=meta.data_offset)
    return FileMeta(
        header.sop_class_uid, header.sop_instance_uid, meta.transfer_syntax_uid, data_offset=meta.data_offset
    )


def objects_of_studies(archive: Archive, study_uids: Iterable[str]) -> list[StoredObject]:
    """Every object of the studies. Raises InvalidUID, or ConfigurationError for a study that is not kept."""
    found: list[StoredObject] = []
    for uid in study_uids:
        level = Element.of("QueryRetrieveLevel", "STUDY")
        study = Element.of("StudyInstanceUID", checked_uid(uid, "Study Instance UID"))
        query = queries.query_from_identifier(Identifier((level, study)), InformationModel.STUDY_ROOT, retrieve=True)
        with archive.reading() as connection:
            objects = list(queries.instances(connection, query))
        if not objects:
            raise ConfigurationError("--study", f"the archive has no study {uid}")
        found += objects
    return found


# --- sending -----------------------------------------------------------------------------------


def send_files(files: Sequence[FileObject], to: Destination) -> Iterator[Sent]:
    """Send files; yields the result of each. Raises the WireError of a first association that cannot be made."""
    return _send(files, to, lambda association: _FileSender(association, to.transcoder).send)


def send_objects(archive: Archive, objects: Sequence[StoredObject], to: Destination) -> Iterator[Sent]:
    """Send objects of the archive; otherwise as ``send_files``."""

    def sender_on(association: Association) -> _Sender[StoredObject]:
        sender = ObjectSender(archive, association, to.transcoder)
        return lambda stored: (sender.send(stored), "")

    return _send(objects, to, sender_on)


def _send(
    objects: Sequence[_Object], to: Destination, sender_on: Callable[[Association], _Sender[_Object]]
) -> Iterator[Sent]:
    is_first = True
    for kinds, contexts in propose(list(dict.fromkeys(map(_kind, objects)))):
        waiting = deque(item for item in objects if _kind(item) in kinds)
        while waiting:
            try:
                association = associate(to.peer, to.caller, contexts)
            except WireError as error:
                if is_first:
                    raise
                # It was there a moment ago: what is left fails, with the reason.
                yield from (Sent(item.sop_instance_uid, _path(item), error=error) for item in waiting)
                break
            is_first = False
            with association:
                yield from _send_over(association, waiting, sender_on(association))


def _send_over(association: Association, waiting: deque[_Object], send: _Sender[_Object]) -> Iterator[Sent]:
    """Send until nothing waits or the association is gone; one bad object does not keep the others back."""
    while waiting and association.is_established:
        item = waiting.popleft()
        try:
            answer, comment = send(item)
        except (RadfuseError, OSError) as error:
            yield Sent(item.sop_instance_uid, _path(item), error=error)
        else:
            yield Sent(item.sop_instance_uid, _path(item), answer, comment)


def _kind(item: FileObject | StoredObject) -> Kind:
    return item.sop_class_uid, item.transfer_syntax_uid


def _path(item: FileObject | StoredObject) -> Path | None:
    return item.path if isinstance(item, FileObject) else None


class _FileSender:
    """Sends files over one association, as they are or transcoded without loss."""

    def __init__(self, association: Association, transcoder: Transcoder) -> None:
        self._association = association
        self._transcoder = transcoder

    def send(self, item: FileObject) -> _Answer:
        """C-STORE one file; what the peer answered."""
        context = context_to_send(self._association, (item.sop_class_uid, item.transfer_syntax_uid))
        if context.transfer_syntax == item.transfer_syntax_uid:
            return self._store(context, item, item.path, item.data_offset)
        with tempfile.TemporaryDirectory(prefix="radfuse-send-") as folder:
            transcoded = Path(folder) / "data-set"
            self._transcoder.transcode(item.path, context.transfer_syntax, transcoded)
            return self._store(context, item, transcoded, 0)

    def _store(self, context: AcceptedContext, item: FileObject, path: Path, offset: int) -> _Answer:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = FileSlice(file.fileno(), offset, size - offset)
            response = scu.store(self._association, context.id, item.sop_class_uid, item.sop_instance_uid, data)
        return response.status or 0, response.error_comment or ""
