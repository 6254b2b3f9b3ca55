"""What is negotiated when an association is made: proposals, answers, and the contexts that result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from radfuse.core.aetitle import checked_ae_title
from radfuse.core.errors import ProtocolViolation
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from radfuse.wire.items import (
    DICOM_APPLICATION_CONTEXT,
    INVALID_PARAMETER,
    AsynchronousWindow,
    CommonExtendedNegotiation,
    ContextAnswer,
    ContextRequest,
    ContextResult,
    ExtendedNegotiation,
    RoleSelection,
    UserIdentity,
    UserInformation,
)
from radfuse.wire.limits import Limits
from radfuse.wire.pdu import AssociateAC, AssociateRQ

MAX_CONTEXTS: Final = 128
"""Odd numbers from 1 to 255 (PS3.8 Table 9-13)."""

TITLE_BYTES: Final = 16
SMALLEST_MAX_PDU_BYTES: Final = 8
"""PDV header of 6 bytes and an even number of bytes of data."""


@dataclass(frozen=True, slots=True)
class ProposedContext:
    """A presentation context as proposed; ``id`` 0 lets the requestor number it."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    id: int = 0


@dataclass(frozen=True, slots=True)
class AcceptedContext:
    """An accepted presentation context; ``as_scu`` and ``as_scp`` are the roles that we may take."""

    id: int
    abstract_syntax: str
    transfer_syntax: str
    as_scu: bool
    as_scp: bool


@dataclass(frozen=True, slots=True)
class AssociationRequest:
    """A-ASSOCIATE request. Titles are stripped; the raw ones are the 16 bytes as received.

    ``roles`` maps a SOP class to (SCU, SCP) that the requestor asks for itself.
    ``max_pdu_bytes`` 0 is unlimited.
    """

    called_ae_title: str
    calling_ae_title: str
    contexts: tuple[ProposedContext, ...]
    roles: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    extended_negotiation: Mapping[str, bytes] = field(default_factory=dict)
    common_extended: tuple[CommonExtendedNegotiation, ...] = ()
    user_identity: UserIdentity | None = None
    max_pdu_bytes: int = 0
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    called_raw: bytes = b""
    calling_raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The policy's answer when it accepts.

    ``contexts`` maps context ids to the accepted transfer syntax or to the reason not to accept (1
    user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes not supported); a missing
    id is reason 3. ``roles`` holds (SCU, SCP) granted to the requestor for each SOP class that it
    proposed roles for.
    """

    contexts: Mapping[int, str | int]
    roles: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    extended_negotiation: Mapping[str, bytes] = field(default_factory=dict)
    user_identity_response: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A-ASSOCIATE-RJ (PS3.8 Table 9-21): result 1 permanent, 2 transient; source 1 user, 2 and 3 provider."""

    result: int
    source: int
    reason: int


NO_REASON: Final = Rejection(1, 1, 1)
APPLICATION_CONTEXT_NOT_SUPPORTED: Final = Rejection(1, 1, 2)
CALLING_AE_TITLE_NOT_RECOGNIZED: Final = Rejection(1, 1, 3)
CALLED_AE_TITLE_NOT_RECOGNIZED: Final = Rejection(1, 1, 7)
PROTOCOL_VERSION_NOT_SUPPORTED: Final = Rejection(1, 2, 2)
TEMPORARY_CONGESTION: Final = Rejection(2, 3, 1)
LOCAL_LIMIT_EXCEEDED: Final = Rejection(2, 3, 2)

