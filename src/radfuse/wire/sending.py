"""Messages cut into P-DATA-TF PDUs and sent, many PDUs in one system call (PS3.8 Annex E, PS3.7 section 6.3)."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from radfuse.core.errors import MalformedDataSet
from radfuse.wire.framing import COMMAND, LAST
from radfuse.wire.limits import Limits
from radfuse.wire.pdu import HEADER_BYTES, PduType
from radfuse.wire.transport import Buffer

PDUS_IN_A_BATCH: Final = 64

_PDU_AND_PDV_HEADER: Final = struct.Struct(">BxLLBB").pack


@dataclass(frozen=True, slots=True)
class FileSlice:
    """``length`` bytes of an open file from ``offset`` on: a data set to send unchanged."""

    fd: int
    offset: int
    length: int


DataSource = bytes | bytearray | memoryview | FileSlice
ShouldStop = Callable[[], bool]


class SendsBuffers(Protocol):
    """What a sender needs of a stream."""

    def send_buffers(self, buffers: list[Buffer]) -> None:
        """Send all; ConnectionLost or PeerTimeout."""


class Stopped(Exception):
    """``should_stop`` said so in the middle of a data set."""


class MessageSender:
    """Sends messages over one stream in PDUs that the peer accepts (``peer_max_pdu_bytes`` 0 is any)."""

    __slots__ = ("_batch_bytes", "_buffer", "_payload_bytes", "_stream")

    def __init__(self, stream: SendsBuffers, peer_max_pdu_bytes: int, limits: Limits) -> None:
        pdu_bytes = min(peer_max_pdu_bytes or limits.send_pdu_bytes, limits.send_pdu_bytes)
        self._stream = stream
        # PS3.8 section D.1: the maximum length counts PDV headers; fragments have an even length.
        self._payload_bytes = (pdu_bytes - HEADER_BYTES) & ~1
        pdus = max(1, min(PDUS_IN_A_BATCH, limits.send_buffer_bytes // self._payload_bytes))
        self._batch_bytes = pdus * self._payload_bytes
        self._buffer: bytearray | None = None

    def send(self, context_id: int, command: bytes, data: DataSource | None, should_stop: ShouldStop | None) -> None:
        """Send one message; the command leaves together with the first bytes of the data set.

        Raises ConnectionLost, PeerTimeout, Stopped, or MalformedDataSet or OSError for a file that
        cannot be read to its end; after them the message is incomplete.
        """
        if data is None and len(command) <= self._payload_bytes:
            header = _header(context_id, COMMAND | LAST, len(command))
            self._stream.send_buffers([header + command])
            return
        buffers = self._pdus(context_id, COMMAND, memoryview(command), True)
        for piece, is_end in _pieces(data, self._batch_bytes, self._file_buffer):
            if should_stop is not None and should_stop():
                raise Stopped
            buffers += self._pdus(context_id, 0, piece, is_end)
            self._stream.send_buffers(buffers)
            buffers = []
        if buffers:
            self._stream.send_buffers(buffers)

    def _pdus(self, context_id: int, control: int, piece: memoryview, is_end: bool) -> list[Buffer]:
        """Headers and views of the PDUs for ``piece``; the last is marked so when the message part ends."""
        size, payload = len(piece), self._payload_bytes
        buffers: list[Buffer] = []
        full = _header(context_id, control, payload)
        position = 0
        while size - position > payload:
            buffers.append(full)
            buffers.append(piece[position : position + payload])
            position += payload
        buffers.append(_header(context_id, control | LAST if is_end else control, size - position))
        buffers.append(piece[position:])
        return buffers

    def _file_buffer(self) -> memoryview:
        if self._buffer is None:
            self._buffer = bytearray(self._batch_bytes)
        return memoryview(self._buffer)


def _header(context_id: int, control: int, size: int) -> bytes:
    return _PDU_AND_PDV_HEADER(PduType.DATA_TF, size + HEADER_BYTES, size + 2, context_id, control)


def _pieces(
    data: DataSource | None, batch_bytes: int, file_buffer: Callable[[], memoryview]
) -> Iterator[tuple[memoryview, bool]]:
    """``data`` in pieces of a batch, each with whether it is the last; one empty piece for no bytes."""
    if data is None:
        return
    if isinstance(data, FileSlice):
        yield from _file_pieces(data, file_buffer())
        return
    view = memoryview(data).cast("B")
    position, size = 0, len(view)
    while size - position > batch_bytes:
        yield view[position : position + batch_bytes], False
        position += batch_bytes
    yield view[position:], True


def _file_pieces(data: FileSlice, buffer: memoryview) -> Iterator[tuple[memoryview, bool]]:
    position = 0
    while True:
        wanted = min(len(buffer), data.length - position)
        filled = 0
        while filled < wanted:
            count = os.preadv(data.fd, [buffer[filled:wanted]], data.offset + position + filled)
            if not count:
                raise MalformedDataSet("the file to send ends within its data set", position + filled)
            filled += count
        position += wanted
        yield buffer[:wanted], position == data.length
        if position == data.length:
            return
