"""Deflated data sets: inflated, bounded, and refused when the stream is no whole stream."""

from __future__ import annotations

import contextlib
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radfuse.core.errors import DataSetError, InflatedTooLarge, MalformedDataSet
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE
from radfuse.dicom.elements import ScanLimits
from radfuse.dicom.header import scan_header
from radfuse.dicom.inflate import inflated
from tests.dicom.encoded import element, part

MEBIBYTE = 1024 * 1024


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


def bomb(mebibytes: int) -> bytes:
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    name = element(0x00100010, "PN", b"A^") + element(0x7FE00010, "OW", b"", length=mebibytes * MEBIBYTE)
    start = deflater.compress(name) + deflater.flush(zlib.Z_FULL_FLUSH)
    zeros = deflater.compress(bytes(MEBIBYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return start + zeros * mebibytes + deflater.flush()


NAME = element(0x00100010, "PN", b"A^")


def test_a_deflated_data_set_is_scanned() -> None:
    assert scan_header(deflated(NAME), DEFLATED_LITTLE).text(0x00100010) == "A^"
    assert scan_header(b"12345" + deflated(NAME), DEFLATED_LITTLE, start=5).text(0x00100010) == "A^"


def test_pixels_may_run_past_the_kept_prefix() -> None:
    limits = ScanLimits(inflated_kept_bytes=100)
    data = NAME + element(0x7FE00010, "OW", bytes(1000))
    assert scan_header(deflated(data), DEFLATED_LITTLE, limits=limits).text(0x00100010) == "A^"
    # What lies behind is not seen, but nothing may be longer than the whole.
    scan_header(deflated(data + element(0xFFFCFFFC, "OB", bytes(8))), DEFLATED_LITTLE, limits=limits)
    with pytest.raises(MalformedDataSet):
        scan_header(deflated(data[:-1]), DEFLATED_LITTLE, limits=limits)


def test_a_wanted_value_that_is_cut_by_the_kept_prefix_is_left_out() -> None:
    limits = ScanLimits(inflated_kept_bytes=100)
    data = NAME + element(0x00100020, "LO", b"1" * 200)
    assert scan_header(deflated(data), DEFLATED_LITTLE, limits=limits).raw.keys() == {0x00100010}


def test_a_header_or_an_item_that_is_cut_by_the_kept_prefix_ends_the_scan() -> None:
    tail = element(0x00081140, "SQ", part(0xFFFEE000, 300, element(0x00100020, "LO", b"1" * 292))) + NAME
    for kept in range(1, 60):
        scan_header(deflated(tail), DEFLATED_LITTLE, limits=ScanLimits(inflated_kept_bytes=kept))


def test_one_pad_byte_may_follow_the_stream_and_nothing_else() -> None:
    stream = deflated(NAME)
    scan_header(stream + b"\0", DEFLATED_LITTLE)
    for trailing in (b"\1", b"\0\0", stream, b"12345678", bytes(70_000)):
        with pytest.raises(MalformedDataSet, match="follow"):
            scan_header(stream + trailing, DEFLATED_LITTLE)


def test_the_trailer_of_a_gzip_file_may_follow_the_stream() -> None:
    trailer = zlib.crc32(NAME).to_bytes(4, "little") + len(NAME).to_bytes(4, "little")
    assert scan_header(deflated(NAME) + trailer, DEFLATED_LITTLE).text(0x00100010) == "A^"


def test_a_stream_that_is_cut_or_broken_is_malformed() -> None:
    stream = deflated(NAME + bytes(5000))
    for end in range(len(stream)):
        with pytest.raises(MalformedDataSet):
            inflated(stream[:end], 0, ScanLimits())
    with pytest.raises(MalformedDataSet, match="broken"):
        scan_header(b"\xff" * 20, DEFLATED_LITTLE)


def test_a_bomb_is_refused_at_the_limit_in_bounded_memory() -> None:
    data = bomb(1100)
    assert len(data) < 2 * MEBIBYTE
    tracemalloc.start()
    try:
        with pytest.raises(InflatedTooLarge) as caught:
            scan_header(data, DEFLATED_LITTLE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.limit_bytes == 512 * MEBIBYTE
    assert peak < 64 * MEBIBYTE


def test_beyond_the_kept_prefix_the_data_set_is_counted_and_not_held() -> None:
    data = bomb(200)
    tracemalloc.start()
    try:
        header = scan_header(data, DEFLATED_LITTLE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert header.text(0x00100010) == "A^"
    assert peak < 64 * MEBIBYTE


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300), place=st.integers(0, 300), byte=st.integers(0, 255))
def test_a_mutated_stream_raises_nothing_but_a_data_set_error(data: bytes, place: int, byte: int) -> None:
    stream = bytearray(deflated(NAME + data))
    stream[place % len(stream)] = byte
    for candidate in (bytes(stream), data):
        with contextlib.suppress(DataSetError):
            scan_header(candidate, DEFLATED_LITTLE)
