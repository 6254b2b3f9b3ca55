"""The regions of a session as Segmentations: one for each series they were drawn on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import xxhash

from radfuse.objects.common import Code, Making, NewSeries, Provenance, codes, reference_to
from radfuse.roi import sampling
from radfuse.roi.boxes import Drawn, drawn_on
from radfuse.services.series_views import SeriesView
from radfuse.services.workspace_objects.images import Images
from radfuse.services.workspace_objects.model import SavedRegion, SegmentOfRegion

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.objects.seg import SegmentFacts

_LESION: Final = Code("52988006", "SCT", "Lesion")
_BY_HAND: Final = frozenset({"shape", "contours", "combine"})
_BY_ITSELF: Final = frozenset({"object", "carried"})
_WITH_VOXELS: Final = ("shape", "first", "second")
_MOST: Final = 900
"""Characters of a rule in a description, which holds 1,024."""


@dataclass(frozen=True, eq=False)
class MadeSegmentation:
    """A Segmentation, and which of its segments is which region."""

    ds: Dataset
    series: str
    segments: Mapping[str, SegmentOfRegion]
    """By the id of the region."""


def segmentation_of(
    images: Images,
    view: SeriesView,
    regions: Sequence[SavedRegion],
    *,
    series: NewSeries,
    making: Making,
    tracking: Mapping[str, str] | None = None,
) -> MadeSegmentation:
    """The regions of one series. ``tracking``: Tracking UIDs by region of those that an earlier version has.

    Raises what opening the series raises, InvalidRegion, FramesDiffer, and what the builder raises.
    """
    from radfuse.objects.seg import Content, NewSegment, build_segmentation

    grid = images.volume(view).grid
    drawn = {region.id: drawn_on(grid, region.mask) for region in regions}
    first = min(each.box.first[0] for each in drawn.values())
    end = max(each.box.first[0] + each.box.shape[0] for each in drawn.values())
    part = grid.cropped((first, 0, 0), (end - first, *grid.shape[1:]))
    known = tracking or {}
    uids = {region.id: known.get(region.id) or making.uids() for region in regions}
    segments = [
        NewSegment(_facts(region, uids[region.id]), _voxels(drawn[region.id], first, part.shape)) for region in regions
    ]
    headers = images.headers(view)
    provenance = Provenance(
        "regions of a session",
        {f"segment {number}": rule_text(region.rule) for number, region in enumerate(regions, 1)},
        tuple(map(reference_to, headers)),
    )
    ds = build_segmentation(
        segments, part, headers, content=Content("SESSION", series=series), provenance=provenance, making=making
    )
    found = {
        region.id: SegmentOfRegion(
            str(ds.SOPInstanceUID),
            number,
            voxels_digest(drawn[region.id].box.first, drawn[region.id].inside),
            uids[region.id],
        )
        for number, region in enumerate(regions, 1)
    }
    return MadeSegmentation(ds, view.series, found)


def voxels_digest(first: tuple[int, int, int], inside: npt.NDArray[np.bool_]) -> str:
    """Of the voxels of a region, in the smallest box that holds them."""
    where = np.array((*first, *inside.shape), "<i8").tobytes()
    return xxhash.xxh3_128_hexdigest(where + np.packbits(inside).tobytes())


def trimmed_digest(drawn: Drawn) -> str:
    """Of the voxels of a region that was read back."""
    held = sampling.bounds_of(drawn.inside)
    first = tuple(at + part.start for at, part in zip(drawn.box.first, held, strict=True))
    one, two, three = first
    return voxels_digest((one, two, three), np.ascontiguousarray(drawn.inside[held]))


def rule_text(rule: Mapping[str, Any]) -> str:
    """A rule for the record: as JSON, without voxels and points by the thousand."""
    plain = {name: value for name, value in rule.items() if name not in _WITH_VOXELS}
    text = json.dumps(plain, sort_keys=True)
    return text if len(text) <= _MOST else json.dumps({"kind": rule.get("kind", "")})


def kept_rule(rule: Mapping[str, Any], segment: SegmentOfRegion) -> dict[str, Any]:
    """A rule as it is kept in a session: what needs voxels of its own is the segment now."""
    if any(name in rule for name in _WITH_VOXELS) or len(json.dumps(dict(rule))) > _MOST:
        return {"kind": "object", "SOPInstanceUID": segment.segmentation, "number": segment.number}
    return dict(rule)


def _voxels(drawn: Drawn, first: int, shape: tuple[int, int, int]) -> Any:
    # Pages of zeros that nobody writes to take no memory.
    voxels = np.zeros(shape, dtype=np.bool_)
    slices, rows, columns = drawn.box.where
    voxels[slices.start - first : slices.stop - first, rows, columns] = drawn.inside
    return voxels


def _facts(region: SavedRegion, tracking_uid: str) -> SegmentFacts:
    from radfuse.objects.seg import SegmentFacts

    is_lesion = region.kind == "lesion"
    kind = str(region.rule.get("kind", ""))
    how = "MANUAL" if kind in _BY_HAND else "AUTOMATIC" if kind in _BY_ITSELF else "SEMIAUTOMATIC"
    return SegmentFacts(
        label=region.label,
        category=codes.MORPHOLOGICALLY_ABNORMAL if is_lesion else codes.TISSUE,
        kind=_LESION if is_lesion else codes.TISSUE,
        algorithm=how,
        algorithm_name=f"Radfuse {kind}".strip(),
        description=rule_text(region.rule),
        colour=region.colour,
        tracking_id=region.label,
        tracking_uid=tracking_uid,
    )
