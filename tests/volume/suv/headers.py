"""Headers of PET images as scanners write them, without pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from radfuse.volume.suv import SuvEvidence
from tests.support.generate import save
from tests.support.volumes import Shape, image

_IMAGE: dict[str, Any] = {
    "Modality": "PT",
    "Manufacturer": "Radfuse tests",
    "PatientSex": "M",
    "PatientSize": "1.75",
    "PatientWeight": "70",
    "StudyDate": "20250101",
    "SeriesDate": "20250101",
    "SeriesTime": "110000.000000",
    "AcquisitionDate": "20250101",
    "AcquisitionTime": "110000.000000",
    "FrameReferenceTime": "150000",
    "ActualFrameDuration": "300000",
    "Units": "BQML",
    "DecayCorrection": "START",
    "CorrectedImage": ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"],
    "RescaleSlope": "1",
    "RescaleIntercept": "0",
}
_DRUG: dict[str, Any] = {
    "Radiopharmaceutical": "FDG",
    "RadiopharmaceuticalStartTime": "100000.000000",
    "RadiopharmaceuticalStartDateTime": "20250101100000.000000",
    "RadionuclideTotalDose": "368080000",
    "RadionuclideHalfLife": "6586.2",
}
FLUORINE = ("C-111A1", "^18^Fluorine")
PHILIPS = "Philips PET Private Group"
GE = "GEMS_PETD_01"


def code(value: str, meaning: str, scheme: str = "SRT") -> Dataset:
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def pet(nuclide: tuple[str, str] | None = FLUORINE, **changes: Any) -> Dataset:
    """One image, an hour after 368.08 MBq of FDG for 70 kg: 252 MBq are left, 3600 Bq/ml are SUVbw 1.

    ``changes`` by keyword, of the image or of its radiopharmaceutical; None removes an attribute.
    """
    image, drug = Dataset(), Dataset()
    for target, facts in ((image, _IMAGE), (drug, _DRUG)):
        for keyword, value in facts.items():
            if (value := changes.pop(keyword, value)) is not None:
                setattr(target, keyword, value)
    if nuclide is not None:
        drug.RadionuclideCodeSequence = [code(*nuclide)]
    image.RadiopharmaceuticalInformationSequence = [drug]
    for keyword, value in changes.items():
        setattr(image, keyword, value)
    return image


def with_private(header: Dataset, tag: int, creator: str, value: str, vr: str = "DS") -> Dataset:
    """The header with a private element; without its creator's element when ``creator`` is empty."""
    if creator:
        header.add_new((tag & 0xFFFF0000) | (tag >> 8 & 0xFF), "LO", creator)
    header.add_new(tag, vr, value)
    return header


def only(evidence: SuvEvidence) -> float:
    """The one factor of all slices."""
    (factor,) = evidence.factors
    return factor


def pet_file(folder: Path, number: int, series: int = 1, **changes: Any) -> str:
    """Write one PET image with pixels and this header; the Series Instance UID."""
    made = image(Shape(), "PT", number, series)
    for element in pet(**changes):
        made.add(element)
    save(made, folder, ExplicitVRLittleEndian)
    return str(made.SeriesInstanceUID)
