"""SUV from the headers of a PET series: what the values are, what was injected, and what follows (PS3.3 C.8.9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume.suv.body import body_size
from radfuse.volume.suv.dose import Decay, Injection, decay_of, injected_bq, injection_before
from radfuse.volume.suv.evidence import SuvEvidence
from radfuse.volume.suv.ledger import Ledger
from radfuse.volume.suv.timing import Reference, acquisitions, add_doubts, frames_of, series_start, start_reference
from radfuse.volume.suv.words import Branch, CautionKind, Check, DecayReference, SuvKind, stored_kind

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PHILIPS_SUV: Final = (0x7053_1000, "Philips PET Private Group", "SUV Scale Factor (Philips)")
_PHILIPS_ACTIVITY: Final = (0x7053_1009, "Philips PET Private Group", "Activity Concentration Scale Factor (Philips)")

UNUSABLE_UNITS: Final = {
    "CPS": "counts per second, whose calibration is not known",
    "PROPCNTS": "only proportional to counts",
    "PROPCPS": "only proportional to counts per second",
    "NONE": "without a unit",
    "1CM": "attenuation coefficients",
    "MGMINML": "a metabolic rate",
    "UMOLMINML": "a metabolic rate",
    "MLMING": "a blood flow",
    "MLMINML": "a blood flow",
    "MLG": "a distribution volume",
    "MLML": "a distribution volume",
    "UMOLML": "a concentration of matter",
    "PCNT": "per cent",
    "STDDEV": "standard deviations",
}
"""Units of PS3.3 C.8.9.1.1.3 from which there is no way to SUV."""


@dataclass(frozen=True, slots=True)
class _Dose:
    """The injection, and by how much it had decayed at the moment to which each slice's values belong."""

    decay: Decay
    injected_bq: float
    lost: tuple[float, ...] = (1.0,)
    """The fraction that was left, one for all slices or one for each."""
    injection: Injection | None = None
    reference: Reference | None = None

    def at(self, index: int) -> float:
        """Becquerels at the moment of slice ``index``."""
        return self.injected_bq * _at(self.lost, index)

    def as_text(self) -> str:
        """How the dose came about, with the numbers."""
        amount = f"{self.injected_bq / 1e6:.6g} MBq"
        if self.injection is None or self.lost == (1.0,):
            return amount
        if self.reference is None:
            return f"({amount} * 2^(-t / {self.decay.half_life_s:g} s)), t from the injection to each image"
        elapsed_s = (self.reference.moment - self.injection.moment).total_seconds()
        return f"({amount} * 2^(-{elapsed_s:.7g} s / {self.decay.half_life_s:g} s))"


def suv_evidence(
    headers: Sequence[Dataset], kind: SuvKind = SuvKind.BW, *, first: Dataset | None = None
) -> SuvEvidence:
    """How the rescaled values of a series become SUV of ``kind``; ``headers`` in the order of its slices.

    ``first``: where they are a part of the series (one time of a dynamic one), the header of the image of
    the series that was acquired before all of them. Raises CannotComputeSUV, with a reason without any
    value of the patient, rather than guess.
    """
    ledger = Ledger(headers, first)
    _check_images(ledger)
    decay_reference = _decay_reference(ledger)
    units, suv_type = ledger.text("Units").upper(), ledger.text("SUVType").upper()
    if units == "BQML":
        return _from_activity(ledger, kind, decay_reference, None)
    if units == "CNTS":
        return _from_counts(ledger, kind, decay_reference)
    stored = stored_kind(units, suv_type)
    if stored is not None:
        return _from_normalised(ledger, kind, decay_reference, stored)
    if units in ("GML", "CM2ML"):
        raise CannotComputeSUV(f"Units {units} and SUV Type {suv_type} do not go together")
    reason = f"is {UNUSABLE_UNITS[units]}" if units in UNUSABLE_UNITS else "is not known"
    raise CannotComputeSUV(f"Units is {units!r}, which {reason}" if units else "Units is not given")


def _check_images(ledger: Ledger) -> None:
    modality = ledger.text("Modality").upper()
    if modality not in ("PT", ""):
        raise CannotComputeSUV(f"the series is {modality}, not PET")
    if any(ledger.numbers("RescaleIntercept")):
        raise CannotComputeSUV("Rescale Intercept is not 0, as it must be for PET (PS3.3 C.8.9.4)")
    if any(slope is None or slope <= 0 for slope in ledger.numbers("RescaleSlope")):
        raise CannotComputeSUV("Rescale Slope is not given, or not above 0")
    if any("ModalityLUTSequence" in header for header in ledger.headers):
        raise CannotComputeSUV("the values go through a Modality LUT, which PET images may not have")
    corrections = [set(text.upper().split("\\")) for text in ledger.texts("CorrectedImage")]
    if not all("ATTN" in correction for correction in corrections):
        raise CannotComputeSUV("the images are not corrected for attenuation (Corrected Image has no ATTN)")


