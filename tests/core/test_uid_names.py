"""SOP classes and transfer syntaxes by every name that people use."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from radfuse.core.errors import ConfigurationError
from radfuse.core.uid_names import name_of_uid, storage_class_of, transfer_syntax_of


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_storage_class_is_found_by_uid_name_and_keyword(conformance_tables: Path) -> None:
    for row in rows(conformance_tables / "sop_classes.csv"):
        found = {storage_class_of(row[column], "--class") for column in ("uid", "name", "keyword")}
        assert found == {row["uid"]}


def test_every_transfer_syntax_is_found_by_uid_and_keyword(conformance_tables: Path) -> None:
    for row in rows(conformance_tables / "transfer_syntaxes.csv"):
        assert {transfer_syntax_of(row[column], "--syntax") for column in ("uid", "keyword")} == {row["uid"]}


def test_names_are_read_without_regard_to_case_and_blanks() -> None:
    assert storage_class_of("ct image storage", "--class") == "1.2.840.10008.5.1.4.1.1.2"
    assert transfer_syntax_of("JPEG 2000 (lossless only)", "--syntax") == "1.2.840.10008.1.2.4.90"


def test_a_uid_is_called_by_its_name_and_an_unknown_one_by_itself() -> None:
    assert name_of_uid("1.2.840.10008.5.1.4.1.1.2") == "CT Image Storage"
    assert name_of_uid("1.2.840.10008.1.2.1") == "Explicit VR Little Endian"
    assert name_of_uid("1.2.3") == "1.2.3"


def test_another_uid_is_taken_as_it_is() -> None:
    assert transfer_syntax_of("1.2.840.10008.1.2.5", "--syntax") == "1.2.840.10008.1.2.5"


@pytest.mark.parametrize("text", ["", "JPEG", "1.2.", "CT"])
def test_what_is_neither_is_refused_with_the_setting(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--syntax: .* is neither a UID nor the name"):
        transfer_syntax_of(text, "--syntax")
    with pytest.raises(ConfigurationError, match=r"--class: .* is neither a UID nor the name"):
        storage_class_of(text, "--class")


def test_a_transfer_syntax_of_others_has_a_name_and_cannot_be_asked_for_by_it() -> None:
    assert name_of_uid("1.2.840.10008.1.2.5") == "RLE Lossless"
    with pytest.raises(ConfigurationError):
        transfer_syntax_of("RLE Lossless", "--syntax")
