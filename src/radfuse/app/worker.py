"""The job worker: runs the durable jobs of one data folder, routes what arrives, forgets what is old."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.app.compose import open_jobs
from radfuse.app.kinds import Tools, job_kinds, open_tools, router, watched_folder
from radfuse.app.logs import configure_logs, logs_to_file
from radfuse.app.processes import follow_supervisor, stop_signals, tell_supervisor
from radfuse.app.settings import Settings
from radfuse.core.errors import WorkerRunning
from radfuse.jobs import JobWorker

if TYPE_CHECKING:
    from radfuse.jobs import Jobs

_log = logging.getLogger(__name__)
_LOCK_POLL_S: Final = 0.5
_HOUSEKEEPING_S: Final = 3600.0
_AFTER_FAILURE_S: Final = 30.0
_DAY_S: Final = 86_400.0


def run_worker(settings: Settings, on_ready: Callable[[], None], *, is_supervised: bool = False) -> None:
    """Run the job worker of a data folder until SIGTERM or SIGINT.

    A supervised one waits while another process runs the jobs (``radfuse send`` may), and ends
    with its supervisor. Raises WorkerRunning, ConfigurationError, SchemaTooNew.
    """
    configure_logs(settings.data / "log", "worker")
    with contextlib.closing(open_jobs(settings)) as jobs:
        worker = Worker(settings, jobs)
        with stop_signals(worker.stop):
            if is_supervised:
                tell_supervisor()
                follow_supervisor(worker.stop)
            with _lock_when_free(settings.data, worker) if is_supervised else worker_lock(settings.data):
                on_ready()
                worker.run()


@contextlib.contextmanager
def worker_lock(folder: Path) -> Iterator[None]:
    """Be the one worker of a data folder on this machine. Raises WorkerRunning when there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        _lock(file, folder)
        yield
    finally:
        os.close(file)


def _lock(file: int, folder: Path) -> None:
    """Lock; whoever only looks (``is_worker_running``) is given the time to let go again."""
    for pause_s in (0.05, 0.1, 0.2, None):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if pause_s is None:
                raise WorkerRunning(str(folder)) from error
            time.sleep(pause_s)


def is_worker_running(settings: Settings) -> bool:
    """Whether a worker runs the jobs of the data folder; true too where it may run on another machine."""
    if settings.jobs_url:
        return True
    try:
        file = os.open(settings.data / "worker.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared: those who only look are not in each other's way.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


@contextlib.contextmanager
def worker_here(settings: Settings, jobs: Jobs) -> Iterator[Callable[[], None]]:
    """A worker in a thread of this process while the block runs; the block is given what raises why it died.

    Raises WorkerRunning when there is a worker already.
    """
    with worker_lock(settings.data), logs_to_file(settings.data / "log", "worker"):
        thread = _WorkerThread(Worker(settings, jobs))
        thread.start()
        try:
            yield thread.raise_if_dead
        finally:
            thread.stop()


class _WorkerThread:
    """A worker in a thread."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def stop(self) -> None:
        """Let what runs stop; returns when it has."""
        self._worker.stop()
        self._thread.join()

    def raise_if_dead(self) -> None:
        """Raise what ended the worker, if something did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._worker.run(with_chores=False)
        except BaseException as error:
            self._error = error


class Worker:
    """Runs jobs, and beside them the chores: what arrives is routed, old jobs are forgotten."""

    def __init__(self, settings: Settings, jobs: Jobs) -> None:
        self._settings = settings
        self._jobs = jobs
        # Plain, not Events: a signal handler that takes a lock its own thread holds would never return.
        self._stopping = False
        self._running: JobWorker | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping

    def stop(self) -> None:
        """Ask ``run`` to end; safe in a signal handler."""
        self._stopping = True
        if self._running is not None:
            self._running.stop()

    def run(self, *, with_chores: bool = True) -> None:
        """Run jobs, and chores, until ``stop``."""
        with open_tools(self._settings, self._jobs) as tools:
            threads = self._threads(tools) if with_chores else []
            for thread in threads:
                thread.start()
            try:
                self._run_jobs(tools)
            finally:
                self._stopping = True
                for thread in threads:
                    thread.join(self._settings.limits.shutdown_s)

    def _threads(self, tools: Tools) -> list[threading.Thread]:
        """What is done beside the jobs; a watched folder of thousands of files must not keep others waiting."""
        chores = [_Chore("routing", router(tools).step), _Chore("forgetting old jobs", self._forget_old_jobs)]
        look = watched_folder(tools, lambda: self._stopping)
        together = [chores, [_Chore("the watched folder", look)]] if look is not None else [chores]
        return [threading.Thread(target=self._do_chores, args=(some,), daemon=True) for some in together]

    def _run_jobs(self, tools: Tools) -> None:
        limits = self._settings.jobs
        name = worker_name(self._settings)
        self._running = JobWorker(self._jobs, job_kinds(tools), name, limits.concurrency, limits.poll_s)
        # A signal that came before the line above found nothing to stop.
        if not self._stopping:
            self._running.run()

    def _do_chores(self, chores: Sequence[_Chore]) -> None:
        while not self._stopping:
            for chore in chores:
                chore.do_if_due()
            time.sleep(self._settings.jobs.poll_s)

    def _forget_old_jobs(self) -> float:
        self._jobs.forget(self._settings.jobs.keep_days * _DAY_S)
        return _HOUSEKEEPING_S


@dataclass(slots=True)
class _Chore:
    """Something to do now and then; ``step`` returns after how many seconds again."""

    name: str
    step: Callable[[], float]
    due_s: float = 0.0

    def do_if_due(self) -> None:
        """Do it when it is time; what goes wrong is logged and tried again later."""
        if time.monotonic() < self.due_s:
            return
        try:
            wait_s = self.step()
        except Exception:
            _log.exception("%s failed; it is tried again", self.name)
            wait_s = _AFTER_FAILURE_S
        self.due_s = time.monotonic() + wait_s


def worker_name(settings: Settings) -> str:
    """The name under which a worker finds its own jobs again after a crash.

    On one machine that is whoever holds the lock; beside others on one PostgreSQL it is this machine's folder.
    """
    return f"{platform.node()}:{settings.data.resolve()}" if settings.jobs_url else "worker"


@contextlib.contextmanager
def _lock_when_free(folder: Path, worker: Worker) -> Iterator[None]:
    """The lock, or nothing when the worker was asked to stop before it was free."""
    is_told = False
    while not worker.is_stopping:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(worker_lock(folder))
            except WorkerRunning:
                if not is_told:
                    _log.info("another process runs the jobs of this data folder; waiting for its end")
                is_told = True
                time.sleep(_LOCK_POLL_S)
                continue
            yield
            return
    yield
