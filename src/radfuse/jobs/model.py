"""What a job is: its states, its items, how often it is tried again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from radfuse.core.errors import ConfigurationError

if TYPE_CHECKING:
    from radfuse.jobs.context import JobContext

MAX_RETRY_DELAY_S: Final = 3600.0
MAX_DELAY_S: Final = 30 * 86_400.0


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    """Not due before ``next_attempt_s``: it was queued with a delay, or has failed for now."""
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED: Final = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class ItemState(StrEnum):
    """What became of one item. For kinds that do not send, SENT means done."""

    PENDING = "pending"
    SENT = "sent"
    WARNED = "warned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a job that failed for now is tried again; the delay doubles each time, up to one hour."""

    count: int = 0
    delay_s: float = 60.0

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ConfigurationError("retries", f"{self.count} is less than 0")
        if not 0 <= self.delay_s <= MAX_RETRY_DELAY_S:
            raise ConfigurationError("retry_delay_s", f"{self.delay_s} is not between 0 and {MAX_RETRY_DELAY_S:g}")

    def delay_after_s(self, tries: int) -> float:
        """How long to wait after ``tries`` (at least 1) tries that failed for now."""
        return float(min(self.delay_s * 2.0 ** min(tries - 1, 60), MAX_RETRY_DELAY_S))


@dataclass(frozen=True, slots=True)
class NewItem:
    """One thing to do: ``name`` is its SOP Instance UID or another UID, ``where`` is the kind's own business."""

    name: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be queued. Of the jobs of one ``lane`` only one runs at a time.

    ``parameters`` must be what JSON can hold; ``priority`` is 1 (first) to 9 (last). With ``delay_s`` it
    waits that long before it is due: cancelled meanwhile, it never was.
    """

    kind: str
    lane: str
    title: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    items: Sequence[NewItem] = ()
    priority: int = 5
    retry: Retry = Retry()
    delay_s: float = 0.0
    studies: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("kind", "lane", "title"):
            if not getattr(self, name):
                raise ConfigurationError(name, "a job needs one")
        check_priority(self.priority)
        if not 0 <= self.delay_s <= MAX_DELAY_S:
            raise ConfigurationError("delay_s", f"{self.delay_s} is not between 0 and {MAX_DELAY_S:g}")


def check_priority(priority: int) -> None:
    """Raise ConfigurationError for what is no priority."""
    if not 1 <= priority <= 9:
        raise ConfigurationError("priority", f"{priority} is not between 1 (first) and 9 (last)")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many items of a job are in each state."""

    pending: int = 0
    sent: int = 0
    warned: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All items."""
        return self.pending + self.sent + self.warned + self.failed


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now. Times are seconds since 1970 (UTC); ``attempt`` counts its starts, from 1."""

    id: int
    kind: str
    lane: str
    title: str
    parameters: Mapping[str, Any]
    state: JobState
    priority: int
    attempt: int
    retry: Retry
    created_s: float
    started_s: float | None
    finished_s: float | None
    next_attempt_s: float | None
    message: str
    counts: Counts
    live: Mapping[str, Any] | None = None
    """What its kind lets people watch while it runs (``JobContext.show``)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a job's truth table; ``status`` is the DIMSE status where there was one."""

    number: int
    name: str
    where: str
    state: ItemState
    status: int | None
    comment: str
    changed_s: float


Kind = Callable[["JobContext"], None]
"""Does a job. What its end means is said at ``radfuse.jobs.attempt``."""
