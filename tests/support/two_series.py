"""A body as a CT and an MR series in two frames of reference, with the transform between them and points on both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from radfuse.geometry import Affine
from tests.support.generate import FRAME_OF_REFERENCE_UID, save
from tests.support.volumes import Edit, Shape, image, put_pixels

MR_FRAME = "2.25.7003"
CT_SERIES, MR_SERIES = "2.25.7100.41", "2.25.7100.42"
CT_SHAPE = Shape(30, 30, (3.0, 3.0, 3.0), first_mm=(-43.5, -43.5, -42.0))
MR_SHAPE = Shape(28, 28, (3.5, 3.5, 3.5), first_mm=(-41.25, -53.25, -37.25))
SLICES = 29

_ANGLE = np.deg2rad(8)
TRUTH = Affine.of(
    [[np.cos(_ANGLE), -np.sin(_ANGLE), 0], [np.sin(_ANGLE), np.cos(_ANGLE), 0], [0, 0, 1]], (6.0, -6.0, 10.0)
)
"""From points of the CT to those of the MR."""


@dataclass(frozen=True)
class TwoSeries:
    """The files of both."""

    ct: tuple[Path, ...]
    mr: tuple[Path, ...]

    @property
    def files(self) -> list[Path]:
        """All of them."""
        return [*self.ct, *self.mr]


def write_two_series(root: Path, edit_mr: Edit | None = None, bent_mm: float = 0.0) -> TwoSeries:
    """Both series under ``root``; ``edit_mr`` may change each image of the MR.

    With ``bent_mm`` the second one has the contrast and the frame of reference of the first, and is deformed by so
    much at most.
    """
    ct = [_slice(CT_SHAPE, "CT", 41, number) for number in range(SLICES)]
    mr = [_slice(CT_SHAPE if bent_mm else MR_SHAPE, "MR", 42, number, bent_mm) for number in range(SLICES)]
    for number, ds in enumerate(mr):
        ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID if bent_mm else MR_FRAME
        if edit_mr is not None:
            edit_mr(ds, number)
    return TwoSeries(
        tuple(save(ds, root / "ct", str(ExplicitVRLittleEndian)) for ds in ct),
        tuple(save(ds, root / "mr", str(ExplicitVRLittleEndian)) for ds in mr),
    )


def _slice(shape: Shape, modality: str, series: int, number: int, bent_mm: float = 0.0) -> Dataset:
    ds = image(shape, modality, number, series)
    down, across = np.mgrid[0 : shape.rows, 0 : shape.columns]
    first = np.array(shape.position(number))
    points = first + across[..., None] * (shape.between_mm[1], 0, 0) + down[..., None] * (0, shape.between_mm[0], 0)
    if modality == "MR":
        bend = bent_mm * np.sin(points[..., [1, 2, 0]] / 14)
        points = points + bend if bent_mm else TRUTH.inverse().apply(points)
    body = _body(points)
    values = 24 + body if modality == "CT" or bent_mm else np.where(body > 200, 2600 - 1.2 * body, 20)
    noise = np.random.default_rng(series * 100 + number).normal(0, 8, values.shape)
    put_pixels(ds, np.clip(values + noise, 0, 4095).astype(np.uint16))
    return ds


def _body(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """0 outside, about 1000 inside an ellipsoid with brighter and darker places in it."""
    inside = np.linalg.norm(points / (36, 30, 38), axis=-1) < 1
    drawn = np.random.default_rng(5)
    values = np.full(points.shape[:-1], 1000.0)
    for _ in range(30):
        centre, size, height = drawn.uniform(-26, 26, 3), drawn.uniform(4, 9), drawn.uniform(-400, 600)
        values += height * np.exp(-(np.linalg.norm(points - centre, axis=-1) ** 2) / (2 * size**2))
    return np.where(inside, values, 0.0)


def landmark_lines(off_mm: float = 0.0) -> str:
    """A CSV file of six pairs of points, the moving ones off along x."""
    fixed = np.array([[0, 0, 0], [25, 0, 0], [0, 22, 0], [0, 0, 28], [-20, -12, 6], [12, -16, -20]], dtype=float)
    moving = TRUTH.apply(fixed) + np.array([off_mm, 0, 0])
    rows = (
        f"P{number},{','.join(f'{value:.4f}' for value in (*one, *other))}"
        for number, (one, other) in enumerate(zip(fixed, moving, strict=True), 1)
    )
    return "\n".join(("name,x,y,z,u,v,w", *rows)) + "\n"


__all__ = ["CT_SERIES", "FRAME_OF_REFERENCE_UID", "MR_FRAME", "MR_SERIES", "TRUTH", "TwoSeries", "landmark_lines"]
