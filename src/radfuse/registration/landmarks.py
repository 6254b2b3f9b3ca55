"""Registration by pairs of points that a person has named: least squares, with what is left at each pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Points

_FEWEST: Final = {"translation": 1, "rigid": 3, "affine": 4}
_FLAT: Final = 1e-3
"""Smallest spread of points, as a share of the largest, that still fixes a rotation."""


@dataclass(frozen=True, eq=False)
class LandmarkFit:
    """The transform that maps fixed points to moving points best, and the distance left at each pair in mm."""

    transform: Affine
    residuals_mm: npt.NDArray[np.float64]

    @property
    def rms_mm(self) -> float:
        """Root mean square of the residuals: the fiducial registration error."""
        return float(np.sqrt(np.mean(self.residuals_mm**2)))


def fit_landmarks(fixed_mm: Points, moving_mm: Points, kind: str = "rigid") -> LandmarkFit:
    """The ``translation``, ``rigid`` or ``affine`` transform from fixed to moving points.

    Raises CannotRegister for too few pairs, or points that leave the transform open (on one line for a
    rigid one, in one plane for an affine one).
    """
    fixed, moving = np.asarray(fixed_mm, dtype=np.float64), np.asarray(moving_mm, dtype=np.float64)
    if fixed.shape != moving.shape or fixed.ndim != 2 or fixed.shape[1] != 3:
        raise CannotRegister("landmarks must come in pairs of two points")
    if not (np.isfinite(fixed).all() and np.isfinite(moving).all()):
        raise CannotRegister("a landmark's position is no finite number")
    if len(fixed) < _FEWEST[kind]:
        raise CannotRegister(f"a fit of this kind ({kind}) needs {_FEWEST[kind]} pairs of landmarks or more")
    fits = {"translation": _translation, "rigid": _rigid, "affine": _affine}
    transform = fits[kind](fixed, moving)
    return LandmarkFit(transform, np.linalg.norm(transform.apply(fixed) - moving, axis=1))


def _translation(fixed: Points, moving: Points) -> Affine:
    return Affine.of(np.eye(3), (moving - fixed).mean(axis=0))


def _rigid(fixed: Points, moving: Points) -> Affine:
    """By the singular value decomposition of the covariance (Arun 1987, without reflections)."""
    centre_f, centre_m = fixed.mean(axis=0), moving.mean(axis=0)
    _require_spread(fixed - centre_f, 2, "on one line")
    _require_spread(moving - centre_m, 2, "on one line")
    left, _, right = np.linalg.svd((moving - centre_m).T @ (fixed - centre_f))
    sign = np.sign(np.linalg.det(left @ right))
    rotation = left @ np.diag((1.0, 1.0, sign)) @ right
    return Affine.of(rotation, centre_m - rotation @ centre_f)


def _affine(fixed: Points, moving: Points) -> Affine:
    centre = fixed.mean(axis=0)
    _require_spread(fixed - centre, 3, "in one plane")
    with_one = np.column_stack((fixed - centre, np.ones(len(fixed))))
    solved, *_ = np.linalg.lstsq(with_one, moving, rcond=None)
    linear = solved[:3].T
    return Affine.of(linear, solved[3] - linear @ centre)


def _require_spread(centred: Points, directions: int, where: str) -> None:
    spread = np.linalg.svd(centred, compute_uv=False)
    if spread[0] == 0 or spread[directions - 1] < _FLAT * spread[0]:
        raise CannotRegister(f"the landmarks lie {where}; name one that does not")
