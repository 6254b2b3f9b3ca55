"""pynetdicom's SCUs and SCP against the running node."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt

from radfuse.services.peers import Peer
from tests.interop.client import PATIENT_ROOT, STUDY_ROOT, VERIFICATION, as_sent, configured_peer, store_all
from tests.support.generate import CT_IMAGE, PATIENT_ID, STUDY_UID, GeneratedSet, base_instance
from tests.support.servers import RunningNode

pytestmark = pytest.mark.peers

FIND_PATIENT = PATIENT_ROOT[0]
FIND, MOVE, GET = STUDY_ROOT
CT_SERIES_UID = "2.25.7100.1"


@pytest.fixture(autouse=True, scope="module")
def _stored(node: RunningNode, generated_set: GeneratedSet) -> None:
    assert set(store_all(node, [as_sent(path) for path in generated_set.files])) == {0}


@contextlib.contextmanager
def associated(node: RunningNode, *classes: str, **how: Any) -> Iterator[Any]:
    ae = AE("PYNETDICOM")
    for uid in classes:
        ae.add_requested_context(uid)
    association = ae.associate("127.0.0.1", node.port, ae_title=node.ae_title, **how)
    assert association.is_established
    try:
        yield association
    finally:
        association.release()


def ct_series() -> Dataset:
    ds = Dataset()
    ds.QueryRetrieveLevel = "SERIES"
    ds.StudyInstanceUID = STUDY_UID
    ds.SeriesInstanceUID = CT_SERIES_UID
    return ds


def test_echo(node: RunningNode) -> None:
    with associated(node, VERIFICATION) as association:
        assert association.send_c_echo().Status == 0


def test_store(node: RunningNode) -> None:
    ds = base_instance(CT_IMAGE, "CT", 8, 1)
    ds.StudyInstanceUID, ds.PatientID = "2.25.81", "OTHER"
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    with associated(node, CT_IMAGE) as association:
        assert association.send_c_store(ds).Status == 0


def test_an_async_window_is_answered_with_one_operation_at_a_time(node: RunningNode) -> None:
    from pynetdicom.pdu_primitives import AsynchronousOperationsWindowNegotiation

    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked = 5
    window.maximum_number_operations_performed = 5
    with associated(node, VERIFICATION, ext_neg=[window]) as association:
        assert association.acceptor.asynchronous_operations in ((1, 1), None)
        assert association.send_c_echo().Status == 0


@pytest.mark.parametrize("model", [FIND, FIND_PATIENT])
def test_find(node: RunningNode, model: str) -> None:
    wanted = Dataset()
    wanted.QueryRetrieveLevel = "STUDY"
    wanted.PatientID = PATIENT_ID
    wanted.StudyInstanceUID = ""
    wanted.ModalitiesInStudy = ""
    wanted.NumberOfStudyRelatedInstances = ""
    with associated(node, model) as association:
        answers = list(association.send_c_find(wanted, model))
    assert [status.Status for status, _ in answers] == [0xFF00, 0x0000]
    found = answers[0][1]
    assert found.StudyInstanceUID == STUDY_UID
    assert found.NumberOfStudyRelatedInstances == 19
    assert set(found.ModalitiesInStudy) == {"CT", "PT", "MR", "OT", "SR", "RTSTRUCT"}
    assert found.RetrieveAETitle == node.ae_title


def test_find_answers_a_key_that_only_the_header_has(node: RunningNode) -> None:
    wanted = ct_series()
    wanted.Manufacturer = "Radfuse*"
    wanted.PatientPosition = ""
    with associated(node, FIND) as association:
        answers = list(association.send_c_find(wanted, FIND))
    assert [status.Status for status, _ in answers] == [0xFF00, 0x0000]
    assert (answers[0][1].Manufacturer, answers[0][1].PatientPosition) == ("Radfuse tests", "HFS")


def test_move(node: RunningNode) -> None:
    received: list[Dataset] = []

    def keep(event: Any) -> int:
        received.append(event.dataset)
        return 0

    scp = AE("PYNETSCP")
    scp.add_supported_context(CT_IMAGE)
    server: Any = scp.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    port = server.server_address[1]
    with (
        contextlib.closing(_Closing(server)),
        configured_peer(node, Peer.parse(f"PYNETSCP@127.0.0.1:{port}")),
        associated(node, MOVE) as association,
    ):
        responses = [status for status, _ in association.send_c_move(ct_series(), "PYNETSCP", MOVE)]
    assert responses[-1].Status == 0
    assert responses[-1].NumberOfCompletedSuboperations == 5
    assert all(status.Status == 0xFF00 for status in responses[:-1])
    assert sorted(ds.InstanceNumber for ds in received) == [1, 2, 3, 4, 5]


class _Closing:
    def __init__(self, server: Any) -> None:
        self._server = server

    def close(self) -> None:
        self._server.shutdown()


def test_get(node: RunningNode) -> None:
    received: list[Dataset] = []

    def keep(event: Any) -> int:
        received.append(event.dataset)
        return 0

    role = build_role(CT_IMAGE, scp_role=True)
    handlers = [(evt.EVT_C_STORE, keep)]
    with associated(node, GET, CT_IMAGE, ext_neg=[role], evt_handlers=handlers) as association:
        responses = [status for status, _ in association.send_c_get(ct_series(), GET)]
    assert responses[-1].Status == 0
    assert responses[-1].NumberOfCompletedSuboperations == 5
    assert sorted(ds.InstanceNumber for ds in received) == [1, 2, 3, 4, 5]


def test_get_cancelled_by_pynetdicom_within_a_sub_operation(node: RunningNode) -> None:
    """pynetdicom sends C-CANCEL from its handler, so before it answers the sub-operation."""
    received = threading.Event()

    def cancel(event: Any) -> int:
        if not received.is_set():
            received.set()
            event.assoc.send_c_cancel(1, query_model=GET)
        return 0

    role = build_role(CT_IMAGE, scp_role=True)
    handlers = [(evt.EVT_C_STORE, cancel)]
    with associated(node, GET, CT_IMAGE, ext_neg=[role], evt_handlers=handlers) as association:
        responses = [status for status, _ in association.send_c_get(ct_series(), GET)]
        assert responses[-1].Status == 0xFE00
        assert responses[-1].NumberOfCompletedSuboperations == 1
        assert responses[-1].NumberOfRemainingSuboperations == 4
