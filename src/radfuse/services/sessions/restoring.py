"""The use case: a session comes back from the archive alone. What is gone or was changed is told; the rest is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from radfuse.archive import Archive
from radfuse.core.errors import RadfuseError, UnknownEntity, UnreadableObject
from radfuse.geometry import Mask
from radfuse.roi.boxes import drawn_on
from radfuse.services.drawing import Drawn, Numbers, RegionAsk, make_region, rules
from radfuse.services.one_object import object_named, with_plain_pixels
from radfuse.services.registrations import place_of
from radfuse.services.series_views import SeriesView
from radfuse.services.sessions.digests import digest_of
from radfuse.services.sessions.listing import is_here, series_of, session_to_open
from radfuse.services.sessions.model import (
    KeptSession,
    NewRegion,
    Part,
    Restored,
    RestoredRegion,
)
from radfuse.services.sessions.views import all_views, view_in
from radfuse.services.stack_facts import settled, stack_facts
from radfuse.services.stored_objects import objects_named
from radfuse.services.volumes import Ask
from radfuse.services.workspace_objects import SegmentOfRegion
from radfuse.services.workspace_objects.segmentations import trimmed_digest

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.geometry import Grid
    from radfuse.objects.seg import Segmentation

SEGMENTATIONS: Final = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
_SILENT: Final = "it says nothing of how it was looked at: its series are opened as usual"
_DAMAGED: Final = "what it says of how it was looked at is damaged: its series are opened as usual"
_IMAGES: Final = frozenset({"CT", "MR", "NM", "PT"})
_YELLOW: Final = (255, 255, 0)


def restore_session(archive: Archive, sop_instance_uid: str, *, plainly: bool = False) -> Restored:
    """Read a session. ``plainly``: whatever it says of its layout is damaged; its series and regions are opened.

    Raises UnknownEntity, BlobDamaged, and UnreadableObject for what is no session.
    """
    session = session_to_open(archive, sop_instance_uid)
    if not session.name:
        raise UnreadableObject("it takes objects out of use: there is nothing in it to open")
    if not session.is_ours:
        return _of_others(archive, session, _SILENT)
    if not plainly:
        try:
            return _ours(archive, session)
        except (KeyError, TypeError, ValueError, AttributeError):
            pass  # the document is not as we wrote it
    return _of_others(archive, replace(session, is_ours=False), _DAMAGED)


@dataclass(eq=False)
class _Reading:
    """The segmentations of a session, each read once, and what was noticed."""

    archive: Archive
    findings: list[str] = field(default_factory=list)
    _read: dict[tuple[str, str], Segmentation | None] = field(default_factory=dict)

    def tell(self, *sentences: str) -> None:
        """Each once."""
        self.findings += [sentence for sentence in sentences if sentence not in self.findings]

    def drawn(self, uid: str, number: int, view: SeriesView) -> Drawn | None:
        """A segment on the voxels of a series; None where it cannot be had, and it is told why."""
        try:
            found = self._segmentation(uid, view)
            return None if found is None else _drawn(found, number)
        except RadfuseError as error:
            self.tell(f"a region could not be restored: {error}")
            return None

    def _segmentation(self, uid: str, view: SeriesView) -> Segmentation | None:
        from radfuse.objects.seg import read_segmentation

        key = uid, view.series
        if key not in self._read:
            self._read[key] = None
            ds = plain(self.archive, uid)
            self._read[key] = read_segmentation(ds, grid_of(self.archive, view))
        return self._read[key]


def plain(archive: Archive, uid: str) -> Dataset:
    """An object with pixels that are plain numbers. Raises UnknownEntity, BlobDamaged, UnreadableObject."""
    ds = object_named(archive, uid)
    return with_plain_pixels(archive, uid, ds) if "PixelData" in ds else ds


def grid_of(archive: Archive, view: SeriesView) -> Grid | None:
    """That of the volume of a series, from its headers; None where there is none: the object's own is used then."""
    try:
        stack = settled(archive, view.series, Ask(view.unit, view.repairs, view.stack)).stack or 1
        return stack_facts(archive, view.series)[stack - 1].grid
    except RadfuseError:
        return None


def _drawn(found: Segmentation, number: int) -> Drawn:
    """Only the slices that it has are looked through."""
    mask = found.mask(number)
    slices = [frame.slice_index for frame in found.frames if frame.segment in (None, number)]
    first, end = (min(slices), max(slices) + 1) if slices else (0, found.grid.shape[0])
    grid = found.grid.cropped((first, 0, 0), (end - first, *found.grid.shape[1:]))
    return drawn_on(found.grid, Mask(grid, mask.inside[first:end]))


# --- sessions of ours ------------------------------------------------------------------------


