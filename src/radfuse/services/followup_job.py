"""Comparing two time points as a durable job, whose objects have the same UIDs and bytes at every try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion
from radfuse.jobs import Item, ItemState, JobContext, NewItem, NewJob
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.followup.asking import FollowupAsk, Linking, PairByHand, rule_of
from radfuse.services.image_jobs import ImageSurroundings, making_of, pdf_kept, run_whole, telling

if TYPE_CHECKING:
    from radfuse.services.followup import Followup

FOLLOWUP: Final = "followup"
"""The kind of these jobs."""

_RESULTS: Final = "results"
_MOST_UIDS: Final = 512
"""Of the results: each lesion has one, and each object some."""


def new_followup(ask: FollowupAsk, *, database: str = DEFAULT_DATABASE, priority: int = 5, by: str = "") -> NewJob:
    """The job that compares series of ``database`` and keeps what comes of it there; ``by``: the person's name.

    Raises InvalidRegion for files.
    """
    if not (isinstance(ask.structures, str) and isinstance(ask.current_structures, str)):
        raise InvalidRegion("a job compares what the archive keeps: import the regions first")
    parameters = {"database": database, "by": by, **_as_parameters(ask)}
    item = NewItem(ask.prior or ask.current, ask.current)
    return NewJob(FOLLOWUP, f"{FOLLOWUP} {database}", "follow-up of a series", parameters, [item], priority)


def run_followup(context: JobContext, surroundings: ImageSurroundings) -> None:
    """The kind "followup": its one item is done when all objects are kept.

    Raises TransientFailure when there is no space, and what ``follow_up`` and ``save`` raise: the job has failed then.
    """

    def work(items: Sequence[Item]) -> None:
        _follow_up(context, items[0], surroundings.open_archive(context.job.parameters["database"]))

    run_whole(context, work)


def _follow_up(context: JobContext, item: Item, archive: Archive) -> None:
    from radfuse.services.followup import follow_up, save

    job = context.job
    if kept := pdf_kept(archive, job, _RESULTS, most_uids=_MOST_UIDS):
        context.record(item.number, ItemState.SENT, None, f"kept before: {kept}")
        return
    found = follow_up(archive, ask_of(job.parameters), telling(context), lambda label: making_of(job, label))
    if context.should_stop():
        return
    save(archive, found, making_of(job, _RESULTS))
    sentence = in_words(found)
    state = ItemState.WARNED if found.link.path is None or found.findings else ItemState.SENT
    context.record(item.number, state, None, sentence)
    context.say(sentence)


def in_words(found: Followup) -> str:
    """What became of the lesions, as a sentence."""
    from radfuse.services.followup.model import Status

    counts = {status: sum(1 for each in found.lesions if each.status is status) for status in Status}
    said = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
    how = "" if found.link.path is not None else f"; not registered: {found.link.sentence}"
    return f"{len(found.lesions)} lesions: {said}{how}"


# --- what is asked for, as JSON --------------------------------------------------------------


def _as_parameters(ask: FollowupAsk) -> dict[str, Any]:
    return {
        "current": ask.current,
        "prior": ask.prior,
        "structures": str(ask.structures),
        "names": list(ask.names),
        "current_structures": str(ask.current_structures),
        "pairs": [[pair.prior, pair.current] for pair in ask.pairs],
        "rule": "" if ask.rule is None else str(ask.rule),
        "margin_mm": ask.margin_mm,
        "linking": ask.linking.value,
        "allow_other_patient": ask.allow_other_patient,
    }


def ask_of(parameters: Mapping[str, Any]) -> FollowupAsk:
    """What was asked for, from the parameters of its job. Raises InvalidRegion."""
    return FollowupAsk(
        parameters["current"],
        parameters["prior"],
        parameters["structures"],
        tuple(parameters["names"]),
        parameters["current_structures"],
        tuple(PairByHand(*pair) for pair in parameters["pairs"]),
        rule_of(parameters["rule"]) if parameters["rule"] else None,
        parameters["margin_mm"],
        Linking(parameters["linking"]),
        parameters["allow_other_patient"],
    )
