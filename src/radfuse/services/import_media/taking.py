"""Taking in some objects at once: read, looked at, and kept together, so that they share their disk syncs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radfuse.archive import Archive, Incoming, Origin
from radfuse.core.aetitle import checked_ae_title
from radfuse.core.errors import DataSetError, InvalidAETitle, NotPart10, OutOfSpace, RadfuseError
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY
from radfuse.core.uids import checked_uid
from radfuse.dicom import FileMeta, Header, Identifier, read_file_meta, scan_header
from radfuse.services.import_media.model import VERDICTS, Identity, Imported, Verdict, shown_name
from radfuse.services.import_media.sources import HEAD_BYTES, OpenFile, Reading, Source, read_head
from radfuse.services.import_media.walking import Mark
from radfuse.services.import_media.zips import is_zip
from radfuse.services.ingest import Ingested, ingest, ingest_all
from radfuse.services.unreadable import UNREADABLE

_CHUNK_BYTES: Final = 1 << 20
_PREFIX_AT: Final = slice(128, 132)
_ZIP_MARKS: Final = (b"PK\3\4", b"PK\5\6")
_SYSTEM_AREA_BYTES: Final = 16 * 2048
"""What the image of a disc begins with before it says what it is (ECMA-119 section 6.2.1)."""
_TOGETHER_BYTES: Final = 4 << 20
"""Of the objects that are kept together; what is larger is kept alone."""
_SMALL_BYTES: Final = 1 << 20

_SOP_CLASS: Final = 0x0008_0016
_SOP_INSTANCE: Final = 0x0008_0018


@dataclass(frozen=True, slots=True)
class Container:
    """A file that holds files: a zip file, or the image of a disc."""

    source: Source
    is_disc: bool


Result = Imported | Container | Mark
"""What became of a piece of work."""


@dataclass(slots=True)
class Taken:
    """What became of some pieces of work, in their order. ``error``: what ended it before the last of them."""

    results: list[Result] = field(default_factory=list)
    error: OutOfSpace | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """Something to import, or what only goes along with the others so that it comes out in its order."""

    what: Source | Imported | Mark
    key: bytes = b""
    """In the journal."""
    location: str = ""
    """Where it lies: below a folder, or below the root of an archive."""
    digests: bytes | None = None
    """What an earlier run noted it to be."""


@dataclass(slots=True)
class _Waiting:
    """Objects that will be kept together, each with its place among the results."""

    places: list[int] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    arrived: list[tuple[Incoming, Header]] = field(default_factory=list)
    size_bytes: int = 0


class Taking:
    """Takes sources into an archive. Thread-safe."""

    def __init__(self, archive: Archive, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._archive = archive
        self._should_stop = should_stop

    def take(self, works: Sequence[Work]) -> Taken:
        """Do some. What is wrong with one concerns no other; only a lack of space ends it."""
        taken = Taken()
        with contextlib.ExitStack() as stack:
            waiting = _Waiting()
            for work in works:
                if self._should_stop() or taken.error is not None:
                    break
                if isinstance(work.what, Imported | Mark):
                    taken.results.append(work.what)
                    continue
                self._take_one(work.what, taken, waiting, stack)
                if waiting.size_bytes >= _TOGETHER_BYTES:
                    self._keep(waiting, taken)
                    stack.close()
                    waiting = _Waiting()
            self._keep(waiting, taken)
        if taken.error is not None:
            del taken.results[_first_open(taken.results) :]
        return taken

    def _take_one(self, source: Source, taken: Taken, waiting: _Waiting, stack: contextlib.ExitStack) -> None:
        try:
            with source.open() as reading:
                result = self._look(source, reading, waiting, stack, len(taken.results))
        except OutOfSpace as error:
            taken.error = error
            return
        except RadfuseError as error:
            result = refused(source, str(error))
        except UNREADABLE as error:
            result = refused(source, unreadable(error))
        taken.results.append(result)

    def _look(
        self, source: Source, reading: Reading, waiting: _Waiting, stack: contextlib.ExitStack, place: int
    ) -> Imported | Container:
        """What the source is; an object is kept at once when it is large, and otherwise put with those that wait."""
        head = read_head(reading)
        is_whole = len(head) < HEAD_BYTES
        try:
            meta = read_file_meta(head)
        except NotPart10 as error:
            return _no_object(source, reading, head, error)
        if meta.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
            return Imported(shown_name(source.name), Verdict.DIRECTORY, path=source.path)
        if not is_whole:
            return self._take_large(source, reading, head, meta)
        header = scan_header(head, meta.transfer_syntax_uid, start=meta.data_offset)
        incoming = self._archive.receive(_origin(meta, header.sop_class_uid, header.sop_instance_uid))
        stack.enter_context(incoming)
        incoming.write(memoryview(head)[meta.data_offset :])
        waiting.places.append(place)
        waiting.sources.append(source)
        waiting.arrived.append((incoming, header))
        # A large one fills the others' place: they need not wait for it.
        waiting.size_bytes += len(head) if len(head) <= _SMALL_BYTES else _TOGETHER_BYTES
        return _NOT_YET

    def _take_large(self, source: Source, reading: Reading, head: bytes, meta: FileMeta) -> Imported:
        origin = _origin(meta, *_uids_of_large(head, meta))
        with self._archive.receive(origin) as incoming:
            incoming.write(memoryview(head)[meta.data_offset :])
            while chunk := reading.read(_CHUNK_BYTES):
                incoming.write(chunk)
            return _imported(source, incoming, ingest(self._archive, incoming))

    def _keep(self, waiting: _Waiting, taken: Taken) -> None:
        if not waiting.arrived:
            return
        done = ingest_all(self._archive, waiting.arrived)
        for place, source, (incoming, _), outcome in zip(
            waiting.places, waiting.sources, waiting.arrived, done, strict=True
        ):
            if isinstance(outcome, Ingested):
                taken.results[place] = _imported(source, incoming, outcome)
            elif isinstance(outcome, OutOfSpace):
                taken.error = outcome
            elif isinstance(outcome, RadfuseError):
                taken.results[place] = refused(source, str(outcome))
            elif isinstance(outcome, OSError):
                taken.results[place] = refused(source, f"it cannot be kept: {outcome.strerror}")
            else:
                raise outcome


_NOT_YET: Final = Imported("", Verdict.REFUSED, reason="it was not kept")
"""Stands for a result until there is one."""


def _first_open(results: Sequence[Result]) -> int:
    return next((place for place, result in enumerate(results) if result is _NOT_YET), len(results))


def refused(source: Source, reason: str) -> Imported:
    """A source that is not taken."""
    return Imported(shown_name(source.name), Verdict.REFUSED, reason=reason, path=source.path)


def unreadable(error: Exception) -> str:
    """Why something could not be read, in a sentence."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"it cannot be read: {reason}"


