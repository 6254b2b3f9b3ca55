"""Real scanners and the published digital reference objects, down to the voxels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume import Unit, Volume, read_stack, stacks_of
from radfuse.volume.suv import Branch, CautionKind, SuvKind, read_headers, suv_evidence
from tests.volume.suv.headers import PHILIPS, only

OBJECTS = ["0_0", "1_0", "2_0", "2_1", "2_2", "3_0", "3_1", "3_2", "4_0", "4_1"]

FACTORS = {
    "BQML_AC_DT_lessThan_S_DT_SIEMENS": 0.0004069156854009332,
    "CPS_AND_BQML_AC_DT_-_S_DT": 0.00026503312764157046,
    "GE_MEDICAL_AND_BQML": 0.0005367387681819742,
    "PHILIPS_BQML": 0.0007463747013889488,
    "PHILIPS_CNTS_AND_BQML_SUV": 0.000551,
    "PHILIPS_CNTS_AND_SUV": 0.000728,
    "RADIOPHARM_DATETIME_UNDEFINED": 0.0003721089202818729,
    "SIEMENS": 0.00042748316187197236,
}
"""What the source of these headers (cornerstonejs/calculate-suv, its own tests) says of them."""


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def volume_of(folder: Path, unit: Unit | None) -> Volume:
    (stack,) = stacks_of(files_of(folder))
    return read_stack(stack, unit)


def within_mask(shared_data: Path, name: str) -> list[float]:
    """Minimum, median and maximum of SUVbw inside the object's mask."""
    import nibabel

    folder = shared_data / "suv-dro" / f"DRO_{name}"
    made = volume_of(folder / "PT", Unit.SUV_BW)
    # NIfTI is [column, row, slice] with x and y of the other sign; its affine says where its slices are.
    image: Any = nibabel.load(folder / "mask" / "DRO_mask.nii.gz")
    inside = np.asarray(image.dataobj).transpose(2, 1, 0) > 0
    affine = image.affine * np.array([[-1.0], [-1.0], [1.0], [1.0]])
    assert np.allclose(affine, made.grid.to_patient.matrix, atol=1e-3)
    values = made.voxels[inside]
    return [float(each) for each in (values.min(), np.median(values), values.max())]


@pytest.mark.parametrize("name", OBJECTS)
def test_a_digital_reference_object_reads_what_it_should(shared_data: Path, name: str) -> None:
    assert [round(each, 2) for each in within_mask(shared_data, name)] == [0.20, 1.00, 4.00]


def test_the_body_surface_object_is_read_as_exactly_as_it_was_written(shared_data: Path) -> None:
    # It holds 5, 26 and 105 hundredths: 0.2, 1 and 4 divided by 3.788, cut off. No factor brings 26 and 105 both
    # to two decimals of 1.00 and 4.00, since their ratio is 4.04.
    found = within_mask(shared_data, "2_3")
    per_surface = 70000 / 18481
    assert found == pytest.approx([hundredths / 100 * per_surface for hundredths in (5, 26, 105)], rel=1e-4)
    for read, meant in zip(found, (0.2, 1.0, 4.0), strict=True):
        assert 0 <= meant - read < 0.01 * per_surface


def headers_of(path: Path) -> list[Dataset]:
    """A set of attributes as headers."""
    made = []
    for facts in json.loads(path.read_text(encoding="utf-8")):
        header, drug = Dataset(), Dataset()
        header.RescaleSlope, header.RescaleIntercept = "1", "0"
        private = facts.pop("PhilipsPETPrivateGroup")
        for keyword, value in facts.items():
            setattr(drug if keyword.startswith("Radio") else header, keyword, value)
        header.RadiopharmaceuticalInformationSequence = [drug]
        if private:
            block = header.private_block(0x7053, PHILIPS, create=True)
            for element, name in ((0x00, "SUVScaleFactor"), (0x09, "ActivityConcentrationScaleFactor")):
                if name in private:
                    block.add_new(element, "DS", private[name].strip())
        made.append(header)
    return made


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_a_header_of_a_scanner_gives_its_known_factor(shared_data: Path, name: str) -> None:
    headers = headers_of(shared_data / "petct" / "suv-metadata-json" / f"{name}-instances.json")
    evidence = suv_evidence(headers)
    assert only(evidence) == pytest.approx(FACTORS[name], rel=1e-6)


