"""File-sets written: what is in them, whole or not at all, and never over something else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import zipfile
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet

from radfuse.archive import Archive
from radfuse.core.errors import AlreadyThere, CannotExport, CannotTranscode, InUse
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, JPEG_2000
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID
from radfuse.dicom import Transcoder
from radfuse.media import find_below, read_directory
from radfuse.services.export_media import MediaAsk, export_media, export_packed, exporting, plan_export
from radfuse.services.export_media.placing import folder_lock
from radfuse.services.selection import Selection
from radfuse.services.stored_objects import object_of
from tests.archive.objects import AnObject, store
from tests.services.export_media.conftest import Write, whole_study
from tests.support.generate import PATIENT_NAME, GeneratedSet

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def instances_of(folder: Path) -> list[str]:
    """What pydicom finds in a file-set."""
    found = FileSet(folder / "DICOMDIR")
    found._stage["t"].cleanup()  # which it leaves to the garbage collector
    return [str(each.SOPInstanceUID) for each in found]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "archive")


def test_a_set_holds_every_object_once_and_a_directory_that_says_so(
    write: Write, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    report = write(tmp_path / "set")
    assert names(tmp_path / "set") == ["DICOM", "DICOMDIR", "INDEX.HTM", "README.TXT", "SHA256.TXT"]
    assert report.objects == len(generated_set.files)
    directory = read_directory(tmp_path / "set" / "DICOMDIR")
    assert directory.findings == ()
    assert directory.file_set_id == report.volumes[0].file_set_id
    uids = set()
    for named in directory.files():
        ds = dcmread(find_below(tmp_path / "set", named.file_id))
        assert ds.SOPInstanceUID == named.sop_instance_uid
        assert ds.file_meta.TransferSyntaxUID == named.transfer_syntax_uid == "1.2.840.10008.1.2.1"
        assert str(ds.file_meta.ImplementationClassUID) == IMPLEMENTATION_CLASS_UID
        assert "SourceApplicationEntityTitle" not in ds.file_meta
        uids.add(ds.SOPInstanceUID)
    assert uids == {dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in generated_set.files}
    size = sum(path.stat().st_size for path in (tmp_path / "set").rglob("*") if path.is_file())
    assert report.size_bytes == size


def test_what_was_native_is_byte_for_byte_what_is_kept_and_the_rest_is_equal(
    write: Write, filled: Archive, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    write(tmp_path / "set")
    files = {each.sop_instance_uid: each for each in read_directory(tmp_path / "set" / "DICOMDIR").files()}
    for path, is_same in ((generated_set.ct[0], True), (generated_set.pet[0], False)):
        source = dcmread(path)
        stored = object_of(filled, source.SOPInstanceUID)
        content = find_below(tmp_path / "set", files[source.SOPInstanceUID].file_id).read_bytes()
        assert content.endswith(filled.path_of(stored).read_bytes()[-stored.size_bytes :]) == is_same
        assert dcmread(find_below(tmp_path / "set", files[source.SOPInstanceUID].file_id)) == source


def test_the_checksums_are_those_of_all_files(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write(folder)
    lines = {line[66:]: line[:64] for line in (folder / "SHA256.TXT").read_text().splitlines()}
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256.TXT"]
    assert {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == lines
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=folder, check=True)


def test_the_page_lists_studies_without_script_and_the_text_names_nobody(
    archive: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    store(archive, AnObject("2.25.1", name="<script>alert(1)</script>^&"))
    plan = plan_export(archive, MediaAsk("STD-GEN-CD", Selection(["2.25.10"])))
    export_media(archive, plan, tmp_path / "set", transcoder=transcoder, institution="Clinic <A> & B")
    page = (tmp_path / "set" / "INDEX.HTM").read_text("utf-8")
    assert "<script" not in page
    tree = ElementTree.fromstring(page)  # noqa: S314 - our own
    space = "{http://www.w3.org/1999/xhtml}"
    assert [cell.text for cell in tree.iter(f"{space}td")][:2] == ["<script>alert(1)</script> &", "P-1"]
    assert {link.get("href") for link in tree.iter(f"{space}a")} == {"DICOMDIR", "README.TXT"}
    text = (tmp_path / "set" / "README.TXT").read_bytes()
    assert b"Clinic <A> & B" in text
    assert b"script" not in text
    assert b"P-1" not in text
    assert text.count(b"\r\n") == text.count(b"\n")


def test_a_plan_with_refusals_is_written_only_without_them_and_that_is_said(
    write: Write, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    with pytest.raises(CannotExport, match="STD-CTMR-CD does not take"):
        write(tmp_path / "set", whole_study("STD-CTMR-CD"))
    assert not (tmp_path / "set").exists()
    report = write(tmp_path / "set", whole_study("STD-CTMR-CD", skip_refused=True))
    assert report.refused + report.objects == len(generated_set.files)
    text = (tmp_path / "set" / "README.TXT").read_text()
    assert "WHAT IS NOT ON IT" in text
    assert PATIENT_NAME not in text


def test_images_with_loss_are_instances_of_their_own(write: Write, tmp_path: Path, generated_set: GeneratedSet) -> None:
    write(tmp_path / "set", whole_study("STD-GEN-DVD-J2K", with_loss=True))
    kept = {dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in generated_set.ct}
    read = [
        dcmread(find_below(tmp_path / "set", each.file_id), stop_before_pixels=True)
        for each in read_directory(tmp_path / "set" / "DICOMDIR").files()
    ]
    lossy = [ds for ds in read if ds.get("LossyImageCompression") == "01"]
    assert lossy
    assert not kept & {ds.SOPInstanceUID for ds in lossy}
    assert all(ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID for ds in lossy)


class Refusing(Transcoder):
    """Codecs that refuse one target."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target

    def transcode(self, source: Path, target_syntax: str, *args: Any, **more: Any) -> None:
        if target_syntax == self._target:
            raise CannotTranscode("stored", target_syntax, "the codec says no")
        super().transcode(source, target_syntax, *args, **more)


