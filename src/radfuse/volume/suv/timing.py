"""When the images of a series were made, and to which moment their values are decay-corrected.

The order of QIBA for Decay Correction START: Series Date and Time unless later than an acquisition, then GE's private
scan time, then computed back from each image, then the earliest acquisition. Every other way that the headers offer
is a check.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume.suv.dose import Decay
from radfuse.volume.suv.ledger import Ledger
from radfuse.volume.suv.moments import date_of, moment_of, time_of
from radfuse.volume.suv.words import Branch, CautionKind, Check

DISAGREE_PERCENT: Final = 1.0
_GE_SCAN_TIME: Final = (0x0009_100D, "GEMS_PETD_01", "PET scan_datetime (GE)")
_SIEMENS_REFERENCE: Final = (0x0071_1022, "SIEMENS MED PT", "Decay Correction DateTime (Siemens)")

_GE: Final = "GE private scan time"
_LONGEST_MS: Final = 10 * 86400e3
_STATED: Final = "Decay Correction DateTime"
_BACK: Final = "computed back from the acquisitions"


@dataclass(frozen=True, slots=True)
class Frame:
    """When one image was made."""

    start: datetime | None
    duration_s: float | None
    offset_s: float | None
    """From the moment of decay correction to the moment of average count rate in this frame."""

    def middle(self, decay: Decay) -> datetime | None:
        """The moment of average count rate: not quite the middle, as the nuclide decays meanwhile."""
        if self.start is None or not self.duration_s:
            return None
        exponent = math.log(2) / decay.half_life_s * self.duration_s
        return self.start + timedelta(seconds=self.duration_s * math.log(exponent / -math.expm1(-exponent)) / exponent)

    def reference(self, decay: Decay) -> datetime | None:
        """The moment of decay correction, computed back from this frame."""
        middle = self.middle(decay)
        return None if middle is None or not self.offset_s else middle - timedelta(seconds=self.offset_s)


@dataclass(frozen=True, slots=True)
class Reference:
    """The moment of decay correction, and how it was found."""

    moment: datetime
    how: str
    branch: Branch = Branch.STANDARD
    checks: tuple[Check, ...] = ()


def frames_of(ledger: Ledger, decay: Decay) -> list[Frame]:
    """When each image was made."""
    starts = acquisitions(ledger)
    durations = [_seconds(value) for value in ledger.numbers("ActualFrameDuration")]
    offsets = ledger.numbers("FrameReferenceTime")
    if not any(offsets):
        # GE writes 0 for the first bed; the factor that it applied says the same.
        offsets = [
            math.log2(factor) * decay.half_life_s * 1000 if factor and factor > 1 else None
            for factor in ledger.numbers("DecayFactor")
        ]
    return [
        Frame(start, duration, _seconds(offset))
        for start, duration, offset in zip(starts, durations, offsets, strict=True)
    ]


def _seconds(milliseconds: float | None) -> float | None:
    """Milliseconds of a frame as seconds; None for what is no part of a scan."""
    return milliseconds / 1000 if milliseconds and 1 <= milliseconds <= _LONGEST_MS else None


def acquisitions(ledger: Ledger) -> list[datetime | None]:
    """When the acquisition of each image began."""
    days = [date_of(text) for text in ledger.texts("AcquisitionDate")]
    clocks = [time_of(text) for text in ledger.texts("AcquisitionTime")]
    if not any(clocks):
        return [moment_of(text, ledger.offset()) for text in ledger.texts("AcquisitionDateTime")]
    if not all(days):
        other = _day(ledger)
        if other is None:
            raise CannotComputeSUV("no date is given, of the acquisition or of the series")
        ledger.caution(CautionKind.DATE, "Acquisition Date is not given; the date of the series or study is used")
        days = [day or other for day in days]
    return [
        datetime.combine(day, clock) if day is not None and clock is not None else None
        for day, clock in zip(days, clocks, strict=True)
    ]


def _day(ledger: Ledger) -> date | None:
    return date_of(ledger.text("SeriesDate")) or date_of(ledger.text("StudyDate"))


def series_start(ledger: Ledger) -> datetime | None:
    """Series Date and Time, one for all images."""
    clock = time_of(ledger.text("SeriesTime"))
    if clock is None:
        return None
    day = date_of(ledger.text("SeriesDate"))
    if day is None:
        known = [start.date() for start in acquisitions(ledger) if start is not None]
        day = min(known) if known else _day(ledger)
        ledger.caution(CautionKind.DATE, "Series Date is not given; the date of the acquisition or study is used")
    if day is None:
        raise CannotComputeSUV("no date is given, of the acquisition or of the series")
    return datetime.combine(day, clock)


def start_reference(ledger: Ledger, decay: Decay) -> Reference:
    """The moment to which a series with Decay Correction START is corrected. Raises CannotComputeSUV."""
    frames = frames_of(ledger, decay)
    starts = [start for start in (*_before(ledger), *(frame.start for frame in frames)) if start is not None]
    series, private = series_start(ledger), _private_moment(ledger, _GE_SCAN_TIME)
    back, stated = _computed_back(frames, decay), _stated(ledger)
    if stated is not None:
        found = Reference(stated, _STATED)
    elif series is not None and series <= min(starts, default=series):
        found = Reference(series, "Series Date and Time, not later than any acquisition")
        if not starts:
            ledger.caution(
                CautionKind.REFERENCE,
                "no acquisition time is given: Series Time might be that of later processing",
            )
    elif private is not None:
        found = Reference(private, _GE, Branch.GE_SCAN_TIME)
    elif back:
        found = _agreed(back, decay)
    elif starts:
        found = Reference(min(starts), "the earliest acquisition: nothing better is given")
        ledger.caution(
            CautionKind.REFERENCE,
            "Series Time is later than the acquisition and nothing computes the reference time back: the earliest "
            "acquisition is used, which is wrong if the series has lost its first images",
        )
    else:
        raise CannotComputeSUV("neither the time of the series nor that of an acquisition is given")
    return _checked(found, {_GE: private, **_others(ledger, back)}, decay, ledger)


def _before(ledger: Ledger) -> list[datetime | None]:
    """When the series began, where these images are a later part of it."""
    return [] if ledger.first is None else acquisitions(Ledger((ledger.first,)))


def _agreed(back: Sequence[datetime], decay: Decay) -> Reference:
    """The reference time on which the images agree."""
    if _spread_percent(back, decay) > DISAGREE_PERCENT:
        raise CannotComputeSUV(
            "Series Time is later than the acquisition, and the images give different reference times "
            "(several injections, or edited times)"
        )
    return Reference(_median(back), _BACK)


def _computed_back(frames: Sequence[Frame], decay: Decay) -> list[datetime]:
    """The reference time that each image gives; none where all have one Acquisition Time that cannot be each one's."""
    moments = [moment for frame in frames if (moment := frame.reference(decay)) is not None]
    if len({frame.start for frame in frames}) == 1 and moments and _spread_percent(moments, decay) > DISAGREE_PERCENT:
        return []
    return moments


