"""The volume is full while objects have to be transcoded for a peer: the job fails for now, and goes on with space."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from radfuse.core.errors import TransientFailure
from radfuse.core.transfer_syntaxes import IMPLICIT_LITTLE
from radfuse.dicom import Transcoder
from radfuse.jobs import ItemState
from radfuse.services.storage_scu import StorageScu
from tests.fakes.ledger import FakeLedger
from tests.faults.test_disk_full import Filler, filler, volume  # noqa: F401 - fixtures
from tests.services.storage_scenes import Accepts, Answers, outgoing, peer_at, route_to
from tests.support.generate import GeneratedSet
from tests.wire.scenes import Node


def test_no_room_to_transcode_is_a_failure_for_now_and_no_object_is_given_up(
    volume: Path,  # noqa: F811
    filler: Filler,  # noqa: F811
    generated_set: GeneratedSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(volume))
    ledger = FakeLedger()
    items = outgoing(generated_set.ct)
    filler.fill()
    with Node(Answers()) as node, Transcoder() as transcoder:
        node.policy = Accepts(IMPLICIT_LITTLE)  # type: ignore[assignment]
        scu = StorageScu(route_to(peer_at(node.address), transcoder), ledger)
        with pytest.raises(TransientFailure, match="No space is left to transcode an object: make room"):
            scu.send(items)
        assert ItemState.FAILED not in {state for _, state, _ in ledger.states()}
        filler.empty()
        scu.send(items)
    assert [state for _, state, _ in ledger.states()] == [ItemState.SENT] * 5
