"""Our own results enter the archive checked, whole and through the same door as any guest."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.archive import Archive, Origin
from radfuse.core.errors import ConfigurationError, DuplicateRejected, InvalidAETitle, InvalidObject
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.dicom import read_file_meta
from radfuse.objects.checking import facts_of
from radfuse.objects.common import encode
from radfuse.objects.series import build_series
from radfuse.services.ingest import ingest
from radfuse.services.store_results import known_to, store, write
from radfuse.services.stored_objects import objects_named
from tests.support.resampled import making, provenance, series, signal, sources, volume


@pytest.fixture
def images() -> list[Dataset]:
    return sources("CT")


@pytest.fixture
def results(images: list[Dataset]) -> list[Dataset]:
    return list(build_series(volume("CT", signal("CT")), images, series(), provenance(images), making()))


def keep(archive: Archive, images: list[Dataset]) -> None:
    for ds in images:
        content = encode(ds)
        with archive.receive(Origin(ds.SOPClassUID, ds.SOPInstanceUID, EXPLICIT_LITTLE)) as incoming:
            incoming.write(memoryview(content)[read_file_meta(content).data_offset :])
            ingest(archive, incoming)


def kept(archive: Archive, data_sets: list[Dataset]) -> set[str]:
    return set(objects_named(archive, [ds.SOPInstanceUID for ds in data_sets]))


def test_a_batch_is_kept_with_our_title_as_its_source(
    archive: Archive, images: list[Dataset], results: list[Dataset]
) -> None:
    keep(archive, images)
    seen: list[tuple[int, int]] = []
    done = store(archive, results, progress=lambda number, of: seen.append((number, of)))
    assert set(done.stored) == kept(archive, results) == {ds.SOPInstanceUID for ds in results}
    assert seen == [(number, 5) for number in range(1, 6)]
    (stored, *_) = objects_named(archive, done.stored).values()
    with archive.open_object(stored):
        meta = read_file_meta(archive.path_of(stored).read_bytes())
    assert meta.source_ae_title == "RADFUSE_SCU"


def test_the_same_batch_again_is_known_and_another_object_under_a_uid_is_refused(
    archive: Archive, images: list[Dataset], results: list[Dataset]
) -> None:
    keep(archive, images)
    store(archive, results)
    assert store(archive, results).already_kept == tuple(ds.SOPInstanceUID for ds in results)
    new = results[0].SOPInstanceUID = "2.25.4711"
    results[1].SeriesDescription = "Another"
    with pytest.raises(DuplicateRejected):
        store(archive, results)
    assert new not in kept(archive, results)


def test_another_object_that_comes_in_meanwhile_is_not_mistaken_for_ours(
    archive: Archive, images: list[Dataset], results: list[Dataset]
) -> None:
    keep(archive, images)
    other = deepcopy(results[1])
    other.SeriesDescription = "Another"

    def meanwhile(number: int, _of: int) -> None:
        if number == 1:
            keep(archive, [other])

    with pytest.raises(DuplicateRejected):
        store(archive, results, progress=meanwhile)


def test_nothing_is_kept_when_one_object_is_not_valid(
    archive: Archive, images: list[Dataset], results: list[Dataset]
) -> None:
    keep(archive, images)
    del results[3].PixelSpacing
    with pytest.raises(InvalidObject, match="PixelSpacing"):
        store(archive, results)
    assert kept(archive, results) == set()


def test_a_reference_to_what_is_not_there_is_refused_until_it_is_there(
    archive: Archive, images: list[Dataset], results: list[Dataset]
) -> None:
    with pytest.raises(InvalidObject, match="neither here"):
        store(archive, results)
    assert kept(archive, results) == set()
    assert store(archive, results, known=facts_of(images)).stored


def test_the_archive_tells_what_it_knows_of_the_objects_referred_to(
    archive: Archive, images: list[Dataset], results: list[Dataset]
) -> None:
    keep(archive, images)
    assert known_to(archive, results) == facts_of(images)


def test_an_object_of_another_patient_than_its_sources_is_refused(
    archive: Archive, images: list[Dataset], results: list[Dataset]
) -> None:
    keep(archive, images)
    for ds in results:
        ds.PatientID = "SOMEBODY-ELSE"
    with pytest.raises(InvalidObject, match="differ in the patient") as refused:
        store(archive, results)
    assert "SOMEBODY" not in str(refused.value)


def test_a_wrong_title_is_refused(archive: Archive, results: list[Dataset]) -> None:
    with pytest.raises(InvalidAETitle):
        store(archive, results, ae_title="far too long for a title")


def test_files_are_written_whole_and_never_over_others(
    tmp_path: Path, images: list[Dataset], results: list[Dataset]
) -> None:
    folder = tmp_path / "out" / "deeper"
    paths = write(folder, results, known=facts_of(images))
    assert sorted(folder.iterdir()) == sorted(paths)
    assert pydicom.dcmread(paths[2]) == results[2]
    before = paths[2].read_bytes()
    results[0].SOPInstanceUID = "2.25.4711"
    with pytest.raises(ConfigurationError, match="not overwritten"):
        write(folder, results)
    assert paths[2].read_bytes() == before
    assert not (folder / "2.25.4711.dcm").exists()


def test_an_invalid_object_is_not_written(tmp_path: Path, results: list[Dataset]) -> None:
    results[0].Rows = 3
    with pytest.raises(InvalidObject, match="the image needs"):
        write(tmp_path / "out", results)
    assert not (tmp_path / "out").exists()


def test_references_of_files_are_looked_up_in_the_archive_too(
    archive: Archive, tmp_path: Path, images: list[Dataset], results: list[Dataset]
) -> None:
    with pytest.raises(InvalidObject, match="neither here"):
        write(tmp_path / "out", results, archive=archive)
    keep(archive, images)
    assert len(write(tmp_path / "out", results, archive=archive)) == 5
