"""Structures become an RT Structure Set (PS3.3 sections A.19, C.8.8.5, C.8.8.6, C.8.8.8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

from radfuse.core.errors import FramesDiffer, InvalidObject
from radfuse.geometry import Contour, Points, Structure
from radfuse.objects.common import (
    Item,
    Making,
    NewSeries,
    Provenance,
    Reference,
    add_provenance,
    code_sequence,
    new_object,
    reference_to,
)
from radfuse.objects.common.planes import ImagePlanes, frames_of, planes_of
from radfuse.objects.common.references import series_items
from radfuse.objects.rtstruct.model import CLOSED, CLOSED_XOR, RT_STRUCTURE_SET, Roi

_STUDY_CLASS: Final = "1.2.840.10008.3.1.2.3.1"
"""Detached Study Management, retired, and still what Referenced SOP Class UID of a study holds everywhere."""

_NOT_OF_THIS_IOD: Final = ("ContentDate", "ContentTime", "BodyPartExamined")
"""Structure sets have a date of their own, and no General Series module."""

_CODE_STRING: Final = re.compile(r"[A-Z0-9_ ]{0,16}\Z")
_ALGORITHMS: Final = ("", "AUTOMATIC", "SEMIAUTOMATIC", "MANUAL")
_CONTOUR_DATA: Final = Tag(0x3006, 0x0050)
_PLACES: Final = 4
"""Decimals of coordinates in mm: wrong by 0.00005 mm at most."""


def build_structure_set(
    structures: Sequence[Structure | Roi],
    images: Sequence[Dataset],
    *,
    label: str,
    provenance: Provenance,
    making: Making,
    series: NewSeries | None = None,
) -> Dataset:
    """The structure set of ``structures`` drawn on ``images`` (single-frame or multi-frame, pixels not needed).

    The patient and the study are those of the first image. Each closed contour names the image in whose
    slice it lies; one between images names none. Structures keep their numbers if these differ, else they
    are numbered from 1. It is UNAPPROVED.

    Raises FramesDiffer for a structure in a frame of reference of no image, UnreadableObject for
    images that name no frame of reference, InvalidObject for a missing
    label, no structures, no images, or words that their attributes cannot hold.
    """
    rois = [one if isinstance(one, Roi) else Roi(one) for one in structures]
    _check(rois, images, label)
    ds = new_object(
        RT_STRUCTURE_SET, "RTSTRUCT", images[0], series=series or NewSeries("RT Structure Set"), making=making
    )
    for keyword in _NOT_OF_THIS_IOD:
        if keyword in ds:
            delattr(ds, keyword)
    ds.StructureSetLabel = label
    ds.StructureSetDate, ds.StructureSetTime = ds.InstanceCreationDate, ds.InstanceCreationTime
    ds.OperatorsName = making.operator
    ds.FrameOfReferenceUID = rois[0].structure.frame.uid
    ds.PositionReferenceIndicator = Item(images[0]).text("PositionReferenceIndicator")
    references = [reference_to(image) for image in images]
    ds.ReferencedFrameOfReferenceSequence = _frames(images, references)
    numbers = _numbers(rois)
    planes = planes_of(images)
    known = {reference.sop_instance_uid: reference for reference in references}
    ds.StructureSetROISequence = Items(_roi(roi, number) for roi, number in zip(rois, numbers, strict=True))
    ds.ROIContourSequence = Items(
        _contours(roi, number, _Images(planes, known)) for roi, number in zip(rois, numbers, strict=True)
    )
    ds.RTROIObservationsSequence = Items(_observation(roi, number) for roi, number in zip(rois, numbers, strict=True))
    ds.ApprovalStatus = "UNAPPROVED"
    add_provenance(ds, provenance, making)
    return ds


def _check(rois: Sequence[Roi], images: Sequence[Dataset], label: str) -> None:
    faults = []
    if not rois or not images:
        faults.append("a structure set needs a structure and the images it lies on")
    if not 0 < len(label) <= 16:
        faults.append("the label of a structure set needs 1 to 16 characters")
    for roi in rois:
        if not _CODE_STRING.match(roi.structure.kind) or roi.algorithm not in _ALGORITHMS:
            faults.append("the type or the algorithm of a structure is not one of the standard's words")
        if len(roi.structure.name) > 64:
            faults.append("the name of a structure has more than 64 characters")
    if faults:
        raise InvalidObject(tuple(faults))
    frames = frames_of(images)
    if not all(roi.structure.frame.uid in frames for roi in rois):
        raise FramesDiffer("the structures and the images")


def _numbers(rois: Sequence[Roi]) -> list[int]:
    numbers = [roi.structure.number for roi in rois]
    proper = len(set(numbers)) == len(numbers) and all(0 <= number < 1 << 31 for number in numbers)
    return numbers if proper else list(range(1, len(rois) + 1))


def _frames(images: Sequence[Dataset], references: Sequence[Reference]) -> Items:
    """Frames of reference, in them studies, in them series, in them images (PS3.3 table C.8-41)."""
    tree: dict[str, dict[str, list[Reference]]] = {}
    for image, reference in zip(images, references, strict=True):
        studies = tree.setdefault(Item(image).text("FrameOfReferenceUID"), {})
        studies.setdefault(reference.study_uid, []).append(reference)
    frames = Items()
    for frame_uid, studies in tree.items():
        if not frame_uid:
            continue
        frame = Dataset()
        frame.FrameOfReferenceUID = frame_uid
        frame.RTReferencedStudySequence = Items()
        for study_uid, members in studies.items():
            study = Dataset()
            study.ReferencedSOPClassUID = _STUDY_CLASS
            study.ReferencedSOPInstanceUID = study_uid
            study.RTReferencedSeriesSequence = Items(series_items(members, "ContourImageSequence"))
            frame.RTReferencedStudySequence.append(study)
        frames.append(frame)
    return frames


def _roi(roi: Roi, number: int) -> Dataset:
    item = Dataset()
    item.ROINumber = number
    item.ReferencedFrameOfReferenceUID = roi.structure.frame.uid
    item.ROIName = roi.structure.name
    if roi.description:
        item.ROIDescription = roi.description[:1024]
    item.ROIGenerationAlgorithm = roi.algorithm
    return item


def _observation(roi: Roi, number: int) -> Dataset:
    item = Dataset()
    item.ObservationNumber = number
    item.ReferencedROINumber = number
    if roi.code:
        item.RTROIIdentificationCodeSequence = code_sequence(roi.code)
    item.RTROIInterpretedType = roi.structure.kind
    item.ROIInterpreter = ""
    return item


class _Images:
    """Finds the image of a contour."""

    def __init__(self, planes: Sequence[ImagePlanes], known: dict[str, Reference]) -> None:
        self._planes = planes
        self._known = known

    def of(self, contour: Contour, frame_uid: str) -> Reference | None:
        """The image it says it was drawn on, with the frame it lies in; else the one in whose slice it lies."""
        near = [planes.nearest(contour.points_mm) for planes in self._planes if planes.frame_uid == frame_uid]
        found = [reference for reference in near if reference]
        for reference in found:
            if reference.sop_instance_uid == contour.image_uid:
                return reference
        return self.named(contour.image_uid) or (found[0] if found else None)

    def named(self, image_uid: str) -> Reference | None:
        """The image of that UID, if it is one of ours."""
        return self._known.get(image_uid)


def _contours(roi: Roi, number: int, images: _Images) -> Dataset:
    item = Dataset()
    item.ReferencedROINumber = number
    item.ROIDisplayColor = list(roi.structure.colour)
    kind = CLOSED_XOR if roi.exclusive_or else CLOSED
    contours = [
        _contour(kind, _open_end(contour.points_mm), images.of(contour, roi.structure.frame.uid))
        for contour in roi.structure.contours
    ]
    contours += [_contour(other.kind, other.points_mm, images.named(other.image_uid)) for other in roi.others]
    if contours:
        item.ContourSequence = Items(contours)
        for index, contour in enumerate(contours, start=1):
            contour.ContourNumber = index
    return item


def _open_end(points: Points) -> Points:
    """Without a last point that repeats the first: the standard closes the contour itself."""
    return points[:-1] if len(points) > 3 and np.array_equal(points[0], points[-1]) else points


def _contour(kind: str, points: Points, image: Reference | None) -> Dataset:
    item = Dataset()
    if image:
        item.ContourImageSequence = Items([image.item()])
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(points)
    numbers = (points.round(_PLACES) + 0.0).ravel().tolist()  # no negative zero
    text = "\\".join(map(repr, numbers))  # the shortest text of a rounded number has no more decimals
    raw = text.replace(".0\\", "\\").removesuffix(".0").encode("ascii")
    raw += b" " * (len(raw) % 2)
    # As bytes: pydicom would make an object of each of some hundred thousand numbers.
    item[_CONTOUR_DATA] = RawDataElement(_CONTOUR_DATA, "DS", len(raw), raw, 0, False, True)
    return item
