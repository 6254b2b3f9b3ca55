"""Pixels that show whose they are: what is refused, what is blanked, and that nothing else changes."""

from __future__ import annotations

import io
import pickle
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence

from radfuse.core.errors import CannotAnonymize
from radfuse.deid import Option, Profile, ProjectKey
from radfuse.deid.engine import Anonymized, Anonymizer
from radfuse.deid.pixels import PixelPolicy, PixelStep
from radfuse.deid.pixels.blanking import Blanker, darkest_entry
from radfuse.deid.pixels.rules import rules_of
from radfuse.dicom import Transcoder
from radfuse.dicom.tree import Node, Tree
from tests.dicom.codecs.images import (
    BASELINE,
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    EXTENDED,
    IMPLICIT,
    J2K,
    J2K_LOSSLESS,
    JPEG_LS,
    LOSSLESS,
    LOSSLESS_SV1,
    RLE,
    Kind,
    Samples,
    data_set,
    foreign_stream,
    with_meta,
    write,
    write_encapsulated,
)

KEY = ProjectKey(b"a key of the tests that is long enough")
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
GRAY = Kind(8, 8)
BLANK = [[2, 1, 9, 4], [0, 18, 17, 3]]
"""Left, top, width, height."""


def policy(kind: Kind = GRAY) -> PixelPolicy:
    row = {"name": "test device", "manufacturer": "acme*", "rows": kind.rows, "columns": kind.columns, "blank": BLANK}
    return PixelPolicy(rules_of({"rules": [row]}, "test"))


def within() -> Samples:
    """Which pixels are in the rectangles."""
    mask = np.zeros((GRAY.rows, GRAY.columns), bool)
    for left, top, width, height in BLANK:
        mask[top : top + height, left : left + width] = True
    return mask


def risky(kind: Kind, pixels: Samples | None = None) -> Dataset:
    ds = data_set(kind, kind.pixels() if pixels is None else pixels)
    ds.SOPClassUID = SECONDARY_CAPTURE
    ds.Manufacturer = "ACME Imaging"
    del ds[0x00280106]
    return ds


@cache
def one_blanker() -> Blanker:
    """One child process for all tests: to start one takes longer than a test."""
    return Blanker()


@pytest.fixture(scope="module", autouse=True)
def _no_process_stays() -> Iterator[None]:
    yield
    one_blanker().close()
    one_blanker.cache_clear()


def anonymized(path: Path, *options: Option, pixels: PixelPolicy | None = None) -> tuple[Anonymized, Dataset]:
    profile = Profile(frozenset(options))
    anonymizer = Anonymizer(profile, KEY)
    anonymizer.pixels = PixelStep(profile, pixels, one_blanker())
    done = anonymizer.anonymize(path.read_bytes())
    return done, pydicom.dcmread(io.BytesIO(b"".join(done.pieces)))


def frames(ds: Dataset, kind: Kind) -> Samples:
    """Decoded as they are stored: (frames, rows, columns[, samples])."""
    if ds.file_meta.TransferSyntaxUID in (LOSSLESS_SV1, EXTENDED):
        streams = generate_frames(ds.PixelData, number_of_frames=kind.frames)
        return np.stack([imagecodecs.jpeg8_decode(stream) for stream in streams]).reshape(kind.pixels().shape)
    if ds.file_meta.TransferSyntaxUID == JPEG_LS:
        streams = generate_frames(ds.PixelData, number_of_frames=kind.frames)
        return np.stack([imagecodecs.jpegls_decode(stream) for stream in streams]).reshape(kind.pixels().shape)
    return pixel_array(ds, raw=True).reshape(kind.pixels().shape)


KINDS = [
    Kind(8, 8),
    Kind(8, 8, frames=3),
    Kind(12, 16),
    Kind(12, 16, signed=True, frames=2),
    Kind(16, 16, signed=True),
    Kind(8, 8, colour="RGB", frames=2),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN])
