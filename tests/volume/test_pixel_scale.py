"""Stored values of single frames as numbers, judged by what pydicom makes of the same file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from radfuse.core.errors import UnreadableObject
from radfuse.volume import PixelScale, scale_of
from tests.support.generate import SECONDARY_CAPTURE, base_instance, save
from tests.support.volumes import ENHANCED_CT, Shape, dose, enhanced, image, put_pixels

SHAPE = Shape()


def scale_in(ds: Dataset, folder: Path, number: int = 1, syntax: str = str(ExplicitVRLittleEndian)) -> PixelScale:
    return scale_of(save(ds, folder, syntax), number)


def value(scale: PixelScale, lying: int, kind: str = "<u2") -> tuple[float, str]:
    return scale.number_of(np.array([lying], kind))


def with_table(ds: Dataset, first: int, data: list[int], kind: str = "OD") -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(data), first % 65536, 16])
    item.ModalityLUTType = kind
    item.add_new("LUTData", "US", data)
    ds.ModalityLUTSequence = Sequence([item])
    return ds


def test_a_slope_gives_hounsfield_units_and_a_pet_its_own(tmp_path: Path) -> None:
    ct, pet = (scale_in(image(SHAPE, modality, 0), tmp_path) for modality in ("CT", "PT"))
    assert (*value(ct, 1064), ct.unit) == (40, "rescaled", "HU")
    assert (*value(pet, 3), pet.unit) == (7.5, "rescaled", "Bq/ml")


@pytest.mark.parametrize("syntax", [str(ExplicitVRLittleEndian), str(ExplicitVRBigEndian)])
def test_a_table_is_walked_as_pydicom_walks_it_and_ends_where_it_ends(tmp_path: Path, syntax: str) -> None:
    ds = with_table(base_instance(SECONDARY_CAPTURE, "CR", 1, 1), -2, [10, 20, 300, 4000])
    stored = np.array([[-9, -2, -1, 0, 1, 9]], np.int16)
    put_pixels(ds, stored, 16)
    path = save(ds, tmp_path, syntax)
    scale = scale_of(path, 1)
    found = [value(scale, int(each), "<i2") for each in stored[0]]
    ds.ModalityLUTSequence[0].add_new("LUTDescriptor", "SS", [4, -2, 16])
    assert [number for number, _ in found] == apply_modality_lut(stored, ds)[0].tolist()
    assert {meaning for _, meaning in found} == {"table"}
    assert scale.unit == "OD/1000"


def test_each_frame_of_an_enhanced_image_has_its_own_slope(tmp_path: Path) -> None:
    ds = enhanced(SHAPE, (0, 1), ENHANCED_CT, "CT")
    del ds.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
    for number, frame in enumerate(ds.PerFrameFunctionalGroupsSequence):
        own = Dataset()
        own.RescaleSlope, own.RescaleIntercept, own.RescaleType = str(number + 1), "-1000", "HU"
        frame.PixelValueTransformationSequence = Sequence([own])
    assert [value(scale_in(ds, tmp_path, number), 500)[0] for number in (1, 2)] == [-500, 0]


def test_a_dose_is_in_gray(tmp_path: Path) -> None:
    scale = scale_in(dose(SHAPE, (0, 3)), tmp_path, 2)
    number, meaning = value(scale, 250)
    assert number == pytest.approx(2.5)
    assert (meaning, scale.unit) == ("rescaled", "Gy")


def test_a_real_world_value_is_told_with_its_unit(tmp_path: Path) -> None:
    ds, item, code = image(SHAPE, "MR", 0), Dataset(), Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = 0.5, 1.0
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "ms", "UCUM", "ms"
    item.MeasurementUnitsCodeSequence = Sequence([code])
    ds.RealWorldValueMappingSequence = Sequence([item])
    scale = scale_in(ds, tmp_path)
    assert (*value(scale, 8), scale.unit) == (5, "real world", "ms")


def test_what_says_nothing_is_as_it_is_stored(tmp_path: Path) -> None:
    scale = scale_in(image(SHAPE, "MR", 0), tmp_path)
    assert (*value(scale, 8), scale.unit) == (8, "stored", "")


def test_bits_that_are_not_stored_do_not_count_but_where_they_say_that_nothing_was_measured(tmp_path: Path) -> None:
    ds = image(SHAPE, "CT", 0)
    ds.add_new("PixelPaddingValue", "US", 63536)
    scale = scale_in(ds, tmp_path)
    assert value(scale, 0xF000 | 1064) == (40, "rescaled")
    assert value(scale, 63536) == (63536 - 1024, "padding")


def test_what_decoding_laid_otherwise_is_read_as_it_lies(tmp_path: Path) -> None:
    scale = scale_in(image(SHAPE, "CT", 0), tmp_path).decoded_as(8, 8, 7, is_signed=False)
    assert value(scale, 200, "u1") == (-824, "rescaled")


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"RescaleIntercept": None}, "Rescale Slope or Intercept is missing"),
        ({"BitsStored": 40}, "says of itself what cannot be"),
        ({"SamplesPerPixel": 3}, "colour"),
    ],
)
def test_what_does_not_say_what_its_numbers_are_is_refused(
    tmp_path: Path, broken: dict[str, object], sentence: str
) -> None:
    ds = image(SHAPE, "CT", 0)
    for keyword, bad in broken.items():
        setattr(ds, keyword, bad)
    with pytest.raises(UnreadableObject, match=sentence):
        scale_in(ds, tmp_path)


def test_a_dose_without_scaling_and_a_file_that_is_gone_are_refused(tmp_path: Path) -> None:
    ds = dose(SHAPE, (0, 3))
    del ds.DoseGridScaling
    with pytest.raises(UnreadableObject, match="Dose Grid Scaling"):
        scale_in(ds, tmp_path)
    with pytest.raises(UnreadableObject, match="cannot be read"):
        scale_of(tmp_path / "gone", 1)
