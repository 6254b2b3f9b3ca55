"""Adding to a file-set that we wrote: the old one is whole until the new one is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import CannotExport, InUse
from radfuse.dicom import Transcoder
from radfuse.media import find_below, read_directory
from radfuse.services.export_media import (
    MediaAsk,
    MediaReport,
    add_to_set,
    export_media,
    placing,
    plan_export,
    updating,
)
from radfuse.services.export_media.placing import folder_lock
from radfuse.services.selection import Selection
from tests.archive.objects import AnObject, store
from tests.services.export_media.conftest import whole_study

STUDIES = ["2.25.10.0", "2.25.10.1", "2.25.10.2"]


@pytest.fixture
def three(archive: Archive) -> Archive:
    """An archive with three studies of two objects each, of two patients."""
    for number in range(6):
        place = (f"2.25.20.{number // 2}", f"2.25.10.{number // 2}", f"P-{number // 4}")
        store(archive, AnObject(f"2.25.7{number}", *place, number=str(number)))
    archive.settle()
    return archive


def ask(*studies: str, medium_bytes: int | None = None) -> MediaAsk:
    return MediaAsk("STD-GEN-CD", Selection(studies), file_set_id="GROWS", medium_bytes=medium_bytes)


def first_study(archive: Archive, transcoder: Transcoder, folder: Path) -> MediaReport:
    return export_media(archive, plan_export(archive, ask(STUDIES[0])), folder, transcoder=transcoder)


def uids(folder: Path) -> list[str]:
    found = read_directory(folder / "DICOMDIR")
    assert found.findings == ()
    assert found.file_set_id == "GROWS"
    for each in found.files():
        assert find_below(folder, each.file_id).is_file()
    return sorted(each.sop_instance_uid for each in found.files())


def test_studies_are_added_and_what_is_there_stays_as_it_is(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    first_study(three, transcoder, folder)
    before = {path: path.read_bytes() for path in (folder / "DICOM").rglob("*") if path.is_file()}
    report = add_to_set(three, plan_export(three, ask(*STUDIES[:2])), folder, transcoder=transcoder)
    assert (report.objects, report.already_there) == (2, 2)
    add_to_set(three, plan_export(three, ask(*STUDIES)), folder, transcoder=transcoder)
    assert uids(folder) == [f"2.25.7{number}" for number in range(6)]
    assert {path: path.read_bytes() for path in before} == before
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=folder, check=True)
    assert len((folder / "SHA256.TXT").read_text().splitlines()) == 6 + 3
    assert "6 objects, 3 studies" in (folder / "README.TXT").read_text()
    assert (folder / "INDEX.HTM").read_text().count("<tr>") == 1 + 3
    assert sorted(path.name for path in folder.iterdir()) == [
        "DICOM",
        "DICOMDIR",
        "INDEX.HTM",
        "README.TXT",
        "SHA256.TXT",
    ]


def test_adding_what_is_there_changes_nothing_but_the_papers(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    first_study(three, transcoder, tmp_path / "set")
    report = add_to_set(three, plan_export(three, ask(STUDIES[0])), tmp_path / "set", transcoder=transcoder)
    assert (report.objects, report.already_there) == (0, 2)
    assert uids(tmp_path / "set") == ["2.25.70", "2.25.71"]


def test_only_sets_of_ours_are_touched(three: Archive, transcoder: Transcoder, tmp_path: Path) -> None:
    plan = plan_export(three, ask(STUDIES[1]))
    folder = tmp_path / "set"
    first_study(three, transcoder, folder)
    with pytest.raises(CannotExport, match="leave out --update"):
        add_to_set(three, plan, tmp_path, transcoder=transcoder)
    ours = (folder / "DICOMDIR").read_bytes()
    foreign = ours.replace(b"2.25.312908766519049217620180534917236581217", b"1.2.276.0.7230010.3.0.3.6.7" + b"\0" * 17)
    damaged = ours.replace(b"\0\x04\x14UL", b"\0\x04\x14UL")[:-300]
    for content, said in ((foreign, "was not written by Radfuse"), (damaged, "damaged")):
        assert content != ours
        (folder / "DICOMDIR").write_bytes(content)
        with pytest.raises(CannotExport, match=said):
            add_to_set(three, plan, folder, transcoder=transcoder)
        assert (folder / "DICOMDIR").read_bytes() == content
    with pytest.raises(CannotExport, match="leave out --update"):
        add_to_set(three, plan, tmp_path / "nowhere", transcoder=transcoder)


def test_a_set_whose_files_are_missing_or_others_is_not_extended(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    plan = plan_export(three, ask(STUDIES[1]))
    first_study(three, transcoder, tmp_path / "set")
    one, other = sorted(path for path in (tmp_path / "set" / "DICOM").rglob("*") if path.is_file())
    content = other.read_bytes()
    for damage, said in ((lambda: other.write_bytes(one.read_bytes()), "not what its record"), (other.unlink, "read")):
        damage()
        with pytest.raises(CannotExport, match=said):
            add_to_set(three, plan, tmp_path / "set", transcoder=transcoder)
    other.write_bytes(content)
    assert uids(tmp_path / "set") == ["2.25.70", "2.25.71"]
    assert len(list((tmp_path / "set" / "DICOM").rglob("IM*"))) == 2


def test_what_does_not_fit_on_the_medium_is_not_added(three: Archive, transcoder: Transcoder, tmp_path: Path) -> None:
    first_study(three, transcoder, tmp_path / "set")
    (tmp_path / "set" / "large").write_bytes(bytes(800_000))
    plan = plan_export(three, ask(*STUDIES, medium_bytes=800_000))
    with pytest.raises(CannotExport, match="the medium holds 800,000 bytes"):
        add_to_set(three, plan, tmp_path / "set", transcoder=transcoder)
    assert uids(tmp_path / "set") == ["2.25.70", "2.25.71"]


def test_a_profile_without_the_role_of_an_updater_is_refused(
    filled: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    plan = plan_export(filled, whole_study("STD-GEN-DVD-JPEG"))
    export_media(filled, plan, tmp_path / "set", transcoder=transcoder)
    with pytest.raises(CannotExport, match="no file-set updater"):
        add_to_set(filled, plan, tmp_path / "set", transcoder=transcoder)


def test_a_set_that_somebody_else_writes_is_left_alone(three: Archive, transcoder: Transcoder, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    first_study(three, transcoder, folder)
    with folder_lock(folder, folder), pytest.raises(InUse):
        add_to_set(three, plan_export(three, ask(STUDIES[1])), folder, transcoder=transcoder)


def test_an_update_that_is_killed_leaves_the_old_set_and_can_be_done_again(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    first_study(three, transcoder, folder)
    script = f"""
        import os, signal
        from pathlib import Path
        from radfuse.archive import Archive, ArchiveSettings
        from radfuse.dicom import Transcoder
        from radfuse.services.export_media import MediaAsk, add_to_set, plan_export
        from radfuse.services.selection import Selection
        with Archive(ArchiveSettings(Path({str(three.settings.folder)!r}))) as archive, Transcoder() as transcoder:
            plan = plan_export(archive, MediaAsk("STD-GEN-CD", Selection({STUDIES[:2]!r})))
            die = lambda done, total: os.kill(os.getpid(), signal.SIGKILL)
            add_to_set(archive, plan, Path({str(folder)!r}), transcoder=transcoder, progress=die)
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert uids(folder) == ["2.25.70", "2.25.71"]
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=folder, check=True)
    add_to_set(three, plan_export(three, ask(*STUDIES)), folder, transcoder=transcoder)
    assert uids(folder) == [f"2.25.7{number}" for number in range(6)]


