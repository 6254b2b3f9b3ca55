"""The storage SCU against other people's storage SCPs: DCMTK, Orthanc, pynetdicom."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pynetdicom import AE, evt

from radfuse.archive import Archive
from radfuse.core.errors import JobFailed, TransientFailure
from radfuse.core.transfer_syntaxes import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS_SV1,
)
from radfuse.dicom import Transcoder
from radfuse.jobs import ItemState
from radfuse.services.context_lists import DBX, XD, ContextList
from radfuse.services.import_media import import_files
from radfuse.services.peers import Peer
from radfuse.services.send import objects_of_studies
from radfuse.services.storage_scu import Outgoing, StorageScu
from radfuse.wire import Limits
from tests.fakes.ledger import FakeLedger
from tests.services.storage_scenes import QUICK, outgoing, peer_at, route_to
from tests.support.generate import CT_IMAGE, STUDY_UID, GeneratedSet
from tests.support.servers import running_storescp, wait_for_port

pytestmark = pytest.mark.peers

STOP_S = 30.0


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    """One for all."""
    with Transcoder() as made:
        yield made


def send(
    peer: Peer,
    paths: Sequence[Path],
    transcoder: Transcoder,
    contexts: ContextList = DBX,
    limits: Limits = Limits(),  # noqa: B008
) -> FakeLedger:
    """Send files; the ledger afterwards."""
    ledger = FakeLedger()
    StorageScu(route_to(peer, transcoder, contexts, limits), ledger).send(outgoing(paths))
    return ledger


def all_sent(ledger: FakeLedger, count: int) -> bool:
    """Whether so many objects were all answered with success."""
    return ledger.states() == [(number, ItemState.SENT, 0) for number in range(1, count + 1)]


def data_sets(folder: Path) -> list[bytes]:
    """The bytes of the data sets of all files, sorted."""
    return sorted(_data_set(path) for path in folder.rglob("*") if path.is_file())


def _data_set(path: Path) -> bytes:
    meta = pydicom.dcmread(path, stop_before_pixels=True).file_meta
    return path.read_bytes()[144 + int(meta.FileMetaInformationGroupLength) :]


def syntaxes_in(folder: Path) -> set[str]:
    """The transfer syntaxes of the files."""
    return {
        str(pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID) for path in folder.iterdir()
    }


# --- DCMTK ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("+xa",), ("--prefer-lossless",), ("--max-pdu", "4096")])
def test_storescp_gets_stored_bytes_unchanged(
    dcmtk: Callable[[str], str],
    free_port: int,
    tmp_path: Path,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
    options: tuple[str, ...],
) -> None:
    with running_storescp(dcmtk("storescp"), tmp_path, free_port, *options):
        ledger = send(peer_at(("127.0.0.1", free_port)), generated_set.files, transcoder)
    assert all_sent(ledger, 19)
    assert data_sets(tmp_path) == sorted(_data_set(path) for path in generated_set.files)


def test_a_storescp_of_implicit_vr_only_gets_the_same_pixels(
    dcmtk: Callable[[str], str],
    free_port: int,
    tmp_path: Path,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
) -> None:
    with running_storescp(dcmtk("storescp"), tmp_path, free_port, "--implicit"):
        ledger = send(peer_at(("127.0.0.1", free_port)), generated_set.files, transcoder)
    assert all_sent(ledger, 19)
    assert syntaxes_in(tmp_path) == {IMPLICIT_LITTLE}
    received = {str(ds.SOPInstanceUID): ds for ds in map(pydicom.dcmread, tmp_path.iterdir())}
    for path in generated_set.files:
        sent = pydicom.dcmread(path)
        assert received[str(sent.SOPInstanceUID)] == sent


def test_a_compressed_object_goes_as_it_is_or_decoded_without_loss(
    dcmtk: Callable[[str], str],
    new_port: Callable[[], int],
    tmp_path: Path,
    transcoder: Transcoder,
    shared_data: Path,
) -> None:
    folder = shared_data / "transfer-syntaxes" / "one-ct-image"
    compressed = [path for uid in (JPEG_2000_LOSSLESS, JPEG_LOSSLESS_SV1) for path in folder.glob(f"*_{uid}.dcm")]
    (same,) = folder.glob(f"*_{EXPLICIT_BIG}.dcm")
    assert len(compressed) == 2
    for number, path in enumerate(compressed):
        takes_all, native = tmp_path / f"all{number}", tmp_path / f"native{number}"
        port = new_port()
        with running_storescp(dcmtk("storescp"), takes_all, port, "+xa"):
            assert all_sent(send(peer_at(("127.0.0.1", port)), [path], transcoder), 1)
        assert data_sets(takes_all) == [_data_set(path)]
        port = new_port()
        with running_storescp(dcmtk("storescp"), native, port):
            assert all_sent(send(peer_at(("127.0.0.1", port)), [path], transcoder), 1)
        assert syntaxes_in(native) == {EXPLICIT_LITTLE}
        (received,) = map(pydicom.dcmread, native.iterdir())
        assert np.array_equal(received.pixel_array, pydicom.dcmread(same).pixel_array)


def test_the_workstations_list_sends_compressed_objects_uncompressed(
    dcmtk: Callable[[str], str], free_port: int, tmp_path: Path, transcoder: Transcoder, shared_data: Path
) -> None:
    folder = shared_data / "transfer-syntaxes" / "one-ct-image"
    (path,) = folder.glob(f"*_{JPEG_LOSSLESS_SV1}.dcm")
    with running_storescp(dcmtk("storescp"), tmp_path, free_port, "+xa"):
        assert all_sent(send(peer_at(("127.0.0.1", free_port)), [path], transcoder, XD), 1)
    assert syntaxes_in(tmp_path) <= set(XD.transfer_syntaxes)


def test_a_preferred_syntax_is_used_where_storescp_accepts_it(
    dcmtk: Callable[[str], str],
    free_port: int,
    tmp_path: Path,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
) -> None:
    peer = peer_at(("127.0.0.1", free_port), preferred_syntaxes=(JPEG_2000_LOSSLESS,))
    with running_storescp(dcmtk("storescp"), tmp_path, free_port, "+xa"):
        assert all_sent(send(peer, generated_set.ct, transcoder), 5)
    assert syntaxes_in(tmp_path) == {JPEG_2000_LOSSLESS}


def test_a_storescp_that_refuses_is_said(
    dcmtk: Callable[[str], str],
    free_port: int,
    tmp_path: Path,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
) -> None:
    with (
        running_storescp(dcmtk("storescp"), tmp_path, free_port, "--refuse"),
        pytest.raises((JobFailed, TransientFailure), match="pacs refused the association"),
    ):
        send(peer_at(("127.0.0.1", free_port)), generated_set.ct, transcoder)


@pytest.mark.parametrize("option", ["--abort-after", "--abort-during"])
def test_a_storescp_that_aborts_is_said(
    dcmtk: Callable[[str], str],
    free_port: int,
    tmp_path: Path,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
    option: str,
) -> None:
    with (
        running_storescp(dcmtk("storescp"), tmp_path, free_port, option),
        pytest.raises(JobFailed, match="pacs aborted the association"),
    ):
        send(peer_at(("127.0.0.1", free_port)), generated_set.ct, transcoder)


@pytest.mark.parametrize("option", ["--sleep-after", "--sleep-during"])
def test_a_storescp_that_sleeps_too_long_is_said(
    dcmtk: Callable[[str], str],
    free_port: int,
    tmp_path: Path,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
    option: str,
) -> None:
    with (
        running_storescp(dcmtk("storescp"), tmp_path, free_port, option, "4"),
        pytest.raises(JobFailed, match="pacs took longer than 1 s"),
    ):
        send(peer_at(("127.0.0.1", free_port)), generated_set.ct[:2], transcoder, limits=QUICK)


@contextlib.contextmanager
def running_dcmqrscp(program: str, folder: Path, port: int) -> Iterator[Path]:
    """DCMTK's dcmqrscp with one database; gives its folder."""
    database = folder / "db"
    database.mkdir()
    config = folder / "dcmqrscp.cfg"
    config.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        "HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nPACS {database} RW (200, 1024mb) ANY\nAETable END\n",
        encoding="ascii",
    )
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield database
    finally:
        process.terminate()
        process.wait(STOP_S)


