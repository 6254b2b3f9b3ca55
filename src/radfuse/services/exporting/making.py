"""The objects of an export: made in the order of the items, and the stored ones that go with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import ImagingError
from radfuse.objects.common import Making, NewSeries
from radfuse.services.exporting.drawn import Drawings
from radfuse.services.exporting.model import (
    Cine,
    ExportAsk,
    Images,
    Item,
    Marked,
    Measured,
    OfArchive,
    Paper,
    Regions,
    Resampled,
    Rotating,
    Snapshot,
)
from radfuse.services.exporting.paper import paper_report
from radfuse.services.exporting.pictures import cine, rotating, snapshot
from radfuse.services.exporting.volumes import resampled
from radfuse.services.stored_objects import object_of
from radfuse.services.volumes import objects_of_series
from radfuse.services.workspace_objects.captures import bookmark_picture
from radfuse.services.workspace_objects.images import Images as Headers
from radfuse.services.workspace_objects.states import bookmark_state

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Progress: TypeAlias = Callable[[float, str], None]
"""Told the share that is done, 0 to 1, and with what; what it raises ends the work."""


@dataclass(eq=False)
class Exported:
    """Everything of an export."""

    made: list[Dataset] = field(default_factory=list)
    stored: list[StoredObject] = field(default_factory=list)
    """Objects of the archive that were chosen as they are."""
    notes: list[str] = field(default_factory=list)
    """What could not be made, and why: only of what goes beside something else."""


def make_export(archive: Archive, ask: ExportAsk, making: Making, progress: Progress) -> Exported:
    """Make all objects; none is kept.

    Raises UnknownEntity, NotOverlaid, InvalidObject, InvalidRegion, and what opening series raises.
    """
    headers = Headers(archive)
    work = _Work(archive, ask, making, headers, Drawings(headers, ask.draft, making))
    for number, item in enumerate(ask.items):
        share = number / len(ask.items)
        progress(share, title_of(item))
        work.tell = lambda part, share=share, item=item: progress(  # type: ignore[misc]
            share + part / len(ask.items), title_of(item)
        )
        work.add(item, number + 1)
    return work.found


def title_of(item: Item) -> str:
    """What an item is, for a person."""
    return _TITLES[type(item)]


_TITLES = {
    Images: "stored images",
    Snapshot: "picture",
    Cine: "cine",
    Rotating: "rotating projection",
    Resampled: "volume",
    OfArchive: "stored object",
    Regions: "regions",
    Measured: "measurements",
    Paper: "report",
    Marked: "bookmark",
}


@dataclass(eq=False)
class _Work:
    archive: Archive
    ask: ExportAsk
    making: Making
    headers: Headers
    drawings: Drawings
    found: Exported = field(default_factory=Exported)
    tell: Callable[[float], None] = lambda _part: None

    def add(self, item: Item, number: int) -> None:
        """The objects of one item."""
        match item:
            case Images(series):
                self.found.stored += objects_of_series(self.archive, series)
            case OfArchive(uid):
                self.found.stored.append(object_of(self.archive, uid))
            case Regions(ids, "SEG"):
                self.found.made += self.drawings.segmentations(ids)
            case Regions(ids):
                self.found.made += self.drawings.structure_sets(ids)
            case Measured(ids):
                self.found.made += self.drawings.reports(ids)
            case Resampled():
                self.found.made += resampled(self.headers, item, self.making)
            case Marked():
                self._add_bookmark(item, number)
            case _:
                self.found.made.append(self._picture(item))

    def _picture(self, item: Snapshot | Cine | Rotating | Paper) -> Dataset:
        series = NewSeries(title_of(item).capitalize())
        match item:
            case Snapshot():
                return snapshot(self.headers, item, series, self.making)
            case Cine():
                return cine(self.headers, item, series, self.making, self.tell)
            case Rotating():
                return rotating(self.headers, item, series, self.making)
            case Paper():
                return paper_report(self.drawings, item, self.making)

    def _add_bookmark(self, item: Marked, number: int) -> None:
        """Its picture; and the view as a presentation state where there can be one."""
        bookmark = self.ask.draft.bookmarks[item.id]
        title = bookmark.name.strip()[:64] or "Bookmark"
        place, making = NewSeries(title), self.making
        made = bookmark_picture(self.headers, bookmark, number, series=place, making=making, annotate=item.annotate)
        self.found.made.append(made)
        try:
            state = bookmark_state(self.headers, bookmark, number, series=NewSeries(title), making=making)
        except ImagingError as error:
            self.found.notes.append(f"no presentation state of a bookmark: {error}")
        else:
            self.found.made.append(state)