REJECTION_MEANINGS: Final = {
    (1, 1): "no reason given",
    (1, 2): "application context name not supported",
    (1, 3): "calling AE title not recognized",
    (1, 7): "called AE title not recognized",
    (2, 1): "no reason given by the provider",
    (2, 2): "protocol version not supported",
    (3, 1): "temporary congestion",
    (3, 2): "local limit exceeded",
}
"""Meaning of (source, reason) in A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""


# --- acceptor --------------------------------------------------------------------------------


def request_of(pdu: AssociateRQ) -> AssociationRequest:
    """The request in ``pdu``; ProtocolViolation for context ids that PS3.8 Table 9-13 does not allow."""
    ids = [context.id for context in pdu.contexts]
    if not ids or len(set(ids)) != len(ids) or not all(number & 1 for number in ids):
        raise ProtocolViolation("the presentation context ids are not distinct odd numbers", INVALID_PARAMETER)
    user = pdu.user
    return AssociationRequest(
        called_ae_title=_title(pdu.called_raw),
        calling_ae_title=_title(pdu.calling_raw),
        contexts=tuple(ProposedContext(row.abstract_syntax, row.transfer_syntaxes, row.id) for row in pdu.contexts),
        roles={role.sop_class_uid: (role.scu, role.scp) for role in user.roles},
        extended_negotiation={item.sop_class_uid: item.application_information for item in user.extended},
        common_extended=user.common_extended,
        user_identity=user.user_identity,
        max_pdu_bytes=checked_max_pdu_bytes(user),
        implementation_class_uid=user.implementation_class_uid,
        implementation_version_name=user.implementation_version_name,
        called_raw=pdu.called_raw,
        calling_raw=pdu.calling_raw,
    )


def checked_max_pdu_bytes(user: UserInformation) -> int:
    """The peer's maximum length, 0 for none; ProtocolViolation when no PDV fits it."""
    length = user.max_pdu_bytes or 0
    if 0 < length < SMALLEST_MAX_PDU_BYTES:
        raise ProtocolViolation("the peer's maximum length leaves no room for data", INVALID_PARAMETER)
    return length


def is_acceptable(pdu: AssociateRQ) -> Rejection | None:
    """None, or the rejection that the provider itself answers (PS3.8 section 9.3.2)."""
    if not pdu.protocol_version & 1:
        return PROTOCOL_VERSION_NOT_SUPPORTED
    if pdu.application_context != DICOM_APPLICATION_CONTEXT:
        return APPLICATION_CONTEXT_NOT_SUPPORTED
    return None


def acceptance_pdu(pdu: AssociateRQ, acceptance: Acceptance, limits: Limits) -> AssociateAC:
    """A-ASSOCIATE-AC for ``pdu``; ValueError for an answer that was not proposed."""
    granted = (
        RoleSelection(role.sop_class_uid, *_granted(role, acceptance.roles[role.sop_class_uid]))
        for role in pdu.user.roles
        if role.sop_class_uid in acceptance.roles
    )
    identity = pdu.user.user_identity
    wants_identity_response = identity is not None and identity.response_requested
    # PS3.7 section D.3.3.3: without the item one operation is outstanding, and so is our answer.
    window = None if pdu.user.asynchronous_window is None else AsynchronousWindow(1, 1)
    user = UserInformation(
        max_pdu_bytes=limits.max_pdu_bytes,
        implementation_class_uid=IMPLEMENTATION_CLASS_UID,
        implementation_version_name=IMPLEMENTATION_VERSION_NAME,
        asynchronous_window=window,
        roles=tuple(granted),
        extended=tuple(ExtendedNegotiation(*item) for item in acceptance.extended_negotiation.items()),
        user_identity_response=acceptance.user_identity_response if wants_identity_response else None,
    )
    contexts = tuple(_answer(context, acceptance.contexts.get(context.id)) for context in pdu.contexts)
    return AssociateAC(pdu.called_raw, pdu.calling_raw, contexts, user)


def contexts_as_acceptor(pdu: AssociateRQ, answer: AssociateAC) -> dict[int, AcceptedContext]:
    """Accepted contexts with our roles: SCP, unless roles were granted (PS3.7 section D.3.3.4)."""
    asked = {role.sop_class_uid: role for role in pdu.user.roles}
    granted = {role.sop_class_uid: role for role in answer.user.roles}
    contexts: dict[int, AcceptedContext] = {}
    for proposed, result in zip(pdu.contexts, answer.contexts, strict=True):
        if result.result != ContextResult.ACCEPTANCE:
            continue
        uid = proposed.abstract_syntax
        ask, grant = asked.get(uid), granted.get(uid)
        as_scu, as_scp = (
            (False, True) if ask is None or grant is None else (ask.scp and grant.scp, ask.scu and grant.scu)
        )
        contexts[result.id] = AcceptedContext(result.id, uid, result.transfer_syntax, as_scu, as_scp)
    return contexts


