"""C-FIND, C-MOVE and C-GET as SCP (PS3.4 Annex C)."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from radfuse.archive import InformationModel, StoredObject
from radfuse.core.errors import RadfuseError, UnknownPeer, WireError
from radfuse.core.sop_classes import PATIENT_ROOT_CLASSES
from radfuse.core.transfer_syntaxes import IMPLICIT_LITTLE
from radfuse.node.session import Session
from radfuse.node.statuses import comment_of, status_of
from radfuse.services import retrieve, search
from radfuse.services.peers import Peer
from radfuse.services.transfer import ObjectSender, SubOperations
from radfuse.wire import Message, status

_log = logging.getLogger(__name__)
_FAILED_UIDS_ELEMENT: Final = (0x0008, 0x0058)


def find(session: Session, message: Message) -> None:
    """Answer C-FIND: a pending response for each match while they are found, then the final one."""
    command = message.command
    message_id = command.message_id or 0
    try:
        session.require(session.rights.query, "query")
        request = _request(session, message)
        cancelled = _Once(lambda: session.is_cancelled(message_id))
        for match in search.search(session.archive, request, session.called_ae_title, cancelled):
            if cancelled():
                break
            pending = status.PENDING if match.all_keys_supported else status.PENDING_WITH_WARNING
            session.association.send(message.context_id, command.response(pending), match.identifier)
        answer, comment = (status.CANCEL if cancelled.happened else status.SUCCESS), None
    except WireError:
        raise
    except Exception as error:
        answer, comment = _failure(session, error)
    session.association.send(message.context_id, command.response(answer, comment))


def move(session: Session, message: Message) -> None:
    """Answer C-MOVE: send to the configured peer that the request names."""

    def start(objects: Sequence[StoredObject], counters: SubOperations, stop: _Once) -> Iterator[None]:
        peer = _destination(session, message)
        destination = retrieve.Destination(
            peer,
            session.called_ae_title,
            (session.calling_ae_title, message.command.message_id or 0),
            session.surroundings.limits,
            session.surroundings.tls,
            session.surroundings.offer_to(peer),
        )
        return retrieve.move(session.archive, objects, destination, session.surroundings.transcoder, counters, stop)

    _retrieve(session, message, start)


def get(session: Session, message: Message) -> None:
    """Answer C-GET: send on the association that asked."""

    def start(objects: Sequence[StoredObject], counters: SubOperations, stop: _Once) -> Iterator[None]:
        sender = ObjectSender(session.archive, session.association, session.surroundings.transcoder)
        return retrieve.send_each(sender, objects, counters, stop)

    _retrieve(session, message, start)


_Start = Callable[[Sequence[StoredObject], SubOperations, "_Once"], Iterator[None]]


def _retrieve(session: Session, message: Message, start: _Start) -> None:
    command = message.command
    message_id = command.message_id or 0
    counters = SubOperations(0)
    cancelled = _Once(lambda: session.is_cancelled(message_id))
    try:
        session.require(session.rights.retrieve, "retrieve")
        request = _request(session, message, retrieve=True)
        if command.move_destination is not None:
            _destination(session, message)  # A801 comes before the work of finding anything
        objects = retrieve.objects_of(session.archive, request.query)
        counters = SubOperations(len(objects))
        for _ in start(objects, counters, cancelled):
            if counters.remaining:
                _respond(session, message, status.PENDING, counters)
        answer, comment = _final_status(counters, cancelled.happened), None
    except WireError:
        raise
    except Exception as error:
        answer, comment = _failure(session, error)
    _respond(session, message, answer, counters, comment)


def _final_status(counters: SubOperations, cancelled: bool) -> int:
    if cancelled:
        return status.CANCEL
    return status.SUBOPERATIONS_WITH_FAILURES if counters.failed or counters.warning else status.SUCCESS


def _respond(
    session: Session, message: Message, answer: int, counters: SubOperations, comment: str | None = None
) -> None:
    """A response with the counters; remaining only while there may be some (PS3.4 section C.4.2.1.6)."""
    response = message.command.response(answer, comment)
    if answer in (status.PENDING, status.CANCEL):
        response.number_of_remaining_suboperations = counters.remaining
    response.number_of_completed_suboperations = counters.completed
    response.number_of_failed_suboperations = counters.failed
    response.number_of_warning_suboperations = counters.warning
    identifier = None
    if answer != status.PENDING and counters.failed_uids:
        identifier = _failed_uid_list(counters.failed_uids, message.context.transfer_syntax)
    session.association.send(message.context_id, response, identifier)


def _failed_uid_list(uids: Sequence[str], transfer_syntax_uid: str) -> bytes:
    """An identifier with Failed SOP Instance UID List (0008,0058), VR UI.

    Explicit VR counts the length of a UI in 16 bits: what does not fit is left out rather than
    sent as a broken identifier; the counter still says how many failed.
    """
    limit = 0xFFFFFFFE if transfer_syntax_uid == IMPLICIT_LITTLE else 0xFFFE
    value = "\\".join(uids).encode("ascii")
    if len(value) > limit:
        value = value[: value.rindex(b"\\", 0, limit)]
    value += b"\0" * (len(value) % 2)
    if transfer_syntax_uid == IMPLICIT_LITTLE:
        return struct.pack("<HHL", *_FAILED_UIDS_ELEMENT, len(value)) + value
    return struct.pack("<HH2sH", *_FAILED_UIDS_ELEMENT, b"UI", len(value)) + value


def _request(session: Session, message: Message, *, retrieve: bool = False) -> search.Request:
    is_patient_root = message.context.abstract_syntax in PATIENT_ROOT_CLASSES
    model = InformationModel.PATIENT_ROOT if is_patient_root else InformationModel.STUDY_ROOT
    identifier = session.association.receive_identifier() if message.has_data_set else b""
    return search.read_request(identifier, message.context.transfer_syntax, model, retrieve=retrieve)


def _destination(session: Session, message: Message) -> Peer:
    """The configured peer with the move destination's AE title.

    UnknownPeer (A801H) when there is none, NotAllowed (0124H) when we are not to send to it.
    """
    ae_title = message.command.move_destination or ""
    found = session.surroundings.peers.by_ae_title(ae_title)
    if not found:
        raise UnknownPeer(ae_title)
    found[0].require("send")
    return found[0]


def _failure(session: Session, error: Exception) -> tuple[int, str | None]:
    answer = status_of(error)
    facts = {"calling": session.calling_ae_title, "status": f"{answer:04X}", "error": type(error).__name__}
    if isinstance(error, RadfuseError):
        _log.warning("request refused: %s", error, extra=facts)
    else:
        _log.error("request failed", exc_info=error, extra=facts)
    return answer, comment_of(error)


class _Once:
    """A question that is not asked again once it was answered yes."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self.happened = False

    def __call__(self) -> bool:
        if not self.happened:
            self.happened = self._ask()
        return self.happened
