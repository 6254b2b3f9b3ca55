"""Encoded elements, items and data sets for tests, written by hand or by pydicom."""

from __future__ import annotations

import struct
import warnings

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from radfuse.core.transfer_syntaxes import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    syntax_of,
)
from radfuse.dicom.elements import UNDEFINED

NATIVE_SYNTAXES = (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED_LITTLE)
PLAIN_SYNTAXES = (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG)

LONG_FORM = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV", "ZZ"))


def element(tag: int, vr: str, value: bytes, syntax_uid: str = EXPLICIT_LITTLE, length: int | None = None) -> bytes:
    """One element; ``length`` states another length than the value has."""
    syntax = syntax_of(syntax_uid)
    order = "<" if syntax.little_endian else ">"
    stated = len(value) if length is None else length
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not syntax.explicit_vr:
        return head + struct.pack("<I", stated) + value
    if vr in LONG_FORM:
        return head + vr.encode() + struct.pack(order + "HI", 0, stated) + value
    return head + vr.encode() + struct.pack(order + "H", stated) + value


def part(tag: int, length: int, value: bytes = b"", syntax_uid: str = EXPLICIT_LITTLE) -> bytes:
    """An item or a delimiter."""
    order = "<" if syntax_of(syntax_uid).little_endian else ">"
    return struct.pack(order + "HHI", tag >> 16, tag & 0xFFFF, length) + value


def nested(levels: int, syntax_uid: str, undefined: bool, tag: int = 0x00081140) -> bytes:
    """``levels`` sequences of one item, each in the one before."""
    data = b""
    for _ in range(levels):
        if undefined:
            item = part(0xFFFEE000, UNDEFINED, data, syntax_uid) + part(0xFFFEE00D, 0, b"", syntax_uid)
            closed = item + part(0xFFFEE0DD, 0, b"", syntax_uid)
            data = element(tag, "SQ", closed, syntax_uid, UNDEFINED)
        else:
            data = element(tag, "SQ", part(0xFFFEE000, len(data), data, syntax_uid), syntax_uid)
    return data


def by_pydicom(dataset: Dataset, syntax_uid: str) -> bytes:
    """``dataset`` as pydicom encodes it, deflated ones not deflated."""
    syntax = syntax_of(syntax_uid)
    buffer = DicomBytesIO()
    buffer.is_little_endian = syntax.little_endian
    buffer.is_implicit_VR = not syntax.explicit_vr
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_dataset(buffer, dataset)
    return buffer.getvalue()
