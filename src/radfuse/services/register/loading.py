"""The two series as volumes with their headers, and what is drawn on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import CannotRegister, RadfuseError
from radfuse.geometry import Grid, Mask
from radfuse.registration.quality import StructurePair
from radfuse.roi import drawing
from radfuse.services.contours import images_of, region_on, regions_in
from radfuse.services.measure import Image
from radfuse.services.new_regions import headers_of
from radfuse.services.register.asking import Region, Structures
from radfuse.services.register.checks import Side
from radfuse.services.volumes import open_volume
from radfuse.volume import Volume
from radfuse.volume.image_files import is_image_file


def side(archive: Archive | None, image: Image) -> Side:
    """A series with its headers. Raises what ``open_volume`` raises."""
    volume = open_volume(archive, image.where, image.unit, image.repairs, image.stack)
    paths = [image.where] if isinstance(image.where, Path) else image.where
    if not isinstance(paths, str) and len(paths) == 1 and is_image_file(paths[0]):
        return Side(volume)
    return Side(volume, tuple(headers_of(images_of(archive, image.where, image.stack))))


def part_of(grid: Grid, region: Region) -> Mask:
    """The voxels of a region. Raises CannotRegister where it holds none."""
    if region.size_mm is None:
        solid = drawing.sphere(np.array(region.centre_mm), region.radius_mm)
    else:
        solid = drawing.Solid(
            drawing.Shape.BOX, np.array(region.centre_mm), grid.directions * np.array(region.size_mm) / 2
        )
    mask = drawing.mask_of(grid, solid)
    if not mask.voxels:
        raise CannotRegister("the region holds no voxel of the fixed images: it is too small, or lies outside of them")
    return mask


def structure_pairs(
    archive: Archive | None, asked: Structures, fixed: Volume, moving: Volume
) -> tuple[tuple[StructurePair, ...], tuple[str, ...]]:
    """The regions that both objects have by one name, each on its own images; and what could not be compared."""
    ones, others = (regions_in(archive, each) for each in (asked.fixed, asked.moving))
    names = [row.name for row in ones.rows if row.name.casefold() in {other.name.casefold() for other in others.rows}]
    pairs, notes = [], []
    if not names:
        notes.append("the two objects have no region of the same name")
    for name in dict.fromkeys(names):
        try:
            one = region_on(archive, asked.fixed, name, fixed.grid)
            other = region_on(archive, asked.moving, name, moving.grid)
        except RadfuseError as error:
            notes.append(f"{name} cannot be compared: {error}")
            continue
        pairs.append(StructurePair(name, one.mask, other.mask))
    return tuple(pairs), tuple(notes)
