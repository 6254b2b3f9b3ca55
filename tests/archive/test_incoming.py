"""One object on its way in: in memory while small, in a file when large, gone when nobody keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest
import xxhash

from radfuse.archive.blobs import SpaceGuard
from radfuse.archive.buffers import BufferPool
from radfuse.archive.incoming import Incoming, Origin, Seal
from radfuse.core.errors import ObjectTooLarge, OutOfSpace
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID
from radfuse.dicom import read_file_meta
from tests.archive.objects import CT_IMAGE, EXPLICIT, NO_RESERVE

ORIGIN = Origin(CT_IMAGE, "2.25.7.1", EXPLICIT, "SENDER")
MEMORY_BYTES = 4096
BUFFERS = BufferPool(MEMORY_BYTES)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spooled"


def incoming_at(spool: Path, *, limit_bytes: int = 1 << 20, space: SpaceGuard = NO_RESERVE) -> Incoming:
    return Incoming(ORIGIN, bytes(16), spool, BUFFERS, limit_bytes, space)


def test_a_small_object_stays_in_memory(spool: Path) -> None:
    with incoming_at(spool) as incoming:
        incoming.write(b"abc")
        incoming.write(memoryview(b"defg"))
        content = incoming.finish()
        assert not incoming.is_spooled
        assert not spool.exists()
        assert bytes(content[incoming.data_start :]) == b"abcdefg" == bytes(incoming.content())[-7:]
        assert incoming.size_bytes == 7


@pytest.mark.parametrize("pieces", [[b"x" * 10_000], [b"x" * 1000] * 10, [b"x" * 3000, b"", b"x" * 7000]])
def test_a_large_object_goes_to_a_file_with_the_same_bytes(pieces: list[bytes], spool: Path) -> None:
    data = b"".join(pieces)
    with incoming_at(spool) as incoming:
        for piece in pieces:
            incoming.write(piece)
        content = incoming.finish()
        assert incoming.is_spooled
        assert bytes(content[incoming.data_start :]) == data
        incoming.sync_spooled()
        assert incoming.hand_over_file() == spool
    assert spool.read_bytes()[incoming.data_start :] == data


@pytest.mark.parametrize("size", [10, 10_000])
def test_the_file_tells_what_it_is_and_is_sealed(size: int, spool: Path) -> None:
    data = bytes(range(10)) * (size // 10)
    with incoming_at(spool) as incoming:
        incoming.write(data)
        whole = bytes(incoming.finish())
        meta = read_file_meta(whole)
        assert (meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid) == (
            CT_IMAGE,
            "2.25.7.1",
            EXPLICIT,
        )
        assert meta.source_ae_title == "SENDER"
        assert meta.private_creator == IMPLEMENTATION_CLASS_UID
        assert meta.data_offset == incoming.data_start
        assert Seal.unpack(meta.private_information) == incoming.seal
        assert incoming.seal.digest == xxhash.xxh3_128_digest(data)


@pytest.mark.parametrize("size", [10, 10_000])
def test_an_object_that_nobody_keeps_leaves_nothing(size: int, spool: Path) -> None:
    with incoming_at(spool) as incoming:
        incoming.write(bytes(size))
        incoming.finish()
    assert not spool.exists()


def test_an_object_interrupted_while_it_is_spooled_leaves_nothing(spool: Path) -> None:
    with pytest.raises(KeyboardInterrupt), incoming_at(spool) as incoming:
        incoming.write(bytes(10_000))
        assert spool.exists()
        raise KeyboardInterrupt
    assert not spool.exists()


@pytest.mark.parametrize(("limit", "size"), [(100, 101), (100, 5000), (10_000, 10_001), (MEMORY_BYTES, 5000)])
def test_an_object_over_the_limit_is_refused_whether_small_or_large(limit: int, size: int, spool: Path) -> None:
    with incoming_at(spool, limit_bytes=limit) as incoming, pytest.raises(ObjectTooLarge) as refused:
        for _ in range(size):
            incoming.write(b"x")
    assert refused.value.limit_bytes == limit
    assert not spool.exists()


@pytest.mark.parametrize("size", [100, 5000, 10_000])
def test_an_object_of_exactly_the_limit_is_taken(size: int, spool: Path) -> None:
    with incoming_at(spool, limit_bytes=size) as incoming:
        incoming.write(bytes(size))
        incoming.finish()
        assert incoming.size_bytes == size


def test_spooling_does_not_begin_when_the_reserve_would_be_used(spool: Path) -> None:
    with incoming_at(spool, space=SpaceGuard(1 << 62, 1.0)) as incoming:
        incoming.write(b"small")
        with pytest.raises(OutOfSpace):
            incoming.write(bytes(10_000))
    assert not spool.exists()


@pytest.mark.parametrize("data", [b"", bytes(23), bytes(25)])
def test_what_is_not_a_seal_is_said_not_to_be_one(data: bytes) -> None:
    with pytest.raises(ValueError, match="seal"):
        Seal.unpack(data)
