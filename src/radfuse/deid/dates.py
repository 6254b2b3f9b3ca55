"""Dates moved by whole days: the time of day, and everything between two dates of a patient, stays (PS3.15 E.3.6)."""

from __future__ import annotations

import datetime
import re
from typing import Final

_DATE: Final = re.compile(r"(\d{4})\.?(\d{2})?\.?(\d{2})?\Z", re.ASCII)
_DATE_TIME: Final = re.compile(
    r"(\d{4})(\d{2})?(\d{2})?(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?\Z", re.ASCII
)
_TIME: Final = re.compile(r"\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?\Z|[+-]\d{4}\Z", re.ASCII)
"""A time of day, or the distance of a time zone."""


def shifted(text: str, vr: str, days: int) -> str | None:
    """One value of VR DA or DT, ``days`` later; times (TM) stay as they are. None for what is no such value.

    A value that names only a month or a year is moved as its first day and cut again.
    """
    if not text:
        return text
    if vr not in ("DA", "DT"):
        return text if _TIME.match(text) else None
    found = (_DATE if vr == "DA" else _DATE_TIME).match(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups()[:3])
    try:
        moved = datetime.date(year or 0, month or 1, day or 1) + datetime.timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    known = 4 if month is None else 6 if day is None else 8
    behind = "" if vr == "DA" else "".join(part or "" for part in found.groups()[3:])
    return f"{moved:%Y%m%d}".rjust(8, "0")[:known] + behind


def is_one(text: str, vr: str) -> bool:
    """Whether it is a value of VR DA, DT or TM, the distance of a time zone (SH), or nothing."""
    return shifted(text, vr, 0) is not None
