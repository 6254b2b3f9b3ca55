"""Directory records, encoded: the keys taken from objects, and what stands in for keys that they lack (PS3.3 F.5)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from radfuse.core.errors import InvalidInstance
from radfuse.media.describing import (
    PATIENT_ID,
    SERIES_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    VERIFICATION_DATE_TIME,
    Described,
)
from radfuse.media.record_keys import CHARACTER_SET, Key, KeysTable, keys_of
from radfuse.media.record_types import PRIVATE_RECORD_UID, Place

_UNKNOWN_DATE: Final = b"19000101"
_UNKNOWN_TIME: Final = b"000000"
_UNLABELLED: Final = b"UNLABELED"

_DATES: Final = (0x0008_0023, 0x0008_0021, 0x0008_0022, 0x0008_0020)
"""Content, Series, Acquisition and Study Date: one stands in for another."""
_TIMES: Final = (0x0008_0033, 0x0008_0031, 0x0008_0032, 0x0008_0030)

_VERIFICATION_FLAG: Final = 0x0040_A493

Substitute = Callable[[Described, int], bytes]


def _date(described: Described, _: int) -> bytes:
    return next((described.values[tag] for tag in _DATES if described.has(tag)), _UNKNOWN_DATE)


def _time(described: Described, _: int) -> bytes:
    return next((described.values[tag] for tag in _TIMES if described.has(tag)), _UNKNOWN_TIME)


def _position(_: Described, position: int) -> bytes:
    return b"%d" % position


def _constant(value: bytes) -> Substitute:
    return lambda _, __: value


def made_up_id(prefix: str, *parts: bytes) -> bytes:
    """At most 16 characters that are the same whenever the same ``parts`` are given."""
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    return f"{prefix}{digest[: 16 - len(prefix)]}".upper().encode("ascii")


SUBSTITUTES: Final[Mapping[str, Substitute]] = {
    "StudyDate": _date,
    "StudyTime": _time,
    "StudyID": lambda described, _: made_up_id("S", described.values.get(STUDY_INSTANCE_UID, b"").strip(b" \0")),
    "Modality": _constant(b"OT"),
    "SeriesNumber": _position,
    "InstanceNumber": _position,
    "ContentDate": _date,
    "ContentTime": _time,
    "InstanceCreationDate": _date,
    "PresentationCreationDate": _date,
    "PresentationCreationTime": _time,
    "ContentLabel": _constant(_UNLABELLED),
    "StructureSetLabel": _constant(_UNLABELLED),
    "RTPlanLabel": _constant(_UNLABELLED),
    "CompletionFlag": _constant(b"PARTIAL"),
    "VerificationFlag": _constant(b"UNVERIFIED"),
    "NumberOfFrames": _constant(b"1"),
}
"""What a key of type 1 gets when the object has no value, by keyword. The other keys mean something that nobody can
make up: an object that lacks one of them gets no record. Patient ID and the UIDs are the directory's to handle."""

_HANDLED: Final = frozenset((PATIENT_ID,))


