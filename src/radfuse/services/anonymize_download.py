"""Kept objects as anonymized files for somebody who waits for them: in a scratch folder, gone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import ArchiveError, ConfigurationError, DataSetError
from radfuse.dicom import FileMeta, Transcoder, build_file_meta
from radfuse.services.anonymize import OutputFolder, Recipe, Treatment
from radfuse.services.anonymize_stored import stored_source

MOST_BYTES: Final = 2 << 30
"""As much is made while somebody waits; more is for a job."""


@dataclass(frozen=True, slots=True)
class AnonymizedFile:
    """One object, or a data set without preamble and file meta information that ``head`` goes before."""

    path: Path
    transfer_syntax_uid: str
    head: bytes = b""


@dataclass(slots=True)
class AnonymizedFiles:
    """What was made, and why the others were refused."""

    files: list[AnonymizedFile] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Download:
    """How files are made: ``syntax_for`` says in which transfer syntax one stored in another is wanted."""

    recipe: Recipe
    transcoder: Transcoder
    syntax_for: Callable[[str], str]

    def make(self, archive: Archive, objects: Sequence[StoredObject], scratch: Path) -> AnonymizedFiles:
        """Anonymize objects into ``scratch``.

        Raises ConfigurationError for more than ``MOST_BYTES``, OutOfSpace, CannotTranscode, and what
        ``syntax_for`` raises.
        """
        if sum(stored.size_bytes for stored in objects) > MOST_BYTES:
            reason = (
                f"takes at most {MOST_BYTES >> 30} GiB at once; ask for series, or let a job do it (/anonymizations)"
            )
            raise ConfigurationError("anonymize", reason)
        made, folder = AnonymizedFiles(), OutputFolder(scratch, durable=False)
        treatment = Treatment(self.recipe)
        try:
            for number, stored in enumerate(objects):
                try:
                    done = treatment.treat(stored_source(archive, stored).read().view)
                except (ArchiveError, DataSetError) as error:
                    made.refused.append(str(error))
                    continue
                at = scratch / f"{number}.dcm"
                folder.put(done, at)
                meta = FileMeta(done.sop_class_uid, done.sop_instance_uid, done.transfer_syntax_uid)
                made.files.append(self._wanted(at, meta))
        finally:
            treatment.close()
        return made

    def _wanted(self, at: Path, meta: FileMeta) -> AnonymizedFile:
        wanted = self.syntax_for(meta.transfer_syntax_uid)
        if wanted == meta.transfer_syntax_uid:
            return AnonymizedFile(at, wanted)
        data_set = at.with_suffix(".data-set")
        self.transcoder.transcode(at, wanted, data_set)
        at.unlink()
        head = build_file_meta(FileMeta(meta.sop_class_uid, meta.sop_instance_uid, wanted))
        return AnonymizedFile(data_set, wanted, head)
