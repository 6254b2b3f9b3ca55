"""Seeing what changes in a queue."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radfuse.jobs import Jobs, JobState, JobWatch, run_next
from radfuse.jobs.watch import MOST_CHANGES
from tests.jobs.working import do_all, new_job

KINDS = {"work": do_all}


@pytest.fixture
def watch(jobs: Jobs) -> Iterator[JobWatch]:
    with contextlib.closing(JobWatch(jobs)) as watch:
        yield watch


def told(watch: JobWatch) -> list[int]:
    changed = watch.look()
    assert changed is not None
    return [job.id for job in changed]


def test_the_first_look_tells_nothing(jobs: Jobs, watch: JobWatch) -> None:
    jobs.submit(new_job())
    assert told(watch) == []
    assert told(watch) == []


def test_a_job_is_told_with_each_change_and_only_then(jobs: Jobs, watch: JobWatch) -> None:
    watch.look()
    number = jobs.submit(new_job())
    other = jobs.submit(new_job())
    assert told(watch) == [number, other]
    assert told(watch) == []
    jobs.pause(number)
    assert told(watch) == [number]
    jobs.resume(number)
    run_next(jobs, KINDS, number)
    changed = watch.look()
    assert changed is not None
    assert [(job.id, job.state, job.counts.sent) for job in changed] == [(number, JobState.DONE, 3)]
    assert told(watch) == []


def test_a_finished_job_that_starts_again_is_told(jobs: Jobs, watch: JobWatch) -> None:
    number = jobs.submit(new_job())
    jobs.cancel(number)
    watch.look()
    jobs.retry(number)
    assert told(watch) == [number]


def test_an_old_job_that_ends_is_told_once_more(jobs: Jobs, watch: JobWatch) -> None:
    old = jobs.submit(new_job(items=0))
    for _ in range(250):
        jobs.cancel(jobs.submit(new_job(items=0)))
    watch.look()
    jobs.cancel(old)
    assert told(watch) == [old]
    jobs.submit(new_job(items=0))
    assert len(told(watch)) == 1


def test_what_another_process_does_is_seen(jobs: Jobs, watch: JobWatch, tmp_path: Path) -> None:
    watch.look()
    with contextlib.closing(Jobs(tmp_path)) as others:
        number = others.submit(new_job())
    assert told(watch) == [number]


def test_a_forgotten_job_is_not_told(jobs: Jobs, watch: JobWatch) -> None:
    jobs.cancel(jobs.submit(new_job()))
    watch.look()
    jobs.forget(-1)
    assert told(watch) == []


def test_too_many_changes_are_not_told_one_by_one(jobs: Jobs, watch: JobWatch) -> None:
    watch.look()
    for _ in range(MOST_CHANGES + 1):
        jobs.submit(new_job(items=0))
    assert watch.look() is None
    assert told(watch) == []


def test_it_sees_changes_on_postgresql_too(new_database: Callable[[], str]) -> None:
    with contextlib.closing(Jobs(new_database())) as jobs, contextlib.closing(JobWatch(jobs)) as watch:
        watch.look()
        number = jobs.submit(new_job())
        assert told(watch) == [number]
        assert told(watch) == []
        assert [job.id for job in jobs.list(peer="PACS1")] == []
