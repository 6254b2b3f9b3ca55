"""Regions as they are asked for, and what they are on the grid of an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Affine, Grid, Mask, Structure
from radfuse.services.region_objects import Contoured, region_in

_DOSE_STEP_MM: Final = 1.0
_MOST_VOXELS: Final = 60_000_000
_FLAT: Final = 0.1
"""Contours within this part of a slice lie in one plane."""


@dataclass(frozen=True, slots=True)
class FromObject:
    """A structure of an RT Structure Set, or a segment of a Segmentation: by its name, or by its number."""

    object: str | Path
    """SOP Instance UID in the archive, or a file."""
    name: str


@dataclass(frozen=True, slots=True)
class DrawnSphere:
    """A sphere in the frame of reference of the first image."""

    centre_mm: tuple[float, float, float]
    radius_mm: float


@dataclass(frozen=True, slots=True)
class FromMaskFile:
    """A NIfTI or NRRD file of 0 and 1 on the grid of the first image."""

    path: Path


@dataclass(frozen=True, slots=True)
class Everywhere:
    """The whole image."""


RegionAsk: TypeAlias = FromObject | DrawnSphere | FromMaskFile | Everywhere


@dataclass(frozen=True, slots=True)
class RegionFacts:
    """What a region is and where it came from. Without a source it was drawn by numbers."""

    kind: str
    name: str = ""
    source_uid: str = ""
    """SOP Instance UID of the object it is read from."""
    number: int | None = None
    """ROI Number or Segment Number."""
    definition: str = ""


@dataclass(frozen=True, eq=False)
class Placed:
    """A region on a grid; ``fractions`` of its voxels where they are known."""

    mask: Mask
    notes: tuple[str, ...] = ()
    fractions: npt.NDArray[np.float32] | None = None


class Region(Protocol):
    """A region that can be put on any grid of its frame of reference."""

    @property
    def facts(self) -> RegionFacts:
        """What it is."""

    def on(self, grid: Grid) -> Placed:
        """The voxels of ``grid`` that belong to it, or a mask of its own if there is one."""

    def for_dose(self, grid: Grid) -> Placed:
        """The region for a dose on ``grid``: on a grid of its own that holds all of it."""


def region_of(archive: Archive | None, asked: RegionAsk, first: Grid) -> Region:
    """The region that is asked for. ``first`` is the grid of the first image.

    Raises UnknownEntity, UnreadableObject, CannotBuildVolume for a mask file, InvalidRegion for a name that
    is not there or there twice, and for a sphere that is none.
    """
    match asked:
        case FromObject():
            return _from_object(archive, asked)
        case DrawnSphere():
            return _Sphere(asked, first)
        case FromMaskFile():
            from radfuse.volume.image_files import read_mask_file

            facts = RegionFacts("mask file", asked.path.name)
            return _Voxels(facts, read_mask_file(asked.path, first))
        case Everywhere():
            return _Whole()


# --- structures and segments -----------------------------------------------------------------


def _from_object(archive: Archive | None, asked: FromObject) -> Region:
    found = region_in(archive, asked.object, asked.name)
    if isinstance(found, Contoured):
        structure = found.structure
        facts = RegionFacts("structure", structure.name, found.source_uid, structure.number)
        return _Contours(facts, structure, found.notes)
    segmentation, number = found.segmentation, found.number
    facts = RegionFacts("segment", found.label, found.source_uid, number)
    return _Voxels(facts, segmentation.mask(number), found.notes, lambda: segmentation.fractions(number))


@dataclass(frozen=True, eq=False)
class _Contours:
    """A region of contours: filled on the grid of each image."""

    facts: RegionFacts
    structure: Structure
    notes: tuple[str, ...] = ()

    def on(self, grid: Grid) -> Placed:
        """Voxels whose centres lie within the contours."""
        from radfuse.roi.filling import fill

        filled = fill(self.structure, grid)
        return Placed(filled.mask, (*self.notes, *filled.notes))

    def for_dose(self, grid: Grid) -> Placed:
        """Filled on voxels of 1 mm or less along the axes of the dose grid, around all of it."""
        from radfuse.roi.filling import fill

        if not self.structure.contours:
            raise InvalidRegion("it has no contours")
        points = np.concatenate([contour.points_mm for contour in self.structure.contours])
        index = grid.from_patient.apply(points)
        is_flat = bool(np.ptp(index[:, 2]) < _FLAT)
        notes = [*self.notes]
        if is_flat:
            notes.append(
                f"it is drawn in one plane, and counts {grid.spacing_mm[2]:.3g} mm thick, as a slice of the dose"
            )
        filled = fill(self.structure, _around(index, grid, is_flat), on_image=False)
        return Placed(filled.mask, tuple(notes))


def _around(index: npt.NDArray[np.float64], grid: Grid, is_flat: bool) -> Grid:
    """A fine grid along the axes of ``grid`` that holds all points and 10 mm around them; slices of a flat one stay."""
    spacing = np.array(grid.spacing_mm)
    margin = 2 + 10 / spacing
    first = np.floor(index.min(axis=0) - margin).astype(int)
    size = np.ceil(index.max(axis=0) + margin).astype(int) - first + 1
    times = np.maximum(np.ceil(spacing / _DOSE_STEP_MM - 1e-6), 1).astype(int)
    if is_flat:
        times[2] = 1
    while times.max() > 1 and float(np.prod(size * times, dtype=np.float64)) > _MOST_VOXELS:
        times = np.maximum(times - 1, 1)
    shift = Affine.of(np.diag(1 / times), first + 0.5 / times - 0.5)
    slices, rows, columns = (size * times)[::-1].tolist()
    return Grid((slices, rows, columns), grid.to_patient.after(shift), grid.frame)


# --- the others ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Voxels:
    """A region of voxels on a grid of its own."""

    facts: RegionFacts
    mask: Mask
    notes: tuple[str, ...] = ()
    fractions: Callable[[], npt.NDArray[np.float32]] | None = None

    def on(self, grid: Grid) -> Placed:
        """Its own mask."""
        return Placed(self.mask, self.notes)

    def for_dose(self, grid: Grid) -> Placed:
        """Its own mask, with the fractions of its voxels."""
        if self.fractions is None:
            return Placed(self.mask, self.notes)
        fractions = self.fractions()
        return Placed(Mask(self.mask.grid, fractions > 0), self.notes, fractions)


class _Sphere:
    """A sphere in the frame of reference of the first image."""

    def __init__(self, asked: DrawnSphere, first: Grid) -> None:
        from radfuse.roi.drawing import sphere

        self._solid = sphere(np.array(asked.centre_mm), asked.radius_mm)
        self._first = first
        x, y, z = asked.centre_mm
        words = f"centre {x:g}, {y:g}, {z:g} mm, radius {asked.radius_mm:g} mm; voxels whose centres lie in it"
        self.facts = RegionFacts("sphere", definition=words)

    def on(self, grid: Grid) -> Placed:
        """Voxels whose centres lie in it."""
        from radfuse.roi.drawing import lies_within, mask_of

        self._require(grid)
        notes = () if lies_within(grid, self._solid) else ("part of the sphere lies outside the image",)
        return Placed(mask_of(grid, self._solid), notes)

    def for_dose(self, grid: Grid) -> Placed:
        """The parts of the voxels of a dose that lie in it."""
        from radfuse.roi.drawing import weights

        self._require(grid)
        parts = weights(grid, self._solid)
        fractions = np.zeros(grid.shape, dtype=np.float32)
        fractions[parts.where] = np.clip(parts.values, 0, 1)
        notes = () if parts.is_whole else ("part of the sphere lies outside the dose grid",)
        return Placed(Mask(grid, fractions > 0), notes, fractions)

    def _require(self, grid: Grid) -> None:
        if grid is not self._first:
            self._first.frame.require_same(grid.frame, "The sphere and the image")


class _Whole:
    """Every voxel."""

    facts = RegionFacts("whole image")

    def on(self, grid: Grid) -> Placed:
        """Every voxel."""
        return Placed(Mask(grid, np.ones(grid.shape, dtype=np.bool_)))

    def for_dose(self, grid: Grid) -> Placed:
        """Every voxel."""
        return self.on(grid)
