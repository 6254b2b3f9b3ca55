"""Importing: folders, files, zip files, images of discs, and file-sets with a DICOMDIR."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from radfuse.archive import Archive
from radfuse.core.errors import OutOfSpace, RadfuseError
from radfuse.services.import_media.journal import ImportJournal, digests_of, file_key
from radfuse.services.import_media.lanes import Lane, Threads
from radfuse.services.import_media.model import (
    DEFAULT_LIMITS,
    FindingKind,
    Findings,
    Imported,
    ImportLimits,
    Verdict,
    shown_name,
)
from radfuse.services.import_media.sets import SetCheck
from radfuse.services.import_media.sources import Member, PlainFile, Source, Stream
from radfuse.services.import_media.taking import Container, Result, Taking, Work, unreadable
from radfuse.services.import_media.walking import (
    Found,
    FoundFile,
    FoundSet,
    PassedOver,
    SetEnd,
    existing,
    found_below,
)
from radfuse.services.import_media.zips import BadZip, members_of, opened_zip
from radfuse.services.stored_objects import objects_named
from radfuse.services.unreadable import UNREADABLE

_DIRECTORY_NAME: Final = "DICOMDIR"
_LARGEST_DIRECTORY_BYTES: Final = 256 << 20
_CHUNK_BYTES: Final = 1 << 20


def import_paths(
    archive: Archive,
    paths: Iterable[Path],
    *,
    limits: ImportLimits = DEFAULT_LIMITS,
    journal: ImportJournal | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Imported]:
    """Import what the paths name or hold, several objects at once; yields what became of each while it goes on.

    Folders with all in them, DICOM files, zip files and images of discs wherever they lie. A DICOMDIR beside
    files is checked against them: it comes last of them, with its findings. What cannot be imported is reported,
    not raised. With a ``journal`` what an interrupted run did is passed over.

    Raises FileNotFoundError for a path that is not there, OutOfSpace when there is no more room: what was
    yielded is kept then.
    """
    if journal is not None:
        journal.drop_what_is_gone(lambda uids: objects_named(archive, uids).keys())
    with Threads(archive, should_stop) as threads:
        run = _Run(archive, threads, limits, journal, should_stop)
        lane = Lane(threads)
        for path in existing(paths):
            for found in found_below(path):
                if should_stop():
                    return
                yield from run.settle(lane.put(work) for work in run.work_of(found))
        yield from run.settle([lane.drain()])


def import_files(
    archive: Archive,
    files: Sequence[Path],
    limits: ImportLimits = DEFAULT_LIMITS,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Imported]:
    """Import very files, several at once; otherwise as ``import_paths``. A file that is not there is reported."""
    with Threads(archive, should_stop) as threads:
        run = _Run(archive, threads, limits, should_stop=should_stop)
        lane = Lane(threads)
        for path in files:
            if should_stop():
                return
            yield from run.settle([lane.put(Work(PlainFile.of(path)))])
        yield from run.settle([lane.drain()])


def import_zip(archive: Archive, path: Path, prefix: str, limits: ImportLimits = DEFAULT_LIMITS) -> Iterator[Imported]:
    """Import the members of a zip file; their names are given with ``prefix``. Otherwise as ``import_paths``."""
    with Threads(archive) as threads:
        yield from _Run(archive, threads, limits).zip_file(str(path), prefix)


def import_stream(archive: Archive, name: str, stream: IO[bytes]) -> Imported:
    """Import the object that ``stream`` gives, as it comes. Raises OutOfSpace."""
    taken = Taking(archive).take([Work(Stream(name, stream))])
    if taken.error is not None:
        raise taken.error
    (imported,) = taken.results
    if not isinstance(imported, Imported):
        raise AssertionError("only a file can be an archive")
    return imported


@dataclass(slots=True)
class _Set:
    """A file-set under way: what lies below ``root`` belongs to it."""

    root: str
    directory: str
    """Where the DICOMDIR lies."""
    check: SetCheck
    held: Imported | None = None
    """What became of the DICOMDIR; told last."""


@dataclass(slots=True)
class _Run:
    """One import: its journal and the file-sets it is in."""

    archive: Archive
    threads: Threads
    limits: ImportLimits
    journal: ImportJournal | None = None
    should_stop: Callable[[], bool] = lambda: False
    sets: tuple[_Set, ...] = ()

    # --- work ----------------------------------------------------------------------------------

    def work_of(self, found: Found) -> Iterator[Work]:
        """What there is to do for something that was found."""
        if isinstance(found, FoundFile):
            yield self.work(PlainFile(found.path, found.target), found.path, found.path)
        elif not isinstance(found, PassedOver):
            yield Work(found)
        elif found.reason:
            yield Work(Imported(shown_name(found.path), Verdict.REFUSED, reason=found.reason, path=found.path))

    def work(self, source: Source, path: str, location: str, member: str = "") -> Work:
        """To import ``source``, or to say what an earlier run did with it."""
        if self.journal is None:
            return Work(source, location=location)
        try:
            key = file_key(path, member)
        except OSError:  # it is gone: reading it will say so
            return Work(source, location=location)
        noted = self.journal.find(key)
        if noted is None:
            return Work(source, key, location)
        before = Imported(shown_name(source.name), noted.verdict, noted.size_bytes, path=path, is_from_before=True)
        return Work(before, b"", location, noted.identity if any(noted.identity) else None)

    # --- results -------------------------------------------------------------------------------

    def settle(self, results: Iterable[Iterator[tuple[Work, Result]]]) -> Iterator[Imported]:
        """What is to be told of results, in their order."""
        for some in results:
            for work, result in some:
                if isinstance(result, Container):
                    yield from self._container(result.source.path, is_disc=result.is_disc)
                elif isinstance(result, FoundSet):
                    self._begin_set(f"{result.folder}{os.sep}", result.directory, Path(result.directory))
                elif isinstance(result, SetEnd):
                    yield from self._end_set()
                else:
                    yield from self._imported(work, result)

    def _imported(self, work: Work, imported: Imported) -> Iterator[Imported]:
        if self.sets:
            self._compare(work, imported)
        if self.journal is not None and work.key:
            self.journal.note(work.key, imported)
        for each in self.sets:
            if work.location == each.directory and imported.verdict is Verdict.DIRECTORY:
                each.held = imported
                return
        yield imported

    # --- file-sets -----------------------------------------------------------------------------

    def _begin_set(self, root: str, location: str, directory: Path, name: str = "") -> None:
        check = SetCheck(shown_name(name or location))
        check.read(directory)
        self.sets += (_Set(root, location, check),)

    def _end_set(self) -> Iterator[Imported]:
        *others, ended = self.sets
        self.sets = tuple(others)
        if ended.held is None:  # whatever it is, a DICOMDIR it is not
            return
        findings = ended.check.finish()
        yield replace(ended.held, findings=findings if findings.total else None)

    def _compare(self, work: Work, imported: Imported) -> None:
        digests = work.digests
        if imported.identity is not None:
            digests = digests_of(imported.identity)
        if imported.verdict is Verdict.REFUSED and digests is None:
            digests = bytes(24)
        inside = [each for each in self.sets if work.location.startswith(each.root) and work.location != each.directory]
        named = False
        for each in inside:
            named |= each.check.look_at(work.location.removeprefix(each.root).split("/"), imported.name, digests)
        if inside and not named and digests is not None and any(digests):
            inside[-1].check.not_named(imported.name)

    # --- archives ------------------------------------------------------------------------------

    def _container(self, path: str, *, is_disc: bool) -> Iterator[Imported]:
        return self._disc(path) if is_disc else self.zip_file(path, f"{path}: ")

    def zip_file(self, path: str, prefix: str) -> Iterator[Imported]:
        """Import the members of a zip file."""
        name = shown_name(prefix.rstrip("/: "))
        try:
            with opened_zip(Path(path), self.limits) as zip_file:
                members = members_of(zip_file, Path(path), self.limits)
                found = [(info.filename, Member(prefix + info.filename, path, zip_file, info)) for info in members]
                yield from self._members(path, found)
        except BadZip as error:
            yield Imported(name, Verdict.REFUSED, reason=str(error), path=path)
        except UNREADABLE as error:
            yield Imported(name, Verdict.REFUSED, reason=f"the zip file cannot be read: {error}", path=path)

    def _disc(self, path: str) -> Iterator[Imported]:
        from radfuse.services.import_media.discs import opened_disc

        shown = shown_name(path)
        try:
            with opened_disc(Path(path), shown, self.limits) as disc:
                yield from self._members(path, disc.files)
                if disc.findings:
                    findings = Findings()
                    for sentence in disc.findings:
                        findings.add(FindingKind.IMAGE_DAMAGED, f"{shown}: {sentence}")
                    yield Imported(shown, Verdict.IMAGE, path=path, findings=findings)
        except OutOfSpace:  # of the archive, which ends the import
            raise
        except RadfuseError as error:
            yield Imported(shown, Verdict.REFUSED, reason=str(error), path=path)
        except UNREADABLE as error:
            yield Imported(shown, Verdict.REFUSED, reason=unreadable(error), path=path)

    def _members(self, path: str, found: Sequence[tuple[str, Source]]) -> Iterator[Imported]:
        """Import the files in an archive; those of a file-set in it are checked against its DICOMDIR."""
        if not found:
            yield Imported(shown_name(path), Verdict.NOT_DICOM, reason="there are no files in it", path=path)
        outer, self.sets = self.sets, ()
        try:
            for name, source in found:
                if name.rpartition("/")[2].partition(";")[0].upper() == _DIRECTORY_NAME:
                    self._begin_set_within(path, name, source)
            lane = Lane(self.threads)
            for name, source in found:
                if self.should_stop():
                    return
                yield from self.settle([lane.put(self.work(source, path, f"{path}\0{name}", name))])
            # Its members are read while it is open.
            yield from self.settle([lane.drain()])
            while self.sets:
                yield from self._end_set()
        finally:
            self.sets = outer

    def _begin_set_within(self, path: str, name: str, source: Source) -> None:
        """Read a DICOMDIR in an archive: from a copy, because its records are read here and there."""
        location = f"{path}\0{name}"
        with tempfile.NamedTemporaryFile(prefix="dicomdir-", dir=self.archive.scratch_folder) as copy:
            try:
                with source.open() as reading:
                    left = _LARGEST_DIRECTORY_BYTES
                    while left > 0 and (chunk := reading.read(min(left, _CHUNK_BYTES))):
                        copy.write(chunk)
                        left -= len(chunk)
                copy.flush()
            except UNREADABLE:
                return  # importing it will say so
            root = location.removesuffix(name.rpartition("/")[2])
            self._begin_set(root, location, Path(copy.name), source.name)