def _no_object(source: Source, reading: Reading, head: bytes, error: NotPart10) -> Imported | Container:
    """What is no DICOM object may hold some."""
    if head[_PREFIX_AT] == b"DICM":
        return refused(source, str(error))
    is_file = isinstance(reading, OpenFile)
    has_members = head[:4] in _ZIP_MARKS and (not is_file or is_zip(Path(source.path)))
    is_disc = len(head) > _SYSTEM_AREA_BYTES and _begins_as_a_disc(head)
    if (has_members or is_disc) and is_file:
        return Container(source, is_disc)
    if has_members or is_disc:
        return refused(source, "it is an archive within an archive: unpack the outer one and import it by itself")
    return Imported(shown_name(source.name), Verdict.NOT_DICOM, reason=str(error), path=source.path)


def _begins_as_a_disc(head: bytes) -> bool:
    from radfuse.media import disc_images

    return disc_images.is_disc_image(head)


def _origin(meta: FileMeta, sop_class_uid: str, sop_instance_uid: str) -> Origin:
    """What the data set itself says it is; its file meta information may be missing or wrong."""
    checked_uid(sop_class_uid, "SOP Class UID")
    checked_uid(sop_instance_uid, "SOP Instance UID")
    return Origin(sop_class_uid, sop_instance_uid, meta.transfer_syntax_uid, _source_title(meta.source_ae_title))


def _uids_of_large(head: bytes, meta: FileMeta) -> tuple[str, str]:
    """SOP class and instance of an object of which there is only the beginning in memory.

    It is not mapped: a bad sector of a medium would end the whole process. What its file meta information says
    counts only where a beginning cannot be read, as when it is deflated.
    """
    try:
        begin = Identifier.of_header(head, meta.transfer_syntax_uid, meta.data_offset, _SOP_INSTANCE)
    except DataSetError:
        return meta.sop_class_uid, meta.sop_instance_uid
    return begin.text(_SOP_CLASS), begin.text(_SOP_INSTANCE)


def _imported(source: Source, incoming: Incoming, done: Ingested) -> Imported:
    origin = incoming.origin
    return Imported(
        shown_name(source.name),
        VERDICTS[done.outcome],
        incoming.size_bytes,
        study_instance_uid=done.header.study_instance_uid,
        path=source.path,
        identity=Identity(origin.sop_class_uid, origin.sop_instance_uid, origin.transfer_syntax_uid),
    )


def _source_title(text: str) -> str:
    if not text:
        return ""
    try:
        return checked_ae_title(text)
    except InvalidAETitle:
        return ""
