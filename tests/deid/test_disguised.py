"""A name in the place of a time, a date, a number, a UID or a sequence is none of them and does not pass."""

from __future__ import annotations

import pytest

from radfuse.core.errors import CannotAnonymize
from radfuse.deid import Option, Profile
from radfuse.deid.engine import Anonymizer
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Node
from tests.deid.identifying import as_file
from tests.deid.objects import KEY, anonymized, sequence, text, tree_of


@pytest.mark.parametrize("value", ["SECRET", "10:11 SECRET", "10111\u0662", "\xb210"])
def test_a_time_that_is_none_is_emptied_when_dates_are_shifted(value: str) -> None:
    _, tree = anonymized(as_file(tree_of(text(0x0008_0030, value, "TM"))), Option.SHIFTED_DATES)
    assert tree.raw(0x0008_0030) == b""


@pytest.mark.parametrize(("tag", "vr", "value"), [(0x0008_0030, "TM", "10:11:12"), (0x0008_0201, "SH", "-0530")])
def test_times_and_time_zones_stay_when_dates_are_shifted(tag: int, vr: str, value: str) -> None:
    assert anonymized(as_file(tree_of(text(tag, value, vr))), Option.SHIFTED_DATES)[1].ascii(tag) == value


@pytest.mark.parametrize("value", ["1.2.840.10008.SECRET", "1.2.840.10008.1\xe4", "1.2.840.10008." + "1" * 60])
def test_a_uid_that_only_begins_like_one_of_the_standard_is_mapped(value: str) -> None:
    _, tree = anonymized(as_file(tree_of(text(0x0020_0052, value, "UI"))))
    assert tree.ascii(0x0020_0052).startswith("2.25.")


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x0008_0020, "DA", "SECRET"),
        (0x0008_0020, "DA", "20240101 SECRET"),
        (0x0008_0020, "DA", "20241341"),
        (0x0008_0030, "TM", "10:11 SECRET"),
        (0x0008_002A, "DT", "20240101SECRET"),
        (0x0008_0201, "SH", "SECRET"),
        (0x0018_9074, "DT", "20240101\\SECRET"),
    ],
)
def test_what_is_no_date_is_emptied_when_dates_stay(tag: int, vr: str, value: str) -> None:
    _, tree = anonymized(as_file(tree_of(text(tag, value, vr))), Option.FULL_DATES)
    assert tree.raw(tag) == b""


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x0008_0020, "DA", "20240229"),
        (0x0008_0020, "DA", "2024.02.29"),
        (0x0008_0030, "TM", "101112.123456"),
        (0x0008_002A, "DT", "202402291011+0100"),
        (0x0008_0201, "SH", "-0530"),
    ],
)
def test_dates_stay_as_they_are_when_they_may(tag: int, vr: str, value: str) -> None:
    assert anonymized(as_file(tree_of(text(tag, value, vr))), Option.FULL_DATES)[1].ascii(tag) == value


def test_a_time_that_no_table_lists_stays_only_when_it_is_one() -> None:
    time_of_gain_calibration = 0x0014_3077
    for value, left in (("SECRET", ""), ("101112", "101112")):
        _, tree = anonymized(as_file(tree_of(text(time_of_gain_calibration, value, "TM"))))
        assert tree.ascii(time_of_gain_calibration) == left


@pytest.mark.parametrize(("value", "left"), [("045Y", "045Y"), ("SECRET", ""), ("095Y", "090Y"), ("45Y SECRET", "")])
def test_an_age_stays_only_when_it_is_one(value: str, left: str) -> None:
    assert anonymized(as_file(tree_of(text(0x0010_1010, value, "AS"))), Option.PATIENT)[1].ascii(0x0010_1010) == left


@pytest.mark.parametrize(
    ("value", "left"), [("2.5", "2.5"), ("-1.5e-3\\ 7 ", "-1.5e-3\\ 7"), ("SECRET", ""), ("2.5 SECRET", "")]
)
def test_a_number_stays_only_when_it_is_one(value: str, left: str) -> None:
    assert anonymized(as_file(tree_of(text(0x0018_0050, value, "DS"))))[1].ascii(0x0018_0050) == left
    assert anonymized(as_file(tree_of(text(0x0010_1030, value, "DS"))), Option.PATIENT)[1].ascii(0x0010_1030) == left