@dataclass
class Notes:
    """What the records of a directory say that their objects do not, counted."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, sentence: str) -> None:
        """Count that ``sentence`` holds once more."""
        self.counts[sentence] = self.counts.get(sentence, 0) + 1

    def sentences(self) -> tuple[str, ...]:
        """Each with how often it holds; nothing of a patient is in them."""
        return tuple(
            f"{sentence} ({count} times)" if count > 1 else sentence for sentence, count in self.counts.items()
        )


def record_problems(described: Described, table: KeysTable) -> tuple[str, ...]:
    """Why the object cannot have a directory record in a file-set with this table: a sentence for each key it lacks."""
    lacking = [key for key in keys_of(described.record_type.name, table) if _is_lacking(described, key)]
    if described.record_type.place is Place.OBJECT:
        lacking += [key for key in _UID_KEYS if not described.has(key.tag)]
    return tuple(
        f"its {described.record_type.name} record needs {key.keyword} ({key.tag >> 16:04X},{key.tag & 0xFFFF:04X}), "
        "which it does not have"
        for key in lacking
    )


_UID_KEYS: Final = (
    Key(STUDY_INSTANCE_UID, "StudyInstanceUID", "UI"),
    Key(SERIES_INSTANCE_UID, "SeriesInstanceUID", "UI"),
)


def _is_lacking(described: Described, key: Key) -> bool:
    return key.type == "1" and key.keyword not in SUBSTITUTES and not described.has(key.tag)


def record_keys(
    described: Described, record_type: str, table: KeysTable, position: int, notes: Notes
) -> dict[int, bytes]:
    """The values of the keys of a record, by tag; ``position`` counts the record among its siblings, from 1.

    Raises InvalidInstance when a key of type 1 has neither value nor substitute.
    """
    found: dict[int, bytes] = {}
    for key in keys_of(record_type, table):
        tag, _, _, kind = key
        if described.has(tag):
            value = described.values[tag]
        elif kind in ("1C", "3"):
            continue
        else:
            value = _lacking_value(described, key, record_type, position, notes)
        if tag == VERIFICATION_DATE_TIME and described.values.get(_VERIFICATION_FLAG, b"").strip() != b"VERIFIED":
            continue
        found[tag] = value
    return found


def _lacking_value(described: Described, key: Key, record_type: str, position: int, notes: Notes) -> bytes:
    if key.type == "2" or key.tag in _HANDLED:
        return b""
    substitute = SUBSTITUTES.get(key.keyword)
    if substitute is None:
        raise InvalidInstance(f"its {record_type} record needs {key.keyword}, which it does not have")
    notes.add(f"{key.keyword} of {record_type} records is made up: the objects have none")
    return substitute(described, position)


def encoded_keys(values: Mapping[int, bytes], record_type: str, table: KeysTable) -> bytes:
    """Values of keys as elements in explicit VR little endian."""
    return b"".join(
        element(key.tag, key.vr, values[key.tag]) for key in keys_of(record_type, table) if key.tag in values
    )


_SHORT: Final = struct.Struct("<HH2sH").pack
_LONG: Final = struct.Struct("<HH2sHI").pack
_LONG_VRS: Final = frozenset(("SQ", "UT", "UV"))


def element(tag: int, vr: str, value: bytes) -> bytes:
    """One element in explicit VR little endian, its value padded to an even length (PS3.5 section 6.2)."""
    if len(value) & 1:
        value += b"\0" if vr == "UI" else b" "
    if vr in _LONG_VRS:
        return _LONG(tag >> 16, tag & 0xFFFF, vr.encode("ascii"), 0, len(value)) + value
    return _SHORT(tag >> 16, tag & 0xFFFF, vr.encode("ascii"), len(value)) + value


def record_tail(record_type: str, file: bytes, keys: bytes) -> bytes:
    """A record behind its offsets: its type, the elements that name its file, its keys."""
    private = element(0x0004_1432, "UI", PRIVATE_RECORD_UID.encode("ascii")) if record_type == "PRIVATE" else b""
    return element(0x0004_1430, "CS", record_type.encode("ascii")) + private + file + keys


def file_elements(described: Described, file_id: tuple[str, ...]) -> bytes:
    """The elements of a record that name its file and what is in it (PS3.3 table F.3-3)."""
    return b"".join(
        (
            element(0x0004_1500, "CS", "\\".join(file_id).encode("ascii")),
            element(0x0004_1510, "UI", described.sop_class_uid.encode("ascii")),
            element(0x0004_1511, "UI", described.sop_instance_uid.encode("ascii")),
            element(0x0004_1512, "UI", described.transfer_syntax_uid.encode("ascii")),
        )
    )


def same_text(one: Mapping[int, bytes], other: Mapping[int, bytes], tag: int) -> bool:
    """Whether two objects have the same bytes at ``tag``, padding aside."""
    return one.get(tag, b"").strip(b" \0") == other.get(tag, b"").strip(b" \0")


def can_lend(value: bytes, lender: Mapping[int, bytes], borrower: Mapping[int, bytes]) -> bool:
    """Whether a value of one object reads the same among the keys of another: plain ASCII, or the same sets."""
    return (value.isascii() and b"\x1b" not in value) or same_text(lender, borrower, CHARACTER_SET.tag)
