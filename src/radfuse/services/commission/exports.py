"""Exports: what is written lies where it should, and says the same when it is read again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from radfuse.geometry import Affine, Mask
from radfuse.objects.common import NewSeries, codes
from radfuse.objects.seg import Content, NewSegment, SegmentFacts, build_segmentation, read_segmentation
from radfuse.objects.series import build_series
from radfuse.services.commission.bench import Bench, Series
from radfuse.services.commission.model import Row
from radfuse.volume import Unit, resample

PART: Final = "exports"


def series_rows(bench: Bench, fixed: Series, moving: Series, truth: Affine) -> Iterator[Row]:
    """The moving images on the fixed grid, as a series of their own: written, stored, opened."""
    made = resample.resample(moving.volume, fixed.volume.grid, truth)
    test = f"{moving.scan.modality} series on the grid of CT"
    kept = bench.stored(
        build_series(
            made,
            moving.headers,
            NewSeries(f"{moving.scan.name}, resampled"),
            bench.provenance("known rigid motion", moving.headers),
            bench.making,
        )
    )
    unit = made.unit if made.unit is Unit.SUV_BW else None
    back = bench.opened(str(kept[0].SeriesInstanceUID), unit)
    corners = np.abs(back.grid.corners_mm - made.grid.corners_mm).max()
    yield Row(PART, test, "largest error of a corner", "mm", 0.01, float(corners))
    steps = [float(ds.get("RescaleSlope", 1)) for ds in kept]
    off = np.abs(back.voxels.astype(np.float64) - made.voxels)
    yield Row(PART, test, "largest error of a voxel", "stored steps", 0.51, float((off.max(axis=(1, 2)) / steps).max()))


def segmentation_rows(bench: Bench, series: Series, regions: dict[str, Mask]) -> Iterator[Row]:
    """Regions as a Segmentation on oblique images: written, stored, read."""
    test = f"segmentation on oblique {series.scan.modality}"
    segments = [NewSegment.of(SegmentFacts(name, codes.TISSUE, codes.TISSUE), mask) for name, mask in regions.items()]
    ds = build_segmentation(
        segments,
        series.volume.grid,
        series.headers,
        content=Content("COMMISSION"),
        provenance=bench.provenance("known regions", series.headers),
        making=bench.making,
    )
    bench.stored([ds])
    back = read_segmentation(bench.read(ds), series.volume.grid)
    found = [back.mask(facts.number) for facts in back.segments]
    differ = [np.count_nonzero(mask.inside ^ one.inside) for mask, one in zip(regions.values(), found, strict=True)]
    yield Row(PART, test, "voxels that differ", "1", 0, float(sum(differ)))
    corners = np.abs(found[0].grid.corners_mm - series.volume.grid.corners_mm).max()
    yield Row(PART, test, "largest error of a corner", "mm", 0.01, float(corners))
