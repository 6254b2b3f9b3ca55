"""The journal of an import: what became of each file, so that an interrupted import goes on where it was.

A line is appended only after the object was committed, and the file is as it was when it was read:
path, size, times of change and number on its volume. What was refused is not noted; it is tried
again. A journal that is behind by what a crash cut off does no harm: what comes again is found to
be kept already.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import xxhash

from radfuse.core.errors import OutOfSpace
from radfuse.services.import_media.model import Identity, Imported, Verdict
from radfuse.services.import_media.walking import existing

_MAGIC: Final = b"RFIMPRT1"
_RECORD: Final = struct.Struct("<16sBQ24s64s")
"""Key, verdict, size, digests of the identity, SOP Instance UID."""
_ORDER: Final = (
    Verdict.STORED,
    Verdict.ALREADY_KEPT,
    Verdict.FIRST_KEPT,
    Verdict.REPLACED,
    Verdict.NOT_DICOM,
    Verdict.DIRECTORY,
)
_WRITE_AFTER: Final = 256
_ASKED_AT_ONCE: Final = 500
_KEPT_S: Final = 7 * 86_400.0
_NO_IDENTITY: Final = bytes(24)


def digest_of_uid(uid: str) -> bytes:
    """A UID in 8 bytes, to be compared."""
    return xxhash.xxh3_64_digest(uid.encode("utf-8", "replace"))


def digests_of(identity: Identity) -> bytes:
    """SOP class, instance and transfer syntax in 8 bytes each, to be compared."""
    uids = (identity.sop_class_uid, identity.sop_instance_uid, identity.transfer_syntax_uid)
    return b"".join(map(digest_of_uid, uids))


@dataclass(frozen=True, slots=True)
class Noted:
    """What an earlier run noted of a file."""

    verdict: Verdict
    size_bytes: int
    identity: bytes
    """``digests_of`` it; zeros when it is no object."""
    sop_instance_uid: str


class ImportJournal:
    """The journal of one import. Not thread-safe. Raises OutOfSpace."""

    def __init__(self, path: Path) -> None:
        """Open it, and read what an earlier run left; BlockingIOError while another process has it."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._noted = self._read()
        except BaseException:
            os.close(self._file)
            raise
        self._buffer: list[bytes] = []

    @classmethod
    def of_paths(cls, folder: Path, paths: Iterable[Path], *, begins_anew: bool = False) -> Self:
        """The journal of an import of these paths, in a folder for journals. ``begins_anew``: without what it holds.

        Raises FileNotFoundError for a path that is not there, otherwise as opening it.
        """
        paths = existing(paths)
        forget_old_journals(folder)
        names = "\0".join(sorted(os.path.realpath(path) for path in paths))
        name = xxhash.xxh3_128_hexdigest(os.fsencode(names))
        journal = cls(folder / f"{name}.journal")
        if begins_anew:
            journal.forget()
        return journal

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Write what is noted and close; what was imported stays noted until ``finish``."""
        with contextlib.suppress(OutOfSpace):
            self.flush()
        os.close(self._file)

    def drop_what_is_gone(self, kept_of: Callable[[Sequence[str]], Collection[str]]) -> None:
        """Forget the objects that were deleted since. ``kept_of``: those of some SOP Instance UIDs that are kept."""
        noted = [(key, each.sop_instance_uid) for key, each in self._noted.items() if each.sop_instance_uid]
        for start in range(0, len(noted), _ASKED_AT_ONCE):
            some = noted[start : start + _ASKED_AT_ONCE]
            kept = kept_of([uid for _, uid in some])
            for key, uid in some:
                if uid not in kept:
                    del self._noted[key]

    def find(self, key: bytes) -> Noted | None:
        """What an earlier run noted under a key."""
        return self._noted.get(key)

    def note(self, key: bytes, imported: Imported) -> None:
        """Note what became of a file, once it is committed."""
        if imported.verdict not in _ORDER:
            return
        verdict, identity = _ORDER.index(imported.verdict), imported.identity
        digests = _NO_IDENTITY if identity is None else digests_of(identity)
        uid = b"" if identity is None else identity.sop_instance_uid.encode("ascii")
        self._buffer.append(_RECORD.pack(key, verdict, imported.size_bytes, digests, uid))
        if len(self._buffer) >= _WRITE_AFTER:
            self.flush()

    def flush(self) -> None:
        """Hand what is noted to the system. Raises OutOfSpace; nothing of it is noted then."""
        data, self._buffer = b"".join(self._buffer), []
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            size = os.fstat(self._file).st_size
            self._cut(size - (size - len(_MAGIC)) % _RECORD.size)
            raise OutOfSpace("the journal of the import") from error

    def forget(self) -> None:
        """Begin anew."""
        self._cut(len(_MAGIC))
        self._noted = {}

    def finish(self) -> None:
        """The import is through: nothing of it is left to resume."""
        self._buffer = []
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _cut(self, size: int) -> None:
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)

    def _read(self) -> dict[bytes, Noted]:
        data = os.pread(self._file, os.fstat(self._file).st_size, 0)
        if not data.startswith(_MAGIC):
            self._cut(0)
            os.write(self._file, _MAGIC)
            return {}
        whole = len(data) - (len(data) - len(_MAGIC)) % _RECORD.size
        self._cut(whole)  # a crash may have left a part of a line
        return {
            key: Noted(_ORDER[verdict], size, digests, uid.rstrip(b"\0").decode("ascii", "replace"))
            for key, verdict, size, digests, uid in _RECORD.iter_unpack(memoryview(data)[len(_MAGIC) : whole])
            if verdict < len(_ORDER)
        }


def forget_old_journals(folder: Path, now_s: float | None = None) -> int:
    """Remove the journals of interrupted imports that nobody resumed for a week; how many."""
    now_s = time.time() if now_s is None else now_s
    removed = 0
    for path in folder.glob("*.journal"):
        with contextlib.suppress(OSError):
            if now_s - path.stat().st_mtime > _KEPT_S:
                path.unlink()
                removed += 1
    return removed


def file_key(path: str, member: str = "") -> bytes:
    """A file as it is now, or a member of it, as the key of a journal. Raises OSError."""
    status = os.stat(path)
    # Programs set the time of modification as they like, that of the last change of status nobody does.
    times = f"{status.st_mtime_ns}\0{status.st_ctime_ns}\0{status.st_ino}"
    text = f"{path}\0{status.st_size}\0{times}\0{member}"
    return xxhash.xxh3_128_digest(os.fsencode(text))
