"""Lists of studies for people: searched as they type, in pages, with what each study holds.

Two ways lead to a page. Few studies fit: they are found by the indexes, then put in order. Many
fit: the studies are walked in order until the page is full. How many fit is asked first, up to a
bound that costs little.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    intersect,
    literal_column,
    or_,
    select,
    union_all,
)

from radfuse.archive.index.schema import instance, patient, series, study
from radfuse.archive.index.study_terms import (
    HasDescription,
    HasText,
    StudyClause,
    StudyDateIn,
    StudyField,
    StudyTerm,
    condition_of_term,
    hits_of_term,
)

_FEW: Final = 1000
"""Studies that are put in order one by one rather than found by a walk."""
_SEVERAL: Final = 5000
"""As many, where it took a while to find them."""
_MOST_DESCRIPTIONS: Final = 3000
"""Where there are more different ones, the database compares them."""
_MOST_FITTING: Final = 500

_SQL = ColumnElement[Any]


class StudyOrder(Enum):
    """What a list of studies is sorted by."""

    DATE = "date"
    """The study date."""
    NAME = "name"
    """The patient's name, alphabetic group."""
    ARRIVAL = "arrival"
    """When the newest series began to arrive."""


@dataclass(frozen=True, slots=True)
class StudyListing:
    """A page of a list: at most ``limit`` studies that fulfil every term, beyond the place ``after``."""

    terms: tuple[StudyTerm, ...] = ()
    order: StudyOrder = StudyOrder.DATE
    is_descending: bool = True
    after: tuple[str | int, ...] = ()
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study, its patient, and what is kept of it. Texts as in the objects, "" when empty."""

    study_instance_uid: str
    patient_name: str
    patient_id: str
    issuer: str
    birth_date: str
    sex: str
    study_date: str
    study_time: str
    study_id: str
    description: str
    accession_number: str
    referring_physician: str
    place: tuple[str | int, ...] = field(repr=False)
    """Where it stands in the list: ``StudyListing.after`` of the next page."""
    modalities: tuple[str, ...] = ()
    series: int = 0
    instances: int = 0
    size_bytes: int = 0
    first_arrived_s: int = 0
    last_arrived_s: int = 0


_SHOWN: Final = (
    study.c.study_instance_uid,
    patient.c.name,
    patient.c.patient_id,
    patient.c.issuer,
    patient.c.birth_date,
    patient.c.sex,
    study.c.study_date,
    study.c.study_time,
    study.c.study_id,
    study.c.description,
    study.c.accession_number,
    study.c.referring_physician,
)


def list_studies(connection: Connection, listing: StudyListing) -> list[StudyRow]:
    """The page. A place of another order than the listing's gives nothing to rely on."""
    terms = tuple(_with_descriptions(connection, term) for term in listing.terms)
    few = _few_hits(connection, terms, listing.order)
    if few is not None and not few:
        return []
    statement = _statement(replace(listing, terms=terms), few)
    return _completed(connection, connection.execute(statement).all())


def study_row(connection: Connection, study_instance_uid: str) -> StudyRow | None:
    """One study; None when it is not kept."""
    statement = _select(StudyOrder.DATE, walks=False).where(study.c.study_instance_uid == study_instance_uid)
    found = _completed(connection, connection.execute(statement).all())
    return found[0] if found else None


# --- which -----------------------------------------------------------------------------------


def _few_hits(connection: Connection, terms: Sequence[StudyTerm], order: StudyOrder) -> Collection[int] | None:
    """The studies of a term that few fulfil, or of all terms together; None when the list is better walked."""
    by_date = [order is StudyOrder.DATE and _is_date(term) for term in terms]
    for term, is_walk_of_dates in zip(terms, by_date, strict=True):
        found = None if is_walk_of_dates else _hits(connection, term)
        if found is not None:
            return found
    # Many fulfil each, and yet few may fulfil all: a walk to the end would find that out late.
    return _hits_of_all(connection, terms) if len(terms) > 1 and not any(by_date) else None


def _is_date(term: StudyTerm) -> bool:
    return all(isinstance(each, StudyDateIn) for each in term.any_of)


def _hits_of_all(connection: Connection, terms: Sequence[StudyTerm]) -> Collection[int] | None:
    """The studies that fulfil every term; None when those are many too."""
    unions = [union_all(*hits_of_term(term)).subquery() for term in terms]
    common = intersect(*(select(union.c[0]) for union in unions))
    found = connection.scalars(common.limit(_SEVERAL + 1)).all()
    return found if len(found) <= _SEVERAL else None


def _hits(connection: Connection, term: StudyTerm) -> Collection[int] | None:
    """The studies of a term; None when there are many."""
    found: set[int] = set()
    for statement in hits_of_term(term):
        some = connection.scalars(statement.limit(_FEW + 1)).all()
        found.update(some)
        if len(some) > _FEW or len(found) > _FEW:
            return None
    return found


def _with_descriptions(connection: Connection, term: StudyTerm) -> StudyTerm:
    """The term with the descriptions that fit instead of the text to look for in them.

    There are thousands of studies but seldom more than hundreds of different descriptions: those are
    compared here, without regard to case in any script.
    """
    if not any(isinstance(clause, HasText) and clause.field is StudyField.DESCRIPTION for clause in term.any_of):
        return term
    known = _descriptions(connection)
    return StudyTerm(tuple(_with_description(clause, known) for clause in term.any_of))


