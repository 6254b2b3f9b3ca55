"""Carrying regions or images from one series of the archive to another as a durable job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion
from radfuse.jobs import Item, ItemState, JobContext, NewItem, NewJob
from radfuse.services.carry.asking import CarryAsk, Form, Images, Regions
from radfuse.services.carry.finding import path_notes
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.image_jobs import ImageSurroundings, making_of, run_whole, telling
from radfuse.services.registrations import Grade, RegistrationPath, Wish
from radfuse.volume import Unit

CARRY: Final = "carry"
"""The kind of these jobs."""


def new_carrying(
    ask: CarryAsk, path: RegistrationPath, *, database: str = DEFAULT_DATABASE, priority: int = 5, by: str = ""
) -> NewJob:
    """The job that carries along ``path``, and keeps what arrives in ``database``; ``by``: the person's name.

    It is this path whenever the job runs, also after a crash and when other registrations have come in. Raises
    InvalidRegion for files: a job works on what the archive keeps.
    """
    if isinstance(ask.what, Regions) and not isinstance(ask.what.where, str):
        raise InvalidRegion("a job carries regions of the archive, not of files")
    steps = frozenset(step.link.registration for step in path.steps)
    asked = replace(ask, wish=replace(ask.wish, only=steps or ask.wish.only), notes=path_notes(path))
    what = "images" if isinstance(ask.what, Images) else "regions"
    parameters = {"database": database, "by": by, **_as_parameters(asked)}
    items = [NewItem(ask.moving, ask.fixed)]
    return NewJob(CARRY, f"{CARRY} {database}", f"{what} carried over by registration", parameters, items, priority)


def run_carrying(context: JobContext, surroundings: ImageSurroundings) -> None:
    """The kind "carry": its one item is done when all objects are kept.

    Raises TransientFailure when there is no space, and what ``carry`` and ``save`` raise: the job has failed then.
    """

    def work(items: Sequence[Item]) -> None:
        _carry(context, items[0], surroundings.open_archive(context.job.parameters["database"]))

    run_whole(context, work)


def _carry(context: JobContext, item: Item, archive: Archive) -> None:
    from radfuse.services.carry import carry, save

    carried = carry(archive, ask_of(context.job.parameters), telling(context))
    if context.should_stop():
        return
    save(archive, carried, making_of(context.job))
    is_doubtful = bool(carried.notes) or carried.path.grade in (Grade.CAUTION, Grade.FAIL)
    words = "; ".join((carried.sentence, *carried.notes))
    context.record(item.number, ItemState.WARNED if is_doubtful else ItemState.SENT, None, words)
    context.say(words)


# --- what is asked for, as JSON --------------------------------------------------------------


def _as_parameters(ask: CarryAsk) -> dict[str, Any]:
    what: dict[str, Any] = {}
    if isinstance(ask.what, Regions):
        form = ask.what.form
        what = {"structures": ask.what.where, "names": list(ask.what.names), "form": form.value if form else None}
    else:
        what = {"unit": ask.what.unit.value if ask.what.unit else None}
    return {
        "fixed": ask.fixed,
        "moving": ask.moving,
        "fixed_stack": ask.fixed_stack,
        "moving_stack": ask.moving_stack,
        "what": what,
        "only": sorted(ask.wish.only),
        "allow_failed": ask.wish.allow_failed,
        "allow_other_patient": ask.wish.allow_other_patient,
        "notes": list(ask.notes),
    }


def ask_of(parameters: Mapping[str, Any]) -> CarryAsk:
    """What was asked for, from the parameters of its job."""
    what = parameters["what"]
    carried: Regions | Images
    if "structures" in what:
        form = None if what["form"] is None else Form(what["form"])
        carried = Regions(what["structures"], tuple(what["names"]), form)
    else:
        carried = Images(None if what["unit"] is None else Unit(what["unit"]))
    wish = Wish(parameters["allow_failed"], parameters["allow_other_patient"], frozenset(parameters["only"]))
    stacks = parameters["fixed_stack"], parameters["moving_stack"]
    return CarryAsk(parameters["fixed"], parameters["moving"], carried, wish, *stacks, tuple(parameters["notes"]))
