"""Content items of reports and of acquisition contexts, each judged by its concept (PS3.15 section E.3.4).

Numbers, coordinates and codes of the standard's schemes stay, references are mapped, persons,
identifiers and places go as Table E.3.4-1 says, and of other texts only known words are left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from radfuse.deid.options import Option, Profile
from radfuse.deid.table import Action
from radfuse.dicom.tree import Tree

CONTENT_SEQUENCE: Final = 0x0040_A730
VALUE_TYPE: Final = 0x0040_A040
CODE_MEANING: Final = 0x0008_0104
TEXT_VALUE: Final = 0x0040_A160
_CODE_VALUES: Final = (0x0008_0100, 0x0008_0119, 0x0008_0120)
_CODING_SCHEME: Final = 0x0008_0102
_CONCEPT_NAME: Final = 0x0040_A043
_CONCEPT_CODE: Final = 0x0040_A168
_MEASURED_VALUE: Final = 0x0040_A300
_REFERENCED_ITEM: Final = 0x0040_DB73
_CONTEXTS: Final = frozenset((CONTENT_SEQUENCE, 0x0040_0555, 0x0040_0612))
"""Where content items stand: content, acquisition context, steps of specimen preparation."""
_VALUES: Final[Mapping[str, int]] = {
    "TEXT": TEXT_VALUE,
    "PNAME": 0x0040_A123,
    "DATE": 0x0040_A121,
    "TIME": 0x0040_A122,
    "DATETIME": 0x0040_A120,
    "UIDREF": 0x0040_A124,
    "CODE": _CONCEPT_CODE,
    "NUM": _MEASURED_VALUE,
}
"""Value types and the attributes that hold their values (PS3.3 Table C.17.3-5)."""
VALUES: Final = frozenset(_VALUES.values()) - {_CONCEPT_CODE, _MEASURED_VALUE}
"""Of them those that are texts, times and UIDs."""
_DATES: Final = frozenset(("DATE", "TIME", "DATETIME"))
_REFERENCES: Final = frozenset(("IMAGE", "COMPOSITE", "WAVEFORM"))
_MAKERS: Final = frozenset(("113878", "113879", "121014", "121015", "121194", "121195"))
"""Manufacturers and model names of devices (PS3.16 TID 1004, 1010, 1021): in headers the table lets them stay too."""
_SUBJECT_AGE: Final = ("121033", "DCM")
_NUMERIC_VALUE: Final = 0x0040_A30A
_OLDEST_YEARS: Final = 89
_TRACKING_IDENTIFIER: Final = ("112039", "DCM")

STANDARD_SCHEMES: Final = frozenset(
    (
        *("DCM", "DCMUID", "LN", "MDC", "NCIt", "RADLEX", "RADELEMENT", "SCT", "SNM3", "SRT", "99SDM", "UCUM", "UMLS"),
        *("ACR", "BARI", "BI", "CTCAE", "FMA", "IBSI", "ITIS_TSN", "MA", "MDNS", "MSH", "NCDR", "NEU", "NICIP"),
        *("C4", "C5", "CD8", "HPC", "I9", "I9C", "I9P", "I10", "I10P", "I11", "ICDO3", "NDC", "POS", "RXNORM"),
        *("IETF4646", "ISO3166_1", "ISO639_1", "ISO639_2", "ISO_OID", "RFC3066", "RFC5646"),
        *("NYUMCCG", "PUBCHEM_CID", "UBERON", "UNS", "UPC"),
    )
)
"""Coding schemes that others publish (PS3.16 Table 8-1): their codes say nothing about who used them."""


class ContentRow(NamedTuple):
    """One row of Table E.3.4-1."""

    code: str
    scheme: str
    meaning: str
    value_type: str
    basic: str
    options: Mapping[Option, str]


@cache
def content_rows() -> tuple[ContentRow, ...]:
    """The table as it comes with the package."""
    text = (files("radfuse.deid") / "data" / "content_items.json").read_text(encoding="utf-8")
    return tuple(
        ContentRow(code, scheme, meaning, value_type, basic, {Option(name): code for name, code in options.items()})
        for code, scheme, meaning, value_type, basic, options in json.loads(text)
    )


@dataclass(slots=True)
class Contents:
    """What a profile does with each kind of content item."""

    profile: Profile
    _listed: dict[tuple[str, str, str], Action] = field(default_factory=dict)
    _others: dict[str, Action] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Decide for every row and every value type."""
        self._others = {
            "TEXT": Action.CLEAN,
            "PNAME": Action.DUMMY,
            "UIDREF": Action.KEEP if Option.UIDS in self.profile else Action.UID,
            "CODE": Action.KEEP,
            "NUM": Action.KEEP,
            **dict.fromkeys(_DATES, self._of_a_date()),
        }
        for row in content_rows():
            if row.value_type not in _REFERENCES:
                self._listed[row.code, row.scheme, row.value_type] = self._of_row(row)

    def _of_a_date(self) -> Action:
        if Option.FULL_DATES in self.profile:
            return Action.KEEP
        return Action.SHIFT if Option.SHIFTED_DATES in self.profile else Action.DUMMY

    def _of_row(self, row: ContentRow) -> Action:
        chosen = {option: code for option, code in row.options.items() if option in self.profile}
        if "K" in chosen.values():
            return Action.KEEP
        if chosen:
            return Action.SHIFT if Option.SHIFTED_DATES in chosen else Action.CLEAN
        if row.value_type == "UIDREF":
            # Instead of a dummy or nothing: what belongs together is found together, as with references.
            return self._others["UIDREF"]
        return Action.REMOVE if row.basic == "X" else Action.DUMMY

    def decisions(self, item: Tree, may_drop: bool) -> Mapping[int, Action] | None:
        """What is done with the values of a content item; None: the whole item goes."""
        value_type = item.ascii(VALUE_TYPE)
        code, scheme = concept_of(item)
        action = self._listed.get((code, scheme, value_type)) or self._others.get(value_type)
        if value_type == "TEXT" and action is Action.CLEAN:
            action = _of_a_text(code, scheme)
        if (code, scheme) == _SUBJECT_AGE and _is_rare_age(item):
            action = Action.REMOVE
        decided = {tag: self._others[kind] for kind, tag in _VALUES.items()}
        if action is Action.REMOVE:
            if may_drop:
                return None
            action = Action.EMPTY if value_type == "NUM" else Action.DUMMY
        if action is not None and value_type in _VALUES:
            decided[_VALUES[value_type]] = action
        return decided


