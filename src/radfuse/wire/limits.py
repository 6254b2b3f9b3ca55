"""Every limit and deadline of one association, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one association may use; sizes in bytes, times in seconds.

    ``max_pdu_bytes`` is the maximum length that we announce (PS3.8 section D.1), and a P-DATA-TF
    PDU may exceed it by ``pdu_tolerance_bytes`` since peers miscount the headers.
    ``pdu_deadline_s`` is the waiting that a whole PDU may cost from its first byte on, ``idle_s``
    the waiting for the next PDU, ``response_s`` that for the response to our own request.
    ``artim_s`` bounds the wait for A-ASSOCIATE-RQ, ``close_wait_s`` the wait for the peer to close.
    """

    max_pdu_bytes: int = 131_072
    pdu_tolerance_bytes: int = 65_536
    send_pdu_bytes: int = 131_072
    association_pdu_bytes: int = 524_288
    command_set_bytes: int = 65_536
    identifier_bytes: int = 4_194_304
    empty_pdvs_in_a_row: int = 32
    receive_buffer_bytes: int = 262_144
    send_buffer_bytes: int = 1_048_576
    connect_s: float = 10.0
    artim_s: float = 30.0
    close_wait_s: float = 5.0
    pdu_deadline_s: float = 60.0
    idle_s: float = 300.0
    response_s: float = 60.0

    @property
    def tick_s(self) -> float:
        """How long one socket call may block: short against every deadline."""
        shortest = min(self.artim_s, self.close_wait_s, self.pdu_deadline_s, self.idle_s, self.response_s)
        return min(1.0, max(0.01, shortest / 5))
