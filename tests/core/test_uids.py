"""UIDs: what is a valid one, and those that are ours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radfuse.core.errors import InvalidUID
from radfuse.core.uids import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    MAX_UID_LENGTH,
    checked_uid,
    is_valid_uid,
    new_uid,
)


@pytest.mark.parametrize("text", ["1", "1.2.840.10008.1.1", "0.0", "1.02.3", "9" * 64, "2.25." + "1" * 59])
def test_digits_separated_by_single_dots_are_a_uid(text: str) -> None:
    assert is_valid_uid(text)
    assert checked_uid(text, "SOP Instance UID") == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("1" * 65, "it has 65 characters, at most 64 are allowed"),
        ("../../x", "only digits separated by single dots are allowed"),
        ("/etc/x", "only digits separated by single dots are allowed"),
        ("..", "only digits separated by single dots are allowed"),
        (".", "only digits separated by single dots are allowed"),
        ("1.2.", "only digits separated by single dots are allowed"),
        (".1.2", "only digits separated by single dots are allowed"),
        ("1..2", "only digits separated by single dots are allowed"),
        ("1.2\0", "only digits separated by single dots are allowed"),
        ("1.2 ", "only digits separated by single dots are allowed"),
        ("1.2\n", "only digits separated by single dots are allowed"),
        ("1.2a", "only digits separated by single dots are allowed"),
        ("1.٢", "only digits separated by single dots are allowed"),
    ],
)
def test_anything_else_is_refused_with_its_reason(text: str, reason: str) -> None:
    assert not is_valid_uid(text)
    with pytest.raises(InvalidUID) as caught:
        checked_uid(text, "SOP Instance UID")
    assert str(caught.value) == f"SOP Instance UID is not a valid UID: {reason}"


def test_the_refusal_does_not_repeat_what_the_wire_said() -> None:
    with pytest.raises(InvalidUID) as caught:
        checked_uid("1.2.3.secret", "Study Instance UID")
    assert "secret" not in str(caught.value)


@given(st.lists(st.integers(min_value=0, max_value=10**18), min_size=1, max_size=12))
def test_joined_numbers_are_valid_up_to_64_characters(components: list[int]) -> None:
    text = ".".join(map(str, components))
    assert is_valid_uid(text) == (len(text) <= MAX_UID_LENGTH)


@given(st.text(max_size=70))
def test_a_valid_uid_holds_nothing_but_digits_and_single_dots(text: str) -> None:
    by_hand = 0 < len(text) <= MAX_UID_LENGTH and all(
        part and set(part) <= set("0123456789") for part in text.split(".")
    )
    assert is_valid_uid(text) == by_hand


def test_new_uids_are_valid_and_differ() -> None:
    made = {new_uid() for _ in range(200)}
    assert len(made) == 200
    assert all(is_valid_uid(uid) and uid.startswith("2.25.") for uid in made)


def test_the_implementation_class_uid_is_ours_and_valid() -> None:
    assert is_valid_uid(IMPLEMENTATION_CLASS_UID)
    assert re.fullmatch(r"2\.25\.[1-9][0-9]*", IMPLEMENTATION_CLASS_UID)
    assert int(IMPLEMENTATION_CLASS_UID.removeprefix("2.25.")) < 2**128


def test_the_implementation_version_name_fits_its_16_characters() -> None:
    assert 1 <= len(IMPLEMENTATION_VERSION_NAME) <= 16
    assert IMPLEMENTATION_VERSION_NAME.isascii()
