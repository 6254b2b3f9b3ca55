"""What goes wrong while a file-set is written: nothing is there under its name then, and why is said."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from radfuse.archive import Archive
from radfuse.core.errors import AlreadyThere, BlobDamaged, CannotExport, InUse, OutOfSpace
from radfuse.dicom import Transcoder
from radfuse.media import PROFILES, read_directory
from radfuse.services.export_media import (
    MediaAsk,
    add_to_set,
    copying,
    export_media,
    export_packed,
    exporting,
    placing,
    plan_export,
    planning,
)
from radfuse.services.import_media import import_files
from radfuse.services.selection import Selection
from radfuse.services.stored_objects import object_of
from tests.archive.objects import AnObject, file_of, store, stored_objects
from tests.services.export_media.conftest import Write
from tests.support.generate import GeneratedSet
from tests.support.small_volumes import in_memory, mounted

STUDY = MediaAsk("STD-GEN-CD", Selection(["2.25.10"]))
UID = "2.25.1"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with mounted(tmp_path / "small", in_memory("2m")) as target:
        yield target


@pytest.fixture
def three(archive: Archive) -> Archive:
    """An archive with a study of three objects of half a megabyte."""
    for number in range(3):
        store(archive, AnObject(f"2.25.{number + 1}", number=str(number), pixels=os.urandom(500_000)))
    archive.settle()
    return archive


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_medium_that_is_too_small_is_refused_before_anything_is_written(
    three: Archive, transcoder: Transcoder, small: Path
) -> None:
    (small / "filler").write_bytes(bytes(1_000_000))
    told: list[int] = []
    with pytest.raises(OutOfSpace):
        export_media(
            three,
            plan_export(three, STUDY),
            small / "set",
            transcoder=transcoder,
            progress=lambda done, _total: told.append(done),
        )
    assert (told, left(small)) == ([], ["filler"])


def test_a_medium_that_gets_full_is_left_as_it_was(three: Archive, transcoder: Transcoder, small: Path) -> None:
    def fill(_done: int, _total: int) -> None:
        if not (small / "filler").exists():
            (small / "filler").write_bytes(bytes(600_000))

    plan = plan_export(three, STUDY)
    with pytest.raises(OutOfSpace):
        export_media(three, plan, small / "set", transcoder=transcoder, progress=fill)
    assert left(small) == ["filler"]


def test_an_update_that_fills_the_medium_leaves_the_old_set_whole(
    three: Archive, transcoder: Transcoder, small: Path
) -> None:
    first = MediaAsk("STD-GEN-CD", objects=(UID,))
    export_media(three, plan_export(three, first), small / "set", transcoder=transcoder)
    before = {path: path.read_bytes() for path in (small / "set").rglob("*") if path.is_file()}

    def fill(_done: int, _total: int) -> None:
        if not (small / "filler").exists():
            (small / "filler").write_bytes(bytes(700_000))

    plan = plan_export(three, STUDY)
    with pytest.raises(OutOfSpace):
        add_to_set(three, plan, small / "set", transcoder=transcoder, progress=fill)
    assert {path: path.read_bytes() for path in (small / "set").rglob("*") if path.is_file()} == before


def test_a_target_that_cannot_be_written_is_said(three: Archive, transcoder: Transcoder, small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    with pytest.raises(OSError, match="Read-only"):
        export_media(three, plan_export(three, STUDY), small / "set", transcoder=transcoder)
    assert left(small) == []


def test_an_export_that_is_killed_leaves_nothing_under_the_name_and_the_next_one_takes_its_place(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    export = f"export_media(archive, plan, Path({str(tmp_path / 'set')!r}), transcoder=transcoder, progress=die)"
    _kill(three, 'MediaAsk("STD-GEN-CD", Selection(["2.25.10"]))', "True", export)
    assert sorted(left(tmp_path)) == [".set.part", "archive"]
    export_media(three, plan_export(three, STUDY), tmp_path / "set", transcoder=transcoder)
    assert sorted(left(tmp_path)) == ["archive", "set"]
    assert len(list(read_directory(tmp_path / "set" / "DICOMDIR").files())) == 3


def test_an_object_that_is_deleted_before_its_turn_ends_it_and_that_is_said(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    plan = plan_export(three, STUDY)
    three.delete([object_of(three, "2.25.3")])
    with pytest.raises(CannotExport, match="deleted or replaced meanwhile; make a new plan"):
        export_media(three, plan, tmp_path / "set", transcoder=transcoder)
    assert left(tmp_path) == ["archive"]


def test_an_object_that_is_deleted_while_it_is_converted_is_written_to_the_end(
    archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    list(import_files(archive, [generated_set.pet[0]]))
    (uid,) = stored_objects(archive)

    class Deleting(Transcoder):
        def transcode(self, source: Path, *args: Any, **more: Any) -> None:
            assert archive.delete([object_of(archive, uid)])
            super().transcode(source, *args, **more)

    plan = plan_export(archive, MediaAsk("STD-GEN-CD", objects=(uid,)))
    with Deleting() as transcoder:
        export_media(archive, plan, tmp_path / "set", transcoder=transcoder)
    assert [each.sop_instance_uid for each in read_directory(tmp_path / "set" / "DICOMDIR").files()] == [uid]


def test_an_object_that_is_damaged_in_the_store_is_never_written(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    plan = plan_export(three, STUDY)
    path = file_of(three, UID)
    content = path.read_bytes()
    for change, error in ((content[:-9] + b"!" + content[-8:], BlobDamaged), (content[:-2], BlobDamaged)):
        path.write_bytes(change)
        with pytest.raises(error):
            export_media(three, plan, tmp_path / "set", transcoder=transcoder)
    assert left(tmp_path) == ["archive"]


@pytest.mark.parametrize("what", ["damaged", "cut off"])
@pytest.mark.parametrize("is_converted", [False, True])
def test_what_the_medium_does_not_hold_as_it_was_written_is_no_file_set(
    what: str,
    is_converted: bool,
    archive: Archive,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list(import_files(archive, [generated_set.pet[0] if is_converted else generated_set.ct[0]]))
    plan = plan_export(archive, MediaAsk("STD-GEN-CD", objects=tuple(stored_objects(archive))))
    assert plan.volumes[0].objects[0].is_converted == is_converted
    send = copying._send

    def badly(file: int, source: int, start: int, size_bytes: int) -> None:
        send(file, source, start, size_bytes)
        end = os.fstat(file).st_size
        if what == "damaged":
            os.pwrite(file, bytes(each ^ 1 for each in os.pread(file, 1, end - 1)), end - 1)
        else:
            os.ftruncate(file, end - 1)

    monkeypatch.setattr(copying, "_send", badly)
    with pytest.raises(BlobDamaged):
        export_media(archive, plan, tmp_path / "set", transcoder=transcoder)
    assert left(tmp_path) == ["archive"]


def test_a_medium_that_is_pulled_while_it_is_read_again_is_an_error_and_no_end_of_the_process(
    three: Archive, transcoder: Transcoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled(*_details: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "preadv", pulled)
    with pytest.raises(OSError, match="Input/output error"):
        export_media(three, plan_export(three, STUDY), tmp_path / "set", transcoder=transcoder)
    assert left(tmp_path) == ["archive"]


@pytest.mark.parametrize("is_made_anew", [True, False])
def test_a_folder_that_goes_between_its_opening_and_its_lock_is_not_held(
    is_made_anew: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, lock = tmp_path / "part", fcntl.flock
    folder.mkdir()

    def after_somebody_else(file: int, how: int) -> None:
        folder.rename(tmp_path / "done")
        if is_made_anew:
            folder.mkdir()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", after_somebody_else)
    with pytest.raises(InUse, match="another export is writing it"), placing.folder_lock(folder, tmp_path):
        pytest.fail("a folder of another name was held")


def test_the_root_of_a_mounted_medium_is_written_with_the_directory_last(write: Write, small: Path) -> None:
    (small / "System Volume Information").mkdir()
    write(small)
    assert sorted(left(small)) == [
        "DICOM",
        "DICOMDIR",
        "INDEX.HTM",
        "README.TXT",
        "SHA256.TXT",
        "System Volume Information",
    ]
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=small, check=True)
    with pytest.raises(Exception, match="there already"):
        write(small)


def test_what_comes_onto_a_mounted_medium_meanwhile_is_never_overwritten(
    three: Archive, transcoder: Transcoder, small: Path
) -> None:
    def meanwhile(_done: int, _total: int) -> None:
        (small / "README.TXT").write_bytes(b"theirs")

    with pytest.raises(AlreadyThere, match=r"README\.TXT"):
        export_media(
            three,
            plan_export(three, MediaAsk("STD-GEN-CD", objects=(UID,))),
            small,
            transcoder=transcoder,
            progress=meanwhile,
        )
    assert left(small) == ["README.TXT"]
    assert (small / "README.TXT").read_bytes() == b"theirs"


@pytest.mark.parametrize("form", ["zip", "iso"])
def test_a_file_that_gets_the_name_meanwhile_is_never_overwritten(
    form: Literal["zip", "iso"], three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    to = tmp_path / "disc"
    plan = plan_export(three, MediaAsk("STD-GEN-DVD-RAM", objects=(UID,)))

    def meanwhile(_done: int, _total: int) -> None:
        to.write_bytes(b"theirs")

    with pytest.raises(AlreadyThere):
        export_packed(three, plan, [to], form, transcoder=transcoder, progress=meanwhile)
    assert to.read_bytes() == b"theirs"
    assert sorted(left(tmp_path)) == ["archive", "disc"]


def _kill(archive: Archive, ask: str, when: str, export: str) -> None:
    """Export in a process that kills itself as soon as ``when`` is true of what is done."""
    script = f"""
        import os, signal
        from pathlib import Path
        from radfuse.archive import Archive, ArchiveSettings
        from radfuse.dicom import Transcoder
        from radfuse.services.export_media import MediaAsk, export_media, export_packed, plan_export
        from radfuse.services.selection import Selection
        with Archive(ArchiveSettings(Path({str(archive.settings.folder)!r}))) as archive, Transcoder() as transcoder:
            plan = plan_export(archive, {ask})
            die = lambda done, total: {when} and os.kill(os.getpid(), signal.SIGKILL)
            {export}
        """
    assert _run(script).returncode == -signal.SIGKILL


def _run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, env=os.environ
    )


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_link_in_the_place_of_the_part_is_not_followed(
    form: str, three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs" / ("DICOM" if form == "folder" else "set") / "file"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    (tmp_path / ".new.part").symlink_to(tmp_path / "theirs")
    plan = plan_export(three, STUDY)
    with pytest.raises(AlreadyThere):
        if form == "folder":
            export_media(three, plan, tmp_path / "new", transcoder=transcoder)
        else:
            export_packed(three, plan, [tmp_path / "new"], "zip", transcoder=transcoder)
    assert theirs.read_bytes() == b"theirs"
    assert not (tmp_path / "new").exists()


def test_a_file_set_that_became_larger_than_the_profiles_medium_is_not_made(
    three: Archive, transcoder: Transcoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_export(three, STUDY)  # which took them to be smaller
    profile = PROFILES["STD-GEN-CD"]
    medium = replace(profile.medium, capacity_bytes=1_000_000)
    monkeypatch.setattr(exporting, "profile_named", lambda _name: replace(profile, medium=medium))
    with pytest.raises(CannotExport, match="more than a medium holds"):
        export_media(three, plan, tmp_path / "set", transcoder=transcoder)
    assert not (tmp_path / "set").exists()


def test_a_folder_that_is_gone_when_it_is_to_be_held_is_somebody_elses(tmp_path: Path) -> None:
    with pytest.raises(InUse, match="another export is writing it"), placing.folder_lock(tmp_path / "part", tmp_path):
        pytest.fail("a folder that is not there was held")


def test_a_disc_image_that_was_being_made_when_the_process_was_killed_gives_way(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    to = f"[Path({str(tmp_path / 'disc.iso')!r})]"
    export = f'export_packed(archive, plan, {to}, "iso", transcoder=transcoder, progress=die)'
    _kill(three, 'MediaAsk("STD-GEN-DVD-RAM", Selection(["2.25.10"]))', "done > total // 2", export)
    assert any(path.name.endswith(".part") for path in (tmp_path / ".disc.iso.part").iterdir())
    plan = plan_export(three, MediaAsk("STD-GEN-DVD-RAM", Selection(["2.25.10"])))
    export_packed(three, plan, [tmp_path / "disc.iso"], "iso", transcoder=transcoder)
    assert sorted(left(tmp_path)) == ["archive", "disc.iso"]
    (tmp_path / ".other.iso.part").mkdir()
    (tmp_path / ".other.iso.part" / "theirs").touch()
    with pytest.raises(AlreadyThere):
        export_packed(three, plan, [tmp_path / "other.iso"], "iso", transcoder=transcoder)
    assert left(tmp_path / ".other.iso.part") == ["theirs"]


@pytest.mark.parametrize("skips", [False, True])
def test_an_object_that_grows_beyond_the_largest_file_when_it_is_converted_is_refused(
    skips: bool,
    archive: Archive,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deflated = pydicom.dcmread(generated_set.ct[0])
    deflated.Rows, deflated.Columns, deflated.PixelData = 400, 400, bytes(2 * 400 * 400)
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    deflated.save_as(tmp_path / "deflated")
    assert len(list(import_files(archive, [tmp_path / "deflated", generated_set.ct[1]]))) == 2
    objects = stored_objects(archive)
    grows = objects.pop(deflated.SOPInstanceUID)
    largest = max(each.size_bytes for each in objects.values()) + 2000
    assert grows.size_bytes < largest < len(deflated.PixelData)
    ask = MediaAsk("STD-GEN-USB-JPEG", objects=(grows.sop_instance_uid, *objects), skip_refused=skips)
    before = plan_export(archive, ask)
    _let_files_be(largest, "STD-GEN-USB-JPEG", monkeypatch)
    said = f"FAT32 holds files of up to {largest:,} bytes"
    plan = plan_export(archive, ask)
    assert [(each.rule, each.sentence) for each in plan.refusals] == [("file size", said)]
    # A plan that took it to be smaller finds it before it is on the medium.
    if skips:
        report = export_media(archive, before, tmp_path / "set", transcoder=transcoder)
        assert (report.objects, [each.sentence for each in report.refusals]) == (1, [said])
    else:
        with pytest.raises(CannotExport, match=said):
            export_media(archive, before, tmp_path / "set", transcoder=transcoder)


def _let_files_be(largest_bytes: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file system of a profile hold no larger files than that."""
    profile = PROFILES[name]
    small = replace(profile, file_systems=(replace(profile.file_system, largest_file_bytes=largest_bytes),))
    for module in (planning, exporting):
        monkeypatch.setattr(module, "profile_named", lambda _name: small)
