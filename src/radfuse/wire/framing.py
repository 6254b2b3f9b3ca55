"""Received bytes cut into PDUs, and P-DATA-TF on the fly into fragments of PDVs (PS3.8 section 9.3.1)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from radfuse.core.errors import ProtocolViolation
from radfuse.wire.items import INVALID_PARAMETER
from radfuse.wire.limits import Limits
from radfuse.wire.pdu import HEADER_BYTES, SHORT_BODY_BYTES, UNRECOGNIZED_PDU, PduType

COMMAND: Final = 1
"""Message control header bit 0: command, not data set (PS3.8 section E.2)."""

LAST: Final = 2
"""Message control header bit 1: last fragment (PS3.8 section E.2)."""

_TLS_RECORDS: Final = {
    0x15: "it answered in TLS: this is its TLS port",
    0x16: "a TLS client came to the plain port",
}
"""Alert and handshake (RFC 8446 section 5.1), by the type that they would be as a PDU."""

_PDU_HEADER: Final = struct.Struct(">BxL").unpack_from
_PDV_HEADER: Final = struct.Struct(">LBB").unpack_from


class Fragment(NamedTuple):
    """Bytes of a PDV as they came; ``view`` is valid until the next read.

    ``control`` is the message control header; its LAST bit counts once ``ends_pdv`` is true.
    """

    context_id: int
    control: int
    view: memoryview
    ends_pdv: bool


class WholePdu(NamedTuple):
    """Any PDU but P-DATA-TF, with its variable field."""

    pdu_type: int
    body: bytes


class PduReader:
    """Incremental reader over one reused buffer.

    Its memory is the buffer and one PDU that is not P-DATA-TF, both bounded by the limits, whatever
    the peer sends.
    """

    __slots__ = (
        "_body",
        "_body_type",
        "_buffer",
        "_context_id",
        "_control",
        "_empty_pdvs",
        "_end",
        "_limits",
        "_missing",
        "_pdu_left",
        "_pdv_left",
        "_start",
        "_view",
        "completed_pdus",
        "has_received",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray(limits.receive_buffer_bytes)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._pdu_left = self._pdv_left = 0
        self._context_id = self._control = 0
        self._empty_pdvs = 0
        self._body: bytearray | None = None
        self._body_type = self._missing = 0
        self.completed_pdus = 0
        self.has_received = False

    @property
    def is_inside_pdu(self) -> bool:
        """Whether the first bytes of a PDU are here and its last are not."""
        return self._pdu_left > 0 or self._body is not None or self._start < self._end

    def space(self) -> memoryview:
        """Where to put the next received bytes; every fragment handed out before becomes invalid."""
        start, end = self._start, self._end
        if start == end:
            self._start = self._end = 0
            return self._view
        if start:
            # Only a cut-off header can remain: next() takes everything else.
            self._view[: end - start] = self._view[start:end]
            self._start, self._end = 0, end - start
        return self._view[self._end :]

    def received(self, count: int) -> None:
        """``count`` bytes were put into space()."""
        self._end += count
        self.has_received = True

    def discard(self) -> None:
        """Forget everything, also the position in the current PDU."""
        self._start = self._end = self._pdu_left = self._pdv_left = 0
        self._body = None

    def next(self) -> Fragment | WholePdu | None:
        """The next fragment or PDU, None when more bytes are needed.

        Raises ProtocolViolation for lengths that cannot be and for those beyond the limits.
        """
        if self._pdu_left:
            return self._next_fragment()
        if self._body is not None:
            return self._grow_body(self._body)
        if self._end - self._start < HEADER_BYTES:
            return None
        pdu_type, length = _PDU_HEADER(self._buffer, self._start)
        self._start += HEADER_BYTES
        if pdu_type == PduType.DATA_TF:
            self._open_data_pdu(length)
            return self._next_fragment()
        self._open_whole_pdu(pdu_type, length)
        return self._grow_body(bytearray())

    def _open_data_pdu(self, length: int) -> None:
        limits = self._limits
        if length > limits.max_pdu_bytes + limits.pdu_tolerance_bytes:
            raise ProtocolViolation("a P-DATA-TF PDU is longer than announced", INVALID_PARAMETER)
        if length < HEADER_BYTES:
            raise ProtocolViolation("a P-DATA-TF PDU without a PDV", INVALID_PARAMETER)
        self._pdu_left = length

    def _open_whole_pdu(self, pdu_type: int, length: int) -> None:
        if pdu_type in (PduType.ASSOCIATE_RQ, PduType.ASSOCIATE_AC):
            if length > self._limits.association_pdu_bytes:
                raise ProtocolViolation("an A-ASSOCIATE PDU is too long", INVALID_PARAMETER)
        elif PduType.ASSOCIATE_RJ <= pdu_type <= PduType.ABORT:
            if length != SHORT_BODY_BYTES:
                raise ProtocolViolation("a PDU of fixed length has another length", INVALID_PARAMETER)
        else:
            what = _TLS_RECORDS.get(pdu_type, f"PDU type {pdu_type:02X}H does not exist")
            raise ProtocolViolation(what, UNRECOGNIZED_PDU)
        self._body_type, self._missing = pdu_type, length

    def _grow_body(self, body: bytearray) -> WholePdu | None:
        taken = min(self._missing, self._end - self._start)
        body += self._view[self._start : self._start + taken]
        self._start += taken
        self._missing -= taken
        if self._missing:
            self._body = body
            return None
        self._body = None
        self.completed_pdus += 1
        return WholePdu(self._body_type, bytes(body))

    def _next_fragment(self) -> Fragment | None:
        left = self._pdv_left
        if not left:
            if self._end - self._start < HEADER_BYTES:
                if self._pdu_left < HEADER_BYTES:
                    raise ProtocolViolation("a PDV header does not fit its PDU", INVALID_PARAMETER)
                return None
            left = self._open_pdv()
        start = self._start
        size = self._end - start
        if size >= left:
            size = left
        elif not size:
            return None
        self._start = end = start + size
        self._pdv_left = left - size
        self._pdu_left -= size
        if not self._pdu_left:
            self.completed_pdus += 1
        return Fragment(self._context_id, self._control, self._view[start:end], size == left)

    def _open_pdv(self) -> int:
        """Take a PDV header; the number of its bytes of data."""
        length, self._context_id, self._control = _PDV_HEADER(self._buffer, self._start)
        if length < 2 or length > self._pdu_left - 4:
            raise ProtocolViolation("a PDV does not fit its PDU", INVALID_PARAMETER)
        self._start += HEADER_BYTES
        self._pdu_left -= HEADER_BYTES
        left: int = length - 2
        if left:
            self._empty_pdvs = 0
        else:
            self._empty_pdvs += 1
            if self._empty_pdvs > self._limits.empty_pdvs_in_a_row:
                raise ProtocolViolation("too many empty PDVs in a row", INVALID_PARAMETER)
        self._pdv_left = left
        return left
