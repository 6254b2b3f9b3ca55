"""Frames of multi-frame PET images as headers of single images, so that the same rules apply.

Legacy Converted Enhanced PET carries the attributes of the single images in its functional groups (PS3.3 A.71).
Enhanced PET (PS3.3 A.56, C.8.22) says the same in other attributes: Decay Corrected and Decay Correction DateTime,
Attenuation Corrected, Frame Acquisition DateTime, and the unit in the Real World Value Mapping.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_UNITS: Final = {
    "bq/ml": ("BQML", ""),
    "g/ml{suvbw}": ("GML", "BW"),
    "g/ml{suvlbm}": ("GML", "LBM"),
    "g/ml{suvlbm(james128)}": ("GML", "LBMJAMES128"),
    "g/ml{suvlbm(janma)}": ("GML", "LBMJANMA"),
    "g/ml{suvibw}": ("GML", "IBW"),
    "cm2/ml{suvbsa}": ("CM2ML", "BSA"),
}
"""UCUM units of PS3.16 CID 84 and 85, in small letters, as Units (0054,1001) and SUV Type (0054,1006)."""


def is_multi_frame(header: Dataset) -> bool:
    """Whether a header is that of a multi-frame image with functional groups."""
    return "PerFrameFunctionalGroupsSequence" in header


def frame_headers(header: Dataset) -> list[Dataset]:
    """A header for each frame of a multi-frame image, with the attributes of a single image."""
    return [_frame_header(header, groups) for groups in header.PerFrameFunctionalGroupsSequence]


def _frame_header(header: Dataset, groups: Dataset) -> Dataset:
    from pydicom.dataset import Dataset

    made = Dataset()
    groups_of_all = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")
    for element in header:
        if element.keyword not in groups_of_all:
            made.add(element)
    for shared in header.get("SharedFunctionalGroupsSequence") or ():
        _lift(shared, made)
    _lift(groups, made)
    if made.get("FrameAcquisitionDateTime"):
        # Beside it stands the start of the first frame. An element of its own: those of the image serve all frames.
        made.add_new("AcquisitionDateTime", "DT", made.FrameAcquisitionDateTime)
    for keyword, value in _translated(made):
        if keyword not in made:
            setattr(made, keyword, value)
    return made


def _lift(groups: Dataset, made: Dataset) -> None:
    """Put what stands in the functional groups of one item beside the attributes of the image."""
    for group in groups:
        if group.VR == "SQ" and len(group.value) == 1 and group.keyword != "RealWorldValueMappingSequence":
            for element in group.value[0]:
                made.add(element)
        else:
            made.add(group)


def _translated(made: Dataset) -> Iterator[tuple[str, object]]:
    """What the attributes of Enhanced PET are in those of single images."""
    if made.get("FrameAcquisitionDuration"):
        yield "ActualFrameDuration", str(round(made.FrameAcquisitionDuration))
    flags = (("ATTN", "AttenuationCorrected"), ("DECY", "DecayCorrected"))
    yield "CorrectedImage", [word for word, keyword in flags if made.get(keyword) == "YES"]
    if made.get("DecayCorrected") == "NO":
        yield "DecayCorrection", "NONE"
    elif made.get("DecayCorrected") == "YES" and made.get("DecayCorrectionDateTime"):
        yield "DecayCorrection", "START"
    yield from _mapped(made)


def _mapped(made: Dataset) -> Iterator[tuple[str, object]]:
    """Slope and unit of the Real World Value Mapping, where it has one and contradicts no rescale."""
    mappings = list(made.get("RealWorldValueMappingSequence") or [])
    if len(mappings) != 1:
        return
    mapping = mappings[0]
    slope, intercept = mapping.get("RealWorldValueSlope"), mapping.get("RealWorldValueIntercept") or 0.0
    own = float(made.get("RescaleSlope") or slope or 0), float(made.get("RescaleIntercept") or intercept)
    if slope is None or own != (slope, intercept):
        return
    yield "RescaleSlope", f"{slope:.10g}"
    yield "RescaleIntercept", f"{intercept:.10g}"
    for code in mapping.get("MeasurementUnitsCodeSequence") or []:
        if found := _UNITS.get(str(code.get("CodeValue") or code.get("LongCodeValue")).lower()):
            yield "Units", found[0]
            yield "SUVType", found[1]
