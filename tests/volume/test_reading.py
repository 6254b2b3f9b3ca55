"""Stored values become numbers of a unit: bits, byte orders, rescales, padding, compression, memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLossless,
    RLELossless,
)

from radfuse.core.errors import CannotBuildVolume, CannotComputeSUV
from radfuse.dicom import Transcoder
from radfuse.volume import FindingKind, Stack, Unit, Volume, read_stack, stacks_of
from tests.support.generate import save
from tests.support.volumes import Edit, Shape, image, pixels_of, put_pixels, write_series

SHAPE = Shape()
KINDS = {"CT": np.int16, "PT": np.float32, "MR": np.float32}


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    with Transcoder(children=2) as transcoder:
        yield transcoder


def only(files: list[Path]) -> Stack:
    (stack,) = stacks_of(files)
    return stack


def read(
    folder: Path, count: int = 3, modality: str = "CT", edit: Edit | None = None, unit: Unit | None = None
) -> Volume:
    return read_stack(only(write_series(folder, count, modality=modality, edit=edit)), unit)


def sentences(volume: Volume, kind: FindingKind) -> list[str]:
    return [finding.sentence for finding in volume.findings if finding.kind is kind]


# --- bits and byte orders --------------------------------------------------------------------


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
@pytest.mark.parametrize("modality", ["CT", "PT"])
def test_native_pixels_of_every_syntax_are_the_same(
    tmp_path: Path, syntax: str, modality: str, transcoder: Transcoder
) -> None:
    images = [image(SHAPE, modality, number) for number in range(3)]
    if syntax == ExplicitVRBigEndian:
        for ds in images:
            ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
            ds["PixelData"].VR = "OW"
    stack = only([save(ds, tmp_path, syntax) for ds in images])
    volume = read_stack(stack, transcoder=transcoder)
    stored = np.stack([pixels_of(SHAPE, number) for number in range(3)])
    assert volume.voxels.dtype == KINDS[modality]
    assert np.array_equal(volume.voxels, stored - 1024.0 if modality == "CT" else 2.5 * stored)


@pytest.mark.parametrize(
    ("allocated", "stored", "high"), [(16, 12, 11), (16, 12, 15), (16, 10, 11), (8, 6, 5), (32, 20, 19)]
)
@pytest.mark.parametrize("signed", [False, True])
def test_bits_beyond_those_stored_are_not_believed(
    tmp_path: Path, allocated: int, stored: int, high: int, signed: bool
) -> None:
    meant = np.arange(30).reshape(6, 5) - (15 if signed else 0)
    raw = (meant & ((1 << stored) - 1)) << (high - stored + 1)
    noise = ((1 << allocated) - 1) ^ (((1 << stored) - 1) << (high - stored + 1))

    def put(ds: Dataset, number: int) -> None:
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, stored, high, int(signed)
        ds.PixelData = (raw | noise).astype(f"<u{allocated // 8}").tobytes()
        ds.RescaleIntercept = "0"

    for unit in (Unit.HU, Unit.STORED):
        volume = read(tmp_path / unit, 2, edit=put, unit=unit)
        assert np.array_equal(volume.voxels[1], meant)


def test_whole_hu_that_fit_16_bits_stay_whole_and_others_become_floating_point(tmp_path: Path) -> None:
    def wide(ds: Dataset, number: int) -> None:
        put_pixels(ds, np.full((6, 5), 33000 if number == 1 else 40, np.uint16), stored=16)
        ds.RescaleIntercept = "0"

    def broken(ds: Dataset, _: int) -> None:
        ds.RescaleSlope = "0.5"

    volume = read(tmp_path / "wide", edit=wide)
    assert volume.voxels.dtype == np.float32
    assert volume.voxels.max() == 33000
    assert read(tmp_path / "broken", edit=broken).voxels.dtype == np.float32
    assert read(tmp_path / "whole").voxels.dtype == np.int16


def test_signed_hu_without_intercept_are_read_as_they_lie(tmp_path: Path) -> None:
    values = np.arange(-15, 15, dtype=np.int16).reshape(6, 5)

    def put(ds: Dataset, number: int) -> None:
        put_pixels(ds, values, stored=16)
        ds.RescaleIntercept = "0"

    assert np.array_equal(read(tmp_path, edit=put).voxels[2], values)


# --- rescale ---------------------------------------------------------------------------------


def test_each_slice_has_its_own_slope(tmp_path: Path) -> None:
    volume = read(tmp_path, 4, "PT", lambda ds, number: setattr(ds, "RescaleSlope", str(0.5 + number)))
    assert volume.unit is Unit.BQML
    assert all(np.allclose(volume.voxels[k], (0.5 + k) * pixels_of(SHAPE, k)) for k in range(4))
    assert volume.findings == ()


def test_a_slope_that_changes_its_sign_is_applied_and_said(tmp_path: Path) -> None:
    volume = read(tmp_path, 3, "PT", lambda ds, number: setattr(ds, "RescaleSlope", str(round(1 - number * 0.7, 1))))
    assert volume.voxels[2].max() <= 0
    assert sentences(volume, FindingKind.UNIT)[0].startswith("Rescale Slope is negative in some slices")
    assert [finding.slices for finding in volume.findings] == [(2,)]


def test_an_intercept_in_pet_is_applied_and_said(tmp_path: Path) -> None:
    volume = read(tmp_path, 2, "PT", lambda ds, _: setattr(ds, "RescaleIntercept", "5"))
    assert np.allclose(volume.voxels[0], 2.5 * pixels_of(SHAPE, 0) + 5)
    assert "Rescale Intercept is not 0 in some slices: applied as it stands" in sentences(volume, FindingKind.UNIT)


def _modality_lut(first: int = 0, kind: str = "US") -> Edit:
    def put(ds: Dataset, number: int) -> None:
        item = Dataset()
        item.add_new(0x00283002, "US", [200, first, 16])
        item.ModalityLUTType = kind
        item.add_new(0x00283006, "OW", (3 * np.arange(200) + 1).astype("<u2").tobytes())
        ds.ModalityLUTSequence = Sequence([item])
        if "RescaleSlope" in ds and ds.Modality != "PT":
            del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType

    return put


def test_a_modality_lut_is_applied_and_said(tmp_path: Path) -> None:
    volume = read(tmp_path, 1, "MR", _modality_lut(first=2))
    assert np.array_equal(volume.voxels[0], 3 * np.clip(pixels_of(SHAPE, 0).astype(int) - 2, 0, 199) + 1)
    assert "the numbers come through the Modality LUT of the images" in sentences(volume, FindingKind.UNIT)


def test_a_modality_lut_of_signed_pixels_may_begin_below_0(tmp_path: Path) -> None:
    def put(ds: Dataset, number: int) -> None:
        put_pixels(ds, np.arange(-10, 20, dtype=np.int16).reshape(6, 5), stored=16)
        _modality_lut(first=65536 - 10)(ds, number)

    volume = read(tmp_path, 1, "MR", put)
    assert np.array_equal(volume.voxels[0].ravel(), 3 * np.arange(30) + 1)


def test_a_modality_lut_to_hu_gives_hu(tmp_path: Path) -> None:
    assert read(tmp_path, 1, "CT", _modality_lut(kind="HU")).unit is Unit.HU


def test_a_table_and_a_slope_at_once_are_refused_in_pet(tmp_path: Path) -> None:
    with pytest.raises(CannotBuildVolume, match="a table and a slope"):
        read(tmp_path, 1, "PT", _modality_lut())


def _real_world(slope: float, *, twice: bool = False) -> Edit:
    def put(ds: Dataset, _: int) -> None:
        items = []
        for number in range(2 if twice else 1):
            item, unit = Dataset(), Dataset()
            item.RealWorldValueSlope, item.RealWorldValueIntercept = slope + number, 1.0
            unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "um2/s", "UCUM", "um2/s"
            item.MeasurementUnitsCodeSequence = Sequence([unit])
            items.append(item)
        ds.RealWorldValueMappingSequence = Sequence(items)

    return put


def test_a_real_world_value_mapping_counts_where_there_is_no_rescale(tmp_path: Path) -> None:
    volume = read(tmp_path / "mr", 1, "MR", _real_world(2.0))
    assert np.allclose(volume.voxels[0], 2 * pixels_of(SHAPE, 0) + 1)
    assert sentences(volume, FindingKind.UNIT) == [
        "the numbers come from the Real World Value Mapping of the images (RWV um2/s)"
    ]
    assert read(tmp_path / "ct", 1, "CT", _real_world(2.0)).voxels.min() == -1024
    assert np.array_equal(read(tmp_path / "two", 1, "MR", _real_world(2.0, twice=True)).voxels[0], pixels_of(SHAPE, 0))


def test_broken_rescale_numbers_are_refused(tmp_path: Path) -> None:
    files = write_series(tmp_path, 1)
    files[0].write_bytes(files[0].read_bytes().replace(b"-1024 ", b"-10-4 "))
    with pytest.raises(CannotBuildVolume, match="Rescale Slope or Intercept is missing, or no number"):
        read_stack(only(files))


def test_half_a_rescale_is_refused_but_for_pet(tmp_path: Path) -> None:
    def half(ds: Dataset, _: int) -> None:
        del ds.RescaleIntercept

    assert read(tmp_path / "pet", 1, "PT", half).voxels[0, 0, 1] == 2.5
    with pytest.raises(CannotBuildVolume, match="Rescale Slope or Intercept is missing"):
        read(tmp_path / "ct", 1, "CT", half)


# --- units -----------------------------------------------------------------------------------


UNITS: list[tuple[str, dict[str, Any], Unit]] = [
    ("CT", {}, Unit.HU),
    ("CT", {"RescaleType": None}, Unit.HU),
    ("CT", {"RescaleType": "US"}, Unit.SIGNAL),
    ("CT", {"RescaleType": "OD"}, Unit.SIGNAL),
    ("MR", {}, Unit.SIGNAL),
    ("PT", {"Units": "BQML"}, Unit.BQML),
    ("PT", {"Units": "CNTS"}, Unit.COUNTS),
    ("PT", {"Units": "PROPCPS"}, Unit.SIGNAL),
]


@pytest.mark.parametrize(("modality", "values", "unit"), UNITS)
def test_the_unit_is_what_the_images_say(tmp_path: Path, modality: str, values: dict[str, Any], unit: Unit) -> None:
    def put(ds: Dataset, _: int) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    assert read(tmp_path, 2, modality, put).unit is unit


@pytest.mark.parametrize(
    ("units", "suv_type", "unit"),
    [
        ("GML", "", Unit.SUV_BW),
        ("GML", "BW", Unit.SUV_BW),
        ("GML", "LBM", Unit.SUV_LBM_MORGAN),
        ("GML", "LBMJAMES128", Unit.SUV_LBM_JAMES),
        ("GML", "LBMJANMA", Unit.SUV_LBM_JANMA),
        ("GML", "IBW", Unit.SUV_IBW),
        ("CM2ML", "BSA", Unit.SUV_BSA),
        ("CM2ML", "", Unit.SUV_BSA),
    ],
)
def test_normalised_pet_is_the_suv_it_says(tmp_path: Path, units: str, suv_type: str, unit: Unit) -> None:
    def put(ds: Dataset, _: int) -> None:
        ds.Units, ds.SUVType = units, suv_type

    stack = only(write_series(tmp_path, 2, modality="PT", edit=put))
    assert stack.unit is unit


def test_a_unit_that_the_images_are_not_in_is_refused_with_what_they_are_in(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 2, edit=lambda ds, _: setattr(ds, "RescaleType", "US")))
    with pytest.raises(CannotBuildVolume, match="not in HU; they say US: ask for signal or for stored values"):
        read_stack(stack, Unit.HU)
    with pytest.raises(CannotBuildVolume, match="not in SUVbw"):
        read_stack(stack, Unit.SUV_BW)


def test_ct_without_a_rescale_is_not_in_hu(tmp_path: Path) -> None:
    def bare(ds: Dataset, _: int) -> None:
        del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType

    stack = only(write_series(tmp_path, 2, edit=bare))
    with pytest.raises(CannotBuildVolume, match="they have no Rescale Slope and Intercept"):
        read_stack(stack, Unit.HU)
    assert np.array_equal(read_stack(stack).voxels[1], pixels_of(SHAPE, 1))


def test_stored_values_are_those_in_the_file(tmp_path: Path) -> None:
    volume = read(tmp_path, 2, "PT", unit=Unit.STORED)
    assert np.array_equal(volume.voxels[1], pixels_of(SHAPE, 1))
    assert volume.voxels.dtype == np.int16


def test_suv_without_a_dose_is_refused_by_its_own_rules(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 2, modality="PT"))
    with pytest.raises(CannotComputeSUV):
        read_stack(stack, Unit.SUV_BW)


# --- findings about pixels -------------------------------------------------------------------


@pytest.mark.parametrize("signed", [False, True])
def test_padding_is_kept_and_counted(tmp_path: Path, signed: bool) -> None:
    def put(ds: Dataset, number: int) -> None:
        pixels = pixels_of(SHAPE, number).astype(np.int32)
        pixels[0, :2] = -2000 if signed else 4000
        put_pixels(ds, pixels.astype(np.int16) if signed else pixels.astype(np.uint16), stored=16)
        ds.add_new(0x00280120, "SS" if signed else "US", -2000 if signed else 4000)

    volume = read(tmp_path, 3, edit=put)
    assert sentences(volume, FindingKind.PIXELS) == [
        f"6 voxels have the Pixel Padding Value ({-3024 if signed else 2976} HU): they were never measured, "
        "and are kept as they are"
    ]
    assert volume.voxels[0, 0, 0] == (-3024 if signed else 2976)


def test_monochrome1_is_said_and_changes_no_number(tmp_path: Path) -> None:
    volume = read(tmp_path, 2, edit=lambda ds, _: setattr(ds, "PhotometricInterpretation", "MONOCHROME1"))
    assert np.array_equal(volume.voxels[1], pixels_of(SHAPE, 1).astype(np.int16) - 1024)
    assert len(sentences(volume, FindingKind.PIXELS)) == 1


@pytest.mark.parametrize(("keyword", "kind"), [("FloatPixelData", "<f4"), ("DoubleFloatPixelData", "<f8")])
def test_floating_point_pixels_are_read(tmp_path: Path, keyword: str, kind: str) -> None:
    values = np.linspace(-1, 1, 30).reshape(6, 5).astype(kind)

    def put(ds: Dataset, _: int) -> None:
        del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
        ds.BitsAllocated = 8 * values.itemsize
        setattr(ds, keyword, values.tobytes())

    volume = read(tmp_path, 2, "MR", put)
    assert np.allclose(volume.voxels[1], values)


def test_floating_point_pixels_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    values = np.ones((6, 5), "<f4")
    values[0, 0], values[0, 1] = np.nan, np.inf

    def put(ds: Dataset, _: int) -> None:
        del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
        ds.BitsAllocated, ds.FloatPixelData = 32, values.tobytes()

    volume = read(tmp_path, 2, "MR", put)
    assert sentences(volume, FindingKind.PIXELS) == [
        "4 voxels are no number (NaN) or infinite, and are kept as they are"
    ]


def test_a_large_whole_slope_does_not_run_over(tmp_path: Path) -> None:
    volume = read(tmp_path, 2, edit=lambda ds, _: setattr(ds, "RescaleSlope", "1000000"))
    assert volume.voxels.max() == pytest.approx(float(pixels_of(SHAPE, 1).max()) * 1e6, rel=1e-4)


# --- compression -----------------------------------------------------------------------------


def test_compressed_series_are_decoded_in_child_processes(tmp_path: Path, transcoder: Transcoder) -> None:
    files = write_series(tmp_path / "native", 6)
    packed = []
    for file in files:
        ds = dcmread(file)
        ds.compress(RLELossless, generate_instance_uid=False)
        packed.append(tmp_path / file.name)
        ds.save_as(packed[-1])
    volume = read_stack(only(packed), transcoder=transcoder)
    assert np.array_equal(volume.voxels, read_stack(only(files)).voxels)
    assert transcoder.pids


def test_pixels_that_cannot_be_decoded_are_refused_by_name(tmp_path: Path, transcoder: Transcoder) -> None:
    (file,) = write_series(tmp_path, 1)
    ds = dcmread(file)
    ds.compress(RLELossless, generate_instance_uid=False)
    ds.file_meta.TransferSyntaxUID = JPEGLossless
    ds.save_as(file)
    with pytest.raises(CannotBuildVolume, match=r"pixels in JPEG Lossless.*cannot be decoded"):
        read_stack(only([file]), transcoder=transcoder)


def test_a_file_that_shrank_meanwhile_is_refused(tmp_path: Path) -> None:
    files = write_series(tmp_path, 3)
    stack = only(files)
    files[1].write_bytes(files[1].read_bytes()[:-100])
    with pytest.raises(CannotBuildVolume, match="became shorter"):
        read_stack(stack)


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    files = write_series(tmp_path, 3)
    stack = only(files)
    files[1].unlink()
    with pytest.raises(CannotBuildVolume, match="cannot be read"):
        read_stack(stack)


# --- what it costs ---------------------------------------------------------------------------

_MEASURE = """
import resource, sys
from pathlib import Path
from radfuse.volume import read_stack, stacks_of
stack, = stacks_of(sorted(Path(sys.argv[1]).iterdir()))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
volume = read_stack(stack)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / volume.voxels.nbytes)
print(*sorted({"pydicom", "imagecodecs", "SimpleITK", "highdicom", "numba"} & set(sys.modules)))
"""


def test_a_volume_costs_less_than_twice_its_size_and_no_heavy_library(tmp_path: Path) -> None:
    from tests.support.volumes import write_large_ct

    write_large_ct(tmp_path, 40, 512)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    times_its_size, loaded = done.stdout.splitlines()
    assert float(times_its_size) < 2
    assert loaded == ""
