"""Identifiers: decoded from every syntax, encoded as every syntax, refused when they break."""

from __future__ import annotations

import io
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.sequence import Sequence
from pynetdicom.dsutils import decode as peer_decode
from pynetdicom.dsutils import encode as peer_encode

from radfuse.core.errors import (
    ConfigurationError,
    DataSetError,
    InflatedTooLarge,
    MalformedDataSet,
    NestingTooDeep,
    TextNotEncodable,
)
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, syntax_of
from radfuse.dicom.elements import UNDEFINED
from radfuse.dicom.identifier import Element, Identifier, decode_identifier, encode_identifier
from tests.dicom.encoded import NATIVE_SYNTAXES, PLAIN_SYNTAXES, by_pydicom, element, nested, part
from tests.dicom.test_inflate import bomb

CHARACTER_SET = 0x00080005
PATIENT_NAME = 0x00100010


def query() -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.QueryRetrieveLevel = "STUDY"
    dataset.PatientName = "Яков^*"
    dataset.PatientID = ""
    dataset.StudyDate = "20200101-20201231"
    dataset.ModalitiesInStudy = ["CT", "MR"]
    dataset.StudyInstanceUID = ["1.2.3", "1.2.4"]
    dataset.NumberOfStudyRelatedInstances = None
    dataset.Rows = 512
    dataset.PixelSpacing = ["0.5", "0.5"]
    dataset.add_new(0x00280009, "AT", [0x00181063, 0x00181065])
    dataset.add_new(0x00189073, "FD", 1.5)
    dataset.add_new(0x00089459, "FL", 0.1)
    step = Dataset()
    step.ScheduledStationAETitle = "CT1"
    step.ScheduledProcedureStepDescription = "Голова"
    dataset.ScheduledProcedureStepSequence = Sequence([step])
    return dataset


QUERY = Identifier(
    (
        Element(0x00080005, "CS", ("ISO_IR 192",)),
        Element(0x00080020, "DA", ("20200101-20201231",)),
        Element(0x00080052, "CS", ("STUDY",)),
        Element(0x00080061, "CS", ("CT", "MR")),
        Element(0x00089459, "FL", ("0.100000001",)),
        Element(0x00100010, "PN", ("Яков^*",)),
        Element(0x00100020, "LO"),
        Element(0x00189073, "FD", ("1.5",)),
        Element(0x0020000D, "UI", ("1.2.3", "1.2.4")),
        Element(0x00201208, "IS"),
        Element(0x00280009, "AT", ("00181063", "00181065")),
        Element(0x00280010, "US", ("512",)),
        Element(0x00280030, "DS", ("0.5", "0.5")),
        Element(
            0x00400100,
            "SQ",
            (),
            (Identifier((Element(0x00400001, "AE", ("CT1",)), Element(0x00400007, "LO", ("Голова",)))),),
        ),
    )
)


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
def test_what_pydicom_writes_is_decoded(syntax: str) -> None:
    assert decode_identifier(by_pydicom(query(), syntax), syntax) == QUERY


@pytest.mark.parametrize("deflated", [False, True])
def test_what_pynetdicom_sends_is_decoded(deflated: bool) -> None:
    data = peer_encode(query(), False, True, deflated)
    assert data is not None
    assert decode_identifier(data, DEFLATED_LITTLE if deflated else EXPLICIT_LITTLE) == QUERY


@pytest.mark.parametrize("syntax", NATIVE_SYNTAXES)
def test_what_is_encoded_is_read_by_pynetdicom(syntax: str) -> None:
    row = syntax_of(syntax)
    data = encode_identifier(QUERY, syntax)
    assert len(data) % 2 == 0
    read = peer_decode(io.BytesIO(data), not row.explicit_vr, row.little_endian, row.deflated)
    expected = query()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read.PatientName == expected.PatientName
        step = expected.ScheduledProcedureStepSequence[0]
        assert read.ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription == (
            step.ScheduledProcedureStepDescription
        )
        assert read.StudyInstanceUID == expected.StudyInstanceUID
        assert (read.Rows, read[0x00280009].value) == (512, expected[0x00280009].value)
        assert (read[0x00189073].value, read[0x00089459].value) == (1.5, pytest.approx(0.1))
        assert read.NumberOfStudyRelatedInstances is None
    assert decode_identifier(data, syntax) == QUERY


def test_elements_are_written_in_the_order_of_their_tags() -> None:
    shuffled = Identifier(QUERY.elements[::-1])
    assert encode_identifier(shuffled, EXPLICIT_LITTLE) == encode_identifier(QUERY, EXPLICIT_LITTLE)


