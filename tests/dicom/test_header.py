"""The header scan: what it collects, what it accepts and what it refuses."""

from __future__ import annotations

import copy
import mmap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from radfuse.core.errors import DataSetError, MalformedDataSet, NestingTooDeep
from radfuse.core.transfer_syntaxes import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.dicom.elements import UNDEFINED, ScanLimits
from radfuse.dicom.header import INDEX_TAGS, INDEX_VRS, Header, scan_header
from tests.dicom.encoded import PLAIN_SYNTAXES, by_pydicom, element, nested, part

UID_TAGS = (0x00080016, 0x00080018, 0x0020000D, 0x0020000E)


def small_ct() -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.StudyDate = "20200102"
    dataset.Modality = "CT"
    dataset.PatientName = "Buc^Jérôme"
    dataset.PatientID = "4711"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.SeriesInstanceUID = "1.2.3.5"
    dataset.SeriesNumber = 7
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.Rows = 2
    dataset.Columns = 3
    reference = Dataset()
    reference.ReferencedSOPInstanceUID = "1.2.3.9"
    reference.PatientID = "a nested one"
    dataset.ReferencedImageSequence = Sequence([reference, Dataset()])
    dataset.add_new(0x7FE00010, "OW", bytes(12))
    return dataset


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
def test_a_header_has_the_values_of_the_top_level(syntax: str) -> None:
    header = scan_header(by_pydicom(small_ct(), syntax), syntax)
    assert header.sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"
    assert (header.sop_instance_uid, header.study_instance_uid) == ("1.2.3.4", "1.2.3")
    assert header.series_instance_uid == "1.2.3.5"
    assert header.character_sets == ("ISO_IR 100",)
    assert header.text(0x00100010) == "Buc^Jérôme"
    assert header.text(0x00100020) == "4711"
    assert header.text(0x00200011) == "7"
    assert (header.text(0x00280010), header.values(0x00280011)) == ("2", ("3",))
    assert header.transfer_syntax_uid == syntax
    assert 0x7FE00010 not in header.raw
    assert header.text(0x00080050) == ""
    assert header.values(0x00080050) == ()


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
def test_asked_for_everything_a_header_has_every_top_level_element_of_moderate_size(syntax: str) -> None:
    dataset = small_ct()
    header = scan_header(by_pydicom(dataset, syntax), syntax, wanted=None)
    assert sorted(header.raw) == sorted(map(int, dataset.keys()))
    assert header.values(0x00080008) == ("ORIGINAL", "PRIMARY")
    assert header.raw[0x7FE00010] == bytes(12)
    dataset.add_new(0x7FE00010, "OW", bytes(70_000))
    header = scan_header(by_pydicom(dataset, syntax), syntax, wanted=None)
    assert 0x7FE00010 not in header.raw


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
def test_a_scan_can_start_inside_the_buffer(syntax: str) -> None:
    data = by_pydicom(small_ct(), syntax)
    header = scan_header(b"x" * 131 + data, syntax, start=131)
    assert header.raw == scan_header(data, syntax).raw
    with pytest.raises(MalformedDataSet) as caught:
        scan_header(b"x" * 131 + data[:-1], syntax, start=131)
    assert caught.value.offset <= len(data)


def test_every_kind_of_buffer_is_read(tmp_path: Path) -> None:
    data = by_pydicom(small_ct(), EXPLICIT_LITTLE)
    expected = scan_header(data, EXPLICIT_LITTLE).raw
    assert scan_header(bytearray(data), EXPLICIT_LITTLE).raw == expected
    assert scan_header(memoryview(data), EXPLICIT_LITTLE).raw == expected
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        header = scan_header(mapped, EXPLICIT_LITTLE)
    assert header.raw == expected
    assert all(type(value) is bytes for value in header.raw.values())


