"""Sending as a job: its truth table, its states, and what a restart sends again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError
from radfuse.dicom import Transcoder
from radfuse.jobs import Counts, ItemState, JobContext, Jobs, JobState, run_next
from radfuse.services.associating import Caller, title_to
from radfuse.services.context_lists import ContextLists
from radfuse.services.import_media import import_files
from radfuse.services.peers import Peer, Peers
from radfuse.services.send import file_object, objects_of_studies
from radfuse.services.send_job import SEND, SendSurroundings, run_send, submit_send
from radfuse.wire import Association, Message
from tests.services.storage_scenes import QUICK, Accepts, Answers, peer_at
from tests.support.generate import CT_IMAGE, MR_IMAGE, STUDY_UID, GeneratedSet
from tests.wire.scenes import Node

SECOND = "2.25.7100.1.2"
SENT, WARNED, FAILED, PENDING = ItemState.SENT, ItemState.WARNED, ItemState.FAILED, ItemState.PENDING


class Desk:
    """A queue, the peers and lists of a data folder, and an archive: where send jobs are made and run."""

    def __init__(self, folder: Path, archive: Archive, transcoder: Transcoder) -> None:
        self.jobs = Jobs(folder)
        self.peers = Peers(folder)
        self.lists = ContextLists(folder)
        self.opened: list[str] = []
        self._archive = archive
        self.surroundings = SendSurroundings(self._open, self.peers, self.lists, self._caller, transcoder)

    def _open(self, name: str) -> Archive:
        self.opened.append(name)
        return self._archive

    def _caller(self, peer: Peer, title: str) -> Caller:
        return Caller(title or title_to(peer, "NODE", "RADFUSE_SCU"), QUICK)

    def add(self, peer: Peer) -> Peer:
        """Configure a peer."""
        self.peers.add(peer)
        return self.peers.by_name(peer.name)

    def run(self, job: int) -> tuple[JobState, str]:
        """One attempt; the state and the message after it."""
        after = run_next(self.jobs, {SEND: self.kind}, job)
        return after.state, after.message

    def kind(self, context: JobContext) -> None:
        """The kind "send"."""
        run_send(context, self.surroundings)

    def table(self, job: int) -> list[tuple[ItemState, int | None]]:
        """State and status of every item."""
        return [(item.state, item.status) for item in self.jobs.items(job)]

    def close(self) -> None:
        """Close the databases."""
        self.jobs.close()
        self.peers.close()
        self.lists.close()


@pytest.fixture
def desk(tmp_path: Path, archive: Archive) -> Iterator[Desk]:
    """A desk of its own for every test."""
    (tmp_path / "data").mkdir()
    with Transcoder() as transcoder:
        made = Desk(tmp_path / "data", archive, transcoder)
        yield made
        made.close()


def test_a_job_is_done_when_every_object_of_the_archive_is_acknowledged(
    desk: Desk, archive: Archive, generated_set: GeneratedSet
) -> None:
    list(import_files(archive, generated_set.files))
    answers = Answers({SECOND: 0xB000})
    with Node(answers) as node:
        peer = desk.add(peer_at(node.address))
        job = submit_send(desk.jobs, peer, objects_of_studies(archive, [STUDY_UID]))
        assert (desk.jobs.get(job).title, desk.jobs.get(job).lane) == ("19 objects to pacs", "pacs")
        assert desk.run(job) == (JobState.DONE, "")
    assert desk.jobs.get(job).counts == Counts(pending=0, sent=18, warned=1, failed=0)
    assert sorted(status or 0 for _, status in desk.table(job)) == [0] * 18 + [0xB000]
    assert {item.name for item in desk.jobs.items(job)} == set(answers.received)
    assert desk.opened == ["default"]


def test_files_are_sent_without_an_archive(desk: Desk, generated_set: GeneratedSet) -> None:
    with Node(Answers()) as node:
        peer = desk.add(peer_at(node.address))
        job = submit_send(desk.jobs, peer, [file_object(path) for path in generated_set.ct])
        assert desk.run(job)[0] is JobState.DONE
    assert [item.where for item in desk.jobs.items(job)] == [str(path) for path in generated_set.ct]
    assert desk.opened == []


def test_who_we_are_and_what_is_proposed_are_settings_of_the_job_and_of_the_peer(
    desk: Desk, generated_set: GeneratedSet
) -> None:
    files = [file_object(generated_set.ct[0])]
    with Node(Answers()) as node:
        node.policy = policy = Accepts()  # type: ignore[assignment]
        peer = desk.add(peer_at(node.address))
        for title, contexts in (("", ""), ("OTHER", ""), ("", "xd")):
            job = submit_send(desk.jobs, peer, files, from_title=title, context_list=contexts)
            assert desk.run(job)[0] is JobState.DONE
    assert [request.calling_ae_title for request in policy.requests] == ["NODE", "OTHER", "RADFUSE_SCU"]
    assert [bool(request.extended_negotiation) for request in policy.requests] == [False, False, True]


def test_the_node_tries_again_and_the_workstation_does_not(desk: Desk, generated_set: GeneratedSet) -> None:
    files = [file_object(generated_set.ct[0])]
    peer = desk.add(peer_at(("127.0.0.1", 1), retry_delay_s=7.0))
    as_node = desk.jobs.get(submit_send(desk.jobs, peer, files)).retry
    as_workstation = desk.jobs.get(submit_send(desk.jobs, peer, files, context_list="xd")).retry
    told = desk.jobs.get(submit_send(desk.jobs, replace(peer, retries=2), files, context_list="xd")).retry
    assert [(retry.count, retry.delay_s) for retry in (as_node, as_workstation, told)] == [(5, 7.0), (0, 7.0), (2, 7.0)]


def test_a_peer_that_is_down_is_waited_for_and_then_gets_everything(
    desk: Desk, generated_set: GeneratedSet, free_port: int
) -> None:
    files = [file_object(path) for path in generated_set.ct]
    job = submit_send(desk.jobs, desk.add(peer_at(("127.0.0.1", free_port))), files)
    state, message = desk.run(job)
    assert state is JobState.WAITING
    assert f"pacs cannot be reached or has closed the connection (connection refused). Check that a DICOM node listens at 127.0.0.1 port {free_port}" in message  # fmt: skip  # noqa: E501
    assert desk.table(job) == [(PENDING, None)] * 5
    with Node(Answers()) as node:
        desk.add(peer_at(node.address))
        assert desk.run(job)[0] is JobState.DONE
    assert desk.table(job) == [(SENT, 0)] * 5


def test_without_retries_a_peer_that_is_down_fails_the_job_and_the_user_restarts_it(
    desk: Desk, generated_set: GeneratedSet, free_port: int
) -> None:
    files = [file_object(path) for path in generated_set.ct]
    job = submit_send(desk.jobs, desk.add(peer_at(("127.0.0.1", free_port), retries=0)), files)
    assert desk.run(job)[0] is JobState.FAILED
    with Node(Answers()) as node:
        desk.add(peer_at(node.address))
        desk.jobs.retry(job)
        assert desk.run(job)[0] is JobState.DONE


def test_what_was_acknowledged_is_never_sent_again(desk: Desk, generated_set: GeneratedSet) -> None:
    files = [file_object(path) for path in generated_set.ct]
    full = Answers({SECOND: 0xA700})
    with Node(full) as node:
        job = submit_send(desk.jobs, desk.add(peer_at(node.address)), files)
        state, message = desk.run(job)
        assert state is JobState.WAITING
        assert (
            message == "pacs answered with status A700, out of resources. Make room there, or wait until it has some."
        )
        assert desk.table(job) == [(SENT, 0), (PENDING, 0xA700), *[(PENDING, None)] * 3]
        full.statuses.clear()
        assert desk.run(job)[0] is JobState.DONE
    assert full.order == ["2.25.7100.1.1", SECOND, SECOND, "2.25.7100.1.3", "2.25.7100.1.4", "2.25.7100.1.5"]


def test_a_refusing_status_fails_the_job_and_a_restart_goes_on_there(desk: Desk, generated_set: GeneratedSet) -> None:
    files = [file_object(path) for path in generated_set.ct]
    picky = Answers({SECOND: 0xA900}, "no such patient")
    with Node(picky) as node:
        job = submit_send(desk.jobs, desk.add(peer_at(node.address)), files)
        state, message = desk.run(job)
        assert (state, message) == (
            JobState.FAILED,
            "pacs answered with status A900, data set does not match SOP class (no such patient). "
            "Its log says why it refused the object.",
        )
        assert desk.table(job) == [(SENT, 0), (FAILED, 0xA900), *[(PENDING, None)] * 3]
        assert desk.jobs.items(job, (FAILED,))[0].comment == "no such patient"
        picky.statuses.clear()
        desk.jobs.retry(job)
        assert desk.run(job)[0] is JobState.DONE
    assert picky.order.count("2.25.7100.1.1") == 1


def test_a_killed_attempt_sends_only_what_was_not_recorded(desk: Desk, generated_set: GeneratedSet) -> None:
    class Killed(BaseException):
        """What no handler catches, as a SIGKILL would not be."""

    answers = Answers()
    files = [file_object(path) for path in generated_set.ct]

    def dies_after_two(context: JobContext) -> None:
        record = context.record

        def killing(item_number: int, state: ItemState, status: int | None = None, comment: str = "") -> None:
            record(item_number, state, status, comment)
            context.flush()
            if item_number == 2:
                raise Killed

        context.record = killing  # type: ignore[method-assign]
        run_send(context, desk.surroundings)

    with Node(answers) as node:
        job = submit_send(desk.jobs, desk.add(peer_at(node.address)), files)
        with pytest.raises(Killed):
            run_next(desk.jobs, {SEND: dies_after_two}, job)
        assert desk.table(job) == [(SENT, 0), (SENT, 0), *[(PENDING, None)] * 3]
        context = JobContext(desk.jobs.engine, desk.jobs.get(job))
        run_send(context, desk.surroundings)
        context.flush()
    assert desk.table(job) == [(SENT, 0)] * 5
    # The third was under way when the second was written down: it comes again, what was written down does not.
    assert answers.order == [f"2.25.7100.1.{number}" for number in (1, 2, 3, 3, 4, 5)]


def test_a_cancelled_job_stops_between_objects(desk: Desk, generated_set: GeneratedSet) -> None:
    answers = Answers()
    files = [file_object(path) for path in generated_set.ct]

    def cancelling(association: Association, message: Message) -> None:
        answers(association, message)
        desk.jobs.cancel(1)

    def slow_kind(context: JobContext) -> None:
        context.should_stop = lambda: desk.jobs.get(1).state is JobState.CANCELLED  # type: ignore[method-assign]
        run_send(context, desk.surroundings)

    with Node(cancelling) as node:
        job = submit_send(desk.jobs, desk.add(peer_at(node.address)), files)
        assert job == 1
        assert run_next(desk.jobs, {SEND: slow_kind}, job).state is JobState.CANCELLED
    assert len(answers.order) < 5


def test_instances_that_vanished_fail_with_their_sentence_and_the_others_are_sent(
    desk: Desk, archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    list(import_files(archive, generated_set.ct))
    stored = [*objects_of_studies(archive, [STUDY_UID])]
    copy, other = tmp_path / "copy.dcm", tmp_path / "other.dcm"
    for path in (copy, other):
        path.write_bytes(generated_set.mr[0].read_bytes())
    files = [file_object(copy), file_object(other)]
    gone = replace(stored[0], sop_instance_uid="2.25.404")
    with Node(Answers()) as node:
        job = submit_send(desk.jobs, desk.add(peer_at(node.address)), [*stored, gone, *files])
        copy.unlink()
        other.write_bytes(generated_set.mr[1].read_bytes())
        state, _ = desk.run(job)
    assert state is JobState.FAILED
    assert desk.jobs.get(job).counts == Counts(pending=0, sent=5, warned=0, failed=3)
    assert [item.comment for item in desk.jobs.items(job, (FAILED,))] == [
        "the archive no longer has the object",
        "the file is no longer there",
        "the file holds another object than when the job was made",
    ]


def test_a_refused_class_fails_the_job_whole(desk: Desk, generated_set: GeneratedSet) -> None:
    answers = Answers()
    with Node(answers) as node:
        node.policy = Accepts(refused_classes=[MR_IMAGE])  # type: ignore[assignment]
        files = [file_object(generated_set.ct[0]), file_object(generated_set.mr[0])]
        job = submit_send(desk.jobs, desk.add(peer_at(node.address)), files)
        state, message = desk.run(job)
    assert state is JobState.FAILED
    assert "pacs does not offer MR Image Storage" in message
    assert desk.table(job) == [(PENDING, None), (FAILED, None)]
    assert answers.order == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda desk: desk.peers.remove("pacs"), "unknown peer 'pacs'; add it with"),
        (lambda desk: desk.add(replace(desk.peers.by_name("pacs"), send=False)), "sending to pacs is turned off"),
    ],
)
def test_a_peer_that_was_removed_or_closed_fails_the_job(
    desk: Desk, generated_set: GeneratedSet, change: Callable[[Desk], object], sentence: str
) -> None:
    peer = desk.add(peer_at(("127.0.0.1", 9)))
    job = submit_send(desk.jobs, peer, [file_object(generated_set.ct[0])])
    change(desk)
    state, message = desk.run(job)
    assert state is JobState.FAILED
    assert sentence in message


def test_impossible_jobs_are_refused_at_once(desk: Desk, generated_set: GeneratedSet) -> None:
    peer = peer_at(("127.0.0.1", 9))
    with pytest.raises(ConfigurationError, match="nothing to send"):
        submit_send(desk.jobs, peer, [])
    with pytest.raises(ConfigurationError, match="sending to pacs is turned off"):
        submit_send(desk.jobs, replace(peer, send=False), [file_object(generated_set.ct[0])])
    job = submit_send(desk.jobs, desk.add(peer), [file_object(generated_set.ct[0])], context_list="none")
    assert desk.run(job) == (JobState.FAILED, "context_list: no context list 'none'; known are dbx, xd")


def test_jobs_of_a_peer_that_takes_several_are_spread_over_its_lanes(desk: Desk, generated_set: GeneratedSet) -> None:
    files = [file_object(generated_set.ct[0])]
    peer = desk.add(peer_at(("127.0.0.1", 9), concurrency=3))
    lanes = [desk.jobs.get(submit_send(desk.jobs, peer, files)).lane for _ in range(6)]
    assert lanes == ["pacs/1", "pacs/2", "pacs/3"] * 2


def test_an_address_is_a_peer_too(desk: Desk, generated_set: GeneratedSet) -> None:
    with Node(Answers()) as node:
        peer = desk.peers.by_name(f"PACS@127.0.0.1:{node.address[1]}")
        job = submit_send(desk.jobs, peer, [file_object(generated_set.ct[0])])
        assert desk.run(job)[0] is JobState.DONE
    assert desk.jobs.get(job).lane == peer.address


def test_no_sentence_names_a_patient_or_an_instance(desk: Desk, generated_set: GeneratedSet) -> None:
    with Node(Answers({SECOND: 0xC000})) as node:
        job = submit_send(desk.jobs, desk.add(peer_at(node.address)), [file_object(path) for path in generated_set.ct])
        _, message = desk.run(job)
    assert CT_IMAGE not in message
    assert SECOND not in message
