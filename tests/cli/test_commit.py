"""commit and commit show, with pynetdicom as the peer that promises."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE, StoragePresentationContexts, evt

from radfuse.jobs import Jobs
from radfuse.services.commitment import Commitments, Outcome, Reference, Request
from radfuse.services.commitment.model import Partner
from tests.cli.conftest import Run
from tests.support.generate import CT_IMAGE, STUDY_UID, GeneratedSet

pytestmark = pytest.mark.peers

PUSH_MODEL = "1.2.840.10008.1.20.1"
CT_UIDS = [f"2.25.7100.1.{number}" for number in range(1, 6)]


@dataclass
class Pacs:
    """A peer that stores, and commits to all but the ``missing`` objects; ``silent``: it never reports."""

    missing: tuple[str, ...] = ()
    silent: bool = False
    callers: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    address: str = ""

    def act(self, event: evt.Event) -> tuple[int, None]:
        self.callers.append(str(event.assoc.requestor.ae_title))
        request, association = event.action_information, event.assoc
        if not self.silent:
            self.threads.append(threading.Thread(target=self._report, args=(association, request)))
            self.threads[-1].start()
        return 0, None

    def _report(self, association: Any, request: Dataset) -> None:
        time.sleep(0.2)
        ds = Dataset()
        ds.TransactionUID = request.TransactionUID
        ds.ReferencedSOPSequence, ds.FailedSOPSequence = Sequence(), Sequence()
        for item in request.ReferencedSOPSequence:
            if item.ReferencedSOPInstanceUID in self.missing:
                item.FailureReason = 0x0112
                ds.FailedSOPSequence.append(item)
            else:
                ds.ReferencedSOPSequence.append(item)
        association.send_n_event_report(ds, 2 if self.missing else 1, PUSH_MODEL, f"{PUSH_MODEL}.1")


@contextlib.contextmanager
def running(pacs: Pacs) -> Iterator[Pacs]:
    ae = AE("PACS")
    ae.supported_contexts = StoragePresentationContexts
    ae.add_supported_context(PUSH_MODEL)
    handlers: Any = [(evt.EVT_N_ACTION, pacs.act), (evt.EVT_C_STORE, lambda _event: 0)]
    server: Any = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    pacs.address = f"PACS@127.0.0.1:{server.server_address[1]}"
    try:
        yield pacs
    finally:
        for thread in pacs.threads:
            thread.join(10)
        server.shutdown()


@pytest.fixture
def filled(run: Run, generated_set: GeneratedSet) -> None:
    assert run("import", generated_set.root / "ct").code == 0


@pytest.mark.usefixtures("filled")
def test_a_study_is_committed_and_shown(run: Run) -> None:
    with running(Pacs()) as pacs:
        run("peers", "add", "pacs", pacs.address)
        answer = run("commit", "--study", STUDY_UID, "--at", "pacs")
        assert (answer.code, answer.out) == (0, "5 committed by pacs, 0 not committed\n"), answer.err
        assert pacs.callers == ["TESTER"]
    shown = run("commit", "show", CT_UIDS[0])
    assert shown.out.startswith("Held safely by pacs.\n")
    (held,) = run("commit", "show", CT_UIDS[0], "--json").json["CommittedBy"]
    assert (held["Peer"], held["AETitle"]) == ("pacs", "PACS")
    (listed,) = run("commit", "show", "--json").json
    assert (listed["State"], listed["Committed"], listed["Objects"]) == ("answered", 5, 5)
    uid = listed["TransactionUID"]
    assert "5 committed, 0 failed, of 5" in run("commit", "show", "--transaction", uid).out
    instances = run("commit", "show", "--transaction", uid, "--json").json["Instances"]
    assert [(one["SOPInstanceUID"], one["Result"]) for one in instances] == [(uid, "committed") for uid in CT_UIDS]


@pytest.mark.usefixtures("filled")
def test_what_the_peer_does_not_have_is_said_and_ends_with_1(run: Run) -> None:
    with running(Pacs(missing=(CT_UIDS[1],))) as pacs:
        answer = run("commit", "--study", STUDY_UID, "--at", pacs.address)
    assert (answer.code, answer.out) == (1, "4 committed by PACS, 1 not committed\n")
    assert f"not committed: {CT_UIDS[1]}: no such object instance" in answer.err
    assert "No peer has said that it holds this object safely." in run("commit", "show", CT_UIDS[1]).out


@pytest.mark.usefixtures("filled")
def test_a_report_that_does_not_come_is_said_and_is_overdue_one_day(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADFUSE_COMMITMENT__WAIT_S", "0.2")
    with running(Pacs(silent=True)) as pacs:
        answer = run("commit", "--study", STUDY_UID, "--at", pacs.address, "--from", "OTHER")
        assert pacs.callers == ["OTHER"]
    assert answer.code == 1
    assert answer.out == "0 committed by PACS, 5 asked for without an answer yet, 0 not committed\n"
    assert [row["State"] for row in run("commit", "show", "--json").json] == ["asked"]
    monkeypatch.setenv("RADFUSE_COMMITMENT__OVERDUE_HOURS", "0.0000001")
    assert [row["State"] for row in run("commit", "show", "--json").json] == ["overdue"]


@pytest.mark.usefixtures("filled")
def test_what_a_send_job_has_sent_is_asked_for_where_it_went(run: Run) -> None:
    with running(Pacs()) as pacs:
        run("peers", "add", "pacs", pacs.address)
        sent = run("send", "--study", STUDY_UID, "--to", "pacs", "--json")
        assert sent.code == 0, sent.err
        answer = run("commit", "--job", str(sent.json["JobID"]), "--json")
    assert (answer.code, answer.json["State"], answer.json["Sent"]) == (0, "done", 5)
    assert {one["SOPInstanceUID"] for one in answer.json["Instances"]} == set(CT_UIDS)


@pytest.mark.usefixtures("filled")
def test_a_job_may_be_left_to_a_worker(run: Run) -> None:
    answer = run("commit", "--study", STUDY_UID, "--at", "PACS@127.0.0.1:104", "--no-wait")
    assert answer.out.startswith("job 1 is queued: ask PACS to commit 5 objects.")
    (job,) = run("jobs", "list", "--json").json
    assert (job["Kind"], job["State"], job["Pending"]) == ("commit", "queued", 5)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("commit",), "either --study UID or --job ID"),
        (("commit", "--study", "1.2", "--job", "1"), "either --study UID or --job ID"),
        (("commit", "--study", "1.2"), "--study needs --at PEER"),
        (("commit", "--study", "1.2", "--at", "PACS@127.0.0.1:104", "--from", "A\\B"), "not a valid AE title"),
        (("commit", "show", "1.2", "--transaction", "1.3"), "either SOP-UID or --transaction UID"),
        (("commit", "--at", "pacs", "show"), "options go after 'show'"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_wrong_use_is_said(run: Run, words: tuple[str, ...], told: str) -> None:
    answer = run(*words)
    assert (answer.code, told in answer.err) == (2, True), answer.err


@pytest.mark.usefixtures("filled")
def test_what_cannot_be_asked_for_says_why(run: Run) -> None:
    assert "the archive has no study 1.2" in run("commit", "--study", "1.2", "--at", "PACS@127.0.0.1:104").err
    assert "there is no job 7" in run("commit", "--job", "7").err
    assert "unknown peer 'nobody'" in run("commit", "--study", STUDY_UID, "--at", "nobody").err
    run("peers", "add", "pacs", "PACS@127.0.0.1:104", "--no-ask")
    assert "does not allow" in run("commit", "--study", STUDY_UID, "--at", "pacs").err
    assert run("jobs", "list", "--json").json == []


def test_nothing_yet_is_said(run: Run, tmp_path: Path) -> None:
    assert run("commit", "show").out.startswith("No storage commitment yet.")
    assert run("commit", "show", "1.2").out.startswith("Nobody was asked")
    assert "there is no transaction 1.2" in run("commit", "show", "--transaction", "1.2").err
    assert not (tmp_path / "data").exists()


def test_what_we_promised_is_shown_as_ours(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with contextlib.closing(Jobs(data)) as jobs:
        records = Commitments(jobs)
        reference = Reference(CT_IMAGE, "1.2.1")
        taken = records.take(Partner("", "PACS", "TESTER"), Request("1.2.9", (reference,)), "", 0, lambda _: None)
        records.note_results(taken.id, [Outcome(reference, 0)])
        asked = records.begin(Partner("pacs", "PACS", "TESTER"), [reference], "")
        records.note_answer(asked.id, 0x0124)
    history = run("commit", "show", "1.2.1", "--json").json["History"]
    assert [(row["Peer"], row["Role"], row["Result"], row["State"]) for row in history] == [
        ("PACS", "promised", "committed", "taken"),
        ("pacs", "asked", "no result yet", "refused with status 0124"),
    ]