def test_a_uid_of_other_bytes_is_kept_so_that_its_check_fails() -> None:
    header = Header({0x00080018: b"1.2\xff\0", 0x0020000D: b" 1.2 "}, EXPLICIT_LITTLE)
    assert header.sop_instance_uid == "1.2\xff"
    assert header.study_instance_uid == " 1.2"
    assert header.sop_class_uid == ""


def test_a_number_that_is_cut_has_no_values() -> None:
    assert Header({0x00280010: b"\1"}, EXPLICIT_LITTLE).values(0x00280010) == ()
    assert Header({0x00280010: b"\1"}, EXPLICIT_LITTLE).text(0x00280010) == ""
    assert Header({0x00280010: b"\1\2"}, EXPLICIT_BIG).text(0x00280010) == "258"


def test_the_index_tags_have_the_vrs_of_the_dictionary() -> None:
    from pydicom.datadict import dictionary_VR

    assert {tag: dictionary_VR(tag) for tag in INDEX_TAGS} == INDEX_VRS


def test_the_index_tags_hold_every_query_key(conformance_tables: Path) -> None:
    import csv

    with (conformance_tables / "query_keys.csv").open(encoding="utf-8") as file:
        keys = {int(row["tag"].strip("()").replace(",", ""), 16) for row in csv.DictReader(file)}
    assert keys <= INDEX_TAGS


# --- structure -------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
def test_every_cut_of_a_data_set_is_malformed_unless_it_ends_between_elements(syntax: str) -> None:
    data = by_pydicom(small_ct(), syntax)
    whole = 0
    for end in range(1, len(data)):
        try:
            scan_header(data[:end], syntax)
        except MalformedDataSet as error:
            assert 0 <= error.offset <= end
        else:
            whole += 1
    # One zero byte of the next big endian tag may be padding.
    assert whole <= 2 * len(small_ct())


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_64_levels_are_accepted_and_more_are_too_deep(syntax: str, undefined: bool) -> None:
    scan_header(nested(64, syntax, undefined), syntax)
    with pytest.raises(NestingTooDeep) as caught:
        scan_header(nested(65, syntax, undefined), syntax)
    assert caught.value.limit == 64
    # A short-cut for the test: 10,000 levels of defined length would be built in quadratic time.
    with pytest.raises(NestingTooDeep):
        scan_header(nested(10_000 if undefined else 1_000, syntax, undefined), syntax)


def test_a_private_sequence_in_implicit_vr_counts_as_a_level() -> None:
    with pytest.raises(NestingTooDeep):
        scan_header(nested(65, IMPLICIT_LITTLE, False, tag=0x00091001), IMPLICIT_LITTLE)


def test_a_private_value_that_only_starts_like_a_sequence_is_opaque() -> None:
    name = element(0x00100010, "PN", b"A^", IMPLICIT_LITTLE)
    for value in (part(0xFFFEE000, 6) + b"abcdef", part(0xFFFEE000, 400) + b"abcdef", part(0xFFFEE000, 4) + b"abcdef"):
        data = element(0x00091001, "UN", value, IMPLICIT_LITTLE)
        assert scan_header(data + name, IMPLICIT_LITTLE).text(0x00100010) == "A^"


def test_a_standard_sequence_that_breaks_is_malformed() -> None:
    value = part(0xFFFEE000, 6) + b"abcdef"
    with pytest.raises(MalformedDataSet):
        scan_header(element(0x00081140, "SQ", value, IMPLICIT_LITTLE), IMPLICIT_LITTLE)


def test_pixels_that_start_like_a_sequence_are_pixels() -> None:
    scan_header(element(0x7FE00010, "OW", part(0xFFFEE000, 99), IMPLICIT_LITTLE), IMPLICIT_LITTLE)


