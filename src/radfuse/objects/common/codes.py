"""Coded terms (PS3.3 section 8.8), and those of the standard's context groups (PS3.16) that several objects need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

_SHORT: Final = 16
"""Longest Code Value; longer ones go to Long Code Value (PS3.3 section 8.1)."""


@dataclass(frozen=True, slots=True)
class Code:
    """A coded term; two are equal when value and scheme are, whatever the meaning says."""

    value: str
    scheme: str
    """Coding Scheme Designator: SCT, DCM, UCUM, LN, FMA …"""
    meaning: str

    def __eq__(self, other: object) -> bool:
        """Whether both say the same."""
        if not isinstance(other, Code):
            return NotImplemented
        return (self.value, self.scheme) == (other.value, other.scheme)

    def __hash__(self) -> int:
        """Of value and scheme."""
        return hash((self.value, self.scheme))

    def item(self) -> Dataset:
        """As an item of a code sequence (PS3.3 table 8.8-1)."""
        item = Dataset()
        if self.value.startswith(("urn:", "http:", "https:")):
            item.URNCodeValue = self.value
        elif len(self.value) > _SHORT:
            item.LongCodeValue = self.value
        else:
            item.CodeValue = self.value
        if self.scheme:
            item.CodingSchemeDesignator = self.scheme
        item.CodeMeaning = self.meaning[:64]
        return item


def code_sequence(*codes: Code) -> Sequence:
    """The value of a code sequence."""
    return Sequence([code.item() for code in codes])


# CID 7005 Contributing Equipment Purpose of Reference
PROCESSING_EQUIPMENT: Final = Code("109102", "DCM", "Processing Equipment")

# CID 7202 Source Image Purpose of Reference
SOURCE_IMAGE: Final = Code("121322", "DCM", "Source image for image processing operation")

# CID 7203 Image Derivation
MULTIPLANAR_REFORMATTING: Final = Code("113072", "DCM", "Multiplanar reformatting")
SEGMENTATION: Final = Code("113076", "DCM", "Segmentation")
MAXIMUM_INTENSITY_PROJECTION: Final = Code("113078", "DCM", "Maximum intensity projection")
SPATIAL_RESAMPLING: Final = Code("113085", "DCM", "Spatial resampling")
DEFORMED_FOR_REGISTRATION: Final = Code("125027", "DCM", "Deformed for Registration")

# CID 7150 Segmentation Property Category
ANATOMICAL_STRUCTURE: Final = Code("91723000", "SCT", "Anatomical Structure")
MORPHOLOGICALLY_ABNORMAL: Final = Code("49755003", "SCT", "Morphologically Abnormal Structure")
FUNCTION: Final = Code("246464006", "SCT", "Function")
PHYSICAL_OBJECT: Final = Code("260787004", "SCT", "Physical object")
SPATIAL_CONCEPT: Final = Code("309825002", "SCT", "Spatial and Relational Concept")
TISSUE: Final = Code("85756007", "SCT", "Tissue")
BODY_SUBSTANCE: Final = Code("91720002", "SCT", "Body Substance")
SUBSTANCE: Final = Code("105590001", "SCT", "Substance")