def test_the_character_set_is_added_in_its_defined_term() -> None:
    answer = Identifier((Element(PATIENT_NAME, "PN", ("山田^太郎",)), Element(CHARACTER_SET, "CS", ("ISO_IR 100",))))
    data = encode_identifier(answer, EXPLICIT_LITTLE, ("ISO_IR 87",))
    read = decode_identifier(data, EXPLICIT_LITTLE)
    assert read.elements == (
        Element(CHARACTER_SET, "CS", ("", "ISO 2022 IR 87")),
        Element(PATIENT_NAME, "PN", ("山田^太郎",)),
    )
    with pytest.raises(TextNotEncodable):
        encode_identifier(answer, EXPLICIT_LITTLE)
    ascii_only = encode_identifier(Identifier((Element(PATIENT_NAME, "PN", ("A",)),)), EXPLICIT_LITTLE, ("ISO_IR 6",))
    assert decode_identifier(ascii_only, EXPLICIT_LITTLE).get(CHARACTER_SET) is None


def test_an_item_may_name_its_own_character_set() -> None:
    own = element(CHARACTER_SET, "CS", b"ISO_IR 144") + element(0x00081030, "LO", b"\xb0\xb1")
    inherited = element(0x00081030, "LO", b"\xe9\xe8")
    items = part(0xFFFEE000, len(own), own) + part(0xFFFEE000, len(inherited), inherited)
    data = element(CHARACTER_SET, "CS", b"ISO_IR 100") + element(0x00081111, "SQ", items)
    sequence = decode_identifier(data, EXPLICIT_LITTLE).get(0x00081111)
    assert sequence is not None
    assert [item.text(0x00081030) for item in sequence.items] == ["АБ", "éè"]


def test_an_item_is_written_in_the_set_it_names_unless_one_is_given_for_all() -> None:
    item = Identifier((Element(CHARACTER_SET, "CS", ("ISO_IR 144",)), Element(0x00081030, "LO", ("Жук",))))
    row = Element(0x00081111, "SQ", (), (item,))
    own = encode_identifier(Identifier((row, row)), EXPLICIT_LITTLE)
    assert decode_identifier(own, EXPLICIT_LITTLE).elements == (row, row)
    given = decode_identifier(encode_identifier(Identifier((row,)), EXPLICIT_LITTLE, ("UTF-8",)), EXPLICIT_LITTLE)
    assert given.elements == (
        Element(CHARACTER_SET, "CS", ("ISO_IR 192",)),
        Element(0x00081111, "SQ", (), (Identifier((Element(0x00081030, "LO", ("Жук",)),)),)),
    )


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
def test_ten_thousand_uids_fit_into_one_element(syntax: str) -> None:
    uids = tuple(f"1.2.826.0.1.3680043.8.498.{number:030d}" for number in range(10_000))
    identifier = Identifier((Element(0x0020000D, "UI", uids),))
    assert decode_identifier(encode_identifier(identifier, syntax), syntax) == identifier


def test_group_lengths_are_left_out_and_delimited_sequences_are_read() -> None:
    item = element(0x00080060, "CS", b"CT")
    items = part(0xFFFEE000, UNDEFINED, item) + part(0xFFFEE00D, 0) + part(0xFFFEE000, len(item), item)
    data = element(0x00080000, "UL", bytes(4)) + element(
        0x00081111, "SQ", items + part(0xFFFEE0DD, 0), EXPLICIT_LITTLE, UNDEFINED
    )
    modality = Identifier((Element(0x00080060, "CS", ("CT",)),))
    assert decode_identifier(data, EXPLICIT_LITTLE) == Identifier(
        (Element(0x00081111, "SQ", (), (modality, modality)),)
    )


def test_unknown_vr_is_read_by_the_dictionary_and_its_sequences_as_implicit() -> None:
    inner = element(0x00080060, "CS", b"CT", IMPLICIT_LITTLE)
    items = part(0xFFFEE000, len(inner), inner) + part(0xFFFEE0DD, 0)
    data = (
        element(0x00091001, "UN", b"\1\2")
        + element(PATIENT_NAME, "UN", b"A^B ")
        + element(0x00111001, "UN", items, EXPLICIT_LITTLE, UNDEFINED)
        + element(0x00131001, "ZZ", b"\3\4")
    )
    read = decode_identifier(data, EXPLICIT_LITTLE)
    assert read.elements == (
        Element(0x00091001, "UN", ("0102",)),
        Element(PATIENT_NAME, "PN", ("A^B",)),
        Element(0x00111001, "SQ", (), (Identifier((Element(0x00080060, "CS", ("CT",)),)),)),
        Element(0x00131001, "UN", ("0304",)),
    )
    assert decode_identifier(encode_identifier(read, EXPLICIT_BIG), EXPLICIT_BIG) == read