def test_native_pixels_are_blanked_in_every_frame_and_sample_and_nowhere_else(
    tmp_path: Path, kind: Kind, syntax: str
) -> None:
    path = write(tmp_path / "in.dcm", risky(kind), syntax)
    done, after = anonymized(path, Option.PIXELS, pixels=policy(kind))
    assert after.file_meta.TransferSyntaxUID == done.transfer_syntax_uid == syntax
    _only_the_rectangles_changed(frames(after, kind), kind.pixels(), kind)
    assert after.BurnedInAnnotation == "NO"
    assert done.blanked is not None
    assert done.blanked.frames == kind.frames
    assert len(done.blanked.rectangles) == len(BLANK)
    assert "test device" in done.blanked.reason


def _only_the_rectangles_changed(after: Samples, before: Samples, kind: Kind) -> None:
    mask = within()
    assert np.array_equal(after[:, ~mask], before[:, ~mask])
    for one, frame in zip(after, before, strict=True):
        dark = one[mask]
        assert len(np.unique(dark)) == 1
        assert dark.max() == (frame.min() if kind.signed else 0)


@pytest.mark.parametrize(("kind", "syntax"), [(Kind(8, 8), J2K_LOSSLESS), (Kind(12, 16, frames=2), LOSSLESS_SV1)])
def test_what_has_an_encoder_keeps_its_transfer_syntax(tmp_path: Path, kind: Kind, syntax: str) -> None:
    native = write(tmp_path / "native.dcm", risky(kind))
    with Transcoder() as transcoder:
        transcoder.transcode(native, syntax, tmp_path / "bare")
    path = with_meta(tmp_path / "bare", syntax, tmp_path / "in.dcm")
    _, after = anonymized(path, Option.PIXELS, pixels=policy(kind))
    assert after.file_meta.TransferSyntaxUID == syntax
    _only_the_rectangles_changed(frames(after, kind), kind.pixels(), kind)


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS, BASELINE, EXTENDED, J2K])
def test_what_has_none_comes_out_native_with_the_decoded_values(tmp_path: Path, syntax: str) -> None:
    kind = Kind(12, 16, frames=2) if syntax in (EXTENDED, J2K) else Kind(8, 8, frames=2)
    streams = [foreign_stream(frame, replace(kind, frames=1), syntax) for frame in kind.pixels()]
    path = write_encapsulated(tmp_path / "in.dcm", risky(kind), streams, syntax)
    before = frames(pydicom.dcmread(path), kind)
    _, after = anonymized(path, Option.PIXELS, pixels=policy(kind))
    assert after.file_meta.TransferSyntaxUID == EXPLICIT
    _only_the_rectangles_changed(frames(after, kind), before, kind)
    if syntax in (BASELINE, EXTENDED):
        assert after.LossyImageCompression == "01"
        assert after.LossyImageCompressionMethod == "ISO_10918_1"


def test_colour_with_loss_comes_out_in_red_green_and_blue(tmp_path: Path) -> None:
    kind = Kind(8, 8, colour="RGB")
    ds = risky(kind)
    ds.PhotometricInterpretation = "YBR_FULL_422"
    path = write_encapsulated(tmp_path / "in.dcm", ds, [foreign_stream(kind.pixels()[0], kind, BASELINE)], BASELINE)
    _, after = anonymized(path, Option.PIXELS, pixels=policy(kind))
    assert (after.PhotometricInterpretation, after.PlanarConfiguration) == ("RGB", 0)
    assert not frames(after, kind)[:, within()].any()


def test_a_process_of_jpeg_that_is_only_read_becomes_the_one_that_is_written(tmp_path: Path) -> None:
    stream = foreign_lossless(GRAY.pixels()[0])
    path = write_encapsulated(tmp_path / "in.dcm", risky(GRAY), [stream], LOSSLESS)
    _, after = anonymized(path, Option.PIXELS, pixels=policy())
    assert after.file_meta.TransferSyntaxUID == LOSSLESS_SV1
    _only_the_rectangles_changed(frames(after, GRAY), GRAY.pixels(), GRAY)


def foreign_lossless(frame: Samples) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(frame, lossless=True, predictor=4))


# --- what is black -------------------------------------------------------------------------------


