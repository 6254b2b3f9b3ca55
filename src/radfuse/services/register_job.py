"""Registering two series of the archive as a durable job, whose objects have the same UIDs and bytes at every try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from radfuse.archive import Archive
from radfuse.core.errors import CannotRegister
from radfuse.jobs import Item, ItemState, JobContext, NewItem, NewJob
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.image_jobs import ImageSurroundings, following, making_of, pdf_kept, run_whole, telling
from radfuse.services.measure import Image
from radfuse.services.register.asking import Allowed, LandmarkPair, Region, RegisterAsk, RegisterKind, Structures

REGISTER: Final = "register"
"""The kind of these jobs."""

_MOST_UIDS: Final = 32
"""That the objects of a job have."""


def new_registration(
    ask: RegisterAsk,
    *,
    database: str = DEFAULT_DATABASE,
    priority: int = 5,
    is_proposal: bool = False,
    by: str = "",
) -> NewJob:
    """The job that registers two series of ``database`` and keeps what comes of it there.

    With ``is_proposal`` what comes of it is put aside, for a person to accept (``services.proposals``).
    ``by``: who wanted it, as a Person Name; its objects say so.

    Raises CannotRegister for files: a job works on what the archive keeps.
    """
    fixed, moving = ask.fixed.where, ask.moving.where
    if not (isinstance(fixed, str) and isinstance(moving, str)):
        raise CannotRegister("a job registers series of the archive, not files")
    parameters = {"database": database, "is_proposal": is_proposal, "by": by, **_as_parameters(ask)}
    title = f"{ask.kind.value} registration of 2 series"
    return NewJob(REGISTER, f"{REGISTER} {database}", title, parameters, [NewItem(moving, fixed)], priority)


def run_registration(context: JobContext, surroundings: ImageSurroundings) -> None:
    """The kind "register": its one item is done when all objects are kept.

    Raises TransientFailure when there is no space, and what ``register`` and ``save`` raise: the job has failed then.
    """

    def work(items: Sequence[Item]) -> None:
        parameters = context.job.parameters
        _register(context, items[0], surroundings.open_archive(parameters["database"]), ask_of(parameters))

    run_whole(context, work)


def _register(context: JobContext, item: Item, archive: Archive, ask: RegisterAsk) -> None:
    from radfuse.registration.quality import Grade
    from radfuse.services.proposals import propose
    from radfuse.services.register import register, save

    is_proposal = context.job.parameters.get("is_proposal", False)  # jobs of before had none
    if kept := pdf_kept(archive, context.job, most_uids=_MOST_UIDS):
        context.record(item.number, ItemState.SENT, None, f"kept before: {kept}")
        return
    found = register(archive, ask, telling(context), following(context))
    if context.should_stop():
        return
    making = making_of(context.job)
    if is_proposal:
        propose(archive, found, making, context.job.id)
    else:
        save(archive, found, making)
    state = ItemState.WARNED if found.card.grade in (Grade.CAUTION, Grade.FAIL) else ItemState.SENT
    context.record(item.number, state, None, f"{found.card.grade.value}: {found.card.reason}")
    context.say(f"{found.card.grade.value}: {found.card.reason}")


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
        "region": None if ask.region is None else list(ask.region.numbers),
        "structures": None if ask.structures is None else [str(ask.structures.fixed), str(ask.structures.moving)],
        "from_path": ask.from_path,
        "check_back": ask.check_back,
        "other_patient": ask.allowed.other_patient,
        "same_frame": ask.allowed.same_frame,
        "manual": None if ask.manual is None else list(map(list, ask.manual)),
    }


def _pairs(pairs: tuple[LandmarkPair, ...]) -> list[list[Any]]:
    return [[*pair.fixed_mm, *pair.moving_mm, pair.name] for pair in pairs]


def ask_of(parameters: Mapping[str, Any]) -> RegisterAsk:
    """What was asked for, from the parameters of its job. Raises CannotRegister."""
    region = parameters["region"]
    structures = parameters["structures"]
    manual = parameters.get("manual")  # jobs of before had none
    return RegisterAsk(
        Image(parameters["fixed"], stack=parameters["fixed_stack"]),
        Image(parameters["moving"], stack=parameters["moving_stack"]),
        RegisterKind(parameters["kind"]),
        tuple(map(_pair, parameters["clicks"])),
        tuple(map(_pair, parameters["landmarks"])),
        None if region is None else Region.of(region),
        None if structures is None else Structures(*structures),
        parameters["from_path"],
        parameters["check_back"],
        Allowed(parameters["other_patient"], parameters["same_frame"]),
        None if manual is None else (_point(manual[0]), _point(manual[1])),
    )


def _point(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = values
    return x, y, z


def _pair(values: list[Any]) -> LandmarkPair:
    x, y, z, u, v, w, name = values
    return LandmarkPair((x, y, z), (u, v, w), name)
