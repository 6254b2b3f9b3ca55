"""The storage SCU: objects to a peer, each with its result written down (PS3.4 Annex B; both seeds' 4.2.1).

One association at a time. What the peer answered is recorded at once; the first answer that is
neither success nor one of the three warnings ends the association by A-ABORT and the task with it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import (
    ArchiveError,
    ConnectionLost,
    DataSetError,
    JobFailed,
    OperationFailed,
    OutOfSpace,
    RadfuseError,
    TransientFailure,
    WireError,
)
from radfuse.core.store_statuses import Outcome, meaning_of
from radfuse.core.uid_names import name_of_uid
from radfuse.dicom import Transcoder
from radfuse.jobs import ItemState
from radfuse.services.associating import Caller, associate
from radfuse.services.context_lists import ContextList
from radfuse.services.failures import job_failure, sentence_of
from radfuse.services.object_source import FileObject
from radfuse.services.peers import Peer
from radfuse.services.transfer import Answer, Kind, ObjectSender, Offer, kinds_of, offer_to, propose
from radfuse.wire import Association, ProposedContext

_log = logging.getLogger(__name__)

STORAGE_NEGOTIATION: Final = bytes((3, 0, 0, 0, 2, 0))
"""Seed 001 section 4.2.1.3.1.2: level of support 3 (not applicable, SCU only), digital signatures 0
(unspecified), element coercion 2 (not applicable), a reserved byte behind each (PS3.4 section B.3.1)."""

NOT_OFFERED_ADVICE: Final = (
    "choose another list for this peer (page Peers, or --contexts), or add it to this one with 'radfuse contexts set'"
)

_WITH_LOSS: Final = "compressed with loss: the peer has an instance derived from this one"
_NO_ROOM: Final = "No space is left to transcode an object: make room on the volume of the data folder, and of TMPDIR."

_OF_THE_OBJECT: Final = (ArchiveError, DataSetError, OSError)
"""What keeps one object back: the peer did nothing wrong, the others are still sent."""


class Ledger(Protocol):
    """Where results go, and who says when to stop; a ``jobs.JobContext`` is one."""

    def record(self, item_number: int, state: ItemState, status: int | None = None, comment: str = "") -> None:
        """Write down what became of an object."""

    def should_stop(self) -> bool:
        """Whether to return early."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An object to send, and its number in the ledger."""

    number: int
    content: StoredObject | FileObject

    @property
    def kind(self) -> Kind:
        """What a presentation context is needed for."""
        return self.content.sop_class_uid, self.content.transfer_syntax_uid


@dataclass(frozen=True, slots=True)
class Route:
    """Where objects go, as whom, and what may be proposed."""

    peer: Peer
    caller: Caller
    contexts: ContextList
    transcoder: Transcoder

    @property
    def offer(self) -> Offer:
        """The context list with the peer's preferences."""
        return offer_to(self.peer, self.contexts)

    def extended_negotiation(self, contexts: Sequence[ProposedContext]) -> Mapping[str, bytes]:
        """Service class application information by SOP class, where the context list wants it."""
        if not self.contexts.storage_negotiation:
            return {}
        return {context.abstract_syntax: STORAGE_NEGOTIATION for context in contexts}

    def why_not(self, kind: Kind) -> str:
        """Why objects of this kind may not be proposed; empty when they may."""
        sop_class_uid, transfer_syntax_uid = kind
        name = self.contexts.name
        if not self.offer.has_class(sop_class_uid):
            return f"{name_of_uid(sop_class_uid)} is not on the context list {name!r}"
        if not self.offer.contexts_for(kind):
            return f"{name_of_uid(transfer_syntax_uid)} cannot be turned into a syntax of the context list {name!r}"
        return ""

    def associate(self, contexts: Sequence[ProposedContext]) -> Association:
        """An association for these contexts. Raises what ``associating.associate`` raises."""
        return associate(self.peer, self.caller, contexts, extended_negotiation=self.extended_negotiation(contexts))


