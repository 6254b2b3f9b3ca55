"""Volumes from an archive: proved, cached, refused with a sentence; gone with their objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.errors import BlobDamaged, BlobMissing, CannotBuildVolume, UnknownEntity
from radfuse.services import volumes
from radfuse.services.forget import forget_objects
from radfuse.services.import_media import Verdict, import_files
from radfuse.services.volumes import Ask, open_files, open_series, open_volume, stacks
from radfuse.volume import FindingKind, Repair, Unit, read_stack
from radfuse.volume.image_files import write_image_file
from tests.support.volumes import write_series


def kept(archive: Archive, files: Sequence[Path]) -> str:
    """Import files of one series; its UID."""
    for imported in import_files(archive, files):
        assert imported.verdict is Verdict.STORED, imported.reason
    return stacks(None, files)[0].source.series_uid


def cached_files(archive: Archive) -> list[Path]:
    """What the cache holds."""
    return sorted(volumes.cache_folder(archive.settings.folder).glob("*"))


def echo(ds: Dataset, number: int) -> None:
    """Two echoes at each place."""
    ds.EchoTime = (10, 20)[number % 2]
    ds.ImagePositionPatient = [0, 0, 3 * (number // 2)]


def test_a_series_is_built_once_and_then_comes_from_the_cache(archive: Archive, tmp_path: Path) -> None:
    files = write_series(tmp_path / "ct", 5)
    series = kept(archive, files)
    first, second = open_series(archive, series), open_series(archive, series)
    assert (first.is_cached, second.is_cached) == (False, True)
    plain = open_volume(None, files)
    for opened in (first, second):
        assert (opened.volume.voxels == plain.voxels).all()
        assert opened.volume.grid.matches(plain.grid, 0)
        assert opened.volume.source == plain.source
        assert opened.volume.findings == plain.findings
        assert opened.volume.unit is Unit.HU
    assert open_volume(archive, series, Unit.STORED).voxels.min() == plain.voxels.min() + 1024
    assert len(cached_files(archive)) == 2


def test_without_a_bound_nothing_is_cached(archive: Archive, tmp_path: Path) -> None:
    series = kept(archive, write_series(tmp_path / "ct", 2))
    assert not open_series(archive, series, cache_bytes=0).is_cached
    assert not open_series(archive, series, cache_bytes=0).is_cached
    assert cached_files(archive) == []


def test_the_bound_is_the_archives_own_for_everyone_who_opens_a_volume(archive: Archive, tmp_path: Path) -> None:
    series = kept(archive, write_series(tmp_path / "ct", 2))
    with Archive(replace(archive.settings, volume_cache_bytes=0)) as unbounded:
        open_volume(unbounded, series)
        assert cached_files(archive) == []
    open_volume(archive, series)
    assert len(cached_files(archive)) == 1


def test_an_object_that_arrives_makes_another_volume(archive: Archive, tmp_path: Path) -> None:
    files = write_series(tmp_path / "ct", 5)
    series = kept(archive, files[:4])
    assert open_volume(archive, series).voxels.shape[0] == 4
    kept(archive, files[4:])
    opened = open_series(archive, series)
    assert not opened.is_cached
    assert opened.volume.voxels.shape[0] == 5
    assert len(cached_files(archive)) == 1, "what it was before is not kept"


@pytest.mark.parametrize("place", [-1, 0.6], ids=["in the pixels", "in the header"])
def test_a_damaged_object_is_a_refusal_that_names_the_check(archive: Archive, tmp_path: Path, place: float) -> None:
    series = kept(archive, write_series(tmp_path / "ct", 4))
    archive.settle()
    path = archive.path_of(volumes.objects_of_series(archive, series)[2])
    content = bytearray(path.read_bytes())
    content[int(place * len(content)) if place > 0 else -1] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(BlobDamaged, match="radfuse check"):
        open_series(archive, series)
    assert cached_files(archive) == []


def test_a_lost_object_is_a_refusal(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series = kept(archive, write_series(tmp_path / "ct", 3))
    archive.settle()
    monkeypatch.setattr("radfuse.archive.archive.PLACED_WITHIN_S", 0.0)
    archive.path_of(volumes.objects_of_series(archive, series)[1]).unlink()
    with pytest.raises(BlobMissing):
        open_series(archive, series)


def test_volumes_of_deleted_objects_are_deleted(archive: Archive, tmp_path: Path) -> None:
    series = kept(archive, write_series(tmp_path / "ct", 3))
    opened = open_series(archive, series)
    assert len(cached_files(archive)) == 1
    forget_objects(archive, volumes.objects_of_series(archive, series)[:1])
    assert cached_files(archive) == []
    assert opened.volume.voxels.shape[0] == 3
    assert open_volume(archive, series).voxels.shape[0] == 2


def test_a_volume_that_was_being_built_while_its_objects_were_deleted_is_not_kept(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = kept(archive, write_series(tmp_path / "ct", 3))
    build = read_stack

    def delete_meanwhile(*asked: object) -> object:
        built = build(*asked)  # type: ignore[arg-type]
        forget_objects(archive, volumes.objects_of_series(archive, series))
        return built

    monkeypatch.setattr(volumes, "read_stack", delete_meanwhile)
    monkeypatch.setattr(volumes._Proof, "run", lambda _: None)  # they were proved before
    assert open_volume(archive, series).voxels.shape[0] == 3
    assert cached_files(archive) == []


def test_the_caller_chooses_between_several_volumes(archive: Archive, tmp_path: Path) -> None:
    series = kept(archive, write_series(tmp_path / "mr", 6, modality="MR", edit=echo))
    with pytest.raises(CannotBuildVolume, match=r"make 2 volumes; choose one by its number: 1: .*TE 10.*2: .*TE 20"):
        open_series(archive, series)
    for turn in range(2):
        second = open_series(archive, series, Ask(stack=2))
        assert second.is_cached is bool(turn)
        assert (second.stack, second.stacks) == (2, 2)
    assert (open_volume(archive, series, stack=1).voxels != second.volume.voxels).any()
    for wrong in (0, 3):
        with pytest.raises(CannotBuildVolume, match=r"there is no volume|make 2 volumes"):
            open_series(archive, series, Ask(stack=wrong))


def test_what_is_not_part_of_the_only_volume_is_named(archive: Archive, tmp_path: Path) -> None:
    def scout(ds: Dataset, number: int) -> None:
        if number == 3:
            ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    files = write_series(tmp_path / "ct", 4, edit=scout)
    for opened in (open_series(archive, kept(archive, files)), open_files(files)):
        assert opened.volume.voxels.shape[0] == 3
        assert [each.kind for each in opened.volume.findings].count(FindingKind.SPLIT) == 1
        assert "scout" in opened.volume.findings[-1].sentence


def test_a_repair_is_made_only_when_it_is_asked_for(archive: Archive, tmp_path: Path) -> None:
    files = write_series(tmp_path / "ct", 6)
    series = kept(archive, [*files[:3], *files[4:]])
    with pytest.raises(CannotBuildVolume, match="missing"):
        open_volume(archive, series)
    repaired = open_volume(archive, series, repairs=[Repair.GAPS])
    assert repaired.voxels.shape[0] == 6
    assert any(each.repaired for each in repaired.findings)
    again = open_series(archive, series, Ask(repairs=frozenset({Repair.GAPS})))
    assert again.is_cached
    assert again.volume.findings == repaired.findings
    with pytest.raises(CannotBuildVolume, match="missing"):
        open_volume(archive, series)


def test_a_series_that_is_not_kept_is_unknown(archive: Archive) -> None:
    with pytest.raises(UnknownEntity):
        open_volume(archive, "2.25.1")
    with pytest.raises(UnknownEntity):
        open_volume(None, "2.25.1")
    with pytest.raises(UnknownEntity):
        stacks(None, "2.25.1")


def test_stacks_are_told_without_reading_pixels(archive: Archive, tmp_path: Path) -> None:
    files = write_series(tmp_path / "mr", 6, modality="MR", edit=echo)
    series = kept(archive, files)
    assert [stack.label for stack in stacks(archive, series)] == [
        stack.label for stack in stacks(None, tmp_path / "mr")
    ]


def test_an_object_that_has_only_just_arrived_is_waited_for(tmp_path: Path) -> None:
    files = write_series(tmp_path / "ct", 3)
    with Archive(ArchiveSettings(tmp_path / "archive")) as writing, Archive(writing.settings) as reading:
        assert open_volume(reading, kept(writing, files)).voxels.shape[0] == 3


def test_objects_are_counted_while_they_are_proved(archive: Archive, tmp_path: Path) -> None:
    series = kept(archive, write_series(tmp_path / "ct", 5))
    told: list[tuple[int, int]] = []
    open_series(archive, series, progress=lambda done, of: told.append((done, of)))
    assert sorted(told)[-1] == (5, 5)


def test_files_and_folders_are_read_without_an_archive(tmp_path: Path) -> None:
    write_series(tmp_path / "ct" / "deep", 4)
    assert open_volume(None, tmp_path / "ct").voxels.shape[0] == 4
    (tmp_path / "empty").mkdir()
    for missing in (tmp_path / "none", tmp_path / "empty"):
        with pytest.raises(CannotBuildVolume):
            open_volume(None, missing)


def test_a_nifti_file_is_given_the_place_of_a_series_it_is_like(tmp_path: Path) -> None:
    volume = open_volume(None, write_series(tmp_path / "ct", 4))
    write_image_file(tmp_path / "a.nii.gz", volume)
    assert not open_volume(None, tmp_path / "a.nii.gz").grid.frame.is_known
    like = open_files(tmp_path / "a.nii.gz", Ask(like=volume.grid)).volume
    assert like.grid is volume.grid
    assert like.unit is Unit.HU
    assert (like.voxels == volume.voxels).all()


def test_a_file_is_only_what_it_says_or_what_it_is_said_to_be(tmp_path: Path) -> None:
    volume = open_volume(None, write_series(tmp_path / "ct", 2))
    write_image_file(tmp_path / "named.nrrd", volume)
    unnamed = tmp_path / "unnamed.nii"
    nifti: Any = nibabel.Nifti1Image
    nibabel.save(nifti(volume.voxels.T, np.eye(4)), unnamed)
    assert open_volume(None, tmp_path / "named.nrrd", Unit.HU).unit is Unit.HU
    assert open_volume(None, unnamed).unit is Unit.STORED
    told = open_volume(None, unnamed, Unit.HU)
    assert told.unit is Unit.HU
    assert told.findings[-1].kind is FindingKind.UNIT
    for ask in (Ask(Unit.SUV_BW), Ask(stack=2), Ask(repairs=frozenset({Repair.GAPS}))):
        with pytest.raises(CannotBuildVolume):
            open_files(tmp_path / "named.nrrd", ask)
    with pytest.raises(CannotBuildVolume, match="say themselves"):
        open_files(tmp_path / "ct", Ask(like=volume.grid))


def test_suv_keep_their_evidence_in_the_cache(archive: Archive, shared_data: Path) -> None:
    series = kept(archive, sorted((shared_data / "petct" / "sts-001-raw" / "pet").glob("*"))[:12])
    first = open_series(archive, series, Ask(Unit.SUV_BW))
    second = open_series(archive, series, Ask(Unit.SUV_BW))
    assert second.is_cached
    assert first.volume.suv is not None
    assert second.volume.suv == first.volume.suv
    assert np.array_equal(second.volume.voxels, first.volume.voxels)
