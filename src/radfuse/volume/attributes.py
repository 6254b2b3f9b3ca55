"""Attributes of a data set as numbers and texts, for those that compute with them (PS3.5 section 6.2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from radfuse.dicom.tree import Node, Tree

_BINARY: Final = {"US": "u2", "SS": "i2", "UL": "u4", "SL": "i4", "FL": "f4", "FD": "f8", "UV": "u8", "SV": "i8"}
_TEXT_NUMBERS: Final = frozenset(("DS", "IS"))
_EXPECTED: Final = {
    0x0019_100C: "IS",  # Siemens: b-value
    0x0043_1039: "IS",  # GE: b-value first
    0x2001_1003: "FL",  # Philips: b-value
    0x0018_9087: "FD",
    0x0018_9089: "FD",
    0x0054_1300: "DS",
}
"""VRs of attributes that often come as UN; private ones under the block 10."""


@dataclass(slots=True)
class Attributes:
    """The elements of one level, or of several that are looked through one after the other."""

    levels: tuple[dict[int, Node], ...]
    big: bool = False
    """Whether binary numbers are big endian."""

    @classmethod
    def of(cls, tree: Tree, big: bool) -> Attributes:
        """Those of a data set or an item."""
        return cls((tree.nodes,), big)

    def node(self, tag: int) -> Node | None:
        """The first element of this tag that has a value, else None."""
        for nodes in self.levels:
            node = nodes.get(tag)
            if node is not None and (len(node.value) or node.items or node.fragments is not None):
                return node
        return None

    def texts(self, tag: int) -> tuple[str, ...]:
        """Its values as text without padding; for VRs of the default repertoire."""
        node = self.node(tag)
        if node is None or node.items is not None:
            return ()
        return tuple(part.strip(" \0") for part in bytes(node.value).decode("latin-1").split("\\"))

    def text(self, tag: int) -> str:
        """Its first value as text; empty when it is absent."""
        return next(iter(self.texts(tag)), "")

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Its values as numbers; () when it is absent, or when one of them is none or is not finite."""
        node = self.node(tag)
        if node is None:
            return ()
        vr = _EXPECTED.get(tag, node.vr) if node.vr in ("UN", "") else node.vr
        values = self._parsed(bytes(node.value), vr)
        return values if all(map(math.isfinite, values)) else ()

    def _parsed(self, raw: bytes, vr: str) -> tuple[float, ...]:
        try:
            if vr in _TEXT_NUMBERS:
                texts = raw.decode("ascii").strip(" \0").split("\\")
                return tuple(float(text.strip(" \0")) for text in texts)
            if vr in _BINARY:
                return tuple(np.frombuffer(raw, (">" if self.big else "<") + _BINARY[vr]).astype(float).tolist())
        except ValueError:
            pass
        return ()

    def number(self, tag: int) -> float | None:
        """Its first value as a number."""
        return next(iter(self.numbers(tag)), None)

    def whole(self, tag: int, otherwise: int = 0) -> int:
        """Its first value as a whole number."""
        value = self.number(tag)
        return otherwise if value is None else int(value)

    def items(self, tag: int) -> Iterator[Attributes]:
        """The items of a sequence."""
        node = self.node(tag)
        for item in (node.items or ()) if node is not None else ():
            yield Attributes.of(item, self.big)

    def item(self, tag: int) -> Attributes | None:
        """The first item of a sequence."""
        return next(self.items(tag), None)

    def private(self, creator: str, group: int, element: int) -> int:
        """The tag of a private element (PS3.5 section 7.8.1); 0 when nobody reserved its block here."""
        for block in range(0x10, 0x20):
            if self.text(group << 16 | block) == creator:
                return group << 16 | block << 8 | element
        return 0
