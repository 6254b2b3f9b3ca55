"""What to open of a patient: all series with the way each is shown, and the pair that one would take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from radfuse.archive import Archive, queries
from radfuse.archive.queries import HasText, SeriesRow, StudyField, StudyListing, StudyRow, StudyTerm
from radfuse.core.errors import ArchiveError, DataSetError
from radfuse.dicom import Identifier
from radfuse.services.browse import study_in_detail
from radfuse.services.viewing.showable import LAST_TAG, Showable, ShowsAs, showable

_MOST_STUDIES: Final = 50
_MOST_HEADERS: Final = 200
_HOT: Final = ("PT", "NM")
_PLACES: Final = ("CT", "MR")
_SPOKEN: Final = {"PT": "PET", "MR": "MRI"}


@dataclass(frozen=True, slots=True)
class OpeningSeries:
    """A series, and how it is shown."""

    row: SeriesRow
    showable: Showable

    @property
    def is_volume(self) -> bool:
        """Whether it can be shown in all planes, as far as one header tells."""
        return self.showable.shows_as is ShowsAs.VOLUME

    @property
    def rank(self) -> tuple[bool, int, int]:
        """What is taken of equals: what was corrected, then the larger."""
        return self.showable.is_corrected, self.row.instances, self.row.size_bytes


@dataclass(frozen=True, slots=True)
class OpeningStudy:
    """A study of the patient."""

    row: StudyRow
    series: tuple[OpeningSeries, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to open, by Series Instance UID; "" for nothing."""

    reason: str
    base: str = ""
    overlay: str = ""
    prior: str = ""
    layout: str = "fused"


@dataclass(frozen=True, slots=True)
class Opening:
    """The study that was asked for, then the patient's others, the newest first."""

    studies: tuple[OpeningStudy, ...]
    proposal: Proposal = field(default_factory=lambda: Proposal(""))


def opening_of(archive: Archive, study_uid: str, wanted: Collection[str] = ()) -> Opening:
    """What to open of a study, and of those of its series that are ``wanted``. Raises UnknownEntity."""
    row, series = study_in_detail(archive, study_uid)
    reader = _Headers(archive)
    asked = OpeningStudy(row, reader.judged(study_uid, series))
    studies = [asked]
    for other in _others(archive, row):
        studies.append(OpeningStudy(other, reader.judged(other.study_instance_uid, _series(archive, other))))
    chosen = [each for each in asked.series if not wanted or each.row.series_instance_uid in wanted]
    earlier = [study for study in studies[1:] if study.row.study_date <= row.study_date]
    return Opening(tuple(studies), _proposal(chosen, earlier))


def _series(archive: Archive, study: StudyRow) -> Sequence[SeriesRow]:
    with archive.reading() as connection:
        return queries.series_rows(connection, study.study_instance_uid)


def _others(archive: Archive, study: StudyRow) -> list[StudyRow]:
    """The other studies of the patient, the newest first."""
    if not study.patient_id:
        return []
    term = StudyTerm((HasText(StudyField.PATIENT_ID, study.patient_id, at_start=True),))
    with archive.reading() as connection:
        rows = queries.list_studies(connection, StudyListing((term,), limit=_MOST_STUDIES))
        patient = _patient(queries.study_places(connection, study.study_instance_uid))
        return [
            row
            for row in rows
            if row.study_instance_uid != study.study_instance_uid
            and _patient(queries.study_places(connection, row.study_instance_uid)) == patient
        ]


def _patient(places: Iterable[queries.SeriesPlace]) -> int | None:
    return next((place.patient for place in places), None)


class _Headers:
    """Reads one header a series, of so many series and no more."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._left = _MOST_HEADERS

    def judged(self, study_uid: str, series: Sequence[SeriesRow]) -> tuple[OpeningSeries, ...]:
        """The series of a study, each with how it is shown."""
        return tuple(OpeningSeries(row, showable(row, self._header(study_uid, row))) for row in series)

    def _header(self, study_uid: str, row: SeriesRow) -> Identifier | None:
        if row.middle is None or self._left <= 0:
            return None
        self._left -= 1
        with self._archive.reading() as connection:
            stored = queries.instance_at(connection, study_uid, row.series_instance_uid, row.middle.sop_instance_uid)
        try:
            return None if stored is None else self._archive.read_header(stored, LAST_TAG)
        except (ArchiveError, DataSetError):
            return None


# --- what one would take -----------------------------------------------------------------------


def _proposal(series: Sequence[OpeningSeries], earlier: Sequence[OpeningStudy]) -> Proposal:
    volumes = [each for each in series if each.is_volume]
    if not volumes:
        return Proposal("no series of the study is a volume", layout="images")
    hot, places = (_best(volumes, kinds) for kinds in (_HOT, _PLACES))
    if hot is None:
        base = places or max(volumes, key=lambda each: each.rank)
        return _with_prior(base, None, earlier, f"the largest volume: {_named(base)}")
    under = _best([each for each in volumes if _is_same_frame(each, hot)], _PLACES)
    if under is not None:
        reason = f"{_named(hot)} on {_named(under)}: one frame of reference"
        return _with_prior(under, hot, earlier, reason)
    if places is None:
        return _with_prior(hot, None, earlier, f"the largest volume: {_named(hot)}")
    reason = f"{_named(hot)} and {_named(places)} have no common frame of reference"
    return _with_prior(places, hot, earlier, reason, "side")


def _with_prior(
    base: OpeningSeries,
    overlay: OpeningSeries | None,
    earlier: Sequence[OpeningStudy],
    reason: str,
    layout: str = "fused",
) -> Proposal:
    """With the newest earlier series of the modality that one compares."""
    kind = (overlay or base).row.modality
    found = (_best([each for each in study.series if each.is_volume], (kind,)) for study in earlier)
    prior = next((each for each in found if each is not None), None)
    return Proposal(reason, _uid(base), _uid(overlay), _uid(prior), layout)


def _best(series: Iterable[OpeningSeries], modalities: Sequence[str]) -> OpeningSeries | None:
    """Of the first of these modalities that there is."""
    found = list(series)
    for modality in modalities:
        of_it = [each for each in found if each.row.modality == modality]
        if of_it:
            return max(of_it, key=lambda each: each.rank)
    return None


def _is_same_frame(one: OpeningSeries, other: OpeningSeries) -> bool:
    uid = one.row.frame_of_reference_uid
    return bool(uid) and uid == other.row.frame_of_reference_uid


def _named(series: OpeningSeries) -> str:
    """Modality and description; many descriptions begin with the modality."""
    modality, description = series.row.modality, series.row.description
    first = description.split(maxsplit=1)[0].strip(",;:-_").upper() if description.strip() else ""
    if first in {modality, _SPOKEN.get(modality, modality)}:
        return description
    return " ".join(filter(None, (modality, description)))


def _uid(series: OpeningSeries | None) -> str:
    return "" if series is None else series.row.series_instance_uid
