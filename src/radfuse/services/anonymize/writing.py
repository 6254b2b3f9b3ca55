"""Anonymized objects as files: whole under their final name, or not there at all; nothing is ever overwritten."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from radfuse.core.errors import CannotAnonymize, OutOfSpace
from radfuse.deid import Anonymized

_PATIENT_ID: Final = 0x0010_0020
_STUDY: Final = 0x0020_000D
_SERIES: Final = 0x0020_000E
_OURS: Final = re.compile(r"2\.25\.\d{1,39}\Z")
_PSEUDONYM: Final = re.compile(r"[A-Z0-9-]{1,64}\Z")
_CHUNK_BYTES: Final = 8 << 20
_NO_NAMELESS: Final = frozenset((errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL))
"""What O_TMPFILE answers on a volume that has no files without names."""

_nothing: Callable[[], None] = lambda: None  # noqa: E731


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """``folder/<pseudonym>/<study>/<series>/<instance>.dcm``: every name is one that the anonymizer made.

    ``durable``: each file is on stable storage before it gets its name.
    """

    folder: Path
    durable: bool = True

    def place_of(self, done: Anonymized, uid: Callable[[str], str]) -> Path:
        """Where an object belongs; ``uid`` maps UIDs that were retained: they came from outside, and may be no UIDs."""

        def name(text: str, otherwise: str) -> str:
            return (text if _OURS.match(text) else uid(text)) if text else otherwise

        patient = done.tree.ascii(_PATIENT_ID)
        return (
            self.folder
            / (patient if _PSEUDONYM.match(patient) else "patient")
            / name(done.tree.ascii(_STUDY), "no-study")
            / name(done.tree.ascii(_SERIES), "no-series")
            / f"{name(done.sop_instance_uid, 'instance')}.dcm"
        )

    def put(self, done: Anonymized, at: Path, release: Callable[[], None] = _nothing) -> bool:
        """Write an object; False when the very same is there already. ``release`` is called while it is written.

        Raises CannotAnonymize when another one is there, which stays; OutOfSpace, OSError.
        """
        try:
            at.parent.mkdir(parents=True, exist_ok=True)
            if not at.exists():
                with contextlib.suppress(FileExistsError):
                    _write(at, done.pieces, self.durable, release)
                    return True
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise OutOfSpace("an anonymized object") from error
            raise
        if _holds(at, done.pieces):
            return False
        raise CannotAnonymize("another object with its SOP Instance UID has been written already, and stays")

    def settle(self, written: Iterable[Path]) -> None:
        """Make the names of these files durable."""
        folders = {each for path in written for each in path.parents if each.is_relative_to(self.folder)}
        for folder in folders:
            file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(file)
            finally:
                os.close(file)


def _write(at: Path, pieces: Sequence[bytes | memoryview], durable: bool, release: Callable[[], None]) -> None:
    """Write a file that has no name until it is whole. Raises FileExistsError."""
    try:
        nameless = os.open(at.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        _write_beside(at, pieces, durable, release)
        return
    with os.fdopen(nameless, "wb", buffering=1 << 16) as file:
        _fill(file, pieces, durable, release)
        # Python follows the link only where it calls linkat(), which it does when it is given any folder.
        os.link(f"/proc/self/fd/{file.fileno()}", at, src_dir_fd=file.fileno(), follow_symlinks=True)


def _write_beside(at: Path, pieces: Sequence[bytes | memoryview], durable: bool, release: Callable[[], None]) -> None:
    """The same where every file has a name: that of a part until it is whole."""
    part = at.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            _fill(file, pieces, durable, release)
        os.link(part, at)
    finally:
        part.unlink(missing_ok=True)


def _fill(file: BinaryIO, pieces: Sequence[bytes | memoryview], durable: bool, release: Callable[[], None]) -> None:
    for piece in pieces:
        if len(piece) <= _CHUNK_BYTES:
            file.write(piece)
            continue
        for begin in range(0, len(piece), _CHUNK_BYTES):
            file.write(piece[begin : begin + _CHUNK_BYTES])
            release()
    file.flush()
    if durable:
        os.fdatasync(file.fileno())


def _holds(path: Path, pieces: Sequence[bytes | memoryview]) -> bool:
    """Whether the file holds exactly these bytes."""
    if path.stat().st_size != sum(map(len, pieces)):
        return False
    with path.open("rb") as file:
        return all(
            file.read(min(_CHUNK_BYTES, len(piece) - begin)) == piece[begin : begin + _CHUNK_BYTES]
            for piece in pieces
            for begin in range(0, len(piece), _CHUNK_BYTES)
        )
