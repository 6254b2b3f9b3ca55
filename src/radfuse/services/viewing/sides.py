"""Which side of the body a series shows: what is left is not laid over what is right without a yes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from radfuse.archive import Archive
from radfuse.core.errors import ArchiveError, DataSetError
from radfuse.core.memo import Memo
from radfuse.dicom import Element
from radfuse.services.stack_facts import fingerprint
from radfuse.services.volumes import objects_of_series

OTHER_SIDE: Final = "one series shows the left side of the body, the other the right side"
_TAGS: Final = tuple(Element.of(keyword).tag for keyword in ("ImageLaterality", "Laterality"))
"""Of the image (PS3.3 section C.8.11.7 and others), else of the series (section C.7.3.1)."""
_LAST_TAG: Final = 0x0020_FFFF


def are_opposite(archive: Archive, one: str, other: str) -> bool:
    """Whether one series says that it is of the left, the other of the right. Raises UnknownEntity."""
    return {_side(archive, one), _side(archive, other)} == {"L", "R"}


def _side(archive: Archive, series_uid: str) -> str:
    """``L``, ``R`` or whatever its first image says; "" where it says nothing."""
    objects = objects_of_series(archive, series_uid)

    def read() -> str:
        try:
            header = archive.read_header(objects[0], _LAST_TAG)
        except (ArchiveError, DataSetError):
            return ""  # what cannot be read is refused where its voxels are
        return next(filter(None, (header.text(tag).strip().upper() for tag in _TAGS)), "")

    return _KNOWN.of((archive.settings.folder, fingerprint(objects)), read)


_KNOWN: Final[Memo[tuple[Path, bytes], str]] = Memo(512)
