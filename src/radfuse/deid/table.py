"""PS3.15 Table E.1-1, the types of attributes it depends on, and what follows for one attribute under a profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from radfuse.deid.options import Option, Profile
from radfuse.dicom.words import keyword_of, tag_of, vr_of

EDITION: Final = "PS3.15 2024b, with what 2026c adds"


class Action(Enum):
    """What is done with an attribute."""

    KEEP = "K"
    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"
    SHIFT = "shift"
    """A date: moved by the days of its patient."""
    CLEAN = "C"
    """A text, or the content of a report: what may identify is taken out of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    tag: int
    keyword: str
    vr: str
    basic: str
    options: Mapping[Option, str]
    edition: str


@dataclass(frozen=True, slots=True)
class Table:
    """The rows by tag; curves, overlays and private attributes are groups of their own."""

    rows: Mapping[int, Row]
    curves: Row
    overlays: Row
    private: Row


@cache
def table() -> Table:
    """The table as it comes with the package."""
    rows: dict[int, Row] = {}
    groups: dict[str, Row] = {}
    for tag, keyword, vr, basic, options, edition in _data("basic_profile.json"):
        by_option = {Option(name): code for name, code in options.items()}
        if "x" in tag or "G" in tag:
            groups[tag[:4]] = Row(0, keyword, vr, basic, by_option, edition)
        else:
            rows[int(tag, 16)] = Row(int(tag, 16), keyword, vr, basic, by_option, edition)
    return Table(rows, groups["50xx"], groups["60xx"], groups["GGGG"])


def _data(name: str) -> Any:
    return json.loads((files("radfuse.deid") / "data" / name).read_text(encoding="utf-8"))


# --- types ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Types:
    """The strictest type of an attribute: by SOP class at the top, by the sequence that holds it; else 3."""

    top: Mapping[int, Mapping[str, str]]
    within: Mapping[int, Mapping[int, str]]

    def of(self, tag: int, sop_class_uid: str, parent: int) -> str:
        """ "1", "2" or "3"; a condition (1C, 2C) is taken as met: the attribute is there. ``parent`` 0: at the top."""
        if parent:
            return self.within.get(tag, {}).get(parent, "3")[0]
        return self.top.get(tag, {}).get(sop_class_uid, "3")[0]


@cache
def types() -> Types:
    """The types as they come with the package."""
    data = _data("attribute_types.json")
    top = {
        tag_of(keyword): {uid: kind for kind, uids in kinds.items() for uid in uids}
        for keyword, kinds in data["top"].items()
    }
    within = {
        tag_of(keyword): {tag_of(name): kind for name, kind in sequences.items()}
        for keyword, sequences in data["within"].items()
    }
    return Types(top, within)


# --- decisions -----------------------------------------------------------------------------------

_BY_TYPE: Final[Mapping[str, Mapping[str, Action]]] = {
    "X/Z": {"1": Action.EMPTY, "2": Action.EMPTY, "3": Action.REMOVE},
    "X/D": {"1": Action.DUMMY, "2": Action.DUMMY, "3": Action.REMOVE},
    "Z/D": {"1": Action.DUMMY, "2": Action.EMPTY, "3": Action.EMPTY},
    "X/Z/D": {"1": Action.DUMMY, "2": Action.EMPTY, "3": Action.REMOVE},
    # The references themselves may stay when their UIDs are replaced: what belongs together is found together.
    "X/Z/U*": {"1": Action.KEEP, "2": Action.KEEP, "3": Action.KEEP},
}
_PLAIN: Final = {"X": Action.REMOVE, "Z": Action.EMPTY, "D": Action.DUMMY, "U": Action.UID}
_DATES: Final = (Option.FULL_DATES, Option.SHIFTED_DATES)
_DATE_VRS: Final = frozenset(("DA", "DT"))
_KEPT_UIDS: Final = ("ClassUID", "SchemeUID", "TransferSyntaxUID", "ResourceUID", "ContextUID", "LibraryUID")
_KEPT_URLS: Final = frozenset((0x0008_010E, 0x0008_0120))
"""Coding Scheme URL and URN Code Value; any other names a server, and the originals on it."""
_PIXEL_GROUP: Final = 0x7FE0
_TEXTS: Final = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
_NUMBERS: Final = frozenset(("AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"))
_UNKNOWN: Final = "UN"
_OTHERS: Final = frozenset(("OB", "OD", "OF", "OL", "OV", "OW"))


