"""Answers of a search: made from rows of the index, and written as JSON for people's scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from radfuse.archive.index.headers import HeaderKey
from radfuse.archive.index.keys import INDEX_KEYS, SET_KINDS, IndexKey, KeyKind
from radfuse.archive.index.model import Answer
from radfuse.dicom import Element
from radfuse.dicom.words import keyword_of

ValuesByStudy: TypeAlias = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """One matching row and what was read beside it."""

    row: Sequence[Any]
    sets: Mapping[int, ValuesByStudy]
    """By tag and study: values of Modalities in Study and SOP Classes in Study."""
    extras: Mapping[int, Element]
    """By tag: elements from the header of an instance."""


ElementMaker: TypeAlias = Callable[[Found], Element]


def constant(element: Element) -> ElementMaker:
    """Always the same element."""
    return lambda _found: element


def from_column(key: IndexKey, column: int) -> ElementMaker:
    """The text or the count in a column of the row."""
    tag, vr = key.tag, key.vr
    empty = Element(tag, vr, (), ())

    def make(found: Found) -> Element:
        value = found.row[column]
        return empty if value is None or value == "" else Element(tag, vr, (str(value),), ())

    return make


def from_set(key: IndexKey, study_column: int) -> ElementMaker:
    """The set of values of the row's study."""
    return lambda found: Element(key.tag, key.vr, found.sets[key.tag].get(found.row[study_column], ()), ())


def from_header(key: HeaderKey) -> ElementMaker:
    """What the header of an instance had."""
    empty = key.empty()
    return lambda found: found.extras.get(key.tag, empty)


def answer_as_json(answer: Answer) -> dict[str, object]:
    """The answer by DICOM keyword: text, a number for counts, a list where several values are usual or given."""
    return _elements_as_json(answer.elements)


def _elements_as_json(elements: Sequence[Element]) -> dict[str, object]:
    return {keyword_of(element.tag): _value_as_json(element) for element in elements}


def _value_as_json(element: Element) -> object:
    if element.vr == "SQ":
        return [_elements_as_json(item.elements) for item in element.items]
    key = INDEX_KEYS.get(element.tag)
    if len(element.values) > 1 or (key is not None and key.kind in SET_KINDS):
        return list(element.values)
    if not element.values:
        return ""
    return int(element.values[0]) if key is not None and key.kind is KeyKind.COUNT else element.values[0]
