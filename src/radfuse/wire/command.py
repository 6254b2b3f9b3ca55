"""DIMSE command sets (PS3.7 section 6.3 and Annex E): one value for all messages, implicit VR little endian."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

from radfuse.core.errors import ProtocolViolation

NO_DATA_SET: Final = 0x0101
"""Command Data Set Type of a message without a data set (PS3.7 section E.1)."""

DATA_SET_PRESENT: Final = 0x0001
"""Our Command Data Set Type of a message with a data set: any value but 0101H says so."""

RESPONSE_BIT: Final = 0x8000

PRIORITY_MEDIUM: Final = 0


class Operation(IntEnum):
    """Command Field values (PS3.7 section E.1, Table E.1-1)."""

    C_STORE_RQ = 0x0001
    C_GET_RQ = 0x0010
    C_FIND_RQ = 0x0020
    C_MOVE_RQ = 0x0021
    C_ECHO_RQ = 0x0030
    N_EVENT_REPORT_RQ = 0x0100
    N_GET_RQ = 0x0110
    N_SET_RQ = 0x0120
    N_ACTION_RQ = 0x0130
    N_CREATE_RQ = 0x0140
    N_DELETE_RQ = 0x0150
    C_CANCEL_RQ = 0x0FFF
    C_STORE_RSP = 0x8001
    C_GET_RSP = 0x8010
    C_FIND_RSP = 0x8020
    C_MOVE_RSP = 0x8021
    C_ECHO_RSP = 0x8030
    N_EVENT_REPORT_RSP = 0x8100
    N_GET_RSP = 0x8110
    N_SET_RSP = 0x8120
    N_ACTION_RSP = 0x8130
    N_CREATE_RSP = 0x8140
    N_DELETE_RSP = 0x8150


@dataclass(slots=True)
class CommandSet:
    """The command elements, None where absent; attribute tags as 0xGGGGEEEE.

    Priority is 0 medium, 1 high, 2 low. ``command_data_set_type`` is set by whoever sends the message.
    """

    command_field: int
    message_id: int | None = None
    message_id_being_responded_to: int | None = None
    affected_sop_class_uid: str | None = None
    requested_sop_class_uid: str | None = None
    affected_sop_instance_uid: str | None = None
    requested_sop_instance_uid: str | None = None
    move_destination: str | None = None
    priority: int | None = None
    command_data_set_type: int = NO_DATA_SET
    status: int | None = None
    offending_element: tuple[int, ...] | None = None
    error_comment: str | None = None
    error_id: int | None = None
    event_type_id: int | None = None
    attribute_identifier_list: tuple[int, ...] | None = None
    action_type_id: int | None = None
    number_of_remaining_suboperations: int | None = None
    number_of_completed_suboperations: int | None = None
    number_of_failed_suboperations: int | None = None
    number_of_warning_suboperations: int | None = None
    move_originator_ae_title: str | None = None
    move_originator_message_id: int | None = None

    @property
    def is_request(self) -> bool:
        """Whether this is a request (C-CANCEL too)."""
        return not self.command_field & RESPONSE_BIT

    def response(self, status: int, error_comment: str | None = None) -> CommandSet:
        """The response to this request, without data set; the comment is cut to its 64 characters."""
        return CommandSet(
            self.command_field | RESPONSE_BIT,
            None,
            self.message_id,
            self.affected_sop_class_uid or self.requested_sop_class_uid,
            None,
            self.affected_sop_instance_uid or self.requested_sop_instance_uid,
            status=status,
            error_comment=None if error_comment is None else error_comment[:64],
            event_type_id=self.event_type_id,
            action_type_id=self.action_type_id,
        )


class CommandElement(NamedTuple):
    """One element of Table E.1-1: its element number in group 0000, field and VR."""

    element: int
    field: str
    vr: str


COMMAND_ELEMENTS: Final = tuple(
    CommandElement(*row)
    for row in (
        (0x0002, "affected_sop_class_uid", "UI"),
        (0x0003, "requested_sop_class_uid", "UI"),
        (0x0100, "command_field", "US"),
        (0x0110, "message_id", "US"),
        (0x0120, "message_id_being_responded_to", "US"),
        (0x0600, "move_destination", "AE"),
        (0x0700, "priority", "US"),
        (0x0800, "command_data_set_type", "US"),
        (0x0900, "status", "US"),
        (0x0901, "offending_element", "AT"),
        (0x0902, "error_comment", "LO"),
        (0x0903, "error_id", "US"),
        (0x1000, "affected_sop_instance_uid", "UI"),
        (0x1001, "requested_sop_instance_uid", "UI"),
        (0x1002, "event_type_id", "US"),
        (0x1005, "attribute_identifier_list", "AT"),
        (0x1008, "action_type_id", "US"),
        (0x1020, "number_of_remaining_suboperations", "US"),
        (0x1021, "number_of_completed_suboperations", "US"),
        (0x1022, "number_of_failed_suboperations", "US"),
        (0x1023, "number_of_warning_suboperations", "US"),
        (0x1030, "move_originator_ae_title", "AE"),
        (0x1031, "move_originator_message_id", "US"),
    )
)
"""PS3.7 Table E.1-1 without the group length; retired elements (Table E.2-1) are ignored."""

_ELEMENT: Final = struct.Struct("<HHL")
_SHORT: Final = struct.Struct("<HHLH")
_GROUP_LENGTH: Final = struct.Struct("<HHLL")
_BY_NUMBER: Final = {row.element: (row.field, row.vr) for row in COMMAND_ELEMENTS}
_ROWS: Final = tuple((row.element, row.field, row.vr) for row in COMMAND_ELEMENTS)
_COUNTERS: Final = range(0x1020, 0x1024)
_PADDING: Final = {"UI": b"\0", "AE": b" ", "LO": b" "}


def encode_command(command: CommandSet) -> bytes:
    """``command`` with its group length, elements in ascending order; counters end at 65535."""
    parts: list[bytes] = [b""]
    for element, field, vr in _ROWS:
        value = getattr(command, field)
        if value is None:
            continue
        if vr == "US":
            # A move of more objects than the two bytes of its counters can say is still a move.
            parts.append(_SHORT.pack(0, element, 2, value if value <= 0xFFFF or element not in _COUNTERS else 0xFFFF))
            continue
        if vr == "AT":
            data = b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)
        else:
            data = value.encode("latin-1", "replace")
            if len(data) & 1:
                data += _PADDING[vr]
        parts.append(_ELEMENT.pack(0, element, len(data)))
        parts.append(data)
    length = sum(map(len, parts))
    parts[0] = _GROUP_LENGTH.pack(0, 0, 4, length)
    return b"".join(parts)


def decode_command(data: bytes) -> CommandSet:
    """The command set in ``data``; ProtocolViolation when it is malformed or lacks its command field."""
    values: dict[str, Any] = {}
    position, size = 0, len(data)
    while position < size:
        if size - position < 8:
            raise ProtocolViolation("a command element is cut off")
        group, element, length = _ELEMENT.unpack_from(data, position)
        position += 8
        end = position + length
        if end > size:
            raise ProtocolViolation("a command element is outside its command set")
        # Some archives append elements of other groups, such as (0008,0058): not ours to reject.
        row = None if group else _BY_NUMBER.get(element)
        if row is not None:
            field, vr = row
            if vr == "UI":
                values[field] = data[position:end].rstrip(b"\0 ").decode("latin-1")
            elif length == 2 and vr == "US":
                values[field] = data[position] | data[position + 1] << 8
            elif length:
                values[field] = _decode_other(vr, data[position:end])
        position = end
    if "command_field" not in values:
        raise ProtocolViolation("a command set without its command field")
    return CommandSet(**values)


def _decode_other(vr: str, data: bytes) -> Any:
    if vr == "AT" and len(data) % 4 == 0:
        return tuple(group << 16 | element for group, element in struct.iter_unpack("<HH", data))
    if vr in ("AE", "LO"):
        return data.strip(b" \0").decode("latin-1")
    raise ProtocolViolation(f"a command element of VR {vr} has {len(data)} bytes")
