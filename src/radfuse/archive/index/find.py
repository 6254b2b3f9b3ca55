"""Search on the index: one statement per query, answers as they are read (PS3.4 section C.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, false, func, literal_column, select

from radfuse.archive.index.answers import (
    ElementMaker,
    Found,
    ValuesByStudy,
    constant,
    from_column,
    from_header,
    from_set,
)
from radfuse.archive.index.conditions import Condition, Recheck, condition_of
from radfuse.archive.index.headers import HeaderKey
from radfuse.archive.index.keys import (
    INDEX_KEYS,
    INSTANCE_AVAILABILITY,
    PARENTS,
    QUERY_RETRIEVE_LEVEL,
    RETRIEVE_AE_TITLE,
    SET_KINDS,
    TABLES,
    UNIQUE_KEYS,
    IndexKey,
    KeyKind,
)
from radfuse.archive.index.matching import criteria
from radfuse.archive.index.model import Answer, HeaderReader, Query, QueryKey
from radfuse.archive.index.retrieve import STREAMED, select_objects, stored_object
from radfuse.archive.index.schema import instance, series, study, uid_word
from radfuse.core.errors import InvalidQuery
from radfuse.core.levels import Level
from radfuse.dicom import Element, Identifier

_FIRST_BATCH_ROWS: Final = 1
_MAX_BATCH_ROWS: Final = 100
_BATCH_GROWTH: Final = 10
_FEW_VALUES: Final = 100
_MAX_VARIABLES: Final = 32_000
_AVAILABILITY: Final = "ONLINE"
_FIRST_OF_DATA_SET: Final = 0x00080000
"""No object has attributes of the groups before; some peers (Orthanc) ask for those of its file meta information."""

_SQL = ColumnElement[Any]


def _never() -> bool:
    return False


def find(
    connection: Connection,
    query: Query,
    retrieve_ae_title: str,
    *,
    header_reader: HeaderReader | None = None,
    is_cancelled: Callable[[], bool] = _never,
    page: tuple[int, int] | None = None,
) -> Iterator[Answer]:
    """The entities that match ``query``, in no particular order, while they are read.

    ``page``: how many to leave out first, and how many to give at most; as long as nothing is stored
    or deleted, the pages of one query do not overlap.

    An answer has every requested key, the unique keys of the level and of those above it,
    Query/Retrieve Level and Retrieve AE Title. Keys that the index does not hold are read and
    matched by ``header_reader``; without one they are not supported. ``is_cancelled`` is asked
    often, also while nothing matches; when it says so the answers end. Raises InvalidQuery, before
    the first answer is asked for, when a value cannot be matched.
    """
    plan = _Planner(query, retrieve_ae_title, reads_headers=header_reader is not None).plan()
    if page is None:
        return _answers(connection, plan, header_reader, is_cancelled)
    skipped, most = page
    if plan.rechecks or plan.extras:  # which rows match is not for the database alone to say
        return islice(_answers(connection, plan, header_reader, is_cancelled), skipped, skipped + most)
    plan = replace(plan, statement=plan.statement.offset(skipped).limit(most))
    return _answers(connection, plan, header_reader, is_cancelled)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A query made ready."""

    statement: Select[Any]
    makers: tuple[ElementMaker, ...]
    rechecks: tuple[tuple[tuple[int, ...], Recheck], ...]
    sets: tuple[IndexKey, ...]
    study_column: int
    extras: tuple[HeaderKey, ...]
    instance_column: int
    all_keys_supported: bool

    def passes(self, row: Sequence[Any]) -> bool:
        """Whether a row that SQL let through also matches exactly."""
        return all(recheck.fits([row[place] for place in places]) for places, recheck in self.rechecks)


