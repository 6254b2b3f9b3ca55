"""Sending objects over an association: what is proposed, and each object as it is or transcoded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import CannotTranscode, NoPresentationContext, RadfuseError
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.dicom import Transcoder
from radfuse.dicom.transcode import can_transcode
from radfuse.services.context_lists import ContextList
from radfuse.services.object_source import FileObject, ObjectSource
from radfuse.services.peers import Peer
from radfuse.wire import AcceptedContext, Association, FileSlice, ProposedContext, scu, status

_MAX_CONTEXTS: Final = 128
_PREFERENCE: Final = (EXPLICIT_LITTLE, IMPLICIT_LITTLE, DEFLATED_LITTLE, EXPLICIT_BIG)
_FALLBACK: Final = frozenset((EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG))

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


# --- presentation contexts -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be proposed to one peer: any class (None) in these syntaxes, the preferred ones first.

    ``preferred`` go before the stored syntax where the peer accepts them. ``lossy`` is what pixels
    may be compressed with where there is no other way; empty: never.
    """

    sop_classes: frozenset[str] | None = None
    transfer_syntaxes: tuple[str, ...] | None = None
    preferred: tuple[str, ...] = ()
    lossy: str = ""

    def has_class(self, sop_class_uid: str) -> bool:
        """Whether the class may be proposed."""
        return self.sop_classes is None or sop_class_uid in self.sop_classes

    def contexts_for(self, kind: Kind) -> list[tuple[str, tuple[str, ...]]]:
        """What to propose for a kind of object, so that the peer can take it as it is or only transcoded.

        Empty when the class is not offered, or no syntax that the object can be put into.
        """
        sop_class_uid, stored = kind
        if not self.has_class(sop_class_uid):
            return []
        groups = [self._possible(stored, self.preferred), self._possible(stored, (stored,))]
        possible = self._possible(stored, self.transfer_syntaxes or (EXPLICIT_LITTLE, IMPLICIT_LITTLE))
        # A peer that may choose among all would have native objects compressed.
        groups.append(tuple(syntax for syntax in possible if syntax in _FALLBACK) or possible)
        if self._has(self.lossy) and can_transcode(stored, self.lossy, with_loss=True):
            groups.append((self.lossy,))
        return list(dict.fromkeys((sop_class_uid, syntaxes) for syntaxes in groups if syntaxes))

    def _possible(self, stored: str, syntaxes: Iterable[str]) -> tuple[str, ...]:
        """Those that are offered and that objects can be put into without loss."""
        return tuple(uid for uid in syntaxes if self._has(uid) and (uid == stored or can_transcode(stored, uid)))

    def _has(self, transfer_syntax_uid: str) -> bool:
        return self.transfer_syntaxes is None or transfer_syntax_uid in self.transfer_syntaxes


ANYTHING: Final = Offer()
"""Every class in its stored syntax and the two little endian ones: for a peer that has asked for its objects."""


def offer_to(peer: Peer, listed: ContextList) -> Offer:
    """The context list that is for ``peer``, with the peer's preferences."""
    return Offer(frozenset(listed.sop_classes), listed.transfer_syntaxes, peer.preferred_syntaxes, peer.lossy_syntax)


def kinds_of(objects: Iterable[StoredObject | FileObject]) -> list[Kind]:
    """The distinct kinds among ``objects``, in order of appearance."""
    return list(dict.fromkeys((stored.sop_class_uid, stored.transfer_syntax_uid) for stored in objects))


def propose(kinds: Sequence[Kind], offer: Offer = ANYTHING) -> Iterator[tuple[frozenset[Kind], list[ProposedContext]]]:
    """Presentation contexts for ``kinds``, split over as many associations as 128 contexts each need.

    Every kind gets a context for its stored syntax, and every class one for the native syntaxes,
    so that the peer can say that it takes the object as it is, or only transcoded. Kinds for which
    nothing may be proposed are in no association.
    """
    covered: set[Kind] = set()
    contexts: dict[tuple[str, tuple[str, ...]], None] = {}
    for kind in kinds:
        wanted = dict.fromkeys(offer.contexts_for(kind))
        if not wanted:
            continue
        if len(contexts | wanted) > _MAX_CONTEXTS:
            yield frozenset(covered), [ProposedContext(*context) for context in contexts]
            covered, contexts = set(), {}
        covered.add(kind)
        contexts |= wanted
    if covered:
        yield frozenset(covered), [ProposedContext(*context) for context in contexts]


def contexts_to_send(association: Association, kind: Kind, offer: Offer = ANYTHING) -> list[AcceptedContext]:
    """The accepted contexts in which a kind of object may travel, best first.

    Those of the peer's preferred syntaxes, the object's own, native ones, any without loss, and
    last the one with loss if that is allowed. Raises NoPresentationContext when there is none.
    """
    sop_class_uid, stored = kind
    accepted = {
        context.transfer_syntax: context
        for context in association.contexts.values()
        if context.as_scu and context.abstract_syntax == sop_class_uid
    }
    order = dict.fromkeys((*offer.preferred, stored, *_PREFERENCE, *sorted(accepted)))
    lossless = [uid for uid in order if uid in accepted and (uid == stored or can_transcode(stored, uid))]
    has_lossy = offer.lossy in accepted and can_transcode(stored, offer.lossy, with_loss=True)
    lossy = [offer.lossy] if has_lossy and offer.lossy not in lossless else []
    if not (lossless or lossy):
        raise NoPresentationContext(sop_class_uid, stored)
    return [accepted[uid] for uid in (*lossless, *lossy)]


