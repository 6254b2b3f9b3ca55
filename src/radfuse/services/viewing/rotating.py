"""Rotating maximum intensity projections for viewers, kept on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.archive import Archive
from radfuse.fusion import RotatingProjection, rotating_mip
from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.services.viewing.derived import derived
from radfuse.services.viewing.showing import Shown
from radfuse.volume import Volume

FRAMES: Final = 36
AXIS: Final = "z"


@dataclass(frozen=True, slots=True)
class RotatingSize:
    """How large the pictures are."""

    rows: int
    columns: int
    spacing_mm: tuple[float, float]
    """Width and height of a pixel."""
    frames: int = FRAMES
    axis: str = AXIS


def rotating_size(volume: Volume) -> RotatingSize | None:
    """The size of the pictures; None of one slice, of which there are none."""
    if min(volume.grid.shape) < 2:
        return None
    return RotatingSize(*RotatingProjection.size_of(volume.grid, AXIS))


def rotating_pictures(archive: Archive, shown: Shown) -> npt.NDArray[Any]:
    """Frames x rows x columns (float32), mapped from the cache. Raises InvalidGeometry."""
    # The same voxels lie differently in another frame of reference, and are seen from other sides.
    turn = shown.volume.grid.to_patient.linear.tobytes().hex()
    key = replace(shown.key, made=f"{shown.key.made}\nrotating {FRAMES} {AXIS} {turn}")

    def make() -> Volume:
        pictures = rotating_mip(shown.volume, FRAMES, AXIS).pictures.astype(np.float32)
        grid = Grid(pictures.shape, Affine.identity(), FrameOfReference())
        return Volume(pictures, grid, shown.volume.unit, replace(shown.volume.source, instance_uids=()))

    return derived(archive, key, make).voxels
