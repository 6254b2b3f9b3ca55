"""Items and sub-items of the A-ASSOCIATE PDUs (PS3.8 section 9.3, PS3.7 section D.3.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from radfuse.core.errors import ProtocolViolation

DICOM_APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
"""The one application context name (PS3.7 section A.2.1)."""

INVALID_PARAMETER: Final = 6
"""A-ABORT reason invalid-PDU-parameter-value (PS3.8 Table 9-26)."""


class ItemType(IntEnum):
    """Item types of PS3.8 sections 9.3.2 and 9.3.3 and of PS3.7 section D.3.3."""

    APPLICATION_CONTEXT = 0x10
    PRESENTATION_CONTEXT_RQ = 0x20
    PRESENTATION_CONTEXT_AC = 0x21
    ABSTRACT_SYNTAX = 0x30
    TRANSFER_SYNTAX = 0x40
    USER_INFORMATION = 0x50
    MAXIMUM_LENGTH = 0x51
    IMPLEMENTATION_CLASS_UID = 0x52
    ASYNCHRONOUS_WINDOW = 0x53
    ROLE_SELECTION = 0x54
    IMPLEMENTATION_VERSION_NAME = 0x55
    EXTENDED_NEGOTIATION = 0x56
    COMMON_EXTENDED_NEGOTIATION = 0x57
    USER_IDENTITY = 0x58
    USER_IDENTITY_RESPONSE = 0x59


class ContextResult(IntEnum):
    """Result of a presentation context (PS3.8 Table 9-18)."""

    ACCEPTANCE = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


@dataclass(frozen=True, slots=True)
class ContextRequest:
    """A proposed presentation context (PS3.8 section 9.3.2.2)."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContextAnswer:
    """An answered presentation context (PS3.8 section 9.3.3.2); the syntax counts only if accepted."""

    id: int
    result: int
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class AsynchronousWindow:
    """Asynchronous operations window (PS3.7 section D.3.3.3); 0 is unlimited."""

    invoked: int
    performed: int


@dataclass(frozen=True, slots=True)
class RoleSelection:
    """SCP/SCU role selection for the association requestor (PS3.7 section D.3.3.4)."""

    sop_class_uid: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class ExtendedNegotiation:
    """SOP class extended negotiation (PS3.7 section D.3.3.5)."""

    sop_class_uid: str
    application_information: bytes


@dataclass(frozen=True, slots=True)
class CommonExtendedNegotiation:
    """SOP class common extended negotiation (PS3.7 section D.3.3.6)."""

    sop_class_uid: str
    service_class_uid: str
    related_general_sop_classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """User identity (PS3.7 section D.3.3.7); kinds 1 name, 2 name and passcode, 3 Kerberos, 4 SAML, 5 JWT."""

    kind: int
    primary: bytes
    secondary: bytes = b""
    response_requested: bool = False

    def __repr__(self) -> str:
        """Without the fields themselves: they are credentials."""
        return f"UserIdentity(kind={self.kind})"


@dataclass(frozen=True, slots=True)
class UserInformation:
    """The user information item (PS3.8 section 9.3.2.3); a maximum length of 0 is unlimited."""

    max_pdu_bytes: int | None = None
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    asynchronous_window: AsynchronousWindow | None = None
    roles: tuple[RoleSelection, ...] = ()
    extended: tuple[ExtendedNegotiation, ...] = ()
    common_extended: tuple[CommonExtendedNegotiation, ...] = ()
    user_identity: UserIdentity | None = None
    user_identity_response: bytes | None = None


def _violation(reason: str) -> ProtocolViolation:
    return ProtocolViolation(reason, INVALID_PARAMETER)


def pack_item(item_type: int, body: bytes) -> bytes:
    """One item: type, reserved byte, length, ``body``."""
    return struct.pack(">BxH", item_type, len(body)) + body


