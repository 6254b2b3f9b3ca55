"""Files of every kind come into the archive, or are said to be why not."""

from __future__ import annotations

import io
import struct
import zipfile
from collections import Counter
from pathlib import Path

import pydicom
import pytest

from radfuse.archive import Archive, ArchiveSettings, InformationModel, SpaceGuard, queries
from radfuse.core.errors import OutOfSpace
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY
from radfuse.dicom import Element, Identifier
from radfuse.services.import_media import (
    Imported,
    ImportLimits,
    ImportReport,
    Verdict,
    files_below,
    import_files,
)
from tests.support.generate import STUDY_UID, GeneratedSet, multiframe, save


def imported(archive: Archive, *paths: Path, limits: ImportLimits | None = None) -> list[Imported]:
    return list(import_files(archive, files_below(paths), limits or ImportLimits()))


def verdicts(results: list[Imported]) -> Counter[Verdict]:
    return Counter(result.verdict for result in results)


def kept_uids(archive: Archive) -> set[str]:
    keys = (Element.of("QueryRetrieveLevel", "STUDY"), Element.of("StudyInstanceUID", STUDY_UID))
    query = queries.query_from_identifier(Identifier(keys), InformationModel.STUDY_ROOT, retrieve=True)
    with archive.reading() as connection:
        return {stored.sop_instance_uid for stored in queries.instances(connection, query)}


def data_set_of(path: Path) -> bytes:
    meta = pydicom.dcmread(path, stop_before_pixels=True).file_meta
    return path.read_bytes()[144 + int(meta.FileMetaInformationGroupLength) :]


def test_folders_are_imported_with_all_folders_in_them(archive: Archive, generated_set: GeneratedSet) -> None:
    assert verdicts(imported(archive, generated_set.root)) == {Verdict.STORED: 19}
    assert len(kept_uids(archive)) == 19


def test_the_same_files_again_are_told_apart(archive: Archive, generated_set: GeneratedSet) -> None:
    imported(archive, generated_set.root)
    assert verdicts(imported(archive, generated_set.root)) == {Verdict.ALREADY_KEPT: 19}


def test_results_come_in_the_order_of_the_files(archive: Archive, generated_set: GeneratedSet) -> None:
    files = files_below([generated_set.root])
    assert [result.name for result in import_files(archive, files)] == [str(path) for path in files]