def test_what_a_codec_refuses_is_written_in_the_next_best_syntax(
    filled: Archive, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    uid = dcmread(generated_set.ct[0], stop_before_pixels=True).SOPInstanceUID
    plan = plan_export(filled, MediaAsk("STD-GEN-DVD-J2K", objects=(uid,), with_loss=True))
    assert plan.volumes[0].objects[0].target_syntax == JPEG_2000
    with Refusing(JPEG_2000) as transcoder:
        export_media(filled, plan, tmp_path / "set", transcoder=transcoder)
    (named,) = read_directory(tmp_path / "set" / "DICOMDIR").files()
    assert (named.sop_instance_uid, named.transfer_syntax_uid) == (uid, EXPLICIT_LITTLE)


def test_what_no_codec_converts_ends_it_or_is_left_out_and_said(
    filled: Archive, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    with Refusing(EXPLICIT_LITTLE) as transcoder:
        with pytest.raises(CannotExport, match=r"1 x .*the codec says no; leave out what is refused"):
            export_media(filled, plan_export(filled, whole_study()), tmp_path / "set", transcoder=transcoder)
        assert names(tmp_path) == []
        plan = plan_export(filled, whole_study(skip_refused=True))
        report = export_media(filled, plan, tmp_path / "set", transcoder=transcoder)
        implicit = len(generated_set.pet) + 1
        assert (plan.refused, report.refused) == (0, implicit)
        assert report.objects == plan.objects - implicit == len(instances_of(tmp_path / "set"))
        assert sum(refusal.objects for refusal in report.refusals) == implicit
        assert "the codec says no" in (tmp_path / "set" / "README.TXT").read_text()
        uids = tuple(str(dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in generated_set.pet)
        plan = plan_export(filled, MediaAsk("STD-GEN-CD", objects=uids, skip_refused=True))
        with pytest.raises(CannotExport, match="nothing is left"):
            export_media(filled, plan, tmp_path / "none", transcoder=transcoder)
    assert names(tmp_path) == ["set"]


# --- several volumes, and files --------------------------------------------------------------


def two_volumes(archive: Archive) -> MediaAsk:
    for number in range(2):
        store(archive, AnObject(f"2.25.7{number}", f"2.25.20.{number}", f"2.25.10.{number}", pixels=bytes(400_000)))
    chosen = Selection(["2.25.10.0", "2.25.10.1"])
    return MediaAsk("STD-GEN-CD", chosen, file_set_id="LONG_NAME_OF_SET", medium_bytes=1_200_000)


def test_each_volume_is_a_whole_set_that_names_the_others(
    archive: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    plan = plan_export(archive, two_volumes(archive))
    report = export_media(archive, plan, tmp_path / "set", transcoder=transcoder)
    assert [volume.folder for volume in report.volumes] == [tmp_path / "set" / f"VOLUME{n}" for n in (1, 2)]
    assert [volume.file_set_id for volume in report.volumes] == ["LONG_NAME_OF_S_1", "LONG_NAME_OF_S_2"]
    for number, volume in enumerate(report.volumes, 1):
        assert len(instances_of(volume.folder)) == 1
        assert f"medium {number} of 2" in (volume.folder / "README.TXT").read_text()


@pytest.mark.parametrize("form", ["zip", "iso"])
def test_volumes_as_files_hold_the_same(form: str, archive: Archive, transcoder: Transcoder, tmp_path: Path) -> None:
    plan = plan_export(archive, two_volumes(archive))
    folder = export_media(archive, plan, tmp_path / "set", transcoder=transcoder).volumes[0].folder
    files = [tmp_path / f"out-{number}.{form}" for number in (1, 2)]
    told: list[tuple[int, int]] = []
    report = export_packed(
        archive,
        plan,
        files,
        form,  # type: ignore[arg-type]
        transcoder=transcoder,
        progress=lambda done, total: told.append((done, total)),
    )
    assert [volume.folder for volume in report.volumes] == files
    assert names(tmp_path) == sorted(["set", *(file.name for file in files)])
    assert told[-1][0] > 0.9 * told[-1][1]
    assert not list(tmp_path.rglob("*.part"))
    if form == "zip":
        with zipfile.ZipFile(files[0]) as file:
            assert file.testzip() is None
            assert sorted(file.namelist()) == sorted(
                str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
            )
    with pytest.raises(AlreadyThere):
        export_packed(archive, plan, files, form, transcoder=transcoder)  # type: ignore[arg-type]


def test_a_file_that_somebody_else_writes_is_left_alone_and_what_was_killed_gives_way(
    archive: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    store(archive, AnObject("2.25.1"))
    plan = plan_export(archive, MediaAsk("STD-GEN-CD", Selection(["2.25.10"])))
    held = tmp_path / ".a.zip.part"
    (held / "set" / "DICOM").mkdir(parents=True)
    with folder_lock(held, held), pytest.raises(InUse):
        export_packed(archive, plan, [tmp_path / "a.zip"], "zip", transcoder=transcoder)
    export_packed(archive, plan, [tmp_path / "a.zip"], "zip", transcoder=transcoder)
    assert names(tmp_path) == ["a.zip"]


def test_a_profile_of_media_without_images_says_so_before_anything_is_written(
    filled: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    plan = plan_export(filled, whole_study("STD-GEN-USB-JPEG"))
    with pytest.raises(CannotExport, match="export a folder"):
        export_packed(filled, plan, [tmp_path / "a.iso"], "iso", transcoder=transcoder)
    assert names(tmp_path) == []


# --- never over something else ---------------------------------------------------------------


def test_an_empty_folder_is_taken_and_anything_else_stays(write: Write, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("keep")
    (tmp_path / "file").write_text("keep")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("full", "file", "link", "empty"):
        with pytest.raises(AlreadyThere):
            write(tmp_path / name)
    assert (tmp_path / "full" / "mine").read_text() == (tmp_path / "file").read_text() == "keep"
    assert names(tmp_path) == ["empty", "file", "full", "link"]


def test_two_exports_to_one_folder_at_once_leave_one_whole_set(write: Write, tmp_path: Path) -> None:
    started, go_on = threading.Event(), threading.Event()

    def wait(_done: int, _total: int) -> None:
        started.set()
        go_on.wait(30)

    first = threading.Thread(target=write, args=(tmp_path / "set",), kwargs={"progress": wait})
    first.start()
    started.wait(30)
    with pytest.raises(InUse, match="another export"):
        write(tmp_path / "set")
    go_on.set()
    first.join()
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=tmp_path / "set", check=True)
    assert names(tmp_path) == ["set"]


def test_what_a_killed_export_left_gives_way_and_what_others_left_does_not(write: Write, tmp_path: Path) -> None:
    part = tmp_path / ".set.part"
    (part / "DICOM" / "PA000001").mkdir(parents=True)
    (part / "letter.txt").write_text("keep")
    with pytest.raises(AlreadyThere):
        write(tmp_path / "set")
    assert (part / "letter.txt").exists()
    (part / "letter.txt").unlink()
    write(tmp_path / "set")
    assert names(tmp_path) == ["set"]


def test_progress_that_raises_ends_it_and_leaves_nothing(write: Write, tmp_path: Path) -> None:
    def stop(done: int, _total: int) -> None:
        if done > 10_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "set", progress=stop)
    assert names(tmp_path) == []


def test_files_of_a_set_are_readable_by_others(write: Write, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write(tmp_path / "set")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "set").rglob("*")} == {0o644, 0o755}


def test_the_volumes_of_one_export_have_one_name_however_long_it_takes(
    archive: Archive, transcoder: Transcoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        store(archive, AnObject(f"2.25.7{number}", f"2.25.20.{number}", f"2.25.10.{number}", pixels=bytes(400_000)))
    minutes = iter(range(60))

    class Clock:
        @staticmethod
        def now(zone: tzinfo) -> datetime:
            return datetime(2026, 1, 2, 3, next(minutes), tzinfo=zone)

    monkeypatch.setattr(exporting, "datetime", Clock)
    ask = MediaAsk("STD-GEN-CD", Selection(["2.25.10.0", "2.25.10.1"]), medium_bytes=1_200_000)
    report = export_media(archive, plan_export(archive, ask), tmp_path / "set", transcoder=transcoder)
    assert [volume.file_set_id for volume in report.volumes] == ["RF202601020300_1", "RF202601020300_2"]


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_a_place_that_is_taken_is_refused_before_anything_is_written(there: str, write: Write, tmp_path: Path) -> None:
    to, told = tmp_path / "set", list[int]()
    if there == "folder":
        to.mkdir()
        (to / "mine").touch()
    elif there == "file":
        to.touch()
    else:
        to.symlink_to(tmp_path / "nowhere")
    with pytest.raises(AlreadyThere):
        write(to, progress=lambda done, _total: told.append(done))
    assert told == []
