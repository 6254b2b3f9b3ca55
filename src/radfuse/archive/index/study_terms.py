"""What a person looks for among the studies: alternatives on the columns that a list of studies shows.

Each alternative is a condition on the rows of ``study`` and ``patient``, and a statement that finds
its studies from an index of its own: which of the two is quicker depends on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from radfuse.archive.index.conditions import ESCAPE, literal_like, prefix_range
from radfuse.archive.index.schema import instance, patient, series, study

_SQL = ColumnElement[Any]


class StudyField(Enum):
    """The texts of a study, and what each is in the index."""

    NAME = "name"
    REFERRER = "referring_physician"
    PATIENT_ID = "patient_id"
    ACCESSION_NUMBER = "accession_number"
    STUDY_ID = "study_id"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True)
class HasText:
    """A text somewhere in a field, or, with ``at_start``, at its beginning (of names: of a component).

    Names are compared as folded (``fold_groups``); IDs as written and in capitals.
    """

    field: StudyField
    text: str
    at_start: bool = False


@dataclass(frozen=True, slots=True)
class HasNameParts:
    """A patient's name whose components begin with these, in their order: family name, given name."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasDescription:
    """One of these study descriptions, as written."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasModality:
    """A series of one of these modalities."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasSex:
    """A Patient's Sex (0010,0040) of these."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudyDateIn:
    """A study date from ``low`` to ``high`` ("YYYYMMDD", both included)."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class BornIn:
    """A birth date from ``low`` to ``high`` ("YYYYMMDD", both included)."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class ArrivedIn:
    """An object that arrived from ``low_s`` on and before ``high_s``, in seconds since 1970."""

    low_s: int
    high_s: int


@dataclass(frozen=True, slots=True)
class HasUid:
    """A study or series whose UID begins so, or an instance whose UID is this."""

    text: str


StudyClause: TypeAlias = (
    HasText | HasNameParts | HasDescription | HasModality | HasSex | StudyDateIn | BornIn | ArrivedIn | HasUid
)


@dataclass(frozen=True, slots=True)
class StudyTerm:
    """One word of a search: any of these."""

    any_of: tuple[StudyClause, ...]


def condition_of_term(term: StudyTerm) -> _SQL:
    """What rows of ``study`` and ``patient`` fulfil."""
    return or_(*(_MAKERS[type(clause)][0](clause) for clause in term.any_of))


def hits_of_term(term: StudyTerm) -> list[Select[Any]]:
    """Statements that give the ids of the studies that fulfil it, some perhaps twice."""
    return [hits for clause in term.any_of for hits in _MAKERS[type(clause)][1](clause)]


# --- texts ---------------------------------------------------------------------------------------


def _containing(column: _SQL, text: str, *, at_start: bool) -> _SQL:
    if at_start:
        return and_(*prefix_range(column, text))
    return column.like(f"%{literal_like(text)}%", escape=ESCAPE)


def _spellings(text: str) -> list[str]:
    """As written, and in capitals: SQL has no way to compare them quickly without regard to case."""
    return list(dict.fromkeys((text, text.upper())))


def _in_name(column: _SQL, text: str, *, at_start: bool) -> _SQL:
    if not at_start:
        return _containing(column, text, at_start=False)
    later = (column.like(f"%{mark}{literal_like(text)}%", escape=ESCAPE) for mark in ("^", " ", "-"))
    return or_(_containing(column, text, at_start=True), *later)


def _groups(of: StudyField) -> Sequence[tuple[_SQL, bool]]:
    """The three component groups of a name, and whether the group is seldom written."""
    table = patient if of is StudyField.NAME else study
    return [
        (table.c[f"{of.value}_{group}"], group != "alphabetic") for group in ("alphabetic", "ideographic", "phonetic")
    ]


def _name_conditions(clause: HasText) -> list[_SQL]:
    found = []
    for column, is_seldom in _groups(clause.field):
        # Ideographic names have one or two characters: their beginning is no more telling than any other place.
        fits = _in_name(column, clause.text, at_start=clause.at_start and not is_seldom)
        found.append(and_(column > "", fits) if is_seldom else fits)
    return found


def _column(of: StudyField) -> _SQL:
    return (patient if of is StudyField.PATIENT_ID else study).c[of.value]


def _text_condition(clause: HasText) -> _SQL:
    if clause.field in (StudyField.NAME, StudyField.REFERRER):
        return or_(*_name_conditions(clause))
    column = _column(clause.field)
    if clause.field is StudyField.DESCRIPTION:  # only where there are too many to compare them first
        return _containing(func.lower(column), clause.text.lower(), at_start=clause.at_start)
    return or_(*(_containing(column, text, at_start=clause.at_start) for text in _spellings(clause.text)))


def _text_hits(clause: HasText) -> list[Select[Any]]:
    if clause.field is StudyField.NAME:
        return [_of_patients(condition) for condition in _name_conditions(clause)]
    if clause.field is StudyField.PATIENT_ID:
        return [_of_patients(_text_condition(clause))]
    return [select(study.c.id).where(_text_condition(clause))]


def _of_patients(condition: _SQL) -> Select[Any]:
    # The sum keeps SQLite from walking over all studies and looking up the patient of each.
    return select(study.c.id).join(patient, study.c.patient_fk == patient.c.id + 0).where(condition)


def _parts_condition(clause: HasNameParts) -> _SQL:
    first, *rest = clause.parts
    conditions = []
    for column, is_seldom in _groups(StudyField.NAME):
        pattern = "%^".join(literal_like(part) for part in (first, *rest)) + "%"
        at_start = and_(*(prefix_range(column, first) if first else ()), column.like(pattern, escape=ESCAPE))
        # A family name of several words: "berg, jan" is also VAN DER BERG^JAN.
        fits = or_(at_start, column.like(f"% {pattern}", escape=ESCAPE))
        conditions.append(and_(column > "", fits) if is_seldom else fits)
    return or_(*conditions)


# --- what is no text -------------------------------------------------------------------------


def _modality_condition(clause: HasModality) -> _SQL:
    its = series.alias()
    wanted = select(its.c.id).where(its.c.study_fk == study.c.id, its.c.modality.in_(clause.values))
    return exists(wanted.correlate(study))


def _modality_hits(clause: HasModality) -> list[Select[Any]]:
    return [select(series.c.study_fk).where(series.c.modality.in_(clause.values)).distinct()]


def _arrival_condition(clause: ArrivedIn) -> _SQL:
    its, kept = series.alias(), instance.alias()
    wanted = (
        select(kept.c.id)
        .join(its, its.c.id == kept.c.series_fk)
        .where(its.c.study_fk == study.c.id, *_arrived(kept.c.arrived_s, clause))
    )
    return exists(wanted.correlate(study))


def _arrival_hits(clause: ArrivedIn) -> list[Select[Any]]:
    found = select(series.c.study_fk).join_from(instance, series, series.c.id == instance.c.series_fk + 0)
    return [found.where(*_arrived(instance.c.arrived_s, clause)).distinct()]


def _arrived(column: _SQL, clause: ArrivedIn) -> list[_SQL]:
    return [column >= clause.low_s, column < clause.high_s]


def _uid_condition(clause: HasUid) -> _SQL:
    return or_(*(study.c.id.in_(hits) for hits in _uid_hits(clause)))


def _uid_hits(clause: HasUid) -> list[Select[Any]]:
    return [
        select(study.c.id).where(*prefix_range(study.c.study_instance_uid, clause.text)),
        select(series.c.study_fk).where(*prefix_range(series.c.series_instance_uid, clause.text)),
        select(series.c.study_fk)
        .join(instance, instance.c.series_fk == series.c.id)
        .where(instance.c.sop_instance_uid == clause.text),
    ]


def _between(column: _SQL, clause: StudyDateIn | BornIn) -> _SQL:
    return and_(column >= clause.low, column <= clause.high, column > "")


def _study_hits(condition: Callable[[Any], _SQL]) -> Callable[[Any], list[Select[Any]]]:
    return lambda clause: [select(study.c.id).where(condition(clause))]


def _patient_hits(condition: Callable[[Any], _SQL]) -> Callable[[Any], list[Select[Any]]]:
    return lambda clause: [_of_patients(condition(clause))]


def _described(clause: HasDescription) -> _SQL:
    return study.c.description.in_(clause.values)


def _of_sex(clause: HasSex) -> _SQL:
    return patient.c.sex.in_(clause.values)


def _on_date(clause: StudyDateIn) -> _SQL:
    return _between(study.c.study_date, clause)


def _born(clause: BornIn) -> _SQL:
    return _between(patient.c.birth_date, clause)


_MAKERS: Final[dict[type, tuple[Callable[[Any], _SQL], Callable[[Any], list[Select[Any]]]]]] = {
    HasText: (_text_condition, _text_hits),
    HasNameParts: (_parts_condition, _patient_hits(_parts_condition)),
    HasDescription: (_described, _study_hits(_described)),
    HasModality: (_modality_condition, _modality_hits),
    HasSex: (_of_sex, _patient_hits(_of_sex)),
    StudyDateIn: (_on_date, _study_hits(_on_date)),
    BornIn: (_born, _patient_hits(_born)),
    ArrivedIn: (_arrival_condition, _arrival_hits),
    HasUid: (_uid_condition, _uid_hits),
}
