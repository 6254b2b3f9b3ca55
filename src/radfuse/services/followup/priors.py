"""Which earlier series of the patient a series is compared with, and why each of the others is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from radfuse.archive import Archive, queries
from radfuse.archive.queries import (
    HasText,
    SeriesPlace,
    SeriesRow,
    StudyField,
    StudyListing,
    StudyRow,
    StudyTerm,
)
from radfuse.core.errors import ArchiveError, CannotRegister, DataSetError, UnknownEntity
from radfuse.services.followup.facts import SeriesFacts, facts_of
from radfuse.services.stored_objects import object_of

IMAGES: Final = ("PT", "CT", "MR")
"""Modalities whose time points are compared."""

_FEWEST_IMAGES: Final = 4
_MOST_STUDIES: Final = 500
_PAGE: Final = 100
_MOST_REASONS: Final = 4
_SMALL: Final = frozenset(("a", "and", "the", "of", "with", "mm", "st", "axial", "ax"))
_WHOLE: Final = frozenset(("WHOLEBODY", "BODY", "WHOLE BODY", "WB"))
_PARTS: Final = {"THORAX": "CHEST", "BRAIN": "HEAD", "SKULL": "HEAD", "ABDOMENPELVIS": "ABDOMEN"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An earlier series that might be the prior."""

    series_instance_uid: str
    study_instance_uid: str
    description: str
    moment: str
    """When it was acquired, as digits: date and time."""
    instances: int
    refusals: tuple[str, ...] = ()
    """Why it is not taken by itself; empty: it is comparable."""
    merits: tuple[str, ...] = ()
    """What speaks for it."""
    likeness: float = 0.0
    """Share of the words that both descriptions and protocols have in common, 0 to 1."""
    is_chosen: bool = False

    @property
    def reason(self) -> str:
        """Why it was chosen or not, as a sentence."""
        if self.is_chosen:
            return "; ".join(("the nearest earlier comparable series", *self.merits))
        return "; ".join(self.refusals or ("comparable, but another one is nearer in time or more alike",))

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "SeriesInstanceUID": self.series_instance_uid,
            "StudyInstanceUID": self.study_instance_uid,
            "SeriesDescription": self.description,
            "Acquired": self.moment,
            "NumberOfSeriesRelatedInstances": self.instances,
            "Comparable": not self.refusals,
            "Chosen": self.is_chosen,
            "Reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Priors:
    """What a series can be compared with, the nearest first."""

    current: str
    modality: str
    description: str
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate | None:
        """The prior; None where nothing is comparable."""
        return next((each for each in self.candidates if each.is_chosen), None)


def priors_of_study(archive: Archive, study_uid: str) -> list[Priors]:
    """For each PET, CT and MR series of a study. Raises UnknownEntity."""
    with archive.reading() as connection:
        places = queries.study_places(connection, study_uid)
    if not places:
        raise UnknownEntity("study")
    return [priors_of_series(archive, place.series_instance_uid) for place in places if place.modality in IMAGES]


def priors_of_series(archive: Archive, series_uid: str) -> Priors:
    """The candidates, judged. Raises UnknownEntity, CannotRegister for a series that is not PET, CT or MR."""
    with archive.reading() as connection:
        place = queries.series_place(connection, series_uid)
    if place is None:
        raise UnknownEntity("series")
    if place.modality not in IMAGES:
        raise CannotRegister(f"a follow-up compares PET, CT and MR series; this one is {place.modality or 'unknown'}")
    current = _known(archive, place.study_instance_uid, series_uid)
    if current is None:
        raise CannotRegister("the header of the current series cannot be read: 'radfuse check' says more")
    judged = [_judged(current, place, *each) for each in _others(archive, place)]
    judged.sort(key=lambda each: each.series_instance_uid)
    judged.sort(key=lambda each: (not each.refusals, each.moment[:8], each.likeness, each.instances), reverse=True)
    if judged and not judged[0].refusals:
        judged[0] = replace(judged[0], is_chosen=True)
    return Priors(series_uid, place.modality, place.description, tuple(judged))


# --- what there is ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """A series with what its images say."""

    row: SeriesRow
    facts: SeriesFacts


def _others(archive: Archive, place: SeriesPlace) -> Iterator[tuple[_Known, SeriesPlace]]:
    """The other series of the modality in the studies of the patient (by Patient ID and issuer)."""
    studies = _studies(archive, place.study_instance_uid)
    with archive.reading() as connection:
        places = [each for study in studies for each in queries.study_places(connection, study)]
    for other in places:
        if other.modality == place.modality and other.series_instance_uid != place.series_instance_uid:
            known = _known(archive, other.study_instance_uid, other.series_instance_uid)
            if known is not None:
                yield known, other


