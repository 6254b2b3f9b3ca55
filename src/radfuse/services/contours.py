"""Regions of RT Structure Sets and Segmentations: what there is, and its voxels on an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import CannotBuildVolume, InvalidRegion, UnreadableObject
from radfuse.geometry import Grid, Mask, Structure
from radfuse.roi import filling
from radfuse.services.one_object import object_named, region_named
from radfuse.services.volumes import Where, stacks
from radfuse.volume import Stack, resample

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


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
    ds = object_named(archive, wanted)
    if _is_structure_set(ds):
        from radfuse.objects.rtstruct import read_structures

        found = read_structures(ds)
        rows = [_structure_row(structure) for structure in found.structures]
        return Regions("RTSTRUCT", found.sop_instance_uid, tuple(rows), _sentences(found))
    from radfuse.objects.seg import read_segmentation

    segmentation = read_segmentation(ds)
    frame = segmentation.grid.frame.uid
    rows = [
        RegionRow(one.number, one.label, one.kind.meaning, None, segmentation.mask(one.number).volume_ml, frame)
        for one in segmentation.segments
    ]
    return Regions("SEG", segmentation.sop_instance_uid, tuple(rows), _sentences(segmentation))


def _structure_row(structure: Structure) -> RegionRow:
    volume_ml = filling.volume_ml(structure)
    return RegionRow(
        structure.number, structure.name, structure.kind, len(structure.contours), volume_ml, structure.frame.uid
    )


def _sentences(read: object) -> tuple[str, ...]:
    return tuple(finding.sentence for finding in getattr(read, "findings", ()))


def _is_structure_set(ds: Dataset) -> bool:
    """Raises UnreadableObject for an object without regions."""
    modality = str(ds.get("Modality") or "")
    if modality not in ("RTSTRUCT", "SEG"):
        raise UnreadableObject("regions are read from RT Structure Sets and Segmentations")
    return modality == "RTSTRUCT"


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
    ds = object_named(archive, wanted)
    if _is_structure_set(ds):
        from radfuse.objects.rtstruct import read_structures

        found = read_structures(ds)
        structure = region_named([(each.name, each.number, each) for each in found.structures], name)
        filled = filling.fill(structure, like, between)
        placed = OnImage(filled.mask, structure.name, (*_sentences(found), *_notes(filled)))
    else:
        from radfuse.objects.seg import read_segmentation

        segmentation = read_segmentation(ds)
        segment = region_named([(each.label, each.number, each) for each in segmentation.segments], name)
        mask = segmentation.mask(segment.number)
        notes = _sentences(segmentation)
        if not mask.grid.matches(like):
            if not _has_same_voxels(mask.grid, like):
                notes = (*notes, "it was drawn on other voxels and carried over by the nearest one")
            mask = resample.resample_mask(mask, like)
        placed = OnImage(mask, segment.label, notes)
    if not placed.mask.voxels:
        raise InvalidRegion("it has no voxel on this image")
    return placed


def _has_same_voxels(one: Grid, other: Grid) -> bool:
    """Whether the voxels of one grid are some of the other's."""
    index = other.from_patient.apply(one.corners_mm) + 0.5
    size = np.ptp(index, axis=0)
    return bool(np.abs(index - np.rint(index)).max() < _SAME and np.abs(size - one.shape[::-1]).max() < _SAME)


def _notes(filled: filling.Filled) -> tuple[str, ...]:
    notes = []
    if filled.beside:
        notes.append(f"{filled.beside} contours lie beyond the first or last slice")
    elif not filled.is_whole:
        notes.append("part of its contours lies beyond the edge of the image")
    if filled.gaps:
        notes.append(f"contours are missing at {filled.gaps} places: nothing is filled in there")
    if filled.repeated:
        notes.append(f"{filled.repeated} contours are there twice and were taken once")
    if filled.on_centres:
        notes.append("its contours run through voxel centres, and the voxels on them belong to it")
    return tuple(notes)


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
