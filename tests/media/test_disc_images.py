"""Disc images hold the folder's files and nothing else, and hostile ones end in bounded time and one error."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pycdlib
import pytest

from radfuse.core.errors import CannotMakeImage, OutOfSpace, UnreadableMedia
from radfuse.media.disc_images import DiscImage, ImageLimits, is_disc_image, read_disc_image, write_disc_image
from radfuse.media.file_systems import FAT16, ISO_9660, UDF_150, UDF_250, UDF_260, FileSystem
from radfuse.media.image_files import ImageBytes, Listing
from radfuse.media.udf_descriptors import LONGEST_EXTENT_BYTES, Udf
from radfuse.media.udf_reading import list_udf
from radfuse.media.udf_writing import REVISIONS

SYSTEMS = [ISO_9660, UDF_150, UDF_250, UDF_260]
Contents = dict[tuple[str, ...], bytes]


def by_name(file_system: FileSystem) -> str:
    return file_system.name


def make_folder(folder: Path, contents: Contents) -> Path:
    for names, data in contents.items():
        path = folder.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def file_set() -> Contents:
    """Names of every lawful shape and depth, and files of every kind of size."""
    rng = random.Random(1)
    contents = {
        ("DICOMDIR",): rng.randbytes(5000),
        ("README.TXT",): b"read me\n",
        ("A", "B", "C", "D", "E", "F", "DEEPEST"): b"deep",
        ("EMPTY",): b"",
        ("SECTOR",): rng.randbytes(2048),
    }
    return contents | {
        ("DICOM", f"SE{series:06}", f"IM{number:06}"): rng.randbytes(number * 97)
        for series in range(3)
        for number in range(70)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("set"), file_set())


@pytest.fixture(scope="module")
def images(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An image of each kind, by the name of its file system."""
    where = tmp_path_factory.mktemp("images")
    found = {}
    for number, system in enumerate(SYSTEMS):
        found[system.name] = where / f"{number}.img"
        write_disc_image(folder, found[system.name], system, "a label!")
    return found


def contents_of(image: DiscImage) -> Contents:
    return {file.names: image.open(file).read() for file in image}


# --- written --------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_an_image_reads_back_as_the_folder(images: dict[str, Path], system: FileSystem) -> None:
    with read_disc_image(images[system.name]) as image:
        assert contents_of(image) == file_set()
        assert all(len(data) == file.size_bytes for file in image for data in [image.open(file).read()])
        assert image.findings == ()
    assert is_disc_image(images[system.name].read_bytes()[:34_816])
    assert not is_disc_image(bytes(34_816))


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_7z_finds_the_same_files_and_nothing_wrong(images: dict[str, Path], system: FileSystem, tmp_path: Path) -> None:
    if not (program := shutil.which("7z")):
        pytest.skip("7z is not installed")
    done = subprocess.run(
        [program, "x", f"-o{tmp_path}", str(images[system.name])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "Everything is Ok" in done.stdout
    assert "WARNING" not in done.stdout + done.stderr
    found = {path.relative_to(tmp_path).parts: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == file_set()


@pytest.mark.parametrize("system", SYSTEMS[1:], ids=by_name)
def test_udfinfo_reads_revision_label_and_numbers(images: dict[str, Path], system: FileSystem) -> None:
    if not (program := shutil.which("udfinfo") or shutil.which("udfinfo", path="/usr/sbin")):
        pytest.skip("udfinfo (udftools) is not installed")
    done = subprocess.run([program, str(images[system.name])], capture_output=True, text=True, check=True)
    facts = dict(line.split("=", 1) for line in done.stdout.splitlines() if line and not line.startswith("start="))
    assert (facts["udfwriterev"], facts["label"], facts["integrity"]) == (system.image, "A_LABEL_", "closed")
    assert int(facts["numfiles"]) == len(file_set())
    assert done.stderr == ""


def test_the_primary_tree_of_an_iso_has_level_1_names(images: dict[str, Path]) -> None:
    iso = pycdlib.PyCdlib()
    iso.open(str(images[ISO_9660.name]))
    names = {child.file_identifier() for child in iso.list_children(iso_path="/") if child is not None}
    iso.close()
    assert {b"DICOMDIR.;1", b"README.TXT;1", b"DICOM", b"A"} <= names


def test_progress_ends_with_everything(folder: Path, tmp_path: Path) -> None:
    for number, system in enumerate(SYSTEMS):
        seen: list[tuple[int, int]] = []
        write_disc_image(folder, tmp_path / str(number), system, progress=lambda *now: seen.append(now))  # noqa: B023
        assert seen == sorted(seen)
        assert seen[-1][0] == seen[-1][1] > 0


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_no_handle_is_kept_for_a_file(folder: Path, tmp_path: Path, system: FileSystem) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 20, hard))
    try:
        write_disc_image(folder, tmp_path / "image", system)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_image_that_is_there_is_never_overwritten(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"mine")
    with pytest.raises(CannotMakeImage, match="name another file"):
        write_disc_image(folder, tmp_path / "image", ISO_9660)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]