class StorageScu:
    """Sends files, and objects of one archive, to one peer."""

    def __init__(self, route: Route, ledger: Ledger, archive: Archive | None = None) -> None:
        self._route = route
        self._offer = route.offer
        self._ledger = ledger
        self._archive = archive
        self._acknowledged: tuple[int, ItemState, int, str] | None = None

    def send(self, items: Sequence[Outgoing]) -> None:
        """Send all; returns early when the ledger says stop.

        An object that cannot be read is recorded as failed and the others are sent. Raises
        TransientFailure when another attempt may succeed, JobFailed when only a person can help,
        and what ``associate`` raises for settings that cannot be used.
        """
        self._check_offered(items)
        for kinds, contexts in propose(kinds_of(item.content for item in items), self._offer):
            waiting = deque(item for item in items if item.kind in kinds)
            while waiting:
                if self._ledger.should_stop():
                    return
                self._send_over_one(waiting, contexts)

    def _check_offered(self, items: Sequence[Outgoing]) -> None:
        """Fail before anything is sent when an object may not be proposed."""
        kinds = dict.fromkeys(item.kind for item in items)
        cannot = {kind: reason for kind in kinds if (reason := self._route.why_not(kind))}
        self._fail_kinds(items, cannot)
        if cannot:
            raise JobFailed(f"{next(iter(cannot.values()))}: {NOT_OFFERED_ADVICE}")

    def _check_accepted(self, association: Association, sender: ObjectSender, items: Sequence[Outgoing]) -> None:
        """Abort and fail when the peer refused what an object needs: none is skipped."""
        cannot: dict[Kind, str] = {}
        for kind in dict.fromkeys(item.kind for item in items):
            try:
                sender.contexts_for(kind)
            except WireError as error:
                cannot[kind] = sentence_of(error, self._route.peer, self._route.caller.ae_title)
        if cannot:
            association.abort()
            self._fail_kinds(items, cannot)
            raise JobFailed(next(iter(cannot.values())))

    def _fail_kinds(self, items: Sequence[Outgoing], reasons: Mapping[Kind, str]) -> None:
        for item in items:
            if item.kind in reasons:
                self._ledger.record(item.number, ItemState.FAILED, None, reasons[item.kind])

    # --- one association ---------------------------------------------------------------------

    def _send_over_one(self, waiting: deque[Outgoing], contexts: Sequence[ProposedContext]) -> None:
        """Send over one association until nothing waits; less when an object ended it or we are to stop."""
        route = self._route
        try:
            association = route.associate(contexts)
        except WireError as error:
            raise self._not_opened(error) from error
        with association:
            sender = ObjectSender(self._archive, association, route.transcoder, offer=self._offer)
            self._check_accepted(association, sender, waiting)
            try:
                while waiting and association.is_established and not self._ledger.should_stop():
                    self._send_one(sender, waiting.popleft(), waiting[0] if waiting else None)
            finally:
                self._write_down()

    def _send_one(self, sender: ObjectSender, item: Outgoing, upcoming: Outgoing | None) -> None:
        """Send one object. While the peer is busy with it, write down its last answer and read ``upcoming``."""
        ledger = self._ledger

        def meanwhile() -> None:
            self._write_down()
            if upcoming is not None:
                sender.read_ahead(upcoming.content)

        if not sender.has_read(item.content):
            self._write_down()  # reading or transcoding it may take long
        try:
            answer = sender.store(item.content, ledger.should_stop, meanwhile)
        except OutOfSpace as error:
            raise TransientFailure(_NO_ROOM) from error
        except _OF_THE_OBJECT as error:
            _log.warning("an object was not sent: %s", type(error).__name__, extra={"peer": self._route.peer.name})
            ledger.record(item.number, ItemState.FAILED, None, reason_of(error))
        except WireError as error:
            if not ledger.should_stop():
                raise self._broken(item, error) from error
        else:
            self._take(item, answer)

    def _write_down(self) -> None:
        """Record the peer's last answer, if that was not done yet."""
        acknowledged, self._acknowledged = self._acknowledged, None
        if acknowledged is not None:
            self._ledger.record(*acknowledged)

    def _take(self, item: Outgoing, answer: Answer) -> None:
        """Take the peer's answer; raise when it ends the task (the association is then aborted)."""
        code, comment, has_loss = answer
        if code == 0:
            self._acknowledged = (item.number, ItemState.SENT, 0, _WITH_LOSS if has_loss else "")
            return
        peer = self._route.peer
        known = meaning_of(code, lenient=peer.lenient_statuses)
        _log.warning("C-STORE was answered with %04X (%s)", code, known.meaning, extra={"peer": peer.name})
        if known.outcome is Outcome.WARNED:
            self._acknowledged = (item.number, ItemState.WARNED, code, comment or known.meaning)
            return
        said = f" ({comment})" if comment else ""
        told = f"{peer.name} answered with status {code:04X}, {known.meaning}{said}"
        if known.outcome is Outcome.TRANSIENT:
            self._ledger.record(item.number, ItemState.PENDING, code, comment or known.meaning)
            raise TransientFailure(f"{told}. Make room there, or wait until it has some.")
        self._ledger.record(item.number, ItemState.FAILED, code, comment or known.meaning)
        failed = OperationFailed("C-STORE", code, comment)
        raise JobFailed(_advice(told, failed, self._route))

    # --- failures ----------------------------------------------------------------------------

    def _not_opened(self, error: WireError) -> RadfuseError:
        """An association that could not be made may be made later, unless the peer says never or talks nonsense."""
        _log.warning("an association was not made: %s", error, extra={"peer": self._route.peer.name})
        return job_failure(error, self._route.peer, self._route.caller.ae_title)

    def _broken(self, item: Outgoing, error: WireError) -> RadfuseError:
        """The association ended while an object was under way: whether the peer has it is not known."""
        sentence = sentence_of(error, self._route.peer, self._route.caller.ae_title)
        _log.warning("an association broke: %s", error, extra={"peer": self._route.peer.name})
        if isinstance(error, ConnectionLost):
            self._ledger.record(item.number, ItemState.PENDING, None, sentence)
            return TransientFailure(sentence)
        self._ledger.record(item.number, ItemState.FAILED, None, sentence)
        return JobFailed(sentence)


def _advice(answer: str, error: OperationFailed, route: Route) -> str:
    if error.status in (0x0122, 0x0124):
        return f"{answer}. Ask those who run it to allow this to our AE title {route.caller.ae_title}."
    if meaning_of(error.status, lenient=True).outcome is Outcome.WARNED:
        return (
            f"{answer}. If it keeps such objects all the same, count this as a warning: page Peers, or "
            f"'radfuse peers add {route.peer.name} {route.peer.address} --lenient'."
        )
    return f"{answer}. Its log says why it refused the object."


def reason_of(error: RadfuseError | OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is no longer there"
    if isinstance(error, OSError):
        return f"the file cannot be read: {error.strerror or type(error).__name__}"
    return str(error)