def test_black_is_the_highest_value_where_low_values_are_bright(tmp_path: Path) -> None:
    ds = risky(Kind(12, 16))
    ds.PhotometricInterpretation = "MONOCHROME1"
    _, after = anonymized(write(tmp_path / "in.dcm", ds), Option.PIXELS, pixels=policy())
    assert set(np.unique(after.pixel_array[within()])) == {4095}


def test_black_is_the_highest_value_where_the_rescale_slope_is_negative(tmp_path: Path) -> None:
    ds = risky(Kind(12, 16))
    ds.RescaleSlope, ds.RescaleIntercept = -1, 0
    _, after = anonymized(write(tmp_path / "in.dcm", ds), Option.PIXELS, pixels=policy())
    assert set(np.unique(after.pixel_array[within()])) == {4095}


@pytest.mark.parametrize(("kind", "padding"), [(Kind(12, 16), 7), (Kind(16, 16, signed=True), -2000)])
@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN])
def test_black_is_the_padding_where_there_is_one(tmp_path: Path, kind: Kind, padding: int, syntax: str) -> None:
    ds = risky(kind)
    ds.add_new(0x00280120, "SS" if kind.signed else "US", padding)
    _, after = anonymized(write(tmp_path / "in.dcm", ds, syntax), Option.PIXELS, pixels=policy())
    assert set(np.unique(after.pixel_array[within()])) == {padding}


def test_black_is_the_darkest_entry_of_a_palette(tmp_path: Path) -> None:
    ds = risky(Kind(8, 8, colour="PALETTE COLOR"))
    brightness = np.arange(256, dtype="<u2")[::-1] * 200 + 3000
    brightness[41] = 12
    for channel in ("Red", "Green", "Blue"):
        setattr(ds, f"{channel}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{channel}PaletteColorLookupTableData", brightness.tobytes())
    _, after = anonymized(write(tmp_path / "in.dcm", ds), Option.PIXELS, pixels=policy())
    assert set(np.unique(after.pixel_array[within()])) == {41}


def test_a_palette_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "in.dcm", risky(Kind(8, 8, colour="PALETTE COLOR")))
    with pytest.raises(CannotAnonymize, match="palette"):
        anonymized(path, Option.PIXELS, pixels=policy())


@pytest.mark.parametrize(("colour", "black"), [("YBR_FULL", [0, 128, 128]), ("RGB", [0, 0, 0])])
@pytest.mark.parametrize("planar", [0, 1])
def test_black_is_no_luminance_with_colours_in_the_middle(
    tmp_path: Path, colour: str, black: list[int], planar: int
) -> None:
    kind = Kind(8, 8, colour="RGB")
    ds = risky(kind)
    ds.PhotometricInterpretation, ds.PlanarConfiguration = colour, planar
    if planar:
        ds.PixelData = kind.pixels()[0].transpose(2, 0, 1).tobytes() + b"\0"
    _, after = anonymized(write(tmp_path / "in.dcm", ds), Option.PIXELS, pixels=policy(kind))
    pixels = frames(after, kind)
    assert (pixels[:, within()] == black).all()
    assert np.array_equal(pixels[:, ~within()], kind.pixels()[:, ~within()])


def test_native_subsampled_colour_is_blanked_in_its_pairs(tmp_path: Path) -> None:
    kind = Kind(8, 8, colour="RGB", rows=21, columns=18)
    ds = risky(kind)
    ds.PhotometricInterpretation = "YBR_FULL_422"
    before = np.random.default_rng(3).integers(1, 255, (21, 9, 4), np.uint8)
    ds.PixelData = before.tobytes()
    _, after = anonymized(write(tmp_path / "in.dcm", ds), Option.PIXELS, pixels=policy(kind))
    pairs = np.frombuffer(after.PixelData, np.uint8).reshape(21, 9, 4)
    assert (pairs[1:5, 1:6] == (0, 0, 128, 128)).all()
    assert (pairs[18:] == (0, 0, 128, 128)).sum() == 3 * 9 * 4 - 3 * 4 + 3 * 4 * 1
    assert np.array_equal(pairs[5:18], before[5:18])
    assert np.array_equal(pairs[1:5, 6:], before[1:5, 6:])


