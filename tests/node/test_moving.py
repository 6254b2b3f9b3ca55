"""C-MOVE to configured peers: who we are to them, and who gets nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pynetdicom import AE, evt

from radfuse.archive import InformationModel
from radfuse.core.aetitle import AETitle
from radfuse.core.errors import OperationFailed
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.dicom import Element, Identifier
from radfuse.services import query_peer
from radfuse.services.associating import Caller
from radfuse.services.peers import Peer
from radfuse.wire import ProposedContext
from tests.interop.client import sent_dataset, store
from tests.node.in_process import LIMITS, InProcess, node_in_process
from tests.support.generate import CT_IMAGE, STUDY_UID, base_instance

CALLER = Caller("TESTER", LIMITS)
STUDY = Identifier((Element.of("QueryRetrieveLevel", "STUDY"), Element.of("StudyInstanceUID", STUDY_UID)))


def filled(node: InProcess) -> Peer:
    """The node, after an object was stored there, as a peer of ours."""
    with node.associate([ProposedContext(CT_IMAGE, (EXPLICIT_LITTLE,))]) as association:
        assert store(association, sent_dataset(base_instance(CT_IMAGE, "CT", 1, 1))) == 0
    return Peer("node", AETitle("NODE"), *node.address)


def moved(asked: Peer, destination: str) -> query_peer.Progress:
    return list(query_peer.move(asked, CALLER, InformationModel.STUDY_ROOT, STUDY, destination))[-1]


def test_a_peer_that_gets_nothing_from_us_is_no_destination(tmp_path: Path) -> None:
    with node_in_process(tmp_path) as node:
        asked = filled(node)
        node.peers.add(replace(Peer.parse("SINK@127.0.0.1:104", "sink"), send=False))
        with pytest.raises(OperationFailed, match="the configuration does not allow to send to peer") as refused:
            moved(asked, "SINK")
    assert refused.value.status == 0x0124


@pytest.mark.peers
@pytest.mark.parametrize(("configured", "expected"), [("", "NODE"), ("SOMEBODY", "SOMEBODY")])
def test_a_destination_is_called_by_the_title_configured_for_it(tmp_path: Path, configured: str, expected: str) -> None:
    callers = []

    def keep(event: evt.Event) -> int:
        callers.append(event.assoc.requestor.ae_title)
        return 0x0000

    entity = AE("SINK")
    entity.add_supported_context(CT_IMAGE)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    assert server is not None
    try:
        with node_in_process(tmp_path) as node:
            asked = filled(node)
            sink = Peer("sink", AETitle("SINK"), "127.0.0.1", server.server_address[1])
            node.peers.add(replace(sink, calling_ae_title=configured))
            assert moved(asked, "SINK").is_complete
    finally:
        server.shutdown()
    assert callers == [expected]
