"""The preamble and File Meta Information of DICOM files (PS3.10 section 7.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from radfuse.core.errors import NotPart10
from radfuse.core.transfer_syntaxes import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from radfuse.dicom.elements import KNOWN_VRS, LONG_VRS, UNDEFINED, DataSetBuffer

PREAMBLE_BYTES: Final = 128
PREFIX: Final = b"DICM"

_MAX_META_BYTES: Final = 1024 * 1024
_FIRST_GROUPS: Final = frozenset((0x0004, 0x0008, 0x0010, 0x0018, 0x0020, 0x0028))
"""Groups that a data set without File Meta Information may start with, to be taken for one."""

_HEAD = struct.Struct("<HH2sH")
_LONG_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class FileMeta:
    """File Meta Information (PS3.10 table 7.1-1).

    ``data_offset`` is where the data set starts, in bytes from the start of the file. ``guessed``:
    the transfer syntax was not there to read and was told from the first element.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    source_ae_title: str = ""
    private_creator: str = ""
    private_information: bytes = b""
    data_offset: int = 0
    guessed: bool = False


# --- writing ---------------------------------------------------------------------------------


def _short(element: int, vr: bytes, text: str, pad: bytes) -> bytes:
    value = text.encode("ascii")
    if len(value) & 1:
        value += pad
    return _HEAD.pack(2, element, vr, len(value)) + value


def _other(element: int, value: bytes) -> bytes:
    if len(value) & 1:
        value += b"\0"
    return _HEAD.pack(2, element, b"OB", 0) + _LONG_LENGTH.pack(len(value)) + value


_LENGTH_HEAD: Final = bytes(PREAMBLE_BYTES) + PREFIX + _HEAD.pack(2, 0, b"UL", 4)
_VERSION: Final = _other(0x0001, b"\0\1")
_IMPLEMENTATION: Final = _short(0x0012, b"UI", IMPLEMENTATION_CLASS_UID, b"\0") + _short(
    0x0013, b"SH", IMPLEMENTATION_VERSION_NAME, b" "
)


@lru_cache(maxsize=1024)
def _version_and_class(sop_class_uid: str) -> bytes:
    return _VERSION + _short(0x0002, b"UI", sop_class_uid, b"\0")


@lru_cache(maxsize=1024)
def _syntax_to_source(transfer_syntax_uid: str, source_ae_title: str) -> bytes:
    encoded = _short(0x0010, b"UI", transfer_syntax_uid, b"\0") + _IMPLEMENTATION
    return encoded + _short(0x0016, b"AE", source_ae_title, b" ") if source_ae_title else encoded


def build_file_meta(meta: FileMeta) -> bytes:
    """Preamble of zeros, prefix and group 0002 of ``meta``: everything before the data set."""
    body = (
        _version_and_class(meta.sop_class_uid)
        + _short(0x0003, b"UI", meta.sop_instance_uid, b"\0")
        + _syntax_to_source(meta.transfer_syntax_uid, meta.source_ae_title)
    )
    if meta.private_creator:
        body += _short(0x0100, b"UI", meta.private_creator, b"\0") + _other(0x0102, meta.private_information)
    return _LENGTH_HEAD + _LONG_LENGTH.pack(len(body)) + body


# --- reading ---------------------------------------------------------------------------------


def read_file_meta(buffer: DataSetBuffer) -> FileMeta:
    """The File Meta Information at the start of a file.

    Read as leniently as archives need: the preamble, the prefix, the whole group, its length or its
    transfer syntax may be missing (``guessed`` when the syntax is). Raises NotPart10 when the bytes
    are no DICOM.
    """
    values, offset = _meta_elements(buffer, _start_of_elements(buffer))
    syntax = _uid(values.get(0x0010))
    return FileMeta(
        sop_class_uid=_uid(values.get(0x0002)),
        sop_instance_uid=_uid(values.get(0x0003)),
        transfer_syntax_uid=syntax or _guessed_syntax(buffer, offset),
        source_ae_title=values.get(0x0016, b"").decode("ascii", "replace").strip(" \0"),
        private_creator=_uid(values.get(0x0100)),
        private_information=values.get(0x0102, b""),
        data_offset=offset,
        guessed=not syntax,
    )


