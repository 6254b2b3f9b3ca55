"""Structures of RT Structure Sets and segments of Segmentations: which there are, and their voxels on a series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from radfuse.archive import Archive, queries
from radfuse.archive.queries import SeriesPlace
from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.core.memo import Memo
from radfuse.geometry import FrameOfReference, Structure
from radfuse.roi import filling
from radfuse.roi.boxes import Drawn, drawn_on
from radfuse.services.drawing.frames import Standpoint, carried_onto, path_between
from radfuse.services.drawing.outlines import fill_structure
from radfuse.services.drawing.rules import OfObject
from radfuse.services.region_objects import read_regions, sentences
from radfuse.services.registrations import RegistrationPath
from radfuse.services.registrations.applying import carry_structure
from radfuse.services.series_views import SeriesView
from radfuse.services.stored_objects import object_of
from radfuse.services.viewing.showing import native_volume
from radfuse.services.volumes import objects_of_series
from radfuse.volume import Volume

if TYPE_CHECKING:
    from radfuse.objects.rtstruct import StructureSet
    from radfuse.objects.seg import Segmentation

_RegionObject: TypeAlias = "StructureSet | Segmentation"

_MOST_KEPT: Final = 4
_NO_COLOUR: Final = (255, 255, 0)


@dataclass(frozen=True, slots=True)
class StructureRow:
    """A structure or a segment, for a list."""

    sop_instance_uid: str
    number: int
    name: str
    colour: tuple[int, int, int]
    kind: str
    """RT ROI Interpreted Type, or the type of the segment."""
    frame_uid: str


def structures_of(archive: Archive, series_uid: str) -> list[StructureRow]:
    """What the objects of a series hold. Raises UnknownEntity, BlobDamaged, and UnreadableObject for other objects."""
    return [
        row
        for stored in objects_of_series(archive, series_uid)
        for row in _rows(_read(archive, stored.sop_instance_uid))
    ]


def region_of_object(stand: Standpoint, volume: Volume, rule: OfObject) -> Drawn:
    """A region of an object on the voxels of a series; through the registrations from another frame of reference.

    Raises what reading the object raises, InvalidRegion, FramesDiffer and NotOverlaid.
    """
    from radfuse.objects.rtstruct import StructureSet

    found = _read(stand.archive, rule.sop_instance_uid)
    if isinstance(found, StructureSet):
        drawn = _contoured(stand, volume, found, _structure(found, rule.number))
    else:
        drawn = _segmented(stand, volume, found, rule.number)
    return drawn.noting(*sentences(found))


def _rows(found: _RegionObject) -> Iterator[StructureRow]:
    from radfuse.objects.rtstruct import StructureSet

    uid = found.sop_instance_uid
    if isinstance(found, StructureSet):
        for each in found.structures:
            yield StructureRow(uid, each.number, each.name, each.colour, each.kind, each.frame.uid)
        return
    for segment in found.segments:
        colour = segment.colour or _NO_COLOUR
        yield StructureRow(uid, segment.number, segment.label, colour, segment.kind.meaning, found.grid.frame.uid)


def _structure(found: StructureSet, number: int) -> Structure:
    fits = [each for each in found.structures if each.number == number]
    if len(fits) != 1:
        raise InvalidRegion(f"{'more than one' if fits else 'no'} structure has that number")
    return fits[0]


def _contoured(stand: Standpoint, volume: Volume, found: StructureSet, structure: Structure) -> Drawn:
    if structure.frame.is_same_as(volume.grid.frame):
        return fill_structure(volume, structure, filling.Between.NEAREST)
    path = _path_from(stand, found, structure.frame)
    if not path.is_deformable:
        carried = carry_structure(path, structure)
        return (
            fill_structure(volume, carried.structure, filling.Between.NEAREST)
            .noting(*carried.notes)
            .remarking(path.reason)
        )
    origin = native_volume(stand.archive, SeriesView(path.moving.series_instance_uid))
    there = fill_structure(origin, structure, filling.Between.NEAREST)
    return carried_onto(path, there.mask, volume.grid).noting(*there.notes).remarking(path.reason)


def _segmented(stand: Standpoint, volume: Volume, found: Segmentation, number: int) -> Drawn:
    mask = found.mask(number)
    if mask.grid.frame.is_same_as(volume.grid.frame):
        return drawn_on(volume.grid, mask)
    path = _path_from(stand, found, mask.grid.frame)
    return carried_onto(path, mask, volume.grid).remarking(path.reason)


def _path_from(stand: Standpoint, found: _RegionObject, frame: FrameOfReference) -> RegistrationPath:
    """The path to the series from one that lies in the frame of an object: it was drawn on that, or beside it.

    Raises FramesDiffer where there is no such series, and NotOverlaid.
    """
    for place in _places(stand.archive, found):
        if place.frame_of_reference_uid == frame.uid and frame.is_known:
            return path_between(stand.archive, stand.view.series, replace(stand.view, series=place.series_instance_uid))
    raise FramesDiffer("the region and the series")


def _places(archive: Archive, found: _RegionObject) -> Iterator[SeriesPlace]:
    """The series that an object refers to, then the others of their studies."""
    series = dict.fromkeys(each.series_uid for each in found.references if each.series_uid)
    studies = dict.fromkeys(each.study_uid for each in found.references if each.study_uid)
    with archive.reading() as connection:
        named = [place for uid in series if (place := queries.series_place(connection, uid)) is not None]
        studies |= dict.fromkeys(place.study_instance_uid for place in named)
        yield from named
        for study in studies:
            yield from queries.study_places(connection, study)


def _read(archive: Archive, sop_instance_uid: str) -> _RegionObject:
    """What an object says. Raises as ``read_regions``."""
    digest = object_of(archive, sop_instance_uid).digest
    return _READ.of(digest, lambda: read_regions(archive, sop_instance_uid))


_READ: Final[Memo[bytes, _RegionObject]] = Memo(_MOST_KEPT)
"""A panel asks for one structure of an object after the other."""
