"""A DICOMDIR written: the records of a file-set as a tree of offsets (PS3.3 Annex F, PS3.10 section 8.6)."""

from __future__ import annotations

import contextlib
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from radfuse.core.errors import CannotExport, InvalidInstance
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.core.uids import new_uid
from radfuse.dicom import FileMeta, build_file_meta
from radfuse.media.describing import (
    ISSUER_OF_PATIENT_ID,
    PATIENT_ID,
    SERIES_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    Described,
)
from radfuse.media.record_building import (
    Notes,
    can_lend,
    element,
    encoded_keys,
    file_elements,
    made_up_id,
    record_keys,
    record_problems,
    record_tail,
    same_text,
)
from radfuse.media.record_keys import PROFILE_KEYS, KeysTable
from radfuse.media.record_types import Place

_MOST_BYTES: Final = 0xFFFF_FFFE
"""Offsets have 32 bits."""
_COMPONENT = re.compile(r"[A-Z0-9_]{1,8}\Z")
_FILE_SET_ID = re.compile(r"[A-Z0-9_ ]{0,16}\Z")
_PATIENT_NAME: Final = 0x0010_0010

_RECORD_HEAD = struct.Struct("<HHIHH2sHIHH2sHHHH2sHI")
"""Item tag and length; next record, in use, first record below (PS3.3 table F.3-3)."""
_HEAD_ELEMENTS_BYTES: Final = _RECORD_HEAD.size - 8


class Entry(NamedTuple):
    """An object of a file-set and the id of its file."""

    described: Described
    file_id: tuple[str, ...]


@dataclass(slots=True)
class _Record:
    """A record that has records below: what its head does not hold, and the children."""

    tail: bytes
    values: dict[int, bytes]
    """Of its keys, until the last object of it is known."""
    first: Described | None = None
    children: dict[bytes, _Record] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    size: int = 0
    """Bytes with all below."""


def write_directory(
    path: Path,
    entries: Iterable[Entry],
    *,
    file_set_id: str,
    keys_table: KeysTable,
    description: tuple[str, ...] | None = None,
    say: Callable[[str], None] | None = None,
) -> int:
    """Write the DICOMDIR of ``entries`` to ``path``, which must not exist; the number of its records.

    Records stand in the order in which their first entry comes. ``description``: the file id of a text
    that describes the file-set. ``say`` is told in sentences what records say that objects do not. The
    file is synced, its folder is not. Raises CannotExport for ids that are not allowed or there twice,
    InvalidInstance for an object that lacks what its record must have, and OSError.
    """
    require_file_set_id(file_set_id)
    if description:
        require_file_id(description)
    tree = _Tree(keys_table)
    for entry in entries:
        tree.add(entry)
    meta = build_file_meta(FileMeta(MEDIA_STORAGE_DIRECTORY, new_uid(), EXPLICIT_LITTLE))
    root = tree.finished()
    head = element(0x0004_1130, "CS", file_set_id.encode("ascii"))
    if description:
        head += element(0x0004_1141, "CS", "\\".join(description).encode("ascii"))
    # The offsets of the first and last record, and the consistency flag; then the header of the sequence.
    records_at = len(meta) + len(head) + 12 + 12 + 10 + 12
    if records_at + root.size > _MOST_BYTES:
        raise CannotExport("the DICOMDIR would be larger than 4 GiB; put fewer objects into one file-set")
    last = records_at + root.size - _last_size(root)
    head += element(0x0004_1200, "UL", struct.pack("<I", records_at if root.size else 0))
    head += element(0x0004_1202, "UL", struct.pack("<I", last if root.size else 0))
    head += element(0x0004_1212, "US", b"\0\0")
    with _new_file(path) as file:
        file.write(meta + head + struct.pack("<HH2sHI", 4, 0x1220, b"SQ", 0, root.size))
        _write_children(file, root, records_at)
    if say is not None:
        for sentence in tree.notes.sentences():
            say(sentence)
    return tree.count


def require_file_id(file_id: tuple[str, ...]) -> None:
    """Raise CannotExport for what PS3.10 section 8.2 does not allow as the id of a file."""
    if not 1 <= len(file_id) <= 8 or not all(_COMPONENT.match(part) for part in file_id):
        raise CannotExport("a file id has 1 to 8 parts of 1 to 8 characters of A to Z, 0 to 9 and _")
    if file_id == ("DICOMDIR",):
        raise CannotExport("the file id DICOMDIR is the directory's own")


def require_file_set_id(file_set_id: str) -> None:
    """Raise CannotExport for what (0004,1130) cannot hold."""
    if not _FILE_SET_ID.match(file_set_id):
        raise CannotExport("a file-set id has at most 16 characters of A to Z, 0 to 9, _ and space")


