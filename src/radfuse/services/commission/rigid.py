"""Rigid registrations against known motions, through Spatial Registration objects."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np

from radfuse.geometry import Affine, Chain, Points
from radfuse.objects.common import reference_to
from radfuse.objects.reg import CONTENT_BASED, NewRegistration, build_spatial_registration, read_registration
from radfuse.registration import RigidRecipe, rigid
from radfuse.services.commission.bench import Bench, Series
from radfuse.services.commission.model import Row
from radfuse.services.commission.sizes import Motion

PART: Final = "rigid"
_HALF_CUBE_MM: Final = 70.0

CUBE_MM: Final[Points] = np.array(list(product((-_HALF_CUBE_MM, _HALF_CUBE_MM), repeat=3)))
"""The corners of a cube of 140 mm around the middle of the patient."""


def rigid_rows(bench: Bench, fixed: Series, moving: Series, motion: Motion, recipe: RigidRecipe) -> Iterator[Row]:
    """Registered without any hint, written, read, and compared at the corners of a cube of 140 mm."""
    found = rigid.register_rigid(fixed.volume, moving.volume, recipe).transform
    kept = written(bench, fixed, moving, Chain((found,)))
    test = f"{moving.scan.modality} to CT, {motion.name}"
    coarser_mm = max(*fixed.volume.grid.spacing_mm, *moving.volume.grid.spacing_mm)
    yield Row(
        PART, test, "largest error at a corner", "mm", coarser_mm / 2, _most(kept.apply(CUBE_MM), motion.transform)
    )
    yield Row(PART, test, "written and read", "mm", 0.05, _most(kept.apply(CUBE_MM), found))


def _most(points_mm: Points, truth: Affine) -> float:
    return float(np.linalg.norm(points_mm - truth.apply(CUBE_MM), axis=-1).max())


def written(bench: Bench, fixed: Series, moving: Series, transform: Chain) -> Chain:
    """A rigid transform as the archive gives it back, from a Spatial Registration."""
    ds = build_spatial_registration(
        new_registration(fixed, moving, transform),
        fixed.headers[0],
        provenance=bench.provenance("automatic rigid registration", (*fixed.headers, *moving.headers)),
        making=bench.making,
    )
    bench.stored([ds])
    (edge,) = read_registration(bench.read(ds)).edges
    return edge.transform


def new_registration(fixed: Series, moving: Series, transform: Chain) -> NewRegistration:
    """What is to be written."""
    return NewRegistration(
        fixed.volume.grid.frame,
        moving.volume.grid.frame,
        transform,
        CONTENT_BASED,
        fixed_images=tuple(reference_to(ds) for ds in fixed.headers),
        moving_images=tuple(reference_to(ds) for ds in moving.headers),
    )
