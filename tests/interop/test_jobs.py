"""Jobs of a running service: destinations that are down, restarts in the middle, several peers at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.jobs import ItemState, Jobs, JobState
from radfuse.services import import_media
from radfuse.services.peers import Peer, Peers
from radfuse.services.send import objects_of_studies
from radfuse.services.send_job import submit_send
from tests.fakes.sink import Sink
from tests.interop.conftest import write_settings
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.support.servers import RunningNode, radfuse, running_node, running_storescp

WAIT_S = 60.0


@pytest.fixture
def data(tmp_path: Path, generated_set: GeneratedSet) -> Path:
    """A data folder whose archive has the generated study."""
    folder = tmp_path / "data"
    write_settings(folder, 'ae_title = "RADFUSE"\n')
    with Archive(ArchiveSettings(folder)) as archive:
        list(import_media.import_files(archive, import_media.files_below([generated_set.root])))
    return folder


@pytest.fixture
def jobs(data: Path) -> Iterator[Jobs]:
    with contextlib.closing(Jobs(data)) as opened:
        yield opened


def configure(data: Path, peer: Peer) -> None:
    with contextlib.closing(Peers(data)) as peers:
        peers.add(peer)


def sink_at(port: int, retries: int, retry_delay_s: float = 0.5, concurrency: int = 1) -> Peer:
    fields = {"retries": retries, "retry_delay_s": retry_delay_s, "concurrency": concurrency}
    return Peer("SINK", "SINK", "127.0.0.1", port, **fields)  # type: ignore[arg-type]


def queue_study(data: Path, jobs: Jobs, priority: int = 5) -> int:
    """A job that sends the study to SINK; its number."""
    with contextlib.closing(Peers(data)) as peers, Archive(ArchiveSettings(data)) as archive:
        return submit_send(jobs, peers.by_name("SINK"), objects_of_studies(archive, [STUDY_UID]), priority=priority)


def wait_for(jobs: Jobs, job_id: int, *states: JobState) -> None:
    deadline = time.monotonic() + WAIT_S
    while jobs.get(job_id).state not in states:
        assert time.monotonic() < deadline, jobs.get(job_id)
        time.sleep(0.05)


def is_true(jobs: Jobs, job_id: int, sink: Sink) -> bool:
    """Whether every instance of a job that is done is sent and was acknowledged."""
    items = jobs.items(job_id)
    return {item.state for item in items} == {ItemState.SENT} and {item.name for item in items} <= set(
        sink.acknowledged
    )


def test_a_job_to_a_dead_destination_waits_and_is_done_when_it_comes_up(data: Path, jobs: Jobs, free_port: int) -> None:
    configure(data, sink_at(free_port, retries=20))
    job_id = queue_study(data, jobs)
    with running_node(data):
        wait_for(jobs, job_id, JobState.WAITING)
        waiting = jobs.get(job_id)
        assert "SINK cannot be reached" in waiting.message
        assert waiting.next_attempt_s is not None
        told = radfuse("jobs", "show", str(job_id), "--data", str(data)).stdout
        assert "SINK cannot be reached" in told
        assert f"'radfuse jobs resume {job_id}' tries now" in told or "It waits for its turn" in told
        with Sink(free_port) as sink:
            wait_for(jobs, job_id, JobState.DONE)
            assert is_true(jobs, job_id, sink)
            assert len(sink.acknowledged) == len(set(sink.acknowledged))


def test_without_retries_a_dead_destination_fails_the_job_and_the_user_starts_it_again(
    data: Path, jobs: Jobs, free_port: int
) -> None:
    configure(data, sink_at(free_port, retries=0))
    job_id = queue_study(data, jobs)
    with running_node(data):
        wait_for(jobs, job_id, JobState.FAILED)
        told = radfuse("jobs", "show", str(job_id), "--data", str(data)).stdout
        assert f"When the cause is gone, 'radfuse jobs retry {job_id}' does what is left." in told
        with Sink(free_port) as sink:
            jobs.retry(job_id)
            wait_for(jobs, job_id, JobState.DONE)
            assert is_true(jobs, job_id, sink)


def test_a_restart_of_the_service_in_the_middle_of_a_job_loses_and_repeats_nothing(data: Path, jobs: Jobs) -> None:
    with Sink(delay_s=0.5) as sink:
        configure(data, sink_at(sink.port, retries=5))
        with running_node(data):
            job_id = queue_study(data, jobs)
            while len(sink.acknowledged) < 3:
                assert jobs.get(job_id).state is not JobState.FAILED, jobs.get(job_id)
                time.sleep(0.02)
        stopped = jobs.get(job_id)
        assert stopped.state is JobState.QUEUED
        assert 0 < stopped.counts.pending < stopped.counts.total
        assert stopped.counts.sent == len(sink.acknowledged)
        sink.delay_s = 0.0
        with running_node(data):
            wait_for(jobs, job_id, JobState.DONE)
        assert is_true(jobs, job_id, sink)
        assert len(sink.acknowledged) == stopped.counts.total


def test_a_job_is_paused_and_resumed_while_it_runs(data: Path, jobs: Jobs) -> None:
    with Sink(delay_s=0.5) as sink, running_node(data):
        configure(data, sink_at(sink.port, retries=5))
        job_id = queue_study(data, jobs)
        while len(sink.acknowledged) < 3:
            time.sleep(0.02)
        jobs.pause(job_id)
        arrived = 0
        while arrived < len(sink.acknowledged):  # what was on the way arrives
            arrived = len(sink.acknowledged)
            time.sleep(1.5)
        assert arrived < 19
        sink.delay_s = 0.0
        jobs.resume(job_id)
        wait_for(jobs, job_id, JobState.DONE)
        assert is_true(jobs, job_id, sink)
        assert len(sink.acknowledged) == 19


def test_the_jobs_of_one_peer_go_one_after_the_other_by_priority(data: Path, jobs: Jobs) -> None:
    with Sink() as sink:
        configure(data, sink_at(sink.port, retries=0))
        late, soon = queue_study(data, jobs, 8), queue_study(data, jobs, 2)
        with running_node(data):
            for job_id in (late, soon):
                wait_for(jobs, job_id, JobState.DONE)
        assert len(sink.acknowledged) == 2 * 19
        ended = {job_id: jobs.get(job_id) for job_id in (late, soon)}
        assert (ended[soon].finished_s or 0) <= (ended[late].started_s or 0)


def test_the_command_follows_a_job_that_the_service_does(data: Path, jobs: Jobs) -> None:
    with Sink() as sink, running_node(data):
        done = radfuse("send", "--study", STUDY_UID, "--to", sink.peer, "--data", str(data))
        assert (done.returncode, done.stdout, done.stderr) == (0, "19 sent to SINK, 0 failed\n", "")
        assert jobs.get(1).state is JobState.DONE
        assert len(sink.acknowledged) == 19


def test_a_send_as_the_workstation_has_its_title_and_its_list(data: Path, jobs: Jobs, tmp_path: Path) -> None:
    with running_node(tmp_path / "other", ae_title="OTHER") as other:
        configure(data, Peer("SINK", "OTHER", "127.0.0.1", other.port, context_list="xd"))  # type: ignore[arg-type]
        done = radfuse("send", "--series", "2.25.7100.1", "--to", "SINK", "--data", str(data))
        assert done.returncode == 0, done.stderr
        assert calling_titles(other) == {"RADFUSE_SCU"}


def calling_titles(node: RunningNode) -> set[str]:
    """Who called a node, by its log."""
    import json

    lines = [line for path in (node.data / "log").glob("node-*.jsonl") for line in path.read_text().splitlines()]
    return {record["calling"] for record in map(json.loads, lines) if "calling" in record}


@pytest.mark.peers
def test_storescp_has_every_file_when_the_job_is_done(
    data: Path, jobs: Jobs, dcmtk: Callable[[str], str], free_port: int, tmp_path: Path
) -> None:
    received = tmp_path / "received"
    configure(data, sink_at(free_port, retries=10))
    with running_node(data):
        job_id = queue_study(data, jobs)
        wait_for(jobs, job_id, JobState.WAITING, JobState.QUEUED)
        with running_storescp(dcmtk("storescp"), received, free_port):
            wait_for(jobs, job_id, JobState.DONE)
    names = {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in received.iterdir()}
    assert names == {item.name for item in jobs.items(job_id, (ItemState.SENT,))}
    assert len(names) == 19
