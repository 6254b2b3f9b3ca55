"""Bytes into PDUs and fragments, however they are cut; limits that hold against every length."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radfuse.core.errors import ProtocolViolation
from radfuse.wire.framing import Fragment, PduReader, WholePdu
from radfuse.wire.limits import Limits
from radfuse.wire.pdu import Abort, DataTF, Pdu, PresentationDataValue, encode
from tests.wire.scenes import associate_rq, data_tf

SMALL = Limits(max_pdu_bytes=4096, pdu_tolerance_bytes=0, receive_buffer_bytes=64, association_pdu_bytes=2048)


def _values(reader: PduReader, data: bytes, cuts: list[int]) -> list[object]:
    """Everything the reader makes of ``data`` that comes in pieces of the sizes in ``cuts``."""
    found: list[object] = []
    position = 0
    collected = b""
    while position < len(data):
        space = reader.space()
        size = min(cuts[len(found) % len(cuts)], len(space), len(data) - position)
        space[:size] = data[position : position + size]
        reader.received(size)
        position += size
        while (piece := reader.next()) is not None:
            if isinstance(piece, WholePdu):
                found.append(piece)
            else:
                collected += bytes(piece.view)
                if piece.ends_pdv:
                    found.append((piece.context_id, piece.control, collected))
                    collected = b""
    return found


values = st.builds(
    PresentationDataValue, st.integers(0, 255), st.booleans(), st.booleans(), st.binary(min_size=1, max_size=200)
)
streams = st.lists(
    st.one_of(
        st.lists(values, min_size=1, max_size=4).map(lambda items: DataTF(tuple(items))),
        st.just(associate_rq()),
        st.just(Abort(0, 0)),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=100)
@given(streams, st.lists(st.integers(1, 100), min_size=1, max_size=20))
def test_a_stream_means_the_same_however_it_is_cut(pdus: list[Pdu], cuts: list[int]) -> None:
    expected: list[object] = []
    for pdu in pdus:
        encoded = encode(pdu)
        if isinstance(pdu, DataTF):
            expected += [(v.context_id, v.is_command | v.is_last << 1, v.data) for v in pdu.values]
        else:
            expected.append(WholePdu(encoded[0], encoded[6:]))
    reader = PduReader(SMALL)
    assert _values(reader, b"".join(map(encode, pdus)), cuts) == expected
    assert reader.completed_pdus == len(pdus)
    assert not reader.is_inside_pdu


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=500), st.lists(st.integers(1, 64), min_size=1, max_size=5))
def test_any_bytes_are_pieces_or_a_protocol_violation(data: bytes, cuts: list[int]) -> None:
    try:
        _values(PduReader(SMALL), data, cuts)
    except ProtocolViolation as violation:
        assert violation.abort_reason in (1, 6)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack(">BxL", 1, 0xFFFFFFFF),
        struct.pack(">BxL", 2, 2049),
        struct.pack(">BxL", 4, 0xFFFFFFFF),
        struct.pack(">BxL", 4, 4097),
        struct.pack(">BxL", 4, 0),
        struct.pack(">BxL", 4, 5),
        struct.pack(">BxL", 3, 5),
        struct.pack(">BxL", 5, 0),
        struct.pack(">BxL", 6, 0xFFFFFFFF),
        struct.pack(">BxL", 7, 3),
        struct.pack(">BxL", 0, 4),
        struct.pack(">BxL", 8, 4),
        b"GET / HTTP/1.1\r\n",
        bytes.fromhex("16030100a5010000a10303"),
        struct.pack(">BxLLBB", 4, 10, 1, 1, 0),
        struct.pack(">BxLLBB", 4, 10, 7, 1, 0),
        struct.pack(">BxLLBB", 4, 10, 0xFFFFFFFF, 1, 0),
        struct.pack(">BxLLBB3x", 4, 9, 2, 1, 0),
    ],
)
def test_a_length_or_type_that_cannot_be_is_refused_at_its_header(header: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        _values(PduReader(SMALL), header, [64])


def test_fragments_come_before_their_pdu_is_complete() -> None:
    reader = PduReader(SMALL)
    data = data_tf(1, 2, b"x" * 1000)[:30]
    reader.space()[:30] = data
    reader.received(30)
    piece = reader.next()
    assert isinstance(piece, Fragment)
    assert (bytes(piece.view), piece.ends_pdv) == (b"x" * 18, False)
    assert reader.is_inside_pdu


def test_empty_pdvs_are_taken_only_so_often_in_a_row() -> None:
    limits = Limits(empty_pdvs_in_a_row=3)
    empty, full = data_tf(1, 0, b""), data_tf(1, 0, b"x")
    assert len(_values(PduReader(limits), (empty * 3 + full) * 5, [1000])) == 20
    with pytest.raises(ProtocolViolation):
        _values(PduReader(limits), empty * 4, [1000])


def test_a_discarded_reader_has_forgotten_where_it_was() -> None:
    reader = PduReader(SMALL)
    reader.space()[:10] = data_tf(1, 2, b"x" * 100)[:10]
    reader.received(10)
    assert reader.next() is None
    reader.discard()
    assert not reader.is_inside_pdu
    assert reader.next() is None