class _Planner:
    """Goes through the keys of a query once."""

    def __init__(self, query: Query, retrieve_ae_title: str, *, reads_headers: bool) -> None:
        self._query = query
        self._reads_headers = reads_headers
        self._columns: dict[_SQL, int] = {}
        self._conditions: list[tuple[Level, Condition]] = []
        self._sets: list[IndexKey] = []
        self._extras: list[HeaderKey] = []
        self._top = query.level
        self._all_supported = True
        self._makers: dict[int, ElementMaker] = {
            QUERY_RETRIEVE_LEVEL: constant(Element(QUERY_RETRIEVE_LEVEL, "CS", (query.level.name,), ())),
            RETRIEVE_AE_TITLE: constant(Element(RETRIEVE_AE_TITLE, "AE", (retrieve_ae_title,), ())),
        }

    def plan(self) -> _Plan:
        """The statement and what to make of its rows."""
        for level in range(self._query.model.value, self._query.level + 1):
            self._show(INDEX_KEYS[UNIQUE_KEYS[Level(level)]])
        for key in self._query.keys:
            self._add(key)
        study_column = self._column(study.c.id) if self._sets else -1
        instance_column = self._column(_first_instance(self._query.level)) if self._extras else -1
        rechecks = tuple(
            (tuple(self._column(column) for column in condition.recheck.columns), condition.recheck)
            for _level, condition in self._conditions
            if condition.recheck is not None
        )
        return _Plan(
            statement=self._statement(),
            # PS3.5 section 7.1: elements are in ascending order of their tags.
            makers=tuple(maker for _tag, maker in sorted(self._makers.items(), key=lambda item: item[0])),
            rechecks=rechecks,
            sets=tuple(self._sets),
            study_column=study_column,
            extras=tuple(self._extras),
            instance_column=instance_column,
            all_keys_supported=self._all_supported,
        )

    def _column(self, column: _SQL) -> int:
        return self._columns.setdefault(column, len(self._columns))

    def _add(self, key: QueryKey) -> None:
        known = INDEX_KEYS.get(key.tag)
        if key.tag == INSTANCE_AVAILABILITY:
            self._add_availability(key)
        elif key.tag in self._makers and known is None:
            return
        elif known is None and self._reads_headers and key.tag >= _FIRST_OF_DATA_SET:
            extra = HeaderKey(key)
            self._extras.append(extra)
            self._makers[key.tag] = from_header(extra)
        elif known is None or known.level > self._query.level:
            self._all_supported = False
            self._makers[key.tag] = constant(Element(key.tag, known.vr if known else key.vr, (), ()))
        else:
            self._match(known, key.values)
            self._show(known)

    def _add_availability(self, key: QueryKey) -> None:
        """Everything in the index is on line."""
        wanted = criteria("CS", key.values)
        if wanted is not None and not wanted.matches(_AVAILABILITY):
            self._conditions.append((self._query.level, Condition(false())))
        self._makers[key.tag] = constant(Element(key.tag, "CS", (_AVAILABILITY,), ()))

    def _show(self, key: IndexKey) -> None:
        self._top = min(self._top, key.level)
        if key.kind in SET_KINDS:
            self._sets.append(key)
            self._makers[key.tag] = from_set(key, self._column(study.c.id))
        else:
            self._makers[key.tag] = from_column(key, self._column(key.shown))

    def _match(self, key: IndexKey, values: Sequence[str]) -> None:
        condition = condition_of(key, values)
        if condition is not None:
            self._conditions.append((key.level, condition))

    def _statement(self) -> Select[Any]:
        """Rows of the level's table, joined with those above it as far up as a key needs."""
        levels = [level for level, _condition in self._conditions]
        deepest = max(levels, default=self._query.level)
        hits = next((condition.hits for _level, condition in self._conditions if condition.hits is not None), None)
        if deepest is not Level.PATIENT:
            hits = None
        source: Any = TABLES[self._top]
        if hits is not None:
            source = hits.join(source, source.c.id == hits.c.id)
        for level in range(self._top + 1, self._query.level + 1):
            source = _joined(source, Level(level), from_above=level > deepest)
        statement = select(*(column.label(f"c{place}") for column, place in self._columns.items()))
        conditions = (each.sql for _level, each in self._conditions if hits is None or each.hits is not hits)
        return self._checked(statement.select_from(source).where(*conditions))

    def _checked(self, statement: Select[Any]) -> Select[Any]:
        """``statement``, unless a long list and many patterns make more variables than a database takes."""
        if sum(len(key.values) for key in self._query.keys) > _FEW_VALUES:
            values = statement.compile().params.values()
            if (
                sum(len(value) if isinstance(value, Sized) and not isinstance(value, str) else 1 for value in values)
                > _MAX_VARIABLES
            ):
                raise InvalidQuery("too many values and wildcards together")
        return statement


