"""What an object says of its own pixels, and why they may show who the patient is (PS3.15 section E.3.1)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final

from radfuse.core.transfer_syntaxes import EXPLICIT_BIG
from radfuse.dicom.tree import Tree
from radfuse.dicom.words import decode_values

PIXEL_DATA: Final = 0x7FE0_0010
OTHER_PIXELS: Final = (0x7FE0_0008, 0x7FE0_0009)
"""Float and Double Float Pixel Data: numbers that a program computed."""
BURNED_IN: Final = 0x0028_0301
MODALITY: Final = 0x0008_0060
_IMAGE_TYPE: Final = 0x0008_0008
_CONVERSION_TYPE: Final = 0x0008_0064
_DETECTOR_TYPE: Final = 0x0018_7004
_SAMPLES: Final = 0x0028_0002
_SERIES_DESCRIPTION: Final = 0x0008_103E

_CLASSES: Final = "1.2.840.10008.5.1.4.1.1."
_KINDS_BY_CLASS: Final = {
    "7": "secondary captures are mostly screens and scanned paper",
    "3": "ultrasound devices write names into their pictures",
    "6": "ultrasound devices write names into their pictures",
    "3.1": "ultrasound devices write names into their pictures",
    "6.1": "ultrasound devices write names into their pictures",
    **dict.fromkeys(("7.1", "7.2", "7.3", "7.4"), "secondary captures are mostly screens and scanned paper"),
}
_PHOTOGRAPHS: Final = "77.1."
_IS_PHOTOGRAPH: Final = "photographs show people, labels and screens"
_COMPUTED: Final = frozenset(
    _CLASSES + suffix for suffix in ("66.4", "66.7", "30", "481.2", "481.23", "6.2", "6.3", "66.8", "77.1.5.3")
)
"""Segmentations, parametric maps, dose and volumes: numbers, no pictures."""
_KINDS_BY_MODALITY: Final = {
    **dict.fromkeys(("US", "IVUS", "BDUS"), "ultrasound devices write names into their pictures"),
    **dict.fromkeys(("ES", "XC", "GM", "OP", "SM", "DMS", "TG"), _IS_PHOTOGRAPH),
    "HC": "printed film has names on it",
    "SC": "secondary captures are mostly screens and scanned paper",
}
_CONVERSIONS: Final = {
    "DV": "it was digitised from video",
    "DI": "it came through a digital interface",
    "DF": "it was digitised from film",
    "WSD": "it was captured on a workstation",
    "SD": "it is a scanned document",
    "SI": "it is a scanned image",
    "DRW": "it is a drawing",
}
"""Conversion Type (PS3.3 section C.8.6.1); SYN, what a program made, says nothing."""
_SCREENS: Final = re.compile(
    r"SCREEN.?(?:SAVE|SHOT|CAPTURE)|SNAPSHOT|DOSE.?(?:REPORT|INFO|RECORD)|(?:PATIENT|EXAM).?PROTOCOL|RESULT.?REPORT"
)
"""In Image Type and Series Description."""
_OF_THE_STANDARD: Final = "1.2.840.10008."


@dataclass(frozen=True, slots=True)
class Picture:
    """The facts that rules match."""

    sop_class_uid: str
    modality: str
    manufacturer: str
    model: str
    software: str
    image_type: tuple[str, ...]
    rows: int
    columns: int

    @classmethod
    def of(cls, tree: Tree, sop_class_uid: str, transfer_syntax_uid: str = "") -> Picture:
        """From the data set at its top level."""
        is_big = transfer_syntax_uid == EXPLICIT_BIG
        return cls(
            sop_class_uid,
            tree.ascii(MODALITY),
            _text(tree, 0x0008_0070),
            _text(tree, 0x0008_1090),
            _text(tree, 0x0018_1020),
            tuple(value.strip() for value in tree.ascii(_IMAGE_TYPE).split("\\")),
            number(tree, 0x0028_0010, is_big),
            number(tree, 0x0028_0011, is_big),
        )


def risk_of(tree: Tree, sop_class_uid: str) -> str:
    """Why the pixels may hold text that identifies, as the end of a sentence; empty when nothing says so.

    What the object says of itself goes before what its kind lets expect, save that a No is not believed
    of kinds that are known for it.
    """
    if PIXEL_DATA not in tree.nodes:
        return ""
    burned_in = tree.ascii(BURNED_IN).upper()
    if burned_in == "YES":
        return "it says so itself (Burned In Annotation)"
    if sop_class_uid in _COMPUTED:
        return ""
    kind = _by_kind(tree, sop_class_uid)
    if kind or burned_in == "NO":
        return kind
    return _by_origin(tree, sop_class_uid)


def _by_kind(tree: Tree, sop_class_uid: str) -> str:
    if not sop_class_uid.startswith(_OF_THE_STANDARD):
        return "its class is not of the standard, nobody knows what it shows"
    suffix = sop_class_uid.removeprefix(_CLASSES)
    if suffix.startswith(_PHOTOGRAPHS):
        return _IS_PHOTOGRAPH
    return _KINDS_BY_CLASS.get(suffix) or _KINDS_BY_MODALITY.get(tree.ascii(MODALITY).upper(), "")


def _by_origin(tree: Tree, sop_class_uid: str) -> str:
    """Screens, films and papers among the images of scanners."""
    conversion = _CONVERSIONS.get(tree.ascii(_CONVERSION_TYPE).upper())
    if conversion:
        return conversion
    if tree.ascii(_DETECTOR_TYPE) == "FILM":
        return "it was digitised from film"
    image_type = tree.ascii(_IMAGE_TYPE).upper()
    if _SCREENS.search(f"{image_type}\\{tree.ascii(_SERIES_DESCRIPTION).upper()}"):
        return "it is a saved screen"
    samples = tree.raw(_SAMPLES)
    if samples in (b"\3\0", b"\0\3") and "SECONDARY" in image_type:
        return "it is a picture in colours made of other images"
    return ""


def number(tree: Tree, tag: int, is_big: bool) -> int:
    """The first US value of ``tag``; 0 when there is none."""
    raw = tree.raw(tag)
    return struct.unpack_from(">H" if is_big else "<H", raw)[0] if len(raw) >= 2 else 0


def _text(tree: Tree, tag: int) -> str:
    node = tree.get(tag)
    if node is None:
        return ""
    return "\\".join(decode_values(bytes(node.value), tree.character_sets, node.vr)).strip()
