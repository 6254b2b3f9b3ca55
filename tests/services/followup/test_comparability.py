"""What makes two time points less comparable is named, each by its kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from pydicom.dataset import Dataset

from radfuse.geometry import FrameOfReference, Grid
from radfuse.services.followup.comparability import findings_of
from radfuse.services.followup.model import Link, TimePoint
from radfuse.volume import Source, Unit, Volume
from radfuse.volume.suv import SuvEvidence

GRID = Grid.of((4, 4, 4), (4, 4, 4), (0, 0, 0), FrameOfReference("2.25.1"))
NOON = datetime(2026, 1, 5, 12)


def suv(minutes: float = 60, activity_bq: float = 300e6, glucose: str = "", drug: str = "FDG") -> SuvEvidence:
    from radfuse.volume.suv import Branch, DecayReference, SuvKind

    return SuvEvidence(
        SuvKind.BW,
        "",
        next(iter(Branch)),
        next(iter(DecayReference)),
        (1.0,),
        (),
        injection_time=NOON - timedelta(minutes=minutes),
        scan_start=NOON,
        injected_bq=activity_bq,
        glucose=glucose,
        drug=drug,
    )


def point(evidence: SuvEvidence | None = None, spacing_mm: float = 4.0, **header: object) -> TimePoint:
    grid = Grid.of((4, 4, 4), (spacing_mm,) * 3, (0, 0, 0), GRID.frame)
    voxels = np.zeros(grid.shape, np.float32)
    volume = Volume(voxels, grid, Unit.SUV_BW, Source("PT", "", "", "", ()), suv=evidence or suv())
    ds = Dataset()
    for keyword, value in {"Manufacturer": "A", "ReconstructionMethod": "OSEM", **header}.items():
        setattr(ds, keyword, value)
    return TimePoint(volume, (ds,), "2026-01-05", "2.25.2")


def kinds(prior: TimePoint, current: TimePoint) -> list[str]:
    return [each.kind for each in findings_of(prior, current, Link(None, ""), (Unit.BQML, Unit.BQML))]


def test_two_scans_of_one_protocol_have_no_finding() -> None:
    assert kinds(point(), point(suv(70, 330e6))) == []


@pytest.mark.parametrize(
    ("current", "kind"),
    [
        (point(suv(76)), "uptake time"),
        (point(replace(suv(), scan_start=None)), "uptake time"),
        (point(suv(activity_bq=200e6)), "injected activity"),
        (point(suv(glucose="5.5 mmol/l")), "blood glucose"),
        (point(suv(drug="PSMA")), "radiopharmaceutical"),
        (point(Manufacturer="B"), "scanner"),
        (point(ManufacturerModelName="X"), "scanner"),
        (point(ReconstructionMethod="TOF OSEM"), "reconstruction"),
        (point(CorrectedImage=["ATTN", "DECY"]), "reconstruction"),
        (point(spacing_mm=5.0), "reconstruction"),
    ],
    ids=range(10),
)
def test_one_difference_is_one_finding_of_its_kind(current: TimePoint, kind: str) -> None:
    assert kinds(point(), current) == [kind]


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        ("5 mmol/l", "7 mmol/l", "5 and 7 mmol/l"),
        ("5 mmol/l", "100 mg/dl", "different units"),
        ("5 mmol/l", "5.5 mmol/l", ""),
    ],
)
def test_blood_glucose_is_compared_in_one_unit(one: str, two: str, words: str) -> None:
    found = findings_of(point(suv(glucose=one)), point(suv(glucose=two)), Link(None, ""), (Unit.BQML, Unit.BQML))
    assert words in " ".join(each.sentence for each in found)


def test_units_that_had_to_be_converted_are_told() -> None:
    (found,) = findings_of(point(), point(), Link(None, ""), (Unit.SUV_LBM_JAMES, Unit.BQML))
    assert found.kind == "unit"
    assert "SUVlbm(James)" in found.sentence