def test_an_element_is_named_by_its_keyword_or_tag() -> None:
    assert Element.of("PatientName", "A^B") == Element(PATIENT_NAME, "PN", ("A^B",))
    assert Element.of("(0020,000D)") == Element(0x0020000D, "UI")
    assert Element.of("StationName", "X").vr == "SH"
    with pytest.raises(ConfigurationError):
        Element.of("PatientsName")
    assert QUERY.text(0x00080061) == "CT\\MR"
    assert QUERY.text(0x00080060) == ""
    assert [row.tag for row in QUERY][:2] == [0x00080005, 0x00080020]


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_64_levels_are_accepted_and_more_are_too_deep(syntax: str, undefined: bool) -> None:
    decode_identifier(nested(64, syntax, undefined), syntax)
    for levels in (65, 1000):
        with pytest.raises(NestingTooDeep):
            decode_identifier(nested(levels, syntax, undefined), syntax)


@pytest.mark.parametrize(
    "data",
    [
        element(PATIENT_NAME, "PN", b"AB", length=4),
        element(PATIENT_NAME, "PN", b"AB") + b"\x10\0",
        element(0x00280010, "US", b"abc"),
        element(0x00280009, "AT", b"ab"),
        part(0xFFFEE00D, 0),
        element(0x00081111, "SQ", element(PATIENT_NAME, "PN", b"AB")),
        element(0x00081111, "SQ", part(0xFFFEE000, 99)),
        element(0x00081111, "SQ", part(0xFFFEE000, UNDEFINED)),
        element(0x00081111, "SQ", b"", length=UNDEFINED),
        element(0x00081111, "SQ", b"", length=8),
    ],
)
def test_a_broken_identifier_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedDataSet):
        decode_identifier(data, EXPLICIT_LITTLE)


def test_a_bomb_is_refused_early() -> None:
    with pytest.raises(InflatedTooLarge):
        decode_identifier(bomb(20), DEFLATED_LITTLE)


@pytest.mark.parametrize(
    "row",
    [
        Element(0x00280010, "US", ("many",)),
        Element(0x00280010, "US", ("70000",)),
        Element(0x00189073, "FD", ("x",)),
        Element(0x00280009, "AT", ("PatientName",)),
        Element(0x00091001, "UN", ("xyz",)),
    ],
)
def test_a_value_that_is_none_of_its_vr_is_not_written(row: Element) -> None:
    with pytest.raises(MalformedDataSet):
        encode_identifier(Identifier((row,)), EXPLICIT_LITTLE)


# --- anything --------------------------------------------------------------------------------

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\\"), max_size=8).map(str.strip)
_ELEMENTS = st.one_of(
    st.builds(lambda texts: Element(PATIENT_NAME, "PN", texts), st.lists(_TEXT, min_size=2, max_size=3).map(tuple)),
    st.builds(lambda text: Element(0x00104000, "LT", (text,)), _TEXT.filter(bool)),
    st.builds(lambda number: Element(0x00280010, "US", (str(number),)), st.integers(0, 65535)),
    st.builds(lambda number: Element(0x00186020, "SL", (str(number),)), st.integers(-(2**31), 2**31 - 1)),
    st.builds(lambda number: Element(0x00189073, "FD", (str(number),)), st.floats(allow_nan=False)),
)
_IDENTIFIERS = st.recursive(
    st.lists(_ELEMENTS, max_size=3, unique_by=lambda row: row.tag),
    lambda inner: st.lists(inner.map(lambda rows: Identifier(tuple(sorted(rows)))), max_size=2).map(
        lambda items: [Element(0x00400100, "SQ", (), tuple(items))]
    ),
    max_leaves=5,
).map(lambda rows: Identifier(tuple(sorted(rows))))


@settings(max_examples=100, deadline=None)
@given(identifier=_IDENTIFIERS, syntax=st.sampled_from(NATIVE_SYNTAXES))
def test_what_is_encoded_is_decoded(identifier: Identifier, syntax: str) -> None:
    data = encode_identifier(identifier, syntax, ("ISO_IR 192",))
    read = decode_identifier(data, syntax)
    assert read.elements[0] == Element(CHARACTER_SET, "CS", ("ISO_IR 192",))
    assert read.elements[1:] == identifier.elements


@settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5), data=st.data())
def test_any_bytes_are_decoded_or_refused(changes: list[tuple[int, int]], data: st.DataObject) -> None:
    syntax = data.draw(st.sampled_from(PLAIN_SYNTAXES))
    mutated = bytearray(encode_identifier(QUERY, syntax))
    for place, byte in changes:
        mutated[place % len(mutated)] = byte
    for candidate in (bytes(mutated), data.draw(st.binary(max_size=100))):
        try:
            decode_identifier(candidate, syntax)
        except DataSetError as error:
            assert str(error)
