"""Durable jobs and storage commitment."""

from __future__ import annotations

from dataclasses import dataclass

from radfuse.core.errors.tree import RadfuseError


@dataclass(eq=False)
class InvalidCommitment(RadfuseError):
    """A request or report of storage commitment that PS3.4 Annex J does not allow."""

    reason: str
    template = "not a valid storage commitment: {reason}"


class UnknownTransaction(RadfuseError):
    """A report of storage commitment about no transaction of ours with that peer."""

    template = "the report belongs to no transaction that we have with this peer"


class JobError(RadfuseError):
    """A job that cannot be done, or not now."""


@dataclass(eq=False)
class UnknownJob(JobError):
    """No job has this number."""

    job: int
    template = "there is no job {job}; the page Jobs and 'radfuse jobs list' show all"


@dataclass(eq=False)
class JobNotInState(JobError):
    """The user asked for something that a job in this state cannot do."""

    job: int
    operation: str
    state: str
    template = "job {job} is {state}: it cannot {operation}"


@dataclass(eq=False)
class JobFailed(JobError):
    """A job cannot be done, and another attempt would end the same: a person has to act."""

    reason: str
    template = "{reason}"


@dataclass(eq=False)
class DurableQueueFailed(JobError):
    """DBOS refused or failed at something that is not the database's fault."""

    reason: str
    template = "the durable queue failed: {reason}"


@dataclass(eq=False)
class TransientFailure(JobError):
    """A job failed for now: it is worth another attempt later."""

    reason: str
    template = "{reason}"


@dataclass(eq=False)
class WorkerRunning(JobError):
    """A second worker on the same data folder."""

    folder: str
    template = "a worker already runs the jobs of the data folder {folder} ('radfuse serve' has one of its own)"
