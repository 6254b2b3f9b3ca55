"""What a segmentation says of its segments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from radfuse.objects.common import Code

SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP_SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.7"

ALGORITHMS: Final = ("AUTOMATIC", "SEMIAUTOMATIC", "MANUAL")
"""Segment Algorithm Type (PS3.3 section C.8.20.2)."""


class SegmentationKind(StrEnum):
    """Segmentation Type (PS3.3 section C.8.20.2)."""

    BINARY = "BINARY"
    """One bit a voxel and segment: segments may overlap."""
    FRACTIONAL = "FRACTIONAL"
    """One byte a voxel and segment: how much of the voxel belongs to it, or how likely."""
    LABELMAP = "LABELMAP"
    """The number of the segment in each voxel: segments cannot overlap."""


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """An item of Segment Sequence (PS3.3 table C.8.20-4)."""

    label: str
    category: Code
    """Segmented Property Category, of CID 7150."""
    kind: Code
    """Segmented Property Type: what it is, of the context group that fits the category."""
    algorithm: str = "SEMIAUTOMATIC"
    algorithm_name: str = ""
    description: str = ""
    colour: tuple[int, int, int] | None = None
    """Red, green, blue, 0 to 255; None when not said."""
    region: Code | None = None
    """Anatomic Region."""
    tracking_id: str = ""
    tracking_uid: str = ""
    number: int = 0
    """Segment Number of a segment that was read; new ones are numbered from 1."""
