"""Character sets: every one of the tables read and written, and no character ever lost."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radfuse.core.errors import DataSetError, TextNotEncodable
from radfuse.dicom.charset import (
    character_set_for,
    character_sets_of,
    decode_text,
    decode_values,
    defined_terms,
    encode_text,
)
from radfuse.dicom.header import scan_header
from radfuse.dicom.part10 import read_file_meta

SETS = (
    *("ISO_IR 13", "ISO_IR 100", "ISO_IR 101", "ISO_IR 109", "ISO_IR 110", "ISO_IR 126", "ISO_IR 127", "ISO_IR 138"),
    *("ISO_IR 144", "ISO_IR 148", "ISO_IR 166", "ISO_IR 192", "ISO_IR 203", "GB18030", "GBK"),
)
EXTENSIONS = (
    ("", "ISO 2022 IR 87"),
    ("", "ISO 2022 IR 87", "ISO 2022 IR 159"),
    ("ISO 2022 IR 13", "ISO 2022 IR 87"),
    ("", "ISO 2022 IR 149"),
    ("", "ISO 2022 IR 58"),
    ("ISO 2022 IR 100", "ISO 2022 IR 144", "ISO 2022 IR 126"),
    ("ISO 2022 IR 6", "ISO 2022 IR 127"),
    ("ISO 2022 IR 166", "ISO 2022 IR 203"),
)


def rows(conformance_tables: Path) -> list[dict[str, str]]:
    with (conformance_tables / "charsets.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_sample_of_the_table_is_read_and_written_byte_for_byte(conformance_tables: Path) -> None:
    table = rows(conformance_tables)
    assert len(table) == 16
    for row in table:
        sets = character_sets_of(row["sample_charset_value"].encode())
        raw = bytes.fromhex(row["sample_pn_hex"])
        assert decode_text(raw, sets, "PN") == row["sample_pn"]
        assert encode_text(row["sample_pn"], sets) == raw


def test_every_text_of_the_table_survives_in_each_spelling_of_its_set(conformance_tables: Path) -> None:
    for row in rows(conformance_tables):
        own = character_sets_of(row["sample_charset_value"].encode())
        spellings = [own, (row["seed_name"],), (row["seed_name"].replace("_", " "),)]
        if extended := row["defined_term_iso2022"]:
            spellings += [("", extended), (extended,), (extended, "ISO 2022 IR 87")]
        for sets in spellings:
            if row["seed_name"] == "ISO_IR 159" and sets != own:
                continue  # its sample needs ISO 2022 IR 87 beside it
            for text in (row["sample_pn"], row["sample_text"]):
                assert decode_text(encode_text(text, sets), sets) == text


def test_the_seed_spellings_are_written_as_defined_terms() -> None:
    assert defined_terms(("ISO_IR 87",)) == ("", "ISO 2022 IR 87")
    assert defined_terms(("ISO_IR 159",)) == ("", "ISO 2022 IR 159")
    assert defined_terms(("UTF-8",)) == ("ISO_IR 192",)
    assert defined_terms(("ISO_IR 6",)) == ()
    assert defined_terms(()) == ()
    assert defined_terms(("iso_ir 100",)) == ("ISO_IR 100",)
    assert defined_terms(("ISO 2022 IR 100",)) == ("ISO_IR 100",)
    assert defined_terms(("ISO_IR 100", "ISO_IR 87")) == ("ISO 2022 IR 100", "ISO 2022 IR 87")
    assert defined_terms(("", "ISO 2022 IR 149")) == ("", "ISO 2022 IR 149")
    assert defined_terms(("GB18030", "ISO 2022 IR 87")) == ("GB18030",)
    assert defined_terms(("ISO_IR 192", "ISO 2022 IR 87")) == ("ISO_IR 192",)
    assert defined_terms(("X-OWN",)) == ("X-OWN",)
    assert defined_terms(("ISO_IR 100", "X-OWN")) == ("ISO 2022 IR 100", "X-OWN")


def test_the_korean_and_chinese_examples_of_the_standard_are_read() -> None:
    korean = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
    assert decode_text(korean, ("", "ISO 2022 IR 149"), "PN") == "Hong^Gildong=洪^吉洞=홍^길동"
    assert encode_text("Hong^Gildong=洪^吉洞=홍^길동", ("", "ISO 2022 IR 149")) == korean
    chinese = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="
    assert decode_text(chinese, ("", "ISO 2022 IR 58"), "PN") == "Zhang^XiaoDong=张^小东="
    assert decode_text(b"\xcd\xf5^\xd0\xa1\xb6\xab", ("GBK",), "PN") == "王^小东"
    assert decode_text(b"\xa4", ("ISO_IR 203",)) == "€"


def test_half_width_katakana_and_kanji_mix() -> None:
    raw = b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"
    sets = ("ISO 2022 IR 13", "ISO 2022 IR 87")
    assert decode_text(raw, sets, "PN") == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"
    assert encode_text("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", sets) == raw


def test_a_backslash_inside_a_character_does_not_split() -> None:
    encoded = b"\x81\x5c"
    assert decode_values(encoded + b"\\A", ("GB18030",), "LO") == (encoded.decode("gb18030"), "A")
    assert decode_values(encoded + b"\\A", ("GBK",), "LO") == (encoded.decode("gbk"), "A")
    kanji = b"\x1b$B\x3b\x5c\x1b(B"
    assert decode_values(kanji + b"\\A", ("", "ISO 2022 IR 87"), "LO") == (kanji.decode("iso2022_jp"), "A")


def test_padding_is_removed_and_single_valued_texts_keep_backslashes() -> None:
    assert decode_values(b" A \\B ", (), "LO") == ("A", "B")
    assert decode_values(b" A\\B \0", (), "LT") == (" A\\B",)
    assert decode_values(b" A \\ B ", (), "UC") == (" A", " B")
    assert decode_values(b"  ", (), "LO") == ()
    assert decode_values(b" ", (), "UT") == ()
    assert decode_values(b"\\", (), "LO") == ("", "")
    assert character_sets_of(b"\\ISO 2022 IR 87 ") == ("", "ISO 2022 IR 87")
    assert character_sets_of(b"") == ()


def test_in_names_a_component_starts_with_the_first_set_again() -> None:
    sets = ("ISO 2022 IR 100", "ISO 2022 IR 144")
    assert decode_text(b"\x1b-L\xb6^\xe9", sets, "PN") == "Ж^é"
    assert decode_text(b"\x1b-L\xb6^\xb1", sets, "LO") == "Ж^Б"
    assert decode_text(b"\x1b-L\xb6^\xb1", ("", "ISO 2022 IR 144"), "PN") == "Ж^Б"
    for text in ("Ж^é", "Ж=Б^éЖ", "Ж\\é\nЖ"):
        for vr in ("LT", "PN"):
            assert decode_text(encode_text(text, sets), sets, vr) == text


def test_bytes_outside_the_named_set_stay_distinct_texts() -> None:
    assert decode_text("Jérôme".encode(), ("ISO_IR 6",)) == "Jérôme"
    assert decode_text(b"J\xe9r", ()) == "Jér"
    assert decode_text(b"J\xe9r", ("ISO_IR 192",)) == "Jér"
    assert decode_text(b"\xe9", ("X-UNKNOWN",)) == "é"
    assert decode_text(b"\x1b%G\xc3\xa9", ("", "ISO 2022 IR 87")) == "\x1b%Gé"
    assert decode_text(b"\x80", ("ISO_IR 13",)) == "\x80"


@pytest.mark.parametrize("sets", [(term,) for term in SETS] + list(EXTENSIONS) + [(), ("X-UNKNOWN",)])
@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12))
def test_a_text_is_written_so_that_it_reads_the_same_or_not_at_all(sets: tuple[str, ...], text: str) -> None:
    try:
        raw = encode_text(text, sets)
    except TextNotEncodable as error:
        assert not text.isascii()
        assert str(error)
        return
    assert decode_text(raw, sets) == text
    assert decode_text(raw, sets, "PN") == text


@given(raw=st.binary(max_size=40), sets=st.sampled_from([(term,) for term in SETS] + list(EXTENSIONS)))
def test_any_bytes_become_some_text(raw: bytes, sets: tuple[str, ...]) -> None:
    decode_text(raw, sets, "PN")
    decode_values(raw, sets, "LO")


def test_question_marks_are_never_written_for_missing_characters() -> None:
    for sets in ((), ("ISO_IR 100",), ("ISO_IR 13",), ("", "ISO 2022 IR 149")):
        with pytest.raises(TextNotEncodable):
            encode_text("Ж€𠀀", sets)


def test_a_set_is_chosen_that_holds_every_text() -> None:
    assert character_set_for(["CT", "Doe^John"], ("ISO_IR 100",)) == ()
    assert character_set_for(["Jérôme"], ("ISO_IR 100",)) == ("ISO_IR 100",)
    assert character_set_for(["Jérôme", "山"], ("ISO_IR 100",)) == ("ISO_IR 192",)
    assert character_set_for(["山"], ()) == ("ISO_IR 192",)
    assert character_set_for([], ()) == ()


def test_the_names_of_real_objects_are_those_that_pydicom_reads(shared_data: Path) -> None:
    not_by_pydicom = {"chrGB2312.dcm": "Zhang^XiaoDong=张^小东="}
    seen = 0
    for path in sorted((shared_data / "charsets").glob("*.dcm")):
        data = path.read_bytes()
        meta = read_file_meta(data)
        header = scan_header(data, meta.transfer_syntax_uid, start=meta.data_offset)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = str(pydicom.dcmread(path, force=True).get("PatientName", ""))
        expected = not_by_pydicom.get(path.name, read)
        name = header.text(0x00100010)
        assert "\ufffd" not in name
        assert name.rstrip("=") == expected.rstrip("= "), path.name
        try:
            assert decode_text(encode_text(name, header.character_sets), header.character_sets, "PN") == name
        except DataSetError:
            pytest.fail(f"{path.name} cannot be written again")
        seen += 1
    assert seen == 18
