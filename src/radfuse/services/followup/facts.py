"""What the header of one image says of its series, as far as two time points are compared by it; no pixel is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive, StoredObject
from radfuse.dicom import Element, Identifier

_LAST: Final = 0x0054_FFFF

_WORDS: Final = (
    "Modality",
    "PatientID",
    "IssuerOfPatientID",
    "StudyDate",
    "StudyTime",
    "SeriesDate",
    "SeriesTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "SeriesDescription",
    "ProtocolName",
    "BodyPartExamined",
    "ImageType",
    "CorrectedImage",
    "FrameOfReferenceUID",
    "Manufacturer",
    "ManufacturerModelName",
    "ReconstructionMethod",
    "ConvolutionKernel",
    "SliceThickness",
    "PixelSpacing",
    "KVP",
    "ContrastBolusAgent",
    "ScanningSequence",
    "EchoTime",
    "RepetitionTime",
    "MagneticFieldStrength",
)
_TAGS: Final = {keyword: Element.of(keyword).tag for keyword in _WORDS}
_DRUGS: Final = Element.of("RadiopharmaceuticalInformationSequence").tag
_DRUG_CODES: Final = Element.of("RadiopharmaceuticalCodeSequence").tag
_NUCLIDES: Final = Element.of("RadionuclideCodeSequence").tag
_DRUG: Final = Element.of("Radiopharmaceutical").tag
_MEANING: Final = Element.of("CodeMeaning").tag


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """Texts by keyword, several values with backslashes; "" where the image does not say."""

    texts: tuple[tuple[str, str], ...]
    drug: str = ""
    """Radiopharmaceutical by its name or code, small letters; of PET."""

    def text(self, keyword: str) -> str:
        """One of them."""
        return next(value for name, value in self.texts if name == keyword)

    @property
    def moment(self) -> str:
        """When it was acquired, as digits: date and time to the second."""
        for what in ("Acquisition", "Series", "Study"):
            if date := _digits(self.text(f"{what}Date")):
                return date[:8] + _digits(self.text(f"{what}Time").partition(".")[0])[:6].ljust(6, "0")
        return ""

    @property
    def date(self) -> str:
        """Year-month-day; empty where nothing says."""
        day = self.moment[:8]
        return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 else ""


def facts_of(archive: Archive, stored: StoredObject) -> SeriesFacts:
    """Of one image. Raises BlobMissing, BlobDamaged, DataSetError."""
    header = archive.read_header(stored, _LAST)
    return SeriesFacts(tuple((keyword, _text(header, tag)) for keyword, tag in _TAGS.items()), _drug(header))


def _text(header: Identifier, tag: int) -> str:
    element = header.get(tag)
    return "\\".join(value.strip(" \0") for value in element.values) if element is not None else ""


def _drug(header: Identifier) -> str:
    sequence = header.get(_DRUGS)
    for item in sequence.items if sequence is not None else ():
        for codes in (_DRUG_CODES, _NUCLIDES):
            coded = item.get(codes)
            named = coded.items[0].text(_MEANING) if coded is not None and coded.items else ""
            if codes is _DRUG_CODES:
                named = named or item.text(_DRUG)
            if named.strip():
                return _plain(named)
    return ""


def _plain(name: str) -> str:
    """Names of one tracer: FDG is written in a dozen ways."""
    small = name.strip().casefold()
    return "fdg" if "fdg" in small or "fluorodeoxyglucose" in small else small


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
