"""Which grid the frames of a segmentation lie on, and in which slice each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import UnreadableObject
from radfuse.geometry import Affine, FrameOfReference, Grid, Points
from radfuse.objects.common import Item
from radfuse.volume import Finding, FindingKind

_SAME_MM: Final = 0.01
"""Planes closer than that are one."""
_OFF_SHARE: Final = 0.1
"""How far, in parts of the spacing, a plane may lie from where an even spacing puts it."""
_OFF_VOXELS: Final = np.array([0.05, 0.05, 0.2])
"""How far, in voxels along x, y, z, frames may lie beside the voxels of a given grid: slices jitter."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """What the functional groups say: directions, spacing, and the position of each frame, in mm."""

    orientation: npt.NDArray[np.float64]
    """Along a row, then along a column: 6 numbers."""
    spacing_mm: tuple[float, float]
    """Between rows, between columns."""
    between_mm: float
    """Spacing Between Slices; 0 when not said."""
    thickness_mm: float
    positions_mm: Points

    @property
    def normal(self) -> npt.NDArray[np.float64]:
        """Unit vector across the slices."""
        cross = np.cross(self.orientation[:3], self.orientation[3:])
        return np.asarray(cross / np.linalg.norm(cross))


def geometry_of(shared: Item | None, frames: Sequence[Item]) -> Geometry:
    """Read from the functional groups. Raises UnreadableObject when they place no frame in a patient."""
    groups = [[frame, shared] if shared else [frame] for frame in frames]
    orientations = [_numbers(group, "PlaneOrientationSequence", "ImageOrientationPatient", 6) for group in groups]
    positions = [_numbers(group, "PlanePositionSequence", "ImagePositionPatient", 3) for group in groups]
    spacings = [_numbers(group, "PixelMeasuresSequence", "PixelSpacing", 2) for group in groups]
    if any(len(one) == 0 for one in (*orientations, *positions, *spacings)):
        raise UnreadableObject("its frames have no place in a patient (segments of a slide, or of a projection)")
    if np.ptp(orientations, axis=0).max() > 1e-4 or np.ptp(spacings, axis=0).max() > 1e-4:
        raise UnreadableObject("its frames have several orientations or pixel spacings")
    if min(spacings[0]) <= 0 or abs(float(np.linalg.norm(np.cross(orientations[0][:3], orientations[0][3:])))) < 0.9:
        raise UnreadableObject("the pixel spacing or the orientation of its frames is none")
    between = _numbers(groups[0], "PixelMeasuresSequence", "SpacingBetweenSlices", 1)
    thickness = _numbers(groups[0], "PixelMeasuresSequence", "SliceThickness", 1)
    return Geometry(
        np.array(orientations[0]),
        (spacings[0][0], spacings[0][1]),
        abs(between[0]) if between else 0.0,
        abs(thickness[0]) if thickness else 0.0,
        np.array(positions),
    )


def own_grid(
    geometry: Geometry, size: tuple[int, int], frame: FrameOfReference
) -> tuple[Grid, list[int], list[Finding]]:
    """The smallest even grid with a slice for every frame, the slice of each, and what was noticed.

    Empty frames are usually left out of segmentations, so the distance of the slices is Spacing Between
    Slices; where that is not said or cannot be, the smallest step.

    Raises UnreadableObject when the planes do not lie evenly.
    """
    along = geometry.positions_mm @ geometry.normal
    places = np.sort(along)
    places = places[np.concatenate(([True], np.diff(places) > _SAME_MM))]
    findings: list[Finding] = []
    if len(places) == 1:
        step_mm = geometry.between_mm or geometry.thickness_mm
        if not step_mm:
            raise UnreadableObject("its only plane has no thickness")
        index, first, step = np.zeros(len(along), int), geometry.positions_mm[0], geometry.normal * step_mm
    else:
        index, first, step, findings = _even(geometry, along, places)
    across_mm, down_mm = geometry.spacing_mm[1], geometry.spacing_mm[0]
    linear = np.column_stack((geometry.orientation[:3] * across_mm, geometry.orientation[3:] * down_mm, step))
    shape = (int(index.max()) + 1, *size)
    return Grid(shape, Affine.of(linear, first), frame), [int(one) for one in index], findings


def given_slices(geometry: Geometry, grid: Grid, size: tuple[int, int]) -> list[int]:
    """The slice of ``grid`` that each frame lies in. Raises UnreadableObject when they are not its voxels."""
    at = grid.from_patient.apply(geometry.positions_mm)
    far = geometry.positions_mm + geometry.orientation[:3] * geometry.spacing_mm[1] * (size[1] - 1)
    far += geometry.orientation[3:] * geometry.spacing_mm[0] * (size[0] - 1)
    opposite = grid.from_patient.apply(far)
    index = np.rint(at[:, 2])
    expected = np.column_stack((np.zeros_like(index), np.zeros_like(index), index))
    last = np.array([size[1] - 1, size[0] - 1, 0])
    off = np.abs(np.concatenate((at - expected, opposite - expected - last))).max(axis=0)
    if size != grid.shape[1:] or (off > _OFF_VOXELS).any() or index.min() < 0 or index.max() >= grid.shape[0]:
        raise UnreadableObject("its voxels are not those of the volume")
    return [int(one) for one in index]


_Fit = tuple[npt.NDArray[np.int_], npt.NDArray[np.float64], npt.NDArray[np.float64], list[Finding]]


def _even(geometry: Geometry, along: npt.NDArray[np.float64], places: npt.NDArray[np.float64]) -> _Fit:
    steps = np.diff(places)
    smallest = float(steps[steps > _OFF_SHARE * np.median(steps)].min())
    for said, step_mm in ((True, geometry.between_mm), (False, smallest)):
        if step_mm <= _SAME_MM:
            continue
        index = np.rint((along - places[0]) / step_mm).astype(int)
        matrix = np.column_stack((np.ones(len(index)), index))
        fit, *_ = np.linalg.lstsq(matrix, geometry.positions_mm, rcond=None)
        off = np.linalg.norm(geometry.positions_mm - matrix @ fit, axis=1).max()
        if off <= _OFF_SHARE * step_mm:
            return index, fit[0], fit[1], _remarks(geometry, said, float(off), step_mm)
    raise UnreadableObject("its planes do not lie evenly: no grid has a slice for each")


def _remarks(geometry: Geometry, said: bool, off_mm: float, step_mm: float) -> list[Finding]:
    findings = []
    if off_mm > _SAME_MM:
        sentence = f"planes lie up to {off_mm:.3f} mm beside an even spacing of {step_mm:.3f} mm"
        findings.append(Finding(FindingKind.JITTER, sentence, repaired=True))
    if not said:
        fault = "contradicts the positions" if geometry.between_mm else "is not said"
        sentence = f"Spacing Between Slices {fault}: the smallest step, {step_mm:.3f} mm, was taken"
        findings.append(Finding(FindingKind.HEADER, sentence))
    return findings


def _numbers(groups: Sequence[Item], sequence: str, attribute: str, count: int) -> list[float]:
    """The numbers of an attribute of a macro of a frame, or of the shared one; none when it is not there."""
    for group in groups:
        macro = group.first(sequence)
        if macro and (numbers := macro.numbers(attribute)):
            return numbers if len(numbers) == count and np.isfinite(numbers).all() else []
    return []
