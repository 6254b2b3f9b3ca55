"""The scratch archive: whatever is compared went through real objects, checked, stored and read again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from radfuse.archive import Archive
from radfuse.geometry import Mask, Structure
from radfuse.objects.common import Making, Provenance, reference_to
from radfuse.objects.rtstruct import build_structure_set, read_structures
from radfuse.roi import filling, tracing
from radfuse.services.commission.anatomy import CONTOURED, organ
from radfuse.services.commission.scans import PT, Scan, Voxels, images_of, uid_of
from radfuse.services.one_object import object_named
from radfuse.services.store_results import store
from radfuse.services.volumes import Ask, open_series
from radfuse.volume import Unit, Volume

WHEN: Final = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)
"""When the objects say they were made: the same objects in every run."""


@dataclass(frozen=True, eq=False)
class Series:
    """A scan after it was stored and opened again."""

    scan: Scan
    volume: Volume
    headers: tuple[Dataset, ...]
    """Its images without pixels."""


class Bench:
    """Stores, opens, and reads back."""

    def __init__(self, archive: Archive) -> None:
        """On an archive that holds nothing else."""
        self.archive = archive
        numbers = itertools.count(1)
        self.making = Making(WHEN, lambda: uid_of(f"object {next(numbers)}"))

    def scanned(self, scan: Scan, voxels: Voxels | None = None) -> Series:
        """The scan as the archive gives it back; PET in SUVbw."""
        headers = self.stored(images_of(scan, voxels))
        return Series(scan, self.opened(scan.series_uid, Unit.SUV_BW if scan.modality == PT else None), headers)

    def stored(self, data_sets: Iterable[Dataset]) -> tuple[Dataset, ...]:
        """Check and keep objects; they are given back without their pixels."""
        batch = list(data_sets)
        store(self.archive, batch)
        for ds in batch:
            if "PixelData" in ds:
                del ds.PixelData
        return tuple(batch)

    def opened(self, series_uid: str, unit: Unit | None = None) -> Volume:
        """A series as a volume, from its objects."""
        return open_series(self.archive, series_uid, Ask(unit), cache_bytes=0).volume

    def read(self, ds: Dataset) -> Dataset:
        """An object as the archive gives it back."""
        return object_named(self.archive, str(ds.SOPInstanceUID))

    def provenance(self, purpose: str, images: Sequence[Dataset]) -> Provenance:
        """Of an object made here."""
        return Provenance(purpose, {}, tuple(reference_to(image) for image in images))

    def contoured(self, series: Series, regions: dict[str, Mask]) -> dict[str, Structure]:
        """Regions as an RT Structure Set on the images, read back from the archive."""
        uids = series.volume.source.instance_uids
        drawn = [tracing.trace(mask, name, image_uids=uids) for name, mask in regions.items()]
        ds = build_structure_set(
            drawn,
            series.headers,
            label="COMMISSION",
            provenance=self.provenance("known regions", series.headers),
            making=self.making,
        )
        (kept,) = self.stored([ds])
        return {structure.name: structure for structure in read_structures(self.read(kept)).structures}


def known_regions(scan: Scan) -> dict[str, Mask]:
    """The contoured organs on the grid of a scan, by their formulas."""
    grid = scan.grid
    inside = {name: np.zeros(grid.shape, np.bool_) for name in CONTOURED}
    for index in range(grid.shape[0]):
        points = scan.place(grid.slice_points_mm(index))
        for name, found in inside.items():
            found[index] = organ(name).inside(points)
    return {name: Mask(grid, found) for name, found in inside.items()}


def filled(structures: dict[str, Structure], series: Series) -> dict[str, Mask]:
    """Contours on the voxels of a series."""
    grid = series.volume.grid
    return {name: filling.mask_of(structure, grid) for name, structure in structures.items()}