def test_dcmqrscp_keeps_what_we_send(
    dcmtk: Callable[[str], str],
    free_port: int,
    tmp_path: Path,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
) -> None:
    with running_dcmqrscp(dcmtk("dcmqrscp"), tmp_path, free_port) as database:
        ledger = send(peer_at(("127.0.0.1", free_port)), generated_set.files, transcoder)
    assert all_sent(ledger, 19)
    received = sorted(str(pydicom.dcmread(path).SOPInstanceUID) for path in database.glob("*.dcm"))
    assert received == sorted(str(pydicom.dcmread(path).SOPInstanceUID) for path in generated_set.files)


# --- Orthanc -------------------------------------------------------------------------------------


@contextlib.contextmanager
def running_orthanc(program: str, folder: Path, dicom_port: int, http_port: int) -> Iterator[Callable[[str], bytes]]:
    """Orthanc that keeps what it gets; gives what asks its REST API."""
    settings = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "PACS",
        "DicomAlwaysAllowStore": True,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)

    def ask(path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{http_port}/{path}", timeout=60) as answer:
            content: bytes = answer.read()
        return content

    try:
        wait_for_port(http_port)
        wait_for_port(dicom_port)
        yield ask
    finally:
        process.terminate()
        process.wait(STOP_S)


def test_orthanc_keeps_every_object_of_the_archive_bit_by_bit(
    orthanc: str,
    new_port: Callable[[], int],
    tmp_path: Path,
    transcoder: Transcoder,
    archive: Archive,
    generated_set: GeneratedSet,
) -> None:
    list(import_files(archive, generated_set.files))
    items = [Outgoing(number, item) for number, item in enumerate(objects_of_studies(archive, [STUDY_UID]), 1)]
    ledger, port = FakeLedger(), new_port()
    with running_orthanc(orthanc, tmp_path, port, new_port()) as ask:
        peer = peer_at(("127.0.0.1", port))
        StorageScu(route_to(peer, transcoder, limits=Limits()), ledger, archive).send(items)
        kept = [ask(f"instances/{instance}/file") for instance in json.loads(ask("instances"))]
    assert all_sent(ledger, 19)
    received = []
    for content in kept:
        meta = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True).file_meta
        received.append(content[144 + int(meta.FileMetaInformationGroupLength) :])
    assert sorted(received) == sorted(_data_set(path) for path in generated_set.files)


