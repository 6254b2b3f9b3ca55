"""send: files and studies, to our own node and to others."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pynetdicom import AE, evt

from radfuse.core.aetitle import AETitle
from radfuse.jobs import Jobs
from radfuse.services.peers import Peer, Peers
from tests.cli.conftest import Run
from tests.fakes.sink import Sink
from tests.jobs.working import until
from tests.support.generate import CT_IMAGE, STUDY_UID, GeneratedSet
from tests.support.servers import environment, running_node, running_storescp


def instance_of(event: evt.Event) -> str:
    """The SOP Instance UID of a C-STORE request."""
    return str(getattr(event.request, "AffectedSOPInstanceUID", ""))


@contextmanager
def scp(
    answers: dict[str, int], *syntaxes: str, on_request: Callable[[evt.Event], None] = lambda _event: None
) -> Iterator[str]:
    """A pynetdicom storage SCP for CT that answers by SOP Instance UID, else with success."""
    entity = AE("SCP")
    entity.add_supported_context(CT_IMAGE, list(syntaxes) or None)

    def store(event: evt.Event) -> int:
        return answers.get(instance_of(event), 0)

    handlers: Any = [(evt.EVT_C_STORE, store), (evt.EVT_REQUESTED, on_request)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
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
def test_a_series_of_the_archive_is_sent_alone_or_with_studies_and_nothing_twice(
    run: Run, generated_set: GeneratedSet
) -> None:
    run("import", generated_set.root)
    with Sink() as sink:
        assert run("send", "--series", "2.25.7100.1", "--to", sink.peer).out == "5 sent to SINK, 0 failed\n"
        assert sorted(sink.acknowledged) == [f"2.25.7100.1.{number}" for number in range(1, 6)]
        words = ("send", "--series", "2.25.7100.1", "--study", STUDY_UID, "--to", sink.peer)
        assert run(*words).out == "19 sent to SINK, 0 failed\n"
    assert len(sink.acknowledged) == 5 + 19


@pytest.mark.peers
def test_warnings_count_as_sent_and_a_failure_ends_the_job(run: Run, generated_set: GeneratedSet) -> None:
    statuses = {f"2.25.7100.1.{number}": code for number, code in enumerate((0xB000, 0xB006, 0xB007, 0xA900), 1)}
    with scp(statuses) as peer:
        answer = run("send", *generated_set.ct, "--to", peer)
        told = run("send", *generated_set.ct, "--to", peer, "--json").json
    assert (answer.code, answer.out) == (1, "3 sent to SCP (3 with a warning), 1 failed, 1 not tried\n")
    assert f"not sent: {generated_set.ct[3]}: status A900" in answer.err
    assert "job 1 is failed: " in answer.err
    assert "'radfuse jobs retry 1' does what is left." in answer.err
    assert (told["JobID"], told["State"]) == (2, "failed")
    assert (told["Sent"], told["Warned"], told["Failed"], told["Pending"]) == (0, 3, 1, 1)
    assert [row["Status"] for row in told["Instances"]] == ["B000", "B006", "B007", "A900", ""]
    assert [row["State"] for row in told["Instances"]] == ["warned", "warned", "warned", "failed", "pending"]


@pytest.mark.peers
def test_sent_now_a_failure_does_not_keep_the_others_back(run: Run, generated_set: GeneratedSet) -> None:
    statuses = {f"2.25.7100.1.{number}": code for number, code in enumerate((0xB000, 0xB006, 0xB007, 0xA900), 1)}
    with scp(statuses) as peer:
        answer = run("send", *generated_set.ct, "--to", peer, "--now")
        told = run("send", *generated_set.ct, "--to", peer, "--now", "--json").json
    assert (answer.code, answer.out) == (1, "4 sent to SCP (3 with a warning), 1 failed\n")
    assert answer.err == f"radfuse: not sent: {generated_set.ct[3]}: status A900: the peer refused it\n"
    assert [row["Status"] for row in told["Instances"]] == ["B000", "B006", "B007", "A900", "0000"]


@pytest.mark.peers
def test_sent_now_what_the_peer_does_not_accept_fails_alone(run: Run, generated_set: GeneratedSet) -> None:
    with scp({}) as peer:
        answer = run("send", generated_set.ct[0], generated_set.mr[0], "--to", peer, "--now")
    assert (answer.code, answer.out) == (1, "1 sent to SCP, 1 failed\n")
    assert "SCP does not offer MR Image Storage" in answer.err


@pytest.mark.peers
def test_sent_now_what_is_not_on_the_context_list_is_not_proposed_and_fails_alone(
    run: Run, generated_set: GeneratedSet
) -> None:
    run("contexts", "set", "reports", "--class", "BasicTextSRStorage", "--syntax", "ImplicitVRLittleEndian")
    run("contexts", "set", "ct", "--class", CT_IMAGE, "--syntax", "ImplicitVRLittleEndian")
    proposed: list[tuple[str, list[str]]] = []

    def requested(event: evt.Event) -> None:
        rows = event.assoc.requestor.requested_contexts
        proposed.extend((str(row.abstract_syntax), [str(uid) for uid in row.transfer_syntax]) for row in rows)

    with scp({}, "1.2.840.10008.1.2", on_request=requested) as peer:
        run("peers", "add", "pacs", peer, "--contexts", "ct")
        answer = run("send", generated_set.ct[0], generated_set.mr[0], "--to", "pacs", "--now")
        refused = run("send", generated_set.ct[0], "--to", "pacs", "--now", "--contexts", "reports")
    assert (answer.code, answer.out) == (1, "1 sent to pacs, 1 failed\n")
    assert "MR Image Storage is not on the context list 'ct': choose another list" in answer.err
    assert proposed == [(CT_IMAGE, ["1.2.840.10008.1.2"])]
    assert "is not on the context list 'reports'" in refused.err


@pytest.mark.peers
def test_sent_now_other_warnings_count_as_sent_only_where_the_peer_is_configured_so(
    run: Run, generated_set: GeneratedSet
) -> None:
    with scp({"2.25.7100.1.1": 0xB123, "2.25.7100.1.2": 0x0111}) as peer:
        strict = run("send", *generated_set.ct, "--to", peer, "--now")
        run("peers", "add", "pacs", peer, "--lenient")
        lenient = run("send", *generated_set.ct, "--to", "pacs", "--now")
    assert (strict.code, strict.out) == (1, "3 sent to SCP, 2 failed\n")
    assert (lenient.code, lenient.out) == (0, "5 sent to pacs (2 with a warning), 0 failed\n")


def test_sent_now_a_peer_that_gets_nothing_gets_nothing(run: Run, generated_set: GeneratedSet) -> None:
    with Sink() as sink:
        run("peers", "add", "pacs", sink.peer, "--no-send")
        answer = run("send", generated_set.ct[0], "--to", "pacs", "--now")
    assert answer.code == 1
    assert "sending to pacs is turned off" in answer.err
    assert sink.acknowledged == []


@pytest.mark.peers
def test_a_file_is_transcoded_for_a_peer_that_refuses_its_syntax(run: Run, generated_set: GeneratedSet) -> None:
    with scp({}, "1.2.840.10008.1.2") as peer:
        assert run("send", generated_set.ct[0], "--to", peer).code == 0
        assert run("send", generated_set.ct[0], "--to", peer, "--now").code == 0


@pytest.mark.peers
def test_sent_now_one_object_on_which_the_peer_aborts_does_not_keep_the_others_back(
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
        answer = run("send", *generated_set.ct, "--to", f"SCP@127.0.0.1:{server.server_address[1]}", "--now")
    finally:
        server.shutdown()
    assert (answer.code, answer.out) == (1, "4 sent to SCP, 1 failed\n")


def test_a_peer_that_is_not_there_is_one_sentence_now(run: Run, generated_set: GeneratedSet, free_port: int) -> None:
    answer = run("send", *generated_set.ct, "--to", f"GONE@127.0.0.1:{free_port}", "--now")
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)


def test_an_address_of_no_configured_peer_is_tried_once_and_can_be_tried_again(
    run: Run, generated_set: GeneratedSet, free_port: int
) -> None:
    words = ("send", *generated_set.ct, "--to", f"SINK@127.0.0.1:{free_port}")
    answer = run(*words)
    assert (answer.code, answer.out) == (1, "0 sent to SINK, 0 failed, 5 not tried\n")
    assert "job 1 is failed: SINK cannot be reached" in answer.err
    with Sink(free_port) as sink:
        assert run("jobs", "retry", "1").code == 0
        # The command is the worker: it does what else is queued, if that comes first.
        assert run(*words, "--priority", "9").code == 0
    assert run("jobs", "show", "1", "--json").json["State"] == "done"
    assert len(sink.acknowledged) == 10


def test_a_job_that_waits_for_its_peer_is_followed_with_a_word_about_it(
    run: Run, generated_set: GeneratedSet, free_port: int, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    with contextlib.closing(Peers(tmp_path / "data")) as peers:
        peers.add(Peer("SINK", AETitle("SINK"), "127.0.0.1", free_port, retries=100, retry_delay_s=1.0))
    sinks: list[Sink] = []

    def come_up() -> None:
        with contextlib.closing(Jobs(tmp_path / "data")) as jobs:
            until(lambda: any(job.attempt > 2 for job in jobs.list()))
        sinks.append(Sink(free_port).__enter__())

    coming = threading.Thread(target=come_up)
    coming.start()
    try:
        answer = run("send", *generated_set.ct, "--to", "SINK")
    finally:
        coming.join()
        sinks[0].__exit__(None, None, None)
    assert (answer.code, answer.out) == (0, "5 sent to SINK, 0 failed\n")
    assert "radfuse: job 1 is waiting: SINK cannot be reached" in answer.err
    assert "'radfuse jobs resume 1' tries now" in answer.err


def test_without_waiting_the_job_is_queued_and_nothing_is_sent(run: Run, generated_set: GeneratedSet) -> None:
    with Sink() as sink:
        answer = run("send", *generated_set.ct, "--to", sink.peer, "--no-wait")
        assert (answer.code, answer.err) == (0, "")
        assert answer.out.startswith("job 1 is queued: 5 objects to SINK. No worker runs on this data folder: ")
        told = run("send", *generated_set.ct, "--to", sink.peer, "--no-wait", "--priority", "2", "--json").json
        assert (told["JobID"], told["State"], told["Priority"], told["Pending"]) == (2, "queued", 2, 5)
        assert sink.acknowledged == []


def test_files_that_vanish_fail_alone(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    files = [
        Path(shutil.copy(path, tmp_path / path.parent.name)) for path in (generated_set.ct[0], generated_set.mr[0])
    ]
    with Sink() as sink:
        assert run("send", *files, "--to", sink.peer, "--no-wait").code == 0
        files[0].unlink()
        run("send", generated_set.ct[1], "--to", sink.peer)
        shown = run("jobs", "show", "1", "--json").json
    assert (shown["State"], shown["Sent"], shown["Failed"]) == ("failed", 1, 1)
    assert [row["State"] for row in shown["Instances"]] == ["failed", "sent"]
    assert shown["Instances"][0]["Reason"]
    assert len(sink.acknowledged) == 2


def test_files_are_named_by_their_whole_path(
    run: Run, generated_set: GeneratedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sink() as sink:
        monkeypatch.chdir(generated_set.ct[0].parent)
        run("send", generated_set.ct[0].name, "--to", sink.peer, "--no-wait")
    (row,) = run("jobs", "show", "1", "--json").json["Instances"]
    assert row["File"] == str(generated_set.ct[0])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "give either FILES, or --study UID and --series UID"),
        (("FILE", "--series", "1.2"), "give either FILES, or --study UID and --series UID"),
        (("FILE", "--now", "--no-wait"), "--no-wait is for jobs, and --now makes none"),
        (("FILE", "--contexts", "none"), "no context list 'none'; known are dbx, xd"),
        (("FILE", "--priority", "10"), "less than or equal to 9"),
        (("FILE", "--from", "a\\b"), "AE title"),
        (("--series", "1.2.3"), "the archive has no series 1.2.3"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(
    words: tuple[str, ...], sentence: str, run: Run, generated_set: GeneratedSet
) -> None:
    typed = [generated_set.ct[0] if word == "FILE" else word for word in words]
    answer = run("send", *typed, "--to", "SINK@127.0.0.1:104")
    assert answer.code == 2
    assert sentence in " ".join(answer.err.replace("│", " ").split())


def test_ctrl_c_ends_the_command_and_not_the_job(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    with Sink() as sink:
        sink.open_gate.clear()
        command = [sys.executable, "-m", "radfuse", "send", str(generated_set.root), "--to", sink.peer]
        command += ["--data", str(tmp_path / "data")]
        with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 60
            while run("jobs", "show", "1", "--json").out.find('"State": "running"') < 0:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            sink.delay_s = 2.0  # or it is through before it has seen the signal
            sink.open_gate.set()
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "job 1 is not ended by this; 'radfuse jobs show 1' shows it. No worker runs" in errors
        assert "Traceback" not in errors
        assert run("jobs", "show", "1", "--json").json["State"] == "queued"


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
