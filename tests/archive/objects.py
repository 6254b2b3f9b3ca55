"""Small objects written byte by byte, and an archive seen as a dictionary of them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from radfuse.archive import Archive, ArchiveSettings, DuplicatePolicy, Origin, Outcome, SpaceGuard, StoredObject
from radfuse.archive.index.retrieve import select_objects, stored_object
from radfuse.archive.index.schema import instance, non_patient_object
from radfuse.archive.recover import noted_ids
from radfuse.services.ingest import ingest

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
IMPLANT_TEMPLATE = "1.2.840.10008.5.1.4.43.1"
EXPLICIT = "1.2.840.10008.1.2.1"
ROOT = Path(__file__).resolve().parents[2]
NO_RESERVE = SpaceGuard(0, 0.0)

_LONG = {"OB", "OW"}


@dataclass(frozen=True)
class AnObject:
    """One object to store: its UIDs and its bytes follow from the fields."""

    uid: str
    series: str = "2.25.20"
    study: str = "2.25.10"
    patient_id: str = "P-1"
    name: str = "Doe^Jane"
    pixels: bytes = b"\1\2"
    sop_class: str = CT_IMAGE
    number: str = "1"

    def data_set(self) -> bytes:
        """The object as it arrives, explicit VR little endian."""
        elements = [(0x00080016, "UI", self.sop_class), (0x00080018, "UI", self.uid), (0x00080020, "DA", "20240229")]
        if self.sop_class != IMPLANT_TEMPLATE:
            elements += [
                (0x00080060, "CS", "CT"),
                (0x00100010, "PN", self.name),
                (0x00100020, "LO", self.patient_id),
                (0x0020000D, "UI", self.study),
                (0x0020000E, "UI", self.series),
                (0x00200013, "IS", self.number),
            ]
        head = b"".join(_element(tag, vr, text.encode("ascii")) for tag, vr, text in elements)
        return head + _element(0x7FE00010, "OW", self.pixels)

    def origin(self) -> Origin:
        """What its sender says of it."""
        return Origin(self.sop_class, self.uid, EXPLICIT, "SENDER")


def _element(tag: int, vr: str, value: bytes) -> bytes:
    value += b"" if len(value) % 2 == 0 else b"\0" if vr in ("UI", "OW") else b" "
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<HI", 0, len(value)) if vr in _LONG else struct.pack("<H", len(value))) + value


def numbered(number: int, **changes: str | bytes) -> AnObject:
    """The object of this number: one series for ten of them, one study for a hundred."""
    fields: dict[str, str | bytes] = {"series": f"2.25.20.{number // 10}", "study": f"2.25.10.{number // 100}"}
    return AnObject(f"2.25.7.{number}", **(fields | changes))  # type: ignore[arg-type]


def settings(
    folder: Path, policy: DuplicatePolicy = DuplicatePolicy.KEEP, *, index_url: str = "", limit_bytes: int = 1 << 30
) -> ArchiveSettings:
    """Settings that leave no reserve on the volume."""
    return ArchiveSettings(folder, index_url, policy, limit_bytes, NO_RESERVE)


def open_archive(folder: Path, policy: DuplicatePolicy = DuplicatePolicy.KEEP) -> Archive:
    """The archive in ``folder``."""
    return Archive(settings(folder, policy))


def store(archive: Archive, stored: AnObject) -> Outcome:
    """Keep one object, as every door does."""
    with archive.receive(stored.origin()) as incoming:
        incoming.write(stored.data_set())
        return ingest(archive, incoming).outcome


def stored_objects(archive: Archive) -> dict[str, StoredObject]:
    """What is indexed, by SOP Instance UID (objects with a patient only)."""
    with archive.reading() as connection:
        return {row.sop_instance_uid: row for row in map(stored_object, connection.execute(select_objects()))}


def blob_of(archive: Archive, uid: str) -> bytes:
    """The blob id of an indexed object."""
    with archive.reading() as connection:
        for table in (instance, non_patient_object):
            found = connection.scalar(select(table.c.blob_id).where(table.c.sop_instance_uid == uid))
            if found is not None:
                return bytes(found)
    raise KeyError(uid)


def file_of(archive: Archive, uid: str) -> Path:
    """The file of an indexed object."""
    return Path(archive.store.path(blob_of(archive, uid)))


def contents(archive: Archive) -> dict[str, bytes]:
    """Every indexed object's data set, read back and verified, by SOP Instance UID."""
    found = {}
    for uid, stored in stored_objects(archive).items():
        with archive.open_object(stored) as opened:
            found[uid] = archive.read_verified(stored, opened)
    return found


def store_files(folder: Path) -> list[Path]:
    """Every file of the store."""
    return sorted(path for path in (folder / "store").rglob("*") if path.is_file())


def long_ago(folder: Path, uid: str) -> None:
    """Let an object have arrived long ago, as far as the index knows."""
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite", isolation_level=None)) as index:
        index.execute("UPDATE instance SET arrived_s = 1000000000 WHERE sop_instance_uid = ?", (uid,))


def settled(folder: Path, timeout_s: float = 30.0) -> None:
    """Wait until no journal holds anything: all that was stored is on its disk."""
    deadline = time.monotonic() + timeout_s
    while noted_ids(folder / "journal"):
        assert time.monotonic() < deadline, "the journal is not synced"
        time.sleep(0.05)


def leftovers(folder: Path) -> list[str]:
    """What is left in the folders of things under way."""
    return [path.name for name in ("journal", "incoming") for path in (folder / name).iterdir() if path.name != "lock"]


def python(*arguments: str, **options: object) -> subprocess.Popen[str]:
    """A Python process that sees the sources and the tests."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))}
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [sys.executable, *arguments], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options
    )
