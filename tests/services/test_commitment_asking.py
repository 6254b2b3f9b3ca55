"""Asking peers to commit: pynetdicom as the SCP that answers in every way."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE, evt

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError, JobNotInState, NotAllowed
from radfuse.jobs import ItemState, Job, Jobs, JobState, NewItem, NewJob, run_next
from radfuse.services import import_media
from radfuse.services.associating import Caller
from radfuse.services.commitment import (
    Commitments,
    CommitmentSurroundings,
    Outcome,
    Reference,
    Report,
    references_of_send,
    references_to,
    submit_commit,
)
from radfuse.services.commitment.asking import COMMIT_KIND, run_commit
from radfuse.services.commitment.model import COMMITTED, PUSH_MODEL, PUSH_MODEL_INSTANCE, TransactionState
from radfuse.services.peers import Peer, Peers
from radfuse.services.send import objects_of_studies
from radfuse.services.stored_objects import objects_named
from radfuse.wire import Limits
from tests.support.generate import CT_IMAGE, STUDY_UID, GeneratedSet

pytestmark = pytest.mark.peers

LIMITS = Limits(connect_s=5, response_s=10, idle_s=10, close_wait_s=1)
ONE, TWO = Reference(CT_IMAGE, "1.2.1", b"digest-one"), Reference(CT_IMAGE, "1.2.2", b"digest-two")

Answer = Callable[[Any, Dataset], int]
"""What the SCP does about a request: the status to answer; what it does later it does in a thread."""


@dataclass
class Scene:
    """Our half: queue, records, peers."""

    jobs: Jobs
    peers: Peers
    threads: list[threading.Thread] = field(default_factory=list)
    wait_s: float = 10.0

    @property
    def records(self) -> Commitments:
        return Commitments(self.jobs)

    def later(self, do: Callable[[], object], after_s: float = 0.1) -> None:
        """What a peer does after it has answered."""

        def run() -> None:
            time.sleep(after_s)
            do()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def ask(self, peer: Peer, *references: Reference) -> Job:
        """The job, after its first attempt."""
        return self.run(submit_commit(self.jobs, peer, references or (ONE, TWO), "NODE"))

    def run(self, job_id: int) -> Job:
        surroundings = CommitmentSurroundings(
            self.records, self.peers, _no_archive, lambda _peer, title: Caller(title, LIMITS), self.wait_s
        )
        return run_next(self.jobs, {COMMIT_KIND: lambda context: run_commit(context, surroundings)}, job_id)

    def items(self, job: Job) -> list[tuple[str, ItemState, int | None]]:
        return [(item.name, item.state, item.status) for item in self.jobs.items(job.id)]


def _no_archive(_database: str) -> Archive:
    raise AssertionError("asking needs no archive")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with contextlib.closing(Jobs(tmp_path)) as jobs, contextlib.closing(Peers(tmp_path)) as peers:
        made = Scene(jobs, peers)
        yield made
        for thread in made.threads:
            thread.join(10)


@contextlib.contextmanager
def answering(scene: Scene, answer: Answer) -> Iterator[Peer]:
    """The peer pacs, which answers requests as ``answer`` says."""

    def act(event: evt.Event) -> tuple[int, None]:
        request: Any = event.request
        assert request.RequestedSOPInstanceUID == PUSH_MODEL_INSTANCE
        return answer(event.assoc, event.action_information), None

    ae = AE("PACS")
    ae.add_supported_context(PUSH_MODEL)
    server: Any = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_ACTION, act)])
    scene.peers.add(Peer.parse(f"PACS@127.0.0.1:{server.server_address[1]}", "pacs"))
    try:
        yield scene.peers.by_name("pacs")
    finally:
        server.shutdown()


def report(request: Dataset, failed: dict[str, int] | None = None, uid: str = "") -> Dataset:
    """The report of a peer that has everything but what ``failed`` names."""
    ds = Dataset()
    ds.TransactionUID = uid or request.TransactionUID
    items = list(request.ReferencedSOPSequence)
    ds.ReferencedSOPSequence = Sequence(item for item in items if item.ReferencedSOPInstanceUID not in (failed or {}))
    if failed:
        ds.FailedSOPSequence = Sequence()
        for item in items:
            if (reason := failed.get(item.ReferencedSOPInstanceUID)) is not None:
                item.FailureReason = reason
                ds.FailedSOPSequence.append(item)
    return ds


def tell(association: Any, ds: Dataset, statuses: list[int] | None = None) -> None:
    event = 2 if "FailedSOPSequence" in ds else 1
    status, _ = association.send_n_event_report(ds, event, PUSH_MODEL, PUSH_MODEL_INSTANCE)
    if statuses is not None:
        statuses.append(status.Status)


def test_a_report_on_the_association_that_asked_is_noted(scene: Scene) -> None:
    asked: list[Dataset] = []
    statuses: list[int] = []

    def answer(association: Any, request: Dataset) -> int:
        asked.append(request)
        scene.later(lambda: tell(association, report(request), statuses))
        return 0

    with answering(scene, answer) as peer:
        job = scene.ask(peer)
    assert (job.state, job.counts.sent) == (JobState.DONE, 2)
    assert job.message == "pacs has committed to 2 objects"
    (request,) = asked
    assert [(item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) for item in request.ReferencedSOPSequence] == [
        (CT_IMAGE, "1.2.1"),
        (CT_IMAGE, "1.2.2"),
    ]
    assert statuses == [0]
    assert scene.records.is_committed("1.2.1", "pacs", b"digest-one")
    assert scene.records.named(request.TransactionUID)[0].state is TransactionState.ANSWERED


def test_each_object_that_the_peer_does_not_have_fails_with_its_reason(scene: Scene) -> None:
    def answer(association: Any, request: Dataset) -> int:
        scene.later(lambda: tell(association, report(request, {"1.2.2": 0x0112})))
        return 0

    with answering(scene, answer) as peer:
        job = scene.ask(peer)
    assert scene.items(job) == [("1.2.1", ItemState.SENT, None), ("1.2.2", ItemState.FAILED, 0x0112)]
    assert (job.state, "no such object instance" in job.message) == (JobState.FAILED, True)
    assert scene.records.is_committed("1.2.1")
    assert not scene.records.is_committed("1.2.2")


def test_a_report_that_our_node_takes_meanwhile_ends_the_waiting(scene: Scene) -> None:
    def answer(association: Any, request: Dataset) -> int:
        outcomes = tuple(Outcome(one, COMMITTED) for one in (ONE, TWO))
        scene.later(lambda: scene.records.settle(Report(request.TransactionUID, outcomes), "PACS"))
        return 0

    with answering(scene, answer) as peer:
        job = scene.ask(peer)
    assert (job.state, job.counts.sent) == (JobState.DONE, 2)


def test_a_peer_that_goes_away_after_its_answer_may_report_later(scene: Scene) -> None:
    def answer(association: Any, request: Dataset) -> int:
        scene.later(association.abort)
        outcomes = (Outcome(ONE, COMMITTED), Outcome(TWO, COMMITTED))
        scene.later(lambda: scene.records.settle(Report(request.TransactionUID, outcomes), "PACS"), 0.5)
        return 0

    with answering(scene, answer) as peer:
        assert scene.ask(peer).state is JobState.DONE


def test_without_a_report_the_job_ends_with_warnings_and_the_request_stays_open(scene: Scene) -> None:
    scene.wait_s = 0.3
    with answering(scene, lambda _association, _request: 0) as peer:
        job = scene.ask(peer)
    assert (job.state, job.counts.warned) == (JobState.DONE, 2)
    assert "no result yet" in scene.jobs.items(job.id)[0].comment
    (transaction,) = scene.records.newest()
    assert transaction.state is TransactionState.ASKED
    assert transaction.is_overdue(time.time() + 2, after_s=1)
    assert not scene.records.is_committed("1.2.1")
    outcomes = (Outcome(ONE, COMMITTED), Outcome(TWO, COMMITTED))
    scene.records.settle(Report(transaction.uid, outcomes), "PACS")
    assert scene.records.is_committed("1.2.1", "pacs")


def test_a_foreign_report_is_refused_and_the_waiting_goes_on(scene: Scene) -> None:
    statuses: list[int] = []

    def answer(association: Any, request: Dataset) -> int:
        def both() -> None:
            tell(association, report(request, uid="1.2.3.4"), statuses)
            tell(association, report(request), statuses)

        scene.later(both)
        return 0

    with answering(scene, answer) as peer:
        assert scene.ask(peer).state is JobState.DONE
    assert statuses == [0x0110, 0]


@pytest.mark.parametrize("status", [0x0110, 0x0112, 0x0124, 0x0213])
def test_a_refused_request_fails_the_job_with_the_status(scene: Scene, status: int) -> None:
    with answering(scene, lambda _association, _request: status) as peer:
        job = scene.ask(peer)
    assert (job.state, f"{status:04X}" in job.message) == (JobState.FAILED, True)
    (transaction,) = scene.records.newest()
    assert (transaction.state, transaction.status) == (TransactionState.REFUSED, status)
    assert job.counts.pending == 2


def test_a_peer_that_is_down_is_asked_again_later(scene: Scene) -> None:
    with answering(scene, lambda _association, _request: 0) as peer:
        pass
    job = scene.ask(peer)
    assert (job.state, job.message.startswith("pacs cannot be reached")) == (JobState.WAITING, True)
    assert not scene.records.newest()

    def answer(association: Any, request: Dataset) -> int:
        scene.later(lambda: tell(association, report(request)))
        return 0

    with answering(scene, answer):
        assert scene.run(job.id).state is JobState.DONE


def test_a_peer_without_the_service_fails_the_job(scene: Scene) -> None:
    ae = AE("PACS")
    ae.add_supported_context(CT_IMAGE)
    server: Any = ae.start_server(("127.0.0.1", 0), block=False)
    try:
        job = scene.ask(Peer.parse(f"PACS@127.0.0.1:{server.server_address[1]}"))
    finally:
        server.shutdown()
    assert (job.state, "Storage Commitment" in job.message) == (JobState.FAILED, True)


def test_many_objects_are_asked_for_in_several_requests(scene: Scene) -> None:
    sizes: list[int] = []

    def answer(association: Any, request: Dataset) -> int:
        sizes.append(len(request.ReferencedSOPSequence))
        ds = report(request)
        scene.later(lambda: tell(association, ds))
        return 0

    with answering(scene, answer) as peer:
        job = scene.ask(peer, *(Reference(CT_IMAGE, f"1.2.3.{number}") for number in range(2001)))
    assert (job.state, job.counts.sent, sizes) == (JobState.DONE, 2001, [2000, 1])


def test_a_peer_that_is_not_to_be_asked_is_not(scene: Scene) -> None:
    with answering(scene, lambda _association, _request: 0) as peer:
        with pytest.raises(NotAllowed):
            submit_commit(scene.jobs, replace(peer, commit=False), [ONE], "NODE")
        with pytest.raises(ConfigurationError):
            submit_commit(scene.jobs, peer, [], "NODE")
        job_id = submit_commit(scene.jobs, peer, [ONE], "NODE")
        scene.peers.add(replace(peer, commit=False))
        assert scene.run(job_id).state is JobState.FAILED
    assert not scene.records.newest()


def test_references_carry_the_digest_of_our_copy(archive: Archive, generated_set: GeneratedSet) -> None:
    assert len(list(import_media.import_files(archive, generated_set.ct))) == 5
    objects = objects_of_studies(archive, [STUDY_UID])
    assert references_to(objects) == [Reference(CT_IMAGE, stored.sop_instance_uid, stored.digest) for stored in objects]
    assert all(stored.digest for stored in objects)


def test_a_send_job_names_what_it_has_sent(scene: Scene, archive: Archive, generated_set: GeneratedSet) -> None:
    assert len(list(import_media.import_files(archive, generated_set.ct))) == 5
    uids = [f"2.25.7100.1.{number}" for number in (1, 2, 3)]
    items = [NewItem(uid) for uid in uids] + [NewItem("2.25.7100.1.4", str(generated_set.ct[3])), NewItem("9.9")]

    def send(context: Any) -> None:
        for item in context.pending():
            context.record(item.number, ItemState.FAILED if item.name == uids[2] else ItemState.SENT)

    job_id = scene.jobs.submit(NewJob("send", "lane", "title", {}, items))
    with pytest.raises(JobNotInState):
        references_of_send(scene.jobs, job_id, archive)
    run_next(scene.jobs, {"send": send}, job_id)
    kept = objects_named(archive, uids)
    assert references_of_send(scene.jobs, job_id, archive) == [
        Reference(CT_IMAGE, uids[0], kept[uids[0]].digest),
        Reference(CT_IMAGE, uids[1], kept[uids[1]].digest),
        Reference(CT_IMAGE, "2.25.7100.1.4"),
    ]
    other = scene.jobs.submit(NewJob("retrieve", "lane", "title"))
    with pytest.raises(ConfigurationError):
        references_of_send(scene.jobs, other, archive)
