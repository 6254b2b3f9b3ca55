"""Private elements that are known to be safe (PS3.15 section E.3.10).

Safe is what Table E.3.10-1 lists, and what the object itself declares to be safe (0008,0300). What is
said to be safe is still looked at: a number must be a number, a text keeps its known words alone,
UIDs are mapped, and bytes that only the object calls safe, which nobody can judge, go.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from radfuse.deid.table import Action
from radfuse.dicom.tree import Node, Tree
from radfuse.dicom.words import decode_text

CHARACTERISTICS: Final = 0x0008_0300
_GROUP: Final = 0x0008_0301
_CREATOR: Final = 0x0008_0302
_STATUS: Final = 0x0008_0303
_SAFE_ELEMENTS: Final = 0x0008_0304
_ACTIONS: Final = 0x0008_0305
_ELEMENTS_OF_AN_ACTION: Final = 0x0008_0306

_KEPT_OF_A_DECLARATION: Final = (_GROUP, _CREATOR, _STATUS, _SAFE_ELEMENTS)

_NUMBERS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("SS", "US"), 2),
    **dict.fromkeys(("AT", "FL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "SV", "UV"), 8),
}
"""Binary numbers and their sizes in bytes."""
_MOST_NUMBERS: Final = 4096
_PATTERNS: Final = {
    "AS": re.compile(rb"\d{3}[DWMY]\Z"),
    "CS": re.compile(rb"[A-Z0-9_ ]{0,16}\Z"),
    "DS": re.compile(rb"(?=.{1,16}\Z) *[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})? *\Z"),
    "IS": re.compile(rb" *[-+]?\d{1,10} *\Z"),
}
_TEXTS: Final = frozenset(("LO", "LT", "SH", "ST", "UC", "UT"))
_LONGEST: Final = 1024
_RATIO: Final = re.compile(rb"\d+(?:\.\d+)?:\d+ ?\Z")
"""A pitch is written so: 0.984:1."""


class SafeElement(NamedTuple):
    """One row of Table E.3.10-1."""

    creator: str
    group: int
    element: int
    vr: str
    meaning: str


@cache
def safe_elements() -> Mapping[tuple[str, int, int], SafeElement]:
    """The rows by creator, group and the last two digits of the element."""
    text = (files("radfuse.deid") / "data" / "safe_private.json").read_text(encoding="ascii")
    rows = (SafeElement(row[0], int(row[1], 16), int(row[2], 16), row[3], row[4]) for row in json.loads(text))
    return {(row.creator, row.group, row.element): row for row in rows}


@dataclass(frozen=True, slots=True)
class Declared:
    """What an object says of its own private elements."""

    blocks: frozenset[tuple[str, int]] = frozenset()
    """Creator and group of blocks that are safe as a whole."""
    elements: frozenset[tuple[str, int, int]] = frozenset()
    """With the last two digits of the element."""
    identifying: frozenset[tuple[str, int, int]] = frozenset()
    """Those for which an action is asked for: they go, whatever else is said of them."""

    def says_safe(self, creator: str, group: int, element: int) -> bool:
        """Whether it says so of this element."""
        if (creator, group, element) in self.identifying:
            return False
        return (creator, group) in self.blocks or (creator, group, element) in self.elements


def declared_by(tree: Tree) -> Declared:
    """What is said in Private Data Element Characteristics Sequence (0008,0300), PS3.3 section C.12.1."""
    node = tree.get(CHARACTERISTICS)
    blocks: set[tuple[str, int]] = set()
    elements: set[tuple[str, int, int]] = set()
    identifying: set[tuple[str, int, int]] = set()
    for item in (node.items or ()) if node is not None else ():
        group = _first_number(item, _GROUP)
        creator = item.ascii(_CREATOR)
        if item.ascii(_STATUS) == "SAFE":
            blocks.add((creator, group))
        elements.update((creator, group, each) for each in _bytes_of(item, _SAFE_ELEMENTS))
        actions = item.get(_ACTIONS)
        for action in (actions.items or ()) if actions is not None else ():
            identifying.update((creator, group, each) for each in _bytes_of(action, _ELEMENTS_OF_AN_ACTION))
    return Declared(frozenset(blocks), frozenset(elements), frozenset(identifying))


def still_declared(said: Node | None, tree: Tree) -> Node | None:
    """Of what was ``said`` in (0008,0300) that which is about blocks that are still there; no words but creators."""
    if said is None:
        return None
    left = {(node.tag >> 16, _text_of(node)) for _, node in tree.walk() if _is_creator(node)}
    items = [
        Tree({tag: item.nodes[tag] for tag in _KEPT_OF_A_DECLARATION if tag in item.nodes})
        for item in said.items or ()
        if (_first_number(item, _GROUP), item.ascii(_CREATOR)) in left
    ]
    return Node(CHARACTERISTICS, "SQ", items=items) if items else None


def _is_creator(node: Node) -> bool:
    return bool(node.tag >> 16 & 1) and 0x10 <= node.tag & 0xFFFF <= 0xFF


def _text_of(node: Node) -> str:
    return bytes(node.value).decode("latin-1").strip(" \0")


def _first_number(tree: Tree, tag: int) -> int:
    raw = tree.raw(tag)
    return int(struct.unpack_from("<H", raw)[0]) if len(raw) >= 2 else 0


def _bytes_of(tree: Tree, tag: int) -> Iterable[int]:
    raw = tree.raw(tag)
    return (number & 0xFF for (number,) in struct.iter_unpack("<H", raw[: len(raw) & ~1]))


def private_decisions(tree: Tree, declared: Declared) -> Mapping[int, Action]:
    """What is done with the private elements of one level; what is not named goes."""
    decided: dict[int, Action] = {}
    for node in tree:
        if not node.tag >> 16 & 1 or node.tag & 0xFFFF < 0x1000:
            continue
        creator_tag = node.tag & 0xFFFF_0000 | node.tag >> 8 & 0xFF
        action = _of(node, tree.ascii(creator_tag), declared)
        if action is not Action.REMOVE:
            decided[node.tag] = action
            decided[creator_tag] = Action.KEEP
    return decided


def _of(node: Node, creator: str, declared: Declared) -> Action:
    group, element = node.tag >> 16, node.tag & 0xFF
    row = safe_elements().get((creator, group, element))
    if row is not None and (creator, group, element) not in declared.identifying:
        # A system that did not know the element wrote it as UN; a VR that is another than listed is no such element.
        return _judged(node, row.vr, row.vr) if node.vr in (row.vr, "UN") or row.vr == "UN" else Action.REMOVE
    if creator and declared.says_safe(creator, group, element):
        return _judged(node, node.vr, "")
    return Action.REMOVE


def _judged(node: Node, vr: str, listed: str) -> Action:
    """By its VR; ``listed``: the VR that the table names, none for what the object alone calls safe."""
    if node.items is not None or vr == "SQ":
        return Action.REMOVE if node.items is None else Action.KEEP
    value = bytes(node.value[: _LONGEST * 64])
    if vr in _NUMBERS:
        is_numbers = len(node.value) % _NUMBERS[vr] == 0 and len(node.value) // _NUMBERS[vr] <= _MOST_NUMBERS
        return Action.KEEP if is_numbers else Action.REMOVE
    if vr in _PATTERNS:
        is_meant = len(value) <= _LONGEST and all(map(_PATTERNS[vr].match, value.rstrip(b"\0").split(b"\\")))
        return Action.KEEP if is_meant else Action.REMOVE
    if vr == "UI":
        return Action.UID if node.vr == "UI" else Action.REMOVE
    if vr in _TEXTS:
        return _of_a_text(node, value, listed)
    return Action.KEEP if listed in ("OB", "OW", "UN") else Action.REMOVE


def _of_a_text(node: Node, value: bytes, listed: str) -> Action:
    if listed and _RATIO.match(value):
        return Action.KEEP
    if node.vr == "UN" or not decode_text(value, ()).strip(" \0"):
        return Action.REMOVE
    return Action.CLEAN
