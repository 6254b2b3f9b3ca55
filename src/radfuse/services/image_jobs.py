"""What the jobs on images share: how they tell what they do, and objects that are the same at every try."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from radfuse.archive import Archive, queries
from radfuse.core.errors import OutOfSpace, TransientFailure
from radfuse.jobs import Item, Job, JobContext

if TYPE_CHECKING:
    from radfuse.objects.common import Making
    from radfuse.registration import MetricStep

_NAMESPACE: Final = UUID("5d6a1fd4-3f0c-4c55-9c51-6d2b6d2e8a41")
_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
"""Encapsulated PDF Storage."""
_TELL_EVERY_S: Final = 0.5
_MOST_VALUES: Final = 60


@dataclass(frozen=True, slots=True)
class ImageSurroundings:
    """What such a job needs of the process that runs it: ``open_archive`` gives the archive of a database."""

    open_archive: Callable[[str], Archive]


class _Stopped(Exception):
    """The job was told to stop."""


def run_whole(context: JobContext, work: Callable[[Sequence[Item]], None]) -> None:
    """Do the items that are left, in one go; nothing when there are none, or the job is to stop.

    Raises TransientFailure when there is no space, and what ``work`` raises: the job has failed then.
    """
    items = context.pending()
    if not items or context.should_stop():
        return
    try:
        work(items)
    except _Stopped:
        return
    except OutOfSpace as error:
        raise TransientFailure(str(error)) from error


def telling(context: JobContext) -> Callable[[float, str], None]:
    """Says what is done and its share of the whole, now and then; ends what ``run_whole`` runs when it is to stop."""
    say = _now_and_then(context)

    def tell(share: float, doing: str) -> None:
        if context.should_stop():
            raise _Stopped
        say(f"{doing}, {100 * share:.0f} %")

    return tell


def counting(context: JobContext, doing: str) -> Callable[[int, int], None]:
    """Says how many of how many, now and then."""
    say = _now_and_then(context)

    def tell(done: int, total: int) -> None:
        say(f"{doing}: {done} of {total}")

    return tell


def following(context: JobContext) -> Callable[[MetricStep], None]:
    """Shows the metric of a registration as it falls, now and then: the newest numbers of its stage."""
    stage, told_s = "", 0.0
    newest: deque[float] = deque(maxlen=_MOST_VALUES)

    def follow(step: MetricStep) -> None:
        nonlocal stage, told_s
        if step.stage != stage:
            stage = step.stage
            newest.clear()
        if not isfinite(step.value):
            return
        newest.append(float(f"{step.value:.6g}"))
        now_s = time.monotonic()
        if now_s - told_s >= _TELL_EVERY_S:
            told_s = now_s
            context.show({"metric": {"stage": stage, "name": step.name, "values": list(newest)}})

    return follow


def _now_and_then(context: JobContext) -> Callable[[str], None]:
    told_s = 0.0

    def say(words: str) -> None:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s >= _TELL_EVERY_S:
            told_s = now_s
            context.say(words)

    return say


# --- the same objects at every try -----------------------------------------------------------


def making_of(job: Job, label: str = "") -> Making:
    """When and by whom the job was made, and UIDs of its own that are always the same; each label has others."""
    from radfuse.objects.common import Making

    uids = _uids(job, label)
    return Making(datetime.fromtimestamp(job.created_s, UTC), lambda: next(uids), str(job.parameters.get("by", "")))


def pdf_kept(archive: Archive, job: Job, label: str = "", *, most_uids: int) -> str:
    """The SOP Instance UID of the PDF among the first ``most_uids`` of a job's UIDs, where it is in the archive.

    It is kept last: then all objects of the job are there. "" otherwise.
    """
    uids = _uids(job, label)
    with archive.reading() as connection:
        found = queries.named(connection, [next(uids) for _ in range(most_uids)])
    return next((stored.sop_instance_uid for stored in found if stored.sop_class_uid == _PDF), "")


def _uids(job: Job, label: str) -> Iterator[str]:
    own = json.dumps([job.id, job.created_s, dict(job.parameters), *filter(None, [label])], sort_keys=True)
    number = 0
    while True:
        number += 1
        yield f"2.25.{uuid5(_NAMESPACE, f'{own} {number}').int}"
