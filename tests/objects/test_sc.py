"""Secondary Capture: what others accept, and what comes back."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit

from radfuse.core.errors import InvalidGeometry, InvalidObject, UnreadableObject
from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.objects.checking import facts_of, faults_of
from radfuse.objects.common import Code, encode
from radfuse.objects.sc import Capture, CaptureClass, build_capture, read_capture
from tests.support import judges
from tests.support.resampled import FRAME, making, provenance, series, sources

MIP = Code("113078", "DCM", "Maximum intensity projection")
ROWS, COLUMNS = 5, 7


def pixels(kind: str, frames: int = 3) -> npt.NDArray[Any]:
    random = np.random.default_rng(5)
    if kind == "bit":
        return random.random((frames, ROWS, COLUMNS)) > 0.5
    if kind == "word":
        return random.integers(0, 65536, (frames, ROWS, COLUMNS)).astype(np.uint16)
    shape = (frames, ROWS, COLUMNS, 3) if kind == "colour" else (frames, ROWS, COLUMNS)
    return random.integers(0, 256, shape).astype(np.uint8)


def turning_planes(frames: int = 3) -> tuple[Grid, ...]:
    """The planes of a rotating projection: each turned a little further about the body's axis."""
    planes = []
    for number in range(frames):
        angle = 2 * np.pi * number / 36
        across = np.array([np.cos(angle), np.sin(angle), 0.0])
        down = np.array([0.0, 0.0, -1.0])
        linear = np.stack((across * 1.5, down * 2.0, np.cross(across, down) * 4.0), axis=1)
        planes.append(Grid((1, ROWS, COLUMNS), Affine.of(linear, (1.0, 2.0, 3.0)), FRAME))
    return tuple(planes)


def built(capture: Capture, **more: Any) -> Dataset:
    images = sources("CT")
    return build_capture(capture, images, series(), provenance(images), making(), **more)


CASES = {
    "one colour picture": (Capture(pixels("colour", 1), False), True),
    "one gray picture in the patient": (Capture(pixels("byte", 1), True, planes=turning_planes(1)), True),
    "single bits": (Capture(pixels("bit"), False), False),
    "bytes as a cine in the patient": (
        Capture(pixels("byte"), False, frame_time_ms=100.0, planes=turning_planes(), kind="MIP"),
        False,
    ),
    "words as pages": (Capture(pixels("word"), False, window=(40.0, 400.0)), False),
    "colours as a cine": (Capture(pixels("colour"), True, frame_time_ms=83.333, visual_features=True), False),
    "one frame of a multi-frame class": (Capture(pixels("word", 1), False), False),
}


@pytest.mark.parametrize("name", CASES)
def test_dciodvfy_and_our_own_rules_accept_it(name: str, tmp_path: Path) -> None:
    capture, single = CASES[name]
    ds = built(capture, single=single, derivation=MIP)
    assert judges.dciodvfy(judges.written(ds, tmp_path)) == []
    assert faults_of(ds, facts_of(sources("CT"))) == ()


