"""Regions in RT Structure Sets and Segmentations, of the archive or of files: all of an object, or one by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion, UnknownEntity, UnreadableObject
from radfuse.geometry import Structure
from radfuse.services.one_object import object_named, with_plain_pixels
from radfuse.services.stored_objects import objects_named
from radfuse.services.volumes import objects_of_series

if TYPE_CHECKING:
    from radfuse.objects.rtstruct import StructureSet
    from radfuse.objects.seg import Segmentation

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Contoured:
    """A region of a structure set, and what a person should know of its object."""

    structure: Structure
    source_uid: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Segmented:
    """A region of a segmentation, and what a person should know of its object."""

    segmentation: Segmentation
    label: str
    number: int
    source_uid: str
    notes: tuple[str, ...]


RegionInObject: TypeAlias = Contoured | Segmented


def read_regions(archive: Archive | None, wanted: str | Path) -> StructureSet | Segmentation:
    """An RT Structure Set or Segmentation: of the archive by SOP Instance UID, or of a file.

    Raises UnknownEntity, BlobDamaged, UnreadableObject and OSError.
    """
    from radfuse.objects.common import Item
    from radfuse.objects.rtstruct import read_structures
    from radfuse.objects.seg import read_segmentation

    ds = object_named(archive, wanted)
    modality = Item(ds).text("Modality")
    if modality == "RTSTRUCT":
        return read_structures(ds)
    if modality == "SEG":
        return read_segmentation(with_plain_pixels(archive, wanted, ds))
    raise UnreadableObject("regions are read from RT Structure Sets and Segmentations")


def object_in(archive: Archive, where: str | Path) -> str | Path:
    """The SOP Instance UID of what is named by it, or by the UID of a series that holds nothing else; or a file.

    Raises UnknownEntity, and InvalidRegion for a series of several objects.
    """
    if isinstance(where, Path) or objects_named(archive, [where]):
        return where
    try:
        objects = objects_of_series(archive, where)
    except UnknownEntity as error:
        raise UnknownEntity("object with regions, or series of one") from error
    if len(objects) != 1:
        raise InvalidRegion(f"the series holds {len(objects)} objects: name one by its SOP Instance UID")
    return objects[0].sop_instance_uid


def region_in(archive: Archive | None, wanted: str | Path, name: str) -> RegionInObject:
    """One region of an object, by name or number. Raises as ``read_regions``, and InvalidRegion for no such name."""
    from radfuse.objects.rtstruct import StructureSet

    found = read_regions(archive, wanted)
    if isinstance(found, StructureSet):
        structure = named([(each.name, each.number, each) for each in found.structures], name)
        return Contoured(structure, found.sop_instance_uid, sentences(found))
    segment = named([(each.label, each.number, each) for each in found.segments], name)
    return Segmented(found, segment.label, segment.number, found.sop_instance_uid, sentences(found))


def sentences(found: StructureSet | Segmentation) -> tuple[str, ...]:
    """What was noticed when an object was read."""
    return tuple(finding.sentence for finding in found.findings)


def named(known: Sequence[tuple[str, int, _T]], name: str) -> _T:
    """The one of that name (whatever its case), or of that number where no name fits. Raises InvalidRegion."""
    fits = [one for label, _, one in known if label == name]
    fits = fits or [one for label, _, one in known if label.casefold() == name.casefold()]
    fits = fits or [one for _, number, one in known if str(number) == name]
    if len(fits) != 1:
        how_many = "more than one region has" if fits else f"none of its {len(known)} regions has"
        raise InvalidRegion(f"{how_many} that name; 'radfuse contour list' shows names and numbers")
    return fits[0]
