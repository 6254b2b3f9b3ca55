"""The seven protocol data units of the DICOM upper layer (PS3.8 section 9.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from radfuse.core.errors import ProtocolViolation
from radfuse.wire.items import (
    DICOM_APPLICATION_CONTEXT,
    INVALID_PARAMETER,
    ContextAnswer,
    ContextRequest,
    ItemType,
    UserInformation,
    decode_context_answer,
    decode_context_request,
    decode_uid,
    decode_user_information,
    encode_context_answer,
    encode_context_request,
    encode_user_information,
    pack_item,
    split_items,
)

UNRECOGNIZED_PDU: Final = 1
"""A-ABORT reason unrecognized-PDU (PS3.8 Table 9-26)."""

UNEXPECTED_PDU: Final = 2
"""A-ABORT reason unexpected-PDU (PS3.8 Table 9-26)."""

HEADER_BYTES: Final = 6
FIXED_ASSOCIATE_BYTES: Final = 68
SHORT_BODY_BYTES: Final = 4


class PduType(IntEnum):
    """PDU types (PS3.8 section 9.3.1)."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA_TF = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


@dataclass(frozen=True, slots=True)
class AssociateRQ:
    """A-ASSOCIATE-RQ (PS3.8 section 9.3.2); the titles are the 16 bytes as sent."""

    called_raw: bytes
    calling_raw: bytes
    contexts: tuple[ContextRequest, ...]
    user: UserInformation
    application_context: str = DICOM_APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateAC:
    """A-ASSOCIATE-AC (PS3.8 section 9.3.3); the titles repeat the request and are not tested."""

    called_raw: bytes
    calling_raw: bytes
    contexts: tuple[ContextAnswer, ...]
    user: UserInformation
    application_context: str = DICOM_APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateRJ:
    """A-ASSOCIATE-RJ (PS3.8 section 9.3.4, Table 9-21)."""

    result: int
    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class PresentationDataValue:
    """One PDV item (PS3.8 section 9.3.5.1 and Annex E)."""

    context_id: int
    is_command: bool
    is_last: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class DataTF:
    """P-DATA-TF (PS3.8 section 9.3.5) as a value; the hot path never builds one (see framing)."""

    values: tuple[PresentationDataValue, ...]


@dataclass(frozen=True, slots=True)
class ReleaseRQ:
    """A-RELEASE-RQ (PS3.8 section 9.3.6)."""