@pytest.mark.parametrize("name", CASES)
def test_pixels_timing_and_planes_come_back(name: str, tmp_path: Path) -> None:
    capture, single = CASES[name]
    path = judges.written(built(capture, single=single), tmp_path)
    read = read_capture(pydicom.dcmread(path))
    assert read.frames.dtype == capture.frames.dtype
    assert np.array_equal(read.frames, capture.frames)
    assert read.frame_time_ms == pytest.approx(capture.frame_time_ms)
    assert (read.burned_in_annotation, read.visual_features) == (capture.burned_in_annotation, capture.visual_features)
    assert (read.kind, read.window) == (capture.kind, capture.window)
    assert len(read.planes) == len(capture.planes)
    assert all(after.matches(before) for after, before in zip(read.planes, capture.planes, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_pydicom_sees_the_same_pixels(name: str, tmp_path: Path) -> None:
    capture, single = CASES[name]
    path = judges.written(built(capture, single=single), tmp_path)
    seen = pydicom.dcmread(path).pixel_array
    assert np.array_equal(seen.reshape(capture.frames.shape), capture.frames.astype(seen.dtype))


def test_the_class_follows_from_the_pixels() -> None:
    classes = {kind: Capture(pixels(kind), False).multi_frame_class for kind in ("bit", "byte", "word", "colour")}
    assert classes == {
        "bit": CaptureClass.SINGLE_BIT,
        "byte": CaptureClass.GRAYSCALE_BYTE,
        "word": CaptureClass.GRAYSCALE_WORD,
        "colour": CaptureClass.TRUE_COLOUR,
    }


def test_a_cine_points_to_its_frame_time_and_pages_to_their_numbers() -> None:
    cine = built(CASES["colours as a cine"][0])
    assert (cine.FrameIncrementPointer, float(cine.FrameTime), cine.CineRate) == (0x00181063, 83.333, 12)
    pages = built(CASES["words as pages"][0])
    assert (pages.FrameIncrementPointer, list(pages.PageNumberVector)) == (0x00182001, [1, 2, 3])


def test_it_says_what_it_was_made_from_and_whether_a_patient_shows() -> None:
    ds = built(CASES["colours as a cine"][0], derivation=MIP)
    assert [item.ReferencedSOPInstanceUID for item in ds.SourceImageSequence] == [
        image.SOPInstanceUID for image in sources("CT")
    ]
    assert ds.DerivationCodeSequence[0].CodeValue == "113078"
    assert "linear" in ds.DerivationDescription
    assert (ds.BurnedInAnnotation, ds.RecognizableVisualFeatures) == ("YES", "YES")
    assert built(CASES["words as pages"][0]).BurnedInAnnotation == "NO"


def test_a_plane_says_where_rows_and_columns_point() -> None:
    ds = built(CASES["one gray picture in the patient"][0], single=True)
    assert list(ds.PatientOrientation) == ["L", "F"]


@pytest.mark.parametrize(
    ("frames", "more", "reason"),
    [
        (np.zeros((2, 3), np.uint8), {}, "frames x rows x columns"),
        (np.zeros((1, 2, 3), np.float32), {}, "frames x rows x columns"),
        (np.zeros((0, 2, 3), np.uint8), {}, "frames x rows x columns"),
        (np.zeros((1, 2, 3, 4), np.uint8), {}, "frames x rows x columns"),
        (np.zeros((1, 2, 3, 3), np.uint16), {}, "frames x rows x columns"),
        (pixels("byte"), {"frame_time_ms": 0.0}, "more than 0"),
        (pixels("byte"), {"planes": turning_planes(2)}, "a plane for each frame"),
        (np.zeros((1, 2, 2), np.uint8), {"planes": turning_planes(1)}, "rows and columns"),
        (np.zeros((1, 1, 70000), np.uint8), {}, "65,535"),
    ],
)
def test_a_capture_that_cannot_be_is_refused(frames: npt.NDArray[Any], more: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidObject, match=reason):
        Capture(frames, False, **more)


def test_what_a_class_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidObject, match="one frame of bytes"):
        built(Capture(pixels("byte", 2), False), single=True)
    with pytest.raises(InvalidObject, match="one frame of bytes"):
        built(Capture(pixels("word", 1), False), single=True)
    with pytest.raises(InvalidObject, match="no place for a geometry"):
        built(Capture(pixels("bit"), False, planes=turning_planes()))
    with pytest.raises(InvalidObject, match="needs the images"):
        build_capture(Capture(pixels("byte"), False), [], series(), provenance([]), making())


def test_planes_in_several_or_unknown_frames_are_refused() -> None:
    first, *others = turning_planes()
    elsewhere = Grid(first.shape, first.to_patient, FrameOfReference("2.25.555"))
    with pytest.raises(InvalidObject, match="one frame of reference"):
        built(Capture(pixels("byte"), False, planes=(elsewhere, *others)))
    nowhere = Grid(first.shape, first.to_patient, FrameOfReference())
    with pytest.raises(InvalidGeometry, match="no frame of reference"):
        built(Capture(pixels("byte", 1), False, planes=(nowhere,)), single=True)


def test_lossy_sources_make_a_lossy_capture() -> None:
    images = sources("CT")
    images[2].LossyImageCompression, images[2].LossyImageCompressionRatio = "01", "9"
    ds = build_capture(Capture(pixels("byte"), False), images, series(), provenance(images), making())
    assert (ds.LossyImageCompression, ds.LossyImageCompressionRatio) == ("01", 9)
    assert faults_of(ds, facts_of(images)) == ()


def test_the_same_input_gives_the_same_bytes() -> None:
    capture = CASES["colours as a cine"][0]
    assert encode(built(capture)) == encode(built(capture))


# --- foreign captures ----------------------------------------------------------------------------


def changed(kind: str, **values: Any) -> Dataset:
    ds = built(Capture(pixels(kind, 2), False))
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def test_colours_in_planes_are_read() -> None:
    frames = pixels("colour", 2)
    ds = changed("colour", PlanarConfiguration=1, PixelData=np.moveaxis(frames, -1, 1).tobytes())
    assert np.array_equal(read_capture(ds).frames, frames)


@pytest.mark.parametrize(
    ("ds", "reason"),
    [
        (changed("byte", SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), "no Secondary Capture"),
        (changed("byte", PhotometricInterpretation="PALETTE COLOR"), "PALETTE COLOR"),
        (changed("byte", PixelData=b"\0" * 10), "fewer pixels"),
        (changed("byte", Rows=None), "not described"),
        (changed("byte", BitsAllocated=32), "32 bits"),
    ],
)
def test_what_cannot_be_read_is_refused(ds: Dataset, reason: str) -> None:
    with pytest.raises(UnreadableObject, match=reason):
        read_capture(ds)


def test_compressed_captures_are_refused_with_advice() -> None:
    ds = changed("byte")
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    with pytest.raises(UnreadableObject, match="transcode them"):
        read_capture(ds)


def test_planes_that_make_no_sense_are_left_out() -> None:
    ds = built(Capture(pixels("byte"), False, planes=turning_planes()))
    ds.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence = []
    assert read_capture(ds).planes == ()


def test_a_real_true_colour_capture_of_another_program_is_read_or_refused(shared_data: Path) -> None:
    seen = []
    for path in sorted((shared_data / "transfer-syntaxes" / "colour").iterdir()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some say one encoding and use another
            ds = pydicom.dcmread(path, force=True)
        if ds.get("SOPClassUID") in tuple(CaptureClass):
            try:
                frames = read_capture(ds).frames
            except UnreadableObject as error:
                seen.append(str(error))
            else:
                assert np.array_equal(frames.reshape(ds.pixel_array.shape), ds.pixel_array), path.name
                seen.append("")
    assert seen.count("") >= 3
