"""What is saved of the workstation, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from radfuse.services.drawing import Drawn, Numbers
from radfuse.services.series_views import SeriesView
from radfuse.services.workspace_objects import SavedBookmark, SavedLine, SavedRegion, Scene, SegmentOfRegion

Document: TypeAlias = Mapping[str, Any]
"""The state of the workstation as JSON, without the voxels of regions: kept and given back as it is."""


class Role(StrEnum):
    """What an object is in a session."""

    SEGMENTATION = "segmentation"
    REPORT = "report"
    FUSED = "fused view"
    VIEW = "view"
    PICTURE = "picture"
    REGISTRATION = "registration"
    KEY_OBJECT = "key object"
    """Of a selection that another system made."""


@dataclass(frozen=True, eq=False)
class NewSession:
    """What is to be saved."""

    study: str
    name: str
    note: str
    by: str
    """Who saves it: the name of a user."""
    workspace: str
    """The draft it is made of: saved again, it is the next version of the same session."""
    document: Document
    scene: Scene
    others: tuple[SeriesView, ...] = ()
    """Further series that are open: the prior, and what was added."""
    regions: tuple[SavedRegion, ...] = ()
    lines: tuple[SavedLine, ...] = ()
    bookmarks: tuple[SavedBookmark, ...] = ()
    opened_from: str = ""
    """SOP Instance UID of the session that the draft was opened from."""

    @property
    def views(self) -> tuple[SeriesView, ...]:
        """All series that are open, the base first, each once."""
        found: dict[str, SeriesView] = {}
        for view in (self.scene.base, self.scene.overlay, *self.others):
            if view is not None:
                found.setdefault(view.series, view)
        return tuple(found.values())

    def view_of(self, series: str) -> SeriesView:
        """How a series is read."""
        return next((view for view in self.views if view.series == series), SeriesView(series))


@dataclass(frozen=True, slots=True)
class Part:
    """An object of a session."""

    role: Role
    label: str
    sop_class_uid: str
    sop_instance_uid: str
    digest: str = ""
    """Of what it says: another one means that somebody changed it. "" where nobody looks."""


@dataclass(frozen=True, slots=True)
class SavedSession:
    """What became of it."""

    sop_instance_uid: str
    """Of the Key Object Selection."""
    version: int
    parts: tuple[Part, ...]
    """Those that were made; the selection itself last."""
    registrations: tuple[str, ...] = ()
    """SOP Instance UIDs of those that it uses."""
    notes: tuple[str, ...] = ()
    """What could not become an object, and why."""


@dataclass(frozen=True, eq=False)
class KeptSession:
    """A session as it is read from its Key Object Selection."""

    sop_instance_uid: str
    study: str
    name: str
    note: str
    by: str
    made: str
    """Date and time as digits."""
    version: int
    predecessor: str
    """SOP Instance UID of the version before; "" for the first."""
    is_ours: bool
    """Whether it says how it was looked at: selections of other systems do not."""
    references: tuple[Part, ...]
    """All that it names, images too."""
    parts: tuple[Part, ...] = ()
    """Those that were made with it, and the registrations that it used."""
    workspace: str = ""
    segments: Mapping[str, SegmentOfRegion] = field(default_factory=lambda: MappingProxyType({}))
    """By the id of the region."""
    document: Document = field(default_factory=lambda: MappingProxyType({}))
    identical: tuple[str, ...] = ()
    """The same in other studies."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session, for a list."""

    session: KeptSession
    missing: int
    """How many of its objects are not here."""


@dataclass(frozen=True, eq=False)
class RestoredRegion:
    """A region as it is in its segmentation now."""

    drawn: Drawn
    numbers: tuple[Numbers, ...] | None = None
    """Computed anew, where those that were saved are not those of these voxels; None: they are."""


@dataclass(frozen=True, eq=False)
class NewRegion:
    """A region that only its segmentation tells of."""

    name: str
    colour: tuple[int, int, int]
    series: str
    source: str
    """SOP Instance UID of the segmentation."""
    number: int
    """Of the segment."""
    restored: RestoredRegion


@dataclass(frozen=True, eq=False)
class Restored:
    """A session as it can be gone on with."""

    session: KeptSession
    regions: Mapping[str, RestoredRegion] = field(default_factory=lambda: MappingProxyType({}))
    """By the ids in the document; those that are gone are not in it."""
    gone: tuple[str, ...] = ()
    """Series that are not in the archive."""
    series: tuple[str, ...] = ()
    """Of a selection that another system made: the series to open, the first is the base."""
    found: tuple[NewRegion, ...] = ()
    """Regions that the document does not know: the selection names their segmentation."""
    findings: tuple[str, ...] = ()
