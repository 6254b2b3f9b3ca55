"""Regions found in the voxels of a series: from a limit on, or between two, connected with a place."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Mask, Points
from radfuse.roi import drawing, growing, metabolic
from radfuse.roi.boxes import Box, Drawn, box_around, part_of, trimmed, whole
from radfuse.services.drawing.frames import Standpoint
from radfuse.services.drawing.rules import Ball, Grow, Hot, Limit
from radfuse.volume import Volume

NEAR_MM: Final = 10.0
"""The hottest voxel is looked for this near to the seed."""

_FIRST_REACH_MM: Final = 48.0
"""A region is looked for so far around its seed, and twice as far as long as it reaches the edge."""

_SHELL_MM: Final = 20.0
"""What an adaptive threshold sees around a region."""

_Neighbours = Literal[6, 26]


def hot(stand: Standpoint, volume: Volume, rule: Hot) -> Drawn:
    """What hangs together with the hottest voxel. Raises InvalidRegion."""
    within = None if rule.within is None else _moved(stand, rule.within)
    if rule.limit.of == "adaptive":
        return _adaptive(volume, within)
    if rule.seed_mm is not None:
        near = Ball(_vector(stand.points(rule.seed_mm)), 2 * NEAR_MM)
    elif within is not None:
        near = within
    else:
        raise InvalidRegion("say where: a seed, or a ball to look in")
    place, highest = _summit(volume, _hottest(volume, near, within), within)
    low = _level(stand, volume, rule.limit, highest)
    if highest < low:
        raise InvalidRegion(f"no voxel there reaches {low:.4g} {volume.unit}: the highest has {highest:.4g}")
    found = _connected(volume, place, (low, np.inf), 26, within)
    hottest = float(volume.voxels[found.box.where][found.inside].max())
    if rule.limit.of == "max" and hottest > highest:
        found = found.noting(
            f"it runs into something hotter ({hottest:.4g} {volume.unit}): the threshold is a part of {highest:.4g}, "
            "the highest value where it was begun. A smaller ball, or a value as threshold, keeps them apart"
        )
    return found.remarking(f"from {low:.4g} {volume.unit} on; the hottest voxel has {highest:.4g}")


def grow(stand: Standpoint, volume: Volume, rule: Grow) -> Drawn:
    """What hangs together with the voxel of a seed. Raises InvalidRegion."""
    within = None if rule.within is None else _moved(stand, rule.within)
    return _connected(volume, stand.points(rule.seed_mm), (rule.low, rule.high), 6, within)


def ball_on(volume: Volume, ball: Ball, margin_mm: float = 0.0) -> tuple[Box, Volume, Mask]:
    """The part of a volume around a ball, and the voxels whose centres lie in the ball."""
    solid = drawing.sphere(np.array(ball.centre_mm), ball.diameter_mm / 2)
    centre = np.array(ball.centre_mm)
    reach = ball.diameter_mm / 2 + margin_mm
    box = box_around(volume.grid, np.stack((centre - reach, centre + reach)))
    part = part_of(volume, box)
    return box, part, drawing.mask_of(part.grid, solid)


def _moved(stand: Standpoint, ball: Ball) -> Ball:
    return Ball(_vector(stand.points(ball.centre_mm)), ball.diameter_mm)


def _vector(point: Points) -> tuple[float, float, float]:
    x, y, z = point.tolist()
    return x, y, z


def _hottest(volume: Volume, near: Ball, within: Ball | None) -> Points:
    """The centre of the hottest voxel of a ball."""
    _, part, mask = ball_on(volume, near)
    allowed = mask.inside & _allowed(part, None if within is near else within)
    if not allowed.any():
        raise InvalidRegion("there is no voxel near the seed to begin from")
    place = np.unravel_index(int(np.where(allowed, part.voxels, -np.inf).argmax()), part.voxels.shape)
    return part.grid.to_patient.apply(place[::-1])


def _summit(volume: Volume, start_mm: Points, within: Ball | None) -> tuple[Points, float]:
    """Uphill from a voxel through its neighbours: centre and value of the one without a hotter one beside it.

    Who clicks beside a hot spot means the spot: a part of what its slope has would be no part of its maximum.
    """
    at = np.rint(volume.grid.from_patient.apply(start_mm)).astype(int)[::-1]
    while True:
        first = np.maximum(at - 1, 0)
        size = np.minimum(at + 2, volume.grid.shape) - first
        part = part_of(volume, Box((first[0], first[1], first[2]), (size[0], size[1], size[2])))
        values = np.where(_allowed(part, within), part.voxels, -np.inf)
        values[tuple(at - first)] = volume.voxels[tuple(at)]  # it stays unless a neighbour is hotter
        best = first + np.unravel_index(int(values.argmax()), values.shape)
        if values.max() <= volume.voxels[tuple(at)]:
            return volume.grid.to_patient.apply(at[::-1]), float(volume.voxels[tuple(at)])
        at = best


def _allowed(part: Volume, within: Ball | None) -> npt.NDArray[np.bool_]:
    """The voxels with a number, in the ball where there is one."""
    allowed: npt.NDArray[np.bool_] = np.isfinite(part.voxels)
    if within is not None:
        solid = drawing.sphere(np.array(within.centre_mm), within.diameter_mm / 2)
        allowed &= drawing.mask_of(part.grid, solid).inside
    return allowed


def _level(stand: Standpoint, volume: Volume, limit: Limit, highest: float) -> float:
    """The lowest value that belongs to the region."""
    if limit.of == "max":
        if not highest > 0:
            raise InvalidRegion("a part of the highest value needs one above zero")
        asked = metabolic.Threshold(metabolic.ThresholdKind.PERCENT_OF_MAXIMUM, limit.value, volume.unit)
        return asked.level(highest)
    return threshold_of(stand, volume, limit).level(highest)


def threshold_of(stand: Standpoint, volume: Volume, limit: Limit) -> metabolic.Threshold:
    """The threshold of a limit. Raises InvalidRegion."""
    kinds = metabolic.ThresholdKind
    if limit.of == "liver":
        if limit.liver is None:
            raise InvalidRegion("say where the liver is: a ball of 30 mm in its right lobe")
        _, part, mask = ball_on(volume, _moved(stand, limit.liver))
        return metabolic.percist_reference(part, mask).threshold
    kind = kinds.PERCENT_OF_MAXIMUM if limit.of == "max" else kinds.ABSOLUTE
    return metabolic.Threshold(kind, limit.value, volume.unit)


def _adaptive(volume: Volume, within: Ball | None) -> Drawn:
    if within is None:
        raise InvalidRegion("an adaptive threshold needs a ball to look in")
    box, part, mask = ball_on(volume, within, _SHELL_MM)
    found = growing.adaptive(part, mask)
    words = f"from {found.low:.4g} {found.unit} on, half way from {found.background or 0:.4g} to {found.maximum:.4g}"
    return trimmed(volume.grid, box, found.mask.inside).remarking(words)


def _connected(
    volume: Volume, seed_mm: Points, limits: tuple[float, float], neighbours: _Neighbours, within: Ball | None
) -> Drawn:
    """What hangs together with a voxel. Looked for in a box that grows until the region lies within it."""
    if within is not None:
        box, part, mask = ball_on(volume, within)
        found = growing.grow(part, seed_mm, limits, neighbours, within=mask)
        return trimmed(volume.grid, box, found.mask.inside)
    if not volume.grid.contains(seed_mm):
        raise InvalidRegion("the seed lies outside the image")
    reach_mm = _FIRST_REACH_MM
    while True:
        box = box_around(volume.grid, seed_mm, reach_mm)
        inside = growing.grow(part_of(volume, box), seed_mm, limits, neighbours).mask.inside
        if box == whole(volume.grid) or not _reaches_edge(volume, box, inside):
            return trimmed(volume.grid, box, inside)
        reach_mm *= 2


def _reaches_edge(volume: Volume, box: Box, inside: npt.NDArray[np.bool_]) -> bool:
    """Whether a region touches a side of its box beyond which there are more voxels."""
    for axis, (first, size, all_) in enumerate(zip(box.first, box.shape, volume.grid.shape, strict=True)):
        if first > 0 and inside.take(0, axis).any():
            return True
        if first + size < all_ and inside.take(size - 1, axis).any():
            return True
    return False
