"""What a rule would have done with the studies that are already here. Nothing is changed or sent."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from radfuse.archive import Archive, InformationModel, queries
from radfuse.core.errors import ConfigurationError
from radfuse.core.levels import Level
from radfuse.dicom import Element, Identifier
from radfuse.services.peers import Peer
from radfuse.services.routing.planning import Plan, plan
from radfuse.services.rules import Rule
from radfuse.services.search import answers

_KEYWORDS = ("StudyDate", "StudyInstanceUID", "StudyDescription", "ModalitiesInStudy")


@dataclass(frozen=True, slots=True)
class Trial:
    """One study, and what would happen to it. It names no patient."""

    study_instance_uid: str
    study_date: str
    description: str
    modalities: tuple[str, ...]
    objects: int
    to_send: dict[str, int]
    """How many objects would go to each peer."""
    forgotten: int
    reason: str
    """Why objects would not go, or not everywhere; empty when all would."""


def try_rule(
    archive: Archive, rule: Rule, peers: Sequence[Peer], study_uids: Sequence[str] = (), limit: int = 100
) -> Iterator[Trial]:
    """Try ``rule`` on studies, or on the newest by Study Date. Raises ConfigurationError for one that is not kept."""
    for uid, date, description, modalities in _studies(archive, study_uids, limit):
        made = plan(archive, rule, peers, uid, 0)
        yield Trial(
            study_instance_uid=uid,
            study_date=date,
            description=description,
            modalities=modalities,
            objects=made.objects,
            to_send={name: len(objects) for name, objects in made.to_send.items() if objects},
            forgotten=len(made.complete) if rule.forget is not None else 0,
            reason=_reason(made),
        )


def _studies(archive: Archive, uids: Sequence[str], limit: int) -> list[tuple[str, str, str, tuple[str, ...]]]:
    elements = [Element.of(keyword) for keyword in _KEYWORDS]
    tags = [element.tag for element in elements]
    elements[1] = elements[1]._replace(values=tuple(dict.fromkeys(uids)))
    asked = Identifier((Element.of("QueryRetrieveLevel", Level.STUDY.name), *elements))
    query = queries.query_from_identifier(asked, InformationModel.STUDY_ROOT)
    found = []
    for answer in answers(archive, query, ""):
        values = {element.tag: element.values for element in answer.elements}
        date, uid, description, modalities = (values.get(tag, ()) for tag in tags)
        found.append((uid[0], "".join(date), "".join(description), modalities))
    missing = set(uids) - {uid for uid, *_ in found}
    if missing:
        raise ConfigurationError("--study", f"the archive has no study {min(missing)}")
    return heapq.nlargest(limit if not uids else len(found), found, key=itemgetter(1))


def _reason(made: Plan) -> str:
    reasons = (
        (made.unmatched, "{} do not meet the conditions"),
        (made.returning, "{} would go back to where they came from"),
        (made.unreadable, "{} cannot be read"),
    )
    said = [text.format(count) for count, text in reasons if count]
    return "; ".join(said)
