"""Just enough of PS3.7 and PS3.8 on raw bytes to measure with: no checks, no options, nothing of Radfuse.

The measuring side must be the same for all contestants and faster than any of them, so it is
neither Radfuse's own code nor a peer's.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
IMPLEMENTATION_UID = "2.25.163042198170443171871735870157303712013"
ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
NO_DATA_SET = 0x0101
PENDING = (0xFF00, 0xFF01)
_PDU = struct.Struct(">BxI")
_PDV = struct.Struct(">IBB")
_ELEMENT = struct.Struct("<HHI")

# Command set elements (PS3.7 E.1), by element number in group 0000.
AFFECTED_SOP_CLASS, COMMAND_FIELD, MESSAGE_ID, RESPONDED_ID = 0x0002, 0x0100, 0x0110, 0x0120
PRIORITY, DATA_SET_TYPE, STATUS, AFFECTED_SOP_INSTANCE = 0x0700, 0x0800, 0x0900, 0x1000
MOVE_DESTINATION, COMPLETED, FAILED = 0x0600, 0x1021, 0x1022
C_STORE_RQ, C_STORE_RSP, C_GET_RQ, C_FIND_RQ, C_ECHO_RQ = 0x0001, 0x8001, 0x0010, 0x0020, 0x0030


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message: its context, its command set and, if it was wanted, its data set."""

    context_id: int
    command: Mapping[int, bytes]
    data_set: bytes

    def number(self, element: int) -> int:
        """An US value of the command set; 0 when it is not there."""
        return int.from_bytes(self.command.get(element, b"\0\0")[:2], "little")


def pdu(kind: int, body: bytes) -> bytes:
    """A PDU with its header (PS3.8 9.3)."""
    return _PDU.pack(kind, len(body)) + body


def item(kind: int, body: bytes) -> bytes:
    """An item or sub-item of an association PDU."""
    return struct.pack(">BxH", kind, len(body)) + body


def items(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The items of an association PDU, one level."""
    position = 0
    while position + 4 <= len(body):
        kind, length = struct.unpack_from(">BxH", body, position)
        yield kind, body[position + 4 : position + 4 + length]
        position += 4 + length


def titles(called: str, calling: str) -> bytes:
    """The fixed head of an association request: version, called and calling AE title."""
    return struct.pack(">H2x16s16s32x", 1, called.ljust(16).encode(), calling.ljust(16).encode())


def user_information(max_pdu_bytes: int, *more: bytes) -> bytes:
    """Maximum length, implementation class UID and what else is given (PS3.8 D.3.3)."""
    return item(
        0x50, item(0x51, struct.pack(">I", max_pdu_bytes)) + item(0x52, IMPLEMENTATION_UID.encode()) + b"".join(more)
    )


def padded(value: str) -> bytes:
    """Text with its even length; UIDs are padded by NUL by the caller's choice of value."""
    raw = value.encode("latin-1")
    return raw + b"\0" * (len(raw) % 2) if value[:2] in ("1.", "2.", "0.") else raw + b" " * (len(raw) % 2)


def command_set(values: Mapping[int, int | str | bytes]) -> bytes:
    """A command set in Implicit VR Little Endian with its group length; integers are US."""
    body = b""
    for element in sorted(values):
        value = values[element]
        raw = struct.pack("<H", value) if isinstance(value, int) else value
        raw = padded(raw) if isinstance(raw, str) else raw
        body += _ELEMENT.pack(0, element, len(raw)) + raw
    return _ELEMENT.pack(0, 0, 4) + struct.pack("<I", len(body)) + body


def identifier(values: Mapping[int, str]) -> bytes:
    """A flat identifier in Implicit VR Little Endian; keys are whole tags."""
    body = b""
    for tag in sorted(values):
        raw = padded(values[tag])
        body += _ELEMENT.pack(tag >> 16, tag & 0xFFFF, len(raw)) + raw
    return body


def parse_command(raw: bytes) -> dict[int, bytes]:
    """The elements of a command set by element number."""
    found: dict[int, bytes] = {}
    position = 0
    while position + 8 <= len(raw):
        _, element, length = _ELEMENT.unpack_from(raw, position)
        found[element] = raw[position + 8 : position + 8 + length]
        position += 8 + length
    return found


def message(context_id: int, command: bytes, data_set: bytes = b"") -> bytes:
    """A message as one PDU for its command and one for its data set, both small."""
    whole = pdu(P_DATA, _PDV.pack(len(command) + 2, context_id, 3) + command)
    if data_set:
        whole += pdu(P_DATA, _PDV.pack(len(data_set) + 2, context_id, 2) + data_set)
    return whole


def store_answer(request: Message) -> bytes:
    """Success for a C-STORE request (PS3.7 9.3.1.2)."""
    values: dict[int, int | str | bytes] = {
        AFFECTED_SOP_CLASS: request.command.get(AFFECTED_SOP_CLASS, b""),
        COMMAND_FIELD: C_STORE_RSP,
        RESPONDED_ID: request.number(MESSAGE_ID),
        DATA_SET_TYPE: NO_DATA_SET,
        STATUS: 0,
        AFFECTED_SOP_INSTANCE: request.command.get(AFFECTED_SOP_INSTANCE, b""),
    }
    return message(request.context_id, command_set(values))


class Stream:
    """PDUs and messages from a socket through one buffer; data sets are skipped unless wanted."""

    def __init__(self, connection: socket.socket, capacity_bytes: int = 1 << 20) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self._buffer = bytearray(capacity_bytes)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0

    def pdu(self) -> tuple[int, memoryview]:
        """The next PDU; its body is valid until the next call. Raises EOFError when the peer closed."""
        while True:
            have = self._end - self._start
            if have >= 6:
                kind, length = _PDU.unpack_from(self._buffer, self._start)
                if have >= 6 + length:
                    body = self._view[self._start + 6 : self._start + 6 + length]
                    self._start += 6 + length
                    return kind, body
            self._fill(have)

    def _fill(self, have: int) -> None:
        if self._start:
            self._view[:have] = self._view[self._start : self._end]
            self._start, self._end = 0, have
        received = self.socket.recv_into(self._view[have:])
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not received:
            raise EOFError("the peer closed the connection")
        self._end += received

    def messages(self, keep_data: bool) -> Iterator[Message]:
        """Whole messages until release (answered), abort or close."""
        command: dict[int, bytes] = {}
        parts: list[bytes] = []
        while True:
            kind, body = self.pdu()
            if kind != P_DATA:
                self._farewell(kind)
                return
            for context_id, flags, fragment in _fragments(body):
                if flags & 1 or keep_data:
                    parts.append(bytes(fragment))
                if not flags & 2:
                    continue
                if flags & 1:
                    command, parts = parse_command(b"".join(parts)), []
                    if int.from_bytes(command[DATA_SET_TYPE], "little") != NO_DATA_SET:
                        continue
                yield Message(context_id, command, b"".join(parts))
                parts = []

    def _farewell(self, kind: int) -> None:
        if kind == RELEASE_RQ:
            self.socket.sendall(pdu(RELEASE_RP, bytes(4)))


def _fragments(body: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    position = 0
    while position < len(body):
        length, context_id, flags = _PDV.unpack_from(body, position)
        yield context_id, flags, body[position + 6 : position + 4 + length]
        position += 4 + length