def dying_after(count: int, step: Callable[..., object]) -> Callable[..., object]:
    left = iter(range(count))

    def dying(*details: object, **more: object) -> object:
        return step(*details, **more) if next(left, None) is not None else os._exit(9)

    return dying


def names_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("step", ["sync", "replace", "unlink"])
def test_an_update_that_dies_anywhere_leaves_nothing_wrong_and_the_next_one_makes_it_whole(
    step: str, three: Archive, transcoder: Transcoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends at the first, second, … such step, without a chance to clear up."""
    plan = plan_export(three, ask(*STUDIES[:2]))
    where, real = (updating, placing.sync) if step == "sync" else (Path, getattr(Path, step))
    old, new = ["2.25.70", "2.25.71"], ["2.25.70", "2.25.71", "2.25.72", "2.25.73"]
    seen = set()
    for count in range(100):
        folder = tmp_path / f"set{count}"
        first_study(three, transcoder, folder)
        if (child := os.fork()) == 0:
            with monkeypatch.context() as patched:
                patched.setattr(where, step, dying_after(count, real))
                add_to_set(three, plan, folder, transcoder=transcoder)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        assert uids(folder) in (old, new)
        seen.add(len(uids(folder)))
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=folder, check=True)
        report = add_to_set(three, plan, folder, transcoder=transcoder)
        assert report.objects + report.already_there == 4
        assert uids(folder) == new
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=folder, check=True)
        assert "4 objects, 2 studies" in (folder / "README.TXT").read_text()
        assert len((folder / "SHA256.TXT").read_text().splitlines()) == 4 + 3
        assert len(names_of(folder)) == 4 + 4, "no file that no record names, no part"
    assert count > 2
    assert 2 in seen


def test_what_a_cut_off_update_says_it_added_is_no_way_to_other_files(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    folder, other = tmp_path / "set", tmp_path / "other"
    first_study(three, transcoder, folder)
    other.mkdir()
    (other / "IM000001").write_bytes(b"theirs")
    (folder / "DICOM" / "OUT").symlink_to(other)
    (folder / "KEEP").write_bytes(b"ours")
    before = names_of(folder)
    named = "DICOM/PA000001/ST000001/SE000001/IM000001"
    said = ["../other/IM000001", "DICOM/OUT/IM000001", "KEEP", "DICOM/../KEEP", "/etc/hostname", "", named, "\xff"]
    (folder / ".ADDED.part").write_text("\n".join(said))
    with pytest.raises(CannotExport, match="a link below"):
        add_to_set(three, plan_export(three, ask(STUDIES[1])), folder, transcoder=transcoder)
    assert (other / "IM000001").read_bytes() == b"theirs"
    assert names_of(folder) == before


def test_a_link_on_the_medium_leads_nothing_out_of_it(three: Archive, transcoder: Transcoder, tmp_path: Path) -> None:
    folder, other = tmp_path / "set", tmp_path / "other"
    first_study(three, transcoder, folder)
    plan = plan_export(three, ask(STUDIES[2]))
    theirs = other / "ST000001" / "SE000001" / "IM000001"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    (folder / "DICOM" / "PA000002").symlink_to(other)
    with pytest.raises(CannotExport, match="a link below"):
        add_to_set(three, plan, folder, transcoder=transcoder)
    assert [path for path in other.rglob("*") if path.is_file()] == [theirs]
    assert theirs.read_bytes() == b"theirs"
    (folder / "DICOM" / "PA000002").unlink()
    (folder / ".README.TXT.part").symlink_to(theirs)
    add_to_set(three, plan, folder, transcoder=transcoder)
    assert theirs.read_bytes() == b"theirs"
    assert not (folder / "README.TXT").is_symlink()


def test_a_set_of_another_profile_is_not_extended(three: Archive, transcoder: Transcoder, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    plan = plan_export(three, MediaAsk("STD-GEN-CD", Selection(STUDIES[:1]), file_set_id="GROWS"))
    export_media(three, plan, folder, transcoder=transcoder)
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in (folder / "DICOM").rglob("IM*"):
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))
    with pytest.raises(CannotExport, match="holds what STD-GEN-CD forbids"):
        add_to_set(three, plan_export(three, ask(STUDIES[1])), folder, transcoder=transcoder)
    assert {path for path in folder.rglob("*") if path.is_file()} == set(kept)
