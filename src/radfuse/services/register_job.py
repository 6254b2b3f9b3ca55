"""Registering two series of the archive as a durable job, whose objects have the same UIDs and bytes at every try."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from radfuse.archive import Archive, queries
from radfuse.core.errors import CannotRegister, OutOfSpace, TransientFailure
from radfuse.jobs import Item, ItemState, Job, JobContext, NewItem, NewJob
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.measure import Image
from radfuse.services.register.asking import Allowed, LandmarkPair, RegisterAsk, RegisterKind, Structures

if TYPE_CHECKING:
    from radfuse.objects.common import Making

REGISTER: Final = "register"
"""The kind of these jobs."""

_NAMESPACE: Final = UUID("5d6a1fd4-3f0c-4c55-9c51-6d2b6d2e8a41")
_TELL_EVERY_S: Final = 0.5


class _Stopped(Exception):
    """The job was told to stop."""


@dataclass(frozen=True, slots=True)
class RegisterSurroundings:
    """What such a job needs of the process that runs it."""

    open_archive: Callable[[str], Archive]


def new_registration(ask: RegisterAsk, *, database: str = DEFAULT_DATABASE, priority: int = 5) -> NewJob:
    """The job that registers two series of ``database`` and keeps what comes of it there.

    Raises CannotRegister for files: a job works on what the archive keeps.
    """
    fixed, moving = ask.fixed.where, ask.moving.where
    if not (isinstance(fixed, str) and isinstance(moving, str)):
        raise CannotRegister("a job registers series of the archive, not files")
    parameters = {"database": database, **_as_parameters(ask)}
    title = f"{ask.kind.value} registration of 2 series"
    return NewJob(REGISTER, f"{REGISTER} {database}", title, parameters, [NewItem(moving, fixed)], priority)


def run_registration(context: JobContext, surroundings: RegisterSurroundings) -> None:
    """The kind "register": its one item is done when all objects are kept.

    Raises TransientFailure when there is no space, and what ``register`` and ``save`` raise: the job has failed then.
    """
    items = context.pending()
    if not items or context.should_stop():
        return
    job = context.job
    archive = surroundings.open_archive(job.parameters["database"])
    try:
        _register(context, items[0], archive, ask_of(job.parameters))
    except _Stopped:
        return
    except OutOfSpace as error:
        raise TransientFailure(str(error)) from error


def _register(context: JobContext, item: Item, archive: Archive, ask: RegisterAsk) -> None:
    from radfuse.registration.quality import Grade
    from radfuse.services.register import register, save

    if kept := _kept(archive, context.job):
        context.record(item.number, ItemState.SENT, None, f"kept before: {kept}")
        return
    found = register(archive, ask, _telling(context))
    if context.should_stop():
        return
    save(archive, found, making_of(context.job))
    state = ItemState.WARNED if found.card.grade in (Grade.CAUTION, Grade.FAIL) else ItemState.SENT
    context.record(item.number, state, None, f"{found.card.grade.value}: {found.card.reason}")
    context.say(f"{found.card.grade.value}: {found.card.reason}")


def _telling(context: JobContext) -> Callable[[float, str], None]:
    """Says how far it is, now and then, and ends the work when the job is to stop."""
    told_s = 0.0

    def tell(share: float, doing: str) -> None:
        nonlocal told_s
        if context.should_stop():
            raise _Stopped
        now_s = time.monotonic()
        if now_s - told_s >= _TELL_EVERY_S:
            told_s = now_s
            context.say(f"{doing}, {100 * share:.0f} %")

    return tell


# --- the same objects at every try -----------------------------------------------------------


def making_of(job: Job) -> Making:
    """When the job was made, and UIDs that are its own and always the same."""
    from radfuse.objects.common import Making

    uids = _uids(job)
    return Making(datetime.fromtimestamp(job.created_s, UTC), lambda: next(uids))


def _uids(job: Job) -> Iterator[str]:
    own = json.dumps([job.id, job.created_s, dict(job.parameters)], sort_keys=True)
    number = 0
    while True:
        number += 1
        yield f"2.25.{uuid5(_NAMESPACE, f'{own} {number}').int}"


def _kept(archive: Archive, job: Job) -> str:
    """The SOP Instance UID of the last object of the job, where it is in the archive: then all are."""
    uids = _uids(job)
    with archive.reading() as connection:
        found = queries.named(connection, [next(uids) for _ in range(_MOST_UIDS)])
    documents = [stored.sop_instance_uid for stored in found if stored.sop_class_uid == _LAST_CLASS]
    return documents[0] if documents else ""


_MOST_UIDS: Final = 32
_LAST_CLASS: Final = "1.2.840.10008.5.1.4.1.1.104.1"
"""The PDF is kept last."""


# --- what is asked for, as JSON --------------------------------------------------------------


def _as_parameters(ask: RegisterAsk) -> dict[str, Any]:
    return {
        "fixed": ask.fixed.where,
        "moving": ask.moving.where,
        "fixed_stack": ask.fixed.stack,
        "moving_stack": ask.moving.stack,
        "kind": ask.kind.value,
        "clicks": _pairs(ask.clicks),
        "landmarks": _pairs(ask.landmarks),
        "region": None if ask.region is None else [*ask.region[0], ask.region[1]],
        "structures": None if ask.structures is None else [str(ask.structures.fixed), str(ask.structures.moving)],
        "from_path": ask.from_path,
        "check_back": ask.check_back,
        "other_patient": ask.allowed.other_patient,
        "same_frame": ask.allowed.same_frame,
    }


def _pairs(pairs: tuple[LandmarkPair, ...]) -> list[list[Any]]:
    return [[*pair.fixed_mm, *pair.moving_mm, pair.name] for pair in pairs]


def ask_of(parameters: Mapping[str, Any]) -> RegisterAsk:
    """What was asked for, from the parameters of its job. Raises CannotRegister."""
    region = parameters["region"]
    structures = parameters["structures"]
    return RegisterAsk(
        Image(parameters["fixed"], stack=parameters["fixed_stack"]),
        Image(parameters["moving"], stack=parameters["moving_stack"]),
        RegisterKind(parameters["kind"]),
        tuple(map(_pair, parameters["clicks"])),
        tuple(map(_pair, parameters["landmarks"])),
        None if region is None else ((region[0], region[1], region[2]), region[3]),
        None if structures is None else Structures(*structures),
        parameters["from_path"],
        parameters["check_back"],
        Allowed(parameters["other_patient"], parameters["same_frame"]),
    )


def _pair(values: list[Any]) -> LandmarkPair:
    x, y, z, u, v, w, name = values
    return LandmarkPair((x, y, z), (u, v, w), name)
