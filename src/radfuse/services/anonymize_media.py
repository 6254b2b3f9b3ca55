"""An anonymized folder as a file-set: its DICOMDIR is made anew of what lies there (PS3.10 section 8.6).

The DICOMDIR of the originals names patients and files of another medium; nothing of it is taken over.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from radfuse.media import Entry, describe_file, write_directory
from radfuse.services.anonymize import OutputFolder

_NAME: Final = "DICOMDIR"
_KEYS: Final = "D.3-2"
"""The table of PS3.11 with the keys of records on general purpose media."""
_OF_MEDIA: Final = re.compile(r"[A-Z2-7]{8}\Z")
_LEVELS: Final = 4


def write_anonymized_directory(to: OutputFolder) -> int:
    """The DICOMDIR of the files that ``OutputFolder`` has written as of a medium; how many they are.

    One that is there is replaced at once. Raises CannotExport, InvalidInstance or MalformedDataSet for
    an object that no directory can hold, OSError.
    """
    folder = to.folder
    files = [path for path in sorted(folder.glob("/".join("*" * _LEVELS))) if _is_ours(folder, path)]
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        write_directory(part, _entries(folder, files), file_set_id="", keys_table=_KEYS)
        part.replace(folder / _NAME)
    finally:
        part.unlink(missing_ok=True)
    to.settle([folder / _NAME])
    return len(files)


def _is_ours(folder: Path, path: Path) -> bool:
    return path.is_file() and all(_OF_MEDIA.match(part) for part in path.relative_to(folder).parts)


def _entries(folder: Path, files: list[Path]) -> Iterator[Entry]:
    return (Entry(describe_file(path), path.relative_to(folder).parts) for path in files)
