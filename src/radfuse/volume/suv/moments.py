"""Dates, times and moments of headers (PS3.5 section 6.2: DA, TM, DT), without a time zone."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final

_YEARS: Final = range(1895, 2200)
_DATE: Final = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_TIME: Final = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6})\d*)?")
_OFFSET: Final = re.compile(r"([+-])(\d{2})(\d{2})$")


def date_of(text: str) -> date | None:
    """A DA value, also in the form of ACR-NEMA; None when it is empty, no date, or of no year of imaging."""
    match = _DATE.fullmatch(text.strip())
    if match is None or int(match[1]) not in _YEARS:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def time_of(text: str) -> time | None:
    """A TM value; None when it is empty or no time. A leap second is the second before it."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2] or 0), min(int(match[3] or 0), 59)
    if hour > 23 or minute > 59:
        return None
    return time(hour, minute, second, int((match[4] or "0").ljust(6, "0")))


def moment_of(text: str, offset_of_images: str = "") -> datetime | None:
    """A DT value with a time of day, on the clock of the images; None when it is not one.

    ``offset_of_images`` is Timezone Offset From UTC (0008,0201): a value with another offset is brought to it.
    """
    offset = offset_in(text)
    plain = text.strip().removesuffix(offset)
    day, clock = date_of(plain[:8]), time_of(plain[8:])
    if day is None or clock is None:
        return None
    moment = datetime.combine(day, clock)
    own, images = _offset_of(offset), _offset_of(offset_of_images)
    return moment + (images - own) if own is not None and images is not None else moment


def offset_in(text: str) -> str:
    """The offset from UTC at the end of a DT value; empty when it has none."""
    match = _OFFSET.search(text.strip(), 8)
    return match[0] if match else ""


def _offset_of(text: str) -> timedelta | None:
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -size if match[1] == "-" else size
