"""One thread writes the results of all running jobs."""

from __future__ import annotations

import pytest

from radfuse.jobs import ItemState, JobContext, Jobs, JobState
from radfuse.jobs.attempt import Runner
from radfuse.jobs.writer import Writer
from tests.jobs.working import new_job, until


class Broken(JobContext):
    """A job whose results cannot be written for a reason that nobody has thought of."""

    def flush_if_due(self) -> None:
        raise ValueError("unthought of")


def test_what_goes_wrong_with_one_job_does_not_keep_others_from_being_written(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer()
    writer.start()
    broken = Broken(jobs.engine, jobs.get(jobs.submit(new_job())))
    writer.add(broken)
    job_id = jobs.submit(new_job(items=200))

    def kind(context: JobContext) -> None:
        items = context.pending()
        for item in items[:64]:
            context.record(item.number, ItemState.SENT)
        until(lambda: jobs.get(job_id).counts.sent == 64)
        for item in items[64:]:
            context.record(item.number, ItemState.SENT)

    Runner(jobs, {"work": kind}, "tester", writer=writer).run(job_id, 1)
    writer.remove(broken)
    writer.stop()
    assert jobs.get(job_id).state is JobState.DONE
    assert "results were not written" in caplog.text


def test_a_kind_that_is_faster_than_the_disk_is_held(jobs: Jobs) -> None:
    writer = Writer()  # not started: nobody writes
    job_id = jobs.submit(new_job(items=600))

    def kind(context: JobContext) -> None:
        for item in context.pending():
            context.record(item.number, ItemState.SENT)
        assert jobs.get(job_id).counts.sent == 512

    Runner(jobs, {"work": kind}, "tester", writer=writer).run(job_id, 1)
    assert jobs.get(job_id).state is JobState.DONE
