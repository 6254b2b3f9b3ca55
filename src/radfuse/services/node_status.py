"""How this node is, for people: what is wrong, how full it is, what came in lately."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radfuse.archive import SpaceGuard
from radfuse.archive.queries import Amount
from radfuse.jobs import Jobs, JobState
from radfuse.services.holdings import HOURS
from radfuse.services.node_facts import NodeFacts, TlsOffer

_HOUR_S: Final = 3600
_DAY_S: Final = 86_400.0
_MAX_FAILED: Final = 1000
_NEARLY_FULL_SHARE: Final = 0.05
_NEARLY_FULL_BYTES: Final = 50 << 30
_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Volume:
    """The volume of the data folder."""

    free_bytes: int
    size_bytes: int
    reserve_bytes: int
    """What stays free of it."""

    @property
    def left_bytes(self) -> int:
        """What can still be stored."""
        return max(0, self.free_bytes - self.reserve_bytes)

    @property
    def is_nearly_full(self) -> bool:
        """Whether somebody should make room soon."""
        return self.left_bytes < min(self.size_bytes * _NEARLY_FULL_SHARE, _NEARLY_FULL_BYTES)


def volume_of(folder: Path, reserve_bytes: int) -> Volume:
    """The volume that a folder is on. Raises OSError."""
    found = os.statvfs(folder)
    return Volume(
        found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, SpaceGuard(reserve_bytes).reserve_on(folder)
    )


@dataclass(frozen=True, slots=True)
class HourOfArrivals:
    """What came in within an hour from ``hour_s``, in seconds since 1970."""

    hour_s: int
    objects: int
    size_bytes: int


def arrivals_by_hour(counted: Iterable[Mapping[int, Amount]]) -> list[HourOfArrivals]:
    """What came into all databases in each of the last 24 hours, the oldest first."""
    now_s = int(time.time())
    this_hour_s = now_s - now_s % _HOUR_S
    by_database = list(counted)
    hours = []
    for begins_s in range(this_hour_s - (HOURS - 1) * _HOUR_S, this_hour_s + 1, _HOUR_S):
        amounts = [found[begins_s] for found in by_database if begins_s in found]
        hours.append(
            HourOfArrivals(begins_s, sum(each.objects for each in amounts), sum(each.size_bytes for each in amounts))
        )
    return hours


def troubles_of(node: NodeFacts, tls: TlsOffer, volume: Volume, jobs: Jobs) -> Iterator[str]:
    """What somebody should look after, a sentence each."""
    if volume.is_nearly_full:
        left = f"{volume.left_bytes / _GIB:.1f} GiB"
        yield f"The volume is nearly full: {left} are left beyond the reserve. Make room, or move the data folder."
    if not node.is_worker_running:
        yield "No worker runs: nothing is sent, retrieved or deleted. Start 'radfuse serve', or 'radfuse worker'."
    if tls.warning:
        yield f"TLS: {tls.warning}"
    failed = jobs_failed_lately(jobs)
    if failed:
        what = "A job has" if failed == 1 else f"{failed} jobs have"
        yield f"{what} failed within the last 24 hours. The page of the jobs says why."


def jobs_failed_lately(jobs: Jobs) -> int:
    """How many jobs failed within the last day and were not started again."""
    since_s = time.time() - _DAY_S
    failed: Sequence[float | None] = [job.finished_s for job in jobs.list([JobState.FAILED], limit=_MAX_FAILED)]
    return sum(finished_s is not None and finished_s >= since_s for finished_s in failed)
