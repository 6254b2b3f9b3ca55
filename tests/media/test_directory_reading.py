"""DICOMDIRs read: those of others, broken ones, and ones that were made to harm."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from radfuse.core.errors import InvalidDirectory
from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.dicom import FileMeta, build_file_meta
from radfuse.media import find_below, read_directory
from radfuse.media.directory_reading import Directory
from radfuse.media.directory_table import DirectoryLimits
from tests.media.objects import object_of, write_set

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
META = build_file_meta(FileMeta("1.2.840.10008.1.3.10", "2.25.1", EXPLICIT))
FIRST = len(META) + 12 + 12 + 10 + 12
"""Where the first record of ``directory`` lies."""


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", 4, tag, vr, len(value)) + value


def record(kind: bytes, *, following: int = 0, below: int = 0, in_use: int = 0xFFFF, more: bytes = b"") -> bytes:
    """One record whose type has an even length."""
    body = (
        element(0x1400, b"UL", struct.pack("<I", following))
        + element(0x1410, b"US", struct.pack("<H", in_use))
        + element(0x1420, b"UL", struct.pack("<I", below))
        + element(0x1430, b"CS", kind)
        + more
    )
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body


def named(file_id: bytes) -> bytes:
    """The file id of a record."""
    return element(0x1500, b"CS", file_id + b" " * (len(file_id) & 1))


def directory(path: Path, *records: bytes, first: int = FIRST) -> Directory:
    """A DICOMDIR of these records, read."""
    path = path / "DICOMDIR"
    body = b"".join(records)
    head = (
        element(0x1200, b"UL", struct.pack("<I", first))
        + element(0x1202, b"UL", struct.pack("<I", first))
        + element(0x1212, b"US", b"\0\0")
    )
    path.write_bytes(META + head + struct.pack("<HH2sHI", 4, 0x1220, b"SQ", 0, len(body)) + body)
    return read_directory(path)


def chain(count: int, make: Callable[[int, int], bytes]) -> list[bytes]:
    """Records each made from its number and the offset of the one behind it."""
    size = len(make(0, 0))
    return [make(number, FIRST + size * (number + 1)) for number in range(count)]


# --- of others -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "records", "files", "finding"),
    [
        ("DICOMDIR", 52, 31, ""),
        ("DICOMDIR-bigEnd", 52, 31, ""),
        ("DICOMDIR-implicit", 52, 31, ""),
        ("DICOMDIR-reordered", 52, 31, ""),
        ("DICOMDIR-empty.dcm", 0, 0, ""),
        ("DICOMDIR-nooffset", 52, 31, "the last record is cut off"),
        ("DICOMDIR-nopatient", 52, 31, "51 of 52 records cannot be reached"),
        ("TINY_ALPHA/DICOMDIR", 53, 50, ""),
    ],
)
def test_every_variant_of_the_real_set_gives_all_its_files(
    shared_data: Path, name: str, records: int, files: int, finding: str
) -> None:
    path = shared_data / "media" / "pydicom-filesets" / name
    found = read_directory(path)
    assert (len(found), len(list(found.files())), len(list(found.records))) == (records, files, records)
    assert all(find_below(path.parent, file.file_id).is_file() for file in found.files())
    assert any(finding in one for one in found.findings) if finding else found.findings == ()


def test_a_record_says_what_is_in_its_file_and_whose_it_is(shared_data: Path) -> None:
    found = read_directory(shared_data / "media" / "pydicom-filesets" / "DICOMDIR-bigEnd")
    first = next(found.files())
    assert first.file_id == ("77654033", "CR1", "6154")
    assert (first.sop_class_uid, first.transfer_syntax_uid, first.record_type) == (
        *("1.2.840.10008.5.1.4.1.1.1", EXPLICIT),
        "IMAGE",
    )
    patients = [one.keys.text(0x0010_0010) for one in found.records if one.record_type == "PATIENT"]
    assert patients == ["Doe^Archibald", "Doe^Peter"]


def test_our_own_directory_is_read_back_whole(tmp_path: Path) -> None:
    objects = [object_of(row.uid, number + 1) for number, row in enumerate(STORAGE_CLASSES)]
    found = read_directory(write_set(tmp_path, objects))
    assert {(file.sop_class_uid, file.sop_instance_uid) for file in found.files()} == {
        (ds.SOPClassUID, ds.SOPInstanceUID) for ds in objects
    }
    assert found.findings == ()


def test_records_without_lengths_are_read(tmp_path: Path) -> None:
    open_one = record(b"IMAGE ", more=named(b"A"))[8:]
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + open_one + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    path = tmp_path / "DICOMDIR"
    head = element(0x1200, b"UL", struct.pack("<I", FIRST - 22))
    sequence = struct.pack("<HH2sHI", 4, 0x1220, b"SQ", 0, 0xFFFFFFFF)
    path.write_bytes(META + head + sequence + item * 2 + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    found = read_directory(path)
    assert len(found) == 2
    assert [file.file_id for file in found.files()] == [("A",)]


# --- broken ----------------------------------------------------------------------------------------


def test_records_that_are_not_in_use_are_left_out_with_all_below_them(tmp_path: Path) -> None:
    size = len(record(b"PATIENT "))
    found = directory(
        tmp_path,
        record(b"PATIENT ", in_use=0, below=FIRST + size),
        record(b"IMAGE ", more=named(b"DELETED")),
    )
    assert list(found.files()) == []
    assert list(found.records) == []


def test_records_that_no_offset_reaches_are_read_in_their_order(tmp_path: Path) -> None:
    found = directory(tmp_path, record(b"PATIENT "), record(b"STUDY "), record(b"IMAGE ", more=named(b"A")), first=0)
    assert [(one.depth, one.record_type) for one in found.records] == [(0, "PATIENT"), (1, "STUDY"), (3, "IMAGE")]
    assert found.findings == ("3 of 3 records cannot be reached by the offsets: all are read in their order",)


@pytest.mark.parametrize(
    "offset", [1, FIRST + 1, FIRST + 8, 0x7FFF_FFFF, 0xFFFF_FFFF, FIRST - 8], ids=["start", "near", "inside", *"abc"]
)
def test_an_offset_that_points_to_no_record_is_a_finding(tmp_path: Path, offset: int) -> None:
    found = directory(tmp_path, record(b"IMPLANT ", following=offset, more=named(b"A")))
    assert [file.file_id for file in found.files()] == [("A",)]
    assert found.findings == ("an offset points to no record",)


@pytest.mark.parametrize("as_child", [False, True])
def test_offsets_that_go_round_end(tmp_path: Path, as_child: bool) -> None:
    size = len(record(b"PATIENT "))
    there = [(0, FIRST + size), (0, FIRST)] if as_child else [(FIRST + size, 0), (FIRST, 0)]
    found = directory(tmp_path, *(record(b"PATIENT ", following=one, below=other) for one, other in there))
    assert len(list(found.records)) == 2
    assert "the offsets lead to a record for a second time" in found.findings


def test_records_of_nine_levels_are_read_with_a_finding(tmp_path: Path) -> None:
    records = chain(9, lambda number, behind: record(b"PRIVATE ", below=behind if number < 8 else 0))
    found = directory(tmp_path, *records)
    assert [one.depth for one in found.records] == list(range(9))
    assert found.findings == ("records stand deeper than 8 levels",)


def test_a_file_that_a_hundred_records_name_is_one_file(tmp_path: Path) -> None:
    found = directory(tmp_path, *chain(100, lambda _, behind: record(b"IMPLANT ", following=behind, more=named(b"A"))))
    assert len(list(found.files())) == 1


def test_a_record_that_stands_where_it_does_not_belong_is_a_finding(tmp_path: Path) -> None:
    assert directory(tmp_path, record(b"IMAGE ", more=named(b"A"))).findings == (
        "a record of type IMAGE does not stand where it belongs",
    )


def test_a_record_that_points_to_another_for_its_file_gives_that_file(tmp_path: Path) -> None:
    pointer = element(0x1504, b"UL", bytes(4))
    size = len(record(b"IMPLANT ", more=pointer))
    indirect = record(b"IMPLANT ", more=element(0x1504, b"UL", struct.pack("<I", FIRST + size)))
    found = directory(tmp_path, indirect, record(b"MRDR", more=named(b"A")))
    assert [(file.file_id, file.record_type) for file in found.files()] == [(("A",), "IMPLANT")]
    assert [one.file.file_id for one in found.records if one.file] == [("A",)]
    assert found.findings == ()


def test_a_record_that_points_to_itself_for_its_file_has_none(tmp_path: Path) -> None:
    found = directory(tmp_path, record(b"MRDR", more=element(0x1504, b"UL", struct.pack("<I", FIRST))))
    assert list(found.files()) == []


def test_uids_and_ids_come_as_they_stand_there(tmp_path: Path) -> None:
    lies = (
        named(b"..\\..\\ETC\\passwd") + element(0x1510, b"UI", b"1.2.840\0") + element(0x1511, b"UI", b"not a uid!!\0")
    )
    (file,) = directory(tmp_path, record(b"IMPLANT ", more=lies)).files()
    assert file == (("..", "..", "ETC", "passwd"), "1.2.840", "not a uid!!", "", "IMPLANT")


def test_a_record_that_breaks_off_hides_none_before_it(tmp_path: Path) -> None:
    good = record(b"IMPLANT ", more=named(b"A"))
    found = directory(tmp_path, good, b"\xfe\xff\x00\xe0\x20\x00\x00\x00" + b"no element at all" * 2)
    assert [file.file_id for file in found.files()] == [("A",)]
    assert any("record 2 is broken" in one or "cut off" in one for one in found.findings)


def test_an_element_that_breaks_off_within_a_record_is_a_finding(tmp_path: Path) -> None:
    bad = record(b"IMPLANT ", more=named(b"A") + struct.pack("<HH2sH", 8, 5, b"CS", 500) + b"ISO_IR 100")
    found = directory(tmp_path, bad)
    assert [file.file_id for file in found.files()] == [("A",)]
    assert [one.record_type for one in found.records] == ["IMPLANT"]
    assert found.findings == ("a record has an element that cannot be read",)


@pytest.mark.parametrize("length", [0, 8, 0x7FFF_0000])
def test_a_wrong_length_of_the_sequence_hides_no_record(tmp_path: Path, length: int) -> None:
    path = tmp_path / "DICOMDIR"
    directory(tmp_path, record(b"IMPLANT ", more=named(b"A")))
    content = bytearray(path.read_bytes())
    content[FIRST - 4 : FIRST] = struct.pack("<I", length)
    path.write_bytes(content)
    found = read_directory(path)
    assert len(found) == 1
    assert found.findings == ("the sequence of records is not as long as it says",)


@pytest.mark.parametrize("cut", range(FIRST - 60, FIRST + 60, 7))
def test_a_directory_that_is_cut_off_anywhere_ends(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "DICOMDIR"
    directory(tmp_path, record(b"IMPLANT ", more=named(b"A")))
    path.write_bytes(path.read_bytes()[:cut])
    try:
        assert len(read_directory(path)) <= 1
    except InvalidDirectory:
        assert cut < FIRST


@pytest.mark.parametrize("content", [b"", b"\0" * 200, META, META + b"\x08\0\x05\0CS\0\0", b"MZ" * 500])
def test_what_is_no_directory_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "DICOMDIR"
    path.write_bytes(content)
    with pytest.raises(InvalidDirectory, match="cannot be read as a DICOMDIR"):
        read_directory(path)


# --- made to harm ----------------------------------------------------------------------------------


def test_a_million_records_are_read_in_bounded_time_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "DICOMDIR"
    one = record(b"PRIVATE ", following=FIRST)
    directory(tmp_path)
    with path.open("ab") as file:
        file.write(one * 1_000_000)
    found = read_directory(path)
    assert len(found) == 1_000_000
    assert found.findings == (
        "the sequence of records is not as long as it says",
        "the offsets lead to a record for a second time",
        "999999 of 1000000 records cannot be reached by the offsets: all are read in their order",
    )


def test_more_records_than_the_limit_are_left_out_with_a_finding(tmp_path: Path) -> None:
    directory(tmp_path, *[record(b"PRIVATE ")] * 20)
    found = read_directory(tmp_path / "DICOMDIR", limits=DirectoryLimits(records=10))
    assert len(found) == 10
    assert "it has more than 10 records: the others are left out" in found.findings


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "DICOMDIR"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InvalidDirectory, match="larger than 1000 bytes"):
        read_directory(path, limits=DirectoryLimits(file_bytes=1000))


def test_a_thousand_types_of_records_cost_no_more_than_256(tmp_path: Path) -> None:
    records = chain(1000, lambda number, behind: record(b"T%07d" % number, following=behind, more=named(b"A")))
    found = directory(tmp_path, *records)
    assert len({one.record_type for one in found.records}) == 256


def test_a_million_nested_sequences_end(tmp_path: Path) -> None:
    deep = struct.pack("<HH2sHI", 0x88, 0x200, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    found = directory(tmp_path, record(b"IMPLANT ", more=named(b"A") + deep * 50_000))
    assert [file.file_id for file in found.files()] == [("A",)]
    assert [one.record_type for one in found.records] == ["IMPLANT"]


def test_every_flipped_byte_of_a_directory_is_survived(tmp_path: Path) -> None:
    path = write_set(tmp_path, [object_of(CT_IMAGE), object_of("1.2.840.10008.5.1.4.1.1.88.33", 2)])
    content = bytearray(path.read_bytes())
    for place in range(132, len(content), 3):
        kept, content[place] = content[place], content[place] ^ 0xFF
        path.write_bytes(content)
        try:
            found = read_directory(path)
            assert len(list(found.records)) + len(list(found.files())) <= 12
        except InvalidDirectory:
            pass
        content[place] = kept
