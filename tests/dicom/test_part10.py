"""File Meta Information: written for every object, read from whatever is found."""

from __future__ import annotations

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_partial

from radfuse.core.errors import DataSetError, NotPart10
from radfuse.core.transfer_syntaxes import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from radfuse.dicom.part10 import FileMeta, build_file_meta, read_file_meta
from tests.dicom.encoded import PLAIN_SYNTAXES, by_pydicom, element

CT = "1.2.840.10008.5.1.4.1.1.2"
PREAMBLE = bytes(128) + b"DICM"


def small(syntax: str) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID = CT
    dataset.PatientID = "4711"
    return by_pydicom(dataset, syntax)


@pytest.mark.parametrize("instance", ["1.2.3", "1.2.34"])
@pytest.mark.parametrize("source", ["", "SOURCE", "SOURCE1"])
@pytest.mark.parametrize("private", [b"", b"abc"])
def test_what_is_built_is_read_by_pydicom_and_by_us(instance: str, source: str, private: bytes) -> None:
    meta = FileMeta(CT, instance, EXPLICIT_LITTLE, source, "1.2.9" if private else "", private)
    built = build_file_meta(meta)
    file = io.BytesIO(built + small(EXPLICIT_LITTLE))
    read = pydicom.dcmread(file)
    assert read.PatientID == "4711"
    assert read.preamble == bytes(128)
    assert read.file_meta.FileMetaInformationGroupLength == len(built) - 144
    assert read.file_meta.FileMetaInformationVersion == b"\0\1"
    assert read.file_meta.MediaStorageSOPClassUID == CT
    assert read.file_meta.MediaStorageSOPInstanceUID == instance
    assert read.file_meta.TransferSyntaxUID == EXPLICIT_LITTLE
    assert read.file_meta.ImplementationClassUID == str(IMPLEMENTATION_CLASS_UID)
    assert read.file_meta.ImplementationVersionName == IMPLEMENTATION_VERSION_NAME
    assert read.file_meta.get("SourceApplicationEntityTitle", "") == source
    ours = read_file_meta(file.getvalue())
    padded = private + b"\0" * (len(private) % 2)
    assert ours == FileMeta(CT, instance, EXPLICIT_LITTLE, source, meta.private_creator, padded, len(built))


def test_pydicom_and_we_agree_on_where_the_data_set_starts() -> None:
    built = build_file_meta(FileMeta(CT, "1.2.3", IMPLICIT_LITTLE)) + small(IMPLICIT_LITTLE)
    file = io.BytesIO(built)
    read_partial(file, stop_when=lambda tag, vr, length: True)
    assert file.tell() == read_file_meta(built).data_offset


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
@pytest.mark.parametrize("start", [b"", PREAMBLE, b"DICM"], ids=["nothing", "preamble", "prefix"])
def test_without_meta_the_transfer_syntax_is_told_from_the_first_element(syntax: str, start: bytes) -> None:
    assert read_file_meta(start + small(syntax)) == FileMeta("", "", syntax, data_offset=len(start), guessed=True)


def test_a_missing_transfer_syntax_is_told_from_the_data_set() -> None:
    meta = element(0x00020002, "UI", CT.encode() + b"\0")
    for syntax in PLAIN_SYNTAXES:
        read = read_file_meta(PREAMBLE + meta + small(syntax))
        assert (read.transfer_syntax_uid, read.guessed, read.sop_class_uid) == (syntax, True, CT)


def test_missing_and_wrong_group_lengths_do_not_matter() -> None:
    syntax = element(0x00020010, "UI", EXPLICIT_BIG.encode() + b"\0")
    for length in (b"", element(0x00020000, "UL", b"\xff\xff\0\0"), element(0x00020000, "UL", b"\2\0\0\0")):
        read = read_file_meta(PREAMBLE + length + syntax + small(EXPLICIT_BIG))
        assert read.data_offset == len(PREAMBLE + length + syntax)
        assert not read.guessed


def test_meta_without_preamble_or_without_vrs_is_read() -> None:
    built = build_file_meta(FileMeta(CT, "1.2.3", EXPLICIT_LITTLE, "SOURCE"))
    assert read_file_meta(built[132:] + small(EXPLICIT_LITTLE)).source_ae_title == "SOURCE"
    implicit = element(0x00020010, "UI", IMPLICIT_LITTLE.encode() + b"\0", IMPLICIT_LITTLE)
    read = read_file_meta(PREAMBLE + implicit + small(IMPLICIT_LITTLE))
    assert (read.transfer_syntax_uid, read.guessed) == (IMPLICIT_LITTLE, False)


def test_four_bytes_inside_a_bare_data_set_are_no_prefix() -> None:
    data = element(0x00080060, "CS", b"CT") + element(0x00081030, "LO", b"x" * 110 + b"DICMs " * 4)
    assert data[128:132] == b"DICM"
    assert read_file_meta(data).data_offset == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7 and more",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        PREAMBLE,
        bytes(400),
        b"PK\3\4" + bytes(40),
        b"\x08\0",
    ],
)
def test_what_is_no_dicom_is_refused(data: bytes) -> None:
    with pytest.raises(NotPart10):
        read_file_meta(data)


def test_meta_that_is_cut_inside_an_element_is_refused() -> None:
    built = build_file_meta(FileMeta(CT, "1.2.3", EXPLICIT_LITTLE, private_creator="1.2", private_information=b"ab"))
    heads = 0
    for end in range(133, len(built)):
        try:
            assert 0 <= end - read_file_meta(built[:end]).data_offset < 8
        except NotPart10:
            continue
        heads += 1
    assert heads < 8 * 6


def test_meta_beyond_a_mebibyte_is_refused() -> None:
    with pytest.raises(NotPart10):
        read_file_meta(PREAMBLE + element(0x00020102, "OB", bytes(1024 * 1024)) + small(EXPLICIT_LITTLE))


@given(data=st.binary(max_size=300), behind=st.sampled_from((b"", PREAMBLE, b"DICM")))
def test_any_bytes_are_read_or_refused(data: bytes, behind: bytes) -> None:
    try:
        read_file_meta(behind + data)
    except DataSetError as error:
        assert str(error)
