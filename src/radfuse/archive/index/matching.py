"""Attribute matching on text (PS3.4 section C.2.2.2): dates, times, wildcards, lists, person names.

A key's values become ``Criteria`` once; SQL and Python both follow them, so that a value in the
index and a value in a header are matched alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from radfuse.core.errors import InvalidQuery
from radfuse.dicom.words import fold_groups

WILDCARD_VRS: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""Where ``*`` and ``?`` are wildcards (PS3.4 section C.2.2.2.4)."""

MAX_ALTERNATIVES: Final = 32
"""Wildcard patterns or ranges in one key."""

MAX_STARS: Final = 32
"""Stars in one wildcard pattern."""

_LEADING_SPACES_COUNT: Final = frozenset({"LT", "ST", "UC", "UR", "UT"})
_NUMBER_VRS: Final = frozenset({"IS", "DS", "US", "SS", "UL", "SL", "FL", "FD", "UV", "SV"})
_MAX_NAME_COMPONENTS: Final = 5

_DATE: Final = re.compile(r"(\d{4})(\.?)(\d\d)\2(\d\d)", re.ASCII)
_TIME: Final = re.compile(r"([01]\d|2[0-3])(?:(:?)([0-5]\d)(?:\2([0-5]\d|60)(?:\.(\d{1,6}))?)?)?", re.ASCII)
_DATE_TIME: Final = re.compile(
    r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:\.(\d{1,6}))?([+-](?:0\d|1[0-4])[0-5]\d)?", re.ASCII
)
_INTEGER: Final = re.compile(r"([+-]?)0*(\d+)", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_LOWEST: Final = "0"
_HIGHEST: Final = ":"
"""Bounds of an open range: dates and times sort after the first and before the second."""


# --- values as they are compared -------------------------------------------------------------


def date_key(text: str) -> str:
    """A DA value as YYYYMMDD, also from the old form YYYY.MM.DD; empty when it is not a date."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return ""
    year, _, month, day = found.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return ""
    return year + month + day


def time_key(text: str) -> str:
    """A TM value as HHMMSS.FFFFFF, missing parts zero, also from HH:MM:SS; empty when it is not a time."""
    span = _time_span(text)
    return span[0] if span else ""


def _time_span(text: str) -> tuple[str, str] | None:
    """The first and the last moment that a TM value means: "10" is the whole hour (PS3.5 section 6.2)."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hour, _, minute, second, fraction = found.groups()
    low = f"{hour}{minute or '00'}{second or '00'}.{(fraction or '').ljust(6, '0')}"
    high = low if fraction else f"{hour}{minute or '59'}{second or '59'}.999999"
    return low, high


def _date_time_span(text: str) -> tuple[str, str] | None:
    """The first and the last moment that a DT value means; its offset from UTC is not considered."""
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        return None
    *parts, fraction, _offset = found.groups()
    given = "".join(part or "" for part in parts)
    low = given + "00000101000000"[len(given) :] + "." + (fraction or "").ljust(6, "0")
    return low, low if fraction else given + "99991231235959"[len(given) :] + ".999999"


def significant_text(vr: str, text: str) -> str:
    """``text`` without the spaces that are padding (PS3.5 section 6.2): what the index stores and matches."""
    return text.rstrip(" ") if vr in _LEADING_SPACES_COUNT else text.strip(" ")


def number_key(text: str) -> str:
    """A number written one way: "+007" is "7", "1.50" is "1.5"; other text unchanged."""
    found = _INTEGER.fullmatch(text)
    if found is not None:
        sign, digits = found.groups()
        return f"-{digits}" if sign == "-" and digits != "0" else digits
    return repr(float(text)) if _DECIMAL.fullmatch(text) else text


# --- wildcards -------------------------------------------------------------------------------


class Glob:
    """A pattern with ``*`` (any characters, or none) and ``?`` (one character).

    ``parts`` are the pieces between the stars. Matching looks for each piece once, from left to
    right: a pattern of many stars costs no more than a walk over the text per piece.
    """

    __slots__ = ("_pieces", "parts", "pattern")

    def __init__(self, pattern: str) -> None:
        """Split ``pattern``; several stars in a row are one."""
        self.pattern = re.sub(r"\*+", "*", pattern)
        self.parts = tuple(self.pattern.split("*"))
        self._pieces = [
            re.compile("".join("." if character == "?" else re.escape(character) for character in part), re.DOTALL)
            for part in self.parts
        ]

    @property
    def stars(self) -> int:
        """How many stars are left."""
        return len(self.parts) - 1

    @property
    def literal_prefix(self) -> str:
        """What every matching text begins with."""
        return self.parts[0].split("?", 1)[0]

    def matches(self, text: str) -> bool:
        """Whether the whole of ``text`` fits."""
        if not self.stars:
            return self._pieces[0].fullmatch(text) is not None
        start, end = len(self.parts[0]), len(text) - len(self.parts[-1])
        if start > end or not self._pieces[0].match(text) or not self._pieces[-1].match(text, end):
            return False
        for piece in self._pieces[1:-1]:
            found = piece.search(text, start, end)
            if found is None:
                return False
            start = found.end()
        return True


def glob_match(pattern: str, text: str) -> bool:
    """Whether the whole of ``text`` fits ``pattern`` (PS3.4 section C.2.2.2.4), in bounded time."""
    return Glob(pattern).matches(text)


# --- criteria --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Range:
    """Comparable texts from ``low`` to ``high``, both included; nothing when reversed."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a comparable text must be: one of ``exact``, or as one of ``globs``, or in one of ``ranges``."""

    exact: tuple[str, ...] = ()
    globs: tuple[Glob, ...] = ()
    ranges: tuple[Range, ...] = ()

    def matches(self, text: str) -> bool:
        """Whether ``text``, in the form in which it is compared, fits."""
        return (
            text in self.exact
            or any(span.low <= text <= span.high for span in self.ranges)
            or any(glob.matches(text) for glob in self.globs)
        )


def criteria(vr: str, values: Sequence[str]) -> Criteria | None:
    """The criteria of a key that is not a person name; None for universal matching.

    Several values mean any of them. Raises InvalidQuery for a value that is no date or time.
    """
    texts = tuple(dict.fromkeys(filter(None, (significant_text(vr, value) for value in values))))
    if not texts or any(not text.strip("*") for text in texts):
        return None
    if vr in _SPANS:
        _check_alternatives(len(texts))
        return Criteria(ranges=tuple(_range(vr, text) for text in texts))
    if vr in _NUMBER_VRS:
        return Criteria(exact=tuple(dict.fromkeys(number_key(text) for text in texts)))
    return _text_criteria(texts) if vr in WILDCARD_VRS else Criteria(exact=texts)


def comparable(vr: str, text: str) -> str:
    """A stored value in the form in which ``criteria`` of the same VR compare it."""
    if vr in _SPANS:
        span = _SPANS[vr](text)
        return span[0] if span else ""
    text = significant_text(vr, text)
    return number_key(text) if vr in _NUMBER_VRS else text


def _text_criteria(texts: Sequence[str]) -> Criteria:
    wild = [text for text in texts if "*" in text or "?" in text]
    _check_alternatives(len(wild))
    if any(len(list(filter(None, text.split("*")))) > MAX_STARS for text in wild):
        raise InvalidQuery(f"more than {MAX_STARS} wildcards in one value")
    return Criteria(
        exact=tuple(text for text in texts if text not in wild),
        globs=tuple(Glob(text) for text in wild),
    )


def _check_alternatives(count: int) -> None:
    if count > MAX_ALTERNATIVES:
        raise InvalidQuery(f"more than {MAX_ALTERNATIVES} wildcard patterns or ranges in one key")


def _date_span(text: str) -> tuple[str, str] | None:
    key = date_key(text)
    return (key, key) if key else None


_SPANS: Final[dict[str, Callable[[str], tuple[str, str] | None]]] = {
    "DA": _date_span,
    "TM": _time_span,
    "DT": _date_time_span,
}
_RANGE_NAMES: Final = {"DA": "date", "TM": "time", "DT": "date-time"}


def _range(vr: str, text: str) -> Range:
    """One value or range of the VR (PS3.4 section C.2.2.2.5)."""
    span = _SPANS[vr]
    single = span(text)
    if single is not None:
        return Range(*single)
    # A hyphen may also begin the offset of a DT (-1200 to +1400): the range is where both sides make sense.
    for hyphen in (found.start() for found in re.finditer("-", text)):
        before, after = text[:hyphen].strip(), text[hyphen + 1 :].strip()
        low = span(before) if before else (_LOWEST, _LOWEST)
        high = span(after) if after else (_HIGHEST, _HIGHEST)
        if low is not None and high is not None and (before or after):
            return Range(low[0], high[1])
    raise InvalidQuery(f"a value is not a {_RANGE_NAMES[vr]} or a range of them")


# --- person names ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NameCriteria:
    """What the folded component groups of a person name must be.

    ``groups`` has one entry for any of the three groups, or one entry per group with None for a
    group that may be anything.
    """

    groups: tuple[Criteria | None, ...]

    @property
    def any_group(self) -> bool:
        """Whether the criteria are for any of the three groups."""
        return len(self.groups) == 1

    def matches(self, folded_groups: Sequence[str]) -> bool:
        """Whether a name with these three folded groups fits."""
        first = self.groups[0]
        if self.any_group and first is not None:
            return any(first.matches(group) for group in folded_groups)
        return all(
            wanted is None or wanted.matches(group) for wanted, group in zip(self.groups, folded_groups, strict=False)
        )


def name_criteria(values: Sequence[str]) -> tuple[NameCriteria, ...]:
    """The criteria of a person name key, any of which may fit; none for universal matching.

    Case and composition of letters do not matter. A value of one component group is looked for in
    all three; a value with ``=`` group by group (PS3.5 section 6.2.1.1). Trailing ``^`` do not count.
    """
    wanted = [_name_groups(value) for value in dict.fromkeys(values) if value.strip(" ")]
    if any(all(group is None for group in groups) for groups in wanted):
        return ()
    _check_alternatives(len(wanted))
    return tuple(NameCriteria(groups) for groups in wanted)


def _name_groups(value: str) -> tuple[Criteria | None, ...]:
    if any(value.split("=")[3:]):
        raise InvalidQuery("a person name of more than three component groups")
    groups = tuple(_name_group(group) for group in fold_groups(value))
    return groups if "=" in value else groups[:1]


def _name_group(pattern: str) -> Criteria | None:
    """One folded group. "SMITH^*" also means the name that is only "SMITH": its empty components are not written."""
    if not pattern.strip("*"):
        return None
    alternatives = [pattern]
    while len(alternatives) < _MAX_NAME_COMPONENTS and alternatives[-1].endswith("^*"):
        alternatives.append(alternatives[-1].removesuffix("^*").rstrip("^ "))
    if not all(alternative.strip("*") for alternative in alternatives if alternative):
        return None
    return _text_criteria(tuple(dict.fromkeys(filter(None, alternatives))))
