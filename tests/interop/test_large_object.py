"""A large multi-frame object passes through a node whose memory stays small.

RADFUSE_TEST_LARGE_MB sets its size; 2048 is the figure that the archive promises.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.wire import Association, FileSlice, Message, ProposedContext, scu
from tests.interop.client import (
    GET,
    MOVE,
    associate,
    encoded,
    forget_peak,
    identifier,
    peak_resident_bytes,
    peer_scp,
)
from tests.support.generate import MULTIFRAME_WORD_SC, base_instance
from tests.support.servers import RunningNode

pytestmark = pytest.mark.slow

SIZE_BYTES = int(os.environ.get("RADFUSE_TEST_LARGE_MB", "300")) << 20
LIMIT_BYTES = 256 << 20
FRAME_BYTES = 1 << 20
STUDY = "2.25.400"


class Digest:
    """A sink that counts and hashes."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.blake2b()

    def write(self, view: memoryview, /) -> None:
        self.size += len(view)
        self._hash.update(view)

    @property
    def value(self) -> tuple[int, str]:
        return self.size, self._hash.hexdigest()


class Keeper:
    """Takes one object and remembers only its digest."""

    def __init__(self) -> None:
        self.digest = Digest()

    def take(self, association: Association, _message: Message) -> int:
        association.receive_data_set(self.digest)
        return 0

    def __call__(self, association: Association, message: Message) -> None:
        association.send(message.context_id, message.command.response(self.take(association, message)))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data set as a sparse file: a header, and frames of zeros with a mark at the end of the last."""
    path = tmp_path_factory.mktemp("large") / "data-set"
    ds = base_instance(MULTIFRAME_WORD_SC, "OT", 1, 1)
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = STUDY, f"{STUDY}.1", f"{STUDY}.1.1"
    ds.Rows, ds.Columns, ds.NumberOfFrames = 1024, 512, SIZE_BYTES // FRAME_BYTES
    head = encoded(ds) + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, SIZE_BYTES)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + SIZE_BYTES)
        file.seek(-4, os.SEEK_END)
        file.write(b"MARK")
    yield path
    path.unlink()


def test_a_large_object_is_stored_moved_and_got_in_little_memory(node: RunningNode, large: Path) -> None:
    expected = Digest()
    with large.open("rb") as file:
        while chunk := file.read(1 << 20):
            expected.write(memoryview(chunk))
        forget_peak(node)
        store(node, FileSlice(file.fileno(), 0, expected.size))
    assert peak_resident_bytes(node) < LIMIT_BYTES
    wanted = encoded(identifier("STUDY", StudyInstanceUID=STUDY), IMPLICIT_LITTLE)

    forget_peak(node)
    moved = Keeper()
    with peer_scp(node, "KEEPER", moved), associate(node, [ProposedContext(MOVE, (IMPLICIT_LITTLE,))]) as association:
        *_, last = scu.move(association, scu.context_for(association, MOVE), "KEEPER", wanted)
    assert (last.status, moved.digest.value) == (0, expected.value)

    got = Keeper()
    contexts = [ProposedContext(GET, (IMPLICIT_LITTLE,)), ProposedContext(MULTIFRAME_WORD_SC, (EXPLICIT_LITTLE,))]
    with associate(node, contexts, roles={MULTIFRAME_WORD_SC: (False, True)}) as association:
        *_, last = scu.get(association, scu.context_for(association, GET), wanted, got.take)
    assert (last.status, got.digest.value) == (0, expected.value)
    peak = peak_resident_bytes(node)
    print(f"peak resident memory {peak >> 20} MiB")
    assert peak < LIMIT_BYTES


def store(node: RunningNode, data: FileSlice) -> None:
    with associate(node, [ProposedContext(MULTIFRAME_WORD_SC, (EXPLICIT_LITTLE,))]) as association:
        context_id = scu.context_for(association, MULTIFRAME_WORD_SC)
        assert scu.store(association, context_id, MULTIFRAME_WORD_SC, f"{STUDY}.1.1", data).status == 0


def test_a_move_of_a_large_object_is_cancelled_within_it(node: RunningNode, large: Path) -> None:
    with large.open("rb") as file:
        store(node, FileSlice(file.fileno(), 0, large.stat().st_size))
    begun: list[int] = []

    def stuck(association: Association, _message: Message) -> None:
        begun.append(1)
        association.receive_data_set(Digest())

    wanted = encoded(identifier("STUDY", StudyInstanceUID=STUDY), IMPLICIT_LITTLE)
    with peer_scp(node, "KEEPER", stuck), associate(node, [ProposedContext(MOVE, (IMPLICIT_LITTLE,))]) as association:
        context_id = scu.context_for(association, MOVE)
        responses = scu.move(association, context_id, "KEEPER", wanted, lambda: True)
        *_, last = responses
    assert last.status == 0xFE00
    assert last.command.number_of_remaining_suboperations == 1
