"""Slices of multi-frame images with functional groups: enhanced, legacy converted, SEG (PS3.3 section C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from radfuse.core.errors import CannotBuildVolume
from radfuse.dicom.tree import Node, Tree
from radfuse.volume.attributes import Attributes
from radfuse.volume.frames import Frame, Mark, Rescale, marks_of
from radfuse.volume.images import ImageFile
from radfuse.volume.single import rescale_of

SHARED: Final = 0x5200_9229
PER_FRAME: Final = 0x5200_9230
_MACROS: Final = frozenset(
    (
        0x0028_9110,  # Pixel Measures
        0x0020_9113,  # Plane Position (Patient)
        0x0020_9116,  # Plane Orientation (Patient)
        0x0020_9111,  # Frame Content
        0x0028_9145,  # Pixel Value Transformation
        0x0018_9114,  # MR Echo
        0x0018_9117,  # MR Diffusion
        0x0018_9112,  # MR Timing and Related Parameters
        0x0018_9115,  # MR Modifier
        0x0018_9226,  # MR Image Frame Type
        0x0018_9329,  # CT Image Frame Type
        0x0018_9751,  # PET Frame Type
        0x0018_9314,  # CT Reconstruction
        0x0018_9325,  # CT X-Ray Details
        0x0018_9118,  # Cardiac Synchronization
        0x0018_9253,  # Respiratory Synchronization
        0x0020_9310,  # Temporal Position
        0x0062_000A,  # Segment Identification
        0x0020_9170,  # Unassigned Shared Converted Attributes
        0x0020_9171,  # Unassigned Per-Frame Converted Attributes
    )
)
"""The functional groups that are looked into; vendors keep other positions and times in theirs."""
_REAL_WORLD_MAPPING: Final = 0x0040_9096
_GRADIENT: Final = 0x0018_9076
_DIMENSION_INDEX_SEQUENCE: Final = 0x0020_9222


def slices_with_groups(image: ImageFile, a: Attributes) -> tuple[Frame, ...]:
    """The frames, with what their functional groups say. Raises CannotBuildVolume."""
    per_frame = list(a.items(PER_FRAME))
    if len(per_frame) != image.pixels.frames:
        raise CannotBuildVolume("the image does not say of each of its frames where it lies")
    image, shared = _shared_of(image, a)
    counting = _slice_dimensions(a)
    return tuple(
        _frame(image, index, Attributes((_flat(item.levels[0]), shared, *a.levels), a.big), counting)
        for index, item in enumerate(per_frame)
    )


def attributes_of_frame(image: ImageFile, a: Attributes, index: int) -> tuple[ImageFile, Attributes]:
    """What is said of one frame, from 0, by its functional groups or, where there are none, by the image."""
    image, shared = _shared_of(image, a)
    own = next(islice(a.items(PER_FRAME), index, None), None)
    groups = _flat(own.levels[0]) if own is not None else {}
    return image, Attributes((groups, shared, *a.levels), a.big)


def _shared_of(image: ImageFile, a: Attributes) -> tuple[ImageFile, dict[int, Node]]:
    """The image with what only its shared functional groups tell, and these as one level."""
    shared_item = a.item(SHARED)
    shared = _flat(shared_item.levels[0]) if shared_item is not None else {}
    converted = Attributes((shared,), a.big)
    if not image.units and converted.text(0x0054_1001):  # legacy converted PET
        told = converted.text(0x0054_1001).upper(), converted.text(0x0054_1006).upper()
        image = replace(image, units=told[0], suv_type=told[1])
    return image, shared


def _flat(groups: dict[int, Node]) -> dict[int, Node]:
    """What the functional groups of a level hold, as one level."""
    found: dict[int, Node] = {}
    for tag, node in groups.items():
        if tag == _REAL_WORLD_MAPPING:
            found[tag] = node
        elif tag in _MACROS and node.items:
            found |= node.items[0].nodes
            found |= dict(_deeper(node.items[0]))
    return found


def _deeper(item: Tree) -> Iterator[tuple[int, Node]]:
    gradient = item.get(_GRADIENT)
    if gradient is not None and gradient.items:
        yield from gradient.items[0].nodes.items()


def _slice_dimensions(a: Attributes) -> tuple[int, ...]:
    """The places of the Dimension Index Values that count slices, and are no reason to split."""
    places = []
    for place, item in enumerate(a.items(_DIMENSION_INDEX_SEQUENCE)):
        node = item.node(0x0020_9165)
        raw = bytes(node.value) if node is not None else b""
        pair = [int.from_bytes(raw[at : at + 2], "big" if a.big else "little") for at in (0, 2)]
        if tuple(pair) in ((0x0020, 0x9057), (0x0020, 0x0032)):
            places.append(place)
    return tuple(places)


def _frame(image: ImageFile, index: int, a: Attributes, counting: tuple[int, ...]) -> Frame:
    values = a.numbers(0x0020_9157)
    return Frame(
        image,
        index,
        position_mm=a.numbers(0x0020_0032),
        orientation=a.numbers(0x0020_0037),
        spacing_mm=a.numbers(0x0028_0030),
        thickness_mm=a.number(0x0018_0050) or 0.0,
        between_mm=a.number(0x0018_0088) or 0.0,
        rescale=rescale_of(image, a),
        marks=marks_of(a, image.modality),
        dimensions=tuple(value for place, value in enumerate(values) if place not in counting),
    )


def slices_of_segments(image: ImageFile, a: Attributes) -> tuple[Frame, ...]:
    """The frames of a segmentation, each once for every segment it shows (PS3.3 section C.8.20.2)."""
    kind = a.text(0x0062_0001).upper()
    labels = {item.whole(0x0062_0004): _label_of(item) for item in a.items(0x0062_0002)}
    frames = _segment_frames(image, a)
    if kind == "LABELMAP":
        return tuple(
            _of_segment(frame, number, name, Rescale(label=number))
            for frame in frames
            for number, name in labels.items()
            if number
        )
    rescale = Rescale(1.0 / _most(a)) if kind == "FRACTIONAL" else Rescale()
    found = []
    for frame in frames:
        number = int(frame.marks.get(Mark.SEGMENT, (0.0,))[0])
        if number not in labels:
            raise CannotBuildVolume("a frame of the segmentation belongs to no segment that it describes")
        found.append(_of_segment(frame, number, labels[number], rescale))
    return tuple(found)


def _most(a: Attributes) -> float:
    most = a.number(0x0062_000E)
    if not most:
        raise CannotBuildVolume("the segmentation has no Maximum Fractional Value: its fractions are of nothing")
    return most


def _label_of(item: Attributes) -> str:
    """Segment Label, kept to what every repertoire has."""
    text = item.text(0x0062_0005)
    return text if text.isascii() else ""


def _of_segment(frame: Frame, number: int, name: str, rescale: Rescale) -> Frame:
    marks = {Mark.SEGMENT: (float(number), name)}
    return replace(frame, rescale=rescale, marks=marks, dimensions=())


def _segment_frames(image: ImageFile, a: Attributes) -> Iterator[Frame]:
    shared_item = a.item(SHARED)
    shared = _flat(shared_item.levels[0]) if shared_item is not None else {}
    per_frame = list(a.items(PER_FRAME))
    if len(per_frame) != image.pixels.frames:
        raise CannotBuildVolume("the segmentation does not say of each of its frames where it lies")
    for index, item in enumerate(per_frame):
        level = Attributes((_flat(item.levels[0]), shared), a.big)
        number = level.number(0x0062_000B)
        frame = _frame(image, index, level, ())
        yield replace(frame, marks={} if number is None else {Mark.SEGMENT: (number,)})
