"""What a person is told of the SUV of a series: how they came about, why there are none, and which others there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import RadfuseError
from radfuse.core.memo import Memo
from radfuse.services.stack_facts import fingerprint
from radfuse.services.suv import report_rows, suv_of_series, uptake_hint
from radfuse.services.viewing.showing import Shown
from radfuse.services.volumes import objects_of_series
from radfuse.volume import Unit
from radfuse.volume.suv import SuvEvidence, SuvKind, read_headers, suv_evidence

_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A fact, its unit, and where it comes from."""

    name: str
    value: str
    unit: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class SuvPanel:
    """How the values became SUV."""

    rows: tuple[PanelRow, ...]
    factor: float
    """Of the first slice."""
    sentence: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnitOffer:
    """A unit, and why it cannot be had ("" where it can)."""

    unit: Unit
    refusal: str = ""


def panel_of(evidence: SuvEvidence) -> SuvPanel:
    """For a person, in the order in which one would look."""
    rows = [PanelRow("Decay correction", evidence.decay.value)]
    if evidence.reference_time is not None:
        rows.append(PanelRow("Reference time", f"{evidence.reference_time}", "", evidence.reference_from))
    if evidence.injection_time is not None:
        rows.append(PanelRow("Injection", f"{evidence.injection_time}", "", evidence.injection_from))
    rows += [PanelRow(row.name, row.value, row.unit) for row in report_rows(evidence)]
    if evidence.half_life_s is not None:
        rows.append(PanelRow("Half-life", f"{evidence.half_life_s:g}", "s", evidence.nuclide))
    rows += [PanelRow(f"Check: {check.name}", f"{check.difference_percent:+.3f}", "%") for check in evidence.checks]
    rows += [PanelRow(f"{used.keyword} {used.tag}", used.value, "", used.origin) for used in evidence.attributes]
    warnings = [caution.sentence for caution in evidence.cautions]
    warnings += [hint] if (hint := uptake_hint(evidence)) else []
    return SuvPanel(tuple(rows), evidence.factor_for(0), evidence.formula, tuple(warnings))


def refusal_of(archive: Archive, shown: Shown) -> str:
    """Why there are no SUV of a PET series that is shown in another unit; "" where there are, or of no PET."""
    if shown.refusal or shown.native.source.modality != "PT" or shown.native.unit.is_suv:
        return shown.refusal
    return _offers(archive, shown)[0].refusal


def units_of(archive: Archive, shown: Shown) -> tuple[UnitOffer, ...]:
    """The units that may be asked for."""
    plain = [UnitOffer(unit) for unit in dict.fromkeys((shown.stack.unit, Unit.STORED))]
    if shown.native.source.modality != "PT":
        return tuple(plain)
    if shown.refusal:
        return (*(UnitOffer(kind.unit, shown.refusal) for kind in SuvKind), *plain)
    offers = _offers(archive, shown)
    return (*offers, *(each for each in plain if each.unit not in [offer.unit for offer in offers]))


def _offers(archive: Archive, shown: Shown) -> tuple[UnitOffer, ...]:
    """The SUV of every kind, that by weight first; the headers are read once."""
    series_uid = shown.native.source.series_uid
    objects = objects_of_series(archive, series_uid)

    def judged() -> tuple[UnitOffer, ...]:
        # What is shown in SUV was judged by all of its images.
        refusal = "" if shown.native.unit.is_suv else suv_of_series(archive, series_uid).refusal
        return _judged(archive, objects, refusal)

    return _KNOWN.of((archive.settings.folder, fingerprint(objects)), judged)


def _judged(archive: Archive, objects: Sequence[StoredObject], refusal: str) -> tuple[UnitOffer, ...]:
    """The kinds differ by what is in each of the images."""
    if refusal:
        return tuple(UnitOffer(kind.unit, refusal) for kind in SuvKind)
    first = read_headers([archive.path_of(objects[0])])[:1]
    offers = []
    for kind in SuvKind:
        try:
            suv_evidence(first, kind)
            offers.append(UnitOffer(kind.unit))
        except RadfuseError as error:
            offers.append(UnitOffer(kind.unit, "" if kind is SuvKind.BW else str(error)))
    return tuple(offers)


_KNOWN: Final[Memo[tuple[Path, bytes], tuple[UnitOffer, ...]]] = Memo(_MOST)
