"""Worker processes that take one object after the other; one that crashes costs that object and no other."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle, send_handle
from typing import Final, Protocol

from radfuse.core.errors import CannotAnonymize
from radfuse.services.anonymize.results import Outcome, Verdict
from radfuse.services.anonymize.sources import Source

_AT_ONCE: Final = 8
"""Objects that a process is given at a time: handing over each would cost more than waiting for one."""

_END_WITHIN_S: Final = 5.0


class Work(Protocol):
    """What is done with each object."""

    def __call__(self, source: Source) -> Outcome:
        """Do it. What it raises ends the run."""

    def close(self) -> None:
        """End what it has started."""


class Step(Protocol):
    """What makes it, in the process that will do it; it is given to the process, so it can be pickled."""

    def begin(self) -> Work:
        """Get ready, in the process that will do it."""


class WorkerPool:
    """Up to ``processes`` processes that do one step."""

    def __init__(self, step: Step, processes: int) -> None:
        self._step = step
        self._processes = processes
        self._workers: list[_Worker] = []

    def run(self, sources: Iterable[Source]) -> Generator[Outcome]:
        """What became of each of ``sources``, in any order. Raises what a process could not go on after."""
        waiting = iter(sources)
        again: deque[Source] = deque()
        try:
            while True:
                self._hand_out(waiting, again)
                if not self._workers:
                    return
                busy = {worker.connection: worker for worker in self._workers}
                for connection in wait(list(busy)):
                    yield from self._take(busy[connection], again)  # type: ignore[index]  # only what was given
        finally:
            for worker in self._workers:
                worker.stop()

    def _hand_out(self, waiting: Iterator[Source], again: deque[Source]) -> None:
        """Keep every process busy; those that have nothing to do any more end."""
        while len(self._workers) < self._processes and (chunk := _next(waiting, again)):
            worker = _Worker(self._step)
            worker.give(chunk)
            self._workers.append(worker)
        for worker in list(self._workers):
            if len(worker.given) <= _AT_ONCE // 2 and (chunk := _next(waiting, again)):
                worker.give(chunk)
            elif not worker.given:
                self._workers.remove(worker)
                worker.stop()

    def _take(self, worker: _Worker, again: deque[Source]) -> Iterator[Outcome]:
        try:
            answer = worker.take()
        except (EOFError, OSError):
            self._workers.remove(worker)
            worker.stop()
            culprit, *others = worker.given
            again.extend(others)
            yield Outcome(culprit.name, Verdict.REFUSED, reason=worker.epitaph())
            return
        if not isinstance(answer, Outcome):
            raise answer
        yield answer


def _next(waiting: Iterator[Source], again: deque[Source]) -> list[Source]:
    """What is given to a process next: first what another one has left behind."""
    chunk = [again.popleft() for _ in range(min(_AT_ONCE, len(again)))]
    return chunk or list(islice(waiting, _AT_ONCE))


class _Worker:
    """One process, and what it was given and has not answered."""

    def __init__(self, step: Step) -> None:
        # Spawned, not forked: this process has threads.
        context = multiprocessing.get_context("spawn")
        self.given: deque[Source] = deque()
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, step), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, chunk: list[Source]) -> None:
        """More to do. A process that has died is seen when its answer is taken."""
        self.given.extend(chunk)
        with contextlib.suppress(OSError):
            self.connection.send(chunk)

    def take(self) -> Outcome | Exception:
        """Its next answer. Raises EOFError or OSError when it has died."""
        answer: Outcome | Exception = self.connection.recv()
        if isinstance(answer, Outcome) and answer.draft is not None:
            answer = replace(answer, draft=replace(answer.draft, file=recv_handle(self.connection)))
        self.given.popleft()
        return answer

    def stop(self) -> None:
        """Let it end after the object that it works on."""
        self.connection.close()
        self._process.join(_END_WITHIN_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def epitaph(self) -> str:
        """How it has ended."""
        code = self._process.exitcode or 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return str(CannotAnonymize(f"the process that worked on it {how}"))


def _work(connection: Connection, step: Step) -> None:
    """In the process: take objects until nobody gives any."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; whoever started us says when to end
    with contextlib.suppress(EOFError, OSError), contextlib.closing(step.begin()) as take:
        while chunk := connection.recv():
            for source in chunk:
                try:
                    answer: Outcome | Exception = take(source)
                except Exception as error:
                    answer = error
                _answer(connection, answer)


def _answer(connection: Connection, answer: Outcome | Exception) -> None:
    """The file without a name goes along: whoever started us names it."""
    try:
        connection.send(answer)
        if isinstance(answer, Outcome) and answer.draft is not None:
            send_handle(connection, answer.draft.file, None)
    finally:
        if isinstance(answer, Outcome) and answer.draft is not None:
            os.close(answer.draft.file)
