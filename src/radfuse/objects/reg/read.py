"""A registration object becomes transforms; what it leaves open or contradicts becomes findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from pydicom.dataset import Dataset

from radfuse.core.errors import UnreadableObject
from radfuse.geometry import Chain, FrameOfReference
from radfuse.objects.common import Item, Reference
from radfuse.objects.reg.fields import read_deformation
from radfuse.objects.reg.matrices import is_identity, matrix_type, read_matrices, wrong_types
from radfuse.objects.reg.model import DEFORMABLE, SPATIAL, Edge, RegistrationObject
from radfuse.volume import Finding, FindingKind

FrameOf: TypeAlias = Callable[[str], str | None]
"""The Frame of Reference UID of an image, by its SOP Instance UID; None when it is not known."""

_SEQUENCES: Final = {SPATIAL: "RegistrationSequence", DEFORMABLE: "DeformableRegistrationSequence"}
_FRAME_KEYWORDS: Final = {SPATIAL: "FrameOfReferenceUID", DEFORMABLE: "SourceFrameOfReferenceUID"}


def read_registration(ds: Dataset, frame_of: FrameOf | None = None) -> RegistrationObject:
    """The registrations of an object, each as a transform from its fixed frame of reference to a moving one.

    That is our direction, and that of a Deformable Spatial Registration; matrices of a Spatial Registration
    are inverted. ``frame_of`` finds the frame of items that name images only, and of the first image of the
    others. A registration that cannot be used is left out, with a finding.

    Raises UnreadableObject for another SOP class, a damaged sequence, an object without frames of reference,
    or one of whose registrations none can be used.
    """
    top = Item(ds)
    if top.text("SOPClassUID") not in _SEQUENCES:
        raise UnreadableObject("it is no Spatial or Deformable Spatial Registration")
    return _Reading(top, frame_of or (lambda _uid: None)).result()


class _Reading:
    """One object while it is read."""

    def __init__(self, top: Item, frame_of: FrameOf) -> None:
        self._top = top
        self._frame_of = frame_of
        self._class = top.text("SOPClassUID")
        self._references = {reference.sop_instance_uid: reference for reference in _listed(top)}
        self._sentences: list[str] = []
        self._lost: list[str] = []
        self._fixed_images: tuple[Reference, ...] = ()
        self._frames: list[str] = []

    def result(self) -> RegistrationObject:
        """Everything read."""
        items = self._top.items(_SEQUENCES[self._class])
        if not items:
            raise UnreadableObject("it holds no registration")
        fixed = FrameOfReference(self._fixed_frame(items))
        self._frames = [uid for item in items if (uid := self._named(item)) != fixed.uid]
        edges = [edge for place, item in enumerate(items, start=1) if (edge := self._edge(place, item, fixed))]
        if self._lost and not edges:
            raise UnreadableObject(self._lost[0])
        if not edges:
            self._sentences.append("it registers nothing but its own frame of reference")
        self._judge_twice()
        sentences = dict.fromkeys((*self._lost, *self._sentences))
        top = self._top
        return RegistrationObject(
            sop_class_uid=self._class,
            sop_instance_uid=top.text("SOPInstanceUID"),
            fixed=fixed,
            edges=tuple(edges),
            label=top.text("ContentLabel"),
            description=top.text("ContentDescription"),
            creator=top.text("ContentCreatorName"),
            date=top.text("ContentDate") + top.text("ContentTime").partition(".")[0],
            equipment=tuple(filter(None, map(top.text, ("Manufacturer", "ManufacturerModelName", "SoftwareVersions")))),
            fixed_images=self._fixed_images,
            references=tuple(self._references.values()),
            findings=tuple(Finding(FindingKind.HEADER, sentence) for sentence in sentences),
        )

    def _fixed_frame(self, items: Sequence[Item]) -> str:
        """The Registered RCS; where the object does not say it, the frame that it maps to itself."""
        uid = self._top.text("FrameOfReferenceUID")
        if uid:
            return uid
        if self._class == SPATIAL:
            found = {self._frame(item) for item in items if _maps_nothing(item)} - {""}
            if len(found) == 1:
                self._sentences.append("it does not name its fixed frame of reference: the one with the identity is it")
                return found.pop()
        raise UnreadableObject("it does not name the frame of reference that it registers to")

    def _frame(self, item: Item) -> str:
        """The frame of an item, or that of the images it names; empty when nobody knows it."""
        uid = item.text(_FRAME_KEYWORDS[self._class])
        if uid:
            return uid
        frames = {self._frame_of(image.sop_instance_uid) or "" for image in self._images(item)}
        return frames.pop() if len(frames) == 1 else ""

    def _named(self, item: Item) -> str:
        """The same; empty where the item is damaged."""
        try:
            return self._frame(item)
        except UnreadableObject:
            return ""

    def _edge(self, place: int, item: Item, fixed: FrameOfReference) -> Edge | None:
        """The registration of an item; None for the fixed frame's own, and where it cannot be used."""
        name = f"registration {place}"
        try:
            moving = FrameOfReference(self._frame(item))
            if not moving.is_known:
                raise UnreadableObject("it does not say which frame of reference it registers")
            images = self._images(item)
            self._judge_images(name, moving, images)
            edge = self._matrices(name, item, moving) if self._class == SPATIAL else self._field(name, item, moving)
        except UnreadableObject as error:
            self._lost.append(f"{name} is left out: {error.reason}")
            return None
        edge = replace(edge, item=place)
        if moving.is_same_as(fixed):
            return self._within(name, edge, images)
        return replace(edge, is_for_images=bool(images) and self._frames.count(moving.uid) > 1)

    def _within(self, name: str, edge: Edge, images: tuple[Reference, ...]) -> Edge | None:
        """A registration of the fixed frame to itself: its own item, or two states of the patient in one frame."""
        if not edge.is_deformable and is_identity(edge.transform.affine()):
            self._fixed_images = self._fixed_images or images
            return None
        if not images:
            self._lost.append(f"{name} is left out: it moves the fixed frame of reference within itself")
            return None
        self._sentences.append(f"{name} is within one frame of reference: it holds for the images it names alone")
        return replace(edge, is_for_images=True)

    def _matrices(self, name: str, item: Item, moving: FrameOfReference) -> Edge:
        registrations = item.items("MatrixRegistrationSequence")
        if len(registrations) != 1:
            raise UnreadableObject(f"it has {len(registrations)} matrix registrations where one belongs")
        (registration,) = registrations
        matrices = registration.items("MatrixSequence")
        if not matrices:
            raise UnreadableObject("it has no matrix")
        whole = read_matrices(matrices)
        self._sentences += [f"{name} {wrong}" for wrong in wrong_types(matrices)]
        return Edge(
            moving,
            Chain((whole.inverse(),)),
            # Some writers put it one level up.
            registration.code("RegistrationTypeCodeSequence") or item.code("RegistrationTypeCodeSequence"),
            matrix_type(whole),
            registration.text("FrameOfReferenceTransformationComment"),
            self._images(item),
        )

    def _field(self, name: str, item: Item, moving: FrameOfReference) -> Edge:
        transform, sentences = read_deformation(item, FrameOfReference(self._top.text("FrameOfReferenceUID")))
        self._sentences += [f"{name} {sentence}" for sentence in sentences]
        return Edge(
            moving,
            transform,
            item.code("RegistrationTypeCodeSequence"),
            matrix_type(transform.affine()) if transform.is_affine else "",
            item.text("FrameOfReferenceTransformationComment"),
            self._images(item),
        )

    def _images(self, item: Item) -> tuple[Reference, ...]:
        """The images that an item names, with series and study where the object lists them."""
        return tuple(_reference(image, self._references) for image in item.items("ReferencedImageSequence"))

    def _judge_images(self, name: str, moving: FrameOfReference, images: tuple[Reference, ...]) -> None:
        known = self._frame_of(images[0].sop_instance_uid) if images else None
        if known and known != moving.uid:
            self._sentences.append(f"{name} names images that lie in another frame of reference than it says")

    def _judge_twice(self) -> None:
        frames = list(filter(None, self._frames))
        if len(set(frames)) != len(frames):
            self._sentences.append("a frame of reference is registered several times: each holds for its own images")