def test_overlays_in_the_bits_beside_the_samples_go_under_every_profile(tmp_path: Path) -> None:
    kind = Kind(12, 16, frames=2)
    overlay = np.zeros(kind.pixels().shape, np.uint16)
    overlay[:, 3:6, 2:8] = 1 << 13
    ds = risky(kind, kind.pixels() | overlay)
    ds.SOPClassUID, ds.Modality = CT, "CT"
    for group in (0x6000,):
        ds.add_new(group << 16 | 0x0010, "US", kind.rows)
        ds.add_new(group << 16 | 0x0011, "US", kind.columns)
        ds.add_new(group << 16 | 0x0040, "CS", "G")
        ds.add_new(group << 16 | 0x0100, "US", 16)
        ds.add_new(group << 16 | 0x0102, "US", 13)
    path = write(tmp_path / "in.dcm", ds)
    for options in ((), (Option.GRAPHICS,)):
        done, after = anonymized(path, *options)
        assert np.array_equal(after.pixel_array, kind.pixels())
        assert not [element for element in after if element.tag.group == 0x6000]
        assert done.blanked is not None
        assert done.blanked.overlay_bits == 1 << 13


# --- admission -----------------------------------------------------------------------------------


def plain(tmp_path: Path, **values: object) -> Path:
    ds = risky(GRAY)
    ds.SOPClassUID, ds.Modality, ds.ImageType = CT, "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return write(tmp_path / "in.dcm", ds)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"BurnedInAnnotation": "YES"}, "says so itself"),
        ({"SOPClassUID": SECONDARY_CAPTURE}, "secondary captures"),
        ({"SOPClassUID": SECONDARY_CAPTURE, "BurnedInAnnotation": "NO"}, "secondary captures"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4"}, "secondary captures"),
        ({"SOPClassUID": ULTRASOUND, "Modality": "US"}, "ultrasound"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.4"}, "photographs"),
        ({"Modality": "ES"}, "photographs"),
        ({"SOPClassUID": "1.2.276.0.7230010.3.1.0.1"}, "not of the standard"),
        ({"ConversionType": "SI"}, "scanned image"),
        ({"ConversionType": "DF"}, "film"),
        ({"DetectorType": "FILM", "Modality": "MG"}, "film"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "saved screen"),
        ({"SeriesDescription": "Dose Report"}, "saved screen"),
        ({"SeriesDescription": "Patient Protocol"}, "saved screen"),
    ],
)
def test_what_may_show_a_name_is_refused_with_a_sentence(
    tmp_path: Path, values: dict[str, object], sentence: str
) -> None:
    path = plain(tmp_path, **values)
    with pytest.raises(CannotAnonymize, match=sentence):
        anonymized(path)
    with pytest.raises(CannotAnonymize, match="no pixel rule says where"):
        anonymized(path, Option.PIXELS)


def test_a_picture_in_colours_among_slices_is_refused(tmp_path: Path) -> None:
    ds = risky(Kind(8, 8, colour="RGB"))
    ds.SOPClassUID, ds.ImageType = CT, ["DERIVED", "SECONDARY", "FUSED"]
    with pytest.raises(CannotAnonymize, match="in colours"):
        anonymized(write(tmp_path / "in.dcm", ds))


@pytest.mark.parametrize("values", [{}, {"ConversionType": "WSD", "BurnedInAnnotation": "NO"}])
def test_what_shows_no_text_goes_through_untouched(tmp_path: Path, values: dict[str, object]) -> None:
    done, after = anonymized(plain(tmp_path, **values))
    assert np.array_equal(frames(after, GRAY), GRAY.pixels())
    assert done.blanked is None
    assert after.get("BurnedInAnnotation") == values.get("BurnedInAnnotation")


def test_a_rule_that_says_where_is_of_no_use_without_the_option(tmp_path: Path) -> None:
    with pytest.raises(CannotAnonymize, match="option to clean pixels is off"):
        anonymized(plain(tmp_path, SOPClassUID=SECONDARY_CAPTURE), pixels=policy())


