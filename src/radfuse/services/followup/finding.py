"""The voxels of a lesion, by one rule at both time points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Mask
from radfuse.roi import combining, growing, margins
from radfuse.roi.boxes import Part, part_of
from radfuse.services.followup.asking import Rule, RuleKind
from radfuse.volume import Volume

_SHELL_MM: Final = (5.0, 15.0)
"""What lies so far around a region is its surroundings."""
_MEANS, _DEVIATIONS = 1.5, 2.0
_NOT_LOOKED_AT: Final = "the prior's contour, carried over; nobody has looked whether it fits"
_LEFT_OUT: Final = "{:.2f} ml beside it are left out, as the prior's region left out what was there"
_FLANK: Final = "something higher lies beside it: only the carried region itself was looked at"
_AT_THE_EDGE: Final = "it reaches the edge of where it was looked for: it may go on, or be something beside it"


@dataclass(frozen=True, eq=False)
class Found:
    """The voxels; none where nothing fits the rule."""

    part: Part
    level: float | None = None
    """The threshold, in the unit of the images."""
    notes: tuple[str, ...] = ()


def by_rule(volume: Volume, region: Part, rule: Rule) -> Found:
    """The voxels of a region that belong to its lesion. Raises InvalidRegion."""
    if rule.kind is RuleKind.CONTOUR or not region.voxels:
        return Found(region)
    around = part_of(volume, region.box)
    if rule.kind is RuleKind.ABSOLUTE:
        inside = growing.threshold(around, rule.value, within=Mask(around.grid, region.inside)).mask.inside
        return Found(Part(region.grid, region.box, inside), rule.value)
    if not _highest(volume, region) > 0:
        return Found(Part.nothing(region.grid), notes=("no value in it is above zero",))
    found = growing.isocontour(around, rule.value, Mask(around.grid, region.inside))
    return Found(Part(region.grid, region.box, found.mask.inside), found.low)


@dataclass(frozen=True, eq=False)
class Where:
    """Where a lesion that was carried over is looked for."""

    carried: Part
    area: Part
    """The carried region and the margin, without the regions of other lesions."""
    left_out: Part | None = None
    """What the reader of the prior left out though it fitted the rule: it is left out again."""

    @property
    def looked_at(self) -> Part:
        """The voxels that may belong to it."""
        if self.left_out is None:
            return self.area
        own = self.carried.cut(self.area.box)
        return Part(self.area.grid, self.area.box, self.area.inside & (~self.left_out.cut(self.area.box) | own))


def beside(volume: Volume, region: Part, level: float, margin_mm: float) -> Part:
    """What lies in the margin around a region and is as high as its lesion: somebody drew the region without it."""
    ring = search_area(region, (), margin_mm)
    outside = ring.inside & ~region.cut(ring.box)
    return Part(region.grid, ring.box, outside & (volume.voxels[ring.box.where] >= np.float64(level)))


def search_area(carried: Part, others: Sequence[Part], margin_mm: float) -> Part:
    """Where a carried lesion is looked for: its region with a margin, without the regions of the others."""
    box = carried.padded(margin_mm)
    own = carried.cut(box)
    inside = _grown(Mask(box.of(carried.grid), own), margin_mm) if margin_mm else own
    for other in others:
        inside = inside & (~other.cut(box) | own)
    return Part(carried.grid, box, inside)


def looked_for(volume: Volume, where: Where, rule: Rule, prior_level: float | None = None) -> Found:
    """The voxels of a lesion that was carried over; none where it vanished.

    A number: the parts of what is above it that touch the carried region, else the largest part. Per cent: unless
    the highest voxel is below the prior's threshold ``prior_level`` and does not stand out of the surroundings
    either. Raises InvalidRegion.
    """
    carried, area = where.carried, where.looked_at
    if rule.kind is RuleKind.CONTOUR:
        return Found(carried, notes=(_NOT_LOOKED_AT,))
    notes = []
    if where.left_out is not None and (left_out := where.left_out.common(where.area)):
        notes.append(_LEFT_OUT.format(left_out * volume.grid.voxel_volume_mm3 / 1000))
    if rule.kind is RuleKind.PERCENT and _is_flank(volume, area):
        area = carried
        notes.append(_FLANK)
    found = by_rule(volume, area, rule)
    if rule.kind is RuleKind.ABSOLUTE:
        found = Found(_touching(found.part, carried), found.level)
    elif not _is_there(volume, area, carried, prior_level):
        return Found(Part.nothing(volume.grid), found.level, (*found.notes, *notes))
    if _is_at_edge(found.part, where.area if area is not carried else carried):
        notes.append(_AT_THE_EDGE)
    return Found(found.part, found.level, (*found.notes, *notes))


def _touching(part: Part, carried: Part) -> Part:
    if not part.voxels:
        return part
    pieces, region = combining.components(part.mask), carried.cut(part.box)
    touching = [piece for piece in pieces if (piece.inside & region).any()]
    kept = combining.union(*touching) if touching else pieces[0]
    return Part(part.grid, part.box, kept.inside)


def _is_flank(volume: Volume, area: Part) -> bool:
    """Whether the highest voxel of an area has a higher neighbour beyond: what is seen belongs to that."""
    box = area.padded(0.0)
    values, inside = volume.voxels[box.where], area.cut(box)
    within = np.where(inside, values, -np.inf)
    at = np.unravel_index(int(within.argmax()), within.shape)
    around = tuple(slice(max(int(place) - 1, 0), int(place) + 2) for place in at)
    return bool((values[around][~inside[around]] > within.max()).any())


def _is_there(volume: Volume, area: Part, carried: Part, prior_level: float | None) -> bool:
    """Whether a voxel reaches the prior's threshold, or 1.5 times mean plus 2 standard deviations around the region."""
    highest = _highest(volume, area)
    if prior_level is not None and highest >= prior_level:
        return True
    box = carried.padded(_SHELL_MM[1] + 5)
    values, region = volume.voxels[box.where], Mask(box.of(volume.grid), carried.cut(box))
    near, far = (_grown(region, mm) for mm in _SHELL_MM)
    around = values[far & ~near & np.isfinite(values)].astype(np.float64)
    return bool(len(around)) and highest >= _MEANS * around.mean() + _DEVIATIONS * around.std()


def _is_at_edge(found: Part, area: Part) -> bool:
    """Whether a voxel of it has a neighbour by a face that was not looked at; the edge of the images is none."""
    box = found.padded(0.0)
    inside, beyond = found.cut(box), ~area.cut(box)
    for axis in range(3):
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        one, other = tuple(low), tuple(high)
        if (inside[one] & beyond[other]).any() or (inside[other] & beyond[one]).any():
            return True
    return False


def _grown(mask: Mask, margin_mm: float) -> npt.NDArray[np.bool_]:
    return margins.with_margin(mask, margins.Margin.all_round(margin_mm)).inside


def _highest(volume: Volume, region: Part) -> float:
    values = volume.voxels[region.box.where][region.inside]
    values = values[np.isfinite(values)]
    return float(values.max()) if len(values) else 0.0
