"""Objects described from the bytes of their files, in every encoding."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import struct
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from radfuse.core.errors import DataSetError, InvalidInstance, MalformedDataSet, NotPart10
from radfuse.dicom import FileMeta, build_file_meta, tree
from radfuse.media import Described, describe, describe_file
from tests.media.objects import code, file_of, object_of, reference

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"
EVERY_ENCODING = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
REFERENCED_IMAGES = 0x0008_1140
CONTENT = 0x0040_A730


def sequence(described: Described, tag: int) -> list[tree.Tree]:
    """The items of a sequence as it goes into a record."""
    value = described.values[tag]
    element = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, len(value)) + value
    return tree.read_tree(element, ExplicitVRLittleEndian).nodes[tag].items or []


def image() -> Dataset:
    ds = object_of(CT_IMAGE)
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.PhotometricInterpretation = 32, 8, 16, "MONOCHROME2"
    ds.PixelData = bytes(512)
    ds["PixelData"].VR = "OW"
    ds.ReferencedImageSequence = [reference(1), reference(2)]
    ds["ReferencedImageSequence"].is_undefined_length = True
    return ds


@pytest.mark.parametrize("syntax", EVERY_ENCODING, ids=lambda uid: uid.keyword)
def test_an_object_is_described_alike_in_every_encoding(syntax: str) -> None:
    found = describe(file_of(image(), syntax))
    assert (found.sop_class_uid, found.sop_instance_uid, found.transfer_syntax_uid) == (CT_IMAGE, "2.25.71.1", syntax)
    assert (found.number(0x0028_0010), found.number(0x0028_0011), found.text(0x0028_0004)) == (32, 8, "MONOCHROME2")
    assert found.has_pixels
    assert found.has(0x0028_0010), "32 is a blank and a zero"
    assert found.values[0x0028_0010] == b"\x20\0"
    assert found.record_type.name == "IMAGE"
    assert [item.ascii(0x0008_1155) for item in sequence(found, REFERENCED_IMAGES)] == ["2.25.77.1", "2.25.77.2"]


def test_numbers_within_sequences_come_in_little_endian_order_too() -> None:
    ds = object_of("1.2.840.10008.5.1.4.1.1.11.1")
    inside = reference()
    inside.ReferencedFrameNumber, inside.Rows, inside.RegionPixelShiftSequence = 3, 258, [Dataset()]
    item = Dataset()
    item.SeriesInstanceUID, item.ReferencedImageSequence = "2.25.5", [inside]
    ds.ReferencedSeriesSequence = [item]
    found = [sequence(describe(file_of(ds, syntax)), 0x0008_1115) for syntax in EVERY_ENCODING]
    assert all(one == found[0] for one in found)
    images = found[0][0].nodes[REFERENCED_IMAGES].items
    assert images is not None
    assert images[0].raw(0x0028_0010) == b"\x02\x01"


def test_the_size_is_that_of_the_file_with_our_meta_information() -> None:
    content = file_of(image())
    found = describe(content)
    ours = build_file_meta(FileMeta(CT_IMAGE, "2.25.71.1", ExplicitVRLittleEndian)) + content[found.data_offset :]
    assert found.size_bytes == len(ours)
    assert describe(ours).data_offset == len(ours) - len(content) + found.data_offset


@pytest.mark.parametrize("syntax", EVERY_ENCODING, ids=lambda uid: uid.keyword)
def test_a_mapped_file_can_be_closed_behind_its_description(tmp_path: Path, syntax: str) -> None:
    path = tmp_path / "object"
    path.write_bytes(file_of(image(), syntax))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        found = describe(mapped)
    assert found.number(0x0028_0010) == 32


def test_enhanced_images_bring_the_geometry_of_their_shared_groups() -> None:
    ds = object_of(ENHANCED_CT)
    position, orientation, measures, shared = Dataset(), Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient, orientation.ImageOrientationPatient = [1, 2, 3], [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing = [0.5, 0.25]
    shared.PlanePositionSequence, shared.PlaneOrientationSequence = [position], [orientation]
    shared.PixelMeasuresSequence, shared.ReferencedImageSequence = [measures], [reference(4)]
    ds.SharedFunctionalGroupsSequence = [shared]
    for syntax in EVERY_ENCODING:
        found = describe(file_of(ds, syntax))
        assert found.text(0x0020_0032) == "1.0\\2.0\\3.0"
        assert found.text(0x0028_0030) == "0.5\\0.25"
        assert sequence(found, REFERENCED_IMAGES)[0].ascii(0x0008_1155) == "2.25.77.4"


def document() -> Dataset:
    ds = object_of(COMPREHENSIVE_SR)
    language, text, observer = code("121049", "DCM", "Language"), Dataset(), Dataset()
    modifier = Dataset()
    modifier.RelationshipType, modifier.ValueType = "HAS CONCEPT MOD", "CODE"
    modifier.ConceptNameCodeSequence, modifier.ConceptCodeSequence = [language], [code("en", "RFC5646", "English")]
    text.RelationshipType, text.ValueType, text.TextValue = "CONTAINS", "TEXT", "A finding"
    ds.ContentSequence = [text, modifier]
    observer.VerificationDateTime = "20240301120000"
    ds.VerificationFlag, ds.VerifyingObserverSequence = "VERIFIED", [observer]
    return ds


@pytest.mark.parametrize("syntax", EVERY_ENCODING, ids=lambda uid: uid.keyword)
def test_of_a_report_only_what_modifies_its_title_is_kept(syntax: str) -> None:
    found = describe(file_of(document(), syntax))
    content = sequence(found, CONTENT)
    assert [item.ascii(0x0040_A010) for item in content] == ["HAS CONCEPT MOD"]
    assert b"A finding" not in found.values[CONTENT]
    assert found.text(0x0040_A030) == "20240301120000"


def test_a_sequence_that_a_system_did_not_know_is_read_as_implicit() -> None:
    content = file_of(image())
    plain = describe(content)
    items = plain.values[REFERENCED_IMAGES]
    at = content.index(b"\x08\x00\x40\x11SQ")
    implicit = b"".join(
        tree.write_tree(
            tree.Tree({1: tree.Node(REFERENCED_IMAGES, "SQ", items=sequence(plain, REFERENCED_IMAGES))}),
            ImplicitVRLittleEndian,
        )
    )[8:]
    end = content.index(b"\xfe\xff\xdd\xe0", at) + 8
    unknown = content[: at + 4] + b"UN\0\0" + struct.pack("<I", len(implicit)) + implicit + content[end:]
    assert describe(unknown).values[REFERENCED_IMAGES] == items


def test_items_in_the_wrong_encoding_hide_nothing_behind_them() -> None:
    content = file_of(image())
    at = content.index(b"\x08\x00\x50\x11UI")
    length = content[at + 6 : at + 8]
    found = describe(content[: at + 4] + length + b"\0\0" + content[at + 8 :])
    assert REFERENCED_IMAGES not in found.values
    assert found.number(0x0028_0010) == 32
    assert found.has_pixels


@pytest.mark.parametrize("missing", ["SOPClassUID", "SOPInstanceUID"])
def test_an_object_that_does_not_say_what_it_is_cannot_be_described(missing: str) -> None:
    ds = image()
    content = file_of(ds)
    element = {"SOPClassUID": b"\x08\x00\x16\x00UI", "SOPInstanceUID": b"\x08\x00\x18\x00UI"}[missing]
    at = content.index(element)
    length = int.from_bytes(content[at + 6 : at + 8], "little")
    with pytest.raises(InvalidInstance, match="no valid SOP"):
        describe(content[:at] + content[at + 8 + length :])


def test_a_file_that_is_cut_off_cannot_be_described() -> None:
    content = file_of(image())
    with pytest.raises(MalformedDataSet, match="longer than what holds it"):
        describe(content[:-100])
    with pytest.raises(NotPart10):
        describe(b"no file of DICOM at all" * 20)


def test_zeros_behind_the_last_element_are_padding() -> None:
    ds = object_of(COMPREHENSIVE_SR)
    content = file_of(ds)
    assert describe(content + bytes(100)).values == describe(content).values


def test_pixels_are_not_read_and_their_fragments_not_entered() -> None:
    content = file_of(image())
    at = content.index(b"\xe0\x7f\x10\x00OW")
    encapsulated = content[:at] + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + b"whatever is here"
    found = describe(encapsulated)
    assert found.has_pixels
    assert found.has(0x7FE0_0010)
    assert 0x7FE0_0010 not in found.values


@pytest.mark.parametrize("syntax", EVERY_ENCODING, ids=lambda uid: uid.keyword)
def test_an_object_with_any_byte_flipped_is_described_or_refused(syntax: str) -> None:
    content = bytearray(file_of(document(), syntax))
    for place in range(132, len(content), 7):
        kept, content[place] = content[place], content[place] ^ 0xFF
        with contextlib.suppress(DataSetError):
            describe(bytes(content))
        content[place] = kept


@pytest.mark.parametrize("length", [16_385, 65_534, 65_535])
def test_a_value_that_is_too_long_for_a_record_is_not_taken(length: int) -> None:
    content = file_of(image())
    at = content.index(b"\x08\x00\x30\x10LO")
    end = at + 8 + int.from_bytes(content[at + 6 : at + 8], "little")
    found = describe(content[: at + 6] + struct.pack("<H", length) + b"A" * length + content[end:])
    assert not found.has(0x0008_1030)
    assert found.number(0x0028_0010) == 32


def test_the_real_objects_are_described(shared_data: Path) -> None:
    files = sorted(
        path for path in (shared_data / "media" / "pydicom-filesets" / "98892003").rglob("*") if path.is_file()
    )
    found = [describe(path.read_bytes()) for path in files]
    assert {one.text(0x0010_0020) for one in found} == {"98890234"}
    assert all(one.study_instance_uid and one.series_instance_uid and one.has_pixels for one in found)


# --- files on a medium ---------------------------------------------------------------------------


def large(kind: str) -> Dataset:
    """An image, or a report, with something of 300 KB in it that is behind, or before, what is wanted."""
    ds = document() if kind == "report" else image()
    if kind == "pixels":
        ds.PixelData = bytes(300_000)
    else:
        ds.EncapsulatedDocument = bytes(300_000)  # (0042,0011), before what a report has of its content
        ds["EncapsulatedDocument"].VR = "OB"
    return ds


@pytest.mark.parametrize("kind", ["pixels", "before pixels", "report"])
@pytest.mark.parametrize("syntax", EVERY_ENCODING, ids=lambda uid: uid.keyword)
def test_a_file_is_described_as_its_bytes_are(kind: str, syntax: str, tmp_path: Path) -> None:
    content = file_of(large(kind), syntax)
    (tmp_path / "file").write_bytes(content)
    found = describe_file(tmp_path / "file")
    assert found == describe(content)
    assert found.has_pixels == (kind != "report")


def test_a_file_on_a_medium_is_never_mapped_and_of_an_image_only_the_beginning_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mapped, read = tmp_path / "file", [], []
    path.write_bytes(file_of(large("pixels")))
    whole_map, pread = mmap.mmap, os.pread

    def mapping(file: int, *details: int, **more: int) -> mmap.mmap:
        mapped.append(os.fstat(file).st_nlink)
        return whole_map(file, *details, **more)

    def reading(file: int, length: int, position: int) -> bytes:
        read.append(length)
        return pread(file, length, position)

    monkeypatch.setattr(mmap, "mmap", mapping)
    monkeypatch.setattr(os, "pread", reading)
    assert describe_file(path).has_pixels
    assert (mapped, read) == ([], [128 << 10])
    path.write_bytes(file_of(large("report")) + bytes(9 << 20))
    with pytest.raises(MalformedDataSet):
        describe_file(path)
    assert mapped == [0], "a copy without a name"


def test_a_medium_that_is_pulled_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pulled(*_details: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "file").write_bytes(file_of(image()))
    monkeypatch.setattr(os, "pread", pulled)
    with pytest.raises(OSError, match="Input/output error"):
        describe_file(tmp_path / "file")


def test_a_file_whose_pixels_are_cut_off_behind_its_beginning_is_broken(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(file_of(large("pixels"))[:-100])
    with pytest.raises(MalformedDataSet, match="longer than what holds it"):
        describe_file(tmp_path / "file")


def test_what_comes_before_the_pixels_is_counted_as_it_is_when_it_is_inflated() -> None:
    content = file_of(image())
    plain, deflated = describe(content), describe(file_of(image(), DeflatedExplicitVRLittleEndian))
    assert plain.data_offset + plain.before_pixels_bytes == content.index(b"\xe0\x7f\x10\x00OW")
    # Its sequence has a length there, and here a delimitation of 8 bytes.
    assert deflated.before_pixels_bytes == plain.before_pixels_bytes - 8
    report = describe(file_of(document()))
    assert report.data_offset + report.before_pixels_bytes == len(file_of(document()))
