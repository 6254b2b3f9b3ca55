"""What makes two time points less comparable: named each, never corrected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.registration.quality import Grade
from radfuse.services.followup.model import Finding, Link, TimePoint

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.volume import Unit
    from radfuse.volume.suv import SuvEvidence

UPTAKE_MINUTES: Final = 15.0
ACTIVITY_SHARE: Final = 0.2
GLUCOSE_SHARE: Final = 0.2
SPACING_SHARE: Final = 0.1

_SCANNER: Final = (("Manufacturer", "manufacturer"), ("ManufacturerModelName", "model"))
_MADE: Final = {
    "PT": (
        ("ReconstructionMethod", "reconstruction method"),
        ("ConvolutionKernel", "filter"),
        ("AttenuationCorrectionMethod", "attenuation correction"),
        ("ScatterCorrectionMethod", "scatter correction"),
        ("CorrectedImage", "corrections"),
    ),
    "CT": (("ConvolutionKernel", "kernel"), ("KVP", "tube voltage"), ("ContrastBolusAgent", "contrast agent")),
    "MR": (
        ("ScanningSequence", "sequence"),
        ("EchoTime", "echo time"),
        ("RepetitionTime", "repetition time"),
        ("MagneticFieldStrength", "field strength"),
        ("ContrastBolusAgent", "contrast agent"),
    ),
}


def findings_of(prior: TimePoint, current: TimePoint, link: Link, stored: tuple[Unit, Unit]) -> Iterator[Finding]:
    """``stored``: the units that the images of prior and current are in."""
    if stored[0] is not stored[1]:
        read = current.volume.unit
        yield Finding("unit", f"the prior images are in {stored[0]}, the current ones in {stored[1]}; read as {read}")
    yield from _of_uptake(prior.volume.suv, current.volume.suv)
    yield from _of_equipment(prior, current)
    if link.path is not None and link.grade is not Grade.PASS:
        word = link.grade.value if link.grade is not None else "unknown"
        yield Finding("registration", f"the registration is {word}: look where the regions came to lie")
    if link.path is not None and not link.path.steps and not link.made:
        yield Finding("registration", "both time points claim one frame of reference; nothing was registered")
    if link.path is not None:
        for words in (*link.path.warnings, *(each.sentence for each in link.path.contradictions)):
            yield Finding("registration", words)
    for name, point in (("prior", prior), ("current", current)):
        for finding in point.volume.findings:
            yield Finding("images", f"{name}: {finding.sentence}")


def _of_uptake(prior: SuvEvidence | None, current: SuvEvidence | None) -> Iterator[Finding]:
    if prior is None or current is None:
        return
    if prior.uptake_s is None or current.uptake_s is None:
        yield Finding("uptake time", "the uptake time is not known of both scans")
    elif abs(current.uptake_s - prior.uptake_s) > UPTAKE_MINUTES * 60:
        one, two = prior.uptake_s / 60, current.uptake_s / 60
        yield Finding(
            "uptake time", f"{one:.0f} and {two:.0f} min: they differ by more than {UPTAKE_MINUTES:g} min, and SUV rise"
        )
    if prior.drug.casefold() != current.drug.casefold():
        yield Finding("radiopharmaceutical", "the images do not name the same one")
    if prior.injected_bq and current.injected_bq:
        share = abs(current.injected_bq - prior.injected_bq) / max(prior.injected_bq, current.injected_bq)
        if share > ACTIVITY_SHARE:
            one, two = prior.injected_bq / 1e6, current.injected_bq / 1e6
            yield Finding("injected activity", f"{one:.0f} and {two:.0f} MBq: they differ by more than 20 %")
    yield from _of_glucose(prior.glucose, current.glucose)


def _of_glucose(prior: str, current: str) -> Iterator[Finding]:
    if bool(prior) != bool(current):
        yield Finding("blood glucose", "it is known of one scan only")
    if not (prior and current):
        return
    (one, unit), (two, other) = (_quantity(text) for text in (prior, current))
    if unit != other:
        yield Finding("blood glucose", "it is given in different units")
    elif max(one, two) > 0 and abs(one - two) > GLUCOSE_SHARE * max(one, two):
        yield Finding("blood glucose", f"{one:g} and {two:g} {unit}: they differ by more than 20 %")


def _quantity(text: str) -> tuple[float, str]:
    value, _, unit = text.partition(" ")
    try:
        return float(value), unit
    except ValueError:
        return 0.0, unit


def _of_equipment(prior: TimePoint, current: TimePoint) -> Iterator[Finding]:
    one, two = prior.headers[0], current.headers[0]
    for keyword, name in _SCANNER:
        if _text(one, keyword) != _text(two, keyword):
            yield Finding("scanner", f"another {name}: {_pair(one, two, keyword)}")
    for keyword, name in _MADE.get(current.volume.source.modality, ()):
        if _text(one, keyword) != _text(two, keyword):
            yield Finding("reconstruction", f"another {name}: {_pair(one, two, keyword)}")
    before, now = (np.array(point.volume.grid.spacing_mm) for point in (prior, current))
    if (np.abs(before - now) > SPACING_SHARE * np.maximum(before, now)).any():
        sizes = " and ".join(" x ".join(f"{mm:.3g}" for mm in each) for each in (before, now))
        yield Finding("reconstruction", f"voxels of another size: {sizes} mm")


def _pair(one: Dataset, two: Dataset, keyword: str) -> str:
    return " and ".join(_text(each, keyword) or "not said" for each in (one, two))


def _text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    if value is None or value == "":
        return ""
    words = str(value) if isinstance(value, str | int | float) else ", ".join(map(str, value))
    return re.sub(r"\s+", " ", words).strip(" \0")
