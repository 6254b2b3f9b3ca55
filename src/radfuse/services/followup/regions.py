"""The regions that are drawn at a time point, on the voxels of its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radfuse.archive import Archive, queries
from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import Grid, Mask, Structure
from radfuse.objects.rtstruct import StructureSet
from radfuse.objects.seg import Segmentation
from radfuse.roi import filling
from radfuse.roi.boxes import Part
from radfuse.services.region_objects import named, object_in, read_regions, sentences
from radfuse.volume import resample

_CLASSES = {
    "RTSTRUCT": ("1.2.840.10008.5.1.4.1.1.481.3",),
    "SEG": ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"),
}
_MOST: int = 200


@dataclass(frozen=True, eq=False)
class Region:
    """A region on the voxels of the images."""

    number: int
    name: str
    part: Part
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Drawn:
    """The regions of one object."""

    object_uid: str
    regions: tuple[Region, ...]
    notes: tuple[str, ...] = ()

    def named(self, name: str) -> Region:
        """One of them, by name or number. Raises InvalidRegion."""
        return named([(each.name, each.number, each) for each in self.regions], name)


def drawn_on(archive: Archive, wanted: str | Path, grid: Grid, names: Sequence[str] = ()) -> Drawn:
    """The regions of an object (its UID, that of its series, or a file) on a grid; ``names``: these alone.

    Regions without a voxel on the grid are left out, and a note says so. Raises UnknownEntity, UnreadableObject,
    FramesDiffer, and InvalidRegion for names that are not there and when nothing is left.
    """
    found = read_regions(archive, object_in(archive, wanted))
    regions, empty = [], 0
    for number, name, source in _sources(found):
        mask, notes = _on(source, number, found, grid)
        if mask.voxels:
            regions.append(Region(number, name or f"region {number}", Part.of(mask), notes))
        else:
            empty += 1
    notes = sentences(found)
    if empty:
        notes = (*notes, f"{empty} regions have no voxel on the images, and are left out")
    drawn = Drawn(found.sop_instance_uid, tuple(regions), notes)
    if names:
        drawn = Drawn(drawn.object_uid, tuple(dict.fromkeys(map(drawn.named, names))), notes)
    if not 0 < len(drawn.regions) <= _MOST:
        raise InvalidRegion(f"the object has {len(drawn.regions)} regions on these images; 1 to {_MOST} can be used")
    return drawn


def only_object(archive: Archive, study_uid: str, frame_uid: str) -> str:
    """The one RT Structure Set or Segmentation of a study that lies in a frame of reference.

    Raises InvalidRegion where there is none, or where there are several and nobody said which.
    """
    with archive.reading() as connection:
        frames = {
            place.series_instance_uid: (place.frame_of_reference_uid, place.patient)
            for place in queries.study_places(connection, study_uid)
        }
        patients = {patient for _, patient in frames.values()}
        places = [
            place
            for modality, classes in _CLASSES.items()
            for place in queries.objects_of_kind(connection, modality, classes, patients)
            if place.study_instance_uid == study_uid
        ]
    # A structure set may say its frame of reference only with its regions.
    fitting = [place for place in places if frames[place.series_instance_uid][0] in ("", frame_uid)]
    if len(fitting) == 1:
        return fitting[0].stored.sop_instance_uid
    if not fitting:
        raise InvalidRegion("nothing is drawn on the prior images: name an RT Structure Set or Segmentation")
    raise InvalidRegion(f"{len(fitting)} objects of the prior's study hold regions: name the one with the lesions")


def _sources(found: StructureSet | Segmentation) -> list[tuple[int, str, Structure | None]]:
    if isinstance(found, StructureSet):
        return [(each.number, each.name, each) for each in found.structures if each.contours]
    return [(each.number, each.label, None) for each in found.segments]


def _on(
    structure: Structure | None, number: int, found: StructureSet | Segmentation, grid: Grid
) -> tuple[Mask, tuple[str, ...]]:
    if structure is not None:
        if not structure.frame.is_same_as(grid.frame):
            raise FramesDiffer("the regions and the images")
        filled = filling.fill(structure, grid)
        return filled.mask, filled.notes
    if isinstance(found, StructureSet):
        raise InvalidRegion("it has no contours")
    mask = found.mask(number)
    if mask.grid.matches(grid):
        return mask, ()
    return resample.resample_mask(mask, grid), ("it was drawn on other voxels and carried over by the nearest one",)