# --- sending -------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What the peer answered to C-STORE: status and Error Comment (PS3.7 section C)."""

    status: int
    comment: str
    has_loss: bool = False
    """Whether it was compressed with loss, and so became an instance of its own (``derived_uid_of``)."""


class ObjectSender:
    """Sends files, and objects of one archive, over one association.

    ``originator`` is the AE title and message id of the C-MOVE behind it.
    """

    def __init__(
        self,
        archive: Archive | None,
        association: Association,
        transcoder: Transcoder,
        originator: tuple[str, int] | None = None,
        offer: Offer = ANYTHING,
    ) -> None:
        self._source = ObjectSource(archive, transcoder)
        self._association = association
        self._originator = originator
        self._offer = offer
        self._contexts: dict[Kind, list[AcceptedContext]] = {}
        self._ahead: tuple[StoredObject | FileObject, bytes] | None = None

    def send(self, stored: StoredObject | FileObject, should_stop: Callable[[], bool] | None = None) -> int:
        """C-STORE one object; the peer's status. As ``store``."""
        return self.store(stored, should_stop).status

    def read_ahead(self, item: StoredObject | FileObject) -> None:
        """Read the object that will be next, if it is small and goes as it is."""
        try:
            context = self.contexts_for((item.sop_class_uid, item.transfer_syntax_uid))[0]
            is_unchanged = context.transfer_syntax == item.transfer_syntax_uid
            data = self._source.read(item) if is_unchanged else None
        except (RadfuseError, OSError):
            data = None  # told when it is its turn
        self._ahead = None if data is None else (item, data)

    def has_read(self, item: StoredObject | FileObject) -> bool:
        """Whether ``item`` was read ahead."""
        return self._ahead is not None and self._ahead[0] is item

    def store(
        self,
        item: StoredObject | FileObject,
        should_stop: Callable[[], bool] | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Answer:
        """C-STORE one object; what the peer answered. ``meanwhile`` is called before its answer is awaited.

        The bytes of a stored object are checked against their digest before the first one is sent.
        Raises NoPresentationContext, CannotTranscode, OutOfSpace, BlobMissing, BlobDamaged, or OSError when it
        cannot be sent (the association lives on unless it broke within the object), and the
        WireErrors that end the association.
        """
        contexts = self.contexts_for((item.sop_class_uid, item.transfer_syntax_uid))
        for number, context in enumerate(contexts, 1):
            try:
                return self._store_in(context, item, should_stop, meanwhile)
            except CannotTranscode:
                # This object is not what its kind promises: the next best way, if there is one.
                if number == len(contexts):
                    raise
        raise NoPresentationContext(item.sop_class_uid, item.transfer_syntax_uid)

    def contexts_for(self, kind: Kind) -> list[AcceptedContext]:
        """``contexts_to_send``, found once for each kind."""
        contexts = self._contexts.get(kind)
        if contexts is None:
            contexts = self._contexts[kind] = contexts_to_send(self._association, kind, self._offer)
        return contexts

    def _store_in(
        self,
        context: AcceptedContext,
        item: StoredObject | FileObject,
        should_stop: Callable[[], bool] | None,
        meanwhile: Callable[[], None],
    ) -> Answer:
        ahead, self._ahead = self._ahead, None
        is_unchanged = context.transfer_syntax == item.transfer_syntax_uid
        data = ahead[1] if ahead is not None and ahead[0] is item and is_unchanged else None
        if data is None and is_unchanged:
            data = self._source.read(item)
        target, stored = context.transfer_syntax, item.transfer_syntax_uid
        has_loss = target == self._offer.lossy and can_transcode(stored, target, with_loss=True)
        if data is not None:
            request = self._send(context, item.sop_class_uid, item.sop_instance_uid, data)
        else:
            derived_uid = derived_uid_of(item.sop_instance_uid, target) if has_loss else ""
            request = self._send_from_disk(context, item, derived_uid, should_stop)
        meanwhile()
        response = scu.store_response(self._association, request, should_stop)
        return Answer(response.status or 0, response.error_comment or "", has_loss)

    def _send_from_disk(
        self,
        context: AcceptedContext,
        item: StoredObject | FileObject,
        derived_uid: str,
        should_stop: Callable[[], bool] | None,
    ) -> scu.StoreRequest:
        """Send what is too large for memory, or has to be transcoded; with loss if it gets a UID of its own."""
        target = context.transfer_syntax
        on_disk = self._source.on_disk(item) if target == item.transfer_syntax_uid else None
        with on_disk or self._source.transcoded(item, target, derived_uid) as data:
            uid = derived_uid or item.sop_instance_uid
            return self._send(context, item.sop_class_uid, uid, data, should_stop)

    def _send(
        self,
        context: AcceptedContext,
        sop_class_uid: str,
        sop_instance_uid: str,
        data: bytes | FileSlice,
        should_stop: Callable[[], bool] | None = None,
    ) -> scu.StoreRequest:
        return scu.send_store(
            self._association,
            context.id,
            (sop_class_uid, sop_instance_uid),
            data,
            move_originator=self._originator,
            should_stop=should_stop,
        )


def derived_uid_of(sop_instance_uid: str, transfer_syntax_uid: str) -> str:
    """The SOP Instance UID of an object compressed with loss: another than its source's, the same every time."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{sop_instance_uid} {transfer_syntax_uid}').int}"