def _answer(context: ContextRequest, answer: str | int | None) -> ContextAnswer:
    if isinstance(answer, str):
        if answer not in context.transfer_syntaxes:
            raise ValueError("a transfer syntax that was not proposed cannot be accepted")
        return ContextAnswer(context.id, ContextResult.ACCEPTANCE, answer)
    reason = ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED if answer is None else answer
    return ContextAnswer(context.id, reason, context.transfer_syntaxes[0])


def _granted(asked: RoleSelection, granted: tuple[bool, bool]) -> tuple[bool, bool]:
    """PS3.7 Table D.3-9: the acceptor cannot grant a role that was not proposed."""
    return asked.scu and granted[0], asked.scp and granted[1]


def _title(raw: bytes) -> str:
    return raw.decode("latin-1").strip(" \0")


# --- requestor -------------------------------------------------------------------------------


def numbered(contexts: Sequence[ProposedContext]) -> tuple[ProposedContext, ...]:
    """``contexts`` with odd ids where they have none; ValueError for more than 128."""
    if not 0 < len(contexts) <= MAX_CONTEXTS:
        raise ValueError(f"an association has 1 to {MAX_CONTEXTS} presentation contexts, not {len(contexts)}")
    taken = {context.id for context in contexts}
    free = (number for number in range(1, 256, 2) if number not in taken)
    return tuple(
        context if context.id else ProposedContext(context.abstract_syntax, context.transfer_syntaxes, next(free))
        for context in contexts
    )


def request_pdu(request: AssociationRequest, limits: Limits) -> AssociateRQ:
    """A-ASSOCIATE-RQ of ``request``, with our own implementation and maximum length; InvalidAETitle for a bad title."""
    user = UserInformation(
        max_pdu_bytes=limits.max_pdu_bytes,
        implementation_class_uid=IMPLEMENTATION_CLASS_UID,
        implementation_version_name=IMPLEMENTATION_VERSION_NAME,
        roles=tuple(RoleSelection(uid, *roles) for uid, roles in request.roles.items()),
        extended=tuple(ExtendedNegotiation(*item) for item in request.extended_negotiation.items()),
        common_extended=request.common_extended,
        user_identity=request.user_identity,
    )
    contexts = tuple(ContextRequest(row.id, row.abstract_syntax, row.transfer_syntaxes) for row in request.contexts)
    called, calling = (
        checked_ae_title(title).encode("ascii").ljust(TITLE_BYTES)
        for title in (request.called_ae_title, request.calling_ae_title)
    )
    return AssociateRQ(called, calling, contexts, user)


def contexts_as_requestor(pdu: AssociateRQ, answer: AssociateAC) -> dict[int, AcceptedContext]:
    """Accepted contexts with our roles; ProtocolViolation for what was never proposed."""
    proposed = {context.id: context for context in pdu.contexts}
    asked = {role.sop_class_uid: role for role in pdu.user.roles}
    granted = {role.sop_class_uid: role for role in answer.user.roles}
    contexts: dict[int, AcceptedContext] = {}
    for result in _accepted(answer.contexts):
        context = proposed.get(result.id)
        if context is None or result.transfer_syntax not in context.transfer_syntaxes:
            raise ProtocolViolation("the peer accepted a presentation context that was not proposed", INVALID_PARAMETER)
        uid = context.abstract_syntax
        ask, grant = asked.get(uid), granted.get(uid)
        as_scu, as_scp = (
            (True, False) if ask is None or grant is None else (ask.scu and grant.scu, ask.scp and grant.scp)
        )
        contexts[result.id] = AcceptedContext(result.id, uid, result.transfer_syntax, as_scu, as_scp)
    return contexts


def _accepted(answers: Iterable[ContextAnswer]) -> Iterable[ContextAnswer]:
    return (answer for answer in answers if answer.result == ContextResult.ACCEPTANCE)