def _decay_reference(ledger: Ledger) -> DecayReference:
    """To which moment the values belong. Raises CannotComputeSUV where Corrected Image says something else."""
    text = ledger.text("DecayCorrection").upper()
    if text not in DecayReference.__members__:
        raise CannotComputeSUV("Decay Correction is not given, or not one of START, ADMIN and NONE")
    decay = DecayReference[text]
    corrected = {"DECY" in value.upper().split("\\") for value in ledger.texts("CorrectedImage")}
    if corrected != {decay is not DecayReference.NONE}:
        raise CannotComputeSUV(
            f"Decay Correction is {text}, but Corrected Image {'has' if True in corrected else 'has no'} DECY"
        )
    return decay


# --- becquerels ------------------------------------------------------------------------------


def _from_activity(
    ledger: Ledger, kind: SuvKind, decay: DecayReference, to_bqml: Sequence[float] | None
) -> SuvEvidence:
    """``to_bqml``: what makes becquerels per millilitre of the values of each slice, where they are not."""
    size = body_size(kind, ledger)
    dose = _dose_at(ledger, decay)
    scales = to_bqml or (1.0,)
    factors = [_at(scales, index) * size.amount / dose.at(index) for index in range(max(len(scales), len(dose.lost)))]
    formula = f"{kind.unit} = C * {size.text} / {dose.as_text()}"
    branch = dose.reference.branch if dose.reference is not None else Branch.STANDARD
    if to_bqml is not None:
        formula, branch = f"{formula}, C = counts * {_span(to_bqml)} Bq/ml", Branch.PHILIPS_ACTIVITY
    elif kind is SuvKind.BW and len(factors) == 1:
        # Philips writes both its factors beside becquerels too: their ratio is SUVbw per Bq/ml.
        dose = _compared(ledger, dose, factors[0])
    return _evidence(ledger, _Result(kind, formula, branch, factors), decay, dose)


def _dose_at(ledger: Ledger, decay_reference: DecayReference) -> _Dose:
    """The dose at the moment to which the values belong. Raises CannotComputeSUV."""
    decay = decay_of(ledger)
    activity_bq = injected_bq(ledger, decay.nuclide)
    if decay_reference is DecayReference.ADMIN:
        return _Dose(decay, activity_bq, injection=_known_injection(ledger, decay))
    if decay_reference is DecayReference.START:
        reference = start_reference(ledger, decay)
        injection = injection_before(reference.moment, decay, ledger)
        left = decay.left_after((reference.moment - injection.moment).total_seconds())
        return _Dose(decay, activity_bq, (left,), injection, reference)
    middles = [frame.middle(decay) for frame in frames_of(ledger, decay)]
    known = [middle for middle in middles if middle is not None]
    if len(known) < len(middles):
        raise CannotComputeSUV(
            "the values are not decay-corrected, and Acquisition Time or Actual Frame Duration is not given"
        )
    injection = injection_before(min(known), decay, ledger)
    left_at = tuple(decay.left_after((middle - injection.moment).total_seconds()) for middle in known)
    return _Dose(decay, activity_bq, left_at, injection)


def _known_injection(ledger: Ledger, decay: Decay) -> Injection | None:
    """When the injection was, where the SUV do not depend on it."""
    start = _scan_start(ledger, None)
    if start is None:
        return None
    try:
        return injection_before(start, decay, ledger)
    except CannotComputeSUV as error:
        ledger.caution(CautionKind.INJECTION, f"{error.reason}; the SUV do not depend on it")
        return None


def _scan_start(ledger: Ledger, reference: Reference | None) -> datetime | None:
    starts = [start for start in acquisitions(ledger) if start is not None]
    if starts:
        return min(starts)
    return reference.moment if reference is not None else series_start(ledger)


# --- counts of Philips scanners --------------------------------------------------------------


def _from_counts(ledger: Ledger, kind: SuvKind, decay: DecayReference) -> SuvEvidence:
    """QIBA: (7053,1000) makes SUVbw of the counts; else (7053,1009) makes becquerels per millilitre."""
    direct, activity = _philips(ledger, _PHILIPS_SUV), _philips(ledger, _PHILIPS_ACTIVITY)
    if direct and decay is not DecayReference.NONE:
        size_factor, size_text = _conversion(ledger, SuvKind.BW, kind)
        dose = _dose_if_known(ledger, decay)
        formula = f"{kind.unit} = counts * {_span(direct)}{size_text}"
        if dose is not None and len(direct) == len(activity) == len(dose.lost) == 1:
            dose = _compared(ledger, dose, None)
        factors = [factor * size_factor for factor in direct]
        return _evidence(ledger, _Result(kind, formula, Branch.PHILIPS_SUV, factors), decay, dose)
    if activity:
        return _from_activity(ledger, kind, decay, activity)
    raise CannotComputeSUV(
        "the values are counts, and the images have neither a Philips SUV factor (7053,1000) nor a Philips activity "
        "factor (7053,1009) above 0"
    )


