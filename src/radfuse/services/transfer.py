"""Sending stored objects over an association: as they are, or transcoded without loss."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radfuse.archive import Archive, StoredFile, StoredObject
from radfuse.core.errors import NoPresentationContext
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.dicom import Transcoder, can_transcode
from radfuse.wire import AcceptedContext, Association, FileSlice, ProposedContext, scu, status

_READ_WHOLE_BYTES: Final = 8 << 20
_MAX_CONTEXTS: Final = 128
_FALLBACK: Final = (EXPLICIT_LITTLE, IMPLICIT_LITTLE)
_PREFERENCE: Final = (EXPLICIT_LITTLE, IMPLICIT_LITTLE, DEFLATED_LITTLE, EXPLICIT_BIG)

Kind = tuple[str, str]
"""SOP class and stored transfer syntax: what a presentation context is needed for."""


@dataclass(slots=True)
class SubOperations:
    """The counters of a C-MOVE or C-GET (PS3.4 section C.4.2.1.6)."""

    remaining: int
    completed: int = 0
    failed: int = 0
    warning: int = 0
    failed_uids: list[str] = field(default_factory=list)

    def count(self, sop_instance_uid: str, answer: int) -> None:
        """Note the status that one C-STORE sub-operation ended with."""
        self.remaining -= 1
        category = status.category(answer)
        if category is status.Category.SUCCESS:
            self.completed += 1
        elif category is status.Category.WARNING:
            self.warning += 1
        else:
            self.failed += 1
            self.failed_uids.append(sop_instance_uid)

    def fail(self, sop_instance_uids: Iterable[str]) -> None:
        """Note instances that could not be sent at all."""
        for uid in sop_instance_uids:
            self.count(uid, status.CANNOT_PERFORM_SUBOPERATIONS)


def kinds_of(objects: Iterable[StoredObject]) -> list[Kind]:
    """The distinct kinds among ``objects``, in order of appearance."""
    return list(dict.fromkeys((stored.sop_class_uid, stored.transfer_syntax_uid) for stored in objects))


def propose(kinds: Sequence[Kind]) -> Iterator[tuple[frozenset[Kind], list[ProposedContext]]]:
    """Presentation contexts for ``kinds``, split over as many associations as 128 contexts each need.

    Every kind gets a context for its stored syntax, and every class one for the native syntaxes,
    so that the peer can say that it takes the object as it is, or only transcoded.
    """
    covered: set[Kind] = set()
    contexts: dict[tuple[str, tuple[str, ...]], None] = {}
    for kind in kinds:
        wanted = {(kind[0], (kind[1],)): None, (kind[0], _FALLBACK): None}
        if len(contexts | wanted) > _MAX_CONTEXTS:
            yield frozenset(covered), [ProposedContext(*context) for context in contexts]
            covered, contexts = set(), {}
        covered.add(kind)
        contexts |= wanted
    if covered:
        yield frozenset(covered), [ProposedContext(*context) for context in contexts]


class ObjectSender:
    """Sends objects of one archive over one association.

    ``originator`` is the AE title and message id of the C-MOVE behind it.
    """

    def __init__(
        self,
        archive: Archive,
        association: Association,
        transcoder: Transcoder,
        originator: tuple[str, int] | None = None,
    ) -> None:
        self._archive = archive
        self._association = association
        self._transcoder = transcoder
        self._originator = originator
        self._contexts: dict[Kind, AcceptedContext] = {}

    def send(self, stored: StoredObject, should_stop: Callable[[], bool] | None = None) -> int:
        """C-STORE one object; the peer's status.

        Its bytes are checked against their digest before the first one is sent. Raises
        NoPresentationContext, CannotTranscode, BlobMissing or BlobDamaged when it cannot be sent
        (the association lives on), and the WireErrors that end the association.
        """
        context = self._context_for((stored.sop_class_uid, stored.transfer_syntax_uid))
        with self._archive.open_object(stored) as opened:
            if context.transfer_syntax == stored.transfer_syntax_uid:
                return self._store(context, stored, _checked_data(stored, opened), should_stop)
            self._archive.verify(stored, opened)
        with self._transcoded(stored, context.transfer_syntax) as data:
            return self._store(context, stored, data, should_stop)

    def _store(
        self,
        context: AcceptedContext,
        stored: StoredObject,
        data: bytes | FileSlice,
        should_stop: Callable[[], bool] | None,
    ) -> int:
        response = scu.store(
            self._association,
            context.id,
            stored.sop_class_uid,
            stored.sop_instance_uid,
            data,
            move_originator=self._originator,
            should_stop=should_stop,
        )
        return response.status or 0

    @contextlib.contextmanager
    def _transcoded(self, stored: StoredObject, target: str) -> Iterator[FileSlice]:
        with tempfile.TemporaryDirectory(dir=self._archive.scratch_folder) as folder:
            path = Path(folder) / "data-set"
            self._transcoder.transcode(self._archive.path_of(stored), target, path)
            with path.open("rb") as file:
                yield FileSlice(file.fileno(), 0, os.fstat(file.fileno()).st_size)

    def _context_for(self, kind: Kind) -> AcceptedContext:
        """The accepted context for a kind: its own syntax if the peer took it, else a loss-free one."""
        context = self._contexts.get(kind)
        if context is None:
            context = self._contexts[kind] = context_to_send(self._association, kind)
        return context


def context_to_send(association: Association, kind: Kind) -> AcceptedContext:
    """The accepted context to send a kind of object in: its own syntax, else one without loss.

    Raises NoPresentationContext when the peer accepted neither.
    """
    sop_class_uid, stored_syntax = kind
    accepted = {
        context.transfer_syntax: context
        for context in association.contexts.values()
        if context.as_scu and context.abstract_syntax == sop_class_uid
    }
    for syntax in (stored_syntax, *_PREFERENCE, *sorted(accepted)):
        if syntax in accepted and (syntax == stored_syntax or can_transcode(stored_syntax, syntax)):
            return accepted[syntax]
    raise NoPresentationContext(sop_class_uid, stored_syntax)


def _checked_data(stored: StoredObject, opened: StoredFile) -> bytes | FileSlice:
    """The data set, proved to be what was received; large ones stay on disk."""
    if opened.size_bytes > _READ_WHOLE_BYTES:
        Archive.verify(stored, opened)
        return FileSlice(opened.file, opened.data_start, opened.size_bytes)
    return Archive.read_verified(stored, opened)