def test_an_image_that_appears_meanwhile_is_not_overwritten(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(descriptor: int) -> None:
        (tmp_path / "image").write_bytes(b"somebody else's")

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(CannotMakeImage, match="already there"):
        write_disc_image(folder, tmp_path / "image", UDF_150)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"somebody else's"]


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_a_full_disk_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: FileSystem
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutOfSpace):
        write_disc_image(folder, tmp_path / "image", system)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_grows_meanwhile_is_one_clean_error(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "set", {("A",): bytes(3 << 20), ("B",): bytes(5)})

    def grow(done: int, total: int) -> None:
        (source / "B").write_bytes(bytes(6))

    with pytest.raises(CannotMakeImage, match="B changed meanwhile"):
        write_disc_image(source, tmp_path / "image", UDF_250, progress=grow)
    assert not (tmp_path / "image").exists()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("lower",), "no name for every medium"),
        (("NINELETTERS",), "no name for every medium"),
        (("A.LONG",), "no name for every medium"),
        (("DOT.DIR", "A"), "no name for every medium"),
        (("A B",), "no name for every medium"),
        (tuple("ABCDEFGH"), "deeper than 7 levels"),
    ],
)
def test_names_that_not_every_medium_holds_are_refused(tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    make_folder(tmp_path / "set", {names: b""})
    with pytest.raises(CannotMakeImage, match=reason):
        write_disc_image(tmp_path / "set", tmp_path / "image", ISO_9660)


def test_udf_holds_file_ids_of_8_components(tmp_path: Path) -> None:
    make_folder(tmp_path / "set", {tuple("ABCDEFGH"): b"deep"})
    write_disc_image(tmp_path / "set", tmp_path / "image", UDF_250)
    with read_disc_image(tmp_path / "image") as image:
        assert contents_of(image) == {tuple("ABCDEFGH"): b"deep"}
    make_folder(tmp_path / "deeper", {tuple("ABCDEFGHI"): b"deep"})
    with pytest.raises(CannotMakeImage, match="deeper than 8 levels"):
        write_disc_image(tmp_path / "deeper", tmp_path / "another", UDF_250)


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    make_folder(tmp_path / "set", {("A",): b""})
    (tmp_path / "set" / "LINK").symlink_to("/etc/passwd")
    with pytest.raises(CannotMakeImage, match="LINK is neither a file nor a folder"):
        write_disc_image(tmp_path / "set", tmp_path / "image", UDF_150)


def test_a_medium_without_an_image_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotMakeImage, match="copy the exported folder onto it"):
        write_disc_image(folder, tmp_path / "image", FAT16)


