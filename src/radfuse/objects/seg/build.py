"""Masks, fractions or labels become a Segmentation or Label Map Segmentation (PS3.3 sections A.51, C.8.20.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.core.errors import FramesDiffer, InvalidObject
from radfuse.geometry import Grid, Mask
from radfuse.objects.common import (
    Item,
    Making,
    NewSeries,
    Provenance,
    add_common_instance_reference,
    add_provenance,
    code_sequence,
    new_object,
    reference_to,
)
from radfuse.objects.common.colour import lab_of
from radfuse.objects.common.planes import frames_of, planes_of
from radfuse.objects.common.provenance import SOFTWARE
from radfuse.objects.seg.groups import NewFrame, add_dimensions, frame_groups, shared_groups, sources_of
from radfuse.objects.seg.model import ALGORITHMS, LABEL_MAP_SEGMENTATION, SEGMENTATION, SegmentationKind, SegmentFacts

_LABEL: Final = re.compile(r"[A-Z0-9_ ]{1,16}\Z")
_FULL: Final = 255
"""Maximum Fractional Value: fractions are right within 1/510."""
_MOST_SEGMENTS: Final = 65535


@dataclass(frozen=True, eq=False)
class NewSegment:
    """A segment to be written: a mask, or for FRACTIONAL numbers from 0 to 1, in the shape of the grid."""

    facts: SegmentFacts
    voxels: npt.NDArray[Any]

    @classmethod
    def of(cls, facts: SegmentFacts, mask: Mask) -> NewSegment:
        """From a mask."""
        return cls(facts, mask.inside)


@dataclass(frozen=True, slots=True)
class Content:
    """What kind of segmentation is made, and how it is called."""

    label: str = "SEGMENTATION"
    """Content Label: up to 16 capitals, digits, underscores."""
    description: str = ""
    kind: SegmentationKind = SegmentationKind.BINARY
    fractions: str = "OCCUPANCY"
    """What a fraction means: OCCUPANCY (part of the voxel) or PROBABILITY."""
    series: NewSeries | None = None


def build_segmentation(
    segments: Sequence[NewSegment],
    grid: Grid,
    images: Sequence[Dataset],
    *,
    content: Content,
    provenance: Provenance,
    making: Making,
) -> Dataset:
    """The segmentation of ``segments`` on ``grid``, made from ``images``.

    ``images``: the single-frame series or the multi-frame image, pixels not needed; patient and study are
    those of the first. The grid need not be theirs, it may be oblique, but it lies in their frame of
    reference. Segments are numbered from 1 in their order. Frames without a voxel are left out. Each frame
    names the image in whose slice it lies; where none does, as in oblique grids, all images are named once.

    Raises FramesDiffer, UnreadableObject for images that name no frame of reference, and InvalidObject for
    segments that are empty, overlap in a labelmap or have another shape, for axes of the grid in the plane
    that are not at right angles, and for words that their attributes cannot hold.
    """
    _check(segments, grid, images, content)
    is_map = content.kind is SegmentationKind.LABELMAP
    ds = new_object(
        LABEL_MAP_SEGMENTATION if is_map else SEGMENTATION,
        "SEG",
        images[0],
        series=content.series or NewSeries("Segmentation"),
        making=making,
    )
    ds.FrameOfReferenceUID = grid.frame.uid
    ds.PositionReferenceIndicator = Item(images[0]).text("PositionReferenceIndicator")
    ds.ContentLabel, ds.ContentDescription = content.label, content.description[:64]
    ds.ContentCreatorName = making.operator
    _add_image_facts(ds, grid, images, content, len(segments))
    ds.SegmentSequence = Items(_segment(segment.facts, number) for number, segment in enumerate(segments, start=1))
    arrays = [_labels(segments)] if is_map else [segment.voxels for segment in segments]
    frames = [
        NewFrame(None if is_map else number, int(index))
        for number, array in enumerate(arrays, start=1)
        for index in np.flatnonzero(array.any(axis=(1, 2)))
    ]
    ds.NumberOfFrames = len(frames)
    add_dimensions(ds, making.uids(), with_segments=not is_map)
    references = [reference_to(image) for image in images]
    sources = sources_of(grid, planes_of(images))
    ds.SharedFunctionalGroupsSequence = shared_groups(grid, [] if sources else references)
    ds.PerFrameFunctionalGroupsSequence = Items(frame_groups(grid, frames, sources))
    add_common_instance_reference(ds, references)
    add_provenance(ds, provenance, making)
    _add_pixels(ds, (arrays[(frame.segment or 1) - 1][frame.slice_index] for frame in frames), content.kind)
    return ds


def _check(segments: Sequence[NewSegment], grid: Grid, images: Sequence[Dataset], content: Content) -> None:
    if grid.frame.uid not in frames_of(images):
        raise FramesDiffer("the segmentation and its images")
    faults = []
    if not 0 < len(segments) <= _MOST_SEGMENTS:
        faults.append("a segmentation needs 1 to 65535 segments")
    if not _LABEL.match(content.label) or content.fractions not in ("OCCUPANCY", "PROBABILITY"):
        faults.append("the label or the meaning of fractions is not one of the standard's words")
    across, down = grid.directions[:, 0], grid.directions[:, 1]
    if abs(float(across @ down)) > 1e-4 or max(grid.shape[1:]) > 65535:
        faults.append("the rows and columns of the grid are not at right angles, or too many")
    for number, segment in enumerate(segments, start=1):
        faults += [f"segment {number} {fault}" for fault in _faults_of(segment, grid, content.kind)]
    if faults:
        raise InvalidObject(tuple(faults))


def _faults_of(segment: NewSegment, grid: Grid, kind: SegmentationKind) -> Iterator[str]:
    facts, voxels = segment.facts, segment.voxels
    if voxels.shape != grid.shape:
        yield "has not the shape of the grid"
    elif voxels.dtype != np.bool_ and kind is not SegmentationKind.FRACTIONAL:
        yield "is no mask"
    elif voxels.dtype != np.bool_ and not (voxels.min() >= 0 and voxels.max() <= 1):
        yield "has fractions outside 0 to 1"
    elif not voxels.any():
        yield "has no voxels"
    if not 0 < len(facts.label) <= 64 or facts.algorithm not in ALGORITHMS:
        yield "has no label of 1 to 64 characters, or no algorithm type of the standard's"
    if bool(facts.tracking_id) != bool(facts.tracking_uid):
        yield "has a tracking identifier without a tracking UID, or the other way round"


def _add_image_facts(ds: Dataset, grid: Grid, images: Sequence[Dataset], content: Content, count: int) -> None:
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = grid.shape[1:]
    bits = {SegmentationKind.BINARY: 1, SegmentationKind.FRACTIONAL: 8}.get(content.kind, 8 if count < 256 else 16)
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit = bits - 1
    ds.PixelRepresentation = 0
    ds.SegmentationType = content.kind.value
    if content.kind is SegmentationKind.FRACTIONAL:
        ds.SegmentationFractionalType = content.fractions
        ds.MaximumFractionalValue = _FULL
    elif content.kind is SegmentationKind.LABELMAP:
        ds.PixelPaddingValue = 0
        ds.SegmentsOverlap = "NO"
    _add_loss(ds, images[0])


def _add_loss(ds: Dataset, image: Dataset) -> None:
    """What is derived from images compressed with loss says so (PS3.3 section C.7.6.1.1.5)."""
    item = Item(image)
    ratios, methods = item.numbers("LossyImageCompressionRatio"), item.texts("LossyImageCompressionMethod")
    lossy = item.text("LossyImageCompression") == "01" and ratios and methods
    ds.LossyImageCompression = "01" if lossy else "00"
    if lossy:
        ds.LossyImageCompressionRatio = [f"{ratio:.6g}" for ratio in ratios]
        ds.LossyImageCompressionMethod = methods


def _segment(facts: SegmentFacts, number: int) -> Dataset:
    item = Dataset()
    item.SegmentNumber = number
    item.SegmentLabel = facts.label
    if facts.description:
        item.SegmentDescription = facts.description[:1024]
    item.SegmentAlgorithmType = facts.algorithm
    if facts.algorithm != "MANUAL":
        item.SegmentAlgorithmName = (facts.algorithm_name or SOFTWARE)[:64]
    item.SegmentedPropertyCategoryCodeSequence = code_sequence(facts.category)
    item.SegmentedPropertyTypeCodeSequence = code_sequence(facts.kind)
    if facts.region:
        item.AnatomicRegionSequence = code_sequence(facts.region)
    if facts.colour is not None:
        item.RecommendedDisplayCIELabValue = lab_of(facts.colour)
    if facts.tracking_uid:
        item.TrackingID, item.TrackingUID = facts.tracking_id, facts.tracking_uid
    return item


def _labels(segments: Sequence[NewSegment]) -> npt.NDArray[Any]:
    labels = np.zeros(segments[0].voxels.shape, dtype=np.uint8 if len(segments) < 256 else np.uint16)
    for number, segment in enumerate(segments, start=1):
        if labels[segment.voxels].any():
            raise InvalidObject(("segments overlap, which a labelmap cannot hold: write a binary segmentation",))
        labels[segment.voxels] = number
    return labels


def _add_pixels(ds: Dataset, frames: Iterator[npt.NDArray[Any]], kind: SegmentationKind) -> None:
    """Pixel Data; bits run on from frame to frame without a gap (PS3.5 section 8.1.1)."""
    pixels = bytearray()
    if kind is SegmentationKind.BINARY:
        waiting: list[npt.NDArray[np.bool_]] = []
        for frame in frames:
            waiting.append(frame.reshape(-1))
            if len(waiting) == 8:  # eight frames fill whole bytes, however many pixels they have
                pixels += np.packbits(np.concatenate(waiting), bitorder="little").tobytes()
                waiting = []
        if waiting:
            pixels += np.packbits(np.concatenate(waiting), bitorder="little").tobytes()
    else:
        for frame in frames:
            fractional = kind is SegmentationKind.FRACTIONAL
            whole = np.rint(frame * float(_FULL)).astype(np.uint8) if fractional else frame
            pixels += whole.astype(whole.dtype.newbyteorder("<")).tobytes()
    pixels += b"\0" * (len(pixels) % 2)
    ds.add_new("PixelData", "OW" if ds.BitsAllocated == 16 else "OB", bytes(pixels))
