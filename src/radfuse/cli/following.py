"""Following a job to its end, with a worker in this process where no other runs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import typer

from radfuse.cli.cancelling import ctrl_c_cancels
from radfuse.cli.console import progress, warn
from radfuse.cli.jobs import advice, sentence
from radfuse.core.errors import WorkerRunning

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.jobs import Job, Jobs

_POLL_S: Final = 0.1
_LOOK_FOR_A_WORKER_S: Final = 5.0


def follow(settings: Settings, jobs: Jobs, job_id: int, doing: str) -> Job:
    """The job when it has ended. Ctrl-C stops following, says that the job goes on, and ends with exit code 1."""
    from radfuse.app import is_worker_running

    try:
        with ctrl_c_cancels("") as is_wished:
            return _Following(settings, jobs, job_id, doing).to_the_end(is_wished)
    except KeyboardInterrupt:
        goes_on = advice(jobs.get(job_id), is_worker_running(settings))
        warn(f"job {job_id} is not ended by this; 'radfuse jobs show {job_id}' shows it. {goes_on}")
        raise typer.Exit(1) from None


class _Following:
    """Looks at one job until it has ended."""

    def __init__(self, settings: Settings, jobs: Jobs, job_id: int, doing: str) -> None:
        self._settings = settings
        self._jobs = jobs
        self._job_id = job_id
        self._doing = doing
        self._told: object = None

    def to_the_end(self, is_stopped: Callable[[], bool]) -> Job:
        """The job when it has ended, done by others or, where no worker runs, here. Raises KeyboardInterrupt."""
        total = self._jobs.get(self._job_id).counts.total
        with progress(self._doing, total, "objects") as advance:
            while True:
                with self._worker() as raise_if_dead:
                    looked_s = time.monotonic()
                    while raise_if_dead or time.monotonic() - looked_s < _LOOK_FOR_A_WORKER_S:
                        job = self._jobs.get(self._job_id)
                        advance(job.counts.total - job.counts.pending, None)
                        if job.finished_s is not None:
                            return job
                        self._tell(job)
                        if is_stopped():
                            raise KeyboardInterrupt
                        if raise_if_dead:
                            raise_if_dead()
                        time.sleep(_POLL_S)

    @contextlib.contextmanager
    def _worker(self) -> Iterator[Callable[[], None] | None]:
        """A worker in this process, which is asked whether it died; None because there is another one."""
        from radfuse.app import worker_here

        with contextlib.ExitStack() as stack:
            raise_if_dead = None
            with contextlib.suppress(WorkerRunning):
                raise_if_dead = stack.enter_context(worker_here(self._settings, self._jobs))
                warn("no worker runs on this data folder ('radfuse serve' has one): this command does the job itself")
            yield raise_if_dead

    def _tell(self, job: Job) -> None:
        """Say once what a person should know: that the job waits for another attempt, or is paused."""
        from radfuse.jobs import JobState

        now = (job.state, job.attempt)
        if job.state in (JobState.WAITING, JobState.PAUSED) and now != self._told:
            self._told = now
            warn(f"job {job.id} is {job.state.value}: {sentence(job.message)} {advice(job, True)}")
