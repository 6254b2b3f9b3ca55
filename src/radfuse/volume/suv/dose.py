"""What was injected: how much, of which nuclide, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume.suv.ledger import Ledger
from radfuse.volume.suv.moments import moment_of, offset_in, time_of
from radfuse.volume.suv.nuclides import (
    ANY_NUCLIDE,
    Nuclide,
    nuclide_of_code,
    nuclide_of_half_life,
    nuclide_of_text,
)
from radfuse.volume.suv.words import CautionKind

_MBQ_BELOW: Final = 1e4
_LEAST_CLEAR_MBQ: Final = 30.0
_BQ_FROM: Final = 1e5
_MOST_DOUBLINGS: Final = 1000.0
"""Beyond this a float has no number left; whoever compares sees that something is wrong."""
CLOCK_TOLERANCE_S: Final = 120.0
"""How far the injector's clock may be behind the scanner's."""
_MOST_HALF_LIVES: Final = 10.0
"""After ten half-lives a thousandth is left, and nobody makes an image."""
_MOST_WITHOUT_DATE_S: Final = 12 * 3600.0
_LONGEST_WITHOUT_DATE_S: Final = 6 * 3600.0
"""Longer-lived nuclides are imaged days after the injection: a time of day says nothing."""
_SHORTEST_S: Final = 30.0
_LONGEST_S: Final = 4e7
_SAME_TIME_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Decay:
    """The nuclide and its half-life."""

    nuclide: Nuclide
    half_life_s: float

    def left_after(self, seconds: float) -> float:
        """The fraction that is left."""
        halves = seconds / self.half_life_s
        return float(2.0 ** -min(max(halves, -_MOST_DOUBLINGS), _MOST_DOUBLINGS))


@dataclass(frozen=True, slots=True)
class Injection:
    """When it was injected, on the clock of the images, and how that is known."""

    moment: datetime
    how: str


def decay_of(ledger: Ledger) -> Decay:
    """The decay of what was injected. Raises CannotComputeSUV for none, and for one that contradicts the nuclide."""
    named = _named_nuclides(ledger)
    half_life_s = ledger.drug_number("RadionuclideHalfLife")
    if half_life_s is None or half_life_s <= 0:
        if not named:
            raise CannotComputeSUV("neither Radionuclide Half Life nor a known radionuclide is given")
        ledger.caution(CautionKind.NUCLIDE, f"Radionuclide Half Life is not given; that of {named[0].symbol} is used")
        return Decay(named[0], named[0].half_life_s)
    if not named:
        found = nuclide_of_half_life(half_life_s)
        if found is None and not _SHORTEST_S <= half_life_s <= _LONGEST_S:
            raise CannotComputeSUV(
                f"Radionuclide Half Life says {half_life_s:g} s, which is that of no PET radionuclide"
            )
        if found is None:
            ledger.caution(CautionKind.NUCLIDE, "the radionuclide is not known; Radionuclide Half Life is trusted")
        return Decay(found or ANY_NUCLIDE, half_life_s)
    fitting = [nuclide for nuclide in named if nuclide.has_half_life(half_life_s)]
    if not fitting:
        raise CannotComputeSUV(
            f"Radionuclide Half Life says {half_life_s:g} s, but {named[0].symbol} has {named[0].half_life_s:g} s"
        )
    if len(fitting) < len(named):
        ledger.caution(
            CautionKind.NUCLIDE,
            f"the code and the name of the radionuclide disagree; the half-life is that of {fitting[0].symbol}",
        )
    return Decay(fitting[0], half_life_s)


def _named_nuclides(ledger: Ledger) -> list[Nuclide]:
    """What code, meaning and name say, in this order."""
    codes = ledger.drug_codes("RadionuclideCodeSequence")
    found = [nuclide_of_code(value) for value, _ in codes] + [nuclide_of_text(meaning) for _, meaning in codes]
    if not any(found):
        found = [nuclide_of_text(ledger.drug_text("Radiopharmaceutical"))]
    return list(dict.fromkeys(nuclide for nuclide in found if nuclide is not None))


def injected_bq(ledger: Ledger, nuclide: Nuclide) -> float:
    """The activity that was injected. Raises CannotComputeSUV for none, and for what nobody is given.

    PS3.3 C.8.9.2 wants becquerels; megabecquerels occur and are known by their size. Below 30 they might as well be
    millicuries, and between 10 thousand and 100 thousand the number is neither.
    """
    dose = ledger.drug_number("RadionuclideTotalDose")
    if dose is None:
        raise CannotComputeSUV("Radionuclide Total Dose is not given")
    if dose <= 0:
        raise CannotComputeSUV("Radionuclide Total Dose is 0 or less")
    if dose < _LEAST_CLEAR_MBQ or _MBQ_BELOW <= dose < _BQ_FROM:
        raise CannotComputeSUV(f"Radionuclide Total Dose is {dose:g}, which is neither Bq nor clearly MBq")
    if dose < _MBQ_BELOW:
        ledger.caution(CautionKind.DOSE, "Radionuclide Total Dose is below 10000, so it is taken as MBq")
        dose *= 1e6
    if not nuclide.least_mbq <= dose / 1e6 <= nuclide.most_mbq:
        raise CannotComputeSUV(
            f"Radionuclide Total Dose is {dose / 1e6:g} MBq, which is no dose of {nuclide.symbol} "
            f"({nuclide.least_mbq:g} to {nuclide.most_mbq:g} MBq)"
        )
    return dose


def injection_before(reference: datetime, decay: Decay, ledger: Ledger) -> Injection:
    """The injection that goes with an image of that moment. Raises CannotComputeSUV where it would be guessed.

    Radiopharmaceutical Start DateTime (0018,1078) goes before Start Time (0018,1072), which has no date: that is the
    image's, or the day before when the time of day is later than the image's.
    """
    text = ledger.drug_text("RadiopharmaceuticalStartDateTime")
    offset = ledger.offset()
    if offset_in(text) and not offset:
        ledger.caution(
            CautionKind.CLOCK, "the injection names its time zone and the images do not: theirs is taken to be the same"
        )
    moment, clock = moment_of(text, offset), time_of(ledger.drug_text("RadiopharmaceuticalStartTime"))
    if moment is None and clock is not None:
        return _on_the_day(clock, reference, decay, ledger)
    if moment is None:
        raise CannotComputeSUV("neither Radiopharmaceutical Start DateTime nor Start Time is given")
    if clock is not None and _apart_s(clock, moment.time()) > _SAME_TIME_S:
        ledger.caution(
            CautionKind.INJECTION,
            "Radiopharmaceutical Start DateTime and Start Time disagree; the former is used",
        )
    elapsed_s = (reference - moment).total_seconds()
    if -CLOCK_TOLERANCE_S <= elapsed_s <= _MOST_HALF_LIVES * decay.half_life_s:
        _say_clock(elapsed_s, ledger)
        return Injection(moment, "Radiopharmaceutical Start DateTime")
    injection = _on_the_day(moment.time(), reference, decay, ledger)
    ledger.caution(
        CautionKind.INJECTION,
        "the date of Radiopharmaceutical Start DateTime cannot be that of these images; only its time of day is used",
    )
    return Injection(injection.moment, "the time of day of Radiopharmaceutical Start DateTime")


def _on_the_day(clock: time, reference: datetime, decay: Decay, ledger: Ledger) -> Injection:
    """The injection at a time of day, on the day of the image or the day before."""
    if decay.half_life_s > _LONGEST_WITHOUT_DATE_S:
        raise CannotComputeSUV(
            f"only the time of day of the injection is known, and {decay.nuclide.symbol} is imaged until days after it"
        )
    moment = datetime.combine(reference.date(), clock)
    elapsed_s = (reference - moment).total_seconds()
    most_s = min(_MOST_HALF_LIVES * decay.half_life_s, _MOST_WITHOUT_DATE_S)
    if elapsed_s < -CLOCK_TOLERANCE_S and elapsed_s + 86400 <= most_s:
        moment -= timedelta(days=1)
        elapsed_s += 86400
        ledger.caution(
            CautionKind.MIDNIGHT, "the injection was the evening before: midnight lies between it and the scan"
        )
    if not -CLOCK_TOLERANCE_S <= elapsed_s <= most_s:
        raise _impossible(elapsed_s, decay)
    _say_clock(elapsed_s, ledger)
    return Injection(moment, "Radiopharmaceutical Start Time, on the day of the scan")


def _apart_s(one: time, other: time) -> float:
    seconds = [clock.hour * 3600 + clock.minute * 60 + clock.second for clock in (one, other)]
    return abs(seconds[0] - seconds[1])


def _say_clock(elapsed_s: float, ledger: Ledger) -> None:
    if elapsed_s < 0:
        ledger.caution(CautionKind.CLOCK, f"the injection is {-elapsed_s:.0f} s after the reference time of the scan")


def _impossible(elapsed_s: float, decay: Decay) -> CannotComputeSUV:
    minutes = abs(elapsed_s) / 60
    if elapsed_s < 0:
        return CannotComputeSUV(f"the injection is {minutes:.0f} min after the reference time of the scan")
    halves = elapsed_s / decay.half_life_s
    return CannotComputeSUV(
        f"the injection is {minutes:.0f} min before the scan, {halves:.0f} half-lives: a date or time is wrong"
    )
