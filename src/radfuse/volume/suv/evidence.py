"""How SUV were computed: everything a person needs to do it again by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from radfuse.volume.suv.words import Branch, Caution, Check, DecayReference, SuvKind, UsedAttribute


@dataclass(frozen=True, slots=True)
class SuvEvidence:
    """The factors that make SUV of rescaled values, and how they came about.

    The values of slice ``i`` after rescale slope, times ``factor_for(i)``, are SUV of ``kind``: g/ml, or
    cm2/ml for BSA. In a volume the slices are its own; one that was filled in between two images has no
    values but SUV, made of theirs, and its factor only lies between theirs.
    """

    kind: SuvKind
    formula: str
    branch: Branch
    decay: DecayReference
    factors: tuple[float, ...]
    """One for all slices, or one for each: in the order of the headers, or of the volume's slices."""
    attributes: tuple[UsedAttribute, ...]
    reference_time: datetime | None = None
    reference_from: str = ""
    injection_time: datetime | None = None
    injection_from: str = ""
    injected_bq: float | None = None
    half_life_s: float | None = None
    nuclide: str = ""
    drug: str = ""
    """The radiopharmaceutical, as the images name it."""
    glucose: str = ""
    """Blood glucose with its unit, where the Acquisition Context has it."""
    scan_start: datetime | None = None
    """When the earliest image of the series began, or the reference time when that is not known."""
    checks: tuple[Check, ...] = ()
    cautions: tuple[Caution, ...] = ()

    def factor_for(self, index: int) -> float:
        """SUV per rescaled value in slice ``index``."""
        return self.factors[0] if len(self.factors) == 1 else self.factors[index]

    @property
    def uptake_s(self) -> float | None:
        """From the injection to the start of the scan; None where either is not known."""
        if self.injection_time is None or self.scan_start is None:
            return None
        return (self.scan_start - self.injection_time).total_seconds()

    def as_json(self) -> dict[str, object]:
        """The same for programs; what is not known is null."""
        return {
            "Kind": self.kind.value,
            "Unit": self.kind.unit.value,
            "Formula": self.formula,
            "Branch": self.branch.value,
            "DecayCorrection": self.decay.value,
            "Factors": list(self.factors),
            "ReferenceTime": _iso(self.reference_time),
            "ReferenceFrom": self.reference_from,
            "InjectionTime": _iso(self.injection_time),
            "InjectionFrom": self.injection_from,
            "InjectedBecquerels": self.injected_bq,
            "Radiopharmaceutical": self.drug,
            "Radionuclide": self.nuclide,
            "HalfLifeSeconds": self.half_life_s,
            "UptakeSeconds": self.uptake_s,
            "BloodGlucose": self.glucose,
            "Checks": [
                {"Name": check.name, "DifferencePercent": round(check.difference_percent, 4)} for check in self.checks
            ],
            "Warnings": [{"Kind": caution.kind.value, "Sentence": caution.sentence} for caution in self.cautions],
            "Attributes": [
                {"Keyword": used.keyword, "Tag": used.tag, "Value": used.value, "From": used.origin}
                for used in self.attributes
            ],
        }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ")
