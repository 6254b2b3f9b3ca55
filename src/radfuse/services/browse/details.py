"""One study in detail: its series, the instances of one in pages, every attribute of an object."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive
from radfuse.archive.queries import InstanceRow, SeriesRow, StudyRow, instance_at, instance_rows, series_rows, study_row
from radfuse.core.errors import BlobDamaged, UnknownEntity
from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.dicom.web import AttributeLine, attribute_lines, uid_name
from radfuse.services.browse.cursors import cursor_of, values_of

_PICTURES: Final = frozenset(row.uid for row in STORAGE_CLASSES if row.record_type in ("IMAGE", "RT DOSE"))
_IMAGE_WORD: Final = "Image Storage"


def has_picture(sop_class_uid: str) -> bool:
    """Whether objects of the class have pixels to show."""
    return sop_class_uid in _PICTURES or uid_name(sop_class_uid).endswith(_IMAGE_WORD)


@dataclass(frozen=True, slots=True)
class InstancesPage:
    """Instances of a series, and the cursor of the next page ("" at the end)."""

    instances: Sequence[InstanceRow]
    next: str


def study_in_detail(archive: Archive, study_uid: str) -> tuple[StudyRow, Sequence[SeriesRow]]:
    """A study and its series. Raises UnknownEntity."""
    with archive.reading() as connection:
        study = study_row(connection, study_uid)
        series = series_rows(connection, study_uid)
    if study is None:
        raise UnknownEntity("study")
    return study, series


def instances_kept(archive: Archive, study_uid: str) -> int:
    """How many instances of a study are here; 0 when nothing of it is."""
    with archive.reading() as connection:
        study = study_row(connection, study_uid)
    return study.instances if study is not None else 0


def instances_of_series(archive: Archive, study_uid: str, series_uid: str, cursor: str, limit: int) -> InstancesPage:
    """A page of the instances of a series, by number. Raises UnknownEntity, ConfigurationError for a wrong cursor."""
    with archive.reading() as connection:
        found = instance_rows(connection, study_uid, series_uid, _place_of(cursor), limit + 1)
    if found is None:
        raise UnknownEntity("series")
    page = found[:limit]
    return InstancesPage(page, cursor_of(page[-1].place) if len(found) > limit else "")


def attributes_of(archive: Archive, study_uid: str, series_uid: str, sop_instance_uid: str) -> list[AttributeLine]:
    """Every attribute of an object, its File Meta Information first. Raises UnknownEntity, BlobMissing, BlobDamaged."""
    with archive.reading() as connection:
        stored = instance_at(connection, study_uid, series_uid, sop_instance_uid)
    if stored is None:
        raise UnknownEntity("instance")
    with archive.open_object(stored) as opened, contextlib.ExitStack() as stack:
        try:
            content = stack.enter_context(mmap.mmap(opened.file, 0, access=mmap.ACCESS_READ))
        except ValueError as error:  # the file is empty
            raise BlobDamaged(stored.blob_id.hex()) from error
        return attribute_lines(content, stored.transfer_syntax_uid, opened.data_start)


def _place_of(cursor: str) -> tuple[int, str, int] | tuple[()]:
    if not cursor:
        return ()
    length, number, row = values_of(cursor, (int, str, int))
    return length, number, row
