"""The series in a document of the workstation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from radfuse.services.series_views import SeriesView
from radfuse.services.sessions.model import Document
from radfuse.volume import Repair, Unit

_SLOTS: Final = ("base", "overlay", "prior")


def all_views(document: Document) -> Iterator[Mapping[str, Any]]:
    """What is open, the base first."""
    for slot in _SLOTS:
        if document.get(slot):
            yield document[slot]
    yield from document.get("others", ())


def view_in(document: Document, series: str) -> SeriesView:
    """How a series is read in a document; as usual where it is not open."""
    for view in all_views(document):
        if view["series"] == series:
            return SeriesView(
                series,
                Unit(view["unit"]) if view.get("unit") else None,
                view.get("stack") or None,
                frozenset(map(Repair, view.get("repairs", ()))),
                frozenset(view.get("only", ())),
                bool(view.get("allow_failed")),
                bool(view.get("allow_other_patient")),
                allow_other_side=bool(view.get("allow_other_side")),
            )
    return SeriesView(series)