def _start_of_elements(buffer: DataSetBuffer) -> int:
    """Behind the prefix, or 0 when there is none (four bytes inside a bare data set may look like one)."""
    behind = PREAMBLE_BYTES + len(PREFIX)
    if bytes(buffer[PREAMBLE_BYTES:behind]) == PREFIX:
        is_group_2 = bytes(buffer[behind : behind + 2]) == b"\2\0"
        return behind if is_group_2 or not _syntax_without_prefix(buffer) else 0
    return len(PREFIX) if bytes(buffer[: len(PREFIX)]) == PREFIX else 0


def _uid(raw: bytes | None) -> str:
    return raw.rstrip(b"\0 ").decode("ascii", "replace") if raw else ""


def _meta_elements(buffer: DataSetBuffer, start: int) -> tuple[dict[int, bytes], int]:
    """The raw values of group 0002 by element number, and where the group ends (its own length is not believed)."""
    values: dict[int, bytes] = {}
    position = start
    size = len(buffer)
    while position + _HEAD.size <= size:
        group, element, vr, length = _HEAD.unpack_from(buffer, position)
        if group != 2:
            break
        value_at = position + _HEAD.size
        if vr in LONG_VRS:
            if value_at + _LONG_LENGTH.size > size:
                raise NotPart10("the file ends inside its File Meta Information")
            (length,) = _LONG_LENGTH.unpack_from(buffer, value_at)
            value_at += _LONG_LENGTH.size
        elif vr not in KNOWN_VRS:
            # Some writers encode even this group without VRs.
            (length,) = _LONG_LENGTH.unpack_from(buffer, position + 4)
        position = value_at + length
        if position > size or position - start > _MAX_META_BYTES:
            raise NotPart10("the File Meta Information is longer than the file or than is allowed")
        values[element] = bytes(buffer[value_at:position])
    return values, position


def _guessed_syntax(buffer: DataSetBuffer, offset: int) -> str:
    """The transfer syntax that the first element of the data set looks like."""
    if len(buffer) - offset < _HEAD.size:
        raise NotPart10("it has no data set")
    syntax = _syntax_with_prefix(buffer, offset) if offset else _syntax_without_prefix(buffer)
    if not syntax:
        raise NotPart10("it starts with neither File Meta Information nor a data set")
    return syntax


def _first_element(buffer: DataSetBuffer, offset: int) -> tuple[int, int, bool, bool]:
    """The group read little and big endian; whether the element has a VR, and a length that fits without one."""
    head = bytes(buffer[offset : offset + _HEAD.size])
    length = int.from_bytes(head[4:], "little")
    fits = length <= len(buffer) - offset - _HEAD.size or length == UNDEFINED
    return int.from_bytes(head[:2], "little"), int.from_bytes(head[:2], "big"), head[4:6] in KNOWN_VRS, fits


def _syntax_with_prefix(buffer: DataSetBuffer, offset: int) -> str:
    little, big, has_vr, fits = _first_element(buffer, offset)
    if has_vr:
        return EXPLICIT_LITTLE if little < big else EXPLICIT_BIG
    return IMPLICIT_LITTLE if fits else ""


def _syntax_without_prefix(buffer: DataSetBuffer) -> str:
    little, big, has_vr, fits = _first_element(buffer, 0)
    if has_vr and (little in _FIRST_GROUPS or big in _FIRST_GROUPS):
        return EXPLICIT_LITTLE if little in _FIRST_GROUPS else EXPLICIT_BIG
    return IMPLICIT_LITTLE if little in _FIRST_GROUPS and not has_vr and fits else ""
