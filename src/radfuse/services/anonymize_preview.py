"""What would become of one object, element by element: before and after, for the eyes of whoever may see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from radfuse.deid import Anonymized
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Node, Tree, read_tree
from radfuse.dicom.words import decode_values, keyword_of
from radfuse.services.anonymize import Recipe, Treatment

_TEXT_VRS: Final = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
)
_LONGEST: Final = 200
_DEEPEST: Final = 6


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One element."""

    path: str
    """Where it stands: keywords, and the number of the item, from 1."""
    tag: str
    before: str
    after: str
    became: str
    """"kept", "removed", "emptied", "replaced" or "added"."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One object before and after; holds the patient's data."""

    rows: tuple[PreviewRow, ...]
    warnings: tuple[str, ...]


def preview(content: bytes | memoryview, recipe: Recipe) -> Preview:
    """What would become of an object. Raises NotPart10, MalformedDataSet or CannotAnonymize."""
    meta = read_file_meta(content)
    before = read_tree(content, meta.transfer_syntax_uid, meta.data_offset)
    done: Anonymized = Treatment(recipe).treat(content)
    return Preview(tuple(_rows(before, done.tree, "", 0)), tuple(done.warnings))


def _rows(before: Tree, after: Tree, path: str, depth: int) -> Iterator[PreviewRow]:
    for tag in sorted(before.nodes.keys() | after.nodes.keys()):
        old, new = before.get(tag), after.get(tag)
        here = path + (keyword_of(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})")
        if old is not None and new is not None and old.items is not None and depth < _DEEPEST:
            for number, item in enumerate(old.items, 1):
                twin = new.items[number - 1] if new.items and number <= len(new.items) else Tree()
                yield from _rows(item, twin, f"{here}[{number}].", depth + 1)
            continue
        was, is_now = _text(old, before), _text(new, after)
        yield PreviewRow(here, f"{tag >> 16:04X},{tag & 0xFFFF:04X}", was, is_now, _became(old, new, was, is_now))


def _became(old: Node | None, new: Node | None, was: str, is_now: str) -> str:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    if was == is_now and old.value == new.value:
        return "kept"
    return "replaced" if is_now else "emptied"


def _text(node: Node | None, tree: Tree) -> str:
    if node is None:
        return ""
    if node.items is not None:
        return f"<{len(node.items)} items>" if node.items else ""
    if node.fragments is not None:
        return f"<{sum(map(len, node.fragments)):,} bytes>"
    if node.vr in _TEXT_VRS:
        text = "\\".join(decode_values(bytes(node.value), tree.character_sets, node.vr))
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"<{len(node.value):,} bytes>" if len(node.value) > 8 else bytes(node.value).hex(" ")
