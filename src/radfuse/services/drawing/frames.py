"""Between frames of reference: where a person points, where a series lies, where its regions are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.archive import Archive
from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import FrameOfReference, Grid, Mask, Points
from radfuse.roi.boxes import Drawn, box_around, drawn_on
from radfuse.services.registrations import RegistrationPath, place_of
from radfuse.services.registrations.applying import carry_mask, points_to_fixed
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.aligning import aligned
from radfuse.services.viewing.showing import native_volume

_PROBES: Final = 4000
_BEND_MM: Final = 15.0
"""Between the voxels that are looked at a region does not reach farther."""


def same_frame(archive: Archive, one: str, other: str) -> bool:
    """Whether two series lie in one frame of reference, and are of one patient: then nothing needs to be asked."""
    if one == other:
        return True
    first, second = place_of(archive, one), place_of(archive, other)
    is_known = bool(first.frame_of_reference_uid)
    return (
        is_known and first.frame_of_reference_uid == second.frame_of_reference_uid and first.patient == second.patient
    )


def path_between(archive: Archive, fixed_series: str, view: SeriesView) -> RegistrationPath:
    """The path from a series to that of a view; remembered. Raises NotOverlaid and UnknownEntity."""
    return aligned(archive, fixed_series, view).path


@dataclass(frozen=True, eq=False)
class Standpoint:
    """A series that is drawn on while another one, the base, may be on the screen."""

    archive: Archive
    view: SeriesView
    grid: Grid
    base: str | None = None
    """Series Instance UID; None: the series itself."""

    @cached_property
    def path(self) -> RegistrationPath | None:
        """From the base's frame to that of the series; None where nothing moves. Raises NotOverlaid."""
        if self.base is None or (not self.view.only and same_frame(self.archive, self.base, self.view.series)):
            return None
        found = path_between(self.archive, self.base, self.view)
        return found if found.steps else None

    def points(self, points_mm: npt.ArrayLike) -> Points:
        """Points of the base's frame in that of the series. Raises InvalidRegion where nobody knows them."""
        points = np.asarray(points_mm, dtype=np.float64)
        if self.path is None:
            return points
        moved = self.path.chain.apply(points)
        if not np.isfinite(moved).all():
            raise InvalidRegion("the registration says nothing of that place")
        return moved

    def direction(self, at_mm: npt.ArrayLike, direction: npt.ArrayLike) -> Points:
        """A direction at a point of the base's frame, as a unit vector in the frame of the series."""
        start = np.asarray(at_mm, dtype=np.float64)
        way = self.points(start + np.asarray(direction, dtype=np.float64)) - self.points(start)
        length = float(np.linalg.norm(way))
        if not length > 0:
            raise InvalidRegion("a direction has no length")
        unit: Points = way / length
        return unit

    def region(self, mask: Mask) -> Drawn:
        """A region of the series' frame, or of the base's, on the voxels of the series.

        Raises FramesDiffer for one of a third frame, and InvalidRegion.
        """
        if mask.grid.frame.is_same_as(self.grid.frame):
            return drawn_on(self.grid, mask)
        path = self.path
        if path is None or mask.grid.frame.uid != path.fixed.frame_of_reference_uid:
            raise FramesDiffer("the region and the series")
        if path.chain.is_affine and path.chain.affine().is_rigid:
            to_patient = path.chain.affine().after(mask.grid.to_patient)
            return drawn_on(self.grid, Mask(Grid(mask.grid.shape, to_patient, self.grid.frame), mask.inside))
        back = path_between(self.archive, self.view.series, replace(self.view, series=self.base or self.view.series))
        return carried_onto(back, mask, self.grid)

    def shown(self, drawn: Drawn) -> Drawn | None:
        """A region of the series in the frame of the base; None where that is the same frame.

        The same voxels, moved, by a rigid path; else carried over to those of the base.
        """
        path = self.path
        if path is None or self.base is None:
            return None
        frame = FrameOfReference(path.fixed.frame_of_reference_uid)
        if frame.is_same_as(self.grid.frame):
            return None
        if path.chain.is_affine and path.chain.affine().is_rigid:
            to_patient = path.chain.affine().inverse().after(self.grid.to_patient)
            return replace(drawn, grid=Grid(self.grid.shape, to_patient, frame))
        base = native_volume(self.archive, SeriesView(self.base)).grid
        return carried_onto(path, drawn.mask, base)


def carried_onto(path: RegistrationPath, mask: Mask, grid: Grid) -> Drawn:
    """A mask of the moving frame on a grid of the fixed one. Raises InvalidRegion where nothing of it arrives."""
    if not mask.inside.any():
        raise InvalidRegion("no voxel belongs to it")
    arrived = points_to_fixed(path, _probes(mask) if path.is_deformable else mask.grid.corners_mm)
    arrived = arrived[np.isfinite(arrived).all(axis=-1)]
    if not len(arrived):
        raise InvalidRegion("the registration says nothing of where it lies")
    box = box_around(grid, arrived, _BEND_MM if path.is_deformable else 0.0)
    found = carry_mask(path, mask, grid.cropped(box.first, box.shape))
    if not found.mask.inside.any():
        raise InvalidRegion("no voxel centre of the image lies in it: it is outside the image, or smaller than a voxel")
    return drawn_on(grid, found.mask).noting(*found.notes)


def _probes(mask: Mask) -> Points:
    """Some thousand points of a region, with the outermost ones."""
    voxels = np.argwhere(mask.inside)[:, ::-1]
    ends = voxels[np.concatenate((voxels.argmin(axis=0), voxels.argmax(axis=0)))]
    some = np.concatenate((voxels[:: max(len(voxels) // _PROBES, 1)], ends))
    return mask.grid.to_patient.apply(some)
