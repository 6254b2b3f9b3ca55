"""An RT Structure Set becomes structures; what it leaves open or contradicts becomes findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import UnreadableObject
from radfuse.geometry import FrameOfReference, Structure
from radfuse.objects.common import Item, Reference
from radfuse.objects.rtstruct.contours import ReadContours, read_contours
from radfuse.objects.rtstruct.model import RT_STRUCTURE_SET, Roi, StructureSet
from radfuse.volume import Finding, FindingKind

_COLOURS: Final = ((255, 0, 0), (0, 200, 0), (0, 110, 255), (255, 200, 0), (255, 0, 255), (0, 220, 220))
"""For structures without a colour, by their place in the set."""


def read_structures(ds: Dataset, images: Collection[str] | None = None) -> StructureSet:
    """The structures of an RT Structure Set, each in the frame of reference it names.

    ``images``: the SOP Instance UIDs of the images that are there, if the caller knows them. Contours that
    name others are a finding and no error, for they lie by frame of reference just as well. So are numbers
    used twice, regions without contours, contours that are no outline, and references that lead nowhere
    inside the object.

    Raises UnreadableObject for another SOP class, a damaged sequence, or an object without regions.
    """
    top = Item(ds)
    if top.text("SOPClassUID") != RT_STRUCTURE_SET:
        raise UnreadableObject("it is no RT Structure Set")
    return _Reading(top).result(images)


class _Reading:
    """One object while it is read."""

    def __init__(self, top: Item) -> None:
        self._top = top
        self._sentences: list[str] = []
        self._frames = [item.text("FrameOfReferenceUID") for item in top.items("ReferencedFrameOfReferenceSequence")]
        self._frames = [uid for uid in self._frames if uid]
        self._references = _referenced_images(top)

    def result(self, images: Collection[str] | None) -> StructureSet:
        """Everything read."""
        regions = self._top.items("StructureSetROISequence")
        if not regions:
            raise UnreadableObject("the RT Structure Set names no region")
        contours = self._shares(regions, "ROIContourSequence")
        observations = self._shares(regions, "RTROIObservationsSequence")
        read = [read_contours(items) for items in contours]
        rois = [
            self._roi(place, region, read[place], contours[place], observations[place])
            for place, region in enumerate(regions)
        ]
        self._judge_references(read, images)
        return StructureSet(
            label=self._top.text("StructureSetLabel"),
            name=self._top.text("StructureSetName"),
            sop_instance_uid=self._top.text("SOPInstanceUID"),
            rois=tuple(rois),
            references=tuple(self._references.values()),
            findings=tuple(Finding(FindingKind.HEADER, sentence) for sentence in dict.fromkeys(self._sentences)),
            approval=self._top.text("ApprovalStatus"),
        )

    def _shares(self, regions: Sequence[Item], keyword: str) -> list[list[Item]]:
        """The items of ``keyword`` that belong to each region; of a number used twice, in the order of the file."""
        numbers = [region.whole("ROINumber") for region in regions]
        waiting: dict[int | None, list[Item]] = {}
        for item in self._top.items(keyword):
            waiting.setdefault(item.whole("ReferencedROINumber"), []).append(item)
        left = Counter(numbers)
        shares = []
        for number in numbers:
            left[number] -= 1
            items = waiting.get(number, []) if number is not None else []
            share = items[:1] if left[number] else items[:]
            del items[: len(share)]
            shares.append(share)
        if any(items for number, items in waiting.items()):
            self._sentences.append(f"items of {keyword} belong to no region and were left out")
        return shares

    def _roi(
        self, place: int, region: Item, read: ReadContours, contours: Sequence[Item], observations: Sequence[Item]
    ) -> Roi:
        number = region.whole("ROINumber")
        self._sentences += [f"the region at place {place + 1} {sentence}" for sentence in read.faults]
        self._judge_number(place, number, contours)
        observation = observations[0] if observations else None
        structure = Structure(
            name=region.text("ROIName") or f"region {place + 1}",
            frame=FrameOfReference(self._frame_of(place, region)),
            contours=read.closed,
            colour=_colour(contours, place),
            number=number if number is not None else 0,
            kind=observation.text("RTROIInterpretedType") if observation else "",
        )
        return Roi(
            structure=structure,
            others=read.others,
            algorithm=region.text("ROIGenerationAlgorithm"),
            description=region.text("ROIDescription"),
            exclusive_or=read.exclusive_or,
            code=observation.code("RTROIIdentificationCodeSequence") if observation else None,
        )

    def _judge_number(self, place: int, number: int | None, contours: Sequence[Item]) -> None:
        numbers = [item.whole("ROINumber") for item in self._top.items("StructureSetROISequence")]
        if number is None:
            self._sentences.append(f"the region at place {place + 1} has no number, so no contours can belong to it")
        elif numbers.count(number) > 1:
            self._sentences.append(f"the number {number} is used by several regions: contours were given in file order")
        elif len(contours) > 1:
            self._sentences.append(f"the contours of region {number} are in several items and were joined")

    def _frame_of(self, place: int, region: Item) -> str:
        """The frame of reference of a region, or that of the only one there is."""
        uid = region.text("ReferencedFrameOfReferenceUID")
        if uid:
            if self._frames and uid not in self._frames:
                self._sentences.append(
                    f"the region at place {place + 1} lies in a frame of reference that the object does not list"
                )
            return uid
        candidates = set(self._frames) or {self._top.text("FrameOfReferenceUID")} - {""}
        if len(candidates) == 1:
            self._sentences.append(
                f"the region at place {place + 1} names no frame of reference: the only one of the object is taken"
            )
            return candidates.pop()
        self._sentences.append(f"the region at place {place + 1} names no frame of reference: it cannot be placed")
        return ""

    def _judge_references(self, read: Sequence[ReadContours], images: Collection[str] | None) -> None:
        named = [uid for one in read for uid in one.image_uids]
        if self._references and (lost := sum(1 for uid in named if uid not in self._references)):
            self._sentences.append(f"{lost} of {len(named)} contours name images that the object does not list")
        if images is None:
            return
        listed = {*self._references, *named}
        if absent := len(listed.difference(images)):
            self._sentences.append(
                f"{absent} of the {len(listed)} images it refers to are not here: "
                "the structures lie by their frame of reference alone"
            )


def _referenced_images(top: Item) -> dict[str, Reference]:
    """The images of Referenced Frame of Reference Sequence, by SOP Instance UID."""
    found: dict[str, Reference] = {}
    for frame in top.items("ReferencedFrameOfReferenceSequence"):
        for study in frame.items("RTReferencedStudySequence"):
            for series in study.items("RTReferencedSeriesSequence"):
                for image in series.items("ContourImageSequence"):
                    reference = Reference(
                        image.text("ReferencedSOPClassUID"),
                        image.text("ReferencedSOPInstanceUID"),
                        series.text("SeriesInstanceUID"),
                        study.text("ReferencedSOPInstanceUID"),
                    )
                    found[reference.sop_instance_uid] = reference
    return found


def _colour(contours: Sequence[Item], place: int) -> tuple[int, int, int]:
    for item in contours:
        numbers = [int(number) for number in item.numbers("ROIDisplayColor") if 0 <= number <= 255]
        if len(numbers) == 3:
            return numbers[0], numbers[1], numbers[2]
    return _COLOURS[place % len(_COLOURS)]
