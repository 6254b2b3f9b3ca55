"""SUV of multi-frame PET: what highdicom converts of single images, and true Enhanced PET."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume import Unit, read_stack, stacks_of
from radfuse.volume.suv import SuvKind, read_headers, suv_evidence
from radfuse.volume.suv.enhanced import frame_headers
from tests.volume.suv.headers import code, only, pet_file


def test_legacy_converted_images_are_the_SUV_of_the_single_ones(tmp_path: Path) -> None:
    from highdicom.legacy import LegacyConvertedEnhancedPETImage

    for number in range(3):
        # A slope for each image, and no decay correction: everything differs between frames.
        pet_file(
            tmp_path / "single",
            number,
            DecayCorrection="NONE",
            CorrectedImage=["ATTN"],
            AcquisitionTime=f"110{number}00",
            RescaleSlope=str(number + 1),
        )
    single = sorted((tmp_path / "single").iterdir())
    converted = LegacyConvertedEnhancedPETImage([pydicom.dcmread(path) for path in single], "2.25.77", 7, "2.25.78", 1)
    converted.save_as(tmp_path / "multi.dcm")
    (expected,), (stack,) = stacks_of(single), stacks_of([tmp_path / "multi.dcm"])
    one, other = read_stack(expected, Unit.SUV_BW), read_stack(stack, Unit.SUV_BW)
    np.testing.assert_allclose(other.voxels, one.voxels, rtol=1e-6)
    assert one.voxels.max() > 0
    assert one.suv is not None
    assert other.suv is not None
    assert other.suv.factors == pytest.approx(one.suv.factors)
    assert len(read_headers([tmp_path / "multi.dcm"])) == 3


def enhanced(**changes: Any) -> Dataset:
    """Enhanced PET of two frames as PS3.3 C.8.22 has it: 368.08 MBq at 10:00, corrected to 11:00."""
    header, drug, shared, mapping = Dataset(), Dataset(), Dataset(), Dataset()
    facts: dict[str, Any] = {
        "Modality": "PT",
        "PatientWeight": "70",
        "SeriesDate": "20250101",
        "SeriesTime": "170000",
        "AttenuationCorrected": "YES",
        "DecayCorrected": "YES",
        "DecayCorrectionDateTime": "20250101110000",
    }
    for keyword, value in {**facts, **changes}.items():
        setattr(header, keyword, value)
    drug.RadiopharmaceuticalStartDateTime = "20250101100000"
    drug.RadionuclideTotalDose = "368.08"  # megabecquerels, as Enhanced PET has them
    drug.RadionuclideHalfLife = "6586.2"
    header.RadiopharmaceuticalInformationSequence = [drug]
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 2.0, 0.0
    mapping.MeasurementUnitsCodeSequence = [code("Bq/ml", "Becquerels per milliliter", "UCUM")]
    shared.RealWorldValueMappingSequence = [mapping]
    header.SharedFunctionalGroupsSequence = [shared]
    header.PerFrameFunctionalGroupsSequence = []
    for minute in (0, 5):
        frame, content = Dataset(), Dataset()
        content.FrameAcquisitionDateTime = f"20250101110{minute}00"
        content.FrameAcquisitionDuration = 603000.0
        frame.FrameContentSequence = [content]
        header.PerFrameFunctionalGroupsSequence.append(frame)
    return header


def test_enhanced_PET_states_its_reference_time() -> None:
    evidence = suv_evidence(frame_headers(enhanced()))
    assert only(evidence) == pytest.approx(1 / 3600, rel=1e-4)
    assert str(evidence.reference_time) == "2025-01-01 11:00:00"
    assert evidence.reference_from == "Decay Correction DateTime"


def test_enhanced_PET_without_decay_correction_has_a_factor_for_each_frame() -> None:
    evidence = suv_evidence(frame_headers(enhanced(DecayCorrected="NO")))
    assert [round(3488 * evidence.factor_for(0), 2), round(3379 * evidence.factor_for(1), 2)] == [1.00, 1.00]


def test_enhanced_PET_in_SUV_is_left_as_it_is() -> None:
    header = enhanced()
    (mapping,) = header.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    unit = Dataset()
    unit.LongCodeValue = "g/ml{SUVlbm(Janma)}"
    mapping.MeasurementUnitsCodeSequence = [unit]
    assert only(suv_evidence(frame_headers(header), SuvKind.LBM_JANMA)) == 1.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AttenuationCorrected": "NO"}, "not corrected for attenuation"),
        ({"DecayCorrectionDateTime": ""}, "Decay Correction is not given"),
        ({"RescaleSlope": "3"}, "Units is not given"),
    ],
)
def test_enhanced_PET_that_says_too_little_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CannotComputeSUV, match=words):
        suv_evidence(frame_headers(enhanced(**changes)))
