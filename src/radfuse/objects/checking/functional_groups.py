"""The functional groups of multi-frame objects: which must be there, shared or with each frame (PS3.3 C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from radfuse.objects.checking.model import Fault, is_empty

_SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
_LABEL_MAP: Final = "1.2.840.10008.5.1.4.1.1.66.7"
_PLANES: Final = (
    ("PixelMeasuresSequence", ("PixelSpacing", "SliceThickness")),
    ("PlaneOrientationSequence", ("ImageOrientationPatient",)),
    ("PlanePositionSequence", ("ImagePositionPatient",)),
)

_DEMANDED: Final[Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    _SEGMENTATION: (*_PLANES, ("SegmentIdentificationSequence", ("ReferencedSegmentNumber",))),
    _LABEL_MAP: _PLANES,
}
"""SOP class to its groups and what each holds (tables A.51-2; the planes, since we write images of patients only)."""

_SHARED: Final = "SharedFunctionalGroupsSequence"
_PER_FRAME: Final = "PerFrameFunctionalGroupsSequence"


def wrong_groups(ds: Dataset) -> Iterator[Fault]:
    """Groups that are missing, said twice, or not as many as frames."""
    demanded = _DEMANDED.get(str(ds.get("SOPClassUID", "")), ())
    if _SHARED not in ds and _PER_FRAME not in ds and not demanded:
        return
    frames = list(ds.get(_PER_FRAME) or ())
    if len(frames) != int(ds.get("NumberOfFrames", 0) or 0):
        yield Fault((_tag(_PER_FRAME),), "frames", "it needs one item for each frame")
    shared = next(iter(ds.get(_SHARED) or ()), Dataset())
    for sequence, keywords in demanded:
        yield from _group(shared, frames, sequence, keywords)
    for number, frame in enumerate(frames, start=1):
        for element in frame:
            if element.tag in shared:
                path = (_tag(_PER_FRAME), f"[{number}]", int(element.tag))
                yield Fault(path, "frames", "the group is shared and given for a frame too")
        if demanded:
            yield from _frame_content(ds, frame, number)


def _group(shared: Dataset, frames: list[Dataset], sequence: str, keywords: tuple[str, ...]) -> Iterator[Fault]:
    if sequence in shared:
        items = [((_tag(_SHARED), "[1]", _tag(sequence)), shared)]
    else:
        items = [((_tag(_PER_FRAME), f"[{n}]", _tag(sequence)), frame) for n, frame in enumerate(frames, start=1)]
    if not frames and sequence not in shared:
        items = [((_tag(_SHARED), "[1]", _tag(sequence)), shared)]
    for path, item in items:
        if is_empty(item.get(sequence)):
            yield Fault(path, "type 1", "the group is neither shared nor given for the frame")
            continue
        for keyword in keywords:
            if is_empty(item[sequence].value[0].get(keyword)):
                yield Fault((*path, "[1]", _tag(keyword)), "type 1C", "it is required in this group")


def _frame_content(ds: Dataset, frame: Dataset, number: int) -> Iterator[Fault]:
    """Dimension index values: as many as there are dimensions (C.7.6.16.2.2)."""
    indices = len(ds.get("DimensionIndexSequence") or ())
    path = (_tag(_PER_FRAME), f"[{number}]", _tag("FrameContentSequence"))
    if "FrameContentSequence" not in frame or is_empty(frame.FrameContentSequence):
        yield Fault(path, "type 1", "each frame needs this group")
        return
    values = frame.FrameContentSequence[0].get("DimensionIndexValues")
    count = 0 if values is None else (1 if isinstance(values, int) else len(values))
    if count != indices:
        yield Fault((*path, "[1]", _tag("DimensionIndexValues")), "frames", "it needs one value for each dimension")


def _tag(keyword: str) -> int:
    return tag_for_keyword(keyword) or 0