def test_a_data_set_without_file_meta_information_is_imported(
    archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    for path in (generated_set.ct[0], generated_set.pet[0]):
        (tmp_path / f"bare-{path.parent.name}").write_bytes(data_set_of(path))
    results = imported(archive, tmp_path / "bare-ct", tmp_path / "bare-pet")
    assert verdicts(results) == {Verdict.STORED: 2}
    assert kept_uids(archive) == {"2.25.7100.1.1", "2.25.7100.2.1"}


@pytest.mark.parametrize("bare", [False, True], ids=["Part 10", "without meta information"])
def test_a_large_object_is_streamed(archive: Archive, tmp_path: Path, bare: bool) -> None:
    path = save(multiframe(frames=300, side=128), tmp_path / "large", "1.2.840.10008.1.2.1")
    if bare:
        path.write_bytes(data_set_of(path))
    (result,) = imported(archive, path)
    assert (result.verdict, result.size_bytes) == (
        Verdict.STORED,
        len(data_set_of(path)) if not bare else path.stat().st_size,
    )


@pytest.mark.parametrize("meta", ["none", "lying"])
def test_a_large_member_of_a_zip_file_says_itself_what_it_is(archive: Archive, tmp_path: Path, meta: str) -> None:
    ds = multiframe(frames=300, side=128)
    path = save(ds, tmp_path / "large", "1.2.840.10008.1.2.1")
    content = path.read_bytes()
    if meta == "none":
        content = data_set_of(path)
    else:
        uid = str(ds.SOPInstanceUID).encode()
        content = content.replace(uid, uid[:-1] + b"8", 1)
    path.write_bytes(content)
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as zip_file:
        zip_file.write(path, "large")
    assert verdicts(imported(archive, path, tmp_path / "one.zip")) == {Verdict.STORED: 1, Verdict.ALREADY_KEPT: 1}
    assert kept_uids(archive) == {str(ds.SOPInstanceUID)}


def test_the_data_set_says_what_it_is_not_its_file_meta_information(
    archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    ds = pydicom.dcmread(generated_set.ct[0])
    ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("2.25.99")
    ds.save_as(tmp_path / "liar.dcm", enforce_file_format=False)
    assert verdicts(imported(archive, tmp_path / "liar.dcm")) == {Verdict.STORED: 1}
    assert kept_uids(archive) == {"2.25.7100.1.1"}


def test_a_dicomdir_is_left_out(archive: Archive, generated_set: GeneratedSet, tmp_path: Path) -> None:
    ds = pydicom.dcmread(generated_set.ct[0])
    ds.file_meta.MediaStorageSOPClassUID = pydicom.uid.UID(MEDIA_STORAGE_DIRECTORY)
    ds.save_as(tmp_path / "DICOMDIR", enforce_file_format=False)
    assert verdicts(imported(archive, tmp_path / "DICOMDIR")) == {Verdict.DIRECTORY: 1}


@pytest.mark.parametrize(
    "content", [b"", b"x", b"PK", b"PK\3\4 not a zip file", bytes(4096), b"%PDF-1.7 " + bytes(300), b"{}" * 1000]
)
def test_what_is_not_dicom_is_counted(archive: Archive, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert verdicts(imported(archive, tmp_path / "file")) == {Verdict.NOT_DICOM: 1}


def test_a_broken_object_is_refused_with_its_reason(
    archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    whole = generated_set.ct[0].read_bytes()
    (tmp_path / "a").write_bytes(whole[:-100])
    (tmp_path / "b").write_bytes(whole[:150])
    (tmp_path / "c").write_bytes(whole.replace(b"2.25.7100.1.1\0", b"2.25.7100.1.x\0"))
    results = imported(archive, tmp_path / "a", tmp_path / "b", tmp_path / "c")
    assert verdicts(results) == {Verdict.REFUSED: 3}
    assert "malformed data set" in results[0].reason
    assert "not a DICOM Part 10 file" in results[1].reason
    assert results[2].reason.startswith("SOP Instance UID is not a valid UID")


def test_a_file_that_cannot_be_read_is_refused(archive: Archive, tmp_path: Path) -> None:
    (result,) = import_files(archive, [tmp_path / "gone"])
    assert (result.verdict, result.reason) == (Verdict.REFUSED, "it cannot be read: No such file or directory")


def test_a_folder_that_leads_round_in_a_circle_ends(generated_set: GeneratedSet, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "linked.dcm").symlink_to(generated_set.ct[0])
    assert files_below([tmp_path]) == [tmp_path / "linked.dcm"]


def test_a_full_volume_ends_the_import(generated_set: GeneratedSet, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    with Archive(ArchiveSettings(tmp_path / "full", space=SpaceGuard(1 << 62, 2.0))) as full, pytest.raises(OutOfSpace):
        imported(full, generated_set.root)


# --- zip files ---------------------------------------------------------------------------------


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_members_of_a_zip_file_are_imported_and_no_name_of_theirs_becomes_a_path(
    archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    names = ["a/b/c.dcm", "../../evil.dcm", "/tmp/absolute.dcm", "DICOMDIR", "ct/\x1b[2J"]  # noqa: S108
    members = {name: path.read_bytes() for name, path in zip(names, generated_set.ct, strict=True)}
    before = set(tmp_path.rglob("*"))
    path = zipped(tmp_path / "disc.zip", {**members, "folder/": b"", "README.TXT": b"hello"})
    results = imported(archive, path)
    assert verdicts(results) == {Verdict.STORED: 5, Verdict.NOT_DICOM: 1}
    assert {item.name for item in tmp_path.iterdir()} - {item.name for item in before} == {"disc.zip"}


def test_a_damaged_member_is_refused_and_the_others_are_imported(
    archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    good, bad = generated_set.ct[0].read_bytes(), generated_set.ct[1].read_bytes()
    path = zipped(tmp_path / "disc.zip", {"good": good, "bad": bad}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(bad) + len(bad) - 1] ^= 1
    path.write_bytes(content)
    results = imported(archive, path)
    assert verdicts(results) == {Verdict.STORED: 1, Verdict.REFUSED: 1}
    assert "it cannot be read: Bad CRC-32" in results[1].reason


def test_an_encrypted_member_is_refused(archive: Archive, generated_set: GeneratedSet, tmp_path: Path) -> None:
    path = zipped(tmp_path / "disc.zip", {"secret": generated_set.ct[0].read_bytes()})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        struct.pack_into("<H", content, content.index(signature) + offset, 1)
    path.write_bytes(content)
    (result,) = imported(archive, path)
    assert result.verdict is Verdict.REFUSED
    assert "encrypted" in result.reason


def test_a_zip_file_that_declares_too_much_is_refused_before_anything_is_read(archive: Archive, tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.zip", {"zeros": bytes(2_000_000)})
    (result,) = imported(archive, path, limits=ImportLimits(ratio=100, small_zip_bytes=1000))
    assert result.verdict is Verdict.REFUSED
    assert result.reason.startswith("the files in the zip file are larger than ")


def test_a_zip_file_with_too_many_files_is_refused(archive: Archive, tmp_path: Path) -> None:
    path = zipped(tmp_path / "many.zip", {str(number): b"" for number in range(5)})
    (result,) = imported(archive, path, limits=ImportLimits(members=4))
    assert result.reason == "the zip file has more than 4 files"


def test_a_member_that_declares_less_than_it_holds_gives_no_more_than_it_declares(
    archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    content = generated_set.ct[0].read_bytes()
    path = zipped(tmp_path / "liar.zip", {"object": content})
    lying = path.read_bytes().replace(struct.pack("<L", len(content)), struct.pack("<L", len(content) - 500))
    path.write_bytes(lying)
    (result,) = imported(archive, path)
    assert result.verdict is Verdict.REFUSED


def test_a_zip_file_in_a_zip_file_is_not_opened(archive: Archive, generated_set: GeneratedSet, tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.write(generated_set.ct[0], "object")
    path = zipped(tmp_path / "outer.zip", {"inner.zip": inner.getvalue()})
    assert verdicts(imported(archive, path)) == {Verdict.REFUSED: 1}


def test_a_broken_zip_file_is_refused(archive: Archive, tmp_path: Path) -> None:
    path = zipped(tmp_path / "broken.zip", {"object": b"x" * 1000})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") : content.index(b"PK\1\2") + 4] = b"XXXX"
    path.write_bytes(content)
    (result,) = imported(archive, path)
    assert result.verdict is Verdict.REFUSED
    assert result.reason.startswith("the zip file cannot be read: ")


def test_the_report_counts_verdicts_and_keeps_what_was_refused() -> None:
    report = ImportReport()
    report.add(Imported("a", Verdict.STORED))
    report.add(Imported("b", Verdict.REFUSED, reason="why"))
    assert (report.counts[Verdict.STORED], report.counts[Verdict.REFUSED]) == (1, 1)
    assert [item.name for item in report.refused] == ["b"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_valid_file_of_the_shared_data_is_imported(archive: Archive, shared_data: Path) -> None:
    results = imported(archive, shared_data)
    assert verdicts(results)[Verdict.STORED] > 1000
    refused = [result.name for result in results if result.verdict is Verdict.REFUSED]
    assert [name for name in refused if "/malformed/" not in name and is_valid_instance(Path(name))] == []


WRONGLY_ENCODED = {"SC_rgb_jpeg.dcm", "decimal_rescale.dcm"}
"""Encoded with implicit VR though their transfer syntaxes have explicit VR: dcmdump does not read them either."""


def is_valid_instance(path: Path) -> bool:
    """Whether it is encoded as its transfer syntax says and has the UIDs that identify it."""
    ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    is_as_declared = path.name not in WRONGLY_ENCODED
    identifying = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    return is_as_declared and all(ds.get(keyword) for keyword in identifying)
