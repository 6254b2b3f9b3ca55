"""All that a viewer must know of a series before it shows a voxel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive
from radfuse.archive.queries import SeriesPlace, StudyRow
from radfuse.core.memo import Memo
from radfuse.fusion import ColourMap
from radfuse.services.browse import study_in_detail
from radfuse.services.registrations import place_of
from radfuse.services.stack_facts import StackFacts, stack_facts
from radfuse.services.viewing.aligning import Alignment, alignment_of
from radfuse.services.viewing.levels import Level, levels_of
from radfuse.services.viewing.rotating import RotatingSize, rotating_size
from radfuse.services.viewing.showing import Shown
from radfuse.services.viewing.suv_panel import SuvPanel, UnitOffer, panel_of, refusal_of, units_of
from radfuse.services.viewing.windows import Preset, colours_of, presets_of, range_of

_MOST: Final = 256


@dataclass(frozen=True, eq=False)
class Facts:
    """A series as it is shown."""

    shown: Shown
    place: SeriesPlace
    study: StudyRow
    stacks: tuple[StackFacts, ...]
    units: tuple[UnitOffer, ...]
    alignment: Alignment
    levels: list[Level]
    range: tuple[float, float]
    presets: tuple[Preset, ...]
    """The first is the one to begin with."""
    colours: ColourMap
    suv: SuvPanel | None
    suv_refusal: str
    rotating: RotatingSize | None


def facts_of(archive: Archive, shown: Shown) -> Facts:
    """The facts. Raises UnknownEntity."""
    volume = shown.volume
    place = place_of(archive, volume.source.series_uid)
    low_high, presets = _looks(shown)
    return Facts(
        shown,
        place,
        study_in_detail(archive, place.study_instance_uid)[0],
        stack_facts(archive, place.series_instance_uid),
        units_of(archive, shown),
        alignment_of(shown.aligned),
        levels_of(volume),
        low_high,
        presets,
        colours_of(volume.source.modality),
        None if volume.suv is None else panel_of(volume.suv),
        refusal_of(archive, shown),
        rotating_size(volume),
    )


def _looks(shown: Shown) -> tuple[tuple[float, float], tuple[Preset, ...]]:
    """Range and presets; all voxels are looked at once for them."""
    return _KNOWN.of(shown.key.name, lambda: (range_of(shown.volume), presets_of(shown.volume)))


_KNOWN: Final[Memo[str, tuple[tuple[float, float], tuple[Preset, ...]]]] = Memo(_MOST)
