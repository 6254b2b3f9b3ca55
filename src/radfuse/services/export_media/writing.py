"""One file-set written: the objects, several at once, and the DICOMDIR over them; then the papers."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from radfuse.core.errors import CannotExport, CannotTranscode, NotInProfile
from radfuse.media import Entry, Profile, write_directory
from radfuse.services.export_media.copying import Copied, Copier, sha256_of
from radfuse.services.export_media.facts import StudyLines
from radfuse.services.export_media.model import Planned, Refusal, WrittenVolume
from radfuse.services.export_media.papers import CHECKSUMS, INDEX, README, About, checksum_line, index, readme
from radfuse.services.export_media.placing import DIRECTORY

FileId: TypeAlias = tuple[str, ...]
_THREADS: Final = 4
_WAITING: Final = 4 * _THREADS
_RULE: Final = "transfer syntax"
_SYNC_AFTER_BYTES: Final = 256 << 20
"""So that a slow medium does not make everybody wait at the end, when all seems to be done."""


@dataclass(slots=True)
class Contents:
    """What is on the medium: gathered while it is written."""

    lines: StudyLines = field(default_factory=StudyLines)
    checksums: dict[str, str] = field(default_factory=dict)
    """Of each file, by its path with slashes."""
    notes: dict[str, None] = field(default_factory=dict)
    """What the directory says that objects do not, as sentences."""
    refusals: Counter[Refusal] = field(default_factory=Counter)
    """What no codec could convert, found while it was written."""
    objects: int = 0
    size_bytes: int = 0

    def note(self, copied: Copied, file_id: FileId) -> Entry:
        """Take up one file."""
        self.lines.note(copied.described)
        self.checksums["/".join(file_id)] = copied.sha256
        self.objects += 1
        self.size_bytes += copied.size_bytes
        return Entry(copied.described, file_id)


@dataclass(frozen=True, slots=True)
class SetWriter:
    """Writes into one folder by one profile."""

    copier: Copier
    profile: Profile
    about: About
    tell: Callable[[int], None]
    """Told how many bytes an object had that is done; what it raises ends the work."""
    sync_volume: Callable[[], None]
    """Makes what was written so far durable."""
    skip_refused: bool = False
    """What no codec can convert is left out; otherwise it ends the work."""

    def objects(self, folder: Path, placed: Iterable[tuple[Planned, FileId]], contents: Contents) -> Generator[Entry]:
        """Write objects, yielding each when it is whole, in order. Raises as ``Copier.copy``."""
        made: set[Path] = set()
        unsynced_bytes = 0

        def copy(planned: Planned, to: Path) -> Copied:
            return self.copier.copy(planned, to)

        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="export")
        running: deque[tuple[Planned, FileId, Future[Copied]]] = deque()
        try:
            for planned, file_id in placed:
                to = folder.joinpath(*file_id)
                if to.parent not in made:
                    to.parent.mkdir(parents=True, exist_ok=True)
                    made.add(to.parent)
                running.append((planned, file_id, pool.submit(copy, planned, to)))
                unsynced_bytes += planned.size_bytes
                if unsynced_bytes >= _SYNC_AFTER_BYTES:
                    self.sync_volume()
                    unsynced_bytes = 0
                if len(running) >= _WAITING:
                    yield from self._done(*running.popleft(), contents)
            while running:
                yield from self._done(*running.popleft(), contents)
        finally:
            pool.shutdown(cancel_futures=True)

    def _done(self, planned: Planned, file_id: FileId, future: Future[Copied], contents: Contents) -> Generator[Entry]:
        """The entry of a file, or none when its object is left out."""
        try:
            copied = future.result()
        except (CannotTranscode, NotInProfile) as error:
            rule, reason = (error.rule, error.reason) if isinstance(error, NotInProfile) else (_RULE, str(error))
            refusal = Refusal(planned.stored.sop_class_uid, 1, rule, reason)
            if not self.skip_refused:
                raise CannotExport(f"{refusal}; leave out what is refused, or choose another profile") from error
            contents.refusals[refusal] += 1
        else:
            yield contents.note(copied, file_id)
        self.tell(planned.size_bytes)

    def directory(self, path: Path, entries: Iterable[Entry], contents: Contents) -> None:
        """Write the DICOMDIR of ``entries``."""
        write_directory(
            path,
            entries,
            file_set_id=self.about.file_set_id,
            keys_table=self.profile.keys_table,
            description=None,  # README.TXT is no file id: those have no dots (PS3.10 section 8.2)
            say=lambda sentence: contents.notes.update({sentence: None}),
        )

    def papers(self, contents: Contents, sha256: str) -> dict[str, bytes]:
        """The papers beside a DICOMDIR of this digest, by their names."""
        about = replace(self.about, refusals=[*self.about.refusals, *counted(contents.refusals)])
        written = {
            README: readme(about, contents.objects, contents.lines.count),
            INDEX: index(self.about, contents.lines),
        }
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in written.items()}
        lines = [checksum_line(digest, name) for name, digest in ({DIRECTORY: sha256} | digests).items()]
        lines += [checksum_line(digest, name) for name, digest in contents.checksums.items()]
        return written | {CHECKSUMS: "".join(lines).encode("ascii")}

    def volume(self, folder: Path, placed: Iterable[tuple[Planned, FileId]]) -> WrittenVolume:
        """Write a whole new file-set into an empty folder; nothing of it is durable yet."""
        contents, path = Contents(), folder / DIRECTORY
        with contextlib.closing(self.objects(folder, placed, contents)) as entries:
            self.directory(path, entries, contents)
        if not contents.objects:
            raise CannotExport("nothing is left that could be written; choose another profile")
        size = contents.size_bytes + path.stat().st_size
        for name, content in self.papers(contents, sha256_of(path)).items():
            (folder / name).write_bytes(content)
            size += len(content)
        return self.written(folder, contents.objects, size, contents)

    def written(self, folder: Path, objects: int, size_bytes: int, contents: Contents) -> WrittenVolume:
        """What is told of a file-set."""
        refusals = tuple(counted(contents.refusals))
        return WrittenVolume(folder, self.about.file_set_id, objects, size_bytes, tuple(contents.notes), refusals)


def counted(refusals: Mapping[Refusal, int]) -> list[Refusal]:
    """Each with how often it was."""
    return [replace(refusal, objects=count) for refusal, count in refusals.items()]


def of_volume(about: About, number: int, count: int) -> About:
    """The same for one of several file-sets: the number ends the File-set ID, the others are named in the README."""
    if count == 1:
        return about
    tail = f"_{number}"
    return replace(about, file_set_id=about.file_set_id[: 16 - len(tail)] + tail, volume=number, volumes=count)