def split_items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and bodies of the items that fill ``data``; ProtocolViolation where one does not fit."""
    position = 0
    while position < len(data):
        if len(data) - position < 4:
            raise _violation("an item header is cut off")
        item_type, length = struct.unpack_from(">BxH", data, position)
        position += 4
        if length > len(data) - position:
            raise _violation(f"item {item_type:02X}H is longer than what holds it")
        yield item_type, data[position : position + length]
        position += length


def decode_uid(data: bytes) -> str:
    """A UID or name in an item, without the padding that some peers add."""
    try:
        return data.rstrip(b"\0 ").decode("ascii")
    except UnicodeDecodeError:
        raise _violation("a UID is not ASCII") from None


def _counted(data: bytes, position: int) -> tuple[bytes, int]:
    """A field with a two-byte length before it, and the position after it."""
    if len(data) - position < 2:
        raise _violation("a field length is cut off")
    end = position + 2 + int.from_bytes(data[position : position + 2], "big")
    if end > len(data):
        raise _violation("a field is longer than its item")
    return data[position + 2 : end], end


def _count(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def _exactly(data: bytes, length: int, name: str) -> bytes:
    if len(data) != length:
        raise _violation(f"the {name} item has {len(data)} bytes instead of {length}")
    return data


# --- presentation contexts -------------------------------------------------------------------


def encode_context_request(context: ContextRequest) -> bytes:
    """Item 20H."""
    body = struct.pack(">B3x", context.id) + pack_item(ItemType.ABSTRACT_SYNTAX, context.abstract_syntax.encode())
    for syntax in context.transfer_syntaxes:
        body += pack_item(ItemType.TRANSFER_SYNTAX, syntax.encode())
    return pack_item(ItemType.PRESENTATION_CONTEXT_RQ, body)


def decode_context_request(body: bytes) -> ContextRequest:
    """Body of item 20H; it must hold one abstract syntax and one or more transfer syntaxes."""
    if len(body) < 4:
        raise _violation("a presentation context is cut off")
    abstract: list[str] = []
    transfer: list[str] = []
    for item_type, data in split_items(body[4:]):
        if item_type == ItemType.ABSTRACT_SYNTAX:
            abstract.append(decode_uid(data))
        elif item_type == ItemType.TRANSFER_SYNTAX:
            transfer.append(decode_uid(data))
    if len(abstract) != 1 or not transfer:
        raise _violation("a presentation context lacks its abstract or transfer syntax")
    return ContextRequest(body[0], abstract[0], tuple(transfer))


def encode_context_answer(context: ContextAnswer) -> bytes:
    """Item 21H."""
    body = struct.pack(">BxBx", context.id, context.result)
    return pack_item(
        ItemType.PRESENTATION_CONTEXT_AC, body + pack_item(ItemType.TRANSFER_SYNTAX, context.transfer_syntax.encode())
    )


def decode_context_answer(body: bytes) -> ContextAnswer:
    """Body of item 21H; the transfer syntax is read only where the context is accepted."""
    if len(body) < 4:
        raise _violation("a presentation context is cut off")
    result = body[2]
    if result != ContextResult.ACCEPTANCE:
        return ContextAnswer(body[0], result, "")
    transfer = [decode_uid(data) for item_type, data in split_items(body[4:]) if item_type == ItemType.TRANSFER_SYNTAX]
    if len(transfer) != 1:
        raise _violation("an accepted presentation context does not have one transfer syntax")
    return ContextAnswer(body[0], result, transfer[0])


# --- user information ------------------------------------------------------------------------


def _encode_common(item: CommonExtendedNegotiation) -> bytes:
    related = b"".join(_count(uid.encode()) for uid in item.related_general_sop_classes)
    return _count(item.sop_class_uid.encode()) + _count(item.service_class_uid.encode()) + _count(related)


def _encode_identity(item: UserIdentity) -> bytes:
    return struct.pack(">BB", item.kind, item.response_requested) + _count(item.primary) + _count(item.secondary)


def _encode_role(item: RoleSelection) -> bytes:
    return _count(item.sop_class_uid.encode()) + bytes((item.scu, item.scp))


def encode_user_information(user: UserInformation) -> bytes:
    """Item 50H with its sub-items in the order of their types."""
    items: list[tuple[ItemType, bytes]] = []
    if user.max_pdu_bytes is not None:
        items.append((ItemType.MAXIMUM_LENGTH, struct.pack(">L", user.max_pdu_bytes)))
    if user.implementation_class_uid:
        items.append((ItemType.IMPLEMENTATION_CLASS_UID, user.implementation_class_uid.encode()))
    if user.asynchronous_window is not None:
        window = user.asynchronous_window
        items.append((ItemType.ASYNCHRONOUS_WINDOW, struct.pack(">HH", window.invoked, window.performed)))
    items += [(ItemType.ROLE_SELECTION, _encode_role(role)) for role in user.roles]
    if user.implementation_version_name:
        items.append((ItemType.IMPLEMENTATION_VERSION_NAME, user.implementation_version_name.encode()))
    for extended in user.extended:
        body = _count(extended.sop_class_uid.encode()) + extended.application_information
        items.append((ItemType.EXTENDED_NEGOTIATION, body))
    items += [(ItemType.COMMON_EXTENDED_NEGOTIATION, _encode_common(common)) for common in user.common_extended]
    if user.user_identity is not None:
        items.append((ItemType.USER_IDENTITY, _encode_identity(user.user_identity)))
    if user.user_identity_response is not None:
        items.append((ItemType.USER_IDENTITY_RESPONSE, _count(user.user_identity_response)))
    return pack_item(ItemType.USER_INFORMATION, b"".join(pack_item(kind, body) for kind, body in items))


def _decode_window(data: bytes) -> AsynchronousWindow:
    return AsynchronousWindow(*struct.unpack(">HH", _exactly(data, 4, "asynchronous operations window")))


def _decode_role(data: bytes) -> RoleSelection:
    uid, position = _counted(data, 0)
    scu, scp = _exactly(data[position:], 2, "role selection")
    return RoleSelection(decode_uid(uid), scu != 0, scp != 0)


def _decode_extended(data: bytes) -> ExtendedNegotiation:
    uid, position = _counted(data, 0)
    return ExtendedNegotiation(decode_uid(uid), data[position:])


def _decode_common(data: bytes) -> CommonExtendedNegotiation:
    sop_class, position = _counted(data, 0)
    service_class, position = _counted(data, position)
    if position == len(data):
        related_data = b""
    else:
        related_data, _ = _counted(data, position)
    related = []
    position = 0
    while position < len(related_data):
        uid, position = _counted(related_data, position)
        related.append(decode_uid(uid))
    return CommonExtendedNegotiation(decode_uid(sop_class), decode_uid(service_class), tuple(related))


def _decode_identity(data: bytes) -> UserIdentity:
    if len(data) < 2:
        raise _violation("the user identity is cut off")
    primary, position = _counted(data, 2)
    secondary, _ = _counted(data, position)
    return UserIdentity(data[0], primary, secondary, data[1] != 0)


_SINGLE: Final[dict[int, tuple[str, Callable[[bytes], Any]]]] = {
    ItemType.MAXIMUM_LENGTH: ("max_pdu_bytes", lambda data: int.from_bytes(_exactly(data, 4, "maximum length"), "big")),
    ItemType.IMPLEMENTATION_CLASS_UID: ("implementation_class_uid", decode_uid),
    ItemType.ASYNCHRONOUS_WINDOW: ("asynchronous_window", _decode_window),
    ItemType.IMPLEMENTATION_VERSION_NAME: ("implementation_version_name", decode_uid),
    ItemType.USER_IDENTITY: ("user_identity", _decode_identity),
    ItemType.USER_IDENTITY_RESPONSE: ("user_identity_response", lambda data: _counted(data, 0)[0]),
}
_REPEATED: Final[dict[int, tuple[str, Callable[[bytes], Any]]]] = {
    ItemType.ROLE_SELECTION: ("roles", _decode_role),
    ItemType.EXTENDED_NEGOTIATION: ("extended", _decode_extended),
    ItemType.COMMON_EXTENDED_NEGOTIATION: ("common_extended", _decode_common),
}


def decode_user_information(body: bytes) -> UserInformation:
    """Body of item 50H; sub-items that the standard does not name are ignored (PS3.8 section 9.3.1)."""
    values: dict[str, Any] = {}
    repeated: dict[str, list[Any]] = {}
    for item_type, data in split_items(body):
        if item_type in _SINGLE:
            name, decode = _SINGLE[item_type]
            values[name] = decode(data)
        elif item_type in _REPEATED:
            name, decode = _REPEATED[item_type]
            repeated.setdefault(name, []).append(decode(data))
    values.update((name, tuple(items)) for name, items in repeated.items())
    return UserInformation(**values)