def _with_description(clause: StudyClause, known: Sequence[str] | None) -> StudyClause:
    if known is None or not isinstance(clause, HasText) or clause.field is not StudyField.DESCRIPTION:
        return clause
    wanted = re.compile(("(?<!\\w)" if clause.at_start else "") + re.escape(clause.text.casefold()))
    fitting = tuple(each for each in known if wanted.search(each.casefold()))
    return HasDescription(fitting) if len(fitting) <= _MOST_FITTING else clause


def _descriptions(connection: Connection) -> list[str] | None:
    """The different study descriptions, each found by a jump behind the one before; None when they are very many."""
    found = select(func.min(study.c.description).label("text")).where(study.c.description > "").cte(recursive=True)
    behind = select(func.min(study.c.description)).where(study.c.description > found.c.text).scalar_subquery()
    found = found.union_all(select(behind).where(found.c.text.is_not(None)))
    some = connection.scalars(select(found.c.text).where(found.c.text.is_not(None)).limit(_MOST_DESCRIPTIONS + 1)).all()
    return None if len(some) > _MOST_DESCRIPTIONS else list(some)


# --- in which order --------------------------------------------------------------------------


def _statement(listing: StudyListing, few: Collection[int] | None) -> Select[Any]:
    statement = _select(listing.order, walks=few is None)
    statement = statement.where(*(condition_of_term(term) for term in listing.terms))
    if few is not None:
        statement = statement.where(study.c.id.in_(few))
    keys = _keys(listing.order)
    if listing.after:
        statement = statement.where(_beyond(keys, listing.after, is_descending=listing.is_descending))
    ordered = (key.desc() if listing.is_descending else key.asc() for key in keys)
    return statement.order_by(*ordered).limit(listing.limit)


def _keys(order: StudyOrder) -> tuple[_SQL, ...]:
    if order is StudyOrder.NAME:
        return (patient.c.name_alphabetic, patient.c.id, study.c.id)
    if order is StudyOrder.ARRIVAL:
        return (series.c.id,)
    return (study.c.study_date, study.c.id)


def _select(order: StudyOrder, *, walks: bool) -> Select[Any]:
    """Rows of studies. ``walks``: the table that is in the order of the list comes first.

    A sum is no indexed column: it keeps SQLite from starting with the other table.
    """
    zero: _SQL = literal_column("0")
    statement = select(study.c.id, *_keys(order), *_SHOWN)
    if order is StudyOrder.NAME and walks:
        return statement.join_from(patient, study, study.c.patient_fk == patient.c.id + zero)
    on_patient = patient.c.id == study.c.patient_fk + zero
    if order is not StudyOrder.ARRIVAL:
        return statement.join_from(study, patient, on_patient)
    newer = series.alias()
    is_newest = ~select(newer.c.id).where(newer.c.study_fk == series.c.study_fk, newer.c.id > series.c.id).exists()
    on_study = study.c.id == series.c.study_fk + zero if walks else series.c.study_fk == study.c.id + zero
    return statement.join_from(series, study, on_study).join(patient, on_patient).where(is_newest)


def _beyond(keys: Sequence[_SQL], place: Sequence[str | int], *, is_descending: bool) -> _SQL:
    """The rows behind a place in the order of the keys."""
    first, value = keys[0], place[0]
    behind: _SQL = first < value if is_descending else first > value
    if len(keys) == 1:
        return behind
    within = and_(first == value, _beyond(keys[1:], place[1:], is_descending=is_descending))
    # Said twice: the first half is what an index can begin with.
    reached: _SQL = first <= value if is_descending else first >= value
    return and_(reached, or_(behind, within))


# --- what they hold --------------------------------------------------------------------------


def _completed(connection: Connection, rows: Sequence[Row[Any]]) -> list[StudyRow]:
    """The rows with the sums over their series; only for those that are shown."""
    sums: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in series_sums(connection, [row[0] for row in rows]):
        sums[row.study_fk].append(row)
    return [_with_sums(row, sums[row[0]]) for row in rows]


def series_sums(connection: Connection, study_ids: Sequence[int]) -> Iterator[Row[Any]]:
    """Number, bytes and times of arrival of the objects of each series of these studies, read from an index alone."""
    statement = (
        select(
            series.c.study_fk,
            series.c.id,
            series.c.modality,
            func.count().label("objects"),
            func.sum(instance.c.size_bytes).label("size_bytes"),
            func.min(instance.c.arrived_s).label("first_s"),
            func.max(instance.c.arrived_s).label("last_s"),
        )
        .join(instance, instance.c.series_fk == series.c.id)
        .where(series.c.study_fk.in_(study_ids))
        .group_by(series.c.study_fk, series.c.id, series.c.modality)
    )
    yield from connection.execute(statement)


def _with_sums(row: Row[Any], sums: Sequence[Row[Any]]) -> StudyRow:
    shown = len(_SHOWN)
    values: list[Any] = [
        *row[-shown:],
        tuple(row[1:-shown]),
        tuple(sorted({each.modality for each in sums} - {""})),
        len(sums),
        sum(each.objects for each in sums),
        int(sum(each.size_bytes for each in sums)),
        min((each.first_s for each in sums), default=0),
        max((each.last_s for each in sums), default=0),
    ]
    return StudyRow(*values)
