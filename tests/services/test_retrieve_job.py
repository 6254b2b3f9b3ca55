"""Retrieving as a job, from pynetdicom SCPs that answer in every way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import evt

from radfuse.archive import Archive, ArchiveSettings, InformationModel, SpaceGuard
from radfuse.core.errors import ConfigurationError, NotAllowed
from radfuse.core.levels import Level
from radfuse.core.sop_classes import STUDY_ROOT_FIND, STUDY_ROOT_GET, STUDY_ROOT_MOVE
from radfuse.dicom import Element, Identifier
from radfuse.jobs import Item, ItemState, Job, Jobs, JobState, run_next
from radfuse.services.associating import Caller
from radfuse.services.peers import Peer, Peers
from radfuse.services.retrieve_job import RETRIEVE, Into, RetrieveSurroundings, Wanted, run_retrieve, submit_retrieve
from radfuse.wire import Limits
from tests.jobs.working import until
from tests.services.test_query_peer import scp, sub_operations
from tests.support.generate import CT_IMAGE, GeneratedSet

pytestmark = pytest.mark.peers

STUDY_ROOT = InformationModel.STUDY_ROOT
TWO_STUDIES = Wanted(STUDY_ROOT, Level.STUDY, ("1.2.3", "1.2.4"))
LIMITS = Limits(connect_s=2, response_s=5, idle_s=5, close_wait_s=0.5)

Answer = Callable[[evt.Event], Iterator[Any]]


class Bench:
    """A queue, peers and an archive; ``run`` is one attempt at a job."""

    def __init__(self, folder: Path, archive: Archive) -> None:
        self.jobs = Jobs(folder)
        self.peers = Peers(folder)
        self.archive = archive
        self._surroundings = RetrieveSurroundings(
            lambda _database: self.archive,
            self.peers,
            lambda peer, title: Caller(title or "TESTER", peer.limits(LIMITS)),
        )

    def submit(self, peer: Peer, wanted: Wanted = TWO_STUDIES, **options: Any) -> int:
        """Configure the peer and queue a retrieval from it."""
        self.peers.add(peer)
        return submit_retrieve(self.jobs, self.peers.by_name(peer.name), wanted, **options)

    def run(self, job_id: int, stopping: Callable[[], bool] = lambda: False) -> Job:
        """One attempt."""
        return run_next(
            self.jobs, {RETRIEVE: lambda context: run_retrieve(context, self._surroundings)}, job_id, stopping
        )

    def items(self, job_id: int) -> list[Item]:
        """The truth table."""
        return self.jobs.items(job_id)

    def close(self) -> None:
        """Close the databases."""
        self.jobs.close()
        self.peers.close()


@pytest.fixture
def bench(tmp_path: Path, archive: Archive) -> Iterator[Bench]:
    with contextlib.closing(Bench(tmp_path, archive)) as opened:
        yield opened


def getting(answer: Answer) -> contextlib.AbstractContextManager[Peer]:
    return scp([(evt.EVT_C_GET, answer)], STUDY_ROOT_GET, storage=CT_IMAGE)


def objects(generated_set: GeneratedSet, count: int) -> list[Dataset]:
    return [pydicom.dcmread(path) for path in generated_set.ct[:count]]


def by_study(answers: dict[str, Sequence[Dataset] | int]) -> Answer:
    """Objects for the study that was asked for, or a status."""

    def answer(event: evt.Event) -> Iterator[Any]:
        wanted = answers[str(event.identifier.StudyInstanceUID)]
        if isinstance(wanted, int):
            yield 1
            yield wanted, None
        else:
            yield from sub_operations(wanted)(event)

    return answer


def test_what_was_asked_for_is_one_item_each_in_the_lane_of_its_peer(bench: Bench) -> None:
    peer = Peer.parse("PACS@127.0.0.1:104", "pacs")
    job = bench.jobs.get(bench.submit(replace(peer, retries=2, retry_delay_s=9.0), from_title="US", priority=2))
    assert (job.kind, job.lane, job.title, job.priority) == ("retrieve", "from pacs", "2 x study from pacs", 2)
    assert (job.retry.count, job.retry.delay_s) == (2, 9.0)
    assert job.parameters == {
        "peer": "pacs",
        "from": "US",
        "model": "STUDY_ROOT",
        "level": "STUDY",
        "keys": {},
        "how": "get",
        "destination": "",
        "database": "default",
    }
    assert [item.name for item in bench.items(job.id)] == ["1.2.3", "1.2.4"]


def test_a_peer_that_is_not_configured_is_kept_by_its_address(bench: Bench) -> None:
    peer = Peer.parse("PACS@127.0.0.1:104")
    job = bench.jobs.get(submit_retrieve(bench.jobs, peer, TWO_STUDIES))
    assert (job.lane, job.parameters["peer"]) == ("from PACS@127.0.0.1:104", "PACS@127.0.0.1:104")
    assert bench.peers.by_name(job.parameters["peer"]) == peer


def test_every_study_that_came_is_done(bench: Bench, archive: Archive, generated_set: GeneratedSet) -> None:
    five = objects(generated_set, 5)
    with getting(by_study({"1.2.3": five[:3], "1.2.4": five[3:]})) as peer:
        job = bench.run(bench.submit(replace(peer, query=False)))
    assert job.state is JobState.DONE
    assert [(item.state, item.status, item.comment) for item in bench.items(job.id)] == [
        (ItemState.SENT, 0, "3 objects"),
        (ItemState.SENT, 0, "2 objects"),
    ]
    with archive.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM instance").scalar() == 5


def test_a_study_of_which_an_object_failed_fails_with_its_uid_and_the_others_go_on(
    bench: Bench, generated_set: GeneratedSet
) -> None:
    five = objects(generated_set, 5)
    five[1].StudyInstanceUID = ""
    with getting(by_study({"1.2.3": five[:3], "1.2.4": five[3:]})) as peer:
        job = bench.run(bench.submit(replace(peer, query=False)))
    first, second = bench.items(job.id)
    assert (first.state, first.status) == (ItemState.FAILED, 0xB000)
    assert first.comment == "1 of 3 objects failed: 2.25.7100.1.2"
    assert second.state is ItemState.SENT
    assert job.state is JobState.FAILED
    assert job.message == "1 of 2 failed: 1 of 3 objects failed: 2.25.7100.1.2"


def test_a_study_that_the_peer_does_not_have_is_a_warning(bench: Bench, generated_set: GeneratedSet) -> None:
    with getting(by_study({"1.2.3": [], "1.2.4": objects(generated_set, 1)})) as peer:
        job = bench.run(bench.submit(replace(peer, query=False)))
    first, second = bench.items(job.id)
    assert (first.state, first.comment) == (ItemState.WARNED, "the peer has nothing of this")
    assert second.state is ItemState.SENT
    assert job.state is JobState.DONE


def test_a_status_of_failure_fails_its_study_and_the_others_go_on(bench: Bench, generated_set: GeneratedSet) -> None:
    with getting(by_study({"1.2.3": 0xA900, "1.2.4": objects(generated_set, 1)})) as peer:
        job = bench.run(bench.submit(replace(peer, query=False)))
    first, second = bench.items(job.id)
    assert (first.state, first.status) == (ItemState.FAILED, 0xA900)
    assert "answered C-GET with status A900" in first.comment
    assert second.state is ItemState.SENT
    assert job.state is JobState.FAILED


def test_a_peer_out_of_resources_is_tried_again_and_what_came_is_not_asked_for_twice(
    bench: Bench, generated_set: GeneratedSet
) -> None:
    asked: list[str] = []
    answers: dict[str, Sequence[Dataset] | int] = {"1.2.3": objects(generated_set, 1), "1.2.4": 0xA701}

    def answer(event: evt.Event) -> Iterator[Any]:
        asked.append(str(event.identifier.StudyInstanceUID))
        yield from by_study(answers)(event)

    with getting(answer) as peer:
        job = bench.run(bench.submit(replace(peer, query=False)))
        assert job.state is JobState.WAITING
        assert "It is out of resources" in job.message
        answers["1.2.4"] = objects(generated_set, 2)
        job = bench.run(job.id)
    assert job.state is JobState.DONE
    assert asked == ["1.2.3", "1.2.4", "1.2.4"]


@pytest.mark.parametrize("count", [1, 3])
def test_no_room_here_is_no_fault_of_the_study_and_is_tried_again(
    bench: Bench, generated_set: GeneratedSet, tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = by_study({"1.2.3": objects(generated_set, count)})
    with (
        Archive(ArchiveSettings(tmp_path / "full", space=SpaceGuard(1 << 62, 2.0))) as full,
        getting(answer) as peer,
    ):
        job_id = bench.submit(replace(peer, query=False, retries=1), Wanted(STUDY_ROOT, Level.STUDY, ("1.2.3",)))
        with monkeypatch.context() as patched:
            patched.setattr(bench, "archive", full)
            job = bench.run(job_id)
        assert (job.state, job.counts.pending) == (JobState.WAITING, 1)
        assert job.message == ("There is no room here for what came: make room on the volume of the data folder.")
        assert bench.run(job_id).state is JobState.DONE


def test_a_peer_that_is_down_is_tried_again_until_it_is_there(
    bench: Bench, generated_set: GeneratedSet, free_port: int
) -> None:
    job_id = bench.submit(Peer("peer", Peer.parse("PEER@a:1").ae_title, "127.0.0.1", free_port, retries=1))
    job = bench.run(job_id)
    assert job.state is JobState.WAITING
    assert f"Check that a DICOM node listens at 127.0.0.1 port {free_port}" in job.message
    assert bench.run(job_id).state is JobState.FAILED, "no retries are left"
    bench.jobs.retry(job_id)
    with getting(sub_operations(objects(generated_set, 1))) as peer:
        bench.peers.add(replace(peer, query=False))
        assert bench.run(job_id).state is JobState.DONE


def test_a_peer_that_aborts_in_the_middle_is_tried_again(bench: Bench, generated_set: GeneratedSet) -> None:
    def answer(event: evt.Event) -> Iterator[Any]:
        yield 2
        yield 0xFF00, objects(generated_set, 1)[0]
        event.assoc.abort()
        yield 0x0000, None

    with getting(answer) as peer:
        job = bench.run(bench.submit(replace(peer, query=False)))
    assert job.state is JobState.WAITING
    assert {item.state for item in bench.items(job.id)} == {ItemState.PENDING}


def test_a_peer_without_the_service_fails_the_job_at_once(bench: Bench) -> None:
    with scp([], STUDY_ROOT_FIND) as peer:
        job = bench.run(bench.submit(peer))
    assert job.state is JobState.FAILED
    assert "does not offer Study Root Retrieve (C-GET)" in job.message


def test_a_job_that_the_worker_stops_is_cancelled_at_the_peer_and_goes_on_later(
    bench: Bench, generated_set: GeneratedSet
) -> None:
    ended: list[str] = []
    taken: list[Dataset] = []

    def slow(event: evt.Event) -> Iterator[Any]:
        yield 5
        for ds in objects(generated_set, 5):
            if len(taken) == 3:
                until(lambda: event.is_cancelled)
                ended.append("cancelled")
                yield 0xFE00, None
                return
            yield 0xFF00, ds
            taken.append(ds)

    with getting(slow) as peer:
        job_id = bench.submit(replace(peer, query=False))
        job = bench.run(job_id, lambda: len(taken) == 3)
    assert ended == ["cancelled"]
    assert job.state is JobState.QUEUED
    assert job.counts.pending == 2
    with getting(sub_operations(objects(generated_set, 5))) as peer:
        bench.peers.add(replace(peer, query=False))
        assert bench.run(job_id).state is JobState.DONE


def test_a_peer_that_cancels_by_itself_has_not_given_everything(bench: Bench, generated_set: GeneratedSet) -> None:
    def answer(event: evt.Event) -> Iterator[Any]:
        yield 2
        yield 0xFF00, objects(generated_set, 1)[0]
        yield 0xFE00, None

    with getting(answer) as peer:
        job = bench.run(bench.submit(replace(peer, query=False)))
    assert {(item.state, item.status, item.comment) for item in bench.items(job.id)} == {
        (ItemState.FAILED, 0xFE00, "the peer cancelled it after 1 objects")
    }


def test_a_move_names_its_destination_and_the_keys_above(bench: Bench) -> None:
    asked = []

    def answer(event: evt.Event) -> Iterator[Any]:
        keys = event.identifier
        asked.append((event.move_destination, keys.QueryRetrieveLevel, keys.StudyInstanceUID, keys.SeriesInstanceUID))
        yield None, None  # an unknown destination: A801

    wanted = Wanted(STUDY_ROOT, Level.SERIES, ["1.2.3.1", "1.2.3.2"], {"StudyInstanceUID": "1.2.3"})
    with scp([(evt.EVT_C_MOVE, answer)], STUDY_ROOT_MOVE) as peer:
        job = bench.run(bench.submit(peer, wanted, into=Into(move_to="SINK")))
    assert asked == [("SINK", "SERIES", "1.2.3", "1.2.3.1"), ("SINK", "SERIES", "1.2.3", "1.2.3.2")]
    assert job.title == "2 x series from peer to SINK"
    assert {(item.state, item.status) for item in bench.items(job.id)} == {(ItemState.FAILED, 0xA801)}
    assert "add it there" in job.message


def test_an_identifier_is_read_as_what_is_wanted() -> None:
    identifier = Identifier(
        (
            Element.of("QueryRetrieveLevel", "SERIES"),
            Element.of("PatientID", "P1"),
            Element.of("StudyInstanceUID", "1.2.3"),
            Element.of("SeriesInstanceUID", "1.2.3.1", "1.2.3.2"),
        )
    )
    assert Wanted.of(InformationModel.PATIENT_ROOT, Level.SERIES, identifier) == Wanted(
        InformationModel.PATIENT_ROOT,
        Level.SERIES,
        ("1.2.3.1", "1.2.3.2"),
        {"PatientID": "P1", "StudyInstanceUID": "1.2.3"},
    )


def test_nothing_and_several_of_what_is_above_cannot_be_wanted() -> None:
    with pytest.raises(ConfigurationError, match="StudyInstanceUID: say what to retrieve"):
        Wanted(STUDY_ROOT, Level.STUDY, ())
    with pytest.raises(ConfigurationError, match="StudyInstanceUID: one value only, since the level is series"):
        Wanted(STUDY_ROOT, Level.SERIES, ("1.2",), {"StudyInstanceUID": "1.2\\1.3"})


def test_a_peer_that_nothing_is_to_be_retrieved_from_gets_no_job(bench: Bench) -> None:
    with pytest.raises(NotAllowed, match="retrieve from peer 'pacs'"):
        bench.submit(replace(Peer.parse("PACS@127.0.0.1:104", "pacs"), retrieve=False))
    assert bench.jobs.list() == []


def test_a_right_that_was_taken_back_meanwhile_fails_the_job(bench: Bench) -> None:
    peer = Peer.parse("PACS@127.0.0.1:104", "pacs")
    job_id = bench.submit(peer)
    bench.peers.add(replace(peer, retrieve=False))
    job = bench.run(job_id)
    assert job.state is JobState.FAILED
    assert "does not allow to retrieve from peer 'pacs'" in job.message


def test_a_job_of_a_removed_peer_fails_with_what_to_do(bench: Bench) -> None:
    job_id = bench.submit(Peer.parse("PACS@127.0.0.1:104", "pacs"))
    bench.peers.remove("pacs")
    job = bench.run(job_id)
    assert job.state is JobState.FAILED
    assert "unknown peer 'pacs'" in job.message


def test_a_peer_without_c_get_is_asked_to_send_where_the_job_says_so(bench: Bench) -> None:
    asked: list[str] = []

    def answer(event: evt.Event) -> Iterator[Any]:
        asked.append(str(event.move_destination))
        yield None, None

    with scp([(evt.EVT_C_MOVE, answer)], STUDY_ROOT_FIND, STUDY_ROOT_MOVE) as peer:
        only_get = bench.run(bench.submit(peer))
        assert only_get.state is JobState.FAILED
        assert "does not offer" in only_get.message
        bench.run(bench.submit(peer, into=Into(or_move_to="RADFUSE")))
    assert asked == ["RADFUSE", "RADFUSE"]


def test_a_peer_with_c_get_is_not_asked_to_send(bench: Bench, generated_set: GeneratedSet) -> None:
    with getting(sub_operations(objects(generated_set, 2))) as peer:
        job = bench.run(bench.submit(peer, into=Into(or_move_to="RADFUSE")))
    assert job.state is JobState.DONE
