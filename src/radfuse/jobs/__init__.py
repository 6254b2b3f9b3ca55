"""The durable queue: jobs, what became of each of their items, and the worker that does them."""

from radfuse.jobs.attempt import run_next
from radfuse.jobs.context import JobContext
from radfuse.jobs.jobs import Jobs
from radfuse.jobs.model import (
    Counts,
    Item,
    ItemState,
    Job,
    JobState,
    Kind,
    NewItem,
    NewJob,
    Retry,
)
from radfuse.jobs.watch import JobWatch
from radfuse.jobs.worker import JobWorker

__all__ = [
    "Counts",
    "Item",
    "ItemState",
    "Job",
    "JobContext",
    "JobState",
    "JobWatch",
    "JobWorker",
    "Jobs",
    "Kind",
    "NewItem",
    "NewJob",
    "Retry",
    "run_next",
]
