"""Matching of keys that the index does not hold, on the header of one instance (PS3.4 section C.2.2.2).

A study's or a patient's header attributes are those of its first stored instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from radfuse.archive.index.matching import Criteria, NameCriteria, comparable, criteria, name_criteria
from radfuse.archive.index.model import QueryKey
from radfuse.core.errors import InvalidQuery
from radfuse.dicom import Element, Identifier
from radfuse.dicom.words import fold_groups

_MAX_NESTING: Final = 8


class HeaderKey:
    """A key compiled once for many headers. Raises InvalidQuery for values that its VR does not allow."""

    __slots__ = ("_criteria", "_names", "_nested", "tag", "vr")

    def __init__(self, key: QueryKey, depth: int = 0) -> None:
        """Compile ``key``, and the keys inside its item when it is a sequence."""
        self.tag = key.tag
        self.vr = key.vr
        self._criteria: Criteria | None = None
        self._names: tuple[NameCriteria, ...] = ()
        self._nested: tuple[HeaderKey, ...] = ()
        if key.vr == "SQ":
            self._nested = _nested_keys(key.items, depth)
        elif key.vr == "PN":
            self._names = name_criteria(key.values)
        else:
            self._criteria = criteria(key.vr, key.values)

    @property
    def matches_all(self) -> bool:
        """Whether any value, or none, fits: universal matching."""
        return self._criteria is None and not self._names and all(key.matches_all for key in self._nested)

    def answer(self, header: Sequence[Element]) -> Element | None:
        """What ``header`` has for this key, zero-length when it has nothing; None when it does not match.

        Of a sequence, the items that match with the attributes that were asked for
        (PS3.4 section C.2.2.2.6), or whole when the key has no item.
        """
        found = next((element for element in header if element.tag == self.tag), None)
        if found is None:
            return self.empty() if self.matches_all else None
        if self._nested:
            return self._matching_items(found)
        return found if self.matches_all or self._fits(found) else None

    def empty(self) -> Element:
        """The zero-length element of an unknown value."""
        return Element(self.tag, self.vr, (), ())

    def _fits(self, found: Element) -> bool:
        if self._names:
            groups = [fold_groups(value) for value in found.values]
            return any(wanted.matches(value) for wanted in self._names for value in groups)
        wanted = self._criteria
        return wanted is not None and any(wanted.matches(comparable(self.vr, value)) for value in found.values)

    def _matching_items(self, found: Element) -> Element | None:
        items = []
        for item in found.items:
            answers = [key.answer(item.elements) for key in self._nested]
            kept = tuple(answer for answer in answers if answer is not None)
            if len(kept) == len(answers):
                items.append(Identifier(kept))
        if not items and not self.matches_all:
            return None
        return Element(self.tag, self.vr, (), tuple(items))


def _nested_keys(items: Sequence[Identifier], depth: int) -> tuple[HeaderKey, ...]:
    if len(items) > 1:
        raise InvalidQuery("a sequence key has more than one item")
    if depth >= _MAX_NESTING:
        raise InvalidQuery(f"sequence keys are nested deeper than {_MAX_NESTING} levels")
    elements = items[0].elements if items else ()
    return tuple(
        HeaderKey(QueryKey(element.tag, element.vr, element.values, element.items), depth + 1) for element in elements
    )
