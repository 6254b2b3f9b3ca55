"""AE titles: what is a valid one, and the default made from the machine's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radfuse.core.aetitle import MAX_AE_TITLE_LENGTH, ae_title_from_host_name, checked_ae_title
from radfuse.core.errors import InvalidAETitle


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("RADFUSE", "RADFUSE"),
        ("  RADFUSE         ", "RADFUSE"),
        ("CT 1", "CT 1"),
        ("../x", "../x"),
        ("A/B", "A/B"),
        ("x" * 16, "x" * 16),
    ],
)
def test_printable_ascii_is_a_title_without_its_padding(text: str, title: str) -> None:
    assert checked_ae_title(text) == title


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        (" " * 16, "it is empty"),
        ("x" * 17, "it has 17 characters, at most 16 are allowed"),
        ("A\\B", "only printable ASCII without backslash is allowed"),
        ("A\tB", "only printable ASCII without backslash is allowed"),
        ("A\0", "only printable ASCII without backslash is allowed"),
        ("A\x7f", "only printable ASCII without backslash is allowed"),
        ("KÖLN", "only printable ASCII without backslash is allowed"),
    ],
)
def test_anything_else_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidAETitle) as caught:
        checked_ae_title(text)
    assert str(caught.value) == f"not a valid AE title: {reason}"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("pacs", "PACS"),
        ("pacs.hospital.example", "PACS"),
        ("reading-room-workstation-7", "READING-ROOM-WOR"),
        ("köln_1", "K_LN_1"),
        ("", "RADFUSE"),
        (".local", "RADFUSE"),
    ],
)
def test_the_machine_name_becomes_a_title(name: str, title: str) -> None:
    assert ae_title_from_host_name(name) == title


@given(st.text(max_size=80))
def test_any_machine_name_becomes_a_valid_title(name: str) -> None:
    title = ae_title_from_host_name(name)
    assert checked_ae_title(title) == title
    assert len(title) <= MAX_AE_TITLE_LENGTH
