"""The header of a stored object as an identifier: forgiving about values, bounded in size."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from radfuse.core.errors import MalformedDataSet, NestingTooDeep
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.dicom import Element, Identifier, encode_identifier

NAME, INSTITUTION, ROWS, PIXELS, SEQUENCE, STEP = 0x00100010, 0x00080080, 0x00280010, 0x7FE00010, 0x00400275, 0x00400009
ITEM = Identifier((Element(STEP, "SH", ("S1",)),))
WHOLE = Identifier(
    (
        Element(INSTITUTION, "LO", ("Röntgen",)),
        Element(NAME, "PN", ("A^B",)),
        Element(ROWS, "US", ("512",)),
        Element(SEQUENCE, "SQ", (), (ITEM, ITEM)),
        Element(PIXELS, "OB", ("00" * 1000,)),
    )
)
UTF_8 = ("ISO_IR 192",)


@pytest.mark.parametrize("syntax", [EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED_LITTLE])
def test_everything_before_the_pixels_is_read_in_every_encoding(syntax: str) -> None:
    data = b"PREFIX" + encode_identifier(WHOLE, syntax, UTF_8)
    found = Identifier.of_header(data, syntax, 6)
    assert found.elements[1:] == WHOLE.elements[:-1]


def test_a_mapped_file_is_read_no_further_than_wanted(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(encode_identifier(WHOLE, EXPLICIT_LITTLE, UTF_8)[:-500])
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        assert [element.tag for element in Identifier.of_header(content, EXPLICIT_LITTLE, 0, NAME)][1:] == [
            INSTITUTION,
            NAME,
        ]
        assert len(Identifier.of_header(content, EXPLICIT_LITTLE).elements) == 5


def test_long_values_and_values_of_no_vr_are_left_empty() -> None:
    long = Element(0x00204000, "LT", ("x" * 65_534,))
    longer = Element(0x00091001, "OB", ("00" * 70_000,))
    data = encode_identifier(Identifier((longer, long, Element(ROWS, "US", ("1",)))), EXPLICIT_LITTLE)
    found = Identifier.of_header(data.replace(b"US\x02\x00\x01\x00", b"US\x03\x00\x01\x00\x00"), EXPLICIT_LITTLE)
    assert [(element.tag, len("".join(element.values))) for element in found] == [
        (0x00091001, 0),
        (0x00204000, 65_534),
        (ROWS, 0),
    ]


def test_the_number_of_elements_is_bounded_in_sequences_too() -> None:
    wide = Identifier((Element(SEQUENCE, "SQ", (), (ITEM,) * 50_001), Element(0x00400280, "ST", ("x",))))
    data = encode_identifier(wide, EXPLICIT_LITTLE)
    with pytest.raises(MalformedDataSet, match="too many elements"):
        Identifier.of_header(data, EXPLICIT_LITTLE)
    assert Identifier.of_header(data, EXPLICIT_LITTLE, 0, NAME) == Identifier()


def test_nesting_is_bounded_and_a_cut_header_is_malformed() -> None:
    inner = ITEM
    for _ in range(70):
        inner = Identifier((Element(SEQUENCE, "SQ", (), (inner,)),))
    with pytest.raises(NestingTooDeep):
        Identifier.of_header(encode_identifier(inner, EXPLICIT_LITTLE), EXPLICIT_LITTLE)
    data = encode_identifier(WHOLE, EXPLICIT_LITTLE, UTF_8)
    with pytest.raises(MalformedDataSet):
        Identifier.of_header(data[:40], EXPLICIT_LITTLE)
