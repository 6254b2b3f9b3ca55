"""Taking in what a person uploads: files one after the other as they come, each with its own result.

Objects, zip archives and disc images of them, and everything else that lies in a folder beside them.
Nothing is ever held in memory as a whole, and a name is only ever shown.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Final, cast

from radfuse.archive import Archive
from radfuse.core.errors import OutOfSpace, RadfuseError
from radfuse.services.import_media import (
    Imported,
    ImportLimits,
    ImportReport,
    Verdict,
    import_paths,
    import_stream,
    import_zip,
    is_zip,
)
from radfuse.services.import_media.model import shown_name

_CHUNK_BYTES: Final = 1 << 20
_CHECK_EVERY_BYTES: Final = 16 << 20
_ZIP_MARKS: Final = (b"PK\3\4", b"PK\5\6")
_PREFIX_AT: Final = slice(128, 132)
_DISC_HEAD_BYTES: Final = 34_816
"""So much tells a disc image from everything else."""
LIMITS: Final = ImportLimits(members=100_000)
"""``members`` are the files of one upload, in archives or not: what became of each is remembered until its end."""


class FileState(StrEnum):
    """What became of a file."""

    KEPT = "kept"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file, or a member of a zip archive or disc image ("archive.zip/member"), and what became of it."""

    name: str
    state: FileState
    reason: str = ""
    study_instance_uid: str = ""


_STATES: Final = {
    Verdict.STORED: (FileState.KEPT, ""),
    Verdict.REPLACED: (FileState.KEPT, "it takes the place of another object with its UID"),
    Verdict.ALREADY_KEPT: (FileState.DUPLICATE, "the very same object is kept already"),
    Verdict.FIRST_KEPT: (FileState.DUPLICATE, "another object is kept under its UID, and stays"),
    Verdict.NOT_DICOM: (FileState.IGNORED, "not DICOM"),
    Verdict.DIRECTORY: (FileState.IGNORED, "the directory of a medium (DICOMDIR), not an object"),
    Verdict.IMAGE: (FileState.IGNORED, "a disc image with faults; its files were looked at all the same"),
    Verdict.REFUSED: (FileState.REFUSED, ""),
}


@dataclass(slots=True)
class Upload:
    """One upload under way; ``files`` are in the order in which they came."""

    archive: Archive
    limits: ImportLimits = LIMITS
    files: list[UploadedFile] = field(default_factory=list)
    report: ImportReport = field(default_factory=ImportReport)
    """Has the findings about media in archives and images."""

    def take(self, name: str, content: Iterator[bytes | memoryview]) -> None:
        """Take in one file. What is wrong with it concerns no other; only errors of ``content`` itself are raised."""
        shown = shown_name(name)
        stream = _Stream(content)
        try:
            if stream.peek(4) in _ZIP_MARKS:
                self._take_zip(shown, stream)
            elif _is_disc(stream):
                self._take_disc(shown, stream)
            else:
                imported = import_stream(self.archive, shown, cast(IO[bytes], stream))
                if stream.error is None:
                    self._add(imported)
        except RadfuseError as error:
            if error is not stream.error:
                self.refuse(shown, str(error))
        if stream.error is not None:
            raise stream.error

    def refuse(self, name: str, reason: str) -> None:
        """Note a file that is not kept."""
        self.files.append(UploadedFile(shown_name(name), FileState.REFUSED, reason))

    def count(self, state: FileState) -> int:
        """How many files are in a state."""
        return sum(file.state is state for file in self.files)

    @property
    def is_full(self) -> bool:
        """Whether no more files are taken."""
        return len(self.files) >= self.limits.members

    @property
    def studies(self) -> list[str]:
        """The studies to which something came, each once."""
        return list(dict.fromkeys(file.study_instance_uid for file in self.files if file.study_instance_uid))

    def _add(self, imported: Imported) -> None:
        state, reason = _STATES[imported.verdict]
        if state is FileState.REFUSED:
            reason = imported.reason
        self.files.append(UploadedFile(imported.name, state, reason, imported.study_instance_uid))
        self.report.add(imported)

    def _take_zip(self, name: str, stream: _Stream) -> None:
        """A zip archive is read from its end, so it is put down first."""
        with tempfile.TemporaryDirectory(prefix="upload-", dir=self.archive.scratch_folder) as folder:
            path = Path(folder, "archive.zip")
            self._spool(stream, path)
            if not is_zip(path):
                self.refuse(name, "the zip archive is damaged or cut off")
                return
            left = replace(self.limits, members=self.limits.members - len(self.files))
            for imported in import_zip(self.archive, path, f"{name}/", left):
                self._add(imported)

    def _take_disc(self, name: str, stream: _Stream) -> None:
        """A disc image is read here and there, so it is put down first."""
        with tempfile.TemporaryDirectory(prefix="upload-", dir=self.archive.scratch_folder) as folder:
            path = Path(folder, "disc.iso")
            self._spool(stream, path)
            left = replace(self.limits, members=self.limits.members - len(self.files))
            for imported in import_paths(self.archive, [path], limits=left):
                member = imported.name.removeprefix(str(path)).removeprefix(": ")
                self._add(replace(imported, name=f"{name}/{member}" if member else name))

    def _spool(self, stream: _Stream, path: Path) -> None:
        """Write the rest of ``stream`` to a file. Raises OutOfSpace."""
        space, folder = self.archive.settings.space, self.archive.settings.folder
        unchecked = _CHECK_EVERY_BYTES
        try:
            with path.open("wb", buffering=0) as file:
                while chunk := stream.read(_CHUNK_BYTES):
                    unchecked += len(chunk)
                    if unchecked >= _CHECK_EVERY_BYTES:
                        space.check(folder)
                        unchecked = 0
                    file.write(chunk)
        except OSError as error:
            raise OutOfSpace("an uploaded archive") from error


def _is_disc(stream: _Stream) -> bool:
    if stream.peek(_PREFIX_AT.stop)[_PREFIX_AT] == b"DICM":
        return False
    from radfuse.media import disc_images

    return disc_images.is_disc_image(stream.peek(_DISC_HEAD_BYTES))


class _Stream(io.RawIOBase):
    """Pieces as a stream to read from."""

    def __init__(self, pieces: Iterator[bytes | memoryview]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")
        self.error: Exception | None = None
        """What the pieces ended with: what came is not whole."""

    def peek(self, size: int) -> bytes:
        """The first bytes, which stay to be read; fewer when there are no more."""
        while len(self._rest) < size and (piece := self._next()):
            self._rest = memoryview(bytes(self._rest) + bytes(piece))
        return bytes(self._rest[:size])

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; b"" at the end."""
        if not self._rest:
            self._rest = self._next()
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)

    def _next(self) -> memoryview:
        try:
            for piece in self._pieces:
                view = memoryview(piece)
                if view.nbytes:
                    return view
        except Exception as error:
            self.error = error
            raise
        return memoryview(b"")
