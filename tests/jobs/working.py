"""A worker in this process or in one of its own, and kinds of jobs made for tests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from radfuse.jobs import ItemState, JobContext, Jobs, JobWorker, Kind, NewItem, NewJob, Retry
from radfuse.jobs.model import FINISHED

PATIENCE_S = 60.0


def new_job(
    kind: str = "work", lane: str = "lane", items: int = 3, priority: int = 5, retry: Retry | None = None
) -> NewJob:
    """A job of numbered items."""
    names = [NewItem(f"2.25.{number}", f"/{number}") for number in range(1, items + 1)]
    return NewJob(kind, lane, f"{items} items", {"n": items}, names, priority, retry or Retry())


def do_all(context: JobContext) -> None:
    """Every pending item is sent."""
    for item in context.pending():
        if context.should_stop():
            return
        context.record(item.number, ItemState.SENT, 0x0000)


@contextlib.contextmanager
def working(jobs: Jobs, kinds: Mapping[str, Kind], concurrency: int = 8) -> Iterator[JobWorker]:
    """A worker of this queue in a thread."""
    worker = JobWorker(jobs, kinds, "tester", concurrency)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        assert not failures, failures


def until(true: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait for something."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def finished(jobs: Jobs, *ids: int) -> bool:
    """Whether all these jobs are over."""
    return all(jobs.get(job_id).state in FINISHED for job_id in ids)


class WorkerProcess:
    """A worker process whose kind ``append`` appends a line to a file before it records an item."""

    def __init__(self, where: Path | str, log: Path, name: str = "tester", pause_s: float = 0.0) -> None:
        words = [sys.executable, "-m", "tests.jobs.working", str(where), str(log), name, str(pause_s)]
        root = Path(__file__).resolve().parents[2]
        environment = os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
        self.process = subprocess.Popen(words, env=environment, cwd=root, stdout=subprocess.PIPE)

    def wait_until_ready(self) -> None:
        """Returns when it ends in order on SIGTERM."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def appender(log: Path, pause_s: float) -> Kind:
    """A kind that says in a file what it does before it records it, and also after it is written."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def append(context: JobContext) -> None:
        for number, item in enumerate(context.pending(), 1):
            if context.should_stop():
                return
            os.write(file, f"did {context.job.id} {item.number}\n".encode())
            context.record(item.number, ItemState.SENT, 0x0000)
            if number % 7 == 0:
                context.flush()
                os.write(file, f"wrote {context.job.id} {item.number}\n".encode())
            time.sleep(pause_s)

    return append


def main() -> None:
    """Run a worker until SIGTERM."""
    where, log, name, pause_s = sys.argv[1:]
    jobs = Jobs(where if "://" in where else Path(where))
    worker = JobWorker(jobs, {"append": appender(Path(log), float(pause_s))}, name)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    worker.run()
    jobs.close()


if __name__ == "__main__":
    main()