def _maps_nothing(item: Item) -> bool:
    try:
        matrices = [one for part in item.items("MatrixRegistrationSequence") for one in part.items("MatrixSequence")]
        return bool(matrices) and is_identity(read_matrices(matrices))
    except UnreadableObject:
        return False


def _reference(image: Item, listed: dict[str, Reference]) -> Reference:
    uid = image.text("ReferencedSOPInstanceUID")
    known = listed.get(uid)
    frames = tuple(int(number) for number in image.numbers("ReferencedFrameNumber") if number.is_integer())
    class_uid = image.text("ReferencedSOPClassUID")
    if known is None:
        return Reference(class_uid, uid, frames=frames)
    return Reference(class_uid or known.sop_class_uid, uid, known.series_uid, known.study_uid, frames)


def _listed(top: Item) -> Iterator[Reference]:
    """The instances of the Common Instance Reference module (PS3.3 section C.12.2)."""
    yield from _of_series(top.items("ReferencedSeriesSequence"), top.text("StudyInstanceUID"))
    for study in top.items("StudiesContainingOtherReferencedInstancesSequence"):
        yield from _of_series(study.items("ReferencedSeriesSequence"), study.text("StudyInstanceUID"))


def _of_series(series: Sequence[Item], study_uid: str) -> Iterator[Reference]:
    for one in series:
        uid = one.text("SeriesInstanceUID")
        for instance in one.items("ReferencedInstanceSequence"):
            yield Reference(
                instance.text("ReferencedSOPClassUID"), instance.text("ReferencedSOPInstanceUID"), uid, study_uid
            )
