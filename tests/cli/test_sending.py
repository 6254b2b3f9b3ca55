"""send: files and studies, to our own node and to others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from pynetdicom import AE, evt

from tests.cli.conftest import Run
from tests.support.generate import CT_IMAGE, STUDY_UID, GeneratedSet
from tests.support.servers import running_node, running_storescp


def instance_of(event: evt.Event) -> str:
    """The SOP Instance UID of a C-STORE request."""
    return str(getattr(event.request, "AffectedSOPInstanceUID", ""))


@contextmanager
def scp(answers: dict[str, int], *syntaxes: str) -> Iterator[str]:
    """A pynetdicom storage SCP for CT that answers by SOP Instance UID, else with success."""
    entity = AE("SCP")
    entity.add_supported_context(CT_IMAGE, list(syntaxes) or None)

    def store(event: evt.Event) -> int:
        return answers.get(instance_of(event), 0)

    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    assert server is not None
    try:
        yield f"SCP@127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def data_set_bytes(path: Path) -> bytes:
    """A Part 10 file without preamble and file meta information."""
    meta = pydicom.dcmread(path, stop_before_pixels=True).file_meta
    content = path.read_bytes()
    return content[144 + int(meta.FileMetaInformationGroupLength) :]


@pytest.mark.peers
def test_files_arrive_byte_for_byte(
    run: Run, dcmtk: Callable[[str], str], free_port: int, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    received = tmp_path / "received"
    with running_storescp(dcmtk("storescp"), received, free_port):
        answer = run("send", generated_set.root, "--to", f"SINK@127.0.0.1:{free_port}")
    assert (answer.code, answer.out) == (0, "19 sent to SINK, 0 failed\n")
    sent = {data_set_bytes(path) for path in generated_set.files}
    assert {data_set_bytes(path) for path in received.iterdir()} == sent


@pytest.mark.peers
def test_a_study_of_the_archive_arrives_byte_for_byte(
    run: Run, dcmtk: Callable[[str], str], free_port: int, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    run("import", generated_set.root)
    received = tmp_path / "received"
    with running_storescp(dcmtk("storescp"), received, free_port):
        answer = run("send", "--study", STUDY_UID, "--to", f"SINK@127.0.0.1:{free_port}", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["Sent"] == 19
    assert {row["Status"] for row in answer.json["Instances"]} == {"0000"}
    assert {data_set_bytes(path) for path in received.iterdir()} == {data_set_bytes(p) for p in generated_set.files}


def test_our_own_node_takes_them_too(run: Run, tmp_path: Path, generated_set: GeneratedSet) -> None:
    with running_node(tmp_path / "node") as running:
        assert run("send", *generated_set.mr, "--to", running.peer).out == "5 sent to RADFUSE, 0 failed\n"
    (series,) = run("ls", "--level", "series", "--data", tmp_path / "node", "--json").json
    assert series["NumberOfSeriesRelatedInstances"] == 5


@pytest.mark.peers
def test_warnings_count_as_sent_and_failures_end_with_1(run: Run, generated_set: GeneratedSet) -> None:
    statuses = {f"2.25.7100.1.{number}": code for number, code in enumerate((0xB000, 0xB006, 0xB007, 0xA900), 1)}
    with scp(statuses) as peer:
        answer = run("send", *generated_set.ct, "--to", peer)
        told = run("send", *generated_set.ct, "--to", peer, "--json").json
    assert (answer.code, answer.out) == (1, "4 sent to SCP (3 with a warning), 1 failed\n")
    assert answer.err == f"radfuse: not sent: {generated_set.ct[3]}: status A900: the peer refused it\n"
    assert [row["Status"] for row in told["Instances"]] == ["B000", "B006", "B007", "A900", "0000"]


@pytest.mark.peers
def test_what_the_peer_does_not_accept_fails_alone(run: Run, generated_set: GeneratedSet) -> None:
    with scp({}) as peer:
        answer = run("send", generated_set.ct[0], generated_set.mr[0], "--to", peer)
    assert (answer.code, answer.out) == (1, "1 sent to SCP, 1 failed\n")
    assert "SCP does not offer SOP class 1.2.840.10008.5.1.4.1.1.4" in answer.err


@pytest.mark.peers
def test_a_file_is_transcoded_for_a_peer_that_refuses_its_syntax(run: Run, generated_set: GeneratedSet) -> None:
    with scp({}, "1.2.840.10008.1.2") as peer:
        assert run("send", generated_set.ct[0], "--to", peer).code == 0


@pytest.mark.peers
def test_one_object_on_which_the_peer_aborts_does_not_keep_the_others_back(
    run: Run, generated_set: GeneratedSet
) -> None:
    entity = AE("SCP")
    entity.add_supported_context(CT_IMAGE)

    def store(event: evt.Event) -> int:
        if instance_of(event) == "2.25.7100.1.2":
            event.assoc.abort()
        return 0

    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    assert server is not None
    try:
        answer = run("send", *generated_set.ct, "--to", f"SCP@127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
    assert (answer.code, answer.out) == (1, "4 sent to SCP, 1 failed\n")


def test_a_peer_that_is_not_there_is_one_sentence(run: Run, generated_set: GeneratedSet, free_port: int) -> None:
    answer = run("send", *generated_set.ct, "--to", f"GONE@127.0.0.1:{free_port}")
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)


def test_what_is_not_dicom_is_left_out_and_what_is_broken_fails(
    run: Run, generated_set: GeneratedSet, free_port: int, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no DICOM", encoding="utf-8")
    answer = run("send", tmp_path / "notes.txt", "--to", f"GONE@127.0.0.1:{free_port}")
    assert answer.code == 1
    assert "1 files are not DICOM objects and are left out" in answer.err


def test_a_study_that_is_not_kept_is_wrong_use(run: Run, free_port: int) -> None:
    answer = run("send", "--study", "1.2.3", "--to", f"GONE@127.0.0.1:{free_port}")
    assert answer.code == 2
    assert "the archive has no study 1.2.3" in answer.err
