"""The keys of records, against the requirement table and the data dictionary."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag

from radfuse.media.record_keys import CHARACTER_SET, KEYS, PROFILE_KEYS, RECORD_KEYS, Key, keys_of
from radfuse.media.record_types import RECORD_TYPES


def test_the_additional_keys_are_those_of_the_requirement_table(conformance_tables: Path) -> None:
    wanted: dict[tuple[str, str], set[tuple[str, str]]] = {}
    with (conformance_tables / "media_dicomdir_keys.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for record_type in row["record_type"].split(" or ") if not row["parent"] else ():
                wanted.setdefault((row["table"], record_type), set()).add((row["tag"], row["type"]))
    assert {
        (table, record_type): {(f"({key.tag >> 16:04X},{key.tag & 0xFFFF:04X})", key.type) for key in keys}
        for table, types in PROFILE_KEYS.items()
        for record_type, keys in types.items()
    } == wanted


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.keyword)
def test_a_key_is_called_as_the_data_dictionary_calls_it(key: Key) -> None:
    assert (keyword_for_tag(key.tag), dictionary_VR(key.tag)) == (key.keyword, key.vr)


def test_every_record_type_has_its_keys() -> None:
    assert set(RECORD_KEYS) == set(RECORD_TYPES)


@pytest.mark.parametrize("record_type", RECORD_TYPES)
def test_keys_come_by_tag_with_the_character_set_among_them(record_type: str) -> None:
    tags = [key.tag for key in keys_of(record_type, "H.3-2")]
    assert tags == sorted(set(tags))
    assert CHARACTER_SET.tag in tags


def test_a_key_of_both_tables_has_the_stricter_type() -> None:
    types = {key.keyword: key.type for key in keys_of("SPECTROSCOPY", "H.3-2")}
    assert types["NumberOfFrames"] == "1"
    assert types["FrameOfReferenceUID"] == "1C"
