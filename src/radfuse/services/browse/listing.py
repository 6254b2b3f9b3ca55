"""The list of studies: searched by words, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from radfuse.archive import Archive
from radfuse.archive.queries import StudyListing, StudyOrder, StudyRow, list_studies
from radfuse.services.browse.cursors import cursor_of, values_of, wrong_cursor
from radfuse.services.browse.words import Word, understand

MAX_SEARCH_CHARACTERS: Final = 500
MAX_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class StudySearch:
    """What to list: the words of one search field, the order, where the page begins."""

    text: str = ""
    order: StudyOrder = StudyOrder.DATE
    is_descending: bool = True
    cursor: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FoundStudies:
    """A page, the cursor of the next one ("" at the end), and how the words were understood."""

    studies: Sequence[StudyRow]
    next: str
    words: Sequence[Word]


def search_studies(archive: Archive, search: StudySearch, today: date | None = None) -> FoundStudies:
    """The studies that every word fits, as they are kept now. Raises ConfigurationError for a cursor that is none.

    Pages do not overlap: what comes or goes meanwhile is seen or not, and moves nothing else.
    """
    words = understand(search.text[:MAX_SEARCH_CHARACTERS], today or date.today())
    listing = StudyListing(
        tuple(term for word in words for term in word.terms),
        search.order,
        search.is_descending,
        _place_of(search),
        search.limit + 1,
    )
    with archive.reading() as connection:
        found = list_studies(connection, listing)
    page = found[: search.limit]
    has_more = len(found) > search.limit
    return FoundStudies(page, _cursor(search, page[-1].place) if has_more else "", words)


def _cursor(search: StudySearch, place: Sequence[str | int]) -> str:
    return cursor_of([search.order.value, search.is_descending, *place])


def _place_of(search: StudySearch) -> tuple[str | int, ...]:
    """The place that the cursor says; it must be one of the same order."""
    if not search.cursor:
        return ()
    order, is_descending, *place = values_of(search.cursor, (str, bool, *_KINDS[search.order]))
    if (order, is_descending) != (search.order.value, search.is_descending):
        raise wrong_cursor()
    return tuple(place)


_KINDS: Final[dict[StudyOrder, list[type]]] = {
    StudyOrder.DATE: [str, int],
    StudyOrder.NAME: [str, int, int],
    StudyOrder.ARRIVAL: [int],
}