def _studies(archive: Archive, study_uid: str) -> list[str]:
    """The studies of one patient: one Patient ID and issuer; without an ID one name and date of birth."""
    with archive.reading() as connection:
        own = queries.study_row(connection, study_uid)
        if own is None or not (own.patient_id or own.patient_name):
            return [study_uid]
        field = StudyField.PATIENT_ID if own.patient_id else StudyField.NAME
        term = StudyTerm((HasText(field, own.patient_id or own.patient_name.partition("^")[0], at_start=True),))
        found: list[str] = []
        listing = StudyListing((term,), limit=_PAGE)
        while len(found) < _MOST_STUDIES and (rows := queries.list_studies(connection, listing)):
            found += [row.study_instance_uid for row in rows if _who(row) == _who(own)]
            listing = replace(listing, after=rows[-1].place)
    return found


def _who(row: StudyRow) -> tuple[str, ...]:
    if row.patient_id:
        return row.patient_id, row.issuer
    return "", "", row.patient_name, row.birth_date


def _known(archive: Archive, study_uid: str, series_uid: str) -> _Known | None:
    """A series and the header of its middle image; None where that cannot be read."""
    with archive.reading() as connection:
        rows = queries.series_rows(connection, study_uid)
    row = next((each for each in rows if each.series_instance_uid == series_uid), None)
    if row is None or row.middle is None:
        return None
    try:
        return _Known(row, facts_of(archive, object_of(archive, row.middle.sop_instance_uid)))
    except (ArchiveError, DataSetError):
        return None


# --- judging ---------------------------------------------------------------------------------


def _judged(current: _Known, place: SeriesPlace, other: _Known, other_place: SeriesPlace) -> Candidate:
    refusals = tuple(_refusals(current, place, other, other_place))
    one, two = _vocabulary(current.facts), _vocabulary(other.facts)
    likeness = len(one & two) / len(one | two) if one | two else 0.0
    return Candidate(
        other.row.series_instance_uid,
        other_place.study_instance_uid,
        other.row.description,
        other.facts.moment,
        other.row.instances,
        refusals,
        () if refusals else tuple(_merits(current.facts, other.facts, likeness)),
        likeness,
    )


def _refusals(current: _Known, place: SeriesPlace, other: _Known, other_place: SeriesPlace) -> Iterator[str]:
    if other_place.study_instance_uid == place.study_instance_uid:
        yield "it is of the same study"
    elif not other.facts.moment or not current.facts.moment:
        yield "nothing says when it was acquired"
    elif other.facts.moment[:8] >= current.facts.moment[:8]:
        yield "it is not of an earlier day"
    if other_place.patient != place.patient:
        yield "the name or the date of birth is written differently: name it with --prior if it is the same person"
    if not other_place.frame_of_reference_uid:
        yield "it does not say in which frame of reference it lies"
    if other.row.instances < _FEWEST_IMAGES and current.row.instances >= _FEWEST_IMAGES:
        yield f"it has {other.row.instances} images only"
    yield from _other_kind(current.facts, other.facts)


def _other_kind(current: SeriesFacts, other: SeriesFacts) -> Iterator[str]:
    one, two = (_part(facts.text("BodyPartExamined")) for facts in (current, other))
    if one and two and one != two and not {one, two} & _WHOLE:
        yield f"another part of the body: {two.lower()}, not {one.lower()}"
    if _is_picture(other) and not _is_picture(current):
        yield "it is a localizer or a projection"
    if current.text("Modality") != "PT":
        return
    if current.drug and other.drug and current.drug != other.drug:
        yield f"another radiopharmaceutical: {other.drug}, not {current.drug}"
    if _is_attenuation_corrected(current) != _is_attenuation_corrected(other):
        yield "only one of the two is corrected for attenuation"


def _merits(current: SeriesFacts, other: SeriesFacts, likeness: float) -> Iterator[str]:
    if current.drug and current.drug == other.drug:
        yield f"the same radiopharmaceutical ({current.drug})"
    if current.text("Modality") == "PT" and _is_attenuation_corrected(current):
        yield "both corrected for attenuation"
    if current.text("BodyPartExamined") and current.text("BodyPartExamined") == other.text("BodyPartExamined"):
        yield "the same part of the body"
    if likeness:
        yield f"{100 * likeness:.0f} % of the words of description and protocol in common"


def _is_attenuation_corrected(facts: SeriesFacts) -> bool:
    return "ATTN" in facts.text("CorrectedImage").split("\\")


def _is_picture(facts: SeriesFacts) -> bool:
    return bool({"LOCALIZER", "PROJECTION IMAGE", "MIP"} & set(facts.text("ImageType").upper().split("\\")))


def _vocabulary(facts: SeriesFacts) -> set[str]:
    text = f"{facts.text('SeriesDescription')} {facts.text('ProtocolName')} {facts.text('ConvolutionKernel')}"
    return set(re.findall(r"[^\W_]+", text.casefold())) - _SMALL


def _part(word: str) -> str:
    plain = word.upper()
    return _PARTS.get(plain, plain)


def require_prior(priors: Priors) -> Candidate:
    """The chosen one. Raises CannotRegister with why none is."""
    if (found := priors.chosen) is not None:
        return found
    reasons = dict.fromkeys(reason for each in priors.candidates for reason in each.refusals)
    why = f" ({'; '.join(list(reasons)[:_MOST_REASONS])})" if reasons else ""
    raise CannotRegister(f"the patient has no earlier series that compares with this one{why}; name one with --prior")