@pytest.mark.parametrize("syntax", [EXPLICIT_LITTLE, EXPLICIT_BIG])
def test_unknown_vr_with_undefined_length_is_an_implicit_little_endian_sequence(syntax: str) -> None:
    inner = element(0x00100020, "LO", b"1234", IMPLICIT_LITTLE) + element(0x00091001, "UN", b"ab", IMPLICIT_LITTLE)
    item = part(0xFFFEE000, UNDEFINED, inner, IMPLICIT_LITTLE) + part(0xFFFEE00D, 0)
    data = element(0x00091001, "UN", item + part(0xFFFEE0DD, 0), syntax, UNDEFINED)
    after = element(0x00100020, "LO", b"5678", syntax)
    assert scan_header(data + after, syntax).text(0x00100020) == "5678"


def test_an_implicit_item_in_an_explicit_sequence_is_read() -> None:
    inner = element(0x00100020, "LO", b"1234", IMPLICIT_LITTLE)
    scan_header(element(0x00081140, "SQ", part(0xFFFEE000, len(inner), inner)), EXPLICIT_LITTLE)


def test_an_explicit_item_under_unknown_vr_is_read() -> None:
    inner = element(0x00100020, "LO", b"1234")
    item = part(0xFFFEE000, len(inner), inner) + part(0xFFFEE0DD, 0)
    scan_header(element(0x00091001, "UN", item, EXPLICIT_LITTLE, UNDEFINED), EXPLICIT_LITTLE)


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
def test_encapsulated_pixels_are_walked_to_their_delimiter(syntax: str) -> None:
    embedded = part(0xFFFEE0DD, 0)
    fragments = part(0xFFFEE000, 0, b"", syntax) + part(0xFFFEE000, 8, embedded, syntax)
    pixels = element(0x7FE00010, "OB", fragments, syntax, UNDEFINED)
    closed = pixels + part(0xFFFEE0DD, 0, b"", syntax)
    scan_header(closed + element(0xFFFCFFFC, "OB", bytes(8), syntax), syntax)
    with pytest.raises(MalformedDataSet):
        scan_header(pixels, syntax)
    with pytest.raises(MalformedDataSet):
        scan_header(pixels + element(0xFFFCFFFC, "OB", bytes(8), syntax), syntax)


@pytest.mark.parametrize(
    "data",
    [
        element(0x00020000, "UL", bytes(4)) + element(0x00080000, "UL", bytes(4)) + element(0x00080005, "CS", b""),
        element(0x00200010, "SH", b"12") + element(0x00080060, "CS", b"CT"),
        element(0x00080060, "CS", b"CTX"),
        element(0x00080060, "CS", b"CT") + bytes(24),
        element(0x00080060, "CS", b"CT") + bytes(3),
        element(0x00080060, "ZZ", b"a later VR has the long form"),
        element(0x00080060, "??", b"no VR has the short one!"),
        element(0x00081140, "SQ", part(0xFFFEE000, 8, part(0xFFFEE00D, 0))),
        element(0x00081140, "SQ", part(0xFFFEE0DD, 0)),
        element(0x00081140, "SQ", part(0xFFFEE000, UNDEFINED) + part(0xFFFEE0DD, 0), EXPLICIT_LITTLE, UNDEFINED),
        element(0x00081140, "SQ", b"") + part(0xFFFEE0DD, 0),
    ],
    ids=[
        "group lengths",
        "tags not in order",
        "an odd length",
        "zeros behind the last element",
        "less than a header of zeros behind the last element",
        "a VR of a later edition",
        "no VR",
        "an item delimiter in an item of defined length",
        "a sequence delimiter in a sequence of defined length",
        "an item closed by its sequence",
        "a delimiter too many",
    ],
)
def test_oddities_of_real_archives_are_accepted(data: bytes) -> None:
    scan_header(data, EXPLICIT_LITTLE)


