"""Frames and pictures: the pixels that pydicom sees, read from where they lie or decoded."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from dicomweb_client import DICOMwebClient

from tests.support.generate import STUDY_UID, GeneratedSet
from tests.web.conftest import RunningWeb, keep
from tests.web.test_retrieving import parts_of, path_of

NATIVE = 'multipart/related; type="application/octet-stream"'


def test_dicomweb_client_gets_the_frames_of_a_multi_frame_image(
    filled: RunningWeb, generated_set: GeneratedSet
) -> None:
    stored = pydicom.dcmread(generated_set.multiframe)
    frames = stored.pixel_array
    client = DICOMwebClient(filled.dicomweb)
    got = client.retrieve_instance_frames(STUDY_UID, stored.SeriesInstanceUID, stored.SOPInstanceUID, [2, 1])
    assert got == [frames[1].tobytes(), frames[0].tobytes()]


@pytest.mark.parametrize("frames", ["0", "99", "1,99"])
def test_a_frame_that_is_not_there_is_not_found(filled: RunningWeb, generated_set: GeneratedSet, frames: str) -> None:
    path = path_of(pydicom.dcmread(generated_set.multiframe))
    assert filled.get(f"{path}/frames/{frames}").status_code == 404


@pytest.mark.parametrize("frames", ["x", "1,", "-1", "1;2", "9" * 30])
def test_a_list_of_frames_that_is_none_is_a_bad_request(
    filled: RunningWeb, generated_set: GeneratedSet, frames: str
) -> None:
    path = path_of(pydicom.dcmread(generated_set.multiframe))
    assert filled.get(f"{path}/frames/{frames}").status_code == 400


def test_an_object_without_pixels_has_no_frames_and_no_picture(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    path = path_of(pydicom.dcmread(generated_set.rtstruct))
    assert filled.get(f"{path}/frames/1").status_code == 404
    assert filled.get(f"{path}/rendered").status_code == 404


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        (NATIVE, 200),
        (f"{NATIVE}; transfer-syntax=*", 200),
        (f"{NATIVE}; transfer-syntax=1.2.840.10008.1.2.1", 200),
        ("application/octet-stream", 200),
        ("image/jls, application/octet-stream;q=0.1", 200),
        ("image/jls", 406),
        ("text/html", 406),
    ],
)
def test_native_frames_come_to_whoever_takes_them(
    filled: RunningWeb, generated_set: GeneratedSet, accept: str, status: int
) -> None:
    stored = pydicom.dcmread(generated_set.ct[0])
    response = filled.get(path_of(stored) + "/frames/1", accept)
    assert response.status_code == status
    if status == 200:
        is_multipart = response.headers["content-type"].startswith("multipart")
        body = parts_of(response.content, response.headers["content-type"])[0][1] if is_multipart else response.content
        assert body == stored.PixelData


COMPRESSED = ("JPEG2000", "JPEG-lossy", "MR_small_RLE", "MR_small_jp2klossless", "emri_small_jpeg_ls_lossless")


def compressed_files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted((folder / "transfer-syntaxes").rglob("*.dcm"))
        if any(path.stem == name for name in COMPRESSED)
    ]


def test_compressed_frames_come_as_stored_or_decoded(web: RunningWeb, shared_data: Path) -> None:
    paths = compressed_files(shared_data)
    if not paths:
        pytest.skip("no compressed objects among the real data")
    compared = 0
    for path in paths:
        stored = pydicom.dcmread(path)
        keep(web.archive, path)
        syntax = stored.file_meta.TransferSyntaxUID
        first = next(
            pydicom.encaps.generate_frames(stored.PixelData, number_of_frames=int(stored.get("NumberOfFrames", 1)))
        )
        response = web.get(path_of(stored) + "/frames/1", f"{NATIVE}; transfer-syntax=*")
        ((head, body),) = parts_of(response.content, response.headers["content-type"])
        assert body == first
        assert f"transfer-syntax={syntax}" in head
        response = web.get(path_of(stored) + "/frames/1", f"{NATIVE}; transfer-syntax=1.2.840.10008.1.2.1")
        assert response.status_code == 200, (path.name, response.text)
        ((_, body),) = parts_of(response.content, response.headers["content-type"])
        pixels = stored.pixel_array
        frame = pixels[0] if int(stored.get("NumberOfFrames", 1)) > 1 else pixels
        if "LOSSY" not in path.stem.upper() and "lossy" not in path.stem:
            assert body == np.ascontiguousarray(frame).tobytes(), path.name
            compared += 1
    assert compared


def test_frames_of_single_bits_begin_with_their_own_first_bit(web: RunningWeb, tmp_path: Path) -> None:
    bits = np.random.default_rng(1).integers(0, 2, (5, 3, 7), dtype=np.uint8)
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7.1", "2.25.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.PatientID = "2.25.2", "2.25.3", "P"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.NumberOfFrames = 3, 7, 1, 5
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = dataset.PixelRepresentation = 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    dataset.PixelData = packed + bytes(len(packed) & 1)
    dataset["PixelData"].VR = "OB"
    save(tmp_path / "bits.dcm", dataset)
    keep(web.archive, tmp_path / "bits.dcm")
    response = web.get(path_of(dataset) + "/frames/1,2,3,4,5", NATIVE)
    for frame, (_, body) in zip(bits, parts_of(response.content, response.headers["content-type"]), strict=True):
        got = np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")[: frame.size]
        assert np.array_equal(got.reshape(frame.shape), frame)
    picture = web.get(path_of(dataset) + "/frames/3/rendered?window=0.5,1,linear-exact", "image/png")
    assert np.array_equal(imagecodecs.png_decode(picture.content), bits[2] * 255)


def save(path: Path, dataset: pydicom.Dataset) -> None:
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    dataset.file_meta = meta
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def test_a_large_frame_comes_in_pieces_alone_and_in_a_multipart_body(web: RunningWeb, tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 65536, (2100, 2100), dtype=np.uint16)
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "2.25.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.PatientID = "2.25.2", "2.25.3", "P"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *pixels.shape, 1
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.PhotometricInterpretation = 15, 0, "MONOCHROME2"
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    save(tmp_path / "large.dcm", dataset)
    keep(web.archive, tmp_path / "large.dcm")
    assert web.get(path_of(dataset) + "/frames/1", "application/octet-stream").content == pixels.tobytes()
    response = web.get(path_of(dataset) + "/frames/1", NATIVE)
    assert parts_of(response.content, response.headers["content-type"])[0][1] == pixels.tobytes()


# --- pictures ------------------------------------------------------------------------------------


def grey(stored: pydicom.Dataset, center: float, width: float) -> np.ndarray:
    """PS3.3 section C.11.2.1.2.1, written again."""
    values = stored.pixel_array.astype(float) * float(stored.get("RescaleSlope", 1))
    values += float(stored.get("RescaleIntercept", 0))
    shown = ((values - (center - 0.5)) / (width - 1) + 0.5) * 255
    return np.clip(shown, 0, 255)


def test_a_picture_shows_the_window_that_is_asked_for(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    stored = pydicom.dcmread(generated_set.ct[0])
    for center, width in ((40, 400), (-600, 1500)):
        response = filled.get(f"{path_of(stored)}/rendered?window={center},{width},linear", "image/png")
        assert response.headers["content-type"] == "image/png"
        difference = imagecodecs.png_decode(response.content).astype(float) - grey(stored, center, width)
        assert np.abs(difference).max() <= 1


def test_a_picture_is_jpeg_by_default_and_fits_the_viewport(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    path = path_of(pydicom.dcmread(generated_set.ct[0]))
    response = filled.get(f"{path}/rendered?viewport=20,100")
    assert response.headers["content-type"] == "image/jpeg"
    assert imagecodecs.jpeg8_decode(response.content).shape == (20, 20)
    part = filled.get(f"{path}/rendered?viewport=16,16,8,8,4,4", "image/png")
    assert imagecodecs.png_decode(part.content).shape == (16, 16)


def test_thumbnails_stand_for_every_level(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    path = path_of(pydicom.dcmread(generated_set.ct[0]))
    for level in (f"/studies/{STUDY_UID}", path.rpartition("/instances")[0], path, path + "/frames/1"):
        response = filled.get(level + "/thumbnail", "image/png")
        assert max(imagecodecs.png_decode(response.content).shape[:2]) == 128


def test_a_rendered_series_has_a_picture_for_each_image(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    path = path_of(pydicom.dcmread(generated_set.ct[0])).rpartition("/instances")[0]
    response = filled.get(path + "/rendered", 'multipart/related; type="image/jpeg"')
    parts = parts_of(response.content, response.headers["content-type"])
    assert len(parts) == len(generated_set.ct)
    assert all(body.startswith(b"\xff\xd8") for _, body in parts)


@pytest.mark.parametrize(
    "query",
    ["window=1", "window=1,0", "window=1,2,cubic", "window=nan,1", "viewport=0,1", "viewport=99999,1", "quality=0",
     "viewport=10,10,900,900,4,4", "quality=x"],
)  # fmt: skip
def test_an_impossible_picture_is_a_bad_request(filled: RunningWeb, generated_set: GeneratedSet, query: str) -> None:
    path = path_of(pydicom.dcmread(generated_set.ct[0]))
    assert filled.get(f"{path}/rendered?{query}").status_code == 400


def test_colours_are_shown_as_colours(web: RunningWeb, tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "2.25.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.PatientID = "2.25.2", "2.25.3", "P"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.PlanarConfiguration = 6, 8, 3, 1
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.PhotometricInterpretation = 7, 0, "RGB"
    dataset.PixelData = pixels.transpose(2, 0, 1).tobytes()
    dataset["PixelData"].VR = "OB"
    save(tmp_path / "colour.dcm", dataset)
    keep(web.archive, tmp_path / "colour.dcm")
    picture = web.get(path_of(dataset) + "/rendered", "image/png")
    assert np.array_equal(imagecodecs.png_decode(picture.content), pixels)
