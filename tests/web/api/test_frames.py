"""The value of a pixel of a single image, over the API: what pydicom reads there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless

from radfuse.services.access_log import AccessQuery, Outcome
from radfuse.web.dicomweb import frames, values
from tests.support.generate import SECONDARY_CAPTURE, STUDY_UID, GeneratedSet, base_instance, save
from tests.web.api.conftest import RunningApi
from tests.web.conftest import keep

OUTSIDE = 4000


def address(ds: Dataset) -> str:
    return f"/frames/{ds.SOPInstanceUID}/value"


def colour_image(number: int, **more: object) -> Dataset:
    ds = base_instance(SECONDARY_CAPTURE, "OT", 30, number)
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 2, 3, 3, "RGB"
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation, ds.PlanarConfiguration = 7, 0, 0
    ds.PixelData = bytes(range(10, 28))
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return ds


def test_a_pixel_is_what_its_slope_makes_of_it(filled_api: RunningApi, generated_set: GeneratedSet) -> None:
    for path, unit in ((generated_set.ct[2], "HU"), (generated_set.pet[1], "Bq/ml")):
        ds = dcmread(path)
        row, column = np.argwhere(ds.pixel_array)[0].tolist()
        found = filled_api.get(address(ds), column=column, row=row)
        expected = float(apply_modality_lut(ds.pixel_array, ds)[row, column])
        assert found == {"values": [expected], "unit": unit, "meaning": "rescaled"}


def test_a_frame_is_one_of_many(filled_api: RunningApi, generated_set: GeneratedSet) -> None:
    ds = dcmread(generated_set.multiframe)
    for number in (1, 2):
        row, column = np.argwhere(ds.pixel_array[number - 1])[0].tolist()
        found = filled_api.get(address(ds), frame=number, column=column, row=row)
        assert found["values"] == [float(ds.pixel_array[number - 1, row, column])]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"column": OUTSIDE, "row": 0}, 422),
        ({"column": 0, "row": OUTSIDE}, 422),
        ({"column": 0, "row": 0, "frame": 99}, 404),
        ({"column": -1, "row": 0}, 400),
        ({"row": 0}, 400),
        ({"column": 0, "row": 0, "database": "none"}, 404),
    ],
)
def test_what_is_not_there_has_no_value(
    filled_api: RunningApi, generated_set: GeneratedSet, query: dict[str, int | str], status: int
) -> None:
    ds = dcmread(generated_set.multiframe)
    assert filled_api.problem("GET", address(ds), None, **query)["status"] == status


def test_an_object_without_pixels_and_one_that_is_not_kept_have_no_value(
    filled_api: RunningApi, generated_set: GeneratedSet
) -> None:
    for path in (address(dcmread(generated_set.rtstruct)), "/frames/2.25.99/value"):
        assert filled_api.problem("GET", path, None, column=0, row=0)["status"] == 404
    assert filled_api.problem("GET", "/frames/x/value", None, column=0, row=0)["status"] == 400


def test_colour_is_red_green_and_blue(shared_api: RunningApi, tmp_path: Path) -> None:
    palette: dict[str, object] = {}
    for place, name in enumerate(("Red", "Green", "Blue")):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [32, 0, 8]
        palette[f"{name}PaletteColorLookupTableData"] = bytes((each + place) % 256 for each in range(100, 132))
    indexed = {"PhotometricInterpretation": "PALETTE COLOR", "SamplesPerPixel": 1, "PixelData": bytes(range(10, 16))}
    plain, planes = colour_image(1), colour_image(2, PlanarConfiguration=1)
    table = colour_image(3, **indexed, **palette)
    grey = colour_image(4, PhotometricInterpretation="YBR_FULL", PixelData=bytes((77, 128, 128)) * 6)
    for ds in (plain, planes, table, grey):
        keep(shared_api.archive, save(ds, tmp_path, str(ExplicitVRLittleEndian)))
    found = [shared_api.get(address(ds), column=1, row=1) for ds in (plain, planes, table, grey)]
    assert [each["values"] for each in found] == [[22, 23, 24], [14, 20, 26], [114, 115, 116], [77, 77, 77]]
    assert {(each["unit"], each["meaning"]) for each in found} == {("", "colour")}


def test_what_is_no_number_is_null(shared_api: RunningApi, tmp_path: Path) -> None:
    ds = base_instance("1.2.840.10008.5.1.4.1.1.30", "MR", 31, 1)
    ds.Rows = ds.Columns = 2
    ds.SamplesPerPixel, ds.BitsAllocated, ds.PhotometricInterpretation = 1, 32, "MONOCHROME2"
    ds.FloatPixelData = np.array([0.25, np.nan, -3.5, np.inf], "<f4").tobytes()
    keep(shared_api.archive, save(ds, tmp_path, str(ExplicitVRLittleEndian)))
    found = [shared_api.get(address(ds), column=at % 2, row=at // 2)["values"] for at in range(4)]
    assert found == [[0.25], [None], [-3.5], [None]]


def test_pixels_that_nobody_can_decode_have_no_value_and_that_is_said(shared_api: RunningApi, tmp_path: Path) -> None:
    ds = colour_image(5, PhotometricInterpretation="MONOCHROME2", SamplesPerPixel=1)
    ds.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x08\0\0\0no image\xfe\xff\xdd\xe0\0\0\0\0"
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    keep(shared_api.archive, save(ds, tmp_path, str(JPEG2000Lossless)))
    problem = shared_api.problem("GET", address(ds), None, column=0, row=0)
    assert problem["status"] == 422
    assert "have it sent in another transfer syntax" in problem["detail"]


@dataclass
class Counted:
    """How often frames are decoded."""

    times: int = 0


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted, decode = Counted(), frames.native_frame

    def counting(*arguments: object) -> object:
        counted.times += 1
        return decode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(values, "native_frame", counting)
    return counted


@pytest.mark.parametrize("name", ["CTImage.dcm_RLELossless*", "SC_rgb_rle_16bit_2frame.dcm"])
def test_a_compressed_frame_is_decoded_once_however_the_pointer_moves(
    shared_api: RunningApi, shared_data: Path, decoded: Counted, name: str
) -> None:
    path = next((shared_data / "transfer-syntaxes").rglob(name), None)
    if path is None:
        pytest.skip("the compressed object is not among the real data")
    ds = dcmread(path)
    keep(shared_api.archive, path)
    number = int(ds.get("NumberOfFrames", 1))
    frame = apply_modality_lut(ds.pixel_array[-1] if number > 1 else ds.pixel_array, ds)
    places = [(column, row) for column in (0, ds.Columns // 2, ds.Columns - 1) for row in (1, ds.Rows // 2)]
    found = [shared_api.get(address(ds), frame=number, column=column, row=row)["values"] for column, row in places]
    assert found == [np.atleast_1d(frame[row, column]).astype(float).tolist() for column, row in places]
    assert decoded.times == 1


def test_the_access_log_has_one_line_for_all_that_was_pointed_at(
    filled_api: RunningApi, generated_set: GeneratedSet
) -> None:
    for column in range(5):
        filled_api.get(address(dcmread(generated_set.ct[0])), column=column, row=1)
    filled_api.desk.access_log.flush()
    lines = filled_api.desk.access_log.page(AccessQuery())[0]
    assert [(line.action, line.study) for line in lines if line.outcome is Outcome.DONE] == [("view", STUDY_UID)]


def test_only_so_many_frames_are_kept(shared_api: RunningApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "_KEPT_BYTES", 40)
    kept = values.KeptFrames()
    source = values.FrameValues(next(iter(shared_api.desk.databases.values())), kept)
    images = [colour_image(number) for number in (1, 2, 3)]
    for ds in images:
        keep(shared_api.archive, save(ds, tmp_path, str(ExplicitVRLittleEndian)))
        source.at(str(ds.SOPInstanceUID), 1, 0, 0)
    assert kept.size_bytes == 2 * 18
