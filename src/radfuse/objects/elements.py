"""Values of elements in objects of any vendor: wrong ones are left out, nothing is raised."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import DataSetError, UnreadableObject
from radfuse.core.transfer_syntaxes import EXPLICIT_BIG
from radfuse.dicom import read_file_meta, tree, words
from radfuse.objects.common import Code

_FORMATS: Final = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}


@dataclass(frozen=True, slots=True)
class Elements:
    """Reads the values of one data set; ``is_big``: it is in big endian byte order."""

    is_big: bool = False

    def texts(self, level: tree.Tree, keyword: str) -> tuple[str, ...]:
        """The values of a text element without padding; () when it is absent or empty."""
        tag = words.tag_of(keyword)
        node = level.get(tag) if tag is not None else None
        if node is None or node.items is not None:
            return ()
        vr = node.vr if node.vr != "UN" else words.vr_of(node.tag)
        return words.decode_values(bytes(node.value), level.character_sets, vr)

    def text(self, level: tree.Tree, keyword: str) -> str:
        """The values of a text element as one text."""
        return "\\".join(self.texts(level, keyword))

    def numbers(self, level: tree.Tree, keyword: str) -> tuple[float, ...]:
        """The values of a binary or a decimal element; those that are none are left out."""
        tag = words.tag_of(keyword)
        node = level.get(tag) if tag is not None else None
        if node is None or node.items is not None:
            return ()
        vr = node.vr if node.vr in _FORMATS or node.vr in ("DS", "IS") else words.vr_of(node.tag)
        if letter := _FORMATS.get(vr):
            size = struct.calcsize(letter)
            whole = bytes(node.value)[: len(node.value) // size * size]
            order = ">" if self.is_big else "<"
            found = (float(number) for (number,) in struct.iter_unpack(order + letter, whole))
            return tuple(number for number in found if math.isfinite(number))
        return tuple(number for text in self.texts(level, keyword) if (number := number_in(text)) is not None)

    def integers(self, level: tree.Tree, keyword: str) -> tuple[int, ...]:
        """As ``numbers``, whole."""
        return tuple(int(number) for number in self.numbers(level, keyword) if abs(number) < 1 << 53)

    def items(self, level: tree.Tree, keyword: str) -> list[tree.Tree]:
        """The items of a sequence; none when it is absent."""
        tag = words.tag_of(keyword)
        node = level.get(tag) if tag is not None else None
        return (node.items or []) if node is not None else []

    def code(self, level: tree.Tree, keyword: str) -> Code | None:
        """The first item of a code sequence (PS3.3 section 8.8)."""
        for item in self.items(level, keyword):
            value = next(filter(None, (self.text(item, name) for name in ("CodeValue", "LongCodeValue"))), "")
            value = value or self.text(item, "URNCodeValue")
            meaning = self.text(item, "CodeMeaning")
            if value or meaning:
                return Code(value, self.text(item, "CodingSchemeDesignator"), meaning)
        return None

    def reference(self, level: tree.Tree) -> tuple[str, str]:
        """The SOP Class and Instance UID in an item of a sequence of references."""
        return self.text(level, "ReferencedSOPClassUID"), self.text(level, "ReferencedSOPInstanceUID")


def opened(content: bytes | memoryview) -> tuple[tree.Tree, Elements]:
    """The data set of a DICOM file, and what reads its values. Raises UnreadableObject for what is none."""
    try:
        meta = read_file_meta(content)
        level = tree.read_tree(content, meta.transfer_syntax_uid, meta.data_offset)
    except DataSetError as error:
        raise UnreadableObject(f"it is no readable DICOM object ({error})") from error
    return level, Elements(meta.transfer_syntax_uid == EXPLICIT_BIG)


def number_in(text: str) -> float | None:
    """The number that a text is; None when it is none, or not finite."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
