"""What a rule would have done with the studies that are already here. Nothing is changed or sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from radfuse.archive import Archive, queries
from radfuse.core.errors import ConfigurationError
from radfuse.services.peers import Peer
from radfuse.services.routing.planning import Plan, plan
from radfuse.services.rules import Rule


@dataclass(frozen=True, slots=True)
class Trial:
    """One study, and what would happen to it. It names no patient."""

    study_instance_uid: str
    study_date: str
    description: str
    modalities: tuple[str, ...]
    objects: int
    matched: int
    """Those that meet the conditions."""
    to_send: dict[str, int]
    """How many objects would go to each peer."""
    forgotten: int
    reason: str
    """Why objects would not go, or not everywhere; empty when all would."""


def try_rule(
    archive: Archive,
    rule: Rule,
    peers: Sequence[Peer],
    study_uids: Sequence[str] = (),
    limit: int = 100,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[Trial]:
    """Try ``rule`` on studies, or on the newest by Study Date. Raises ConfigurationError for one that is not kept.

    Once it should stop it looks at no further object.
    """
    for study in _studies(archive, study_uids, limit):
        if should_stop is not None and should_stop():
            return
        made = plan(archive, rule, peers, study.study_instance_uid, 0, should_stop)
        yield Trial(
            study_instance_uid=study.study_instance_uid,
            study_date=study.study_date,
            description=study.description,
            modalities=study.modalities,
            objects=made.objects,
            matched=made.objects - made.unmatched - made.unreadable,
            to_send={name: len(objects) for name, objects in made.to_send.items() if objects},
            forgotten=len(made.complete) if rule.forget is not None else 0,
            reason=_reason(made),
        )


def _studies(archive: Archive, uids: Sequence[str], limit: int) -> list[queries.StudyRow]:
    """Those studies, or the newest by Study Date; the newest first."""
    with archive.reading() as connection:
        if not uids:
            return queries.list_studies(connection, queries.StudyListing(limit=limit))
        rows = {uid: queries.study_row(connection, uid) for uid in dict.fromkeys(uids)}
    found = [row for row in rows.values() if row is not None]
    if len(found) < len(rows):
        missing = min(uid for uid, row in rows.items() if row is None)
        raise ConfigurationError("--study", f"the archive has no study {missing}")
    return sorted(found, key=attrgetter("study_date"), reverse=True)


def _reason(made: Plan) -> str:
    reasons = (
        (made.unmatched, "{} do not meet the conditions"),
        (made.returning, "{} would go back to where they came from"),
        (made.unreadable, "{} cannot be read"),
    )
    said = [text.format(count) for count, text in reasons if count]
    return "; ".join(said)
