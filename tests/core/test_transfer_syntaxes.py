"""The transfer syntaxes against the requirement table and the registry."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pydicom.uid import UID as RegisteredUID

from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES, TransferSyntax, syntax_of


def test_there_are_ten_syntaxes_each_under_its_own_uid() -> None:
    assert len(TRANSFER_SYNTAXES) == 10
    assert all(row.uid == uid for uid, row in TRANSFER_SYNTAXES.items())


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES.values(), ids=lambda syntax: syntax.name)
def test_every_syntax_is_encoded_as_the_registry_says(syntax: TransferSyntax) -> None:
    registered = RegisteredUID(syntax.uid)
    assert registered.is_transfer_syntax
    assert syntax.explicit_vr != registered.is_implicit_VR
    assert syntax.little_endian == registered.is_little_endian
    assert syntax.deflated == registered.is_deflated
    assert syntax.encapsulated == registered.is_encapsulated
    assert syntax_of(syntax.uid) is syntax


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.3.4"])
def test_any_other_syntax_is_explicit_little_endian_with_encapsulated_pixels(uid: str) -> None:
    assert syntax_of(uid) == TransferSyntax(uid, uid, True, True, False, True)


def test_the_table_holds_exactly_the_required_syntaxes(conformance_tables: Path) -> None:
    with (conformance_tables / "transfer_syntaxes.csv").open(encoding="utf-8", newline="") as file:
        required = {row["uid"] for row in csv.DictReader(file)}
    assert set(TRANSFER_SYNTAXES) == required
