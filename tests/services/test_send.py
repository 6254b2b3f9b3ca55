"""What can be sent is read from files and from the archive. How it travels: tests/cli/test_sending.py."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pydicom
import pytest

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError, InvalidUID, NotPart10
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY
from radfuse.services.import_media import import_files
from radfuse.services.send import file_object, objects_of_studies
from tests.support.generate import CT_IMAGE, STUDY_UID, GeneratedSet


def test_a_file_is_sent_as_what_its_meta_information_says(generated_set: GeneratedSet) -> None:
    found = file_object(generated_set.ct[0])
    meta = pydicom.dcmread(generated_set.ct[0]).file_meta
    assert (found.sop_class_uid, found.sop_instance_uid) == (CT_IMAGE, "2.25.7100.1.1")
    assert found.transfer_syntax_uid == meta.TransferSyntaxUID
    assert found.data_offset == 144 + meta.FileMetaInformationGroupLength


def test_a_file_without_meta_information_is_sent_as_what_its_data_set_says(
    generated_set: GeneratedSet, tmp_path: Path
) -> None:
    whole = file_object(generated_set.ct[0])
    bare = tmp_path / "bare"
    bare.write_bytes(generated_set.ct[0].read_bytes()[whole.data_offset :])
    found = file_object(bare)
    assert (found.sop_instance_uid, found.data_offset) == (whole.sop_instance_uid, 0)
    assert found.transfer_syntax_uid == whole.transfer_syntax_uid


def test_a_large_file_without_meta_information_is_not_read_whole(generated_set: GeneratedSet, tmp_path: Path) -> None:
    whole = file_object(generated_set.ct[0])
    content = generated_set.ct[0].read_bytes()[whole.data_offset :]
    pixels = content.rindex(b"\xe0\x7f\x10\x00OW\0\0") + 8
    size = 256 << 20
    bare = tmp_path / "bare"
    bare.write_bytes(content[:pixels] + size.to_bytes(4, "little"))
    os.truncate(bare, pixels + 4 + size)
    tracemalloc.start()
    found = file_object(bare)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.sop_instance_uid, found.data_offset) == (whole.sop_instance_uid, 0)
    assert peak_bytes < 16 << 20


def test_a_dicomdir_is_no_object(generated_set: GeneratedSet, tmp_path: Path) -> None:
    ds = pydicom.dcmread(generated_set.ct[0])
    ds.file_meta.MediaStorageSOPClassUID = pydicom.uid.UID(MEDIA_STORAGE_DIRECTORY)
    ds.save_as(tmp_path / "DICOMDIR", enforce_file_format=False)
    with pytest.raises(NotPart10):
        file_object(tmp_path / "DICOMDIR")


def test_the_objects_of_several_studies_are_listed(archive: Archive, generated_set: GeneratedSet) -> None:
    list(import_files(archive, generated_set.files))
    assert len(objects_of_studies(archive, [STUDY_UID])) == 19
    with pytest.raises(ConfigurationError, match=r"the archive has no study 1\.2\.3"):
        objects_of_studies(archive, [STUDY_UID, "1.2.3"])
    with pytest.raises(InvalidUID):
        objects_of_studies(archive, ["1.2.*"])
