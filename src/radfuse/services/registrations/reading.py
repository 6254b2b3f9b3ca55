"""Registration objects of the archive: what they join, told without the grid of a deformation, and their transforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from radfuse.archive import Archive, StoredObject, queries
from radfuse.archive.queries import ImagePlace, ObjectPlace
from radfuse.core.errors import ArchiveError, DataSetError, ImagingError, UnreadableObject
from radfuse.dicom import Element, Identifier
from radfuse.services.one_object import stored_data_set
from radfuse.services.registrations.grades import UNKNOWN, gradings_of
from radfuse.services.registrations.memory import Memory
from radfuse.services.registrations.model import Grading, KeptRegistration, Link

if TYPE_CHECKING:
    from radfuse.geometry import Chain
    from radfuse.objects.reg import RegistrationObject

SPATIAL: Final = "1.2.840.10008.5.1.4.1.1.66.1"
DEFORMABLE: Final = "1.2.840.10008.5.1.4.1.1.66.3"

UNREADABLE: Final = (ImagingError, DataSetError, ArchiveError)
"""What an object that cannot be used, or is not what was stored, raises."""

_READ_WHOLE_BYTES: Final = 1 << 20
"""Larger objects hold the grid of a deformation: only their headers are read until a path needs them."""

_LAST_TAG: Final = 0x0070_FFFF


def _tag(keyword: str) -> int:
    return Element.of(keyword).tag


_CONTENT_DATE: Final = _tag("ContentDate")
_CONTENT_TIME: Final = _tag("ContentTime")
_FRAME: Final = _tag("FrameOfReferenceUID")
_DEFORMATIONS: Final = _tag("DeformableRegistrationSequence")
_SOURCE_FRAME: Final = _tag("SourceFrameOfReferenceUID")
_GRIDS: Final = _tag("DeformableRegistrationGridSequence")
_METHODS: Final = _tag("RegistrationTypeCodeSequence")
_MEANING: Final = _tag("CodeMeaning")
_IMAGES: Final = _tag("ReferencedImageSequence")
_AROUND: Final = tuple(_tag(f"{name}DeformationMatrixRegistrationSequence") for name in ("Pre", "Post"))
_MATRIX: Final = _tag("FrameOfReferenceTransformationMatrix")
_IDENTITY: Final = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
_CLOSE: Final = 1e-6
_IMAGE: Final = _tag("ReferencedSOPInstanceUID")
_EQUIPMENT: Final = tuple(map(_tag, ("Manufacturer", "ManufacturerModelName", "SoftwareVersions")))


def kept_registrations(archive: Archive, patients: Iterable[int] | None = None) -> list[KeptRegistration]:
    """Every registration object of these patients, or of all, by arrival, each with its grade.

    One that cannot be used has no links, and a finding that says why.
    """
    wanted = None if patients is None else tuple(patients)
    with archive.reading() as connection:
        places = queries.objects_of_kind(connection, "REG", (SPATIAL, DEFORMABLE), wanted)
    if not places:
        return []
    gradings = gradings_of(archive, {place.stored.sop_instance_uid for place in places}, wanted)
    return [_kept(archive, place, gradings.get(place.stored.sop_instance_uid, UNKNOWN)) for place in places]


class Transforms:
    """The transforms of links, each object read and proved once."""

    def __init__(self, archive: Archive, registrations: Iterable[KeptRegistration]) -> None:
        self._archive = archive
        self._stored = {kept.sop_instance_uid: kept.stored for kept in registrations}
        self._read: dict[str, RegistrationObject] = {}

    def of(self, link: Link) -> Chain:
        """From points of the link's fixed frame to its moving frame.

        Raises BlobMissing, BlobDamaged, and UnreadableObject also where the object holds less than it said.
        """
        read = self._read.get(link.registration)
        if read is None:
            read = _read(self._archive, self._stored[link.registration])
            self._read[link.registration] = read
        for edge in read.edges:
            if (read.fixed.uid, edge.moving.uid, edge.item) == (link.fixed, link.moving, link.number):
                return edge.transform
        raise UnreadableObject("it does not hold a registration that can be used")


def _kept(archive: Archive, place: ObjectPlace, grading: Grading) -> KeptRegistration:
    plain = KeptRegistration(place.stored, place.study_instance_uid, place.series_instance_uid, grading=grading)
    try:
        if place.stored.size_bytes <= _READ_WHOLE_BYTES:
            return _from_object(archive, plain, _read(archive, place.stored))
        return _from_header(archive, plain, archive.read_header(place.stored, _LAST_TAG))
    except UNREADABLE as error:
        reason = error.reason if isinstance(error, UnreadableObject) else str(error)
        return replace(plain, findings=(f"it is not used: {reason}",))


# --- small ones: the whole object ------------------------------------------------------------


_REMEMBERED: Final[Memory[RegistrationObject]] = Memory()


def _read(archive: Archive, stored: StoredObject) -> RegistrationObject:
    return _REMEMBERED.of(stored, lambda: _parsed(archive, stored))


def _parsed(archive: Archive, stored: StoredObject) -> tuple[RegistrationObject, bool]:
    """The object; and whether that holds for ever, or for the images that are kept now."""
    from radfuse.objects.reg import read_registration

    asked = []

    def frame_of(sop_instance_uid: str) -> str | None:
        asked.append(sop_instance_uid)
        place = _places(archive, [sop_instance_uid]).get(sop_instance_uid)
        return (place.frame_of_reference_uid or None) if place else None

    read = read_registration(stored_data_set(archive, stored), frame_of)
    return read, not asked


def _from_object(archive: Archive, plain: KeptRegistration, read: RegistrationObject) -> KeptRegistration:
    drafts = [
        _Draft(
            edge.moving.uid,
            edge.is_deformable,
            edge.method.meaning if edge.method else "",
            tuple(image.sop_instance_uid for image in edge.images),
            edge.item,
            edge.is_for_images,
        )
        for edge in read.edges
    ]
    return replace(
        plain,
        fixed=read.fixed.uid,
        links=_links(archive, plain, read.fixed.uid, read.date, drafts),
        label=read.label,
        description=read.description,
        creator=read.creator,
        date=read.date,
        equipment=read.equipment,
        findings=tuple(finding.sentence for finding in read.findings),
    )


# --- large ones: the header ------------------------------------------------------------------


def _from_header(archive: Archive, plain: KeptRegistration, header: Identifier) -> KeptRegistration:
    """What a Deformable Spatial Registration joins. That its grid can be used is seen when a path needs it."""
    fixed, date = header.text(_FRAME), header.text(_CONTENT_DATE) + header.text(_CONTENT_TIME).partition(".")[0]
    if not fixed:
        raise UnreadableObject("it does not name the frame of reference that it registers to")
    items = _items(header, _DEFORMATIONS)
    drafts = [draft for place, item in enumerate(items, 1) if (draft := _draft(archive, item, place, fixed)).moving]
    if not drafts:
        raise UnreadableObject("it holds no registration that names its frames of reference")
    times = Counter(draft.moving for draft in drafts)
    return replace(
        plain,
        fixed=fixed,
        links=_links(archive, plain, fixed, date, [draft.among(times) for draft in drafts if not draft.is_still]),
        label=header.text(_tag("ContentLabel")),
        description=header.text(_tag("ContentDescription")),
        creator=header.text(_tag("ContentCreatorName")),
        date=date,
        equipment=tuple(filter(None, map(header.text, _EQUIPMENT))),
    )


def _draft(archive: Archive, item: Identifier, number: int, fixed: str) -> _Draft:
    images = tuple(image.text(_IMAGE) for image in _items(item, _IMAGES))
    moving = item.text(_SOURCE_FRAME)
    if not moving and images:
        frames = {place.frame_of_reference_uid for place in _places(archive, images).values()}
        moving = frames.pop() if len(frames) == 1 else ""
    method = next((code.text(_MEANING) for code in _items(item, _METHODS)), "")
    is_deformable, is_within = bool(_items(item, _GRIDS)), moving == fixed
    matrices = [matrix.text(_MATRIX) for tag in _AROUND for matrix in _items(item, tag)]
    is_still = is_within and not is_deformable and all(map(_is_identity, matrices))
    return _Draft(moving, is_deformable, method, images, number, is_within and bool(images), is_still)


def _is_identity(matrix: str) -> bool:
    try:
        numbers = [float(one) for one in matrix.split("\\")]
    except ValueError:
        return False
    return len(numbers) == len(_IDENTITY) and all(abs(a - b) < _CLOSE for a, b in zip(numbers, _IDENTITY, strict=True))


def _items(of: Identifier, tag: int) -> tuple[Identifier, ...]:
    element = of.get(tag)
    return element.items if element is not None else ()


# --- links -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Draft:
    """What an object says of one of its registrations."""

    moving: str
    is_deformable: bool
    method: str
    images: tuple[str, ...]
    item: int
    """Which item of the object it is, from 1."""
    is_for_images: bool
    """Whether it holds for its images alone."""
    is_still: bool = False
    """Whether it only says where the fixed frame lies in itself."""

    def among(self, times: Mapping[str, int]) -> _Draft:
        """The same in an object that registers each frame so many times: each holds for its images then."""
        return replace(self, is_for_images=self.is_for_images or (bool(self.images) and times[self.moving] > 1))


def _links(
    archive: Archive, plain: KeptRegistration, fixed: str, date: str, drafts: Sequence[_Draft]
) -> tuple[Link, ...]:
    """A link for each."""
    return tuple(
        Link(
            registration=plain.sop_instance_uid,
            number=draft.item,
            fixed=fixed,
            moving=draft.moving,
            is_deformable=draft.is_deformable,
            method=draft.method,
            grade=plain.grading.grade,
            date=date,
            series=_series_of(archive, draft.images) if draft.is_for_images else None,
        )
        for draft in drafts
    )


def _series_of(archive: Archive, images: Sequence[str]) -> frozenset[str]:
    return frozenset(place.series_instance_uid for place in _places(archive, images).values())


def _places(archive: Archive, images: Sequence[str]) -> Mapping[str, ImagePlace]:
    with archive.reading() as connection:
        return queries.places_of_images(connection, images)
