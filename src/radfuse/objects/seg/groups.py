"""The functional groups of a segmentation of ours: where each frame lies, and what of (PS3.3 section C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.geometry import Grid
from radfuse.objects.common import Reference, code_sequence, decimal
from radfuse.objects.common.codes import SEGMENTATION, SOURCE_IMAGE
from radfuse.objects.common.planes import ImagePlanes

_SEGMENT_NUMBER: Final = 0x0062000B
_SEGMENT_IDENTIFICATION: Final = 0x0062000A
_IMAGE_POSITION: Final = 0x00200032
_PLANE_POSITION: Final = 0x00209113


class NewFrame(NamedTuple):
    """One frame: its segment (None in a labelmap, which has all) and its slice in the grid."""

    segment: int | None
    slice_index: int


def add_dimensions(ds: Dataset, uid: str, *, with_segments: bool) -> None:
    """The Multi-frame Dimension module (PS3.3 section C.7.6.17): by segment, then by position."""
    organization = Dataset()
    organization.DimensionOrganizationUID = uid
    ds.DimensionOrganizationSequence = Items([organization])
    pointers = [(_SEGMENT_NUMBER, _SEGMENT_IDENTIFICATION, "Segment Number")] if with_segments else []
    pointers.append((_IMAGE_POSITION, _PLANE_POSITION, "Image Position Patient"))
    ds.DimensionIndexSequence = Items()
    for attribute, group, label in pointers:
        item = Dataset()
        item.DimensionOrganizationUID = uid
        item.DimensionIndexPointer = attribute
        item.FunctionalGroupPointer = group
        item.DimensionDescriptionLabel = label
        ds.DimensionIndexSequence.append(item)


def shared_groups(grid: Grid, sources: Sequence[Reference]) -> Items:
    """Pixel measures and orientation, and ``sources`` where they are those of all frames."""
    across_mm, down_mm, through_mm = grid.spacing_mm
    measures = Dataset()
    measures.PixelSpacing = [decimal(down_mm, 10), decimal(across_mm, 10)]
    measures.SliceThickness = decimal(through_mm, 10)
    measures.SpacingBetweenSlices = decimal(through_mm, 10)
    orientation = Dataset()
    orientation.ImageOrientationPatient = [decimal(part, 12) for part in grid.directions[:, :2].T.ravel().tolist()]
    item = Dataset()
    item.PixelMeasuresSequence = Items([measures])
    item.PlaneOrientationSequence = Items([orientation])
    if sources:
        item.DerivationImageSequence = _derivation(sources)
    return Items([item])


def frame_groups(grid: Grid, frames: Sequence[NewFrame], sources: dict[int, Reference]) -> Iterator[Dataset]:
    """What each frame has of its own, in order."""
    along = {frame.slice_index: float(_position(grid, frame.slice_index) @ grid.normal) for frame in frames}
    rank = {index: place for place, index in enumerate(sorted(along, key=along.__getitem__), start=1)}
    for frame in frames:
        item = Dataset()
        content = Dataset()
        place = rank[frame.slice_index]
        content.DimensionIndexValues = [place] if frame.segment is None else [frame.segment, place]
        item.FrameContentSequence = Items([content])
        position = Dataset()
        position.ImagePositionPatient = [decimal(part, 8) for part in _position(grid, frame.slice_index).tolist()]
        item.PlanePositionSequence = Items([position])
        if sources:
            own = sources.get(frame.slice_index)
            item.DerivationImageSequence = _derivation([own] if own else [])
        if frame.segment is not None:
            segment = Dataset()
            segment.ReferencedSegmentNumber = frame.segment
            item.SegmentIdentificationSequence = Items([segment])
        yield item


def sources_of(grid: Grid, planes: Sequence[ImagePlanes]) -> dict[int, Reference]:
    """The image in whose slice each slice of the grid lies, where there is one."""
    _, rows, columns = grid.shape
    corners = np.array([[0, 0], [columns - 1, 0], [0, rows - 1]])
    found = {}
    for index in range(grid.shape[0]):
        points = grid.to_patient.apply(np.column_stack((corners, np.full(3, index))))
        for one in planes:
            reference = one.nearest(points) if one.frame_uid == grid.frame.uid else None
            if reference:
                found[index] = reference
                break
    return found


def _position(grid: Grid, index: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(grid.to_patient.apply((0, 0, index)))


def _derivation(sources: Sequence[Reference]) -> Items:
    """Derivation Image Sequence (PS3.3 section C.7.6.16.2.6); empty where the frame lies between images."""
    if not sources:
        return Items()
    item = Dataset()
    item.DerivationCodeSequence = code_sequence(SEGMENTATION)
    item.SourceImageSequence = Items(source.item(SOURCE_IMAGE) for source in sources)
    return Items([item])
