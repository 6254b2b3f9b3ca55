"""Asking a peer as SCU: C-ECHO, C-FIND, C-MOVE, and C-GET into our own archive (PS3.4 Annexes A and C)."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from radfuse.archive import Archive, InformationModel, Origin
from radfuse.core.errors import (
    DataSetError,
    OperationFailed,
    OutOfSpace,
    RadfuseError,
    WireError,
)
from radfuse.core.sop_classes import (
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STORAGE_CLASS_NAMES,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    VERIFICATION,
)
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE, TRANSFER_SYNTAXES
from radfuse.core.uids import is_valid_uid
from radfuse.dicom import Element, Identifier, decode_identifier, encode_identifier
from radfuse.dicom.words import character_set_for
from radfuse.services.associating import Caller, Reached, associate
from radfuse.services.ingest import check_origin, ingest, status_of_refusal
from radfuse.services.peers import Peer
from radfuse.wire import (
    AcceptedContext,
    Association,
    Message,
    ProposedContext,
    scu,
    status,
)
from radfuse.wire.tls import TlsFacts

_log = logging.getLogger(__name__)
_FAILED_UIDS: Final = 0x0008_0058
_SOP_CLASSES_IN_STUDY: Final = 0x0008_0062
_STUDY_INSTANCE_UID: Final = 0x0020_000D
_STUDY_KEYS: Final = frozenset({0x0010_0020, _STUDY_INSTANCE_UID})
_MAX_CONTEXTS: Final = 128
_QUERY_SYNTAXES: Final = (EXPLICIT_LITTLE, IMPLICIT_LITTLE)
_CLASSES: Final = {
    InformationModel.PATIENT_ROOT: (PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, PATIENT_ROOT_GET),
    InformationModel.STUDY_ROOT: (STUDY_ROOT_FIND, STUDY_ROOT_MOVE, STUDY_ROOT_GET),
}
"""SOP classes for FIND, MOVE and GET (PS3.4 section C.6)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The counters of a running C-MOVE or C-GET."""

    remaining: int
    completed: int
    failed: int
    warning: int
    failed_uids: tuple[str, ...] = ()
    final_status: int | None = None
    """What the peer ended with; None while it goes on."""
    is_out_of_space: bool = False
    """Whether objects of a C-GET found no room in our archive."""

    @property
    def is_complete(self) -> bool:
        """Whether the peer says that everything it was asked for has arrived."""
        return self.final_status == status.SUCCESS and not self.failed

    @property
    def is_cancelled(self) -> bool:
        """Whether the peer ended it because of a C-CANCEL."""
        return self.final_status == status.CANCEL


@dataclass(frozen=True, slots=True)
class Echo:
    """How a peer answered C-ECHO."""

    association_s: float
    """For the connection and the association."""
    round_trip_s: float
    """For the C-ECHO there and back."""
    tls: TlsFacts | None


ShouldCancel = Callable[[], bool]


def echo(
    peer: Peer, caller: Caller, reached: Reached | None = None, associated: Callable[[], None] | None = None
) -> Echo:
    """C-ECHO. Raises WireError when the peer does not answer it with success.

    ``reached`` is as in ``associate``; ``associated`` is called once there is an association.
    """
    started_s = time.monotonic()
    with associate(peer, caller, [ProposedContext(VERIFICATION, _QUERY_SYNTAXES)], reached=reached) as association:
        associated_s = time.monotonic()
        if associated is not None:
            associated()
        answer = scu.echo(association)
        answered_s = time.monotonic()
    if answer != status.SUCCESS:
        raise OperationFailed("C-ECHO", answer)
    return Echo(associated_s - started_s, answered_s - associated_s, association.tls)


def find(
    peer: Peer,
    caller: Caller,
    model: InformationModel,
    identifier: Identifier,
    should_cancel: ShouldCancel | None = None,
) -> Generator[Identifier, None, None]:
    """C-FIND: the answers while they come. Leaving the iterator early cancels the query.

    Once ``should_cancel`` says so the peer is sent C-CANCEL, and what it still answers comes too.

    Raises WireError, OperationFailed among them, DataSetError for an answer that cannot be read, and
    NotAllowed for a peer that is not to be queried.
    """
    peer.require("query")
    sop_class_uid = _CLASSES[model][0]
    with associate(peer, caller, [ProposedContext(sop_class_uid, _QUERY_SYNTAXES)]) as association:
        context = _context(association, sop_class_uid)
        asked = _encoded(identifier, context)
        # Closed before the association is, so that leaving early is told to the peer by C-CANCEL.
        with contextlib.closing(scu.find(association, context.id, asked, should_cancel)) as responses:
            for response in responses:
                final = response
                if _is_pending(response):
                    yield decode_identifier(response.identifier, context.transfer_syntax)
    _check_final("C-FIND", final)


def move(
    peer: Peer,
    caller: Caller,
    model: InformationModel,
    identifier: Identifier,
    destination: str,
    should_cancel: ShouldCancel | None = None,
) -> Generator[Progress, None, None]:
    """C-MOVE to the AE title ``destination``: the counters as the peer reports them, the final ones last.

    Raises as ``find`` does.
    """
    peer.require("retrieve")
    sop_class_uid = _CLASSES[model][1]
    with associate(peer, caller, [ProposedContext(sop_class_uid, _QUERY_SYNTAXES)]) as association:
        context = _context(association, sop_class_uid)
        asked = _encoded(identifier, context)
        with contextlib.closing(scu.move(association, context.id, destination, asked, should_cancel)) as responses:
            for response in responses:
                final = response
                yield _progress(response, context)
    _check_final("C-MOVE", final)


def get(
    archive: Archive,
    peer: Peer,
    caller: Caller,
    model: InformationModel,
    identifier: Identifier,
    should_cancel: ShouldCancel | None = None,
) -> Generator[Progress, None, None]:
    """C-GET into ``archive``: the counters as the peer reports them, the final ones last.

    Every object is durable and findable before its sub-operation is answered. Raises as ``find`` does.
    """
    peer.require("retrieve")
    sop_class_uid = _CLASSES[model][2]
    classes = _classes_in_studies(peer, caller, model, identifier) if peer.query else []
    contexts = _storage_contexts(classes, peer.preferred_syntaxes)
    roles = {context.abstract_syntax: (False, True) for context in contexts}
    contexts.append(ProposedContext(sop_class_uid, _QUERY_SYNTAXES))
    keeper = _Keeper(archive, peer.ae_title)
    with associate(peer, caller, contexts, roles) as association:
        context = _context(association, sop_class_uid)
        asked = _encoded(identifier, context)
        with contextlib.closing(scu.get(association, context.id, asked, keeper.keep, should_cancel)) as responses:
            for response in responses:
                final = response
                yield replace(_progress(response, context), is_out_of_space=keeper.is_out_of_space)
    _check_final("C-GET", final)


class _Keeper:
    """Takes the objects of a C-GET into an archive."""

    def __init__(self, archive: Archive, source_ae_title: str) -> None:
        self._archive = archive
        self._source_ae_title = source_ae_title
        self.is_out_of_space = False

    def keep(self, association: Association, message: Message) -> int:
        """Receive one object; the status to answer."""
        try:
            self._receive(association, message)
        except WireError:
            raise  # the association is gone: nobody to answer
        except Exception as error:
            self.is_out_of_space |= isinstance(error, OutOfSpace)
            facts = {"error": type(error).__name__}
            if isinstance(error, RadfuseError):
                _log.warning("an object of a C-GET was refused: %s", error, extra=facts)
            else:
                _log.error("an object of a C-GET was not stored", exc_info=error, extra=facts)
            return status_of_refusal(error)
        return status.SUCCESS

    def _receive(self, association: Association, message: Message) -> None:
        command = message.command
        origin = Origin(
            command.affected_sop_class_uid or "",
            command.affected_sop_instance_uid or "",
            message.context.transfer_syntax,
            self._source_ae_title,
        )
        check_origin(origin)
        with self._archive.receive(origin) as incoming:
            association.receive_data_set(incoming)
            ingest(self._archive, incoming)


def _storage_contexts(classes: Sequence[str], preferred: Sequence[str]) -> list[ProposedContext]:
    """A context for every syntax of every class, so that objects come as the peer has them.

    Where that is too much, or the classes are not known, a context a class of all we keep: the peer
    chooses one syntax for each then, and objects in another are transcoded by it or not sent.
    """
    # Those that every peer knows first, unless others are preferred.
    syntaxes = tuple(dict.fromkeys((*preferred, *_QUERY_SYNTAXES, *TRANSFER_SYNTAXES)))
    if 0 < len(classes) * len(syntaxes) < _MAX_CONTEXTS:
        return [ProposedContext(uid, (syntax,)) for uid in classes for syntax in syntaxes]
    return [ProposedContext(uid, syntaxes) for uid in STORAGE_CLASS_NAMES]


def _classes_in_studies(peer: Peer, caller: Caller, model: InformationModel, identifier: Identifier) -> list[str]:
    """SOP Classes in Study (0008,0062) of the studies to get; nothing when the peer does not say."""
    keys = [element for element in identifier if element.tag in _STUDY_KEYS and element.values]
    if not any(element.tag == _STUDY_INSTANCE_UID for element in keys):
        return []
    asked = Identifier((Element.of("QueryRetrieveLevel", "STUDY"), Element.of("SOPClassesInStudy"), *keys))
    classes: dict[str, None] = {}
    try:
        for answer in find(peer, caller, model, asked):
            found = answer.get(_SOP_CLASSES_IN_STUDY)
            if found is None or not all(map(is_valid_uid, found.values)):
                return []
            classes |= dict.fromkeys(found.values)
    except (WireError, DataSetError) as error:
        # Not the error itself: a peer's comment may name the patient.
        _log.info("the SOP classes of a study were not told", extra={"error": type(error).__name__})
        return []
    return list(classes)


def _context(association: Association, sop_class_uid: str) -> AcceptedContext:
    return association.contexts[scu.context_for(association, sop_class_uid)]


def _encoded(identifier: Identifier, context: AcceptedContext) -> bytes:
    texts = [value for element in identifier for value in element.values]
    return encode_identifier(identifier, context.transfer_syntax, character_set_for(texts, ()))


def _is_pending(response: scu.Response) -> bool:
    return status.category(response.status) is status.Category.PENDING


def _progress(response: scu.Response, context: AcceptedContext) -> Progress:
    command = response.command
    is_final = not _is_pending(response)
    return Progress(
        command.number_of_remaining_suboperations or 0,
        command.number_of_completed_suboperations or 0,
        command.number_of_failed_suboperations or 0,
        command.number_of_warning_suboperations or 0,
        _failed_uids(response.identifier, context.transfer_syntax) if is_final else (),
        response.status if is_final else None,
    )


def _failed_uids(identifier: bytes, transfer_syntax_uid: str) -> tuple[str, ...]:
    """Failed SOP Instance UID List (0008,0058); the counters stand even when it cannot be read."""
    try:
        element = decode_identifier(identifier, transfer_syntax_uid).get(_FAILED_UIDS)
    except DataSetError:
        return ()
    return tuple(filter(None, element.values)) if element else ()


def _check_final(operation: str, response: scu.Response) -> None:
    """Raise OperationFailed for a failure. The association has been released: it was not at fault."""
    if status.category(response.status) is status.Category.FAILURE:
        raise OperationFailed(operation, response.status, response.command.error_comment or "")