# --- pynetdicom ----------------------------------------------------------------------------------


@contextlib.contextmanager
def pynetdicom_scp(handler: Callable[[evt.Event], int], *syntaxes: str) -> Iterator[tuple[str, int]]:
    """A storage SCP of CT; gives its address."""
    entity = AE("PACS")
    entity.add_supported_context(CT_IMAGE, list(syntaxes) or None)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, handler)])
    assert server is not None
    try:
        yield ("127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()


def test_pynetdicom_gets_the_extended_negotiation_of_the_workstation(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    seen: list[Any] = []

    def store(event: evt.Event) -> int:
        seen.append(event.assoc.requestor.sop_class_extended)
        return 0

    with pynetdicom_scp(store, IMPLICIT_LITTLE) as address:
        assert all_sent(send(peer_at(address), generated_set.ct[:1], transcoder, XD), 1)
    assert seen == [{CT_IMAGE: b"\x03\x00\x00\x00\x02\x00"}]


def test_pynetdicom_is_told_of_the_failure_by_an_abort_of_the_service_user(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    aborted: list[int] = []
    entity = AE("PACS")
    entity.add_supported_context(CT_IMAGE)
    handlers: list[Any] = [
        (evt.EVT_C_STORE, lambda event: 0xC123),
        (evt.EVT_ABORTED, lambda event: aborted.append(1)),
    ]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    ledger = FakeLedger()
    try:
        scu = StorageScu(
            route_to(peer_at(("127.0.0.1", server.server_address[1])), transcoder, limits=Limits()), ledger
        )
        with pytest.raises(JobFailed, match="status C123, cannot understand"):
            scu.send(outgoing(generated_set.ct))
    finally:
        server.shutdown()
    assert ledger.states() == [(1, ItemState.FAILED, 0xC123)]
    assert aborted == [1]
