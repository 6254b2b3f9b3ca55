"""Free text: the words of the standard stay, and nobody's name, number or date does."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary

from radfuse.deid.cleaning import clean_text, vocabulary

FREQUENT_NAMES = frozenset(
    (  # noqa: SIM905 - as words they are read more easily
        "smith johnson williams brown jones garcia miller davis rodriguez martinez wilson anderson thomas taylor moore "
        "jackson martin lee perez thompson white harris clark lewis robinson walker young allen king wright hill green "
        "adams baker hall rivera campbell mitchell carter roberts long price rose stone day reed bell ward cook gray "
        "black wood wang li zhang chen yang huang zhao wu zhou xu sun ma zhu hu lin kim park choi jung kang cho yoon "
        "nguyen tran pham hoang singh kumar sharma patel khan ali ahmed mohamed hassan ivanov petrov smirnov nowak "
        "kowalski schmidt schneider fischer weber meyer wagner becker hoffmann schulz koch richter klein wolf rossi "
        "russo ferrari bianchi romano colombo dubois durand lefebvre moreau simon laurent garnier silva santos "
        "james john robert michael william david richard joseph mary patricia jennifer linda elizabeth barbara susan "
        "jessica sarah karen nancy lisa anna maria peter paul mark george steven grace hope iris violet victoria max "
        "alzheimer parkinson hodgkin gleason bennett mayo hopkins may april june august"
    ).split()
)


def test_no_frequent_name_of_a_person_is_in_the_vocabulary() -> None:
    assert not vocabulary().intersection(FREQUENT_NAMES)


def test_nearly_every_word_is_one_of_the_standard() -> None:
    concepts = import_module("pydicom.sr._concepts_dict").concepts
    meanings = [code[0] for scheme in concepts.values() for codes in scheme.values() for code in codes.values()]
    names = [entry[2] for entry in DicomDictionary.values()]
    words = {word.lower() for text in (*meanings, *names) for word in re.findall(r"[A-Za-z]+", text)}
    assert len(vocabulary() - words) < 110


def test_the_vocabulary_is_sorted_lower_case_and_of_some_size() -> None:
    assert len(vocabulary()) > 4000
    assert all(word.isalpha() and word.islower() for word in vocabulary())


@pytest.mark.parametrize(
    "text",
    [
        "CT THORAX/ABDOMEN with contrast",
        "Ax T2 FLAIR 3mm",
        "PET WB 1.5 (corrected)",
        "B50f kernel, L5/S1",
        "Left kidney: 12.5 mm",
    ],
)
def test_what_a_protocol_says_stays(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("CT CHEST Smith", "CT CHEST"),
        ("Dr. Müller, liver", "liver"),
        ("head 12345678", "head"),
        ("t1_mprage_sag", "t1 mprage sag"),
        ("scan of 12.11.2023 at 09:30", "scan of at"),
        ("call 0171-555-1234", ""),
        ("山田 brain", "brain"),
        ("Nguyễn chest", "chest"),
        ("Rose Young", ""),
        ("10.0.0.12", ""),
        ("", ""),
    ],
)
def test_what_may_name_somebody_goes(text: str, cleaned: str) -> None:
    assert clean_text(text).strip(" .,") == cleaned


@given(st.text())
def test_what_was_cleaned_is_clean_and_ascii(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned.isascii()
    assert clean_text(cleaned) == cleaned