class _Tree:
    """The records of a file-set while its entries come."""

    def __init__(self, table: KeysTable) -> None:
        self._table = table
        self._root = _Record(b"", {})
        self._instances: set[str] = set()
        self._files: set[str] = set()
        self._patient_ids: set[bytes] = set()
        self._issuers: dict[bytes, list[bytes]] = {}
        self.notes = Notes()
        self.count = 0

    def add(self, entry: Entry) -> None:
        """Add the record of an object, and those above it that are new."""
        described, file_id = entry
        self._require_new(described, file_id)
        if problems := record_problems(described, self._table):
            raise InvalidInstance(problems[0])
        kind = described.record_type
        parent = self._root if kind.place is Place.ROOT else self._series_of(described)
        position = len(parent.leaves) + 1
        values = record_keys(described, kind.name, self._table, position, self.notes)
        keys = encoded_keys(values, kind.name, self._table)
        parent.leaves.append(record_tail(kind.name, file_elements(described, file_id), keys))
        self.count += 1

    def _require_new(self, described: Described, file_id: tuple[str, ...]) -> None:
        require_file_id(file_id)
        name = "\\".join(file_id)
        if name in self._files:
            raise CannotExport("two objects have the same file id")
        if described.sop_instance_uid in self._instances:
            raise CannotExport("an object is there twice in one file-set")
        self._files.add(name)
        self._instances.add(described.sop_instance_uid)

    def _series_of(self, described: Described) -> _Record:
        patient = self._patient_of(described)
        study = self._child(patient, "STUDY", STUDY_INSTANCE_UID, described)
        return self._child(study, "SERIES", SERIES_INSTANCE_UID, described)

    def _child(self, parent: _Record, record_type: str, uid: int, described: Described) -> _Record:
        key = described.values[uid].strip(b" \0")
        found = parent.children.get(key)
        if found is None:
            position = len(parent.children) + 1
            values = record_keys(described, record_type, self._table, position, self.notes)
            found = parent.children[key] = _Record(b"", values, described)
            self.count += 1
        else:
            self._lend(found, record_type, described)
        return found

    def _patient_of(self, described: Described) -> _Record:
        values = described.values
        patient_id = values.get(PATIENT_ID, b"").strip(b" \0")
        issuer = values.get(ISSUER_OF_PATIENT_ID, b"").strip(b" \0")
        # Who has no Patient ID may be anybody: one study is one patient.
        key = self._patient_key(patient_id, issuer) if patient_id else b"\0" + values[STUDY_INSTANCE_UID].strip(b" \0")
        found = self._root.children.get(key)
        if found is None:
            keys = record_keys(described, "PATIENT", self._table, 1, self.notes)
            keys[PATIENT_ID] = self._unique_patient_id(patient_id, issuer, key)
            found = self._root.children[key] = _Record(b"", keys, described)
            self.count += 1
        else:
            self._lend(found, "PATIENT", described)
            if found.first is not None and not same_text(found.first.values, values, _PATIENT_NAME):
                self.notes.add("PatientName of PATIENT records is that of the first object: others differ")
        return found

    def _patient_key(self, patient_id: bytes, issuer: bytes) -> bytes:
        """What holds a patient together: the ID, and the issuer where objects name more than one."""
        issuers = self._issuers.setdefault(patient_id, [])
        if issuer and issuers == [b""]:
            issuers[0] = issuer
        elif issuer not in issuers and (issuer or not issuers):
            issuers.append(issuer)
        number = issuers.index(issuer) if issuer else 0
        return b"%d\0%s" % (number, patient_id)

    def _unique_patient_id(self, patient_id: bytes, issuer: bytes, key: bytes) -> bytes:
        """Patient IDs are unique among the PATIENT records of a file-set (PS3.11 sections D.3.3, E.3.3 and H.3.3)."""
        unique = patient_id
        if not patient_id:
            unique = made_up_id("NOID", key)
            self.notes.add("PatientID of PATIENT records is made up: the objects have none")
        elif patient_id in self._patient_ids:
            unique = made_up_id("ID", patient_id, issuer)
            self.notes.add("PatientID of PATIENT records is made up: another patient of another issuer has the same")
        self._patient_ids.add(unique)
        return unique

    def _lend(self, record: _Record, record_type: str, described: Described) -> None:
        """Keys that any object under the record may bring (PS3.11 table H.3-2)."""
        for key in PROFILE_KEYS[self._table].get(record_type, ()):
            if key.tag not in record.values and described.has(key.tag) and record.first is not None:
                value = described.values[key.tag]
                if can_lend(value, described.values, record.first.values):
                    record.values[key.tag] = value

    def finished(self) -> _Record:
        """The root, with the sizes of all that is below."""
        for patient in self._root.children.values():
            for study in patient.children.values():
                for series in study.children.values():
                    self._close(series, "SERIES")
                self._close(study, "STUDY")
            self._close(patient, "PATIENT")
        self._root.size = _size_below(self._root)
        return self._root

    def _close(self, record: _Record, record_type: str) -> None:
        record.tail = record_tail(record_type, b"", encoded_keys(record.values, record_type, self._table))
        record.size = _RECORD_HEAD.size + len(record.tail) + _size_below(record)


def _size_below(record: _Record) -> int:
    return sum(child.size for child in record.children.values()) + sum(
        _RECORD_HEAD.size + len(leaf) for leaf in record.leaves
    )


def _last_size(record: _Record) -> int:
    """Bytes of the last child with all below it."""
    if record.leaves:
        return _RECORD_HEAD.size + len(record.leaves[-1])
    return next((child.size for child in reversed(record.children.values())), 0)


def _write_children(file: BinaryIO, record: _Record, at: int) -> None:
    """Write what is below a record: each child, then what is below it, the next child behind that."""
    left = len(record.children) + len(record.leaves)
    for child in record.children.values():
        left -= 1
        below = at + _RECORD_HEAD.size + len(child.tail)
        _write_record(file, child.tail, at + child.size if left else 0, below)
        _write_children(file, child, below)
        at += child.size
    for leaf in record.leaves:
        left -= 1
        at += _RECORD_HEAD.size + len(leaf)
        _write_record(file, leaf, at if left else 0, 0)


def _write_record(file: BinaryIO, tail: bytes, following: int, below: int) -> None:
    head = _RECORD_HEAD.pack(
        *(0xFFFE, 0xE000, _HEAD_ELEMENTS_BYTES + len(tail)),
        *(4, 0x1400, b"UL", 4, following),
        *(4, 0x1410, b"US", 2, 0xFFFF),
        *(4, 0x1420, b"UL", 4, below),
    )
    file.write(head)
    file.write(tail)


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is synced at the end, and not there when something goes wrong."""
    with path.open("xb", buffering=1 << 20) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
