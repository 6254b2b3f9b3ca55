"""DBOS behind our queue: which attempt runs when, one at a time in each lane, and again after a crash.

Nothing else in Radfuse knows DBOS. It takes 0.7 s and 50 MB to import, so only a worker does. Its
tables stand beside ours in one database; a hand-over is part of our transaction.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from radfuse.core.errors import DurableQueueFailed

if TYPE_CHECKING:
    from dbos import DBOSClient

_APPLICATION: Final = "radfuse"
_VERSION: Final = "1"
"""Attempts are handed over between versions of Radfuse: our own tables, not DBOS, say what they mean."""
_QUEUE: Final = "jobs"
_WORKFLOW: Final = "radfuse_attempt"
_POLL_S: Final = 0.25
_AT_ONCE: Final = 500
_OVER: Final = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class DurableQueue:
    """The one DBOS of this process: hands attempts over, and calls ``run(job_id, attempt)`` when it is their turn."""

    def __init__(self, url: str, name: str, concurrency: int, run: Callable[[int, int], None]) -> None:
        self._url = url
        self._name = name
        self._concurrency = concurrency
        self._run = run
        self._client: DBOSClient | None = None

    def start(self) -> None:
        """Create DBOS's tables where needed, take up what a killed worker of this name had, begin to run."""
        logger = logging.getLogger("dbos")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # else DBOS writes to the console past our logging
        from dbos import DBOS, DBOSClient, DBOSConfig

        # We use no notifications: the interval only says how soon that thread of DBOS ends.
        config = DBOSConfig(
            name=_APPLICATION,
            system_database_url=self._url,
            log_level="WARNING",
            application_version=_VERSION,
            executor_id=self._name,
            use_listen_notify=False,
            notification_listener_polling_interval_sec=0.5,
        )
        with _errors_of_dbos():
            DBOS(config=config)
            # Without a limit: after many crashes DBOS would give a workflow up, and its lane with it.
            DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None, serialization_type=_portable())(self._function())
            DBOS.launch()
            DBOS.register_queue(
                _QUEUE,
                partition_concurrency=1,
                worker_concurrency=self._concurrency,
                polling_interval_sec=_POLL_S,
                on_conflict="always_update",
            )
            self._client = DBOSClient(system_database_url=self._url, application_name=_APPLICATION, lazy=True)

    def stop(self) -> None:
        """Start nothing more. What still runs goes on in its thread, and DBOS starts it again next time."""
        from dbos import DBOS

        with contextlib.suppress(Exception):
            DBOS.destroy(destroy_registry=True)
        if self._client is not None:
            self._client.destroy()
            self._client = None

    def hand_over(self, connection: Connection, job_id: int, attempt: int, lane: str, priority: int) -> None:
        """Queue an attempt, as part of the caller's transaction. An attempt that DBOS has already stays as it is."""
        from dbos import EnqueueOptions

        options = EnqueueOptions(
            workflow_name=_WORKFLOW,
            queue_name=_QUEUE,
            workflow_id=workflow_id(job_id, attempt),
            queue_partition_key=lane,
            # Who was interrupted or waited for another try goes before those who have not started.
            priority=2 * priority - (attempt > 1),
            serialization_type=_portable(),
        )
        with _errors_of_dbos():
            self._opened().enqueue_in_transaction(connection, options, job_id, attempt)

    def taken_up(self) -> set[str]:
        """The workflows that DBOS believes to be running in this worker."""
        return self._names(status=["PENDING"], executor_id=self._name)

    def alive(self, workflow_ids: Sequence[str]) -> set[str]:
        """Which of these DBOS has and will still run, or runs."""
        found: set[str] = set()
        for begin in range(0, len(workflow_ids), _AT_ONCE):
            some = list(workflow_ids[begin : begin + _AT_ONCE])
            found |= self._names(workflow_ids=some, status=["ENQUEUED", "DELAYED", "PENDING"])
        return found

    def remove(self, workflow_ids: Collection[str]) -> None:
        """Let DBOS forget these workflows."""
        with _errors_of_dbos():
            self._opened().delete_workflows(list(workflow_ids))

    def tidy(self) -> None:
        """Remove what DBOS keeps of attempts that are over; our own tables say how they ended."""
        while over := self._names(status=_OVER, limit=_AT_ONCE):
            self.remove(over)

    def _names(self, **wanted: Any) -> set[str]:
        with _errors_of_dbos():
            found = self._opened().list_workflows(name=_WORKFLOW, load_input=False, load_output=False, **wanted)
        return {each.workflow_id for each in found}

    def _function(self) -> Callable[[int, int], None]:
        """DBOS writes attributes to what it is given, which a method does not allow."""

        def run_attempt(job_id: int, attempt: int) -> None:
            self._run(job_id, attempt)

        return run_attempt

    def _opened(self) -> DBOSClient:
        if self._client is None:
            raise RuntimeError("the durable queue is not running")
        return self._client


def workflow_id(job_id: int, attempt: int) -> str:
    """What DBOS calls an attempt: in the order of text as in that of numbers, which breaks ties in a lane."""
    return f"{job_id:010d}.{attempt:06d}"


@contextlib.contextmanager
def _errors_of_dbos() -> Iterator[None]:
    """DBOS's own errors stop here; those of the database pass."""
    from dbos import error as dbos_errors

    try:
        yield
    except dbos_errors.DBOSException as error:
        raise DurableQueueFailed(type(error).__name__) from error


def _portable() -> Any:
    """Arguments as JSON: DBOS's default would unpickle what it finds in the database."""
    from dbos import WorkflowSerializationFormat

    return WorkflowSerializationFormat.PORTABLE
