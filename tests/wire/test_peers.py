"""Other implementations, in both directions."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.filewriter import dcmwrite
from pynetdicom import AE, build_role, evt

from radfuse.core.errors import AssociationRejected, ConnectionLost
from radfuse.wire import Association, FileSlice, Message, Operation, ProposedContext, request_association, scu, status
from tests.support.generate import GeneratedSet
from tests.wire.scenes import CONTEXTS, CT, EXPLICIT, FIND, GET, IMPLICIT, SHORT, VERIFICATION, Collected, Node, Store

pytestmark = pytest.mark.peers


def _ct_files(generated_set: GeneratedSet) -> list[Path]:
    found = []
    for path in generated_set.files:
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        if ds.SOPClassUID == CT and ds.file_meta.TransferSyntaxUID == EXPLICIT:
            found.append(path)
    assert found
    return found


def _data_set(path: Path) -> tuple[str, int, int]:
    """SOP Instance UID, offset of the data set, its length."""
    meta = pydicom.filereader.read_file_meta_info(path)
    offset = 128 + 4 + 12 + int(meta.FileMetaInformationGroupLength)
    return str(meta.MediaStorageSOPInstanceUID), offset, path.stat().st_size - offset


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def node(store: Store) -> Iterator[Node]:
    with Node(store) as node:
        yield node


@contextlib.contextmanager
def _started(command: list[str], port: int) -> Iterator[None]:
    """A peer that runs until it is no longer needed."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            with contextlib.suppress(ConnectionLost, AssociationRejected):
                with request_association(("127.0.0.1", port), "PEER", "TEST", CONTEXTS[:1], SHORT) as association:
                    scu.echo(association)
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


# --- DCMTK -----------------------------------------------------------------------------------


def test_dcmtk_echoscu_is_answered(node: Node, dcmtk: Callable[[str], str]) -> None:
    subprocess.run([dcmtk("echoscu"), "127.0.0.1", str(node.address[1])], check=True)


@pytest.mark.parametrize("max_pdu", ["4096", "16384", "131072"])
def test_dcmtk_storescu_stores_what_its_files_hold(
    node: Node, store: Store, dcmtk: Callable[[str], str], generated_set: GeneratedSet, max_pdu: str
) -> None:
    files = _ct_files(generated_set)
    command = [dcmtk("storescu"), "--propose-lossless", "--max-pdu", max_pdu, "127.0.0.1", str(node.address[1])]
    subprocess.run([*command, *map(str, files)], check=True)
    assert len(store.received) == len(files)
    assert {uid for uid, _ in store.received} == {_data_set(path)[0] for path in files}


def test_dcmtk_storescp_stores_what_we_send(
    tmp_path: Path, free_port: int, dcmtk: Callable[[str], str], generated_set: GeneratedSet
) -> None:
    contexts = [ProposedContext(CT, (EXPLICIT,))]
    command = [dcmtk("storescp"), "--bit-preserving", "--output-directory", str(tmp_path), str(free_port)]
    with (
        _started(command, free_port),
        request_association(("127.0.0.1", free_port), "PEER", "TEST", contexts, SHORT) as association,
    ):
        context_id = scu.context_for(association, CT)
        for path in _ct_files(generated_set):
            uid, offset, length = _data_set(path)
            with path.open("rb") as file:
                data = FileSlice(file.fileno(), offset, length)
                assert scu.store(association, context_id, CT, uid, data).status == status.SUCCESS
    by_uid = {_data_set(path)[0]: path for path in tmp_path.iterdir()}
    for path in _ct_files(generated_set):
        uid, offset, _ = _data_set(path)
        kept = by_uid[uid]
        assert kept.read_bytes()[_data_set(kept)[1] :] == path.read_bytes()[offset:]


