"""Anonymized objects as files: whole under their final name, or not there at all; nothing is ever overwritten."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from radfuse.core.errors import CannotAnonymize, OutOfSpace
from radfuse.deid import Anonymized
from radfuse.dicom.tree import Value

_PATIENT_ID: Final = 0x0010_0020
_STUDY: Final = 0x0020_000D
_SERIES: Final = 0x0020_000E
_OURS: Final = re.compile(r"2\.25\.\d{1,39}\Z")
_PSEUDONYM: Final = re.compile(r"[A-Z0-9-]{1,64}\Z")
_CHUNK_BYTES: Final = 8 << 20
_JOINED_BYTES: Final = 1 << 16
"""Pieces with fewer bytes are joined: most elements have some ten of them."""
_ANOTHER: Final = "another object with its SOP Instance UID has been written already, and stays"
_NO_NAMELESS: Final = frozenset((errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL))
"""What O_TMPFILE answers on a volume that has no files without names."""

_nothing: Callable[[], None] = lambda: None  # noqa: E731


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole file that has no name yet, and that is gone with its process when it gets none."""

    at: Path
    """What it is to be called."""
    file: int
    """Its descriptor, which can be given to another process."""
    size_bytes: int
    part: Path | None = None
    """Its name meanwhile, on a volume where every file has one."""

    def sync(self) -> None:
        """Wait until its bytes are on stable storage."""
        os.fdatasync(self.file)

    def keep(self) -> bool:
        """Give it its name and close it; False when the very same is there already.

        Raises CannotAnonymize when another one is there, which stays.
        """
        try:
            if self.part is None:
                # Python follows the link only where it calls linkat(), which it does when it is given any folder.
                os.link(f"/proc/self/fd/{self.file}", self.at, src_dir_fd=self.file, follow_symlinks=True)
            else:
                os.link(self.part, self.at)
        except FileExistsError:
            if not _holds(self.at, self.size_bytes, _chunks_of(self.file)):
                raise CannotAnonymize(_ANOTHER) from None
            return False
        finally:
            self.drop()
        return True

    def drop(self) -> None:
        """Close it. What has got no name is gone."""
        os.close(self.file)
        if self.part is not None:
            self.part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """``folder/<pseudonym>/<study>/<series>/<instance>.dcm``: every name is one that the anonymizer made.

    ``durable``: each file is on stable storage before it gets its name. ``as_media``: names as PS3.10
    section 8.2 has them for files of a medium, made of these: the same in every run.
    """

    folder: Path
    durable: bool = True
    as_media: bool = False

    def place_of(self, done: Anonymized, uid: Callable[[str], str]) -> Path:
        """Where an object belongs; ``uid`` maps UIDs that were retained: they came from outside, and may be no UIDs."""

        def name(text: str, otherwise: str) -> str:
            return (text if _OURS.match(text) else uid(text)) if text else otherwise

        patient = done.tree.ascii(_PATIENT_ID)
        names = (
            patient if _PSEUDONYM.match(patient) else "patient",
            name(done.tree.ascii(_STUDY), "no-study"),
            name(done.tree.ascii(_SERIES), "no-series"),
            name(done.sop_instance_uid, "instance"),
        )
        if self.as_media:
            return self.folder.joinpath(*map(_of_media, names))
        return self.folder.joinpath(*names[:3]) / f"{names[3]}.dcm"

    def put(self, done: Anonymized, at: Path) -> bool:
        """Write an object; False when the very same is there already.

        Raises CannotAnonymize when another one is there, which stays; OutOfSpace, OSError.
        """
        draft = self.draft(done, at)
        if draft is None:
            return False
        with full_volumes():
            if self.durable:
                draft.sync()
            return draft.keep()

    def draft(self, done: Anonymized, at: Path, release: Callable[[], None] = _nothing) -> Draft | None:
        """An object written, but without its name; None when the very same is there already.

        ``release`` is called while it is written. Raises as ``put``.
        """
        with full_volumes():
            at.parent.mkdir(parents=True, exist_ok=True)
            if not at.exists():
                return _write(at, done.pieces, release)
        if not _holds(at, sum(map(len, done.pieces)), _chunks(done.pieces)):
            raise CannotAnonymize(_ANOTHER)
        return None

    def settle(self, written: Iterable[Path]) -> None:
        """Make the names of these files durable."""
        folders = {each for path in written for each in path.parents if each.is_relative_to(self.folder)}
        for folder in folders:
            file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(file)
            finally:
                os.close(file)


def _of_media(name: str) -> str:
    """Eight letters and digits that follow from a name."""
    return base64.b32encode(hashlib.sha256(name.encode()).digest()[:5]).decode("ascii")


@contextlib.contextmanager
def full_volumes() -> Iterator[None]:
    """Say that a volume is full: raises OutOfSpace for the OSError that means it."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace("an anonymized object") from error
        raise


def _write(at: Path, pieces: Sequence[Value], release: Callable[[], None]) -> Draft:
    """A file without a name; where every file has one, with that of a part."""
    part = None
    try:
        file = os.open(at.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        part = at.with_name(f".{secrets.token_hex(8)}.part")
        file = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
    draft = Draft(at, file, sum(map(len, pieces)), part)
    try:
        for chunk in _chunks(pieces):
            _write_all(file, chunk)
            if len(chunk) == _CHUNK_BYTES:
                release()
    except BaseException:
        draft.drop()
        raise
    return draft


def _write_all(file: int, chunk: Value) -> None:
    """All of it: one call may write less, for the last time before the volume is full."""
    done = os.write(file, chunk)
    while done < len(chunk):
        done += os.write(file, chunk[done:])


def _chunks(pieces: Sequence[Value]) -> Iterator[Value]:
    """The same bytes in pieces that are worth a call."""
    for is_small, some in groupby(pieces, lambda piece: len(piece) < _JOINED_BYTES):
        for piece in [b"".join(some)] if is_small else some:
            for begin in range(0, len(piece), _CHUNK_BYTES):
                yield piece[begin : begin + _CHUNK_BYTES]


def _chunks_of(file: int) -> Iterator[bytes]:
    """What an open file holds."""
    position = 0
    while chunk := os.pread(file, _CHUNK_BYTES, position):
        yield chunk
        position += len(chunk)


def _holds(path: Path, size_bytes: int, chunks: Iterable[Value]) -> bool:
    """Whether the file holds exactly these bytes."""
    if path.stat().st_size != size_bytes:
        return False
    with path.open("rb") as file:
        return all(file.read(len(chunk)) == chunk for chunk in chunks)
