"""Files to import, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from radfuse.archive import Archive
from radfuse.dicom import FileMeta, build_file_meta
from radfuse.services.import_media import Imported, ImportReport, Verdict, import_paths
from tests.archive.objects import EXPLICIT, AnObject, numbered


def part10(content: AnObject, syntax: str = EXPLICIT) -> bytes:
    """An object as a file."""
    return build_file_meta(FileMeta(content.sop_class, content.uid, syntax)) + content.data_set()


def written(folder: Path, numbers: Iterable[int]) -> Path:
    """A folder with the files of these objects."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{number:05}").write_bytes(part10(numbered(number)))
    return folder


def imported(archive: Archive, *paths: Path) -> list[Imported]:
    """What became of everything at these paths."""
    return list(import_paths(archive, paths))


def report_of(results: Iterable[Imported]) -> ImportReport:
    """The report of results."""
    report = ImportReport()
    for result in results:
        report.add(result)
    return report


def verdicts(results: Iterable[Imported]) -> dict[Verdict, int]:
    """How many there are of each verdict."""
    return dict(Counter(result.verdict for result in results))
