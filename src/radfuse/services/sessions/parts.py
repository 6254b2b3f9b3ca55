"""Everything that a session becomes beside its manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import ImagingError, InvalidObject, RadfuseError, UnknownEntity
from radfuse.objects.common import Making, NewSeries, Reference, reference_to
from radfuse.services.one_object import stored_data_set
from radfuse.services.series_views import SeriesView
from radfuse.services.sessions.model import NewSession, Role
from radfuse.services.stored_objects import object_of
from radfuse.services.viewing.aligning import aligned
from radfuse.services.workspace_objects import (
    Images,
    MadeSegmentation,
    SavedBookmark,
    SavedLine,
    SavedRegion,
    Scene,
    SegmentOfRegion,
    bookmark_picture,
    bookmark_state,
    fused_state,
    report_of,
    segmentation_of,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_NAMES: Final = {
    Role.SEGMENTATION: "Session: regions",
    Role.REPORT: "Session: measurements",
    Role.FUSED: "Session: views",
    Role.VIEW: "Session: views",
    Role.PICTURE: "Session: pictures",
}


@dataclass(frozen=True, slots=True)
class MadePart:
    """An object, and what it is."""

    role: Role
    label: str
    ds: Dataset


@dataclass(eq=False)
class Parts:
    """What was made, what is only referred to, and what could not be made."""

    made: list[MadePart] = field(default_factory=list)
    segments: dict[str, SegmentOfRegion] = field(default_factory=dict)
    registrations: list[Reference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parts_of(images: Images, new: NewSession, making: Making, tracking: Mapping[str, str]) -> Parts:
    """Make them. What cannot be an object (a view of images whose rescales differ) is in the notes.

    Raises what opening a series raises, for series with regions or lines, and what the builders of Segmentations and
    reports raise: nothing that was drawn is left out in silence.
    """
    found = Parts()
    series = _Series(making)
    found.registrations = list(_registrations(images, new))
    made = list(_segmentations(images, new, series, making, tracking))
    for segmentation, regions in made:
        label = f"{len(regions)} region{'s' if len(regions) > 1 else ''}"
        found.made.append(MadePart(Role.SEGMENTATION, label, segmentation.ds))
        found.segments.update(segmentation.segments)
    for number, (some, lines) in enumerate(_by_patient(images, new, made), 1):
        report = report_of(
            images, some, lines, new.view_of, series=series.next(Role.REPORT, str(number)), making=making
        )
        if report is not None:
            found.made.append(
                MadePart(Role.REPORT, "Measurements" if number == 1 else f"Measurements {number}", report)
            )
    _add_views(images, new, found, series, making)
    return found


class _Series:
    """The new series of a session: one for each kind of object."""

    def __init__(self, making: Making) -> None:
        self._uids: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._making = making

    def next(self, role: Role, study: str = "") -> NewSeries:
        """Where the next object of a kind goes."""
        name = _NAMES[role]
        key = f"{name} {study}"
        self._uids.setdefault(key, self._making.uids())
        self._counts[key] = self._counts.get(key, 0) + 1
        return NewSeries(name, uid=self._uids[key], instance_number=self._counts[key])


def _registrations(images: Images, new: NewSession) -> Iterator[Reference]:
    """Those that the open series were laid over the base with."""
    seen = set[str]()
    for view in new.views[1:]:
        for reference in _path(images, new.views[0], view) or ():
            if reference.sop_instance_uid not in seen:
                seen.add(reference.sop_instance_uid)
                yield reference


def _path(images: Images, base: SeriesView, view: SeriesView) -> list[Reference] | None:
    """The registrations from a base to a series; None where it is not laid over it."""
    try:
        steps = aligned(images.archive, base.series, view).path.steps
    except RadfuseError:
        return None
    uids = dict.fromkeys(step.link.registration for step in steps)
    found = (stored_data_set(images.archive, object_of(images.archive, uid), pixels=False) for uid in uids)
    return [reference_to(ds) for ds in found]


def _segmentations(
    images: Images, new: NewSession, series: _Series, making: Making, tracking: Mapping[str, str]
) -> Iterator[tuple[MadeSegmentation, Sequence[SavedRegion]]]:
    for uid in dict.fromkeys(region.series for region in new.regions):
        regions = [region for region in new.regions if region.series == uid]
        view = new.view_of(uid)
        study = images.volume(view).source.study_uid
        place = series.next(Role.SEGMENTATION, study)
        yield segmentation_of(images, view, regions, series=place, making=making, tracking=tracking), regions


_OnePatient = tuple[list[tuple[MadeSegmentation, Sequence[SavedRegion]]], list[SavedLine]]


def _by_patient(
    images: Images, new: NewSession, made: Sequence[tuple[MadeSegmentation, Sequence[SavedRegion]]]
) -> Iterator[_OnePatient]:
    """What goes into one report: a report is about one patient. That of the base comes first."""
    all_of = [*(view.series for view in new.views), *(each.series for each, _ in made)]
    all_of += [line.series for line in new.lines]
    patients = {uid: images.patient(uid) for uid in dict.fromkeys(all_of)}
    for patient in dict.fromkeys(patients.values()):
        some = [each for each in made if patients[each[0].series] == patient]
        yield some, [line for line in new.lines if patients[line.series] == patient]


def _add_views(images: Images, new: NewSession, found: Parts, series: _Series, making: Making) -> None:
    if new.scene.base is not None and new.scene.overlay is not None:
        place = series.next(Role.FUSED)
        _try(found, (Role.FUSED, "Fused view"), lambda: _fused(images, new.scene, place, making))
    for number, bookmark in enumerate(new.bookmarks, 1):
        if bookmark.scene.base is not None:
            label = bookmark.name.strip()[:64] or f"Bookmark {number}"
            for role in (Role.VIEW, Role.PICTURE):
                build = partial(_bookmarked, images, bookmark, number, role, series)
                _try(found, (role, label), partial(build, making))


def _fused(images: Images, scene: Scene, place: NewSeries, making: Making) -> Dataset:
    _require_one_patient(images, scene)
    assert scene.base is not None and scene.overlay is not None  # noqa: S101 asked for with both only
    registrations = _path(images, scene.base, scene.overlay)
    if registrations is None:
        raise InvalidObject(("the two are not registered",))
    return fused_state(images, scene, registrations, series=place, making=making)


def _bookmarked(
    images: Images, bookmark: SavedBookmark, number: int, role: Role, series: _Series, making: Making
) -> Dataset:
    assert bookmark.scene.base is not None  # noqa: S101
    place = series.next(role, images.volume(bookmark.scene.base).source.study_uid)
    if role is Role.VIEW:
        return bookmark_state(images, bookmark, number, series=place, making=making)
    _require_one_patient(images, bookmark.scene)
    return bookmark_picture(images, bookmark, number, series=place, making=making)


def _require_one_patient(images: Images, scene: Scene) -> None:
    shown = {images.patient(view.series) for view in (scene.base, scene.overlay) if view is not None}
    if len(shown) > 1:
        raise InvalidObject(("it shows two patients, and an object belongs to one",))


def _try(found: Parts, what: tuple[Role, str], build: Callable[[], Dataset]) -> None:
    role, label = what
    try:
        found.made.append(MadePart(role, label, build()))
    except (ImagingError, UnknownEntity) as error:
        reason = "; ".join(error.faults) if isinstance(error, InvalidObject) else str(error)
        found.notes.append(f"no object of the {role.value} ({label}): {reason}")
