"""What stands in the place of a value that must be there and must say nothing, by VR (PS3.15 Table E.1-1a, D)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from radfuse.dicom.tree import Node, Tree

_DATE: Final = b"19000101"
_WORD: Final = b"ANONYMIZED"
_TEXTS: Final[Mapping[str, bytes]] = {
    "AE": _WORD,
    "AS": b"000Y",
    "CS": _WORD,
    "DA": _DATE,
    "DS": b"0 ",
    "DT": _DATE + b"000000",
    "IS": b"0 ",
    "LO": _WORD,
    "LT": _WORD,
    "PN": _WORD,
    "SH": _WORD,
    "ST": _WORD,
    "TM": b"000000",
    "UC": _WORD,
    "UR": b"urn:anonymized",
    "UT": _WORD,
}
_ZEROS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("OB", "OW", "SS", "UN", "US"), 2),
    **dict.fromkeys(("AT", "FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}
_OF_THE_STANDARD: Final = re.compile(rb"1\.2\.840\.10008\.[0-9.]{1,50}\0?\Z")
_NO_UID: Final = b"2.25.0"
_CODE_VALUE: Final = 0x0008_0100
_CODING_SCHEME: Final = 0x0008_0102
_CODE_MEANING: Final = 0x0008_0104
_LONG_CODE_VALUE: Final = 0x0008_0119
_URN_CODE_VALUE: Final = 0x0008_0120
_OF_A_CODE: Final = frozenset((_CODE_VALUE, _CODING_SCHEME, _CODE_MEANING, _LONG_CODE_VALUE, _URN_CODE_VALUE))


def dummy_value(vr: str) -> bytes:
    """Some value of this VR; UIDs are not made here."""
    return _TEXTS.get(vr) or bytes(_ZEROS.get(vr, 0))


def dummy_node(node: Node) -> Node:
    """The element with the same VR and with nothing of its value; of a sequence: one item of the same elements."""
    if node.vr == "UI":
        return Node(node.tag, node.vr, node.value if _OF_THE_STANDARD.match(bytes(node.value)) else _NO_UID)
    if node.items is None:
        return Node(node.tag, node.vr, dummy_value(node.vr))
    first = node.items[0] if node.items else Tree()
    if first.get(_CODING_SCHEME) is not None or not first.nodes:
        return Node(node.tag, node.vr, items=[code_item("ANONYMIZED", "99RADFUSE", "Anonymized")])
    kept = (each for each in first if each.tag not in _OF_A_CODE and not each.tag >> 16 & 1)
    return Node(node.tag, node.vr, items=[Tree({each.tag: dummy_node(each) for each in kept})])


def code_item(value: str, scheme: str, meaning: str) -> Tree:
    """A coded concept (PS3.3 section 8.8)."""
    return Tree(
        {
            _CODE_VALUE: Node(_CODE_VALUE, "SH", value.encode("ascii")),
            _CODING_SCHEME: Node(_CODING_SCHEME, "SH", scheme.encode("ascii")),
            _CODE_MEANING: Node(_CODE_MEANING, "LO", meaning.encode("ascii")),
        }
    )
