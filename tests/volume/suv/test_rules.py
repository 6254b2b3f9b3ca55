"""Every rule by which a header becomes SUV, with numbers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume import Unit, read_stack, stacks_of
from radfuse.volume.suv import (
    Branch,
    CautionKind,
    DecayReference,
    SuvEvidence,
    SuvKind,
    stored_kind,
    suv_evidence,
)
from tests.volume.suv.headers import GE, PHILIPS, code, only, pet, pet_file, with_private

PER_BQML = 1 / 3600
"""SUVbw of 1 Bq/ml for the default header: 70 kg * 1000 / (368.08 MBq * 2^(-3600 / 6586.2)) = 70000 / 252.0 MBq."""


def kinds_of(evidence: SuvEvidence) -> set[CautionKind]:
    return {caution.kind for caution in evidence.cautions}


def read(evidence: SuvEvidence, *values: float, at: int = 0) -> list[float]:
    """Rescaled values of one slice as SUV, to two decimals."""
    return [round(value * evidence.factor_for(at), 2) for value in values]


# --- the digital reference objects that are not among the shared data, made again ------------


def test_counts_with_the_SUV_factor_of_Philips() -> None:
    evidence = suv_evidence([with_private(pet(Units="CNTS"), 0x7053_1000, PHILIPS, "0.0005")])
    assert read(evidence, 400, 2000, 8000) == [0.20, 1.00, 4.00]
    assert evidence.branch is Branch.PHILIPS_SUV
    assert not evidence.cautions


def test_counts_with_the_activity_factor_of_Philips() -> None:
    evidence = suv_evidence([with_private(pet(Units="CNTS"), 0x7053_1009, PHILIPS, "0.5")])
    assert read(evidence, 1440, 7200, 28800) == [0.20, 1.00, 4.00]
    assert evidence.branch is Branch.PHILIPS_ACTIVITY


def test_the_private_scan_time_of_GE_counts_when_the_series_is_later_than_the_acquisition() -> None:
    header = with_private(
        pet(SeriesTime="150000", AcquisitionTime="113000"), 0x0009_100D, GE, "20250101110000.00", "DT"
    )
    evidence = suv_evidence([header])
    assert read(evidence, 720, 3600, 14400) == [0.20, 1.00, 4.00]
    assert evidence.branch is Branch.GE_SCAN_TIME
    assert str(evidence.reference_time) == "2025-01-01 11:00:00"


def test_the_series_time_goes_before_the_private_scan_time_of_GE() -> None:
    header = with_private(pet(AcquisitionTime="113000"), 0x0009_100D, GE, "20250101110000.00", "DT")
    assert read(suv_evidence([header]), 720, 3600, 14400) == [0.20, 1.00, 4.00]


def test_without_decay_correction_each_bed_has_a_factor_of_its_own() -> None:
    # Both beds see 3600 Bq/ml at 11:00; counts of 603 s stand for a moment 299.9 s after the start.
    beds = [
        pet(
            DecayCorrection="NONE",
            CorrectedImage=["NORM", "ATTN", "SCAT"],
            AcquisitionTime=start,
            ActualFrameDuration="603000",
        )
        for start in ("110000", "110500")
    ]
    evidence = suv_evidence(beds)
    assert read(evidence, 697, 3488, 13952, at=0) == [0.20, 1.00, 4.00]
    assert read(evidence, 675, 3379, 13518, at=1) == [0.20, 1.00, 4.00]
    assert evidence.decay is DecayReference.NONE
    assert evidence.reference_time is None


def test_an_injection_before_midnight() -> None:
    header = pet(
        SeriesDate="20250102",
        AcquisitionDate="20250102",
        SeriesTime="003000",
        AcquisitionTime="003000",
        RadiopharmaceuticalStartDateTime=None,
        RadiopharmaceuticalStartTime="233000",
    )
    evidence = suv_evidence([header])
    assert read(evidence, 720, 3600, 14400) == [0.20, 1.00, 4.00]
    assert str(evidence.injection_time) == "2025-01-01 23:30:00"
    assert kinds_of(evidence) == {CautionKind.MIDNIGHT}


def test_gallium_68_decays_faster() -> None:
    # 368.08 MBq * 2^(-3600 / 4057.7) = 199.01 MBq
    header = pet(("C-131A3", "^68^Gallium"), Radiopharmaceutical="Ga68-PSMA", RadionuclideHalfLife="4057.7")
    evidence = suv_evidence([header])
    assert read(evidence, 568, 2843, 11372) == [0.20, 1.00, 4.00]
    assert evidence.nuclide == "Ga-68"


# --- the reference time -----------------------------------------------------------------------


def test_START_counts_from_the_series_that_is_not_later_than_any_acquisition() -> None:
    headers = [pet(AcquisitionTime=f"110{minute}00", FrameReferenceTime=f"{minute * 60 + 150}000") for minute in (0, 5)]
    evidence = suv_evidence(headers)
    assert only(evidence) == pytest.approx(PER_BQML, rel=1e-4)
    assert evidence.reference_from.startswith("Series Date and Time")
    assert [round(check.difference_percent, 2) for check in evidence.checks] == [0.0]


def test_a_later_series_time_is_replaced_by_what_the_images_give_when_computed_back() -> None:
    beds = [
        pet(SeriesTime="170000", AcquisitionTime=start, FrameReferenceTime=offset, ActualFrameDuration="603000")
        for start, offset in (("110230", "450000"), ("110500", "600000"))
    ]
    evidence = suv_evidence(beds)
    assert only(evidence) == pytest.approx(PER_BQML, rel=1e-4)
    assert "computed back" in evidence.reference_from


def test_the_decay_factor_stands_in_for_a_frame_reference_time_of_0() -> None:
    # 2^(450 s / 6586.2 s) = 1.04850
    header = pet(
        SeriesTime="170000",
        AcquisitionTime="110230",
        FrameReferenceTime="0",
        ActualFrameDuration="603000",
        DecayFactor="1.04850",
    )
    assert only(suv_evidence([header])) == pytest.approx(PER_BQML, rel=1e-4)


def test_the_earliest_acquisition_is_the_last_resort_and_said() -> None:
    headers = [
        pet(SeriesTime="170000", AcquisitionTime=start, FrameReferenceTime="0") for start in ("110500", "110000")
    ]
    evidence = suv_evidence(headers)
    assert only(evidence) == pytest.approx(PER_BQML, rel=1e-4)
    assert kinds_of(evidence) == {CautionKind.REFERENCE}


def test_one_acquisition_time_for_all_beds_is_not_taken_for_that_of_each_bed() -> None:
    headers = [pet(FrameReferenceTime=offset) for offset in ("150000", "450000", "1250000")]
    evidence = suv_evidence(headers)
    assert only(evidence) == pytest.approx(PER_BQML, rel=1e-4)
    assert evidence.checks == ()
    assert not evidence.cautions


def test_a_disagreement_of_more_than_1_percent_is_said_with_its_size() -> None:
    evidence = suv_evidence([pet(FrameReferenceTime="450000")])
    (caution,) = evidence.cautions
    assert caution.kind is CautionKind.REFERENCE
    assert "SUV -3.1 %" in caution.sentence  # 300 s of 6586.2
    assert only(evidence) == pytest.approx(PER_BQML, rel=1e-4)


def test_both_factors_of_Philips_check_the_header() -> None:
    header = with_private(pet(), 0x7053_1000, PHILIPS, "0.003")
    evidence = suv_evidence([with_private(header, 0x7053_1009, PHILIPS, "9.0")])
    checks = {check.name: check.difference_percent for check in evidence.checks}
    assert checks["Philips factors"] == pytest.approx(-16.7, abs=0.1)  # 0.003 / 9 is 1 / 3000
    assert kinds_of(evidence) == {CautionKind.REFERENCE}


def test_ADMIN_takes_the_dose_as_it_was_injected() -> None:
    evidence = suv_evidence([pet(DecayCorrection="ADMIN")])
    assert only(evidence) == pytest.approx(70000 / 368.08e6)
    assert evidence.uptake_s == 3600


def test_ADMIN_needs_no_time_of_injection() -> None:
    header = pet(DecayCorrection="ADMIN", RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime=None)
    evidence = suv_evidence([header])
    assert only(evidence) == pytest.approx(70000 / 368.08e6)
    assert evidence.injection_time is None


# --- injection ---------------------------------------------------------------------------------


def test_the_start_datetime_alone_is_enough() -> None:
    assert suv_evidence([pet(RadiopharmaceuticalStartTime=None)]).factors[0] == pytest.approx(PER_BQML, rel=1e-4)


def test_the_start_datetime_goes_before_another_start_time_and_that_is_said() -> None:
    evidence = suv_evidence([pet(RadiopharmaceuticalStartTime="093000")])
    assert evidence.factors[0] == pytest.approx(PER_BQML, rel=1e-4)
    assert kinds_of(evidence) == {CautionKind.INJECTION}


def test_of_a_date_that_cannot_be_the_time_of_day_is_used_and_that_is_said() -> None:
    evidence = suv_evidence([pet(RadiopharmaceuticalStartDateTime="20190703100000")])
    assert evidence.factors[0] == pytest.approx(PER_BQML, rel=1e-4)
    assert kinds_of(evidence) == {CautionKind.INJECTION}


def test_another_time_zone_of_the_injection_is_brought_to_that_of_the_images() -> None:
    header = pet(
        RadiopharmaceuticalStartDateTime="20250101090000+0000",
        RadiopharmaceuticalStartTime=None,
        TimezoneOffsetFromUTC="+0100",
    )
    assert suv_evidence([header]).factors[0] == pytest.approx(PER_BQML, rel=1e-4)


def test_the_time_zone_of_the_images_may_stand_in_their_own_moments() -> None:
    header = pet(
        RadiopharmaceuticalStartDateTime="20250101090000+0000",
        RadiopharmaceuticalStartTime=None,
        AcquisitionDate=None,
        AcquisitionTime=None,
        AcquisitionDateTime="20250101110000+0100",
    )
    evidence = suv_evidence([header])
    assert only(evidence) == pytest.approx(PER_BQML, rel=1e-4)
    assert not evidence.cautions


def test_a_time_zone_that_only_the_injection_has_is_said() -> None:
    header = pet(RadiopharmaceuticalStartDateTime="20250101100000+0200")
    evidence = suv_evidence([header])
    assert only(evidence) == pytest.approx(PER_BQML, rel=1e-4)
    assert kinds_of(evidence) == {CautionKind.CLOCK}


def test_an_injection_within_two_minutes_after_the_scan_began_is_used_and_said() -> None:
    header = pet(RadiopharmaceuticalStartDateTime="20250101110030", RadiopharmaceuticalStartTime=None)
    evidence = suv_evidence([header])
    assert evidence.uptake_s == -30
    assert kinds_of(evidence) == {CautionKind.CLOCK}


def test_a_missing_date_is_taken_from_the_acquisition_and_said() -> None:
    evidence = suv_evidence([pet(SeriesDate=None)])
    assert evidence.factors[0] == pytest.approx(PER_BQML, rel=1e-4)
    assert kinds_of(evidence) == {CautionKind.DATE}


# --- dose, nuclide, weight ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"RadionuclideTotalDose": "368.08"}, CautionKind.DOSE),
        ({"PatientWeight": "70000"}, CautionKind.WEIGHT),
        ({"RadionuclideHalfLife": None}, CautionKind.NUCLIDE),
        ({"RadionuclideHalfLife": "0"}, CautionKind.NUCLIDE),
    ],
)
def test_what_is_assumed_is_said(changes: dict[str, Any], kind: CautionKind) -> None:
    evidence = suv_evidence([pet(**changes)])
    assert evidence.factors[0] == pytest.approx(PER_BQML, rel=1e-4)
    assert kinds_of(evidence) == {kind}


def test_a_nuclide_without_a_code_is_known_by_its_half_life() -> None:
    evidence = suv_evidence([pet(None, Radiopharmaceutical=None)])
    assert (evidence.nuclide, evidence.cautions) == ("F-18", ())


def test_a_half_life_of_no_nuclide_we_know_is_trusted_and_said() -> None:
    evidence = suv_evidence([pet(None, Radiopharmaceutical=None, RadionuclideHalfLife="7000")])
    assert kinds_of(evidence) == {CautionKind.NUCLIDE}


def test_a_code_that_contradicts_its_meaning_gives_way_to_the_half_life() -> None:
    evidence = suv_evidence([pet(("C-131A1", "^68^Gallium"), RadionuclideHalfLife="4057.7")])
    assert evidence.nuclide == "Ga-68"
    assert kinds_of(evidence) == {CautionKind.NUCLIDE}


# --- kinds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "sex", "kilograms"),
    [
        (SuvKind.BW, "M", 70.0),
        (SuvKind.LBM_JAMES, "M", 56.52),  # 77 - 128 * 0.16
        (SuvKind.LBM_JAMES, "F", 51.22),  # 74.9 - 148 * 0.16
        (SuvKind.LBM_JAMES, "O", 53.87),
        (SuvKind.LBM_MORGAN, "M", 57.80),  # 77 - 120 * 0.16
        (SuvKind.LBM_MORGAN, "F", 51.22),
        (SuvKind.LBM_JANMA, "M", 55.857),  # 648900 / (6680 + 216 * 22.85714)
        (SuvKind.LBM_JANMA, "F", 45.197),  # 648900 / (8780 + 244 * 22.85714)
        (SuvKind.IBW, "M", 72.38),  # 48 + 1.06 * 23
        (SuvKind.IBW, "F", 66.43),  # 45.5 + 0.91 * 23
    ],
)
def test_a_kind_is_normalised_by_its_mass(kind: SuvKind, sex: str, kilograms: float) -> None:
    evidence = suv_evidence([pet(PatientSex=sex)], kind)
    assert evidence.factors[0] == pytest.approx(PER_BQML * kilograms / 70, rel=1e-4)
    assert kinds_of(evidence) == ({CautionKind.SEX} if sex == "O" else set())
    assert str(kind.unit) in evidence.formula


def test_body_surface_is_that_of_Du_Bois() -> None:
    # 0.007184 * 70^0.425 * 175^0.725 = 1.8481 m2
    evidence = suv_evidence([pet()], SuvKind.BSA)
    assert evidence.factors[0] == pytest.approx(18481 / 252.0e6, rel=1e-4)


def test_a_height_in_centimetres_is_known_and_said() -> None:
    evidence = suv_evidence([pet(PatientSize="175")], SuvKind.IBW)
    assert evidence.factors[0] == pytest.approx(PER_BQML * 72.38 / 70, rel=1e-4)
    assert kinds_of(evidence) == {CautionKind.HEIGHT}


def test_beyond_the_reach_of_James_it_is_said() -> None:
    evidence = suv_evidence([pet(PatientWeight="140")], SuvKind.LBM_JAMES)  # body mass index 45.7
    assert kinds_of(evidence) == {CautionKind.FORMULA}


@pytest.mark.parametrize(
    ("units", "suv_type", "stored"),
    [
        ("GML", None, SuvKind.BW),
        ("GML", "BW", SuvKind.BW),
        ("GML", "LBM", SuvKind.LBM_MORGAN),
        ("GML", "LBMJAMES128", SuvKind.LBM_JAMES),
        ("GML", "LBMJANMA", SuvKind.LBM_JANMA),
        ("GML", "IBW", SuvKind.IBW),
        ("CM2ML", None, SuvKind.BSA),
        ("CM2ML", "BSA", SuvKind.BSA),
    ],
)
def test_a_scanners_own_SUV_are_converted(units: str, suv_type: str | None, stored: SuvKind) -> None:
    header = pet(Units=units) if suv_type is None else pet(Units=units, SUVType=suv_type)
    assert stored_kind(units, suv_type or "") is stored
    same = suv_evidence([header], stored)
    assert (same.factors, same.branch) == ((1.0,), Branch.NORMALISED)
    for wanted in SuvKind:
        one, other = suv_evidence([pet()], stored).factors[0], suv_evidence([pet()], wanted).factors[0]
        assert suv_evidence([header], wanted).factors[0] == pytest.approx(other / one)


def test_a_scanners_own_SUV_need_neither_weight_nor_dose() -> None:
    header = pet(Units="GML", PatientWeight="0", RadionuclideTotalDose="0")
    assert suv_evidence([header]).factors == (1.0,)


def test_the_SUV_factor_of_Philips_is_converted_to_another_kind() -> None:
    header = with_private(pet(Units="CNTS"), 0x7053_1000, PHILIPS, "0.0005")
    assert suv_evidence([header], SuvKind.IBW).factors[0] == pytest.approx(0.0005 * 72.38 / 70)


def test_each_slice_may_have_a_factor_of_Philips_of_its_own() -> None:
    headers = [with_private(pet(Units="CNTS"), 0x7053_1009, PHILIPS, factor) for factor in ("0.5", "0.25")]
    evidence = suv_evidence(headers)
    assert [evidence.factor_for(index) for index in (0, 1)] == pytest.approx([PER_BQML / 2, PER_BQML / 4], rel=1e-4)


def test_private_elements_are_found_in_another_block_and_without_their_creator() -> None:
    moved = pet(Units="CNTS")
    moved.add_new(0x7053_0010, "LO", "SOMEBODY ELSE")
    moved.add_new(0x7053_1000, "DS", "17")
    moved.add_new(0x7053_0011, "LO", PHILIPS)
    moved.add_new(0x7053_1100, "DS", "0.0005")
    assert suv_evidence([moved]).factors == (0.0005,)
    bare = with_private(pet(Units="CNTS"), 0x7053_1000, "", "0.0005")
    evidence = suv_evidence([bare])
    assert evidence.factors == (0.0005,)
    assert kinds_of(evidence) == {CautionKind.PRIVATE}


def test_every_kind_has_a_unit_of_a_volume() -> None:
    assert {kind.unit for kind in SuvKind} == {unit for unit in Unit if unit.name.startswith("SUV")}
    assert [SuvKind.of(kind.unit) for kind in SuvKind] == list(SuvKind)
    assert SuvKind.of(Unit.BQML) is None


# --- evidence ----------------------------------------------------------------------------------


def test_the_formula_has_the_numbers() -> None:
    formula = suv_evidence([pet()]).formula
    assert formula == "SUVbw = C * 70 kg * 1000 / (368.08 MBq * 2^(-3600 s / 6586.2 s))"


def test_every_attribute_used_is_named_with_its_tag_and_value() -> None:
    used = {each.keyword: each for each in suv_evidence([pet(), pet(RescaleSlope="2")]).attributes}
    assert (used["PatientWeight"].tag, used["PatientWeight"].value) == ("(0010,1030)", "70")
    assert used["RescaleSlope"].value == "1, 2"
    assert used["RadionuclideTotalDose"].origin == "Radiopharmaceutical Information Sequence"
    assert used["SeriesTime"].origin == "all 2 images"
    for keyword in ("Units", "DecayCorrection", "CorrectedImage", "AcquisitionTime", "RadionuclideHalfLife"):
        assert keyword in used


def test_the_evidence_is_json() -> None:
    header = pet()
    glucose = Dataset()
    glucose.ConceptNameCodeSequence = [code("14749-6", "Glucose", "LN")]
    glucose.NumericValue = "5.4"
    glucose.MeasurementUnitsCodeSequence = [code("mmol/L", "mmol/L", "UCUM")]
    header.AcquisitionContextSequence = [glucose]
    plain = json.loads(json.dumps(suv_evidence([header]).as_json()))
    assert plain["Factors"] == [pytest.approx(PER_BQML, rel=1e-4)]
    assert (plain["Unit"], plain["ReferenceTime"]) == ("SUVbw", "2025-01-01 11:00:00")
    assert plain["BloodGlucose"] == "5.4 mmol/L"
    assert plain["UptakeSeconds"] == 3600


# --- voxels ------------------------------------------------------------------------------------


def test_a_volume_is_in_SUV_slice_by_slice(tmp_path: Path) -> None:
    # Three images without decay correction, the last 50 minutes later: its factor is larger.
    for number, minute in enumerate(("00", "05", "50")):
        pet_file(
            tmp_path,
            number,
            DecayCorrection="NONE",
            CorrectedImage=["ATTN"],
            AcquisitionTime=f"11{minute}00",
            RescaleSlope=str(number + 1),
        )
    (stack,) = stacks_of(sorted(tmp_path.iterdir()))
    made, activity = read_stack(stack, Unit.SUV_BW), read_stack(stack, Unit.BQML)
    assert made.suv is not None
    assert made.suv.factors[2] / made.suv.factors[0] == pytest.approx(2 ** (3000 / 6586.2))
    for at in range(3):
        np.testing.assert_allclose(made.voxels[at], activity.voxels[at] * made.suv.factor_for(at), rtol=1e-6)
    assert made.unit is Unit.SUV_BW


def test_what_is_doubtful_of_the_SUV_is_a_finding_of_the_volume(tmp_path: Path) -> None:
    pet_file(tmp_path, 0, RadionuclideTotalDose="368.08")
    (stack,) = stacks_of(sorted(tmp_path.iterdir()))
    made = read_stack(stack, Unit.SUV_BW)
    assert [finding.sentence for finding in made.findings if "MBq" in finding.sentence] == [
        "Radionuclide Total Dose is below 10000, so it is taken as MBq"
    ]


def test_a_volume_in_SUV_that_would_be_guessed_is_refused(tmp_path: Path) -> None:
    pet_file(tmp_path, 0, PatientWeight="0")
    (stack,) = stacks_of(sorted(tmp_path.iterdir()))
    assert read_stack(stack).unit is Unit.BQML
    with pytest.raises(CannotComputeSUV, match="Weight is 0"):
        read_stack(stack, Unit.SUV_BW)


def test_the_evidence_is_kept_beside_cached_voxels() -> None:
    from radfuse.volume.plain import from_plain, to_plain

    headers = [with_private(pet(PatientSex="O"), 0x0009_100D, GE, "20250101110000.00", "DT"), pet(PatientSex="O")]
    evidence = suv_evidence(headers, SuvKind.IBW)
    assert evidence.checks
    assert evidence.cautions
    assert from_plain(SuvEvidence, json.loads(json.dumps(to_plain(evidence)))) == evidence
