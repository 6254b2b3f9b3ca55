"""A Segmentation becomes masks on a grid (PS3.3 sections A.51, C.8.20.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidRegion, UnreadableObject
from radfuse.geometry import FrameOfReference, Grid, Mask
from radfuse.objects.common import Code, Item, Reference
from radfuse.objects.common.colour import rgb_of
from radfuse.objects.seg.model import LABEL_MAP_SEGMENTATION, SEGMENTATION, SegmentationKind, SegmentFacts
from radfuse.objects.seg.placing import geometry_of, given_slices, own_grid
from radfuse.objects.seg.stored import StoredFrames, stored_frames
from radfuse.volume import Finding, FindingKind

_MOST_FRAMES = 1_000_000
_UNKNOWN = Code("", "", "")


class ReadFrame(NamedTuple):
    """One frame: its segment (None in a labelmap), its slice in the grid, and the images it was made from."""

    segment: int | None
    slice_index: int
    sources: tuple[Reference, ...]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a segmentation says. Voxels are unpacked when they are asked for."""

    kind: SegmentationKind
    label: str
    sop_instance_uid: str
    grid: Grid
    segments: tuple[SegmentFacts, ...]
    frames: tuple[ReadFrame, ...]
    references: tuple[Reference, ...] = ()
    """The images it was made from, as the object or its frames name them, each once."""
    fractions_mean: str = ""
    """OCCUPANCY or PROBABILITY; empty where there are no fractions."""
    findings: tuple[Finding, ...] = ()
    pixels: StoredFrames = field(repr=False, kw_only=True)
    full: int = field(default=1, kw_only=True)
    """The stored value of a voxel that belongs to its segment wholly."""

    def mask(self, number: int, at_least: float = 0.5) -> Mask:
        """The voxels of a segment; of fractions, those of ``at_least``. Raises InvalidRegion for another number."""
        inside = np.zeros(self.grid.shape, dtype=np.bool_)
        stored = at_least * self.full
        for frame, values in self._of(number):
            if self.kind is SegmentationKind.LABELMAP:
                inside[frame.slice_index] |= values == number
            else:
                inside[frame.slice_index] |= (values >= stored) & (values > 0)
        return Mask(self.grid, inside)

    def fractions(self, number: int) -> npt.NDArray[np.float32]:
        """How much of each voxel belongs to a segment, 0 to 1. Raises InvalidRegion for another number."""
        if self.kind is not SegmentationKind.FRACTIONAL:
            return self.mask(number).inside.astype(np.float32)
        part = np.zeros(self.grid.shape, dtype=np.float32)
        for frame, values in self._of(number):
            np.maximum(part[frame.slice_index], values / np.float32(self.full), out=part[frame.slice_index])
        return part

    def _of(self, number: int) -> list[tuple[ReadFrame, npt.NDArray[np.uint8] | npt.NDArray[np.uint16]]]:
        if number not in {facts.number for facts in self.segments}:
            raise InvalidRegion("the segmentation has no segment of that number")
        wanted = (None, number)
        return [(one, self.pixels.frame(at)) for at, one in enumerate(self.frames) if one.segment in wanted]


def read_segmentation(ds: Dataset, grid: Grid | None = None) -> Segmentation:
    """The segments of a Segmentation or Label Map Segmentation, on the grid that its frames say.

    ``grid``: that of the volume it belongs to, if known. Its frames must then be slices of it, and the
    masks get all of its slices.

    Raises UnreadableObject for another SOP class, frames without a place in a patient, planes at uneven
    distances, other voxels than those of ``grid``, and pixel data that are damaged or still compressed.
    """
    top = Item(ds)
    if top.text("SOPClassUID") not in (SEGMENTATION, LABEL_MAP_SEGMENTATION):
        raise UnreadableObject("it is no segmentation")
    kind = _kind(top)
    items = top.items("PerFrameFunctionalGroupsSequence")
    shared = top.first("SharedFunctionalGroupsSequence")
    count = top.whole("NumberOfFrames") or 0
    if not items:
        raise UnreadableObject("its frames have no place in a patient (segments of a slide, or of a projection)")
    if not 0 < count <= _MOST_FRAMES or len(items) != count:
        raise UnreadableObject("the number of its frames is not that of their descriptions")
    pixels = stored_frames(ds, count)
    geometry = geometry_of(shared, items)
    size = (pixels.rows, pixels.columns)
    findings: list[Finding] = []
    if grid is None:
        frame = FrameOfReference(top.text("FrameOfReferenceUID"))
        grid, slices, findings = own_grid(geometry, size, frame)
    else:
        grid.frame.require_same(FrameOfReference(top.text("FrameOfReferenceUID")), "the segmentation and the volume")
        slices = given_slices(geometry, grid, size)
    frames = [_frame(item, shared, place, kind) for item, place in zip(items, slices, strict=True)]
    segments, remarks = _segments(top, frames, kind)
    fractional = kind is SegmentationKind.FRACTIONAL
    return Segmentation(
        kind=kind,
        label=top.text("ContentLabel"),
        sop_instance_uid=top.text("SOPInstanceUID"),
        grid=grid,
        segments=tuple(segments),
        frames=tuple(frames),
        references=_references(top, frames),
        fractions_mean=top.text("SegmentationFractionalType") if fractional else "",
        findings=(*findings, *remarks),
        pixels=pixels,
        full=(top.whole("MaximumFractionalValue") or 255) if fractional else 1,
    )


