"""What would have to be guessed is refused, with the reason and without a value of the patient."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume.suv import SuvKind, suv_evidence
from tests.volume.suv.headers import FLUORINE, PHILIPS, pet, with_private


def refusal(*headers: Dataset, kind: SuvKind = SuvKind.BW) -> str:
    with pytest.raises(CannotComputeSUV) as raised:
        suv_evidence(headers, kind)
    return raised.value.reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Modality": "CT"}, "is CT, not PET"),
        ({"RescaleIntercept": "-1024"}, "Rescale Intercept is not 0"),
        ({"RescaleSlope": None}, "Rescale Slope is not given"),
        ({"RescaleSlope": "0"}, "Rescale Slope is not given, or not above 0"),
        ({"ModalityLUTSequence": [Dataset()]}, "Modality LUT"),
        ({"CorrectedImage": ["DECY", "SCAT"]}, "not corrected for attenuation"),
        ({"CorrectedImage": None}, "not corrected for attenuation"),
        ({"CorrectedImage": ["ATTN"]}, "Decay Correction is START, but Corrected Image has no DECY"),
        ({"DecayCorrection": "NONE"}, "Decay Correction is NONE, but Corrected Image has DECY"),
        ({"DecayCorrection": None}, "Decay Correction is not given"),
        ({"DecayCorrection": "LATER"}, "Decay Correction is not given, or not one of"),
        ({"Units": None}, "Units is not given"),
        ({"Units": "PROPCPS"}, "'PROPCPS', which is only proportional to counts per second"),
        ({"Units": "CPS"}, "'CPS'"),
        ({"Units": "FURLONG"}, "'FURLONG', which is not known"),
        ({"Units": "GML", "SUVType": "BSA"}, "do not go together"),
        ({"Units": "CNTS"}, "neither a Philips SUV factor"),
        ({"PatientWeight": None}, "Weight is not given"),
        ({"PatientWeight": "0"}, "Weight is 0 or less"),
        ({"PatientWeight": "-70"}, "Weight is 0 or less"),
        ({"PatientWeight": "0.07"}, "Weight is not that of a person"),
        ({"PatientWeight": "701"}, "Weight is not that of a person"),
        ({"PatientWeight": "700000"}, "Weight is not that of a person"),
        ({"RadionuclideTotalDose": None}, "Total Dose is not given"),
        ({"RadionuclideTotalDose": "0"}, "Total Dose is 0 or less"),
        ({"RadionuclideTotalDose": "10.1"}, "neither Bq nor clearly MBq"),
        ({"RadionuclideTotalDose": "37000"}, "neither Bq nor clearly MBq"),
        ({"RadionuclideTotalDose": "4266100100"}, "4266.1 MBq, which is no dose of F-18 (5 to 1500 MBq)"),
        ({"RadionuclideTotalDose": "4266"}, "4266 MBq, which is no dose of F-18"),
        ({"RadionuclideTotalDose": "1000000"}, "1 MBq, which is no dose of F-18"),
        ({"RadionuclideHalfLife": "109.77"}, "says 109.77 s, but F-18 has 6586.2 s"),
        ({"RadiopharmaceuticalStartDateTime": None, "RadiopharmaceuticalStartTime": None}, "neither Radiopharm"),
        ({"RadiopharmaceuticalStartDateTime": "20250101113000"}, "injection is 30 min after the reference time"),
        ({"RadiopharmaceuticalStartDateTime": None, "RadiopharmaceuticalStartTime": "113000"}, "is 30 min after"),
        ({"RadiopharmaceuticalStartDateTime": "20250101103000+0000", "TimezoneOffsetFromUTC": "+0100"}, "is 30 min"),
        ({"SeriesTime": None, "AcquisitionTime": None}, "neither the time of the series nor"),
        ({"SeriesDate": None, "AcquisitionDate": None, "StudyDate": None}, "no date is given"),
        ({"RadiopharmaceuticalInformationSequence": []}, "neither Radionuclide Half Life nor a known radionuclide"),
    ],
)
def test_a_header_that_says_too_little_or_the_impossible_is_refused(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(pet(**changes))


def test_neither_a_half_life_nor_a_known_nuclide_is_refused() -> None:
    header = pet(None, RadionuclideHalfLife=None, Radiopharmaceutical="Wonderdrug")
    assert "neither Radionuclide Half Life nor" in refusal(header)


@pytest.mark.parametrize("seconds", ["1e-320", "1.8", "1e9"])
def test_a_half_life_of_no_PET_nuclide_is_refused(seconds: str) -> None:
    header = pet(None, Radiopharmaceutical=None, RadionuclideHalfLife=seconds)
    assert "that of no PET radionuclide" in refusal(header)


def test_a_dose_is_judged_by_its_nuclide() -> None:
    rubidium = ("C-159A2", "^82^Rubidium")
    facts = {"RadionuclideTotalDose": "2200000000", "RadionuclideHalfLife": "75.45", "Radiopharmaceutical": None}
    early = {"RadiopharmaceuticalStartDateTime": "20250101105900", "RadiopharmaceuticalStartTime": None}
    assert suv_evidence([pet(rubidium, **facts, **early)]).injected_bq == 2.2e9
    assert "no dose of F-18" in refusal(pet(FLUORINE, RadionuclideTotalDose="2200000000"))


def test_a_long_lived_nuclide_needs_the_date_of_its_injection() -> None:
    zirconium: dict[str, Any] = {
        "nuclide": ("C-168A4", "^89^Zirconium"),
        "RadionuclideHalfLife": "282280",
        "Radiopharmaceutical": None,
    }
    zirconium["RadionuclideTotalDose"] = "37000000"
    dated = pet(**zirconium, RadiopharmaceuticalStartDateTime="20241226100000")
    assert suv_evidence([dated]).uptake_s == 6 * 86400 + 3600
    assert "Zr-89 is imaged until days after it" in refusal(pet(**zirconium, RadiopharmaceuticalStartDateTime=None))


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        (SuvKind.LBM_JANMA, {"PatientSize": None}, "Size (height) is not given"),
        (SuvKind.BSA, {"PatientSize": "0"}, "Size (height) is not given"),
        (SuvKind.IBW, {"PatientSize": "5.8"}, "not 0.25 to 2.5 m"),
        (SuvKind.LBM_JAMES, {"PatientSex": None}, "Sex is not given"),
        (SuvKind.IBW, {"PatientSex": "X"}, "Sex is not given"),
        (SuvKind.LBM_JAMES, {"PatientWeight": "300"}, "not above zero"),
    ],
)
def test_a_kind_that_needs_more_of_the_patient_is_refused_without_it(
    kind: SuvKind, changes: dict[str, Any], words: str
) -> None:
    assert words in refusal(pet(**changes), kind=kind)


def test_several_radiopharmaceuticals_are_refused() -> None:
    header = pet()
    header.RadiopharmaceuticalInformationSequence.append(pet().RadiopharmaceuticalInformationSequence[0])
    assert "several radiopharmaceuticals" in refusal(header)


@pytest.mark.parametrize(
    "change",
    [
        {"RadionuclideTotalDose": "368090000"},
        {"RadiopharmaceuticalStartDateTime": "20250101100100"},
        {"RadionuclideHalfLife": "6588"},
        {"PatientWeight": "71"},
        {"PatientWeight": None},
        {"Units": "GML"},
        {"DecayCorrection": "ADMIN"},
        {"SeriesTime": "105900"},
    ],
)
def test_images_of_one_series_that_disagree_are_refused(change: dict[str, Any]) -> None:
    assert "differs between the images of the series" in refusal(pet(), pet(**change))


def test_the_same_number_in_other_words_is_no_disagreement() -> None:
    assert len(suv_evidence([pet(PatientWeight="70"), pet(PatientWeight="70.000")]).factors) == 1


def test_some_images_without_their_radiopharmaceutical_are_refused() -> None:
    header = pet()
    del header.RadiopharmaceuticalInformationSequence
    assert "some images of the series name their radiopharmaceutical" in refusal(pet(), header)


def test_beds_of_several_injections_are_refused() -> None:
    beds = [
        pet(SeriesTime="170000", AcquisitionTime=start, FrameReferenceTime="150000") for start in ("110000", "114000")
    ]
    assert "different reference times" in refusal(*beds)


def test_images_without_decay_correction_need_their_duration() -> None:
    header = pet(DecayCorrection="NONE", CorrectedImage=["ATTN"], ActualFrameDuration=None)
    assert "Actual Frame Duration is not given" in refusal(header)


@pytest.mark.parametrize("units", ["GML", "CNTS"])
def test_SUV_of_the_scanner_that_are_not_decay_corrected_are_refused(units: str) -> None:
    header = pet(Units=units, DecayCorrection="NONE", CorrectedImage=["ATTN"])
    refusal(with_private(header, 0x7053_1000, PHILIPS, "0.0005"))


@pytest.mark.parametrize("factor", ["0", "0.0", "-1", "", "nan"])
def test_a_factor_of_Philips_that_is_0_or_nothing_is_refused(factor: str) -> None:
    assert "neither a Philips" in refusal(with_private(pet(Units="CNTS"), 0x7053_1000, PHILIPS, factor, "LO"))


def test_a_factor_that_is_no_number_is_refused() -> None:
    header = with_private(pet(Units="CNTS"), 0x7053_1000, PHILIPS, "much", "LO")
    assert "is not a number" in refusal(header)


def test_a_private_element_in_the_block_of_somebody_else_is_not_that_of_Philips() -> None:
    assert "neither a Philips" in refusal(with_private(pet(Units="CNTS"), 0x7053_1000, "SOMEBODY ELSE", "0.0005"))


def test_dates_of_no_year_of_imaging_are_no_dates() -> None:
    days: dict[str, Any] = dict.fromkeys(("SeriesDate", "AcquisitionDate", "StudyDate"), "00010101")
    assert refusal(pet(**days)) == "no date is given, of the acquisition or of the series"


@pytest.mark.parametrize("written", [b"seventy", b"1e999", b"nan "])
def test_a_weight_that_is_no_number_is_refused(written: bytes) -> None:
    header = pet(PatientWeight=None)
    tag = Tag("PatientWeight")
    header[tag] = RawDataElement(tag, "DS", len(written), written, 0, False, True)
    assert refusal(header) == "Patient's Weight is not a number"


def test_no_images_are_refused() -> None:
    assert "no images" in refusal()


def test_a_refusal_tells_nothing_of_the_patient() -> None:
    secrets: dict[str, Any] = {
        "PatientWeight": "0.0714",
        "PatientSize": "5.8123",
        "StudyDate": "19991231",
        "SeriesTime": "112233",
    }
    found = refusal(pet(**secrets)) + refusal(pet(**{**secrets, "PatientWeight": "70"}), kind=SuvKind.BSA)
    assert not [secret for secret in secrets.values() if secret in found]