def _philips(ledger: Ledger, element: tuple[int, str, str]) -> list[float]:
    """A factor of each image; none at all unless every image has one above 0."""
    try:
        values = [float(text) if text else 0.0 for text in ledger.private(*element)]
    except ValueError:
        raise CannotComputeSUV(f"{element[2]} is not a number") from None
    if not all(0 < value < float("inf") for value in values):
        return []
    return values[:1] if len({*values}) == 1 else values


def _dose_if_known(ledger: Ledger, decay: DecayReference) -> _Dose | None:
    """The dose where the SUV do not depend on it: None where a header says too little."""
    apart = Ledger(ledger.headers, ledger.first)
    try:
        dose = _dose_at(apart, decay)
    except CannotComputeSUV:
        return None
    ledger.used |= apart.used
    return dose


def _compared(ledger: Ledger, dose: _Dose, factor: float | None) -> _Dose:
    """The dose, with the ratio of Philips' two factors as a check of SUVbw per Bq/ml (None: from weight and dose)."""
    direct, activity = _philips(ledger, _PHILIPS_SUV), _philips(ledger, _PHILIPS_ACTIVITY)
    if len(direct) != 1 or len(activity) != 1 or dose.reference is None:
        return dose
    if factor is None:
        try:
            factor = body_size(SuvKind.BW, Ledger(ledger.headers)).amount / dose.at(0)
        except CannotComputeSUV:
            return dose
    check = Check("Philips factors", (factor * activity[0] / direct[0] - 1) * 100)
    add_doubts([check], ledger)
    return replace(dose, reference=replace(dose.reference, checks=(*dose.reference.checks, check)))


# --- already SUV -----------------------------------------------------------------------------


def _from_normalised(ledger: Ledger, kind: SuvKind, decay: DecayReference, stored: SuvKind) -> SuvEvidence:
    if decay is DecayReference.NONE:
        raise CannotComputeSUV("the values are SUV that were not decay-corrected")
    factor, text = _conversion(ledger, stored, kind)
    formula = f"{kind.unit} = stored {stored.unit}{text}"
    dose = _dose_if_known(ledger, decay)
    return _evidence(ledger, _Result(kind, formula, Branch.NORMALISED, [factor]), decay, dose)


def _conversion(ledger: Ledger, stored: SuvKind, wanted: SuvKind) -> tuple[float, str]:
    """What makes SUV of one kind those of another, and as text."""
    if stored is wanted:
        return 1.0, ""
    before, after = body_size(stored, ledger), body_size(wanted, ledger)
    return after.amount / before.amount, f" * ({after.text}) / ({before.text})"


# --- putting it together ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Result:
    """What came out."""

    kind: SuvKind
    formula: str
    branch: Branch
    factors: Sequence[float]


def _evidence(ledger: Ledger, result: _Result, decay: DecayReference, dose: _Dose | None) -> SuvEvidence:
    reference = dose.reference if dose is not None else None
    injection = dose.injection if dose is not None else None
    scan_start = _scan_start(ledger, reference)
    return SuvEvidence(
        kind=result.kind,
        formula=result.formula,
        branch=result.branch,
        decay=decay,
        factors=tuple(result.factors),
        attributes=tuple(ledger.used.values()),
        reference_time=reference.moment if reference is not None else None,
        reference_from=reference.how if reference is not None else "",
        injection_time=injection.moment if injection is not None else None,
        injection_from=injection.how if injection is not None else "",
        injected_bq=dose.injected_bq if dose is not None else None,
        half_life_s=dose.decay.half_life_s if dose is not None else None,
        nuclide=dose.decay.nuclide.symbol if dose is not None else "",
        drug=ledger.drug_name(),
        glucose=ledger.glucose(),
        scan_start=scan_start,
        checks=reference.checks if reference is not None else (),
        cautions=tuple(ledger.cautions.values()),
    )


def _at(values: Sequence[float], index: int) -> float:
    return values[0] if len(values) == 1 else values[index]


def _span(values: Sequence[float]) -> str:
    least, most = min(values), max(values)
    return f"{least:g}" if least == most else f"({least:g} to {most:g})"