def _stated(ledger: Ledger) -> datetime | None:
    """Decay Correction DateTime (0018,9701), which multi-frame images have: nothing is left to find."""
    stated = {moment_of(text, ledger.offset()) for text in ledger.texts("DecayCorrectionDateTime")} - {None}
    return stated.pop() if len(stated) == 1 else None


def _others(ledger: Ledger, back: Sequence[datetime]) -> dict[str, datetime | None]:
    return {
        _BACK: _median(back) if back else None,
        "Siemens private reference time": _private_moment(ledger, _SIEMENS_REFERENCE),
    }


def _checked(found: Reference, others: dict[str, datetime | None], decay: Decay, ledger: Ledger) -> Reference:
    checks = []
    for name, moment in others.items():
        if moment is None or name == found.how:
            continue
        percent = (decay.left_after((found.moment - moment).total_seconds()) - 1) * 100
        checks.append(Check(name, percent))
    add_doubts(checks, ledger)
    return Reference(found.moment, found.how, found.branch, tuple(checks))


def add_doubts(checks: Sequence[Check], ledger: Ledger) -> None:
    """Say which other way leads to another SUV."""
    doubts = [check for check in checks if abs(check.difference_percent) > DISAGREE_PERCENT]
    if doubts:
        said = "; ".join(f"{check.name}: SUV {check.difference_percent:+.1f} %" for check in doubts)
        ledger.caution(CautionKind.REFERENCE, f"other ways to the reference time disagree ({said})")


def _spread_percent(moments: Sequence[datetime], decay: Decay) -> float:
    return (1 / decay.left_after((max(moments) - min(moments)).total_seconds()) - 1) * 100


def _median(moments: Sequence[datetime]) -> datetime:
    first = min(moments)
    return first + timedelta(seconds=median((moment - first).total_seconds() for moment in moments))


def _private_moment(ledger: Ledger, element: tuple[int, str, str]) -> datetime | None:
    """The one moment of a private element; None when images differ in it."""
    moments = {moment_of(text) for text in ledger.private(*element) if text}
    return moments.pop() if len(moments) == 1 else None
