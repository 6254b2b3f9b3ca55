"""Criteria as SQL: the same statement on SQLite and PostgreSQL, and indexes used where they help.

A prefix is a range of texts by code point, since no database uses an index for LIKE on every
collation. A pattern of many stars becomes coarse LIKEs, and rows that pass are matched exactly in
Python: no database promises how long it takes to match such a pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, false, func, not_, or_, select, union_all

from radfuse.archive.index.keys import IndexKey, KeyKind
from radfuse.archive.index.matching import Criteria, Glob, NameCriteria, criteria, name_criteria
from radfuse.archive.index.schema import instance, patient, series, study, uid_word
from radfuse.core.levels import Level

_SQL = ColumnElement[Any]

MAX_STARS_IN_SQL: Final = 3
"""Patterns with more stars are matched exactly in Python."""

_MAX_COARSE_LIKES: Final = 8
ESCAPE: Final = "/"
_LAST_BEFORE_SURROGATES: Final = "\ud7ff"
_FIRST_AFTER_SURROGATES: Final = "\ue000"
_LAST_CODE_POINT: Final = "\U0010ffff"


_ToLike: TypeAlias = Callable[[Glob], list[str]]


@dataclass(frozen=True, slots=True)
class Recheck:
    """What SQL matched coarsely: the columns to read and the exact test of their values."""

    columns: tuple[_SQL, ...]
    fits: Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """The rows that match a key."""

    sql: _SQL
    recheck: Recheck | None = None
    hits: Subquery | None = None
    """The same condition as a table of the ids of matching rows, for when no other condition helps."""


def condition_of(key: IndexKey, values: Sequence[str]) -> Condition | None:
    """The condition that ``values`` put on ``key``; None when they match everything.

    Raises InvalidQuery for values that the key cannot have.
    """
    if key.kind is KeyKind.NAME:
        return _name_condition(key, name_criteria(values))
    wanted = criteria(key.vr, values)
    if wanted is None:
        return None
    by_kind = _CONDITIONS.get(key.kind)
    if by_kind is not None:
        return Condition(by_kind(key, wanted))
    sql = _column_condition(key.matched[0], wanted, _coarse_likes)
    if _is_coarse(wanted):
        return Condition(sql, Recheck(key.matched, lambda row: wanted.matches(row[0])))
    return Condition(sql)


# --- one column ------------------------------------------------------------------------------


def _column_condition(column: _SQL, wanted: Criteria, to_like: _ToLike, *, mostly_empty: bool = False) -> _SQL:
    """``mostly_empty``: the column seldom has a value; asking that first is cheaper than LIKE, and indexed."""
    return or_(
        *_exact(column, wanted.exact),
        *(and_(column >= span.low, column <= span.high) for span in wanted.ranges),
        *(_like(column, glob, to_like, mostly_empty=mostly_empty) for glob in wanted.globs),
    )


def _exact(column: _SQL, texts: Sequence[str]) -> list[_SQL]:
    if not texts:
        return []
    return [column == texts[0] if len(texts) == 1 else column.in_(texts)]


def _is_coarse(wanted: Criteria) -> bool:
    return any(glob.stars > MAX_STARS_IN_SQL for glob in wanted.globs)


def _like(column: _SQL, glob: Glob, to_like: _ToLike, *, mostly_empty: bool) -> _SQL:
    prefix = glob.literal_prefix
    conditions = prefix_range(column, prefix) if prefix else []
    if glob.pattern == prefix + "*":
        return and_(*conditions)
    if mostly_empty and not prefix:
        conditions.append(column > "")
    return and_(*conditions, *(column.like(pattern, escape=ESCAPE) for pattern in to_like(glob)))


def _whole_like(glob: Glob) -> list[str]:
    return [_as_like(glob.pattern)]


def _coarse_likes(glob: Glob) -> list[str]:
    if glob.stars <= MAX_STARS_IN_SQL:
        return _whole_like(glob)
    head, *middle, tail = glob.parts
    patterns = [f"{head}*", f"*{tail}", *(f"*{part}*" for part in dict.fromkeys(middle))]
    telling = [pattern for pattern in patterns if pattern.strip("*?")] or ["?*"]
    return [_as_like(pattern) for pattern in sorted(telling, key=len, reverse=True)[:_MAX_COARSE_LIKES]]


def _as_like(pattern: str) -> str:
    return literal_like(pattern).replace("*", "%").replace("?", "_")


def literal_like(text: str) -> str:
    """``text`` for a LIKE with ``ESCAPE`` in which no character stands for others."""
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return text


def prefix_range(column: _SQL, prefix: str) -> list[_SQL]:
    """All texts that begin with ``prefix``, in the order of code points."""
    end = prefix.rstrip(_LAST_CODE_POINT)
    if not end:
        return [column >= prefix]
    last = end[-1]
    following = _FIRST_AFTER_SURROGATES if last == _LAST_BEFORE_SURROGATES else chr(ord(last) + 1)
    return [column >= prefix, column < end[:-1] + following]


# --- person names ----------------------------------------------------------------------------


def _name_condition(key: IndexKey, names: Sequence[NameCriteria]) -> Condition | None:
    if not names:
        return None
    sql = or_(*(_one_name(key.matched, name) for name in names))
    recheck = None
    if any(group is not None and _is_coarse(group) for name in names for group in name.groups):
        recheck = Recheck(key.matched, lambda row: any(name.matches(row) for name in names))
    return Condition(sql, recheck, _name_hits(key, names))


def _one_name(columns: Sequence[_SQL], name: NameCriteria) -> _SQL:
    combine = or_ if name.any_group else and_
    wanted = (name.groups[0],) * len(columns) if name.any_group else name.groups
    return combine(
        *(
            _column_condition(column, group, _coarse_likes, mostly_empty=place > 0)
            for place, (column, group) in enumerate(zip(columns, wanted, strict=False))
            if group is not None
        )
    )


def _name_hits(key: IndexKey, names: Sequence[NameCriteria]) -> Subquery | None:
    """A patient's name by an infix: one walk over the index of each group, instead of one over all patients.

    The groups beyond the first are seldom written, so that their walks are short.
    """
    groups = [name.groups[0] for name in names if name.any_group]
    prefixes = [glob.literal_prefix for group in groups if group is not None for glob in group.globs]
    if key.level is not Level.PATIENT or len(groups) < len(names) or all(prefixes):
        return None
    walks: list[Select[Any]] = []
    earlier: list[_SQL] = []
    for place, column in enumerate(key.matched):
        fits = or_(
            *(
                _column_condition(column, group, _coarse_likes, mostly_empty=place > 0)
                for group in groups
                if group is not None
            )
        )
        walks.append(select(patient.c.id).where(fits, *(not_(condition) for condition in earlier)))
        earlier.append(fits)
    return union_all(*walks).subquery("hits")


# --- kinds that are not a column of text -----------------------------------------------------


def _number_condition(key: IndexKey, wanted: Criteria) -> _SQL:
    """Numbers are stored as received: "007" and "+7" are 7. A negative number has one form only."""
    column = key.matched[0]
    bare = func.ltrim(column, "+0")
    positive = [text for text in wanted.exact if text != "0" and not text.startswith("-")]
    others = [text for text in wanted.exact if text.startswith("-")]
    alternatives = [*_exact(bare, positive), *_exact(column, others)]
    if "0" in wanted.exact:
        alternatives.append(and_(column != "", bare == ""))
    return or_(*alternatives)


def _count_condition(key: IndexKey, wanted: Criteria) -> _SQL:
    numbers = [int(text) for text in wanted.exact if text.isascii() and text.isdigit() and len(text) <= 18]
    return key.matched[0].in_(numbers) if numbers else false()


def _uid_word_condition(key: IndexKey, wanted: Criteria) -> _SQL:
    return key.matched[0].in_(_word_ids(wanted))


def _modalities_condition(_key: IndexKey, wanted: Criteria) -> _SQL:
    """Any series of the study. A modality is short (VR CS), so that SQL may match any pattern to its end."""
    its_series = series.alias()
    return exists(
        select(its_series.c.id)
        .where(its_series.c.study_fk == study.c.id, _column_condition(its_series.c.modality, wanted, _whole_like))
        .correlate(study)
    )


def _sop_classes_condition(_key: IndexKey, wanted: Criteria) -> _SQL:
    its_series, its_instance = series.alias(), instance.alias()
    return exists(
        select(its_instance.c.id)
        .join(its_series, its_series.c.id == its_instance.c.series_fk)
        .where(its_series.c.study_fk == study.c.id, its_instance.c.sop_class_fk.in_(_word_ids(wanted)))
        .correlate(study)
    )


def _word_ids(wanted: Criteria) -> Any:
    words = uid_word.alias()
    return select(words.c.id).where(words.c.uid.in_(wanted.exact))


_CONDITIONS: Final[dict[KeyKind, Callable[[IndexKey, Criteria], _SQL]]] = {
    KeyKind.NUMBER: _number_condition,
    KeyKind.COUNT: _count_condition,
    KeyKind.UID_WORD: _uid_word_condition,
    KeyKind.MODALITIES_IN_STUDY: _modalities_condition,
    KeyKind.SOP_CLASSES_IN_STUDY: _sop_classes_condition,
}
