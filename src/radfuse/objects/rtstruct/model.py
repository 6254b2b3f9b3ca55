"""What an RT Structure Set says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry import Points, Structure
from radfuse.objects.common import Code, Reference
from radfuse.volume import Finding

RT_STRUCTURE_SET: Final = "1.2.840.10008.5.1.4.1.1.481.3"

CLOSED: Final = "CLOSED_PLANAR"
CLOSED_XOR: Final = "CLOSEDPLANAR_XOR"
OTHER_KINDS: Final = ("POINT", "OPEN_PLANAR", "OPEN_NONPLANAR")
"""Contour Geometric Types that enclose nothing (PS3.3 section C.8.8.6.1)."""


@dataclass(frozen=True, eq=False)
class OtherContour:
    """A point or an open line: kept as it is, it has no inside. Raises InvalidGeometry."""

    kind: str
    points_mm: Points
    image_uid: str = ""

    def __post_init__(self) -> None:
        """Check the kind and the points."""
        if self.kind not in OTHER_KINDS or self.points_mm.ndim != 2 or self.points_mm.shape[1] != 3:
            raise InvalidGeometry("a point or open contour needs its kind and n x 3 numbers")


@dataclass(frozen=True, eq=False)
class Roi:
    """A region of a structure set: its closed contours as a Structure, and what else is said of it."""

    structure: Structure
    others: tuple[OtherContour, ...] = ()
    algorithm: str = ""
    """ROI Generation Algorithm: AUTOMATIC, SEMIAUTOMATIC, MANUAL, or empty."""
    description: str = ""
    exclusive_or: bool = False
    """Whether its contours are said to combine by exclusive or (CLOSEDPLANAR_XOR); else holes are keyholes."""
    code: Code | None = None
    """RT ROI Identification Code: which organ or lesion it is."""


@dataclass(frozen=True, eq=False)
class StructureSet:
    """The regions of one object, in its order, and what is wrong with it, as findings."""

    label: str
    name: str
    sop_instance_uid: str
    rois: tuple[Roi, ...]
    references: tuple[Reference, ...]
    """The images it was drawn on, as it names them; they need not be there."""
    findings: tuple[Finding, ...] = ()
    approval: str = ""

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The regions alone."""
        return tuple(roi.structure for roi in self.rois)