def test_what_somebody_looked_at_may_leave_and_that_is_said(tmp_path: Path) -> None:
    path = plain(tmp_path, SOPClassUID=SECONDARY_CAPTURE, BurnedInAnnotation="YES")
    done, after = anonymized(path, pixels=PixelPolicy(clean_pixels_confirmed=True))
    assert np.array_equal(frames(after, GRAY), GRAY.pixels())
    assert any("looked at" in warning for warning in done.warnings)
    assert after.BurnedInAnnotation == "NO"


def test_the_code_of_the_option_is_written_only_with_the_option(tmp_path: Path) -> None:
    path = plain(tmp_path)
    for options, is_there in (((), False), ((Option.PIXELS,), True)):
        _, after = anonymized(path, *options)
        codes = [item.CodeValue for item in after.DeidentificationMethodCodeSequence]
        assert ("113101" in codes) is is_there


def test_a_clean_rule_lets_through_what_does_not_say_yes_itself(tmp_path: Path) -> None:
    row = {"name": "clean device", "manufacturer": "ACME*", "modality": "ct", "clean": True}
    clean = PixelPolicy(rules_of({"rules": [row]}, "test"))
    done, _ = anonymized(plain(tmp_path, SOPClassUID=SECONDARY_CAPTURE), pixels=clean)
    assert any("clean device" in warning for warning in done.warnings)
    with pytest.raises(CannotAnonymize, match="says so itself"):
        anonymized(plain(tmp_path, SOPClassUID=SECONDARY_CAPTURE, BurnedInAnnotation="YES"), pixels=clean)


def test_pixels_that_cannot_be_decoded_are_refused(tmp_path: Path) -> None:
    path = write_encapsulated(tmp_path / "in.dcm", risky(GRAY), [b"\xff\xd8broken!"], BASELINE)
    with pytest.raises(CannotAnonymize, match="cannot be blanked"):
        anonymized(path, Option.PIXELS, pixels=policy())


# --- ultrasound regions --------------------------------------------------------------------------


def region(left: int, top: int, right: int, bottom: int, spatial_format: int = 1) -> Dataset:
    ds = Dataset()
    ds.RegionSpatialFormat, ds.RegionDataType = spatial_format, 1
    ds.RegionLocationMinX0, ds.RegionLocationMinY0 = left, top
    ds.RegionLocationMaxX1, ds.RegionLocationMaxY1 = right, bottom
    return ds


def ultrasound(path: Path, *regions: Dataset, syntax: str = EXPLICIT) -> Path:
    ds = risky(GRAY)
    ds.SOPClassUID, ds.Modality = ULTRASOUND, "US"
    ds.SequenceOfUltrasoundRegions = Sequence(regions)
    return write(path, ds, syntax)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN])
def test_everything_outside_of_the_regions_of_echoes_is_blanked(tmp_path: Path, syntax: str) -> None:
    path = ultrasound(
        tmp_path / "in.dcm", region(2, 5, 9, 20), region(12, 3, 14, 9, 3), region(0, 0, 16, 2, 5), syntax=syntax
    )
    _, after = anonymized(path, Option.PIXELS)
    kept = np.zeros((GRAY.rows, GRAY.columns), bool)
    kept[5:21, 2:10] = kept[3:10, 12:15] = True
    pixels = frames(after, GRAY)[0]
    assert np.array_equal(pixels[kept], GRAY.pixels()[0][kept])
    assert not pixels[~kept].any()
    with pytest.raises(CannotAnonymize, match="option to clean pixels is off"):
        anonymized(path)


@pytest.mark.parametrize(
    ("regions", "sentence"),
    [
        ((region(0, 0, 16, 20),), "whole picture"),
        ((region(2, 2, 40, 20),), "beyond the picture"),
        ((region(2, 2, 9, 9, 5),), "shows echoes"),
    ],
)
def test_regions_that_tell_nothing_are_not_believed(
    tmp_path: Path, regions: tuple[Dataset, ...], sentence: str
) -> None:
    with pytest.raises(CannotAnonymize, match=sentence):
        anonymized(ultrasound(tmp_path / "in.dcm", *regions), Option.PIXELS)


