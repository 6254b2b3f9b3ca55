"""The data dictionary: keywords, tags and VRs."""

from __future__ import annotations

import pytest

from radfuse.core.errors import ConfigurationError
from radfuse.dicom.dictionary import keyword_of, tag_of, vr_of


@pytest.mark.parametrize("text", ["PatientName", "00100010", "0010,0010", "(0010,0010)", " (0010,0010) "])
def test_a_tag_is_named_by_keyword_or_by_digits(text: str) -> None:
    assert tag_of(text) == 0x00100010


@pytest.mark.parametrize(
    "text", ["", "PatientsName", "0010001", "0010001G", "0x001000", "../x", "+0100010", "1_000_10"]
)
def test_what_names_no_attribute_is_refused_in_one_clear_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match="neither a keyword"):
        tag_of(text)


def test_a_tag_without_keyword_shows_its_digits() -> None:
    assert keyword_of(0x00100010) == "PatientName"
    assert keyword_of(0x00091001) == "00091001"


def test_the_vr_comes_from_the_standard_where_it_has_the_tag() -> None:
    assert vr_of(0x00100010) == "PN"
    assert vr_of(0x00081111) == "SQ"
    assert vr_of(0x7FE00010) == "OB"
    assert vr_of(0x60003000) == "OB"
    assert vr_of(0x00080000) == "UL"
    assert vr_of(0x00090010) == "LO"
    assert vr_of(0x00091001) == "UN"
    assert vr_of(0x00080FFF) == "UN"