def _of_a_text(code: str, scheme: str) -> Action:
    if code in _MAKERS and scheme == "DCM":
        return Action.KEEP
    if (code, scheme) == _TRACKING_IDENTIFIER:
        return Action.UID  # the same as in a segmentation (0062,0020)
    return Action.CLEAN


def _is_rare_age(item: Tree) -> bool:
    """Whether a subject is older than 89: in a header it would be said to be 90, here it is not said."""
    measured = item.get(_MEASURED_VALUE)
    for each in (measured.items or ()) if measured is not None else ():
        text = each.ascii(_NUMERIC_VALUE).partition(".")[0]
        if not text.isdecimal() or int(text) > _OLDEST_YEARS:
            return True
    return False


def concept_of(item: Tree) -> tuple[str, str]:
    """Code and scheme of the concept name of a content item; empty when it has none."""
    name = item.get(_CONCEPT_NAME)
    if name is None or not name.items:
        return "", ""
    code = next((name.items[0].ascii(tag) for tag in _CODE_VALUES if name.items[0].get(tag)), "")
    return code, name.items[0].ascii(_CODING_SCHEME)


def code_decisions(item: Tree, path: tuple[int, ...]) -> Mapping[int, Action]:
    """What is done with a coded concept: nothing when its scheme is of the standard.

    The meaning of any other is somebody's free text; in a report value and scheme may be anything as well.
    """
    if item.ascii(_CODING_SCHEME).partition("[")[0] in STANDARD_SCHEMES:
        return {}
    if _CONTEXTS.isdisjoint(path):
        return {CODE_MEANING: Action.CLEAN}
    return {CODE_MEANING: Action.CLEAN, _CODING_SCHEME: Action.DUMMY, **dict.fromkeys(_CODE_VALUES, Action.DUMMY)}


def refers_by_position(tree: Tree) -> bool:
    """Whether content items point to others by their place (0040,DB73): then none may be taken out."""
    return any(node.tag == _REFERENCED_ITEM for _, node in tree.walk())


def holds_only_references(tree: Tree) -> bool:
    """Whether a content tree has no text, person, date or private code: as most key object selections."""
    for _, node in tree.walk():
        if node.tag != CONTENT_SEQUENCE:
            continue
        for item in node.items or ():
            if item.ascii(VALUE_TYPE) not in _REFERENCES and item.ascii(VALUE_TYPE) not in ("CODE", "CONTAINER"):
                return False
            if any(item.get(tag) is not None for tag in (TEXT_VALUE, _VALUES["PNAME"])):
                return False
    return True
