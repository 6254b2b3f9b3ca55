"""What an export will be: its objects are told before the first is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import InvalidObject, RadfuseError
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.fusion import RotatingProjection
from radfuse.geometry import Grid, Mask
from radfuse.objects.sc import CaptureClass
from radfuse.objects.series import MODALITIES
from radfuse.services.carry import path_of
from radfuse.services.exporting.making import title_of
from radfuse.services.exporting.model import (
    Cine,
    Draft,
    ExportAsk,
    Images,
    Item,
    Marked,
    Measured,
    OfArchive,
    Paper,
    Regions,
    Resampled,
    Rotating,
    Shot,
    Snapshot,
)
from radfuse.services.exporting.pictures import is_gray
from radfuse.services.series_views import SeriesView
from radfuse.services.stored_objects import object_of
from radfuse.services.viewing import show
from radfuse.services.volumes import objects_of_series
from radfuse.services.workspace_objects.images import Images as Headers

_HEADER: Final = 4096
"""Bytes of an object without its pixels, about."""
_ONE_REGION: Final = 4000
_ONE_FRAME: Final = 600
_ONE_POINT: Final = 24
_PAGE: Final = 120_000
_MOST_BYTES: Final = 1 << 30
"""Of one capture: viewers do not open larger ones."""

_SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
_STRUCTURES: Final = "1.2.840.10008.5.1.4.1.1.481.3"
_REPORT: Final = "1.2.840.10008.5.1.4.1.1.88.33"
_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_IMAGES: Final = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """Objects of one class that an item becomes."""

    item: int
    """From 0."""
    label: str
    object: str
    """The name of the SOP class."""
    count: int
    bytes: int
    """About; of stored objects exactly."""
    refusal: str = ""
    """Why there will be none; "" where there is no reason."""


def plan(archive: Archive, ask: ExportAsk) -> list[Planned]:
    """One row for each item and class. An item that cannot be made has one that says why."""
    planner = _Planner(archive, ask.draft)
    rows = []
    for number, item in enumerate(ask.items):
        try:
            rows += [Planned(number, *each) for each in planner.of(item)]
        except RadfuseError as error:
            rows.append(Planned(number, title_of(item), "", 0, 0, str(error)))
    return rows


_Row = tuple[str, str, int, int]


class _Planner:
    def __init__(self, archive: Archive, draft: Draft) -> None:
        self._archive = archive
        self._draft = draft
        self._headers = Headers(archive)
        self._segmented: set[tuple[str, ...]] = set()

    def of(self, item: Item) -> list[_Row]:
        """Raises what making the item would raise, as far as that can be told without making it."""
        return list(_ROWS[type(item)](self, item))

    def stored(self, item: Images | OfArchive) -> Iterator[_Row]:
        if isinstance(item, Images):
            found = objects_of_series(self._archive, item.series)
        else:
            found = [object_of(self._archive, item.sop_instance_uid)]
        for uid in dict.fromkeys(each.sop_class_uid for each in found):
            sizes = [each.size_bytes for each in found if each.sop_class_uid == uid]
            yield title_of(item), _named(uid), len(sizes), sum(sizes)

    def snapshot(self, item: Snapshot) -> Iterator[_Row]:
        yield self._capture(title_of(item), [item.shot], CaptureClass.SINGLE)

    def cine(self, item: Cine) -> Iterator[_Row]:
        yield self._capture(title_of(item), item.shots, CaptureClass.TRUE_COLOUR)

    def regions(self, item: Regions) -> Iterator[_Row]:
        yield from self._regions(item.ids, is_seg=item.form == "SEG")

    def measured(self, item: Measured) -> Iterator[_Row]:
        yield from self._regions(item.ids, is_seg=True)
        yield from self._reports(item.ids)

    def _capture(self, title: str, shots: Sequence[Shot], kind: CaptureClass) -> _Row:
        pixels = 0
        seen: set[tuple[SeriesView, SeriesView | None]] = set()
        for shot in shots:
            over = shot.over[0] if shot.over else None
            if (shot.base, over) not in seen:
                seen.add((shot.base, over))
                self._look_at(shot)
            pixels += 3 * shot.place.rows * shot.place.columns
        _check_size(pixels)
        return title, _named(kind), 1, pixels + _HEADER

    def _look_at(self, shot: Shot) -> None:
        base = show(self._archive, shot.base).volume
        shot.place.grid(base.grid.frame)
        if shot.over is not None:
            show(self._archive, shot.over[0], shot.base.series)

    def rotating(self, item: Rotating) -> Iterator[_Row]:
        volume = show(self._archive, item.base).volume
        if item.over is not None:
            above = show(self._archive, item.over[0], item.base.series).volume
            volume = min(volume, above, key=lambda each: each.voxels.size)
        rows, columns, _ = RotatingProjection.size_of(volume.grid)
        kind = CaptureClass.GRAYSCALE_WORD if is_gray(item) else CaptureClass.TRUE_COLOUR
        pixels = item.frames * rows * columns * (2 if is_gray(item) else 3)
        _check_size(pixels)
        yield title_of(item), _named(kind), 1, pixels + _HEADER

    def volume(self, item: Resampled) -> Iterator[_Row]:
        view = item.view
        native = self._headers.volume(view)
        grid = native.grid
        if item.onto and item.onto != view.series:
            path_of(self._archive, item.onto, view.series, view.wish)
            if item.grid == "base":
                grid = self._headers.volume(self._draft.view_of(item.onto)).grid
            else:
                grid = show(self._archive, view, item.onto).volume.grid
        modality = native.source.modality
        if modality not in MODALITIES:
            raise InvalidObject((f"a resampled series can be {', '.join(MODALITIES)}, not {modality}",))
        slices, rows, columns = grid.shape
        count = 1 if modality == "NM" else slices
        yield title_of(item), _named(_IMAGES[modality]), count, 2 * slices * rows * columns + count * _HEADER

    def _regions(self, ids: tuple[str, ...], *, is_seg: bool) -> Iterator[_Row]:
        regions = [self._draft.regions[each] for each in ids if each in self._draft.regions]
        for series in dict.fromkeys(region.series for region in regions):
            some = [region for region in regions if region.series == series]
            grid = self._headers.volume(self._draft.view_of(series)).grid
            label = f"{len(some)} region{'s' if len(some) > 1 else ''}"
            if not is_seg:
                yield label, _named(_STRUCTURES), 1, _HEADER + sum(_contours(region.mask) for region in some)
                continue
            key = tuple(region.id for region in some)
            if key not in self._segmented:
                self._segmented.add(key)
                yield label, _named(_SEGMENTATION), 1, _HEADER + sum(_frames(region.mask, grid) for region in some)

    def _reports(self, ids: tuple[str, ...]) -> Iterator[_Row]:
        found = [*(self._draft.regions.get(each) or self._draft.lines[each] for each in ids)]
        series = dict.fromkeys(each.series for each in found)
        patients = {self._headers.patient(uid) for uid in series}
        count = len(patients)
        yield f"{len(found)} measured", _named(_REPORT), count, count * _HEADER + _ONE_REGION * len(found)

    def paper(self, item: Paper) -> Iterator[_Row]:
        for _, shot in item.shots:
            self._look_at(shot)
        if not (self._draft.base or item.shots or item.ids):
            raise InvalidObject(("a report is about a series: open one, or add a picture or a region",))
        yield item.title, _named(_PDF), 1, _PAGE * (1 + len(item.shots))

    def bookmark(self, item: Marked) -> Iterator[_Row]:
        bookmark = self._draft.bookmarks[item.id]
        scene = bookmark.scene
        if scene.base is None:
            raise InvalidObject(("the bookmark shows no series",))
        show(self._archive, scene.base)
        if scene.overlay is not None:
            show(self._archive, scene.overlay, scene.base.series)
        label = bookmark.name.strip()[:64] or title_of(item)
        yield label, _named(CaptureClass.SINGLE), 1, 3 * 512 * 512 + _HEADER


_ROWS: Final[Mapping[type, Callable[[_Planner, Any], Iterator[_Row]]]] = {
    Images: _Planner.stored,
    OfArchive: _Planner.stored,
    Snapshot: _Planner.snapshot,
    Cine: _Planner.cine,
    Rotating: _Planner.rotating,
    Resampled: _Planner.volume,
    Regions: _Planner.regions,
    Measured: _Planner.measured,
    Paper: _Planner.paper,
    Marked: _Planner.bookmark,
}


def _named(sop_class_uid: str) -> str:
    return STORAGE_CLASS_NAMES.get(sop_class_uid, sop_class_uid).removesuffix(" Storage")


def _frames(mask: Mask, grid: Grid) -> int:
    """Bytes of a segment: a bit for each pixel of the slices that have a voxel of it."""
    slices = int(mask.inside.any(axis=(1, 2)).sum())
    return slices * (grid.shape[1] * grid.shape[2] // 8 + _ONE_FRAME)


def _contours(mask: Mask) -> int:
    """Bytes of an outline: text for each corner, and a corner lies where rows and columns begin or end."""
    changes = np.diff(mask.inside.astype(np.int8), axis=1, prepend=0, append=0)
    return _ONE_POINT * int(np.abs(changes).sum()) + _ONE_REGION


def _check_size(size: int) -> None:
    if size > _MOST_BYTES:
        raise InvalidObject((f"it would have {size / 1e9:.1f} GB: take fewer frames, or smaller ones",))
