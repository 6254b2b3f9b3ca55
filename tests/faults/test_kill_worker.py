"""The job worker is killed at any moment: what is recorded as sent was acknowledged, and is not sent again."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from radfuse.archive import StoredObject
from radfuse.jobs import ItemState, Jobs, JobState
from radfuse.services.peers import Peer
from radfuse.services.send_job import submit_send
from radfuse.services.stored_objects import objects_named
from tests.archive.objects import ROOT, numbered, open_archive, store
from tests.fakes.sink import Sink
from tests.support.repeats import repeats
from tests.support.servers import environment

KILLS = repeats(8, 50)
OBJECTS = 1000
A_LIFE_S = 0.35
A_START_S = 1.0
WAIT_S = 60.0


@dataclass(frozen=True)
class Workers:
    """Starts and kills job workers, one at a time."""

    process: subprocess.Popen[str]
    errors: IO[str]

    def start(self) -> None:
        """Start one."""
        self._say("start", "started\n")

    def kill(self) -> None:
        """Kill it by SIGKILL; returns when the process is gone."""
        self._say("kill", "killed\n")

    def _say(self, word: str, answer: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == answer, self.complaints()

    def complaints(self) -> str:
        """What they wrote to standard error."""
        self.errors.seek(0)
        return self.errors.read()


@contextlib.contextmanager
def forked_workers(data: Path) -> Iterator[Workers]:
    command = [sys.executable, "-m", "tests.faults.forking", str(data)]
    with (data.parent / "stderr").open("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Workers(process, errors)
        finally:
            process.communicate(timeout=WAIT_S)


def stored_objects(data: Path, count: int) -> list[StoredObject]:
    """Objects of an archive that has them now."""
    objects = [numbered(number) for number in range(1, count + 1)]
    with open_archive(data) as archive:
        for each in objects:
            store(archive, each)
        return list(objects_named(archive, [each.uid for each in objects]).values())


def names(jobs: Jobs, job_id: int, *states: ItemState) -> set[str]:
    return {item.name for item in jobs.items(job_id, states, limit=None)}


def wait_for(jobs: Jobs, job_id: int, state: JobState) -> None:
    deadline = time.monotonic() + WAIT_S
    while jobs.get(job_id).state is not state:
        assert time.monotonic() < deadline, jobs.get(job_id)
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_worker_killed_many_times_sends_all_and_nothing_again_that_was_recorded(tmp_path: Path) -> None:
    data = tmp_path / "data"
    objects = stored_objects(data, OBJECTS)
    chance = random.Random(3)
    recorded: list[tuple[int, set[str]]] = []
    with Sink(delay_s=0.012) as sink, contextlib.closing(Jobs(data)) as jobs, forked_workers(data) as workers:
        job_id = submit_send(jobs, Peer.parse(sink.peer), objects)
        for kill in range(KILLS):
            arrived = len(sink.acknowledged)
            workers.start()
            if kill % 5 == 0:  # while it starts
                time.sleep(chance.uniform(0, A_START_S))
            else:  # while it sends
                deadline = time.monotonic() + WAIT_S
                while len(sink.acknowledged) == arrived:
                    assert time.monotonic() < deadline, workers.complaints()
                    time.sleep(0.002)
                time.sleep(chance.uniform(0, A_LIFE_S))
            workers.kill()
            sent = names(jobs, job_id, ItemState.SENT, ItemState.WARNED)
            recorded.append((len(sink.acknowledged), sent))
            assert sent <= set(sink.acknowledged)
            assert jobs.get(job_id).counts.sent == len(sent)
            assert names(jobs, job_id, ItemState.FAILED) == set()
        assert jobs.get(job_id).state is not JobState.DONE, "the kills must meet a running job"
        sink.delay_s = 0.0
        workers.start()
        wait_for(jobs, job_id, JobState.DONE)
        workers.kill()
        every = {stored.sop_instance_uid for stored in objects}
        assert names(jobs, job_id, ItemState.SENT) == every == set(sink.acknowledged)
        for arrived, sent in recorded:
            assert not sent.intersection(sink.acknowledged[arrived:])
        assert "Traceback" not in workers.complaints()
    assert len({len(sent) for _, sent in recorded}) > KILLS // 4  # it went on after most of them
