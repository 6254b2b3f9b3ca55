"""Reports from files and out of the archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import InvalidUID, UnknownEntity, UnreadableObject
from radfuse.objects.common import encode
from radfuse.services import show_report
from radfuse.services.import_media import files_below, import_files
from tests.objects.documents import GROUPS, image, report_of


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    path = tmp_path / "report.dcm"
    path.write_bytes(encode(report_of(*GROUPS)))
    return path


def test_a_kept_report_is_the_same_as_its_file(archive: Archive, report_file: Path) -> None:
    list(import_files(archive, files_below([report_file])))
    from_file = show_report.report_in_file(report_file)
    assert show_report.stored_report(archive, from_file.sop_instance_uid) == from_file


def test_an_object_that_is_not_kept_is_told(archive: Archive) -> None:
    with pytest.raises(UnknownEntity):
        show_report.stored_report(archive, "2.25.4711")
    with pytest.raises(InvalidUID):
        show_report.stored_report(archive, "no uid")


def test_an_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(encode(image()))
    with pytest.raises(UnreadableObject, match="no structured report"):
        show_report.report_in_file(path)


def test_a_file_that_is_no_report_by_its_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.dcm"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(UnreadableObject, match="too large"):
        show_report.report_in_file(path)
