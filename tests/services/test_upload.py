"""Taking in uploaded files one by one: what is wrong with one concerns no other."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings, SpaceGuard
from radfuse.core.errors import OutOfSpace, RadfuseError
from radfuse.dicom import FileMeta, build_file_meta
from radfuse.services.import_media import ImportLimits
from radfuse.services.import_media.model import shown_name
from radfuse.services.upload import FileState, Upload
from tests.archive.objects import EXPLICIT, numbered


class Tight(SpaceGuard):
    """A volume that is full from a moment on."""

    is_full = False

    def check(self, folder: Path, needed_bytes: int = 0) -> None:
        if Tight.is_full:
            raise OutOfSpace("the store")


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[Archive]:
    """An archive on a volume that ``Tight.is_full`` fills."""
    Tight.is_full = False
    (tmp_path / "tight").mkdir()
    with Archive(ArchiveSettings(tmp_path / "tight", space=Tight())) as opened:
        yield opened
    Tight.is_full = False


def file_of(number: int, pixels: bytes = b"\1\2") -> bytes:
    made = replace(numbered(number), pixels=pixels)
    meta = build_file_meta(FileMeta(made.sop_class, made.uid, EXPLICIT))
    return meta + made.data_set()


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


@pytest.mark.parametrize("size", [1, 3, 64, 1 << 20])
def test_pieces_of_any_size_make_the_same_object(archive: Archive, size: int) -> None:
    taken = Upload(archive)
    taken.take("a.dcm", in_pieces(file_of(1), size))
    assert [file.state for file in taken.files] == [FileState.KEPT]
    assert taken.studies == [numbered(1).study]


def test_an_object_larger_than_is_held_in_memory_is_taken_in(archive: Archive) -> None:
    taken = Upload(archive)
    taken.take("large", in_pieces(file_of(1, bytes(20 << 20)), 1 << 20))
    assert taken.count(FileState.KEPT) == 1


def test_a_full_volume_refuses_the_file_and_not_those_after_it(tight: Archive) -> None:
    taken = Upload(tight)
    taken.take("1", iter([file_of(1)]))
    Tight.is_full = True
    taken.take("2", iter([file_of(2)]))
    taken.take("3.zip", iter([b"PK\3\4" + bytes(100)]))
    Tight.is_full = False
    taken.take("4", iter([file_of(4)]))
    states = [file.state for file in taken.files]
    assert states == [FileState.KEPT, FileState.REFUSED, FileState.REFUSED, FileState.KEPT]
    assert taken.files[1].reason == "no space left for the store"


def test_other_bytes_under_a_uid_are_a_duplicate_and_the_first_stays(archive: Archive) -> None:
    taken = Upload(archive)
    taken.take("1", iter([file_of(1)]))
    taken.take("2", iter([file_of(1, b"otherbytes")]))
    assert taken.files[1].state is FileState.DUPLICATE
    assert "stays" in taken.files[1].reason


class Broken(RadfuseError):
    """The body ends early."""


def test_what_ends_the_pieces_is_raised_and_nothing_of_the_file_is_kept(archive: Archive) -> None:
    def pieces() -> Iterator[bytes]:
        yield file_of(1)[:300]
        raise Broken

    taken = Upload(archive)
    with pytest.raises(Broken):
        taken.take("1", pieces())
    assert taken.files == []
    assert not list((archive.settings.folder / "incoming").rglob("*.zip"))


def test_the_files_of_one_upload_are_bounded_in_archives_or_not(archive: Archive) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as members:
        for number in range(3):
            members.writestr(str(number), b"x")
    taken = Upload(archive, ImportLimits(members=4))
    taken.take("a.zip", iter([packed.getvalue()]))
    assert not taken.is_full
    taken.take("b.zip", iter([packed.getvalue()]))
    assert taken.is_full
    assert [file.state for file in taken.files] == [FileState.IGNORED] * 3 + [FileState.REFUSED]
    assert taken.files[-1].reason == "the zip file has more than 1 files"


def test_nothing_is_left_of_a_zip_archive(archive: Archive) -> None:
    taken = Upload(archive)
    taken.take("a.zip", iter([b"PK\3\4", b"no zip at all"]))
    assert taken.files[0].state is FileState.REFUSED
    assert not [path for path in (archive.settings.folder / "incoming").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.dcm", "a.dcm"),
        ("../../x", "../../x"),
        ("a\r\nb\0", "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}mcd", "\N{REPLACEMENT CHARACTER}mcd"),
        ("x" * 400, "…" + "x" * 299),
    ],
)
def test_names_are_shown_in_one_line(name: str, shown: str) -> None:
    assert shown_name(name) == shown
