"""A name in the place of a time, a date or a UID is no time, date or UID and does not pass."""

from __future__ import annotations

import pytest

from radfuse.deid import Option
from tests.deid.identifying import as_file
from tests.deid.objects import anonymized, text, tree_of


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
