"""A structured report as a tree of content items (PS3.3 sections C.17.3 and C.18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from radfuse.objects.common import Code

CONTAINS: Final = "CONTAINS"
HAS_OBS_CONTEXT: Final = "HAS OBS CONTEXT"
HAS_ACQ_CONTEXT: Final = "HAS ACQ CONTEXT"
HAS_CONCEPT_MOD: Final = "HAS CONCEPT MOD"
HAS_PROPERTIES: Final = "HAS PROPERTIES"
INFERRED_FROM: Final = "INFERRED FROM"
SELECTED_FROM: Final = "SELECTED FROM"

RELATIONSHIPS: Final = frozenset(
    (CONTAINS, HAS_OBS_CONTEXT, HAS_ACQ_CONTEXT, HAS_CONCEPT_MOD, HAS_PROPERTIES, INFERRED_FROM, SELECTED_FROM)
)
"""Relationship Types (PS3.3 section C.17.3.2.4)."""

GRAPHIC_TYPES: Final = frozenset(("POINT", "MULTIPOINT", "POLYLINE", "POLYGON", "CIRCLE", "ELLIPSE", "ELLIPSOID"))
"""Of SCOORD and SCOORD3D (PS3.3 sections C.18.6.1.2 and C.18.9.1.2)."""

Path: TypeAlias = tuple[int, ...]
"""Referenced Content Item Identifier: the root is 1, its second child 1, 2 (PS3.3 section C.17.3.2.5)."""


@dataclass(frozen=True, slots=True)
class Text:
    """The value of TEXT, DATE, TIME, DATETIME, PNAME and UIDREF, as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Coded:
    """The value of CODE."""

    code: Code


@dataclass(frozen=True, slots=True)
class Number:
    """The value of NUM (PS3.3 section C.18.1). ``value`` is None where none was measured: ``qualifier`` may say why."""

    value: float | None
    unit: Code | None = None
    qualifier: Code | None = None
    text: str = ""
    """Numeric Value as it is written in the object; empty: ``value`` decides."""


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """The value of IMAGE, COMPOSITE and WAVEFORM (PS3.3 sections C.18.3 to C.18.5)."""

    sop_class_uid: str
    sop_instance_uid: str
    frames: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    """Of a waveform: multiplex group, channel, and so on."""
    presentation_class_uid: str = ""
    presentation_uid: str = ""
    """SOP Class and Instance UID of the presentation state to show the image with."""


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The value of SCOORD and SCOORD3D: points in pixels of an image (column, row; 1, 1 is the centre of the first
    pixel, 0.5, 0.5 its outer corner) or in mm of a frame of reference."""

    graphic: str
    points: tuple[tuple[float, ...], ...]
    frame_uid: str = ""
    """Of SCOORD3D."""


@dataclass(frozen=True, slots=True)
class Times:
    """The value of TCOORD (PS3.3 section C.18.7)."""

    kind: str
    sample_positions: tuple[int, ...] = ()
    offsets_s: tuple[float, ...] = ()
    moments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """The value of CONTAINER."""

    is_separate: bool = True
    """Whether its items stand for themselves (SEPARATE) or read as one text (CONTINUOUS)."""
    template: str = ""
    """Template Identifier (PS3.16), as 1500."""


@dataclass(frozen=True, slots=True)
class ByReference:
    """No value of its own: the item stands elsewhere in the tree (by-reference relationship)."""

    path: Path


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that was not understood, or is not there."""

    text: str = ""


Value: TypeAlias = Text | Coded | Number | ObjectReference | Coordinates | Times | Container | ByReference | Unknown


@dataclass(frozen=True, slots=True)
class Item:
    """A content item: what it is about, its value, and what stands below it."""

    relationship: str
    """To its parent; empty at the root."""
    value_type: str
    concept: Code | None
    value: Value
    children: tuple[Item, ...] = ()
    observed: str = ""
    """Observation DateTime, as written."""
    uid: str = ""
    """Observation UID."""

    def walk(self, path: Path = (1,)) -> Iterator[tuple[Path, Item]]:
        """This item and all below it, with their paths, in reading order."""
        yield path, self
        for number, child in enumerate(self.children, 1):
            yield from child.walk((*path, number))

    def at(self, path: Path) -> Item | None:
        """The item at ``path``, where this one is the root; None where there is none."""
        item = self
        if path[:1] != (1,):
            return None
        for number in path[1:]:
            if not 1 <= number <= len(item.children):
                return None
            item = item.children[number - 1]
        return item

    def all_of(self, *concepts: Code) -> Iterator[Item]:
        """Its children of one of ``concepts``, compared by code and scheme."""
        return (child for child in self.children if child.concept in concepts)

    def first_of(self, *concepts: Code) -> Item | None:
        """The first of its children of one of ``concepts``."""
        return next(self.all_of(*concepts), None)


@dataclass(frozen=True, slots=True)
class Party:
    """Who verified a report."""

    name: str
    organization: str = ""
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A structured report: its header as far as a reader needs it, and its tree."""

    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    root: Item
    header: tuple[tuple[str, str], ...] = ()
    """What stands in its header, for a person: keyword and text, only what is there. Patient data."""
    verified_by: tuple[Party, ...] = ()
    evidence: tuple[ObjectReference, ...] = ()
    """Current Requested Procedure Evidence and Pertinent Other Evidence."""
    identical_uids: tuple[str, ...] = ()
    """The same document in other studies."""
    findings: tuple[str, ...] = ()
    """What was not as the standard has it, a sentence each; without patient data."""

    def fact(self, keyword: str) -> str:
        """One value of its header; empty where it is not there."""
        return next((text for name, text in self.header if name == keyword), "")

    @property
    def title(self) -> str:
        """What it calls itself."""
        concept = self.root.concept
        return (concept.meaning or concept.value) if concept is not None else "Structured report"
