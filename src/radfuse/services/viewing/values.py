"""Values under the pointer: those of the voxels as the images have them, never the display's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radfuse.archive import Archive
from radfuse.geometry import FrameOfReference
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.aligning import aligned
from radfuse.services.viewing.showing import native_volume
from radfuse.volume import Unit, Volume


@dataclass(frozen=True, slots=True)
class ValuesOfSeries:
    """Of one series, at each point; None outside of it, where a registration says nothing, and for no number."""

    series: str
    unit: Unit
    values: tuple[float | None, ...]


def values_at(archive: Archive, base: str, view: SeriesView, points_mm: npt.NDArray[np.float64]) -> ValuesOfSeries:
    """The values of the voxels that hold these points (n x 3) of the frame of ``base``; "": of the series itself.

    Raises as ``show``.
    """
    volume = native_volume(archive, view)
    if base and base != view.series:
        path = aligned(archive, base, view).path
        frame = FrameOfReference(path.moving.frame_of_reference_uid)
        volume.grid.frame.require_same(frame, "the images and the registration")
        points_mm = path.chain.apply(points_mm)
    return ValuesOfSeries(view.series, volume.unit, tuple(_nearest(volume, points_mm)))


def _nearest(volume: Volume, points_mm: npt.NDArray[np.float64]) -> list[float | None]:
    known = np.asarray(np.isfinite(points_mm).all(axis=1))
    inside = known & volume.grid.contains(np.where(known[:, None], points_mm, 0.0))
    index = np.floor(volume.grid.from_patient.apply(points_mm[inside]) + 0.5).astype(np.int64)
    found = volume.voxels[index[:, 2], index[:, 1], index[:, 0]].astype(np.float64)
    values: list[float | None] = [None] * len(points_mm)
    for place, value in zip(np.flatnonzero(inside).tolist(), found.tolist(), strict=True):
        values[place] = value if np.isfinite(value) else None
    return values
