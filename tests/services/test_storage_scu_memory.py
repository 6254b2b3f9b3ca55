"""Sending an object takes little memory, whatever the size of the object.

RADFUSE_TEST_LARGE_MB sets its size.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from radfuse.wire import Association, Message
from tests.services.storage_scenes import Accepts
from tests.support.generate import GeneratedSet
from tests.support.servers import environment
from tests.wire.scenes import Node

pytestmark = pytest.mark.slow

SIZE_BYTES = int(os.environ.get("RADFUSE_TEST_LARGE_MB", "600")) << 20
LIMIT_BYTES = 64 << 20

SENDER = """
import sys
from pathlib import Path

import xxhash

from radfuse.archive import Archive, ArchiveSettings, StoredObject
from radfuse.core.aetitle import AETitle
from radfuse.dicom import Transcoder
from radfuse.jobs import ItemState
from radfuse.services.associating import Caller
from radfuse.services.context_lists import DBX
from radfuse.services.peers import Peer
from radfuse.services.send import file_object
from radfuse.services.storage_scu import Outgoing, Route, StorageScu
from radfuse.wire import Limits


class Ledger:
    results = []

    def record(self, item_number, state, status=None, comment=""):
        self.results.append(state)

    def should_stop(self):
        return False


def peak_bytes():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def stored(archive, path):
    # As if it had been received: its file in the store, its digest known.
    found = file_object(path)
    blob_id = archive.store.new_id()
    place = Path(archive.store.path(blob_id))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.hardlink_to(path)
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        file.seek(found.data_offset)
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    size = path.stat().st_size - found.data_offset
    return StoredObject(
        found.sop_class_uid, found.sop_instance_uid, found.transfer_syntax_uid, blob_id, size, digest.digest()
    )


small, large, folder, port = sys.argv[1:]
ledger = Ledger()
with Archive(ArchiveSettings(Path(folder))) as archive, Transcoder() as transcoder:
    peer = Peer("pacs", AETitle("PACS"), "127.0.0.1", int(port))
    scu = StorageScu(Route(peer, Caller("US", Limits()), DBX, transcoder), ledger, archive)
    big = [file_object(Path(large)), stored(archive, Path(large))]
    scu.send([Outgoing(1, file_object(Path(small)))])
    idle = peak_bytes()
    scu.send([Outgoing(number, item) for number, item in enumerate(big, 2)])
    grown = peak_bytes() - idle
assert ledger.results == [ItemState.SENT] * 3, ledger.results
print(grown)
"""


def test_sending_a_large_object_takes_less_than_64_mb(generated_set: GeneratedSet, tmp_path: Path) -> None:
    large = tmp_path / "large.dcm"
    large.write_bytes(generated_set.multiframe.read_bytes())
    with large.open("r+b") as file:
        file.truncate(SIZE_BYTES)
    received: list[int] = []

    def count(association: Association, message: Message) -> None:
        received.append(association.receive_data_set(_Nowhere()))
        association.send(message.context_id, message.command.response(0))

    (tmp_path / "archive").mkdir()
    with Node(count) as node:
        node.policy = Accepts()  # type: ignore[assignment]
        arguments = [generated_set.multiframe, large, tmp_path / "archive", node.address[1]]
        answer = subprocess.run(
            [sys.executable, "-c", SENDER, *map(str, arguments)],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    assert answer.returncode == 0, answer.stderr
    assert received[1] == received[2] > SIZE_BYTES - 1000
    assert int(answer.stdout) < LIMIT_BYTES


class _Nowhere:
    def write(self, view: memoryview, /) -> None:
        """Forget."""
