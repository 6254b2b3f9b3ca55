"""Regions of RT Structure Sets and Segmentations: what there is, and its voxels on an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import CannotBuildVolume, InvalidRegion
from radfuse.geometry import Grid, Mask, Structure
from radfuse.roi import filling
from radfuse.services.region_objects import Contoured, read_regions, region_in, sentences
from radfuse.services.volumes import Where, stacks
from radfuse.volume import Stack, resample

_SAME: Final = 0.02
"""Voxels this near to each other, in voxels, are the same."""

# --- what is there ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A region of an object, for a list."""

    number: int
    name: str
    kind: str
    """RT ROI Interpreted Type, or the type of the segment."""
    contours: int | None
    """Closed contours; None for voxels."""
    volume_ml: float | None
    """Of the voxels; of contours, area by the distance of their planes. None for contours in a single plane."""
    frame_uid: str


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions of an object, and what was noticed when it was read."""

    modality: str
    sop_instance_uid: str
    rows: tuple[RegionRow, ...]
    findings: tuple[str, ...]


def regions_in(archive: Archive | None, wanted: str | Path) -> Regions:
    """The regions of an RT Structure Set or Segmentation: of the archive by SOP Instance UID, or of a file.

    Raises UnknownEntity, BlobDamaged, UnreadableObject and OSError.
    """
    from radfuse.objects.rtstruct import StructureSet

    found = read_regions(archive, wanted)
    if isinstance(found, StructureSet):
        rows = [_structure_row(structure) for structure in found.structures]
        return Regions("RTSTRUCT", found.sop_instance_uid, tuple(rows), sentences(found))
    frame = found.grid.frame.uid
    rows = [
        RegionRow(one.number, one.label, one.kind.meaning, None, found.mask(one.number).volume_ml, frame)
        for one in found.segments
    ]
    return Regions("SEG", found.sop_instance_uid, tuple(rows), sentences(found))


def _structure_row(structure: Structure) -> RegionRow:
    volume_ml = filling.volume_ml(structure)
    return RegionRow(
        structure.number, structure.name, structure.kind, len(structure.contours), volume_ml, structure.frame.uid
    )


# --- on an image -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class OnImage:
    """A region on the voxels of an image, and what a person should know of it."""

    mask: Mask
    name: str
    notes: tuple[str, ...] = ()


def region_on(
    archive: Archive | None,
    wanted: str | Path,
    name: str,
    like: Grid,
    between: filling.Between = filling.Between.NEAREST,
) -> OnImage:
    """A region of an object, by name or number, on a grid; a segment by the nearest voxel.

    Raises as ``regions_in``, InvalidRegion for a name that is not there or there twice or a region beside
    the grid, and FramesDiffer.
    """
    found = region_in(archive, wanted, name)
    if isinstance(found, Contoured):
        filled = filling.fill(found.structure, like, between)
        placed = OnImage(filled.mask, found.structure.name, (*found.notes, *filled.notes))
    else:
        mask, notes = found.segmentation.mask(found.number), found.notes
        if not mask.grid.matches(like):
            if not _has_same_voxels(mask.grid, like):
                notes = (*notes, "it was drawn on other voxels and carried over by the nearest one")
            mask = resample.resample_mask(mask, like)
        placed = OnImage(mask, found.label, notes)
    if not placed.mask.voxels:
        raise InvalidRegion("it has no voxel on this image")
    return placed


def _has_same_voxels(one: Grid, other: Grid) -> bool:
    """Whether the voxels of one grid are some of the other's."""
    index = other.from_patient.apply(one.corners_mm) + 0.5
    size = np.ptp(index, axis=0)
    return bool(np.abs(index - np.rint(index)).max() < _SAME and np.abs(size - one.shape[::-1]).max() < _SAME)


def images_of(archive: Archive | None, where: Where, stack: int | None = None) -> Stack:
    """The slices of a series, of which a region takes its grid and its headers; no pixel is read.

    Raises UnknownEntity, and CannotBuildVolume where they make no volume, or several and none is chosen.
    """
    made = stacks(archive, where)
    usable = [each for each in made if each.grid is not None]
    if stack is not None:
        usable = made[stack - 1 : stack]
    if len(usable) != 1:
        titles = "; ".join(f"{number}: {each.title}" for number, each in enumerate(made, 1))
        raise CannotBuildVolume(f"choose one of its volumes by its number: {titles}")
    if usable[0].grid is None:
        raise CannotBuildVolume(usable[0].refusal or "it has no slices")
    return usable[0]


def grid_of(stack: Stack) -> Grid:
    """The grid of slices that ``images_of`` gave."""
    if stack.grid is None:
        raise CannotBuildVolume(stack.refusal or "it has no slices")
    return stack.grid
