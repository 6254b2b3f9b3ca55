"""DICOM JSON of headers: what pydicom reads of the same bytes, from every real object."""

from __future__ import annotations

import base64
import json
import math
import struct
from pathlib import Path
from typing import Any

import pydicom
import pytest

from radfuse.core.errors import DataSetError, MalformedDataSet, NestingTooDeep
from radfuse.dicom import read_file_meta
from radfuse.dicom.json_model import HeaderIncomplete, HeaderJson, element_json, header_json
from radfuse.dicom.json_reader import data_set_of_json
from tests.support.generate import GeneratedSet

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def members(*elements: bytes, syntax: str = EXPLICIT) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(header_json(b"".join(elements), syntax).text.replace("\0", ""))
    return found


def parsed(found: HeaderJson) -> dict[str, Any]:
    text: dict[str, Any] = json.loads(found.text.replace("\0", "bulk:"))
    return text


def test_every_generated_object_is_what_pydicom_reads(generated_set: GeneratedSet) -> None:
    for path in generated_set.files:
        content = path.read_bytes()
        meta = read_file_meta(content)
        found = header_json(content, meta.transfer_syntax_uid, meta.data_offset)
        got = pydicom.Dataset.from_json(parsed(found), lambda *_: b"")
        stored = pydicom.dcmread(path)
        for each in stored:
            if each.keyword not in ("PixelData", "SpecificCharacterSet"):
                assert got[each.tag].value == each.value, each.keyword
        assert ("PixelData" in stored) == (found.pixels is not None)
        if found.pixels is not None and found.pixels.length < len(content):
            assert content[found.pixels.position :][: found.pixels.length] == stored.PixelData


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_real_object_is_what_pydicom_reads(shared_data: Path) -> None:
    compared = 0
    for path in sorted(shared_data.rglob("*"))[::7]:
        content = path.read_bytes() if path.is_file() else b""
        if content[128:132] != b"DICM":
            continue
        try:
            meta = read_file_meta(content)
            found = header_json(content, meta.transfer_syntax_uid, meta.data_offset)
            stored = pydicom.dcmread(path, stop_before_pixels=True)
        except (DataSetError, pydicom.errors.InvalidDicomError):
            continue
        mine = parsed(found)
        for each in stored:
            tag = f"{each.tag:08X}"
            if each.tag.is_private or each.keyword == "SpecificCharacterSet":
                continue  # pydicom knows the VRs of some private elements
            if each.VR in ("UI", "CS", "DA", "SH", "LO") and each.value:
                texts = [str(value) for value in (each.value if each.VM > 1 else [each.value])]
                got = [value or "" for value in mine[tag].get("Value", [])]
                assert got == [text.strip(" \0") for text in texts], (path.name, each.keyword)
                compared += 1
    assert compared > 1000


def test_the_memory_of_elements_changes_nothing(generated_set: GeneratedSet) -> None:
    content = generated_set.ct[0].read_bytes()
    meta = read_file_meta(content)
    first = header_json(content, meta.transfer_syntax_uid, meta.data_offset)
    assert header_json(content, meta.transfer_syntax_uid, meta.data_offset) == first


def test_text_is_read_in_the_character_set_before_it_also_when_the_same_bytes_were_seen_in_another() -> None:
    name = element(0x00100010, b"PN", b"B\xe4r^A")
    latin = members(element(0x00080005, b"CS", b"ISO_IR 100"), name + b"")
    greek = members(element(0x00080005, b"CS", b"ISO_IR 126"), name)
    assert latin["00100010"]["Value"] == [{"Alphabetic": "Bär^A"}]
    assert greek["00100010"]["Value"] == [{"Alphabetic": "Bδr^A"}]
    assert latin["00080005"]["Value"] == ["ISO_IR 192"]


@pytest.mark.parametrize(
    ("vr", "raw", "value"),
    [
        (b"DS", b"1.50\\-2 ", [1.5, -2]),
        (b"DS", b"+.5\\1. ", [0.5, 1.0]),
        (b"IS", b"007 ", [7]),
        (b"IS", b"+12 ", [12]),
        (b"DS", b"many", ["many"]),
        (b"DS", b"1e999 ", [math.inf]),
        (b"LO", b"a\\\\b ", ["a", None, "b"]),
        (b"US", b"\1\0\2\0", [1, 2]),
        (b"FD", struct.pack("<d", 0.1), [0.1]),
        (b"AT", b"\x08\0\x18\0", ["00080018"]),
        (b"PN", b"A^B=\x20=C ", [{"Alphabetic": "A^B", "Phonetic": "C"}]),
        (b"UT", b'x\\"y"', ['x\\"y"']),
    ],
)
def test_values_are_numbers_names_and_text(vr: bytes, raw: bytes, value: list[Any]) -> None:
    raw = raw + b" " * (len(raw) & 1)
    if vr == b"UT":
        encoded = struct.pack("<HH2sHI", 0x0040, 0xA160, vr, 0, len(raw)) + raw
        assert members(encoded)["0040A160"]["Value"] == [raw.decode().rstrip()]
    else:
        assert members(element(0x00091010, vr, raw))["00091010"]["Value"] == value


