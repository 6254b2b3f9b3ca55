"""echo, find, move and get against a real node."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pynetdicom import AE, evt

from radfuse.core.sop_classes import STUDY_ROOT_FIND, VERIFICATION
from radfuse.jobs import Jobs, JobState
from tests.cli.conftest import Run
from tests.support.generate import PATIENT_ID, STUDY_UID
from tests.support.servers import RunningNode, environment, running_node, running_storescp


def test_a_peer_that_is_not_there_is_said_with_what_to_do(run: Run, free_port: int) -> None:
    answer = run("echo", f"PACS1@127.0.0.1:{free_port}")
    assert answer.code == 1
    assert answer.err == (
        "radfuse: PACS1 cannot be reached or has closed the connection (connection refused). "
        f"Check that a DICOM node listens at 127.0.0.1 port {free_port} and that no firewall is between.\n"
    )


def test_a_wrong_called_title_is_said_with_what_to_do(run: Run, node: RunningNode) -> None:
    answer = run("echo", f"PACS1@127.0.0.1:{node.port}")
    assert answer.code == 1
    assert answer.err == (
        "radfuse: PACS1 refused the association: it is not called PACS1. Ask for its AE title and correct the peer's.\n"
    )


@pytest.mark.peers
def test_an_unknown_calling_title_is_said_with_what_to_do(run: Run) -> None:
    entity = AE("PACS1")
    entity.require_calling_aet = ["SOMEBODY"]
    entity.add_supported_context(VERIFICATION)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    try:
        peer = f"PACS1@127.0.0.1:{server.server_address[1]}"
        assert run("echo", peer).err == (
            "radfuse: PACS1 refused the association: it does not know our AE title TESTER. "
            "Add it there, or change ours: for this peer on the page Peers (or --as, --from), "
            "for all in Settings > This node.\n"
        )
        assert run("echo", peer, "--from", "SOMEBODY").code == 0
        assert "does not offer Study Root Query (C-FIND)" in run("find", "--at", peer, "--from", "SOMEBODY").err
    finally:
        server.shutdown()


def test_find_shows_counts_as_numbers_and_sets_as_lists(run: Run, full_node: RunningNode) -> None:
    answer = run("find", "--at", full_node.peer, "PatientName=test^gen*", "StudyDate=20240101-20241231", "--json")
    (study,) = answer.json
    assert study["StudyInstanceUID"] == STUDY_UID
    assert study["NumberOfStudyRelatedInstances"] == 19
    assert study["ModalitiesInStudy"] == ["CT", "MR", "OT", "PT", "RTSTRUCT", "SR"]
    assert "QueryRetrieveLevel" not in study


def test_find_shows_the_keys_without_a_value_only(run: Run, full_node: RunningNode) -> None:
    words = ("find", "--at", full_node.peer, f"PatientID={PATIENT_ID}", "StudyDate", "0008,0030")
    assert run(*words).out.split() == [
        *("PatientID", "StudyDate", "StudyTime", "StudyInstanceUID"),
        *(PATIENT_ID, "20240229", "101112.130000", STUDY_UID),
    ]


@pytest.mark.parametrize(
    ("level", "keys", "count"),
    [
        ("patient", [], 1),
        ("patient", ["PatientID=NOBODY"], 0),
        ("series", [f"StudyInstanceUID={STUDY_UID}"], 7),
        ("series", [f"StudyInstanceUID={STUDY_UID}", "Modality=CT"], 1),
        ("image", [f"StudyInstanceUID={STUDY_UID}", "SeriesInstanceUID=2.25.7100.1"], 5),
    ],
)
def test_every_level_is_found(run: Run, full_node: RunningNode, level: str, keys: list[str], count: int) -> None:
    assert len(run("find", "--at", full_node.peer, "--level", level, *keys, "--json").json) == count


def test_patient_root_is_asked_when_wanted(run: Run, full_node: RunningNode) -> None:
    words = ("find", "--at", full_node.peer, "--model", "patient", f"PatientID={PATIENT_ID}", "--json")
    assert len(run(*words).json) == 1
    assert run("find", "--at", full_node.peer, "--model", "patient").code == 1


def test_nothing_found_is_no_failure(run: Run, full_node: RunningNode) -> None:
    answer = run("find", "--at", full_node.peer, "PatientName=NOBODY")
    assert (answer.code, answer.out) == (0, "Nothing found at RADFUSE.\n")


def test_a_refused_query_says_the_peers_reason(run: Run, full_node: RunningNode) -> None:
    answer = run("find", "--at", full_node.peer, "--level", "series")
    assert answer.code == 1
    assert "answered C-FIND with status A900: invalid query: the unique key of level STUDY is missing." in answer.err


@pytest.mark.peers
def test_control_characters_of_a_peer_do_not_reach_the_terminal(run: Run) -> None:
    def answer(event: evt.Event) -> object:
        found = event.identifier
        found.PatientName = "EVIL\x1b[31m"
        yield 0xFF00, found
        yield 0x0000, None

    entity = AE("PACS1")
    entity.add_supported_context(STUDY_ROOT_FIND)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, answer)])
    assert server is not None
    try:
        shown = run("find", "--at", f"PACS1@127.0.0.1:{server.server_address[1]}", "PatientName=EVIL*").out
    finally:
        server.shutdown()
    assert "EVIL" in shown
    assert "\x1b" not in shown


def test_get_stores_into_our_own_archive(run: Run, full_node: RunningNode) -> None:
    answer = run("get", "--at", full_node.peer, f"StudyInstanceUID={STUDY_UID}", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["Completed"] == 19
    (study,) = run("ls", "--json").json
    assert study["NumberOfStudyRelatedInstances"] == 19


def test_get_leaves_objects_in_the_transfer_syntax_that_the_peer_has(run: Run, full_node: RunningNode) -> None:
    run("get", "--at", full_node.peer, f"StudyInstanceUID={STUDY_UID}")
    for series, syntax in (("2.25.7100.1", "1.2.840.10008.1.2.1"), ("2.25.7100.2", "1.2.840.10008.1.2")):
        images = run("ls", "--level", "image", f"SeriesInstanceUID={series}", "AvailableTransferSyntaxUID", "--json")
        assert {image["AvailableTransferSyntaxUID"] for image in images.json} == {syntax}


def test_get_takes_the_level_from_the_deepest_key(run: Run, full_node: RunningNode) -> None:
    words = ("get", "--at", full_node.peer, f"PatientID={PATIENT_ID}", f"StudyInstanceUID={STUDY_UID}")
    assert run(*words, "SeriesInstanceUID=2.25.7100.1").out == "5 stored, 0 failed\n"


def test_move_to_an_unknown_title_says_what_to_do(run: Run, full_node: RunningNode) -> None:
    answer = run("move", "--at", full_node.peer, "--to", "NOBODY", f"StudyInstanceUID={STUDY_UID}")
    assert answer.code == 1
    assert "It does not know the destination's AE title: add it there." in answer.err


@pytest.mark.peers
def test_move_sends_to_a_configured_peer(
    run: Run, dcmtk: Callable[[str], str], free_port: int, tmp_path: Path, full_node: RunningNode
) -> None:
    assert run("peers", "add", "sink", f"SINK@127.0.0.1:{free_port}", "--data", full_node.data).code == 0
    received, words = tmp_path / "received", ("move", "--at", full_node.peer, "--to", "SINK")
    with running_storescp(dcmtk("storescp"), received, free_port):
        answer = run(*words, f"StudyInstanceUID={STUDY_UID}", "SeriesInstanceUID=2.25.7100.1")
    assert answer.out == "5 moved, 0 failed\n"
    assert len(list(received.iterdir())) == 5


def test_a_move_that_fails_in_part_ends_with_1(run: Run, free_port: int, full_node: RunningNode) -> None:
    run("peers", "add", "gone", f"GONE@127.0.0.1:{free_port}", "--data", full_node.data)
    words = ("move", "--at", full_node.peer, "--to", "GONE")
    answer = run(*words, f"StudyInstanceUID={STUDY_UID}", "SeriesInstanceUID=2.25.7100.4")
    assert (answer.code, answer.out) == (1, "0 moved, 1 failed\n")
    assert answer.err == "radfuse: failed: 2.25.7100.4.1\n"


# --- durable and cancelled -----------------------------------------------------------------------


def test_move_sends_to_ourselves_unless_another_is_named(run: Run, full_node: RunningNode) -> None:
    answer = run("move", "--at", full_node.peer, f"StudyInstanceUID={STUDY_UID}")
    assert answer.code == 1
    assert "with status A801: unknown peer 'TESTER'" in answer.err


@pytest.mark.parametrize(
    ("words", "title", "how", "destination"),
    [
        (["get"], "2 x series from pacs", "get", ""),
        (["move"], "2 x series from pacs to TESTER", "move", "TESTER"),
        (["move", "--to", "SINK"], "2 x series from pacs to SINK", "move", "SINK"),
    ],
)
def test_a_retrieval_is_queued_with_what_was_typed(
    run: Run, words: list[str], title: str, how: str, destination: str
) -> None:
    run("peers", "add", "pacs", "PACS@192.0.2.7:104")
    keys = ("StudyInstanceUID=1.2.3", "SeriesInstanceUID=1.2.3.1\\1.2.3.2")
    options = ("--at", "pacs", "--job", "--priority", "2", "--from", "US", "--json")
    number = run(*words, *keys, *options).json["JobID"]
    with contextlib.closing(Jobs(Path(os.environ["RADFUSE_DATA"]))) as jobs:
        job = jobs.get(number)
        names = [item.name for item in jobs.items(number)]
    assert (job.kind, job.title, job.priority, job.state) == ("retrieve", title, 2, JobState.QUEUED)
    assert names == ["1.2.3.1", "1.2.3.2"]
    assert job.parameters == {
        "peer": "pacs",
        "from": "US",
        "model": "STUDY_ROOT",
        "level": "SERIES",
        "keys": {"StudyInstanceUID": "1.2.3"},
        "how": how,
        "destination": destination,
        "database": "default",
    }


def test_a_queued_retrieval_says_its_number(run: Run) -> None:
    run("peers", "add", "pacs", "PACS@192.0.2.7:104")
    said = run("get", "--at", "pacs", "--job", "StudyInstanceUID=1.2.3").out
    assert said == "job 1 is queued; 'radfuse jobs show 1' shows how it goes on\n"


def test_the_worker_of_a_running_service_does_a_queued_retrieval(
    run: Run, full_node: RunningNode, tmp_path: Path
) -> None:
    run("peers", "add", "source", full_node.peer)
    number = run("get", "--at", "source", "--job", f"StudyInstanceUID={STUDY_UID}", "--json").json["JobID"]
    ends = time.monotonic() + 60
    with running_node(tmp_path / "data"), contextlib.closing(Jobs(tmp_path / "data")) as jobs:
        while jobs.get(number).state is not JobState.DONE and time.monotonic() < ends:
            time.sleep(0.1)
        job = jobs.get(number)
        (item,) = jobs.items(number)
    assert (job.state, job.message) == (JobState.DONE, "")
    assert (item.name, item.comment) == (STUDY_UID, "19 objects")
    (study,) = run("ls", "--json").json
    assert study["NumberOfStudyRelatedInstances"] == 19


def test_a_peer_that_is_not_to_be_asked_is_said(run: Run) -> None:
    run("peers", "add", "pacs", "PACS@192.0.2.7:104", "--no-ask")
    for words in (["find"], ["get", "StudyInstanceUID=1.2.3"], ["get", "--job", "StudyInstanceUID=1.2.3"]):
        answer = run(*words, "--at", "pacs")
        assert answer.code == 1
        assert "the configuration does not allow to" in answer.err


def slow_answers(heard: list[str]) -> Callable[[evt.Event], Iterator[object]]:
    def answer(event: evt.Event) -> Iterator[object]:
        for number in range(2000):
            time.sleep(0.01)
            if event.is_cancelled:
                heard.append("cancel")
                yield 0xFE00, None
                return
            found = event.identifier
            found.StudyInstanceUID = f"1.2.{number}"
            yield 0xFF00, found
        yield 0x0000, None

    return answer


@pytest.mark.peers
def test_ctrl_c_cancels_the_query_at_the_peer_and_says_so(tmp_path: Path) -> None:
    heard: list[str] = []
    entity = AE("PACS1")
    entity.add_supported_context(STUDY_ROOT_FIND)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, slow_answers(heard))])
    assert server is not None
    words = ["find", "--at", f"PACS1@127.0.0.1:{server.server_address[1]}", "--json", "--data", str(tmp_path)]
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "radfuse", *words],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            began = process.stdout.readline() + process.stdout.readline()
            process.send_signal(signal.SIGINT)
            rest, said = process.stdout.read(), process.stderr.read()
    finally:
        server.shutdown()
    assert heard == ["cancel"]
    assert process.returncode == 1
    count = len(json.loads(began + rest))
    assert 0 < count < 2000
    assert said.splitlines() == [
        "radfuse: cancelling at the peer; press Ctrl-C again to end at once",
        f"radfuse: cancelled: these are the {count} answers that came before",
    ]
