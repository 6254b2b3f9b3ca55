"""A rule becomes voxels of a series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import Contour, Mask, Points, Structure
from radfuse.roi import combining, drawing, margins
from radfuse.roi.boxes import Box, Drawn, box_around, drawn_on, grown, put, trimmed, union
from radfuse.services.drawing import finding
from radfuse.services.drawing.frames import Standpoint, carried_onto, path_between, same_frame
from radfuse.services.drawing.objects import region_of_object
from radfuse.services.drawing.outlines import fill_outlines
from radfuse.services.drawing.rules import (
    Ball,
    Carried,
    Combine,
    Ellipse,
    Given,
    Grow,
    Hot,
    OfObject,
    Outlines,
    Rule,
    Widen,
)
from radfuse.volume import Volume

_STRAIGHT: Final = 1e-3
"""The sine of the angle up to which a plane lies along the voxels."""

_ALMOST: Final = 1 - 1e-6
_BENT: Final = "the path is deformable: only its centre was carried over"


def make(stand: Standpoint, volume: Volume, rule: Rule) -> Drawn:
    """The voxels that a rule makes. Raises InvalidRegion, FramesDiffer, NotOverlaid and what reading an object does."""
    return _MAKERS[type(rule)](stand, volume, rule)


def _ball(stand: Standpoint, volume: Volume, rule: Ball) -> Drawn:
    solid = drawing.sphere(stand.points(rule.centre_mm), rule.diameter_mm / 2)
    return _solid(stand, volume, solid)


def _ellipse(stand: Standpoint, volume: Volume, rule: Ellipse) -> Drawn:
    right, down = (stand.direction(rule.centre_mm, each) for each in (rule.right, rule.down))
    normal = np.cross(right, down)
    if np.linalg.norm(normal) < _STRAIGHT:
        raise InvalidRegion("its two directions are the same")
    normal /= np.linalg.norm(normal)
    directions, spacing = volume.grid.directions, np.linalg.norm(volume.grid.to_patient.linear, axis=0)
    along = np.abs(normal @ directions)
    thickness = float((along * spacing).max())
    centre = _in_slice(volume, stand.points(rule.centre_mm), int(along.argmax()), along)
    across, below = rule.radii_mm
    half_axes = np.stack((right * across, down * below, normal * thickness / 2 * _ALMOST), axis=1)
    return _solid(stand, volume, drawing.Solid(drawing.Shape.CYLINDER, centre, half_axes))


def _in_slice(volume: Volume, centre: Points, axis: int, along: Points) -> Points:
    """The centre, moved into the middle of its slice where the plane lies along the voxels."""
    if 1 - along[axis] > _STRAIGHT**2:
        return centre
    index = volume.grid.from_patient.apply(centre)
    index[axis] = np.floor(index[axis] + 0.5)
    return volume.grid.to_patient.apply(index)


def _solid(stand: Standpoint, volume: Volume, solid: drawing.Solid) -> Drawn:
    reach = solid.reach(np.eye(3))
    box = box_around(volume.grid, np.stack((solid.centre_mm - reach, solid.centre_mm + reach)))
    mask = drawing.mask_of(volume.grid.cropped(box.first, box.shape), solid)
    notes = () if drawing.lies_within(volume.grid, solid) else ("part of it lies outside the image",)
    if stand.path is not None and stand.path.is_deformable:
        notes = (*notes, _BENT)
    return trimmed(volume.grid, box, mask.inside, notes)


def _given(stand: Standpoint, _volume: Volume, rule: Given) -> Drawn:
    return stand.region(rule.mask)


def _combine(stand: Standpoint, volume: Volume, rule: Combine) -> Drawn:
    one, other = stand.region(rule.first), stand.region(rule.second)
    box = union(one.box, other.box)
    first, second = (_on(volume, each, box) for each in (one, other))
    operation = {"add": combining.union, "subtract": combining.difference, "intersect": combining.intersection}
    made = operation[rule.operation](first, second)
    return (
        trimmed(volume.grid, box, made.inside).noting(*one.notes, *other.notes).remarking(*one.remarks, *other.remarks)
    )


def _widen(stand: Standpoint, volume: Volume, rule: Widen) -> Drawn:
    drawn = stand.region(rule.mask)
    x, y, z = rule.mm
    margin = margins.Margin(left=x, right=x, anterior=y, posterior=y, superior=z, inferior=z)
    longest = max(map(abs, rule.mm)) + max(volume.grid.spacing_mm)
    more = np.ceil(np.linalg.norm(volume.grid.from_patient.linear, axis=1) * longest) + 1
    box = grown(volume.grid, drawn.box, more)
    made = margins.with_margin(_on(volume, drawn, box), margin)
    return trimmed(volume.grid, box, made.inside).noting(*drawn.notes).remarking(*drawn.remarks)


def _on(volume: Volume, drawn: Drawn, box: Box) -> Mask:
    return Mask(volume.grid.cropped(box.first, box.shape), put(drawn.mask, volume.grid, box))


def _outlines(stand: Standpoint, volume: Volume, rule: Outlines) -> Drawn:
    if not rule.planes_mm:
        raise InvalidRegion("draw an outline first")
    contours = tuple(Contour(stand.points(points)) for points in rule.planes_mm)
    return fill_outlines(volume, Structure("", volume.grid.frame, contours), rule.interpolate)


def _carried(stand: Standpoint, volume: Volume, rule: Carried) -> Drawn:
    here, there = stand.view.series, rule.origin.series
    if same_frame(stand.archive, here, there) and not rule.origin.only:
        return drawn_on(volume.grid, rule.mask)
    path = path_between(stand.archive, here, rule.origin)
    if rule.mask.grid.frame.uid != path.moving.frame_of_reference_uid:
        raise FramesDiffer("the region and the series that it is said to be of")
    return carried_onto(path, rule.mask, volume.grid).noting(*path.warnings).remarking(path.reason)


def _object(stand: Standpoint, volume: Volume, rule: OfObject) -> Drawn:
    return region_of_object(stand, volume, rule)


_MAKERS: Final[dict[type, Callable[[Standpoint, Volume, Any], Drawn]]] = {
    Ball: _ball,
    Ellipse: _ellipse,
    Hot: finding.hot,
    Grow: finding.grow,
    Given: _given,
    Combine: _combine,
    Widen: _widen,
    Outlines: _outlines,
    Carried: _carried,
    OfObject: _object,
}
