"""Registration by pairs of points that a person has named: least squares, with what is left at each pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Points

_FLAT: Final = 1e-3
"""Smallest spread of points, as a share of the largest, that still fixes a rotation."""


class LandmarkKind(StrEnum):
    """What may change."""

    TRANSLATION = "translation"
    RIGID = "rigid"
    SIMILARITY = "similarity"
    """A rigid transform and one scale for all axes."""
    AFFINE = "affine"


FEWEST: Final = {
    LandmarkKind.TRANSLATION: 1,
    LandmarkKind.RIGID: 3,
    LandmarkKind.SIMILARITY: 3,
    LandmarkKind.AFFINE: 4,
}
"""Pairs that a fit of each kind needs."""


@dataclass(frozen=True, eq=False)
class LandmarkFit:
    """The transform that maps fixed points to moving points best, and how far off it is at each pair."""

    transform: Affine
    residuals_mm: npt.NDArray[np.float64]
    """Distance left at each pair: the fit has seen it, so this says little about places between."""
    left_out_mm: npt.NDArray[np.float64]
    """Distance at each pair of a fit to all the others: an estimate of the target registration error.
    NaN where the others are too few or lie badly."""

    @property
    def rms_mm(self) -> float:
        """Root mean square of the residuals: the fiducial registration error."""
        return float(np.sqrt(np.mean(self.residuals_mm**2)))

    @property
    def expected_error_mm(self) -> float:
        """Root mean square of ``left_out_mm``; NaN when no pair could be left out."""
        known = self.left_out_mm[~np.isnan(self.left_out_mm)]
        return float(np.sqrt(np.mean(known**2))) if len(known) else float("nan")

    @property
    def worst(self) -> int:
        """Which pair (from 0) fits the others least; by the residuals when not every pair could be left out."""
        errors = self.residuals_mm if np.isnan(self.left_out_mm).any() else self.left_out_mm
        return int(np.argmax(errors))


def fit_landmarks(fixed_mm: Points, moving_mm: Points, kind: str = LandmarkKind.RIGID) -> LandmarkFit:
    """The transform of a kind (``LandmarkKind`` or its value) from fixed to moving points.

    Raises CannotRegister for another kind, too few pairs, or points that leave the transform open (on
    one line for a rigid one or a similarity, in one plane for an affine one).
    """
    fixed, moving = np.asarray(fixed_mm, dtype=np.float64), np.asarray(moving_mm, dtype=np.float64)
    if kind not in tuple(LandmarkKind):
        raise CannotRegister(f"landmarks fit a transform that is {', '.join(LandmarkKind)}")
    if fixed.shape != moving.shape or fixed.ndim != 2 or fixed.shape[1] != 3:
        raise CannotRegister("landmarks must come in pairs of two points")
    if not (np.isfinite(fixed).all() and np.isfinite(moving).all()):
        raise CannotRegister("a landmark's position is no finite number")
    transform = _fit(fixed, moving, LandmarkKind(kind))
    left = [_left_out(fixed, moving, each, LandmarkKind(kind)) for each in range(len(fixed))]
    return LandmarkFit(transform, np.linalg.norm(transform.apply(fixed) - moving, axis=1), np.array(left))


def far_apart(points_mm: Points) -> tuple[int, int, int]:
    """Which three of the points span much: the one farthest from the middle, that farthest from it and from their line.

    They may still lie on one line where all do.
    """
    first = int(np.argmax(np.linalg.norm(points_mm - points_mm.mean(axis=0), axis=1)))
    away = points_mm - points_mm[first]
    second = int(np.argmax(np.linalg.norm(away, axis=1)))
    third = int(np.argmax(np.linalg.norm(np.cross(away, away[second]), axis=1)))
    return first, second, third


def _fit(fixed: Points, moving: Points, kind: LandmarkKind) -> Affine:
    if len(fixed) < FEWEST[kind]:
        raise CannotRegister(f"a fit of this kind ({kind}) needs {FEWEST[kind]} pairs of landmarks or more")
    return _FITS[kind](fixed, moving)


def _left_out(fixed: Points, moving: Points, pair: int, kind: LandmarkKind) -> float:
    others = np.arange(len(fixed)) != pair
    try:
        transform = _fit(fixed[others], moving[others], kind)
    except CannotRegister:
        return float("nan")
    return float(np.linalg.norm(transform.apply(fixed[pair]) - moving[pair]))


def _translation(fixed: Points, moving: Points) -> Affine:
    return Affine.of(np.eye(3), (moving - fixed).mean(axis=0))


def _rigid(fixed: Points, moving: Points) -> Affine:
    return _turned(fixed, moving, may_scale=False)


def _similarity(fixed: Points, moving: Points) -> Affine:
    return _turned(fixed, moving, may_scale=True)


def _turned(fixed: Points, moving: Points, *, may_scale: bool) -> Affine:
    """By the singular value decomposition of the covariance, without reflections (Arun 1987, Umeyama 1991)."""
    centre_f, centre_m = fixed.mean(axis=0), moving.mean(axis=0)
    _require_spread(fixed - centre_f, 2, "on one line")
    _require_spread(moving - centre_m, 2, "on one line")
    left, strengths, right = np.linalg.svd((moving - centre_m).T @ (fixed - centre_f))
    signs = np.array((1.0, 1.0, np.sign(np.linalg.det(left @ right))))
    linear = left @ np.diag(signs) @ right
    if may_scale:
        linear *= (strengths * signs).sum() / ((fixed - centre_f) ** 2).sum()
    return Affine.of(linear, centre_m - linear @ centre_f)


def _affine(fixed: Points, moving: Points) -> Affine:
    centre = fixed.mean(axis=0)
    _require_spread(fixed - centre, 3, "in one plane")
    _require_spread(moving - moving.mean(axis=0), 3, "in one plane")
    with_one = np.column_stack((fixed - centre, np.ones(len(fixed))))
    solved, *_ = np.linalg.lstsq(with_one, moving, rcond=None)
    linear = solved[:3].T
    return Affine.of(linear, solved[3] - linear @ centre)


_FITS: Final[dict[LandmarkKind, Callable[[Points, Points], Affine]]] = {
    LandmarkKind.TRANSLATION: _translation,
    LandmarkKind.RIGID: _rigid,
    LandmarkKind.SIMILARITY: _similarity,
    LandmarkKind.AFFINE: _affine,
}


def _require_spread(centred: Points, directions: int, where: str) -> None:
    spread = np.linalg.svd(centred, compute_uv=False)
    if len(spread) < directions or spread[0] == 0 or spread[directions - 1] < _FLAT * spread[0]:
        raise CannotRegister(f"the landmarks lie {where}; name one that does not")