def _joined(source: Any, level: Level, *, from_above: bool) -> Any:
    """``source`` with the table of ``level``, which hangs below it.

    ``from_above``: all conditions are on the tables above, so the database should find those rows
    first. A sum is no indexed column, which keeps it from walking over the lower table and looking
    up the parent of every row there, as SQLite otherwise does when no condition has an index.
    """
    child, parent_id = TABLES[level], TABLES[Level(level - 1)].c.id
    wanted = parent_id + literal_column("0") if from_above else parent_id
    return source.join(child, child.c[PARENTS[level]] == wanted)


def _first_instance(level: Level) -> _SQL:
    """The id of the first instance of the first series ... below the current row."""
    first: _SQL = TABLES[level].c.id
    for deeper in range(level + 1, Level.IMAGE + 1):
        child = TABLES[Level(deeper)].alias()
        statement = select(func.min(child.c.id)).where(child.c[PARENTS[Level(deeper)]] == first)
        first = (statement.correlate(TABLES[level]) if deeper == level + 1 else statement).scalar_subquery()
    return first


# --- reading ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Batch:
    """Rows read at once, with what is read for all of them at once."""

    rows: list[Sequence[Any]]
    sets: dict[int, ValuesByStudy] = field(default_factory=dict)
    objects: dict[int, Sequence[Any]] = field(default_factory=dict)


def _answers(
    connection: Connection, plan: _Plan, header_reader: HeaderReader | None, is_cancelled: Callable[[], bool]
) -> Iterator[Answer]:
    for batch in _batches(connection, plan):
        for row in batch.rows:
            if is_cancelled():
                return
            stored = batch.objects.get(row[plan.instance_column]) if plan.extras else None
            header = header_reader(stored_object(stored)) if stored is not None and header_reader is not None else None
            extras = _extras(plan, header)
            if extras is not None:
                found = Found(row, batch.sets, extras)
                is_whole = plan.all_keys_supported and (header is not None or not plan.extras)
                yield Answer(tuple(maker(found) for maker in plan.makers), is_whole)
        if is_cancelled():
            return


def _batches(connection: Connection, plan: _Plan) -> Iterator[_Batch]:
    """One row first, so that the first answer does not wait; later as many as make the work per row small."""
    with connection.execute(plan.statement, execution_options=STREAMED) as result:
        size = _FIRST_BATCH_ROWS
        while rows := result.fetchmany(size):
            size = min(size * _BATCH_GROWTH, _MAX_BATCH_ROWS)
            batch = _Batch([row for row in rows if plan.passes(row)])
            if batch.rows:
                _complete(connection, plan, batch)
            yield batch


def _complete(connection: Connection, plan: _Plan, batch: _Batch) -> None:
    for key in plan.sets:
        studies = list({row[plan.study_column] for row in batch.rows})
        batch.sets[key.tag] = values_by_study(connection, key, studies)
    if plan.extras:
        ids = [row[plan.instance_column] for row in batch.rows if row[plan.instance_column] is not None]
        found = connection.execute(select_objects().where(instance.c.id.in_(ids)))
        batch.objects = {row[-1]: row for row in found}


def values_by_study(connection: Connection, key: IndexKey, studies: Sequence[int]) -> ValuesByStudy:
    """The values of a key of several values, for each of the studies."""
    if key.kind is KeyKind.MODALITIES_IN_STUDY:
        statement = select(series.c.study_fk, series.c.modality).where(series.c.modality != "")
    else:
        statement = select(series.c.study_fk, uid_word.c.uid).join(instance, instance.c.series_fk == series.c.id)
        statement = statement.join(uid_word, uid_word.c.id == instance.c.sop_class_fk)
    values: dict[int, list[str]] = {}
    for study_id, value in connection.execute(statement.where(series.c.study_fk.in_(studies)).distinct()):
        values.setdefault(study_id, []).append(value)
    return {study_id: tuple(sorted(those)) for study_id, those in values.items()}


def _extras(plan: _Plan, header: Identifier | None) -> dict[int, Element] | None:
    """The keys that only a header has, by tag; None when one of them does not match.

    Without a header they are optional keys that are not supported: not matched, and zero-length.
    """
    extras = {}
    for key in plan.extras:
        element = key.empty() if header is None else key.answer(header.elements)
        if element is None:
            return None
        extras[key.tag] = element
    return extras
