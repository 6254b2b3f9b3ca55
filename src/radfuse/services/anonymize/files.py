"""Anonymizing many objects into a folder: by one process, or by several at once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import ArchiveError, CannotAnonymize, DataSetError, NotPart10, OutOfSpace
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY
from radfuse.deid import Anonymized, Original, Report
from radfuse.dicom import read_file_meta
from radfuse.services.anonymize.pool import WorkerPool
from radfuse.services.anonymize.recipe import Recipe, Treatment
from radfuse.services.anonymize.results import Outcome, Verdict
from radfuse.services.anonymize.settling import Settler
from radfuse.services.anonymize.sources import Content, Source
from radfuse.services.anonymize.writing import OutputFolder

_KINDS: Final = {
    0x0010_0010: "PatientName",
    0x0010_0020: "PatientID",
    0x0020_000D: "StudyInstanceUID",
    0x0020_000E: "SeriesInstanceUID",
    0x0008_0018: "SOPInstanceUID",
}
_PREFIX_AT: Final = slice(128, 132)


def anonymize_files(
    sources: Iterable[Source], to: OutputFolder, recipe: Recipe, processes: int = 1
) -> Iterator[Outcome]:
    """Anonymize into a folder; yields what became of each object while it goes on, in any order.

    What cannot be made safe is reported, not raised. With several processes one that crashes costs
    the object that it worked on, no more. Raises OutOfSpace or OSError where nothing can be written.
    """
    step = FolderStep(recipe, to)
    outcomes = _here(sources, step) if processes <= 1 else WorkerPool(step, processes).run(sources)
    with contextlib.closing(outcomes), Settler(to) as settler:
        for outcome in outcomes:
            yield from settler.take(outcome)
        yield from settler.rest()


def _here(sources: Iterable[Source], step: FolderStep) -> Generator[Outcome]:
    with contextlib.closing(step.begin()) as take:
        for source in sources:
            yield take(source)


@dataclass(frozen=True, slots=True)
class FolderStep:
    """What a process does with each object; it can be given to one."""

    recipe: Recipe
    to: OutputFolder

    def begin(self) -> FolderWork:
        """Get ready, in the process that will do it."""
        return FolderWork(self)


class FolderWork:
    """The doing of it in one process."""

    def __init__(self, step: FolderStep) -> None:
        self._to = step.to
        self._treatment = Treatment(step.recipe)

    def __call__(self, source: Source) -> Outcome:
        """Anonymize one object, whose file has no name yet.

        Raises OutOfSpace or OSError for what no later object would escape either.
        """
        try:
            return self._outcome(source)
        except OutOfSpace:
            raise
        except NotPart10 as error:
            return Outcome(source.name, Verdict.NOT_DICOM, reason=str(error))
        except (ArchiveError, DataSetError) as error:
            return Outcome(source.name, Verdict.REFUSED, reason=str(error))

    def close(self) -> None:
        """End what it has started."""
        self._treatment.close()

    def _outcome(self, source: Source) -> Outcome:
        content = source.read()
        if is_directory(content):
            return Outcome(source.name, Verdict.DIRECTORY)
        recipe = self._treatment.recipe
        done = self._treatment.treat(content.view)
        content.release()
        at = self._to.place_of(done, self._treatment.uid)
        draft = self._to.draft(done, at, content.release)
        return Outcome(
            source.name,
            Verdict.ALREADY_THERE if draft is None else Verdict.ANONYMIZED,
            content.size_bytes,
            draft=draft,
            path=os.path.relpath(at, self._to.folder),
            warnings=tuple(done.warnings),
            originals=originals_of(done) if recipe.keeps_originals else (),
            counts=Report.counts_of(done, recipe.profile) if recipe.keeps_counts else {},
        )


def is_directory(content: Content) -> bool:
    """Whether it is the directory of a medium. Raises NotPart10 for what is no DICOM."""
    try:
        return read_file_meta(content.view).sop_class_uid == MEDIA_STORAGE_DIRECTORY
    except NotPart10 as error:
        if bytes(content.view[_PREFIX_AT]) == b"DICM":
            raise CannotAnonymize(str(error)) from error
        raise


def originals_of(done: Anonymized) -> tuple[Original, ...]:
    """What the pseudonyms of an object stand for."""
    return tuple(
        Original(_KINDS[tag], done.tree.ascii(tag), "\\".join(change.texts()).strip(" \0"))
        for change in done.changes
        if len(change.path) == 1 and (tag := change.path[0]) in _KINDS and tag in done.tree.nodes
    )