def test_a_class_or_a_kept_uid_that_is_none_is_mapped() -> None:
    content = as_file(tree_of(text(0x0008_1150, "SECRET", "UI")), sop_instance_uid="SECRET.2")
    done, tree = anonymized(content, Option.UIDS)
    assert tree.ascii(0x0008_1150).startswith("2.25.")
    assert tree.ascii(0x0008_0018) == done.sop_instance_uid == read_file_meta(b"".join(done.pieces)).sop_instance_uid
    assert b"SECRET" not in b"".join(done.pieces)


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x0008_1140, "UN"),  # Referenced Image Sequence, of which the items cannot be read
        (0x0008_2112, "OB"),
        (0x0008_1140, "LO"),
        (0x0028_3010, "OB"),  # VOI LUT Sequence, which the table does not list
        (0x0008_0020, "UN"),  # Study Date
        (0x0010_0040, "UN"),  # Patient's Sex
        (0x0018_0050, "LT"),  # Slice Thickness
        (0x0028_0010, "LO"),  # Rows
        (0x0018_9998, "LO"),  # nothing that the standard knows
        (0x0018_9998, "OB"),
        (0x0004_1500, "CS"),  # Referenced File ID, of a DICOMDIR
        (0x7F00_0010, "OW"),  # Variable Pixel Data
    ],
)
def test_what_is_not_what_its_tag_says_does_not_stay_even_where_the_tag_may(tag: int, vr: str) -> None:
    options = Option.FULL_DATES, Option.PATIENT
    done, tree = anonymized(as_file(tree_of(text(tag, "SECRET", vr))), *options)
    assert tag not in tree.nodes
    assert b"SECRET" not in b"".join(done.pieces)


@pytest.mark.parametrize(
    ("tag", "vr"), [(0x0028_3006, "OW"), (0x0018_1180, "LO"), (0x0028_1201, "OW"), (0x0018_9998, "US")]
)
def test_other_vrs_of_the_same_kind_stay(tag: int, vr: str) -> None:
    assert anonymized(as_file(tree_of(Node(tag, vr, b"SMALL "))))[1].raw(tag) == b"SMALL "


def test_pixels_within_a_sequence_do_not_stay() -> None:
    within = tree_of(Node(0x7FE0_0010, "OW", b"SECRET"), Node(0x0018_0050, "DS", b"2 "))
    _, tree = anonymized(as_file(tree_of(sequence(0x0054_0016, within))))
    assert [list(item.nodes) for item in tree.nodes[0x0054_0016].items or []] == [[0x0018_0050]]


@pytest.mark.parametrize(
    ("tag", "vr", "left"),
    [
        (0x0008_1190, "UR", "urn:anonymized"),  # Retrieve URL
        (0x0010_0033, "LO", ""),  # Patient's Birth Date in Alternative Calendar
        (0x0008_010E, "UR", "SECRET"),  # Coding Scheme URL
    ],
)
def test_addresses_of_originals_and_dates_in_other_calendars_do_not_stay(tag: int, vr: str, left: str) -> None:
    assert anonymized(as_file(tree_of(text(tag, "SECRET", vr))))[1].ascii(tag) == left


def test_what_an_object_calls_an_attribute_does_not_decide_for_the_next_object() -> None:
    anonymizer = Anonymizer(Profile(), KEY)
    left = []
    for vr in ("SH", "UN", "PN", "SH"):
        content = as_file(tree_of(text(0x0018_1180, "GRID", vr)))
        left.append(anonymizer.anonymize(content).tree.ascii(0x0018_1180))
    assert left == ["GRID", "", "", "GRID"]


@pytest.mark.parametrize(("terms", "raw"), [(b"ISO_IR 192", b"Gitter \xfc"), (b"NONSENSE", b"Gitter \xfc")])
def test_a_text_that_nobody_can_read_and_that_would_stay_is_refused_by_name(terms: bytes, raw: bytes) -> None:
    nodes = Node(0x0008_0005, "CS", terms), Node(0x0018_1180, "SH", raw)
    with pytest.raises(CannotAnonymize, match="CollimatorGridName cannot be read"):
        anonymized(as_file(tree_of(*nodes)))


def test_a_text_with_letters_and_no_character_set_keeps_its_known_words() -> None:
    done, tree = anonymized(as_file(tree_of(Node(0x0018_1180, "SH", b"Grid M\xfcller"))))
    assert tree.raw(0x0018_1180).strip() == b"Grid"
    assert done.warnings == ["CollimatorGridName has letters and no character set, and was cleaned"]


def test_a_text_in_its_character_set_stays() -> None:
    nodes = Node(0x0008_0005, "CS", b"ISO_IR 192"), Node(0x0018_1180, "SH", "Gitter ü".encode())
    assert anonymized(as_file(tree_of(*nodes)))[1].raw(0x0018_1180).strip() == "Gitter ü".encode()
