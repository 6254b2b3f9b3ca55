"""Slices of multi-frame images that say where they lie in their own ways: nuclear medicine and RT Dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from radfuse.core.errors import CannotBuildVolume
from radfuse.volume.attributes import Attributes
from radfuse.volume.frames import Frame, Mark, MarkValue, Rescale
from radfuse.volume.images import ImageFile
from radfuse.volume.single import rescale_of

_RECONSTRUCTED: Final = ("RECON TOMO", "RECON GATED TOMO")
_NUCLEAR_KINDS: Final = {
    "STATIC": "planar",
    "WHOLE BODY": "planar",
    "DYNAMIC": "planar images over time",
    "GATED": "gated planar images",
    "TOMO": "projections of a tomogram: reconstruct them first",
    "GATED TOMO": "projections of a gated tomogram: reconstruct them first",
}
"""Image Type value 3 (PS3.3 section C.8.4.9.1.1) of what has no slices."""
_VECTORS: Final = (
    (Mark.ENERGY_WINDOW, 0x0054_0010),
    (Mark.DETECTOR, 0x0054_0020),
    (Mark.GATE, 0x0054_0070),
    (Mark.TEMPORAL_POSITION, 0x0054_0060),
)
"""Energy Window, Detector, Time Slot and R-R Interval Vector (PS3.3 section C.8.4.8)."""
_SLICE_VECTOR: Final = 0x0054_0080
_OFFSET_TOLERANCE_MM: Final = 0.01
_WHOLE_DOSES: Final = ("", "PLAN", "MULTI_PLAN", "PLAN_OVERVIEW")
"""Dose Summation Types (3004,000A) of all that plans give."""


@dataclass(frozen=True, slots=True)
class _Planes:
    """Parallel planes: the first position, the directions, and how far each frame lies along the normal."""

    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    offsets_mm: tuple[float, ...]

    def position_of(self, index: int) -> tuple[float, ...]:
        normal = np.cross(self.orientation[:3], self.orientation[3:])
        return tuple((np.array(self.position_mm) + self.offsets_mm[index] * normal).tolist())


def slices_of_nuclear(image: ImageFile, a: Attributes) -> tuple[Frame, ...]:
    """The frames of a reconstructed tomogram (PS3.3 sections C.8.4.11 and C.8.4.15).

    Slice k lies (k - 1) x Spacing Between Slices along the normal from the position in the detector's
    item; a negative spacing goes against the normal. Raises CannotBuildVolume for what has no slices.
    """
    kind = next(iter(a.texts(0x0008_0008)[2:3]), "")
    if kind not in _RECONSTRUCTED:
        what = _NUCLEAR_KINDS.get(kind, "images of a kind that is not said")
        raise CannotBuildVolume(f"these are {what}; only reconstructed tomograms have slices")
    detectors = list(a.items(0x0054_0022))
    if len({(item.numbers(0x0020_0032), item.numbers(0x0020_0037)) for item in detectors}) > 1:
        raise CannotBuildVolume("the tomogram gives its slices two places, one for each detector")
    where = Attributes((*detectors[0].levels, *a.levels), a.big) if detectors else a
    position, orientation = where.numbers(0x0020_0032), where.numbers(0x0020_0037)
    count = image.pixels.frames
    slices = a.numbers(_SLICE_VECTOR) or tuple(float(number + 1) for number in range(count))
    between = a.number(0x0018_0088) or a.number(0x0018_0050)
    if len(position) != 3 or len(orientation) != 6 or not between or len(slices) != count:
        raise CannotBuildVolume(
            "the tomogram does not say where its slices lie (Image Position and Orientation in the Detector "
            "Information Sequence, Spacing Between Slices, Slice Vector)"
        )
    planes = _Planes(position, orientation, tuple((number - 1) * between for number in slices))
    note = "" if a.number(0x0018_0088) else "Spacing Between Slices is not given: Slice Thickness was taken for it"
    return _frames(image, a, planes, rescale_of(image, a), _vectors(a, count), note)


def _vectors(a: Attributes, count: int) -> list[dict[Mark, MarkValue]]:
    marks: list[dict[Mark, MarkValue]] = [{} for _ in range(count)]
    for mark, tag in _VECTORS:
        values = a.numbers(tag)
        if len(values) == count:
            for index, value in enumerate(values):
                marks[index][mark] = (value,)
    return marks


def slices_of_dose(image: ImageFile, a: Attributes) -> tuple[Frame, ...]:
    """The planes of an RT Dose (PS3.3 section C.8.8.3.2). Raises CannotBuildVolume."""
    position, orientation = a.numbers(0x0020_0032), a.numbers(0x0020_0037)
    scaling = a.number(0x3004_000E)
    if len(position) != 3 or len(orientation) != 6:
        raise CannotBuildVolume("the dose does not say where it lies (Image Position and Orientation)")
    if scaling is None or scaling <= 0:
        raise CannotBuildVolume("the dose has no Dose Grid Scaling above 0: its numbers mean nothing")
    offsets = _offsets(a, image.pixels.frames, position, orientation)
    note = _not_the_plan(a)
    planes = _Planes(position, orientation, offsets)
    rescale = Rescale(scaling, 0.0, a.text(0x3004_0002).upper(), True)
    return _frames(image, a, planes, rescale, [{}] * image.pixels.frames, note)


def _not_the_plan(a: Attributes) -> str:
    """What a person must know of a dose that is not all that the plan gives (PS3.3 section C.8.8.3)."""
    kind, sum_of = a.text(0x3004_0004).upper(), a.text(0x3004_000A).upper()
    if kind == "ERROR":
        return "Dose Type is ERROR: the numbers are differences between doses"
    if kind == "EFFECTIVE":
        return "Dose Type is EFFECTIVE: the numbers are doses weighted by their biological effect"
    return "" if sum_of in _WHOLE_DOSES else f"Dose Summation Type is {sum_of}: this is not the dose of the whole plan"


def _offsets(
    a: Attributes, count: int, position: tuple[float, ...], orientation: tuple[float, ...]
) -> tuple[float, ...]:
    offsets = a.numbers(0x3004_000C)
    if count == 1 and len(offsets) <= 1:
        return (0.0,)
    if len(offsets) != count:
        raise CannotBuildVolume("the dose has not one Grid Frame Offset for each of its planes")
    first = offsets[0]
    if abs(first) <= _OFFSET_TOLERANCE_MM:
        return offsets
    # Otherwise they are positions along the patient's axis, of a transverse grid.
    normal = np.cross(orientation[:3], orientation[3:])
    if abs(first - position[2]) <= _OFFSET_TOLERANCE_MM and abs(abs(normal[2]) - 1) < 1e-3:
        return tuple(float((value - first) * np.sign(normal[2])) for value in offsets)
    raise CannotBuildVolume("the Grid Frame Offsets begin neither with 0 nor with the position of the first plane")


def _frames(
    image: ImageFile,
    a: Attributes,
    planes: _Planes,
    rescale: Rescale,
    marks: list[dict[Mark, MarkValue]],
    note: str = "",
) -> tuple[Frame, ...]:
    return tuple(
        Frame(
            image,
            index,
            position_mm=planes.position_of(index),
            orientation=planes.orientation,
            spacing_mm=a.numbers(0x0028_0030),
            thickness_mm=a.number(0x0018_0050) or 0.0,
            between_mm=abs(a.number(0x0018_0088) or 0.0),
            rescale=rescale,
            marks=marks[index],
            note=note,
        )
        for index in range(image.pixels.frames)
    )
