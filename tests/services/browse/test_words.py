"""One search field: words are understood by their kind; whatever is typed is a search and never an error."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radfuse.archive.queries import (
    ArrivedIn,
    BornIn,
    HasModality,
    HasNameParts,
    HasSex,
    HasText,
    HasUid,
    StudyClause,
    StudyDateIn,
    StudyField,
)
from radfuse.services.browse.modalities import modalities_of
from radfuse.services.browse.words import MAX_WORDS, Word, understand

TODAY = date(2026, 11, 22)  # a Sunday


def one(text: str) -> Word:
    words = understand(text, TODAY)
    assert len(words) == 1, words
    return words[0]


def clauses(text: str) -> tuple[StudyClause, ...]:
    (term,) = one(text).terms
    return term.any_of


@pytest.mark.parametrize(
    ("text", "low", "high", "meaning"),
    [
        ("2026-11-20", "20261120", "20261120", "on 2026-11-20"),
        ("20.11.2026", "20261120", "20261120", "on 2026-11-20"),
        ("5.3.2026", "20260305", "20260305", "on 2026-03-05"),
        ("2026/11/20", "20261120", "20261120", "on 2026-11-20"),
        ("20/11/2026", "20261120", "20261120", "on 2026-11-20"),
        ("11/20/2026", "20261120", "20261120", "on 2026-11-20"),
        ("5/5/2026", "20260505", "20260505", "on 2026-05-05"),
        ("2026-02", "20260201", "20260228", "in 2026-02"),
        ("2026", "20260101", "20261231", "in 2026"),
        ("today", "20261122", "20261122", "on 2026-11-22"),
        ("Yesterday", "20261121", "20261121", "on 2026-11-21"),
        ("this week", "20261116", "20261122", "from 2026-11-16 to 2026-11-22"),
        ("last week", "20261109", "20261115", "from 2026-11-09 to 2026-11-15"),
        ("this month", "20261101", "20261130", "in 2026-11"),
        ("last month", "20261001", "20261031", "in 2026-10"),
        ("this year", "20260101", "20261231", "in 2026"),
        ("last year", "20250101", "20251231", "in 2025"),
        ("last 7 days", "20261116", "20261122", "from 2026-11-16 to 2026-11-22"),
        ("last 2 weeks", "20261109", "20261122", "from 2026-11-09 to 2026-11-22"),
        ("2026-11-01..2026-11-20", "20261101", "20261120", "from 2026-11-01 to 2026-11-20"),
        ("2025..2026-03", "20250101", "20260331", "from 2025-01-01 to 2026-03-31"),
        ("2026-11-01..", "20261101", "29991231", "since 2026-11-01"),
        ("..2026-11-01", "18000101", "20261101", "until 2026-11-01"),
        ("20261101-20261120", "20261101", "20261120", "from 2026-11-01 to 2026-11-20"),
        ("since yesterday", "20261121", "29991231", "since 2026-11-21"),
        ("date:2026-11-20", "20261120", "20261120", "on 2026-11-20"),
        ("from:2026-11-20", "20261120", "29991231", "since 2026-11-20"),
        ('date:"last week"', "20261109", "20261115", "from 2026-11-09 to 2026-11-15"),
    ],
)
def test_days_are_study_dates(text: str, low: str, high: str, meaning: str) -> None:
    assert clauses(text) == (StudyDateIn(low, high),)
    assert (one(text).text, one(text).meaning) == (text, f"studied {meaning}")


@pytest.mark.parametrize("text", ["31.02.2026", "2026-13-01", "2026-13", "6/5/2026", "1.2", "99999999", "..", "-"])
def test_what_is_no_day_is_text(text: str) -> None:
    assert any(isinstance(clause, HasText) for clause in clauses(text))


def test_eight_digits_may_also_be_the_beginning_of_a_number() -> None:
    assert clauses("20261120") == (
        StudyDateIn("20261120", "20261120"),
        HasText(StudyField.PATIENT_ID, "20261120", at_start=True),
        HasText(StudyField.ACCESSION_NUMBER, "20261120", at_start=True),
    )


def test_a_day_of_long_ago_may_also_be_a_birth_date() -> None:
    assert clauses("31.01.1970") == (StudyDateIn("19700131", "19700131"), BornIn("19700131", "19700131"))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("born 1960", "19600101", "19601231"),
        ("born 31.01.1960", "19600131", "19600131"),
        ("born 1960..1962", "19600101", "19621231"),
        ("born:1960-02", "19600201", "19600229"),
    ],
)
def test_birth_dates(text: str, low: str, high: str) -> None:
    assert clauses(text) == (BornIn(low, high),)


@pytest.mark.parametrize(("text", "days"), [("arrived today", 1), ("arrived last week", 7), ("received:yesterday", 1)])
def test_arrival(text: str, days: int) -> None:
    if text.startswith("received:"):
        text = text.replace("received:", "arrived:")
    (clause,) = clauses(text)
    assert isinstance(clause, ArrivedIn)
    assert abs((clause.high_s - clause.low_s) - days * 86_400) <= 3600


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("CT", [("CT",)]),
        ("ct", [("CT",)]),
        ("pet", [("PT",)]),
        ("PET/CT", [("PT",), ("CT",)]),
        ("petct", [("PT",), ("CT",)]),
        ("ct+mr", [("CT",), ("MR",)]),
        ("KO", [("KO",)]),
        ("mod:KO", [("KO",)]),
        ("mod:pet", [("PT",)]),
        ("mod:xyz", [("XYZ",)]),
        ("RTSTRUCT", [("RTSTRUCT",)]),
    ],
)
def test_modalities(text: str, codes: list[tuple[str, ...]]) -> None:
    found = [clause for term in one(text).terms for clause in term.any_of]
    assert found == [HasModality(each) for each in codes]


@pytest.mark.parametrize("text", ["ko", "op", "io", "sm", "ct/xyz", "/"])
def test_rare_modalities_in_small_letters_are_text(text: str) -> None:
    assert modalities_of(text) == []


@pytest.mark.parametrize(("text", "code"), [("female", "F"), ("Male", "M"), ("sex:f", "F"), ("sex:female", "F")])
def test_sexes(text: str, code: str) -> None:
    assert clauses(text) == (HasSex((code,)),)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("smith, jane", ("smith", "jane")),
        ("Smith,", ("smith",)),
        ("SMITH^JANE", ("smith", "jane")),
        ("SMITH^", None),
        ("name:smith,jane", ("smith", "jane")),
        ("Müller^Änne", ("müller", "änne")),
    ],
)
def test_family_and_given_names(text: str, parts: tuple[str, ...] | None) -> None:
    if parts is None:
        assert HasText(StudyField.NAME, "smith") in clauses(text)
    else:
        assert clauses(text) == (HasNameParts(parts),)


def test_given_and_family_name_are_two_words() -> None:
    assert [word.text for word in understand("jane smith", TODAY)] == ["jane", "smith"]


def test_uids() -> None:
    assert HasUid("1.2.840.113619") in clauses("1.2.840.113619")
    assert clauses("uid:1.2") == (HasUid("1.2"),)


def test_other_words_are_text_anywhere() -> None:
    assert clauses("Thor%_") == (
        HasText(StudyField.PATIENT_ID, "Thor%_", at_start=True),
        HasText(StudyField.ACCESSION_NUMBER, "Thor%_", at_start=True),
        HasText(StudyField.DESCRIPTION, "Thor%_"),
        HasText(StudyField.NAME, "thor%_"),
    )


def test_numbers_are_looked_for_anywhere_in_ids_and_short_words_at_beginnings() -> None:
    assert HasText(StudyField.PATIENT_ID, "4711") in clauses("4711")
    assert HasText(StudyField.NAME, "jo", at_start=True) in clauses("jo")
    assert HasText(StudyField.PATIENT_ID, "47", at_start=True) in clauses("47")


def test_quoted_text_is_text_whatever_it_looks_like() -> None:
    assert HasText(StudyField.DESCRIPTION, "CT thorax last week") in clauses('"CT thorax last week"')
    assert HasText(StudyField.DESCRIPTION, "open end") in clauses('"open end')


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("name:Smith", HasText(StudyField.NAME, "smith")),
        ("name: Smith", HasText(StudyField.NAME, "smith")),
        ('name:"van der Berg"', HasText(StudyField.NAME, "van der berg")),
        ("ID:P-1", HasText(StudyField.PATIENT_ID, "P-1")),
        ("acc:4711", HasText(StudyField.ACCESSION_NUMBER, "4711")),
        ("desc:thorax", HasText(StudyField.DESCRIPTION, "thorax")),
        ("from:house", HasText(StudyField.REFERRER, "house")),
        ("ref:House", HasText(StudyField.REFERRER, "house")),
    ],
)
def test_a_key_says_which_field_is_meant(text: str, clause: StudyClause) -> None:
    assert clauses(text) == (clause,)


def test_a_key_without_a_word_looks_for_nothing_yet() -> None:
    word = one("name:")
    assert (word.text, word.terms) == ("name:", ())


@pytest.mark.parametrize("text", ["other:thing", "born:never", "date:soon"])
def test_a_key_that_is_none_or_has_no_such_value_is_text(text: str) -> None:
    assert any(isinstance(clause, HasText) for clause in clauses(text))


def test_several_words_are_understood_one_after_the_other() -> None:
    words = understand('smi CT last week born 1960 "pet ct" acc:1', TODAY)
    assert [word.text for word in words] == ["smi", "CT", "last week", "born 1960", '"pet ct"', "acc:1"]


@given(st.text())
def test_whatever_is_typed_is_a_search(text: str) -> None:
    words = understand(text, TODAY)
    assert len(words) <= MAX_WORDS
    assert all(word.text and word.meaning for word in words)


_PIECES = st.sampled_from(
    (
        *("name:", '"', ",", "^", "=", "last", "born", "arrived", "today"),
        *("2026", "..", "-", "CT/", "1.2.3", "%", "*", ":", "7"),
    )
)


@given(st.lists(_PIECES | st.text(max_size=3), max_size=12).map(" ".join) | st.lists(_PIECES, max_size=8).map("".join))
def test_no_mixture_of_what_has_a_meaning_breaks_it(text: str) -> None:
    for word in understand(text, TODAY):
        for term in word.terms:
            assert term.any_of
            for clause in term.any_of:
                assert not isinstance(clause, HasText) or clause.text
                assert not isinstance(clause, StudyDateIn | BornIn) or len(clause.low) == len(clause.high) == 8


@given(st.text(alphabet=st.characters(blacklist_characters='":,^=', blacklist_categories=("Z", "C")), min_size=1))
def test_no_character_is_lost_between_what_is_typed_and_what_is_told(text: str) -> None:
    words = understand(text, TODAY)
    assert "".join(word.text for word in words) == text