def test_every_set_of_headers_was_asked(shared_data: Path) -> None:
    names = {path.name for path in (shared_data / "petct" / "suv-metadata-json").iterdir()}
    assert names == {f"{name}-instances.json" for name in FACTORS}


def test_of_Philips_becquerels_the_private_factors_say_who_is_right(shared_data: Path) -> None:
    headers = headers_of(shared_data / "petct" / "suv-metadata-json" / "PHILIPS_BQML-instances.json")
    checks = {check.name: check.difference_percent for check in suv_evidence(headers).checks}
    assert abs(checks["Philips factors"]) < 0.02
    assert checks["computed back from the acquisitions"] == pytest.approx(-12.5, abs=0.1)


def test_becquerels_of_a_whole_body_are_the_SUV_that_others_made_of_them(shared_data: Path) -> None:
    raw = volume_of(shared_data / "petct" / "sts-001-raw" / "pet", Unit.SUV_BW)
    cropped = volume_of(shared_data / "petct" / "sts-001" / "pet", None)
    assert cropped.unit is Unit.SUV_BW
    assert raw.suv is not None
    assert only(raw.suv) == pytest.approx(2.42903e-4, rel=1e-5)
    slices, rows, columns = cropped.voxels.shape
    column, row, first = np.rint(
        raw.grid.to_patient.inverse().apply(cropped.grid.to_patient.apply(np.zeros(3)))
    ).astype(int)
    same = raw.voxels[first : first + slices, row : row + rows, column : column + columns].astype(float)
    other = cropped.voxels.astype(float)
    headers = read_headers(files_of(shared_data / "petct" / "sts-001" / "pet"))
    slopes = {str(header.SOPInstanceUID): float(header.RescaleSlope) for header in headers}
    step = np.array([slopes[uid] for uid in cropped.source.instance_uids])[:, None, None]
    # The others cut their SUV off to 16 bits: voxel by voxel nothing else differs.
    assert np.all(np.abs(same - other) <= 1.01 * step + 1e-6 * other)
    fitted = (same * other).sum(axis=(1, 2)) / (other * other).sum(axis=(1, 2))
    assert np.abs(fitted - 1).max() < 0.0002


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("NM-PetIm-GE.dcm", 74000 / (221596288 * 2 ** (-3055 / 6586.2001953125))),
        ("NM-PetIm-Siemens.dcm", 110000 / (394000000 * 2 ** (-4050 / 6586.2))),
        ("ACRIN-FLT-Breast_029.dcm", 69734.4 / (178340011.59668 * 2 ** (-3976.921 / 6586.2))),
    ],
)
def test_a_slice_of_a_scanner_gives_the_factor_worked_out_by_hand(shared_data: Path, name: str, factor: float) -> None:
    evidence = suv_evidence(read_headers([shared_data / "petct" / "vendor-headers" / name]))
    assert only(evidence) == pytest.approx(factor, rel=1e-4)
    assert evidence.branch is Branch.STANDARD
    assert not evidence.cautions


@pytest.mark.parametrize("name", ["GH610.dcm", "NM-PetIm-Siemens-2.dcm"])
def test_images_that_are_not_quantitative_are_refused(shared_data: Path, name: str) -> None:
    with pytest.raises(CannotComputeSUV, match="not corrected for attenuation"):
        suv_evidence(read_headers([shared_data / "petct" / "vendor-headers" / name]))


def test_comunix_is_refused_for_its_weight_and_would_be_for_its_dose(shared_data: Path) -> None:
    headers = read_headers(files_of(shared_data / "petct" / "comunix" / "pet"))
    with pytest.raises(CannotComputeSUV, match="Weight is 0"):
        suv_evidence(headers)
    for header in headers:
        header.PatientWeight = "70"
    with pytest.raises(CannotComputeSUV, match=r"4266\.1 MBq, which is no dose of F-18"):
        suv_evidence(headers)


def test_what_is_read_of_a_file_is_all_that_is_needed(shared_data: Path) -> None:
    path = shared_data / "petct" / "vendor-headers" / "NM-PetIm-GE.dcm"
    for kind in SuvKind:
        assert suv_evidence(read_headers([path]), kind) == suv_evidence([pydicom.dcmread(path)], kind)


def test_sex_other_is_the_mean_and_said(shared_data: Path) -> None:
    evidence = suv_evidence(read_headers(files_of(shared_data / "suv-dro" / "DRO_2_2" / "PT")))
    assert {caution.kind for caution in evidence.cautions} == {CautionKind.SEX}
