"""Person names: groups, normal form and folding."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radfuse.dicom.names import fold, fold_groups, normalised, split_groups


def test_a_name_has_three_groups() -> None:
    assert split_groups("Yamada^Tarou=山田^太郎=やまだ^たろう") == ("Yamada^Tarou", "山田^太郎", "やまだ^たろう")
    assert split_groups("Doe^John") == ("Doe^John", "", "")
    assert split_groups("=山田") == ("", "山田", "")
    assert split_groups("") == ("", "", "")
    assert split_groups("a=b=c=d") == ("a", "b", "c")


def test_padding_and_empty_trailing_parts_are_removed() -> None:
    assert normalised("Doe^John^^^ ") == "Doe^John"
    assert normalised("Doe^John^^^==") == "Doe^John"
    assert normalised(" Doe ^ John \0") == "Doe^John"
    assert normalised("Doe^^Q") == "Doe^^Q"
    assert normalised("Van der Doe^John") == "Van der Doe^John"
    assert normalised("=山田^^=") == "=山田"
    assert normalised("^") == ""


def test_case_does_not_matter() -> None:
    assert fold("DOE^John") == "doe^john"
    assert fold("JÉRÔME") == fold("jérôme")
    assert fold("STRASSE") == fold("Straße")
    assert fold("ΔΙΟΝΥΣΙΟΣ") == fold("Διονυσιος")
    assert fold("e\u0301") == fold("É") == "é"


def test_every_turkish_i_is_the_same_letter() -> None:
    spellings = ("Istanbul", "İSTANBUL", "\u0131stanbul", "istanbul", "ISTANBUL", "I\u0307stanbul", "i\u0307stanbul")
    assert {fold(spelling) for spelling in spellings} == {"istanbul"}


def test_groups_fold_one_by_one() -> None:
    assert fold_groups("ÇAVUŞOĞLU^İrem^^=山田 ") == ("çavuşoğlu^irem", "山田", "")


@given(text=st.text(max_size=20))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(text=st.text("ab ^=", max_size=20))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
    assert len(split_groups(text)) == 3
