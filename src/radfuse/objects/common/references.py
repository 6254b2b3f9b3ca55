"""References to instances (PS3.3 table 10-11), and the Common Instance Reference module (PS3.3 section C.12.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radfuse.core.errors import UnreadableObject
from radfuse.core.uids import is_valid_uid
from radfuse.objects.common.codes import Code, code_sequence
from radfuse.objects.common.reading import Item


@dataclass(frozen=True, slots=True)
class Reference:
    """One instance, and where it is in the hierarchy."""

    sop_class_uid: str
    sop_instance_uid: str
    series_uid: str = ""
    study_uid: str = ""
    frames: tuple[int, ...] = ()
    """Frame numbers from 1; empty: the whole instance."""

    def item(self, purpose: Code | None = None) -> Dataset:
        """As an item of a sequence that uses the Image SOP Instance Reference macro (PS3.3 table 10-3)."""
        item = Dataset()
        item.ReferencedSOPClassUID = self.sop_class_uid
        item.ReferencedSOPInstanceUID = self.sop_instance_uid
        if self.frames:
            item.ReferencedFrameNumber = list(self.frames)
        if purpose:
            item.PurposeOfReferenceCodeSequence = code_sequence(purpose)
        return item


def reference_to(ds: Dataset, frames: tuple[int, ...] = ()) -> Reference:
    """The reference to an instance that is there. Raises UnreadableObject for one without an identity."""
    item = Item(ds)
    sop_class_uid, sop_instance_uid = item.text("SOPClassUID"), item.text("SOPInstanceUID")
    if not is_valid_uid(sop_class_uid) or not is_valid_uid(sop_instance_uid):
        raise UnreadableObject("an image does not say which instance it is")
    return Reference(
        sop_class_uid, sop_instance_uid, item.text("SeriesInstanceUID"), item.text("StudyInstanceUID"), frames
    )


def series_items(references: Iterable[Reference], images: str = "ReferencedInstanceSequence") -> list[Dataset]:
    """One item for each series, with its instances in the sequence ``images``, each named once."""
    by_series: dict[str, dict[str, Reference]] = {}
    for reference in references:
        by_series.setdefault(reference.series_uid, {}).setdefault(reference.sop_instance_uid, reference)
    items = []
    for series_uid, instances in by_series.items():
        item = Dataset()
        item.SeriesInstanceUID = series_uid
        setattr(item, images, Sequence([_whole(reference) for reference in instances.values()]))
        items.append(item)
    return items


def add_common_instance_reference(ds: Dataset, references: Iterable[Reference]) -> None:
    """Name every instance that ``ds`` refers to, by study and series; ``ds`` has its Study Instance UID already."""
    own, others = [], dict[str, list[Reference]]()
    for reference in references:
        if reference.study_uid in ("", ds.StudyInstanceUID):
            own.append(reference)
        else:
            others.setdefault(reference.study_uid, []).append(reference)
    if own:
        ds.ReferencedSeriesSequence = Sequence(series_items(own))
    if others:
        ds.StudiesContainingOtherReferencedInstancesSequence = Sequence(
            [_study(study_uid, references) for study_uid, references in others.items()]
        )


def _study(study_uid: str, references: list[Reference]) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = study_uid
    item.ReferencedSeriesSequence = Sequence(series_items(references))
    return item


def _whole(reference: Reference) -> Dataset:
    item = reference.item()
    if "ReferencedFrameNumber" in item:
        del item.ReferencedFrameNumber
    return item
