"""Names of regions, segments and beams: whoever reads them must still tell one from the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from radfuse.deid.cleaning import clean_text
from radfuse.deid.table import Action
from radfuse.dicom.tree import Node, Tree
from radfuse.dicom.words import decode_values

_NUMBERED: Final[Mapping[int, tuple[int, str]]] = {
    0x3006_0026: (0x3006_0022, "ROI"),  # ROI Name
    0x3006_0085: (0x3006_0084, "ROI"),  # ROI Observation Label
    0x0062_0005: (0x0062_0004, "Segment"),  # Segment Label
    0x006A_0005: (0x0040_A180, "Group"),  # Annotation Group Label
    0x300A_00C2: (0x300A_00C0, "Beam"),  # Beam Name
    0x300A_0692: (0x300A_0690, "Fraction"),
}
"""The label, the number that stands beside it, and the word for such a thing."""

UNLISTED: Final[Mapping[int, Action]] = {
    0x0008_0115: Action.CLEAN,  # Coding Scheme Name
    0x0008_0116: Action.CLEAN,  # Coding Scheme Responsible Organization
    0x0008_0300: Action.REMOVE,  # what private elements mean: their makers' words, about what is gone
    0x0010_0033: Action.REMOVE,  # Patient's Birth Date in Alternative Calendar
    0x0010_0034: Action.REMOVE,  # Patient's Death Date in Alternative Calendar
    0x0010_0035: Action.REMOVE,  # Patient's Alternative Calendar
    0x0040_A160: Action.CLEAN,  # Text Value
    0x0042_0010: Action.CLEAN,  # Document Title
    0x0062_0005: Action.CLEAN,  # Segment Label
    0x0062_0006: Action.CLEAN,  # Segment Description
    0x0062_0020: Action.UID,  # Tracking ID
    0x0066_0004: Action.CLEAN,  # Surface Comments
    0x0070_0068: Action.CLEAN,  # Graphic Layer Description
    0x0070_0080: Action.CLEAN,  # Content Label
    0x0070_0081: Action.CLEAN,  # Content Description
    0x300A_00C2: Action.CLEAN,  # Beam Name
}
"""What Table E.1-1 does not list and identifies all the same: of free texts of an operator known words stay."""


def numbered(node: Node, tree: Tree) -> bytes | None:
    """A name that says nothing but which one it is; None for what is no such label or has no number."""
    label = _NUMBERED.get(node.tag)
    number = _number(tree.get(label[0])) if label else ""
    return f"{label[1]} {number}".encode("ascii") if label and number else None


def cleaned(node: Node, tree: Tree) -> bytes:
    """The known words of a text, empty when there are none; a label of which some are lost gets its number behind."""
    texts = decode_values(bytes(node.value), tree.character_sets, node.vr)
    clean = [clean_text(text) for text in texts]
    said = "\\".join(clean).encode("ascii") if any(clean) else b""
    if node.tag not in _NUMBERED or clean == list(texts):
        return said
    number = numbered(node, tree) or b""
    return b" ".join(part for part in (said, number.rpartition(b" ")[2]) if part) if said else number


def _number(node: Node | None) -> str:
    if node is None:
        return ""
    raw = bytes(node.value)
    if node.vr == "US":
        return str(int.from_bytes(raw, "little"))
    text = raw.decode("latin-1").strip(" \0")
    return text if text.isdecimal() else ""
