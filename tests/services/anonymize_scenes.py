"""What the tests of anonymizing many objects share: recipes, runs, and what was written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pydicom

from radfuse.deid import ProjectKey
from radfuse.services.anonymize import Outcome, OutputFolder, Recipe, anonymize_files, profile_of, sources_of

KEY = ProjectKey(b"a key of the tests that is long enough")


def recipe(*options: str, preset: str = "") -> Recipe:
    """The Basic Profile with these options under the key of the tests."""
    return Recipe(profile_of(options, preset), KEY)


def run(
    files: Iterable[Path], to: Path, how: Recipe | None = None, processes: int = 1, durable: bool = False
) -> list[Outcome]:
    """Anonymize files; what became of each."""
    folder = OutputFolder(to, durable=durable)
    return list(anonymize_files(sources_of(files), folder, how or recipe(), processes))


def written(folder: Path) -> list[Path]:
    """Every file below a folder, whatever its name."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def data_sets(folder: Path) -> dict[str, pydicom.Dataset]:
    """What was written, by SOP Instance UID."""
    found = map(pydicom.dcmread, written(folder))
    return {str(each.SOPInstanceUID): each for each in found}