def test_dcmtk_findscu_gets_its_matches_and_can_cancel(dcmtk: Callable[[str], str]) -> None:
    cancelled: list[int] = []

    def handle(association: Association, message: Message) -> None:
        if message.command.command_field == Operation.C_CANCEL_RQ:
            return
        identifier = association.receive_identifier()
        for _ in range(100_000):
            if association.poll():
                cancel = association.receive_command()
                assert cancel is not None and cancel.command.command_field == Operation.C_CANCEL_RQ
                cancelled.append(cancel.command.message_id_being_responded_to or 0)
                association.send(message.context_id, message.command.response(status.CANCEL))
                return
            association.send(message.context_id, message.command.response(status.PENDING), identifier)

    with Node(handle) as node:
        command = [dcmtk("findscu"), "-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID", "--cancel", "3"]
        subprocess.run(
            [*command, "127.0.0.1", str(node.address[1])],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    assert len(cancelled) == 1


# --- pynetdicom ------------------------------------------------------------------------------


def _read_rejecting_peer(title: str, port: int) -> None:
    with pytest.raises(AssociationRejected) as caught:
        request_association(("127.0.0.1", port), title, "TEST", CONTEXTS, SHORT)
    assert (caught.value.source, caught.value.reason) == (1, 7)


def test_pynetdicom_echoes_stores_and_releases(node: Node, store: Store, generated_set: GeneratedSet) -> None:
    entity = AE("PYNETDICOM")
    entity.add_requested_context(VERIFICATION)
    entity.add_requested_context(CT, EXPLICIT)
    association = entity.associate(*node.address, ae_title="NODE", max_pdu=0)
    assert association.is_established
    assert association.send_c_echo().Status == 0
    for path in _ct_files(generated_set):
        assert association.send_c_store(pydicom.dcmread(path)).Status == 0
    association.release()
    assert association.is_released
    (request,) = node.policy.requests
    assert (request.calling_ae_title, request.called_ae_title) == ("PYNETDICOM", "NODE")
    assert {uid for uid, _ in store.received} == {_data_set(path)[0] for path in _ct_files(generated_set)}


def test_pynetdicom_aborts_and_the_node_says_so(node: Node) -> None:
    entity = AE()
    entity.add_requested_context(VERIFICATION)
    association = entity.associate(*node.address)
    association.abort()
    node.join()
    assert [type(error).__name__ for error in node.errors] == ["AssociationAborted"]


@contextlib.contextmanager
def _pynetdicom_node(handlers: list[Any]) -> Iterator[int]:
    entity = AE("PYNETDICOM")
    entity.require_called_aet = True
    for uid in (VERIFICATION, CT, FIND, GET):
        entity.add_supported_context(uid, [IMPLICIT, EXPLICIT], scu_role=True, scp_role=True)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def test_pynetdicom_serves_our_echo_store_find_and_get(generated_set: GeneratedSet) -> None:
    files = _ct_files(generated_set)
    stored: dict[str, bytes] = {}

    def on_store(event: Any) -> int:
        stored[event.request.AffectedSOPInstanceUID] = event.request.DataSet.getvalue()
        return 0

    def on_find(event: Any) -> Iterator[tuple[int, pydicom.Dataset]]:
        for _ in range(50):
            yield 0xFF00, event.identifier

    def on_get(event: Any) -> Iterator[object]:
        yield len(files)
        for path in files:
            yield 0xFF00, pydicom.dcmread(path)

    received: list[str] = []

    def keep(association: Association, message: Message) -> int:
        association.receive_data_set(Collected())
        received.append(message.command.affected_sop_instance_uid or "")
        return status.SUCCESS

    ds = pydicom.Dataset()
    ds.QueryRetrieveLevel, ds.PatientID = "PATIENT", "1"
    identifier = _encoded(ds)
    contexts = [
        ProposedContext(VERIFICATION, (IMPLICIT,)),
        ProposedContext(CT, (EXPLICIT,)),
        ProposedContext(FIND, (IMPLICIT,)),
        ProposedContext(GET, (IMPLICIT,)),
    ]
    with _pynetdicom_node([(evt.EVT_C_STORE, on_store), (evt.EVT_C_FIND, on_find), (evt.EVT_C_GET, on_get)]) as port:
        _read_rejecting_peer("WRONG", port)
        with request_association(
            ("127.0.0.1", port), "PYNETDICOM", "TEST", contexts, SHORT, roles={CT: (True, True)}
        ) as association:
            assert scu.echo(association) == status.SUCCESS
            for path in files:
                uid, offset, length = _data_set(path)
                data = path.read_bytes()[offset:]
                assert scu.store(association, scu.context_for(association, CT), CT, uid, data).status == 0
                assert stored[uid] == data
                assert length == len(data)
            found = list(scu.find(association, scu.context_for(association, FIND), identifier))
            assert [row.status for row in found] == [status.PENDING] * 50 + [status.SUCCESS]
            assert {row.identifier for row in found[:-1]} == {identifier}
            last = list(scu.get(association, scu.context_for(association, GET), identifier, keep))[-1]
    assert last.status == status.SUCCESS
    assert last.command.number_of_completed_suboperations == len(files)
    assert len(received) == len(files)


def test_pynetdicom_gets_from_us_over_swapped_roles(generated_set: GeneratedSet) -> None:
    files = _ct_files(generated_set)

    def handle(association: Association, message: Message) -> None:
        association.receive_identifier()
        context = next(row for row in association.contexts.values() if row.abstract_syntax == CT)
        assert context.as_scu
        for path in files:
            uid, offset, length = _data_set(path)
            with path.open("rb") as file:
                data = FileSlice(file.fileno(), offset, length)
                assert scu.store(association, context.id, CT, uid, data).status == 0
        response = message.command.response(status.SUCCESS)
        response.number_of_completed_suboperations = len(files)
        response.number_of_failed_suboperations = response.number_of_warning_suboperations = 0
        association.send(message.context_id, response)

    received: list[str] = []

    def on_store(event: Any) -> int:
        received.append(event.dataset.SOPInstanceUID)
        return 0

    entity = AE()
    entity.add_requested_context(GET)
    entity.add_requested_context(FIND)
    entity.add_requested_context(CT, EXPLICIT)
    ds = pydicom.Dataset()
    ds.QueryRetrieveLevel, ds.PatientID = "PATIENT", "1"
    with Node(handle) as node:
        association = entity.associate(
            *node.address,
            ext_neg=[build_role(CT, scp_role=True)],
            evt_handlers=[(evt.EVT_C_STORE, on_store)],
        )
        answers = list(association.send_c_get(ds, GET))
        association.release()
    assert answers[-1][0].Status == 0
    assert sorted(received) == sorted(_data_set(path)[0] for path in files)


def _encoded(ds: pydicom.Dataset) -> bytes:
    buffer = pydicom.filebase.DicomBytesIO()
    dcmwrite(buffer, ds, implicit_vr=True, little_endian=True)
    return bytes(buffer.getvalue())
