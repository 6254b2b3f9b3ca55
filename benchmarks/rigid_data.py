"""Pairs of two modalities with a known rigid transform: a made body, BrainWeb, the MNI head and a PET of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.registration_data import softened, template_path
from radfuse.geometry import Affine, FrameOfReference, Grid, Points
from radfuse.volume import Source, Unit, Volume, image_files, resample
from tests.registration.made_rigid import MIDDLE, fixed_volume, motion, moving_volume
from tests.volume.made import turned

_BRAINWEB: Final = "registration/brainweb-pet-t1"
_FRAMES: Final = (FrameOfReference("2.25.1"), FrameOfReference("2.25.2"))
_PET_MM: Final = (2.0, 2.0, 3.3)
_BLUR_VOXELS: Final = 2.5
"""Of 1 mm: 6 mm at half height, as a PET sees."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images, the transform from fixed to moving points, and the cube at whose corners a result is judged."""

    fixed: Volume
    moving: Volume
    truth: Affine
    middle_mm: Points
    half_mm: float

    def error_mm(self, found: Affine) -> float:
        """The largest distance to the truth at the corners."""
        signs = np.stack(np.meshgrid((-1, 1), (-1, 1), (-1, 1), indexing="ij"), axis=-1).reshape(8, 3)
        box = self.middle_mm + self.half_mm * signs
        return float(np.linalg.norm(found.apply(box) - self.truth.apply(box), axis=1).max())

    def starts(self, count: int) -> Iterator[Affine]:
        """The same ones each time, off the truth by up to 25 degrees and 40 mm."""
        rng = np.random.default_rng(1)
        for _ in range(count):
            degrees = rng.uniform(-25, 25, 3) / np.sqrt(3)
            shift = rng.normal(size=3)
            shift *= 40 * np.cbrt(rng.uniform()) / np.linalg.norm(shift)
            turn = turned(degrees[0], 0) @ turned(degrees[1], 1) @ turned(degrees[2])
            middle = self.middle_mm
            yield self.truth.after(Affine.of(turn, middle + shift - turn @ middle))


def made() -> Pair:
    """2 mm and 2.5 mm voxels."""
    truth = motion(7, (30.0, -15.0, 20.0))
    return Pair(fixed_volume(2.0), moving_volume(truth, 2.5), truth, MIDDLE, 50.0)


def brainweb() -> Pair | None:
    """PET and T1 of one head on one grid; None without the shared data."""
    named = os.environ.get("RADFUSE_TEST_DATA")
    folder = (Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data") / _BRAINWEB
    files = [folder / name for name in ("brainweb_06_osem_cropped.nii", "brainweb_06_t1_cropped.nii")]
    if not all(file.is_file() for file in files):
        return None
    fixed, moving = (
        _framed(image_files.read_image_file(file), frame) for file, frame in zip(files, _FRAMES, strict=True)
    )
    return Pair(fixed, moving, Affine.identity(), fixed.grid.corners_mm.mean(axis=0), 28.0)


def mni() -> Pair | None:
    """The T1 template (1 mm) and a PET made of it: grey matter bright, blurred, noisy; None without the template."""
    path = template_path()
    if path is None:
        return None
    fixed = _framed(image_files.read_image_file(path), _FRAMES[0])
    middle = fixed.grid.corners_mm.mean(axis=0)
    turn = turned(8) @ turned(-5, 0) @ turned(4, 1)
    truth = Affine.of(turn, middle - turn @ middle + (12.0, -9.0, 15.0))
    return Pair(fixed, _pet(fixed, truth), truth, middle, 70.0)


def _pet(head: Volume, truth: Affine) -> Volume:
    share = head.voxels / head.voxels.max()
    uptake = np.where(share > 0.1, np.exp(-(((share - 0.62) / 0.12) ** 2)) + 0.25, 0.0) * 1000
    blurred = _volume(softened(uptake, _BLUR_VOXELS), head.grid)
    shape = tuple(round(side / mm) for side, mm in zip((190, 220, 190), _PET_MM[::-1], strict=True))
    corner = truth.apply(head.grid.corners_mm.mean(axis=0)) - np.array(_PET_MM) * (np.array(shape[::-1]) - 1) / 2
    grid = Grid.of((shape[0], shape[1], shape[2]), _PET_MM, corner, _FRAMES[1])
    seen = resample.resample(blurred, grid, truth.inverse()).voxels
    noise = np.random.default_rng(3).normal(0, 40, grid.shape)
    return _volume(np.maximum(seen + noise, 0), grid)


def _framed(volume: Volume, frame: FrameOfReference) -> Volume:
    return _volume(volume.voxels, Grid(volume.grid.shape, volume.grid.to_patient, frame))


def _volume(voxels: npt.NDArray[Any], grid: Grid) -> Volume:
    return Volume(np.ascontiguousarray(voxels, np.float32), grid, Unit.SIGNAL, Source("MR", "", "", "", ()))


PAIRS: Final[dict[str, Callable[[], Pair | None]]] = {
    "made body": made,
    "BrainWeb PET and T1": brainweb,
    "MNI T1 and a PET of it": mni,
}