def _ours(archive: Archive, session: KeptSession) -> Restored:
    reading = _Reading(archive)
    document = session.document
    missing = _missing(archive, session.parts)
    reading.tell(*_told_of_parts(archive, session, missing))
    gone = [view["series"] for view in all_views(document) if not is_here(archive, view["series"])]
    if gone:
        count = len(set(gone))
        what = "a series that it shows is" if count == 1 else f"{count} series that it shows are"
        reading.tell(f"{what} not in this archive: fetch the images, then open the session again")
    regions = dict(_regions(reading, session, missing))
    return Restored(session, regions, tuple(dict.fromkeys(gone)), findings=tuple(reading.findings))


def _missing(archive: Archive, parts: Sequence[Part]) -> set[str]:
    uids = [part.sop_instance_uid for part in parts]
    return set(uids) - set(objects_named(archive, uids))


def _told_of_parts(archive: Archive, session: KeptSession, missing: set[str]) -> Iterator[str]:
    for part in session.parts:
        what = f"the {part.role.value}" + (f" ({part.label})" if part.label else "")
        if part.sop_instance_uid in missing:
            yield f"{what} is missing: it was deleted, or has not arrived here"
        elif part.digest:
            try:
                is_same = digest_of(plain(archive, part.sop_instance_uid)) == part.digest
            except RadfuseError as error:
                yield f"{what} cannot be read: {error}"
            else:
                if not is_same:
                    yield f"{what} was changed by another system since the session was saved"


def _regions(reading: _Reading, session: KeptSession, missing: set[str]) -> Iterator[tuple[str, RestoredRegion]]:
    for region in session.document.get("regions", ()):
        segment = session.segments.get(region["id"])
        if segment is None or segment.segmentation in missing:
            continue  # its segmentation is named among the parts
        view = view_in(session.document, region["series"])
        drawn = reading.drawn(segment.segmentation, segment.number, view)
        if drawn is not None:
            yield region["id"], _restored(reading, drawn, segment, region, view)


def _restored(
    reading: _Reading, drawn: Drawn, segment: SegmentOfRegion, region: Mapping[str, Any], view: SeriesView
) -> RestoredRegion:
    if trimmed_digest(drawn) == segment.digest:
        return RestoredRegion(drawn)
    reading.tell(f"the voxels of {region['name'] or 'a region'} are others than when it was saved: measured anew")
    also = [str(each["SeriesInstanceUID"]) for each in region.get("numbers", ())]
    return RestoredRegion(drawn, _measured(reading, drawn, view, also))


def _measured(reading: _Reading, drawn: Drawn, view: SeriesView, series: Sequence[str]) -> tuple[Numbers, ...]:
    others = tuple(SeriesView(uid) for uid in dict.fromkeys(series) if uid != view.series)
    try:
        return make_region(reading.archive, RegionAsk(view, rules.Given(drawn.mask), others)).numbers
    except RadfuseError as error:
        return (Numbers(view.series, findings=(str(error),)),)


# --- selections of others --------------------------------------------------------------------


def _of_others(archive: Archive, session: KeptSession, why: str) -> Restored:
    """The series that it names, and the regions of the segmentations among them."""
    reading = _Reading(archive)
    missing = _missing(archive, session.references)
    total = len(session.references)
    if missing and len(missing) == total:
        raise UnknownEntity("image of this selection")
    if missing:
        reading.tell(f"{len(missing)} of the {total} objects that it names are not in this archive")
    reading.tell(why)
    uids = [part.sop_instance_uid for part in session.references if part.sop_class_uid in SEGMENTATIONS]
    found = [region for uid in uids if uid not in missing for region in _segments(reading, uid)]
    return Restored(
        session, series=_shown_first(archive, session), found=tuple(found), findings=tuple(reading.findings)
    )


def _shown_first(archive: Archive, session: KeptSession) -> tuple[str, ...]:
    """The volumes that it names: images of the patient, or else what was captured of them."""
    uids = [uid for uid in series_of(archive, session) if grid_of(archive, SeriesView(uid)) is not None]
    images = [uid for uid in uids if place_of(archive, uid).modality in _IMAGES]
    return tuple(images or uids)


def _segments(reading: _Reading, uid: str) -> Iterator[NewRegion]:
    from radfuse.archive import queries
    from radfuse.objects.seg import read_segmentation

    try:
        itself = read_segmentation(plain(reading.archive, uid))
        images = [each.sop_instance_uid for each in itself.references]
        with reading.archive.reading() as connection:
            places = queries.places_of_images(connection, images)
    except RadfuseError as error:
        reading.tell(f"a segmentation could not be opened: {error}")
        return
    of = [place for place in places.values() if place.frame_of_reference_uid == itself.grid.frame.uid]
    if not of:
        reading.tell("the images of a segmentation are not in this archive")
        return
    view = SeriesView(of[0].series_instance_uid)
    for segment in itself.segments:
        drawn = reading.drawn(uid, segment.number, view)
        if drawn is not None:
            restored = RestoredRegion(drawn, _measured(reading, drawn, view, ()))
            yield NewRegion(segment.label, segment.colour or _YELLOW, view.series, uid, segment.number, restored)