def test_the_name_in_the_header_of_a_real_ultrasound_image_is_gone(shared_data: Path) -> None:
    path = shared_data / "anonymizer" / "GREYSCALE_IMAGE.dcm"
    if not path.is_file():
        pytest.skip("no ultrasound image with a name in it")
    before = pydicom.dcmread(path)
    _, after = anonymized(path, Option.PIXELS)
    assert before.pixel_array[:24].max() > 100
    assert not after.pixel_array[:38].any()
    assert np.array_equal(after.pixel_array[38:759, 14:1011], before.pixel_array[38:759, 14:1011])


# --- faces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"BodyPartExamined": "BRAIN"},
        {"SeriesDescription": "t1_mprage_sag"},
        {"StudyDescription": "PET/CT whole body"},
        {"ReconstructionDiameter": 240},
    ],
)
def test_slices_of_a_head_get_a_warning(tmp_path: Path, values: dict[str, object]) -> None:
    done, _ = anonymized(plain(tmp_path, **values))
    assert [warning for warning in done.warnings if "may show a face" in warning]
    with pytest.raises(CannotAnonymize, match="whole series"):
        anonymized(plain(tmp_path, **values), Option.FACES)


@pytest.mark.parametrize(
    "values",
    [
        {"BodyPartExamined": "KNEE", "ReconstructionDiameter": 200},
        {"ReconstructionDiameter": 500, "StudyDescription": "Thorax"},
        {"Modality": "CR", "BodyPartExamined": "HEAD"},
    ],
)
def test_others_do_not(tmp_path: Path, values: dict[str, object]) -> None:
    done, _ = anonymized(plain(tmp_path, **values))
    assert not done.warnings


def test_lengths_of_palettes_are_checked() -> None:
    descriptor = struct.pack("<3H", 4, 10, 8)
    nodes = {tag: Node(tag, "US", descriptor) for tag in (0x00281101, 0x00281102, 0x00281103)}
    nodes |= {tag: Node(tag, "OW", bytes((9, 2, 1, 7))) for tag in (0x00281201, 0x00281202, 0x00281203)}
    assert darkest_entry(Tree(nodes), False) == 12
    nodes[0x00281203] = Node(0x00281203, "OW", bytes(3))
    assert darkest_entry(Tree(nodes), False) is None


def test_what_a_run_knows_of_pixels_goes_to_other_processes() -> None:
    known = PixelPolicy(policy().rules, clean_pixels_confirmed=True, reads_text=True)
    assert pickle.loads(pickle.dumps(known)) == known  # noqa: S301 - our own


def test_what_was_blanked_is_said(tmp_path: Path) -> None:
    done, _ = anonymized(plain(tmp_path, BurnedInAnnotation="YES"), Option.PIXELS, pixels=policy())
    assert "its pixels were blanked: the rule 'test device'" in done.warnings


def test_no_file_of_pixels_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    anonymized(plain(tmp_path, BurnedInAnnotation="YES"), Option.PIXELS, pixels=policy())
    broken = write_encapsulated(tmp_path / "broken", risky(GRAY), [b"\xff\xd8broken!"], BASELINE)
    with pytest.raises(CannotAnonymize):
        anonymized(broken, Option.PIXELS, pixels=policy())
    assert not list((tmp_path / "scratch").iterdir())


def test_the_pixels_that_show_a_name_are_in_no_file_that_a_kill_would_leave_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    there: list[bytes] = []
    transcode = Transcoder.transcode

    def watched(self: Transcoder, source: Path, *rest: object, **more: object) -> object:
        there.extend(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "scan.dcm")
        return transcode(self, source, *rest, **more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(Transcoder, "transcode", watched)
    path = write(tmp_path / "scan.dcm", risky(GRAY), EXPLICIT)
    assert anonymized(path, Option.PIXELS, pixels=policy())[0].blanked
    assert there == []