@pytest.mark.parametrize(
    "data",
    [
        element(0x00080060, "CS", b"CT", length=4),
        element(0x00080060, "OB", b"CT", length=4),
        element(0x00080060, "CS", b"CT") + b"\x08\0\0",
        element(0x00080060, "CS", b"", EXPLICIT_LITTLE) + b"\x08\0\x10\0OB\0\0\0\0",
        element(0x00080060, "UT", b"CT", length=UNDEFINED),
        element(0x00081140, "SQ", b"abcdefgh"),
        element(0x00081140, "SQ", part(0xFFFEE000, 16, bytes(8)) + element(0x00080060, "CS", b"")),
        element(0x00081140, "SQ", part(0xFFFEE000, 4, element(0x00080060, "CS", b""))),
        element(0x00081140, "SQ", part(0xFFFEE000, UNDEFINED, element(0x00080060, "CS", b""))),
        element(0x00081140, "SQ", part(0xFFFEE000, 0), length=UNDEFINED),
        element(0x00081140, "SQ", b"", length=99),
        part(0xFFFEE000, 0),
    ],
    ids=[
        "a value longer than the data set",
        "a long value longer than the data set",
        "a header that is cut",
        "a long header that is cut",
        "a text of undefined length",
        "a sequence without items",
        "an item longer than its sequence",
        "an element longer than its item",
        "an item that is not closed",
        "a sequence that is not closed",
        "a sequence longer than the data set",
        "an item outside a sequence",
    ],
)
def test_a_broken_structure_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedDataSet):
        scan_header(data, EXPLICIT_LITTLE)


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
def test_the_number_of_elements_is_limited(syntax: str) -> None:
    limits = ScanLimits(elements=1000)
    with pytest.raises(MalformedDataSet, match="too many elements"):
        scan_header(bytes(8 * 1001), syntax, limits=limits)
    items = part(0xFFFEE000, 0, b"", syntax) * 1001
    with pytest.raises(MalformedDataSet, match="too many elements"):
        scan_header(element(0x00081140, "SQ", items, syntax), syntax, limits=limits)
    with pytest.raises(MalformedDataSet, match="too many elements"):
        scan_header(element(0x7FE00010, "OB", items, syntax, UNDEFINED), syntax, limits=limits)
    stray = part(0xFFFEE00D, 0, b"", syntax) * 1001
    with pytest.raises(MalformedDataSet, match="too many elements"):
        scan_header(element(0x00081140, "SQ", stray, syntax, UNDEFINED), syntax, limits=limits)


# --- anything --------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_mutated_data_set_raises_nothing_but_a_data_set_error(syntax: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(by_pydicom(small_ct(), syntax) + nested(3, syntax, True) + nested(3, syntax, False, 0x00091001))
    for place, byte in changes:
        data[place % len(data)] = byte
    for wanted in (INDEX_TAGS, None):
        try:
            header = scan_header(bytes(data), syntax, wanted)
        except DataSetError:
            continue
        for tag in header.raw:
            header.text(tag)
            header.values(tag)


@given(data=st.binary(max_size=400), syntax=st.sampled_from(PLAIN_SYNTAXES))
def test_any_bytes_are_read_or_refused(data: bytes, syntax: str) -> None:
    try:
        scan_header(data, syntax)
    except DataSetError as error:
        assert str(error)


_TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    values=st.dictionaries(st.sampled_from((0x00080050, 0x00100020, 0x00200010, 0x00091001)), _TEXTS),
    syntax=st.sampled_from(PLAIN_SYNTAXES),
    depth=st.integers(0, 3),
)
def test_what_pydicom_writes_is_read_back(values: dict[int, str], syntax: str, depth: int) -> None:
    dataset = Dataset()
    for tag, text in values.items():
        dataset.add_new(tag, "LO" if tag >> 16 & 1 else "SH", text)
    for _ in range(depth):
        dataset.ReferencedImageSequence = Sequence([copy.deepcopy(dataset)])
    header = scan_header(by_pydicom(dataset, syntax), syntax)
    for tag, text in values.items():
        if Tag(tag).is_private:
            assert tag not in header.raw
        else:
            assert header.text(tag) == text
