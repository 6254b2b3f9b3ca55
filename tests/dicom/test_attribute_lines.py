"""Objects as lines for people: every element readable, hostile ones bounded, what is broken said to be."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.dicom import attribute_lines as module
from radfuse.dicom import read_file_meta
from radfuse.dicom.attribute_lines import MOST_LINES, AttributeLine, attribute_lines
from radfuse.dicom.elements import ITEM, SEQUENCE_DELIMITATION, UNDEFINED
from radfuse.dicom.readable import readable_value, uid_name
from tests.dicom.encoded import NATIVE_SYNTAXES, element, part
from tests.support.generate import GeneratedSet


def lines_of(data: bytes, syntax: str = EXPLICIT_LITTLE) -> list[AttributeLine]:
    return attribute_lines(data, syntax, 0)


def only(data: bytes, syntax: str = EXPLICIT_LITTLE) -> AttributeLine:
    (line,) = lines_of(data, syntax)
    return line


@pytest.mark.parametrize("syntax", [syntax for syntax in NATIVE_SYNTAXES if not syntax.endswith(".99")])
def test_an_element_has_its_tag_its_name_and_its_value(syntax: str) -> None:
    line = only(element(0x00100010, "PN", b"Doe^Jane^Mary^Dr^PhD", syntax), syntax)
    assert line == AttributeLine("(0010,0010)", "PatientName", "Patient's Name", "PN", "Doe, Dr Jane Mary, PhD")


@pytest.mark.parametrize(
    ("vr", "raw", "shown"),
    [
        ("DA", b"20240229", "2024-02-29"),
        ("DA", b"2024.2.9", "2024.2.9"),
        ("TM", b"101112.130000", "10:11:12.13"),
        ("TM", b"1011", "10:11"),
        ("DT", b"20240229101112+0100", "2024-02-29 10:11:12 +0100"),
        ("AS", b"036Y", "36 years"),
        ("AS", b"001D", "1 day"),
        ("UI", b"1.2.840.10008.5.1.4.1.1.2\0", "1.2.840.10008.5.1.4.1.1.2 (CT Image Storage)"),
        ("UI", b"1.2.3", "1.2.3"),
        ("DS", b"1.5\\2 ", "1.5 \\ 2"),
        ("US", b"\1\0\2\0", "1 \\ 2"),
        ("AT", b"\x10\0\x10\0", "(0010,0010) PatientName"),
        ("LT", b"a\\b", "a\\b"),
        ("OB", b"\1\2", "2 bytes: 01 02"),
        ("OB", b"\1", "1 byte: 01"),
        ("OW", bytes(5000), "5,000 bytes"),
        ("UN", b"hello ", "hello"),
        ("UN", b"\0\1\2\3", "4 bytes: 00 01 02 03"),
        ("US", b"\1\0\2", "3 bytes: 01 00 02"),
        ("PN", "Yamada^Tarou=山田^太郎".encode(), "Yamada, Tarou = 山田, 太郎"),
        ("LO", b"a\x07b", "a\N{REPLACEMENT CHARACTER}b"),
        ("LO", b"<script>", "<script>"),
        ("CS", b"", ""),
    ],
)
def test_values_are_readable(vr: str, raw: bytes, shown: str) -> None:
    assert readable_value(raw, vr, len(raw), big=False, character_sets=("ISO_IR 192",)) == shown


def test_long_values_are_cut_and_said_to_be() -> None:
    assert only(element(0x00204000, "LT", b"x" * 5000)).value == "x" * 1000 + "… (5,000 bytes)"
    assert only(element(0x00089215, "FD", bytes(8 * 2000))).value.endswith("… (16,000 bytes)")


def test_texts_are_decoded_by_their_character_set() -> None:
    data = element(0x00080005, "CS", b"ISO_IR 100") + element(0x00100020, "LO", "Ä".encode("latin-1") + b" ")
    assert lines_of(data)[1].value == "Ä"


def test_sequences_are_nested_and_counted() -> None:
    inner = element(0x00081155, "UI", b"1.2\0")
    item = element(0x00081199, "SQ", part(ITEM, len(inner), inner))
    data = element(0x00081115, "SQ", part(ITEM, len(item), item) + part(ITEM, UNDEFINED, item) + part(0xFFFEE00D, 0))
    found = [(line.tag, line.depth, line.item, line.value) for line in lines_of(data)]
    assert found == [
        ("(0008,1115)", 0, "", "2 items"),
        ("(0008,1199)", 1, "1", "1 item"),
        ("(0008,1155)", 2, "1.1", "1.2"),
        ("(0008,1199)", 1, "2", "1 item"),
        ("(0008,1155)", 2, "2.1", "1.2"),
    ]


def test_codes_are_said_by_their_meanings() -> None:
    code = (
        element(0x00080100, "SH", b"T-D1100 ")
        + element(0x00080102, "SH", b"SRT ")
        + element(0x00080104, "LO", b"Head and Neck ")
    )
    data = element(0x00082218, "SQ", part(ITEM, len(code), code))
    assert lines_of(data)[0].value == "Head and Neck (T-D1100, SRT)"


def test_private_attributes_are_told_by_their_creator() -> None:
    data = element(0x00290010, "LO", b"ACME HEADER ") + element(0x00291001, "OB", bytes(40))
    assert [(line.name, line.keyword) for line in lines_of(data)] == [
        ("Private Creator", ""),
        ("Private: ACME HEADER", ""),
    ]


def test_pixels_are_described() -> None:
    native = element(0x7FE00010, "OW", bytes(524_288))
    assert only(native).value == "524,288 bytes"
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED)
    fragments = part(ITEM, 0) + part(ITEM, 4, bytes(4)) + part(ITEM, 6, bytes(6)) + part(SEQUENCE_DELIMITATION, 0)
    behind = element(0xFFFCFFFC, "OB", bytes(2))
    pixels, padding = lines_of(head + fragments + behind)
    assert pixels.value == "10 bytes in 2 fragments"
    assert padding.keyword == "DataSetTrailingPadding"


@pytest.mark.parametrize(
    "data",
    [
        element(0x00100010, "PN", b"Doe", length=4000),
        element(0x00081115, "SQ", part(ITEM, 4000)),
        element(0x00081115, "SQ", part(0x00100010, 0)),
        part(ITEM, 0),
        struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED) + part(ITEM, 0),
    ],
)
def test_what_is_broken_ends_the_list_and_is_said(data: bytes) -> None:
    lines = lines_of(element(0x00080060, "CS", b"CT") + data)
    assert lines[0].value == "CT"
    assert (lines[-1].tag, lines[-1].name) == ("", "Remark")
    assert lines[-1].value.startswith("the rest cannot be read: ")


def test_the_list_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 100)
    lines = lines_of(element(0x00080060, "CS", b"CT") * 101)
    assert len(lines) == 101
    assert lines[-1].value == "only the first 100 attributes are shown"
    assert MOST_LINES == 20_000


def test_nesting_is_bounded() -> None:
    data = b""
    for _ in range(100):
        data = element(0x00081115, "SQ", part(ITEM, len(data), data))
    assert "nested deeper" in lines_of(data)[-1].value


@given(st.binary(max_size=300), st.sampled_from([IMPLICIT_LITTLE, EXPLICIT_LITTLE, "1.2.840.10008.1.2.2"]))
def test_whatever_the_bytes_are_there_is_a_list(data: bytes, syntax: str) -> None:
    assert len(lines_of(data, syntax)) <= MOST_LINES + 1


def test_a_whole_file_begins_with_its_file_meta_information(generated_set: GeneratedSet) -> None:
    for path in generated_set.files:
        content = path.read_bytes()
        meta = read_file_meta(content)
        lines = attribute_lines(content, meta.transfer_syntax_uid, meta.data_offset)
        assert lines[0].tag == "(0002,0000)"
        top = [line.tag for line in lines if not line.depth and not line.tag.startswith("(0002")]
        expected = [f"({element.tag.group:04X},{element.tag.element:04X})" for element in dcmread(path)]
        assert top == expected


def test_real_objects_are_read_to_their_ends(shared_data: Path) -> None:
    files = [path for name in ("sr", "seg", "charsets", "enhanced") for path in (shared_data / name).rglob("*.dcm")]
    for path in files[:60]:
        content = path.read_bytes()
        meta = read_file_meta(content)
        assert attribute_lines(content, meta.transfer_syntax_uid, meta.data_offset)[-1].tag, path.name


def test_uids_of_the_standard_have_names() -> None:
    assert uid_name("1.2.840.10008.1.2.4.50").startswith("JPEG Baseline")
    assert uid_name("1.2.3") == ""
