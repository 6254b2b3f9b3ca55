"""Days as people write them: one, a month, a year, a range, or in words."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_YEAR_FIRST: Final = re.compile(r"(\d{4})([-./])(\d{1,2})(?:\2(\d{1,2}))?\Z", re.ASCII)
_DAY_FIRST: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\Z", re.ASCII)
_SLASHED: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\Z", re.ASCII)
_PLAIN: Final = re.compile(r"(\d{4})(\d\d)(\d\d)\Z", re.ASCII)
_YEAR: Final = re.compile(r"(?:19|20|21)\d\d\Z", re.ASCII)
_PLAIN_RANGE: Final = re.compile(r"(\d{8})?-(\d{8})?\Z", re.ASCII)
_FIRST: Final = date(1800, 1, 1)
_LAST: Final = date(2999, 12, 31)
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Days:
    """From one day to another, both included."""

    first: date
    last: date

    @property
    def is_one(self) -> bool:
        """Whether it is a single day."""
        return self.first == self.last

    def __str__(self) -> str:
        """As it follows "studied" or "born"."""
        if self.is_one:
            return f"on {self.first.isoformat()}"
        if self.first == _FIRST:
            return f"until {self.last.isoformat()}"
        if self.last == _LAST:
            return f"since {self.first.isoformat()}"
        if self == whole_year(self.first.year):
            return f"in {self.first.year}"
        if self == _month(self.first.year, self.first.month):
            return f"in {self.first.isoformat()[:7]}"
        return f"from {self.first.isoformat()} to {self.last.isoformat()}"


def days_of(text: str) -> Days | None:
    """What one word means: "2026-11-20", "20.11.2026", "20261120", "2026-11", "2026", "2026-11-01..2026-11-20"."""
    before, dots, after = text.partition("..")
    if dots:
        return _range(before, after)
    if (found := _PLAIN_RANGE.match(text)) and text != "-":
        return _range(found[1] or "", found[2] or "")
    return _one(text)


def _range(before: str, after: str) -> Days | None:
    first = _one(before) if before else None
    last = _one(after.lstrip(".")) if after else None
    if (before and first is None) or (after and last is None) or not (before or after):
        return None
    return Days(first.first if first else _FIRST, last.last if last else _LAST)


def _one(text: str) -> Days | None:
    if found := _YEAR_FIRST.match(text):
        return _day(found[1], found[3], found[4]) if found[4] else _month(int(found[1]), int(found[3]))
    if found := _DAY_FIRST.match(text):
        return _day(found[3], found[2], found[1])
    if found := _PLAIN.match(text):
        return _day(*found.groups())
    if found := _SLASHED.match(text):
        # Half of the world writes the day first, half the month: only what can be read in one way is a date.
        readings = [_day(found[3], found[2], found[1]), _day(found[3], found[1], found[2])]
        possible = {each for each in readings if each is not None}
        return possible.pop() if len(possible) == 1 else None
    return whole_year(int(text)) if _YEAR.match(text) else None


def _day(year: str, month: str, day: str) -> Days | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return Days(found, found) if _FIRST <= found <= _LAST else None


def _month(year: int, month: int) -> Days | None:
    if not (1 <= month <= 12 and _FIRST.year <= year <= _LAST.year):
        return None
    return Days(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def whole_year(year: int) -> Days:
    """All days of a year."""
    return Days(date(year, 1, 1), date(year, 12, 31))


# --- in words --------------------------------------------------------------------------------


def days_in_words(words: Sequence[str], today: date) -> tuple[Days, int] | None:
    """What ``words`` begin with, such as "last week", and how many of them that is."""
    for length in (3, 2, 1):
        if len(words) >= length and (found := _READERS[length](words[:length], today)):
            return found, length
    return None


def _of_one_word(words: Sequence[str], today: date) -> Days | None:
    word = words[0].lower()
    if word == "today":
        return Days(today, today)
    if word == "yesterday":
        return Days(today - timedelta(1), today - timedelta(1))
    return days_of(words[0])


def _of_two_words(words: Sequence[str], today: date) -> Days | None:
    first, second = words[0].lower(), words[1].lower()
    if first in ("since", "until"):
        found = _of_one_word(words[1:], today)
        if found is None:
            return None
        return Days(found.first, _LAST) if first == "since" else Days(_FIRST, found.last)
    spans = _SPANS.get(second)
    return spans(today, first == "last") if spans is not None and first in ("this", "last") else None


def _of_three_words(words: Sequence[str], today: date) -> Days | None:
    """The last so many days, weeks, months or years, today included."""
    if words[0].lower() not in ("last", "past") or not (words[1].isascii() and words[1].isdigit()):
        return None
    days = _UNIT_DAYS.get(words[2].lower())
    if days is None:
        return None
    back = timedelta(min(max(int(words[1][:5]) * days - 1, 0), _MOST))
    return Days(today - back, today)


def _week(today: date, is_last: bool) -> Days:
    monday = today - timedelta(today.weekday() + 7 * is_last)
    return Days(monday, monday + timedelta(6))


def _month_of(today: date, is_last: bool) -> Days | None:
    some_day = today.replace(day=1) - timedelta(1) if is_last else today
    return _month(some_day.year, some_day.month)


def _year_of(today: date, is_last: bool) -> Days:
    return whole_year(today.year - is_last)


_SPANS: Final[dict[str, Callable[[date, bool], Days | None]]] = {"week": _week, "month": _month_of, "year": _year_of}
_UNIT_DAYS: Final = {
    **dict.fromkeys(("day", "days"), 1),
    **dict.fromkeys(("week", "weeks"), 7),
    **dict.fromkeys(("month", "months"), 30),
    **dict.fromkeys(("year", "years"), 365),
}
_READERS: Final[dict[int, Callable[[Sequence[str], date], Days | None]]] = {
    1: _of_one_word,
    2: _of_two_words,
    3: _of_three_words,
}
