"""The made-up study is believable, complete and made once."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.archive import Archive
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.services import demo
from radfuse.services.demo_study import CT_IMAGE, LESION, MR_IMAGE, PET_IMAGE, demo_objects, mr_from_patient_mm


@cache
def study() -> tuple[Dataset, ...]:
    return tuple(pydicom.dcmread(io.BytesIO(data), force=True) for _, _, data in demo_objects())


def series(modality: str) -> list[Dataset]:
    return [ds for ds in study() if ds.Modality == modality]


def value_at(modality: str, point_mm: tuple[float, float, float]) -> float:
    """The value of the voxel whose centre is nearest to a point of the series' frame of reference."""
    images = series(modality)
    nearest = min(images, key=lambda ds: abs(float(ds.ImagePositionPatient[2]) - point_mm[2]))
    x, y, _ = nearest.ImagePositionPatient
    column = round((point_mm[0] - float(x)) / float(nearest.PixelSpacing[1]))
    row = round((point_mm[1] - float(y)) / float(nearest.PixelSpacing[0]))
    dtype = np.int16 if nearest.PixelRepresentation else np.uint16
    pixels = np.frombuffer(nearest.PixelData, dtype).reshape(nearest.Rows, nearest.Columns)
    return float(pixels[row, column]) * float(nearest.get("RescaleSlope", 1)) + float(
        nearest.get("RescaleIntercept", 0)
    )


def suv(point_mm: tuple[float, float, float]) -> float:
    """SUV by body weight, worked out from the tags alone (decay corrected to the start of the series)."""
    ds = series("PT")[0]
    dose = ds.RadiopharmaceuticalInformationSequence[0]
    hours = int(ds.SeriesTime[:2]) - int(dose.RadiopharmaceuticalStartTime[:2])
    left_bq = float(dose.RadionuclideTotalDose) * 2 ** (-3600 * hours / float(dose.RadionuclideHalfLife))
    return value_at("PT", point_mm) * 1000 * float(ds.PatientWeight) / left_bq


def test_the_study_is_one_patient_with_four_series_of_storage_classes_that_we_keep() -> None:
    assert len(study()) == len({ds.SOPInstanceUID for ds in study()}) == demo.INSTANCES
    assert {(ds.StudyInstanceUID, ds.PatientID) for ds in study()} == {(demo.STUDY_UID, "RADFUSE-DEMO")}
    assert len({ds.SeriesInstanceUID for ds in study()}) == 4
    assert {CT_IMAGE, PET_IMAGE, MR_IMAGE} < {ds.SOPClassUID for ds in study()} <= set(STORAGE_CLASS_NAMES)


def test_the_same_bytes_are_made_every_time() -> None:
    assert next(demo_objects()) == next(demo_objects())


def test_lung_bone_and_lesion_have_their_hounsfield_units() -> None:
    assert value_at("CT", (78, 0, 25)) == pytest.approx(-790, abs=60)
    assert value_at("CT", (0, 72, 0)) == pytest.approx(420, abs=60)
    assert value_at("CT", LESION.centre_mm) == pytest.approx(LESION.ct_hu, abs=60)


def test_the_lesion_is_hot_by_the_tags_of_the_pet() -> None:
    assert suv(LESION.centre_mm) == pytest.approx(LESION.pet_suv, rel=0.25)
    assert suv((78, 0, 25)) < 1


def test_the_mr_lies_in_a_frame_of_reference_of_its_own() -> None:
    assert len({ds.FrameOfReferenceUID for modality in ("CT", "PT", "MR") for ds in series(modality)}) == 2
    x, y, z = mr_from_patient_mm(np.array(LESION.centre_mm))
    assert value_at("MR", (x, y, z)) == pytest.approx(LESION.mr_signal, rel=0.15)
    assert value_at("MR", LESION.centre_mm) != pytest.approx(LESION.mr_signal, rel=0.15)


def test_the_contours_surround_the_lesion_on_the_ct() -> None:
    (structures,) = series("RTSTRUCT")
    contours = structures.ROIContourSequence[0].ContourSequence
    assert len(contours) == 5
    images = {ds.SOPInstanceUID: float(ds.ImagePositionPatient[2]) for ds in series("CT")}
    for contour in contours:
        points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
        assert set(points[:, 2]) == {images[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]}
        assert np.linalg.norm(points - np.array(LESION.centre_mm), axis=1) == pytest.approx(12, abs=0.01)


def test_the_study_is_added_once(archive: Archive) -> None:
    assert len(list(demo.add_demo_study(archive))) == demo.INSTANCES
    assert list(demo.add_demo_study(archive)) == []