@dataclass(slots=True)
class Rules:
    """What a profile does with each attribute."""

    profile: Profile
    _decided: dict[int, Action | Mapping[str, Action]] = field(default_factory=dict)
    _unlisted: dict[tuple[int, str], Action] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Decide for every row."""
        self._decided = {tag: self._of_row(row) for tag, row in table().rows.items()}

    def action(self, tag: int, vr: str, sop_class_uid: str, parent: int) -> Action:
        """For an attribute of an object of ``sop_class_uid``, in the sequence ``parent`` (0: at the top)."""
        decided = self._decided.get(tag)
        if decided is None:
            # Pixels within a sequence are an icon or a copy: nobody has judged what they show.
            return Action.REMOVE if parent and tag >> 16 == _PIXEL_GROUP else self._of_unlisted(tag, vr)
        action = decided if isinstance(decided, Action) else decided[types().of(tag, sop_class_uid, parent)]
        return Action.REMOVE if action is Action.KEEP and is_disguised(tag, vr) else action

    def basic(self, tag: int, sop_class_uid: str, parent: int) -> Action | None:
        """What the profile does without options; None for what the table does not list."""
        row = table().rows.get(tag)
        if row is None:
            return None
        return _PLAIN.get(row.basic) or _BY_TYPE[row.basic][types().of(tag, sop_class_uid, parent)]

    def add(self, decided: Mapping[int, Action]) -> None:
        """Decide for attributes that the table does not list, or says too little of."""
        self._decided.update(decided)

    def _of_row(self, row: Row) -> Action | Mapping[str, Action]:
        chosen = {option: code for option, code in row.options.items() if option in self.profile}
        if "K" in chosen.values():
            return Action.KEEP
        if chosen:
            return Action.SHIFT if Option.SHIFTED_DATES in chosen else Action.CLEAN
        return _PLAIN.get(row.basic) or _BY_TYPE[row.basic]

    def _of_unlisted(self, tag: int, vr: str) -> Action:
        known = self._unlisted.get((tag, vr))
        if known is None:
            known = self._unlisted[tag, vr] = self._judged(tag, vr)
        return known

    def _judged(self, tag: int, vr: str) -> Action:
        """The table says that what it does not list stays; what by its VR is a date, a name or an identity does not."""
        if is_disguised(tag, vr) or (tag >> 24 == _PIXEL_GROUP >> 8 and tag >> 16 != _PIXEL_GROUP):
            return Action.REMOVE  # the others of 7Fxx are variable pixels (retired), which nobody judges
        if vr in _DATE_VRS:
            if Option.FULL_DATES in self.profile:
                return Action.KEEP
            return Action.SHIFT if Option.SHIFTED_DATES in self.profile else Action.DUMMY
        if vr == "PN":
            return Action.EMPTY
        if vr == "UI" and not keyword_of(tag).endswith(_KEPT_UIDS) and Option.UIDS not in self.profile:
            return Action.UID
        return Action.DUMMY if vr == "UR" and tag not in _KEPT_URLS else Action.KEEP


@lru_cache(maxsize=8192)
def is_disguised(tag: int, vr: str) -> bool:
    """Whether nobody can tell what a value is: a text or bytes where the standard has none, or something else."""
    row = table().rows.get(tag)
    expected = (row.vr if row else "") or vr_of(tag)
    if expected == _UNKNOWN:
        return vr in _TEXTS - {"PN"} or vr in _OTHERS or vr == _UNKNOWN
    if vr in _TEXTS:
        return expected not in _TEXTS
    if vr in _OTHERS:
        return expected not in _OTHERS | _NUMBERS
    return vr == _UNKNOWN or (expected == "SQ" and vr != "SQ")