def _kind(top: Item) -> SegmentationKind:
    try:
        kind = SegmentationKind(top.text("SegmentationType"))
    except ValueError:
        raise UnreadableObject("its Segmentation Type is none of the standard's") from None
    bits = top.whole("BitsAllocated")
    if (bits == 1) != (kind is SegmentationKind.BINARY):
        raise UnreadableObject("its Segmentation Type does not fit the bits of its pixels")
    return kind


def _frame(item: Item, shared: Item | None, place: int, kind: SegmentationKind) -> ReadFrame:
    sources = []
    segment = None
    for group in (item, shared) if shared else (item,):
        identification = group.first("SegmentIdentificationSequence")
        if identification and segment is None and kind is not SegmentationKind.LABELMAP:
            segment = identification.whole("ReferencedSegmentNumber")
        for derivation in group.items("DerivationImageSequence"):
            sources += [_reference(source) for source in derivation.items("SourceImageSequence")]
    if segment is None and kind is not SegmentationKind.LABELMAP:
        segment = 0  # of no segment
    return ReadFrame(segment, place, tuple(sources))


def _reference(item: Item) -> Reference:
    return Reference(
        item.text("ReferencedSOPClassUID"),
        item.text("ReferencedSOPInstanceUID"),
        frames=tuple(int(number) for number in item.numbers("ReferencedFrameNumber")),
    )


def _references(top: Item, frames: Sequence[ReadFrame]) -> tuple[Reference, ...]:
    found: dict[str, Reference] = {}
    for series in top.items("ReferencedSeriesSequence"):
        for item in series.items("ReferencedInstanceSequence"):
            one = replace(_reference(item), series_uid=series.text("SeriesInstanceUID"))
            found.setdefault(one.sop_instance_uid, one)
    for one in (_reference(item) for item in top.items("SourceImageSequence")):
        found.setdefault(one.sop_instance_uid, replace(one, frames=()))
    for frame in frames:
        for source in frame.sources:
            found.setdefault(source.sop_instance_uid, replace(source, frames=()))
    return tuple(found.values())


def _segments(
    top: Item, frames: Sequence[ReadFrame], kind: SegmentationKind
) -> tuple[list[SegmentFacts], list[Finding]]:
    found = [_facts(item, place) for place, item in enumerate(top.items("SegmentSequence"), start=1)]
    numbers = Counter(facts.number for facts in found)
    if not found or max(numbers.values()) > 1:
        raise UnreadableObject("it describes no segments, or two with one number")
    sentences = []
    if kind is not SegmentationKind.LABELMAP:
        used = Counter((frame.segment, frame.slice_index) for frame in frames)
        if lost := {frame.segment for frame in frames} - set(numbers):
            sentences.append(f"frames belong to {len(lost)} segments that are not described, and were left out")
        if empty := set(numbers) - {frame.segment for frame in frames}:
            sentences.append(f"{len(empty)} of {len(numbers)} segments have no frames: they are empty")
        if max(used.values()) > 1:
            sentences.append("several frames of a segment lie in one plane: their voxels were joined")
    return found, [Finding(FindingKind.HEADER, sentence) for sentence in sentences]


def _facts(item: Item, place: int) -> SegmentFacts:
    number = item.whole("SegmentNumber")
    lab = [int(value) for value in item.numbers("RecommendedDisplayCIELabValue")]
    return SegmentFacts(
        label=item.text("SegmentLabel") or f"segment {place}",
        category=item.code("SegmentedPropertyCategoryCodeSequence") or _UNKNOWN,
        kind=item.code("SegmentedPropertyTypeCodeSequence") or _UNKNOWN,
        algorithm=item.text("SegmentAlgorithmType"),
        algorithm_name=item.text("SegmentAlgorithmName"),
        description=item.text("SegmentDescription"),
        colour=rgb_of(lab) if len(lab) == 3 else None,
        region=item.code("AnatomicRegionSequence"),
        tracking_id=item.text("TrackingID"),
        tracking_uid=item.text("TrackingUID"),
        number=place if number is None else number,
    )
