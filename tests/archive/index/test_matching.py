"""Attribute matching on text (PS3.4 section C.2.2.2)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radfuse.archive.index.matching import (
    Glob,
    comparable,
    criteria,
    date_key,
    glob_match,
    name_criteria,
    number_key,
    significant_text,
    time_key,
)
from radfuse.core.errors import InvalidQuery
from radfuse.dicom.words import fold_groups


def matches(vr: str, wanted: str, value: str) -> bool:
    found = criteria(vr, wanted.split("\\"))
    return found is None or found.matches(comparable(vr, value))


def name_matches(wanted: str, name: str) -> bool:
    found = name_criteria(wanted.split("\\"))
    return not found or any(each.matches(fold_groups(name)) for each in found)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("19970424", "19970424"),
        ("1997.04.24", "19970424"),
        (" 19970424 ", "19970424"),
        ("20240229", "20240229"),
        ("", ""),
        ("20230229", ""),
        ("19971301", ""),
        ("1997.0424", ""),
        ("199704", ""),
        ("1997-04-24", ""),
        ("00000101", ""),
        ("١٩٩٧٠٤٢٤", ""),
    ],
)
def test_a_date_is_written_one_way(text: str, key: str) -> None:
    assert date_key(text) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("101530.25", "101530.250000"),
        ("101530", "101530.000000"),
        ("1015", "101500.000000"),
        ("10", "100000.000000"),
        ("10:15:30", "101530.000000"),
        ("10:15", "101500.000000"),
        ("235960", "235960.000000"),
        ("", ""),
        ("24", ""),
        ("1060", ""),
        ("101530.", ""),
        ("101530.1234567", ""),
        ("10:1530", ""),
        ("noon", ""),
    ],
)
def test_a_time_is_written_one_way(text: str, key: str) -> None:
    assert time_key(text) == key


@pytest.mark.parametrize(
    ("vr", "wanted", "inside", "outside"),
    [
        ("DA", "20200101-20200131", ["20200101", "20200115", "2020.01.31"], ["20191231", "20200201", ""]),
        ("DA", "20200101-", ["20200101", "99991231"], ["20191231", ""]),
        ("DA", "-20200101", ["20200101", "19000101"], ["20200102", "", "rubbish"]),
        ("DA", "20200101", ["20200101", "2020.01.01"], ["20200102", ""]),
        ("DA", "2020.01.01 - 2020.01.31", ["20200120"], ["20200201"]),
        ("DA", "20200131-20200101", [], ["20200101", "20200115", "20200131"]),
        ("DA", "20200101\\20200201-20200203", ["20200101", "20200202"], ["20200110"]),
        ("TM", "10-11", ["10", "1059", "115959.999999", "11:59"], ["095959.9", "12", ""]),
        ("TM", "1015", ["1015", "101559.5"], ["1016", "101459.999999"]),
        ("TM", "101530.5", ["101530.5", "101530.500"], ["101530.6", "101530"]),
        ("TM", "-1015", ["00", "101559"], ["1016", ""]),
        ("TM", "2300-0100", [], ["2330", "0030"]),
        ("DT", "2020-2021", ["20200101", "20211231235959"], ["2019", "2022"]),
        ("DT", "202001011200-", ["20200101120000.5", "2021"], ["2020010111"]),
        ("DT", "20200101-0500", ["20200101", "2020010112"], ["20200102"]),
        ("DT", "20200101-0500-20200103-0500", ["20200102"], ["20200104"]),
    ],
)
def test_dates_and_times_match_by_range(vr: str, wanted: str, inside: list[str], outside: list[str]) -> None:
    assert [value for value in inside if not matches(vr, wanted, value)] == []
    assert [value for value in outside if matches(vr, wanted, value)] == []


@pytest.mark.parametrize(
    ("vr", "wanted"),
    [
        ("DA", "yesterday"),
        ("DA", "2020"),
        ("DA", "20201301"),
        ("DA", "-"),
        ("DA", "20200101-20200102-20200103"),
        ("DA", "2020*"),
        ("TM", "25"),
        ("TM", "10-99"),
        ("TM", "-"),
        ("DT", "soon-later"),
    ],
)
def test_what_is_no_date_or_time_is_an_invalid_query(vr: str, wanted: str) -> None:
    with pytest.raises(InvalidQuery):
        criteria(vr, [wanted])


@pytest.mark.parametrize("vr", ["LO", "DA", "TM", "UI", "IS"])
@pytest.mark.parametrize("wanted", ["", " ", "*", "**", "\\"])
def test_no_value_or_a_lone_star_matches_everything(vr: str, wanted: str) -> None:
    assert criteria(vr, wanted.split("\\")) is None


@pytest.mark.parametrize(
    ("vr", "wanted", "value", "expected"),
    [
        ("LO", "ABC", "ABC ", True),
        ("LO", " ABC ", "ABC", True),
        ("LO", "ABC", "abc", False),
        ("LO", "ABC", "ABCD", False),
        ("LO", "A*", "ABC", True),
        ("LO", "A?C", "ABC", True),
        ("LO", "A?C", "AC", False),
        ("LO", "A.C", "ABC", False),
        ("LO", "[A-Z]*", "ABC", False),
        ("CS", "CT\\MR", "MR", True),
        ("CS", "CT\\M*", "MR", True),
        ("CS", "CT\\MR", "PT", False),
        ("LT", " A", "A", False),
        ("UI", "1.2\\1.3", "1.3", True),
        ("UI", "1.*", "1.3", False),
        ("UI", "1.?", "1.3", False),
        ("IS", "7", "007", True),
        ("IS", "+7", "7", True),
        ("IS", "7", "-7", False),
        ("IS", "7*", "70", False),
        ("DS", "1.50", "1.5", True),
        ("AS", "0?0Y", "030Y", False),
    ],
)
def test_text_matches_by_value_list_and_wildcard(vr: str, wanted: str, value: str, expected: bool) -> None:
    assert matches(vr, wanted, value) is expected


@pytest.mark.parametrize(
    ("wanted", "name", "expected"),
    [
        ("smith^john", "SMITH^JOHN", True),
        ("SMITH^JOHN^^^", "Smith^John", True),
        ("SMITH", "Smith^John", False),
        ("SMITH*", "Smith^John", True),
        ("*JOHN", "Smith^John", True),
        ("SMI?H^*", "Smith^John", True),
        ("SMITH^*", "Smith", True),
        ("SMITH^*^*", "Smith^John", True),
        ("SMITH^J*^*", "Smith^John", True),
        ("^*", "Smith", False),
        ("^J*", "^John", True),
        ("*^*", "Smith", True),
        ("müller", "MÜLLER", True),
        ("mu\u0308ller", "Müller", True),
        ("STRASSE*", "Straße^Anna", True),
        ("İZMİR*", "izmir^a", True),
        ("山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("やまだ^たろう", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("=山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("=山田*", "山田^太郎", False),
        ("yamada*=山*=", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("yamada*=川*", "Yamada^Tarou=山田^太郎", False),
        ("==やまだ*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("Smith\\Jones", "JONES", True),
        ("^^", "Anyone", True),
        ("", "", True),
        ("*", "", True),
        ("=*", "Anyone", True),
        ("?*", "", False),
    ],
)
def test_person_names_match_by_group_whatever_their_case(wanted: str, name: str, expected: bool) -> None:
    assert name_matches(wanted, name) is expected


def test_a_name_of_four_groups_is_an_invalid_query() -> None:
    with pytest.raises(InvalidQuery):
        name_criteria(["a=b=c=d"])


def test_too_many_patterns_or_stars_are_an_invalid_query() -> None:
    with pytest.raises(InvalidQuery):
        criteria("LO", [f"{number}*" for number in range(33)])
    with pytest.raises(InvalidQuery):
        criteria("LO", ["a*" * 33])
    with pytest.raises(InvalidQuery):
        name_criteria([f"{number}" for number in range(33)])


def test_numbers_are_written_one_way() -> None:
    assert [number_key(text) for text in ("+007", "-07", "0", "-0", "1.50", "1e2", "x")] == [
        "7",
        "-7",
        "0",
        "0",
        "1.5",
        "100.0",
        "x",
    ]


def test_padding_is_taken_away_by_value_representation() -> None:
    assert significant_text("LO", "  A B ") == "A B"
    assert significant_text("ST", "  A B ") == "  A B"


PATTERNS = st.text(alphabet="ab*?.\n", max_size=12)
TEXTS = st.text(alphabet="ab.\n", max_size=12)


@given(pattern=PATTERNS, text=TEXTS)
def test_a_glob_matches_as_its_regular_expression_does(pattern: str, text: str) -> None:
    regex = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    assert glob_match(pattern, text) is (re.fullmatch(regex, text, re.DOTALL) is not None)


def test_a_pathological_pattern_is_matched_in_bounded_time() -> None:
    text = "a" * 10_000
    assert not glob_match("*a" * 500 + "*b", text)
    assert not glob_match("*?a" * 300 + "?b*", text)
    assert glob_match("*a" * 500, text)


@given(pattern=PATTERNS)
def test_every_matching_text_begins_with_the_literal_prefix(pattern: str) -> None:
    glob = Glob(pattern)
    assert pattern.startswith(glob.literal_prefix)
    assert not set(glob.literal_prefix) & {"*", "?"}
