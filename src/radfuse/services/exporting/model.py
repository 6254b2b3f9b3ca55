"""What can be exported from the workstation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from radfuse.fusion import Window
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing import Look, Outlined, Place
from radfuse.services.workspace_objects.model import SavedBookmark, SavedLine, SavedRegion


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture of one series, or of two that belong together."""

    base: SeriesView
    place: Place
    window: Window
    look: Look
    over: tuple[SeriesView, Window] | None = None
    regions: tuple[Outlined, ...] = ()
    annotate: bool = False
    """With the patient's name, what is shown, and the patient's sides written on it: it is burned in then."""


@dataclass(frozen=True, slots=True)
class Images:
    """The stored images of a series, as they are."""

    series: str


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A picture as it is seen."""

    shot: Shot


@dataclass(frozen=True, eq=False)
class Cine:
    """Pictures one after the other: all of one size."""

    shots: tuple[Shot, ...]
    frame_time_ms: float = 100.0


@dataclass(frozen=True, eq=False)
class Rotating:
    """A volume seen from all sides, alone in gray values or in the colours of two series."""

    base: SeriesView
    window: Window
    frames: int = 36
    over: tuple[SeriesView, Window] | None = None
    blend: float = 0.5
    frame_time_ms: float = 100.0


@dataclass(frozen=True, slots=True)
class Resampled:
    """A series as new images in the frame of reference of another one, or of itself.

    ``grid``: on the voxels of the base, or on its own ones where these can be carried there.
    """

    view: SeriesView
    onto: str = ""
    grid: Literal["base", "own"] = "base"


@dataclass(frozen=True, slots=True)
class OfArchive:
    """One stored object, as a registration."""

    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class Regions:
    """Regions of the draft, by their ids."""

    ids: tuple[str, ...]
    form: Literal["SEG", "RTSTRUCT"] = "SEG"


@dataclass(frozen=True, slots=True)
class Measured:
    """The numbers of regions and lines of the draft, by their ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Paper:
    """A report for people: a text, the numbers of regions and lines, pictures, and why they are aligned."""

    title: str
    text: str = ""
    ids: tuple[str, ...] = ()
    shots: tuple[tuple[str, Shot], ...] = ()
    """With their captions."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A bookmark of the draft, by its id; ``annotate`` as of a ``Shot``."""

    id: str
    annotate: bool = False


Item: TypeAlias = Images | Snapshot | Cine | Rotating | Resampled | OfArchive | Regions | Measured | Paper | Marked


@dataclass(frozen=True, eq=False)
class Draft:
    """What of a workspace is exported."""

    base: SeriesView | None = None
    overlay: SeriesView | None = None
    views: tuple[SeriesView, ...] = ()
    """All series that are open, the base first."""
    regions: Mapping[str, SavedRegion] = field(default_factory=lambda: MappingProxyType({}))
    lines: Mapping[str, SavedLine] = field(default_factory=lambda: MappingProxyType({}))
    bookmarks: Mapping[str, SavedBookmark] = field(default_factory=lambda: MappingProxyType({}))

    def view_of(self, series: str) -> SeriesView:
        """How a series is read."""
        return next((view for view in self.views if view.series == series), SeriesView(series))


@dataclass(frozen=True, eq=False)
class ExportAsk:
    """What is exported."""

    items: tuple[Item, ...]
    draft: Draft = field(default_factory=Draft)