def test_a_number_of_thousands_of_digits_stays_text() -> None:
    digits = b"9" * 5000
    assert members(element(0x00200013, b"IS", digits))["00200013"]["Value"] == [digits.decode()]


def test_infinite_and_exact_numbers_survive() -> None:
    found = members(
        element(0x00189073, b"FD", struct.pack("<d", math.inf)),
        struct.pack("<HH2sHI", 0x0018, 0x9999, b"UV", 0, 8) + struct.pack("<Q", 2**63),
    )
    assert found["00189073"]["Value"] == ["inf"]
    assert found["00189999"]["Value"] == [str(2**63)]


def test_short_binary_values_are_inline_and_long_ones_bulk() -> None:
    short = struct.pack("<HH2sHI", 0x0009, 0x1010, b"OB", 0, 4) + b"\0\1\2\3"
    long = struct.pack("<HH2sHI", 0x0009, 0x1011, b"OB", 0, 5000) + bytes(5000)
    found = header_json(short + long, EXPLICIT)
    assert base64.b64decode(parsed(found)["00091010"]["InlineBinary"]) == b"\0\1\2\3"
    assert parsed(found)["00091011"]["BulkDataURI"] == "bulk:/00091011"
    extent = found.bulk["00091011"]
    assert (extent.position, extent.length) == (len(short) + 12, 5000)


def test_implicit_values_of_the_data_sign_follow_pixel_representation() -> None:
    def implicit(tag: int, value: bytes) -> bytes:
        return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value

    for representation, vr, number in ((b"\1\0", "SS", -1), (b"\0\0", "US", 65535)):
        found = members(implicit(0x00280103, representation), implicit(0x00280106, b"\xff\xff"), syntax=IMPLICIT)
        assert found["00280106"] == {"vr": vr, "Value": [number]}


def nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        inner = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, len(item)) + item
    return inner


def test_sequences_are_nested_objects_and_not_without_end() -> None:
    assert members(nested(3))["00081140"]["Value"][0]["00081140"]["Value"][0]["00081140"]["Value"] == [{}]
    with pytest.raises(NestingTooDeep):
        header_json(nested(100), EXPLICIT)


def test_a_prefix_of_a_file_is_told_from_a_broken_file(generated_set: GeneratedSet) -> None:
    content = generated_set.ct[0].read_bytes()
    meta = read_file_meta(content)
    whole = header_json(content, meta.transfer_syntax_uid, meta.data_offset)
    assert whole.pixels is not None
    for end in range(meta.data_offset, whole.pixels.position - 8, 13):
        with pytest.raises(HeaderIncomplete):
            header_json(content[:end], meta.transfer_syntax_uid, meta.data_offset, is_whole=False)
    prefix = content[: whole.pixels.position + 4]
    assert header_json(prefix, meta.transfer_syntax_uid, meta.data_offset, is_whole=False).text == whole.text


@pytest.mark.parametrize("end", [-1, -3, -9])
def test_a_truncated_header_is_malformed(end: int) -> None:
    content = element(0x00080060, b"CS", b"CT") + element(0x00100020, b"LO", b"12345678")
    with pytest.raises(MalformedDataSet):
        header_json(content[:end], EXPLICIT)


def test_an_element_of_the_index_is_written_alike() -> None:
    assert json.loads("{" + element_json(0x00100010, "PN", ("A^B=C",)) + "}") == {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Ideographic": "C"}]}
    }
    assert element_json(0x00080060, "CS", ()) == '"00080060":{"vr":"CS"}'


def test_json_is_read_back_into_the_same_elements(generated_set: GeneratedSet) -> None:
    content = generated_set.rtstruct.read_bytes()
    meta = read_file_meta(content)
    found = header_json(content, meta.transfer_syntax_uid, meta.data_offset)
    assert found.pixels is None
    data_set = data_set_of_json(parsed(found))
    assert data_set.elements.text(0x00080018) == pydicom.dcmread(generated_set.rtstruct).SOPInstanceUID
    assert not data_set.bulk
