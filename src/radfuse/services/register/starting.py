"""Where a registration begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Points
from radfuse.registration.landmarks import far_apart, fit_landmarks
from radfuse.services.register.asking import LandmarkPair, RegisterAsk, RegisterKind
from radfuse.services.register.checks import Side
from radfuse.services.registrations import NotRegistered, Wish, path

_WITHOUT: Final = (RegisterKind.LANDMARKS, RegisterKind.MANUAL)
"""Kinds that begin nowhere: they are what was given."""

_FEWEST: Final = 3
"""Pairs of points that also say how the images are turned."""


def start_of(archive: Archive | None, ask: RegisterAsk, fixed: Side, moving: Side) -> Affine | None:
    """The transform to begin from: kept registrations, clicks, landmarks, or none in one frame of reference.

    None where nothing is known. Raises CannotRegister.
    """
    if ask.from_path:
        return _kept(archive, ask)
    if ask.clicks:
        kind = "rigid" if len(ask.clicks) >= _FEWEST else "translation"
        return fit_landmarks(*landmark_points(ask.clicks), kind).transform
    if started := starting_landmarks(ask):
        return fit_landmarks(*landmark_points([ask.landmarks[number] for number in started])).transform
    is_one_frame = fixed.volume.grid.frame.is_same_as(moving.volume.grid.frame)
    return Affine.identity() if is_one_frame else None


def starting_landmarks(ask: RegisterAsk) -> tuple[int, ...]:
    """Which landmarks (from 0) the registration begins from, and which are therefore no proof of it.

    Those that were clicked as well; without a click three that lie far apart, so that the others are left to judge.
    """
    if ask.kind in _WITHOUT or ask.from_path:
        return ()
    if ask.clicks:
        clicked = {(pair.fixed_mm, pair.moving_mm) for pair in ask.clicks}
        return tuple(n for n, pair in enumerate(ask.landmarks) if (pair.fixed_mm, pair.moving_mm) in clicked)
    if len(ask.landmarks) < _FEWEST:
        return ()
    return tuple(sorted(far_apart(landmark_points(ask.landmarks)[0])))


def landmark_points(pairs: Sequence[LandmarkPair]) -> tuple[Points, Points]:
    """The fixed and the moving points, n x 3 each."""
    return np.array([pair.fixed_mm for pair in pairs]), np.array([pair.moving_mm for pair in pairs])


def _kept(archive: Archive | None, ask: RegisterAsk) -> Affine:
    fixed, moving = ask.fixed.where, ask.moving.where
    if archive is None or not (isinstance(fixed, str) and isinstance(moving, str)):
        raise CannotRegister("only series of the archive can begin from the registrations that are kept")
    found = path(archive, fixed, moving, Wish(allow_other_patient=ask.allowed.other_patient))
    if isinstance(found, NotRegistered):
        raise CannotRegister(found.sentence)
    if not found.chain.is_affine:
        raise CannotRegister("the kept registrations deform; a registration begins from a rigid or affine one")
    return found.chain.affine()
