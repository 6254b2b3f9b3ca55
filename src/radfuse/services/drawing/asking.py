"""The use case: a rule becomes a region of a series, with its numbers there and in other series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from radfuse.archive import Archive
from radfuse.core.errors import ImagingError, UnknownEntity
from radfuse.roi.boxes import Drawn, drawn_on
from radfuse.services.drawing.frames import Standpoint, carried_onto, path_between, same_frame
from radfuse.services.drawing.making import make
from radfuse.services.drawing.numbers import Numbers, numbers_of
from radfuse.services.drawing.rules import Rule
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.showing import native_volume
from radfuse.services.volumes import one_look
from radfuse.volume import Volume


@dataclass(frozen=True, eq=False)
class RegionAsk:
    """What region of which series, and where else it is measured."""

    view: SeriesView
    rule: Rule
    also: tuple[SeriesView, ...] = ()
    base: str | None = None
    """Series Instance UID: in whose frame of reference the points lie; None: that of the series itself."""


@dataclass(frozen=True, eq=False)
class MadeRegion:
    """A region on the voxels of its series."""

    drawn: Drawn
    numbers: tuple[Numbers, ...]
    """Of the series itself first."""
    shown: Drawn | None = None
    """In the frame of the base, where that is another."""


def make_region(archive: Archive, ask: RegionAsk) -> MadeRegion:
    """Make a region and measure it.

    Where it cannot be measured on a further series, the findings of that series say why. Raises what opening the
    series raises, InvalidRegion, FramesDiffer, NotOverlaid, UnreadableObject, UnknownEntity.
    """
    with one_look():
        opened = native_volume(archive, ask.view)
        stand = Standpoint(archive, ask.view, opened.grid, ask.base)
        return measured(stand, opened, make(stand, opened, ask.rule), ask.also)


def measured(stand: Standpoint, volume: Volume, drawn: Drawn, also: tuple[SeriesView, ...]) -> MadeRegion:
    """A region with its numbers. Raises InvalidRegion where no voxel of its own series has a value."""
    own = numbers_of(stand.view.series, volume, drawn)
    others = tuple(_elsewhere(stand, drawn, view) for view in also)
    return MadeRegion(drawn, (own, *others), stand.shown(drawn))


def _elsewhere(stand: Standpoint, drawn: Drawn, view: SeriesView) -> Numbers:
    """The numbers of a region in another series, or why there are none."""
    try:
        volume = native_volume(stand.archive, view)
        there = _carrier(stand, view)(drawn, volume)
        return numbers_of(view.series, volume, there)
    except (ImagingError, UnknownEntity) as error:
        unit = view.unit.value if view.unit else ""
        return Numbers(view.series, unit, findings=(str(error),))


def _carrier(stand: Standpoint, view: SeriesView) -> Callable[[Drawn, Volume], Drawn]:
    """How a region comes onto the voxels of another series. Raises NotOverlaid."""
    if not view.only and same_frame(stand.archive, stand.view.series, view.series):
        return lambda drawn, volume: drawn_on(volume.grid, drawn.mask)
    path = path_between(stand.archive, view.series, replace(view, series=stand.view.series))
    return lambda drawn, volume: (
        carried_onto(path, drawn.mask, volume.grid).noting(*path.warnings).remarking(path.reason)
    )
