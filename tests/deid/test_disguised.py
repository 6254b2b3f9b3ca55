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