def test_a_file_larger_than_an_extent_has_several(tmp_path: Path) -> None:
    size = 2 * LONGEST_EXTENT_BYTES + 5
    entry = Udf(REVISIONS["1.50"], "X", 0).file_entry(0, 100, size, 0, 16)
    (length,) = struct.unpack_from("<I", entry, 172)
    extents = list(struct.iter_unpack("<IIH6x", entry[176 : 176 + length]))
    assert [extent[0] for extent in extents] == [LONGEST_EXTENT_BYTES, LONGEST_EXTENT_BYTES, 5]
    assert [extent[1] for extent in extents] == [100 + number * (LONGEST_EXTENT_BYTES // 2048) for number in range(3)]


# --- read: what others wrote ----------------------------------------------------------------------

LONG = "A long name with spaces, 0123456789 0123456789 ä.dcm"


def lines_of_7z(image: Path) -> set[tuple[str, int]]:
    """(path, size) of every file that 7z lists."""
    done = subprocess.run(["7z", "l", "-slt", str(image)], capture_output=True, text=True, check=True)
    entries = [dict(pair.split(" = ", 1) for pair in block.splitlines() if " = " in pair)
               for block in done.stdout.split("----------\n", 1)[1].split("\n\n")]  # fmt: skip
    return {(entry["Path"], int(entry["Size"])) for entry in entries if entry.get("Folder") == "-"}


@pytest.mark.parametrize("options", [[], ["-J"], ["-R"], ["-J", "-R"], ["-R", "-D"]], ids=" ".join)
def test_images_of_genisoimage_are_read_as_7z_reads_them(tmp_path: Path, options: list[str]) -> None:
    program = shutil.which("genisoimage")
    if not program or not shutil.which("7z"):
        pytest.skip("genisoimage or 7z is not installed")
    deep = tuple(f"level{number}" for number in range(6))
    contents = {(LONG,): b"long", (*deep, "IMAGE.dcm"): b"deep", ("dicomdir",): bytes(5000), ("E",): b""}
    contents |= {("many", f"{number:05}.a name of some length"): b"%d" % number for number in range(300)}
    source = make_folder(tmp_path / "set", contents)
    (source / "link").symlink_to("dicomdir")
    image = tmp_path / "image.iso"
    subprocess.run([program, "-quiet", *options, "-o", image, source], capture_output=True, check=True)
    with read_disc_image(image) as disc:
        # In the Joliet tree a link is an empty file.
        found = {names: data for names, data in contents_of(disc).items() if names != ("link",)}
        if options:
            assert found == contents
        assert sorted(found.values()) == sorted(contents.values())
        assert disc.findings == ()
        assert {("/".join(file.names), file.size_bytes) for file in disc} >= lines_of_7z(image) - {("link", 0)}


def test_deep_folders_that_rock_ridge_moved_up_are_met_once(tmp_path: Path) -> None:
    if not (program := shutil.which("genisoimage")):
        pytest.skip("genisoimage is not installed")
    deep = tuple(f"level{number}" for number in range(10))
    source = make_folder(tmp_path / "set", {(*deep, "IMAGE.dcm"): b"deep"})
    subprocess.run([program, "-quiet", "-R", "-o", tmp_path / "image.iso", source], capture_output=True, check=True)
    with read_disc_image(tmp_path / "image.iso") as disc:
        assert list(contents_of(disc).values()) == [b"deep"]


def test_the_udf_of_another_writer_is_read(tmp_path: Path) -> None:
    """pycdlib's bridge discs are UDF 1.02 by their own word; here the UDF side alone is read."""
    contents = file_set() | {(LONG,): b"long"}
    source = make_folder(tmp_path / "set", contents)
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, udf="2.60")
    made: set[tuple[str, ...]] = set()
    for number, names in enumerate(contents):
        for depth in range(1, len(names)):
            if names[:depth] not in made:
                iso.add_directory(udf_path="/" + "/".join(names[:depth]))
                made.add(names[:depth])
        iso.add_file(str(source.joinpath(*names)), f"/F{number:05}.;1", udf_path="/" + "/".join(names))
    iso.write(str(tmp_path / "image"))
    iso.close()
    with (tmp_path / "image").open("rb") as stream:
        listing = Listing(ImageBytes(stream))
        list_udf(listing.source, listing)
        found = {
            file.names: b"".join(listing.source.read(*extent) for extent in file.extents) for file in listing.files
        }
    assert found == contents
    assert listing.findings == []


# --- read: hostile --------------------------------------------------------------------------------


def changed(image: Path, to: Path, change: Callable[[bytearray], object]) -> Path:
    data = bytearray(image.read_bytes())
    change(data)
    to.write_bytes(data)
    return to


def record_at(data: bytearray, name: bytes) -> int:
    """Where the first directory record with this name begins."""
    return data.index(bytes([len(name)]) + name) - 32


def small_iso(tmp_path: Path) -> Path:
    """An ISO without Joliet: one folder, two files."""
    iso = pycdlib.PyCdlib()
    iso.new()
    source = make_folder(tmp_path / "small", {("ONE",): b"1" * 3000, ("TWO",): b"2" * 10})
    iso.add_directory("/DIR")
    iso.add_file(str(source / "ONE"), "/DIR/ONE.;1")
    iso.add_file(str(source / "TWO"), "/TWO.;1")
    iso.write(str(tmp_path / "small.iso"))
    iso.close()
    return tmp_path / "small.iso"


def test_a_folder_that_holds_itself_ends(tmp_path: Path) -> None:
    def loop(data: bytearray) -> None:
        at = record_at(data, b"DIR")
        data[at + 2 : at + 18] = data[156 + 16 * 2048 + 2 : 156 + 16 * 2048 + 18]

    with read_disc_image(changed(small_iso(tmp_path), tmp_path / "bad", loop)) as image:
        assert [file.names for file in image] == [("TWO",)]
        assert image.findings == ("a folder that holds itself was passed over",)


@pytest.mark.parametrize("name", [b"../..;1", b"/X/Y.;1", b"A\\B..;1", b"\0ABC.;1", b"....;1"])
def test_a_name_that_leads_elsewhere_is_passed_over(tmp_path: Path, name: bytes) -> None:
    def rename(data: bytearray) -> None:
        at = record_at(data, b"ONE.;1")
        data[at + 32 : at + 33 + len(name)] = bytes([len(name)]) + name

    with read_disc_image(changed(small_iso(tmp_path), tmp_path / "bad", rename)) as image:
        unsafe = name in (b"../..;1", b"/X/Y.;1", b"A\\B..;1", b"\0ABC.;1")
        assert [file.names for file in image if file.names[-1] != "TWO"] == ([] if unsafe else [("DIR", "....")])
        assert bool(image.findings) == unsafe


def test_a_file_of_absurd_size_is_passed_over(tmp_path: Path) -> None:
    def grow(data: bytearray) -> None:
        at = record_at(data, b"ONE.;1")
        data[at + 10 : at + 14] = b"\xff\xff\xff\x7f"

    with read_disc_image(changed(small_iso(tmp_path), tmp_path / "bad", grow)) as image:
        assert [file.names for file in image] == [("TWO",)]
        assert image.findings == ("a file that the image does not hold whole was passed over",)


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
@pytest.mark.parametrize(
    "limits", [ImageLimits(files=10), ImageLimits(folder_bytes=2048), ImageLimits(size_factor=0)], ids=str
)
def test_limits_end_a_listing(images: dict[str, Path], system: FileSystem, limits: ImageLimits) -> None:
    with pytest.raises(UnreadableMedia):
        read_disc_image(images[system.name], limits)


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_a_truncated_image_is_an_error_or_a_finding(
    images: dict[str, Path], system: FileSystem, tmp_path: Path
) -> None:
    data = images[system.name].read_bytes()
    for size in (0, 100, 32_768, 40_000, 600_000, len(data) // 2, len(data) - 100_000):
        (tmp_path / "cut").write_bytes(data[:size])
        try:
            with read_disc_image(tmp_path / "cut") as image:
                assert image.findings
                assert contents_of(image).items() < file_set().items()
        except UnreadableMedia:
            pass


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_random_damage_never_hangs_or_crashes(images: dict[str, Path], system: FileSystem, tmp_path: Path) -> None:
    whole = images[system.name].read_bytes()
    for seed in range(60):
        rng = random.Random(seed)
        data = bytearray(whole)
        # Mostly the descriptors and folders, where damage means something.
        for _ in range(rng.choice((1, 4, 30, 300))):
            data[rng.randrange(32_768, min(len(data), 1_200_000))] = rng.randrange(256)
        if system is not ISO_9660:
            mend_checksums(data)
        (tmp_path / "bad").write_bytes(data)
        try:
            with read_disc_image(tmp_path / "bad") as image:
                for file in image:
                    assert not {"..", ".", ""} & set(file.names)
                    image.open(file).read(100)
        except UnreadableMedia:
            pass


def mend_checksums(data: bytearray) -> None:
    """Make the damaged tags of UDF pass their checksum, so that the damage gets further."""
    for at in range(0, len(data) - 16, 2048):
        if 0 < int.from_bytes(data[at : at + 2], "little") < 267:
            data[at + 4] = (sum(data[at : at + 4]) + sum(data[at + 5 : at + 16])) & 0xFF


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"not an image", bytes(1 << 20)):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(UnreadableMedia, match="neither ISO 9660 nor UDF"):
            read_disc_image(tmp_path / "file")