@dataclass(frozen=True, slots=True)
class ReleaseRP:
    """A-RELEASE-RP (PS3.8 section 9.3.7)."""


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT (PS3.8 section 9.3.8); source 0 is the user, 2 the provider, and only then the reason counts."""

    source: int
    reason: int


Pdu = AssociateRQ | AssociateAC | AssociateRJ | DataTF | ReleaseRQ | ReleaseRP | Abort


def _frame(pdu_type: int, body: bytes) -> bytes:
    return struct.pack(">BxL", pdu_type, len(body)) + body


def _encode_associate(pdu: AssociateRQ | AssociateAC) -> bytes:
    if isinstance(pdu, AssociateRQ):
        kind, contexts = PduType.ASSOCIATE_RQ, [encode_context_request(context) for context in pdu.contexts]
    else:
        kind, contexts = PduType.ASSOCIATE_AC, [encode_context_answer(context) for context in pdu.contexts]
    fixed = struct.pack(">H2x16s16s32x", pdu.protocol_version, pdu.called_raw, pdu.calling_raw)
    application = pack_item(ItemType.APPLICATION_CONTEXT, pdu.application_context.encode())
    return _frame(kind, b"".join((fixed, application, *contexts, encode_user_information(pdu.user))))


def _encode_data(pdu: DataTF) -> bytes:
    values = (
        struct.pack(">LBB", len(value.data) + 2, value.context_id, value.is_command | value.is_last << 1) + value.data
        for value in pdu.values
    )
    return _frame(PduType.DATA_TF, b"".join(values))


def encode(pdu: Pdu) -> bytes:
    """``pdu`` as bytes with its header."""
    match pdu:
        case AssociateRQ() | AssociateAC():
            return _encode_associate(pdu)
        case AssociateRJ(result, source, reason):
            return _frame(PduType.ASSOCIATE_RJ, bytes((0, result, source, reason)))
        case DataTF():
            return _encode_data(pdu)
        case ReleaseRQ():
            return _frame(PduType.RELEASE_RQ, bytes(SHORT_BODY_BYTES))
        case ReleaseRP():
            return _frame(PduType.RELEASE_RP, bytes(SHORT_BODY_BYTES))
        case Abort(source, reason):
            return _frame(PduType.ABORT, bytes((0, 0, source, reason)))


def _associate_parts(body: bytes, context_type: ItemType) -> tuple[str, list[bytes], UserInformation]:
    """Application context name, bodies of the presentation contexts, user information."""
    application = ""
    contexts: list[bytes] = []
    user = UserInformation()
    for item_type, data in split_items(body[FIXED_ASSOCIATE_BYTES:]):
        if item_type == ItemType.APPLICATION_CONTEXT:
            application = decode_uid(data)
        elif item_type == context_type:
            contexts.append(data)
        elif item_type == ItemType.USER_INFORMATION:
            user = decode_user_information(data)
    return application, contexts, user


def _check_fixed(body: bytes) -> None:
    if len(body) < FIXED_ASSOCIATE_BYTES:
        raise ProtocolViolation("an A-ASSOCIATE PDU is too short", INVALID_PARAMETER)


def _decode_request(body: bytes) -> AssociateRQ:
    _check_fixed(body)
    application, contexts, user = _associate_parts(body, ItemType.PRESENTATION_CONTEXT_RQ)
    decoded = tuple(decode_context_request(context) for context in contexts)
    return AssociateRQ(body[4:20], body[20:36], decoded, user, application, int.from_bytes(body[:2], "big"))


def _decode_acceptance(body: bytes) -> AssociateAC:
    _check_fixed(body)
    application, contexts, user = _associate_parts(body, ItemType.PRESENTATION_CONTEXT_AC)
    decoded = tuple(decode_context_answer(context) for context in contexts)
    return AssociateAC(body[4:20], body[20:36], decoded, user, application, int.from_bytes(body[:2], "big"))


def _decode_data(body: bytes) -> DataTF:
    values: list[PresentationDataValue] = []
    position = 0
    while position < len(body):
        if len(body) - position < HEADER_BYTES:
            raise ProtocolViolation("a PDV header is cut off", INVALID_PARAMETER)
        length, context_id, control = struct.unpack_from(">LBB", body, position)
        end = position + 4 + length
        if length < 2 or end > len(body):
            raise ProtocolViolation("a PDV does not fit its PDU", INVALID_PARAMETER)
        data = body[position + HEADER_BYTES : end]
        values.append(PresentationDataValue(context_id, bool(control & 1), bool(control & 2), data))
        position = end
    if not values:
        raise ProtocolViolation("a P-DATA-TF PDU without a PDV", INVALID_PARAMETER)
    return DataTF(tuple(values))


def _short(body: bytes) -> bytes:
    if len(body) != SHORT_BODY_BYTES:
        raise ProtocolViolation(f"a PDU has {len(body)} bytes instead of {SHORT_BODY_BYTES}", INVALID_PARAMETER)
    return body


def _decode_release_request(body: bytes) -> ReleaseRQ:
    _short(body)
    return ReleaseRQ()


def _decode_release_response(body: bytes) -> ReleaseRP:
    _short(body)
    return ReleaseRP()


_DECODERS: Final[dict[int, Callable[[bytes], Pdu]]] = {
    PduType.ASSOCIATE_RQ: _decode_request,
    PduType.ASSOCIATE_AC: _decode_acceptance,
    PduType.ASSOCIATE_RJ: lambda body: AssociateRJ(*_short(body)[1:]),
    PduType.DATA_TF: _decode_data,
    PduType.RELEASE_RQ: _decode_release_request,
    PduType.RELEASE_RP: _decode_release_response,
    PduType.ABORT: lambda body: Abort(*_short(body)[2:]),
}


def decode(pdu_type: int, body: bytes) -> Pdu:
    """The PDU of this type with this variable field; ProtocolViolation when it is malformed."""
    decoder = _DECODERS.get(pdu_type)
    if decoder is None:
        raise ProtocolViolation(f"PDU type {pdu_type:02X}H does not exist", UNRECOGNIZED_PDU)
    return decoder(body)
