"""Objects of ours as bytes."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Final

from pydicom.charset import default_encoding
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

from radfuse.core.errors import InvalidObject
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.dicom import FileMeta, build_file_meta

_MOST_CHARACTERS: Final = 16
_LONGEST_EXPLICIT: Final = 0xFFFE
_CONTOUR_DATA: Final = 0x30060050


def decimal(number: float, places: int = 6) -> str:
    """``number`` as a Decimal String (PS3.5 section 6.2): at most 16 characters, ``places`` decimals if they fit.

    Raises InvalidObject for what is not finite.
    """
    if not math.isfinite(number):
        raise InvalidObject(("a number is not finite",))
    text = f"{number:.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", "0") and number != 0:
        text = f"{number:.9g}"
    if len(text) <= _MOST_CHARACTERS:
        return "0" if text == "-0" else text
    digits = _MOST_CHARACTERS
    while len(text) > _MOST_CHARACTERS:
        digits -= 1
        text = f"{number:.{digits}g}"
    return text


def encode(ds: Dataset) -> bytes:
    """``ds`` as a Part 10 file: Explicit VR Little Endian, our implementation, no source AE title.

    A structure set with a contour of more than 64 KiB is Implicit VR Little Endian: explicit lengths of
    Decimal Strings end there, and readers do not find contours under the VR UN that would stand in.
    """
    contours = [contour for region in ds.get("ROIContourSequence", ()) for contour in region.get("ContourSequence", ())]
    implicit = any(_data_length(contour) > _LONGEST_EXPLICIT for contour in contours)
    for contour in contours:  # else pydicom parses every number to write it again
        contour.set_original_encoding(implicit, True, default_encoding)
    syntax = IMPLICIT_LITTLE if implicit else EXPLICIT_LITTLE
    body = Dataset()
    body.update(ds)
    buffer = BytesIO()
    dcmwrite(buffer, body, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    return build_file_meta(FileMeta(str(ds.SOPClassUID), str(ds.SOPInstanceUID), syntax)) + buffer.getvalue()


def _data_length(contour: Dataset) -> int:
    """Bytes of Contour Data."""
    element = contour.get_item(_CONTOUR_DATA) if _CONTOUR_DATA in contour else None
    if element is None or element.value is None:
        return 0
    value = element.value
    return len(value) if isinstance(value, bytes) else sum(len(str(number)) + 1 for number in value)
