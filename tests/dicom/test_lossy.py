"""Compression with loss: another instance that says so, close to its source, and only of images that bear it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from radfuse.core.errors import CannotTranscode
from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES
from radfuse.dicom import Transcoder
from radfuse.dicom.transcode import can_transcode
from tests.dicom.codecs.images import (
    BASELINE,
    EXPLICIT,
    EXTENDED,
    IMPLICIT,
    J2K,
    LOSSLESS_SV1,
    NATIVE,
    RLE,
    Kind,
    data_set,
    read_result,
    write,
)

NEW_UID = "2.25.99"
GREY8, GREY12, SIGNED16 = Kind(8, 8), Kind(12, 16, frames=3), Kind(16, 16, signed=True)
COLOUR = Kind(8, 8, colour="RGB", frames=2)


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    """One for all."""
    with Transcoder() as running:
        yield running


def test_only_what_has_no_loss_yet_is_compressed_with_loss() -> None:
    for target in (BASELINE, EXTENDED, J2K):
        assert all(can_transcode(source, target, with_loss=True) for source in (*NATIVE, LOSSLESS_SV1, RLE))
        assert not any(can_transcode(source, target, with_loss=True) for source in (BASELINE, EXTENDED, J2K))
    for target in set(TRANSFER_SYNTAXES) - {BASELINE, EXTENDED, J2K}:
        assert not can_transcode(EXPLICIT, target, with_loss=True)


@pytest.mark.parametrize(
    ("kind", "target", "photometric", "method"),
    [
        (GREY8, BASELINE, "MONOCHROME2", "ISO_10918_1"),
        (GREY8, EXTENDED, "MONOCHROME2", "ISO_10918_1"),
        (GREY8, J2K, "MONOCHROME2", "ISO_15444_1"),
        (GREY12, EXTENDED, "MONOCHROME2", "ISO_10918_1"),
        (GREY12, J2K, "MONOCHROME2", "ISO_15444_1"),
        (SIGNED16, J2K, "MONOCHROME2", "ISO_15444_1"),
        (COLOUR, BASELINE, "YBR_FULL_422", "ISO_10918_1"),
        (COLOUR, J2K, "YBR_ICT", "ISO_15444_1"),
    ],
    ids=str,
)
@pytest.mark.parametrize("source", [IMPLICIT, EXPLICIT])
def test_an_image_becomes_another_instance_that_says_what_was_done(
    transcoder: Transcoder, tmp_path: Path, kind: Kind, source: str, target: str, photometric: str, method: str
) -> None:
    pixels = kind.pixels()
    ds = data_set(kind, pixels)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    path = write(tmp_path / "in.dcm", ds, source)
    transcoder.transcode(path, target, tmp_path / "out", derived_uid=NEW_UID)
    result = read_result(tmp_path / "out", target)
    assert result.SOPInstanceUID == NEW_UID
    assert list(result.ImageType) == ["DERIVED", "PRIMARY", "AXIAL"]
    assert result.LossyImageCompression == "01"
    assert result.LossyImageCompressionMethod == method
    assert result.PhotometricInterpretation == photometric
    frames = list(generate_frames(result.PixelData, number_of_frames=kind.frames))
    assert len(frames) == kind.frames
    ratio = pixels.nbytes / sum(map(len, frames))
    assert float(result.LossyImageCompressionRatio) == pytest.approx(ratio, rel=0.05)
    assert ds.PatientName == result.PatientName
    assert ds.AnatomicRegionSequence == result.AnatomicRegionSequence

    write(tmp_path / "lossy.dcm", result, target)
    transcoder.transcode(tmp_path / "lossy.dcm", EXPLICIT, tmp_path / "back")
    back = read_result(tmp_path / "back", EXPLICIT).pixel_array.reshape(pixels.shape)
    error = np.abs(back.astype(np.int64) - pixels.astype(np.int64))
    assert error.mean() < 0.01 * (1 << kind.bits)
    assert error.max() < 0.1 * (1 << kind.bits)


@pytest.mark.parametrize("source", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize("has_length", [True, False])
def test_the_result_names_what_it_was_made_of_and_how(
    transcoder: Transcoder, tmp_path: Path, source: str, has_length: bool
) -> None:
    ds = data_set(GREY8, GREY8.pixels())
    ds.DerivationDescription = "of another image"
    earlier = Dataset()
    earlier.ReferencedSOPClassUID, earlier.ReferencedSOPInstanceUID = "1.2.3", "1.2.4"
    ds.SourceImageSequence = [earlier]
    ds["SourceImageSequence"].is_undefined_length = not has_length
    transcoder.transcode(write(tmp_path / "in.dcm", ds, source), BASELINE, tmp_path / "out", derived_uid=NEW_UID)
    result = read_result(tmp_path / "out", BASELINE)
    (made_of,) = result.SourceImageSequence
    assert (made_of.ReferencedSOPClassUID, made_of.ReferencedSOPInstanceUID) == (ds.SOPClassUID, ds.SOPInstanceUID)
    (purpose,) = made_of.PurposeOfReferenceCodeSequence
    assert (purpose.CodeValue, purpose.CodingSchemeDesignator) == ("121320", "DCM")
    (derivation,) = result.DerivationCodeSequence
    assert (derivation.CodeValue, derivation.CodeMeaning) == ("113040", "Lossy Compression")
    ratio = f"{float(result.LossyImageCompressionRatio):.4g}"
    assert result.DerivationDescription == f"compressed with loss by ISO_10918_1, ratio {ratio}"
    assert result.AnatomicRegionSequence == ds.AnatomicRegionSequence


def test_an_earlier_compression_stays_on_record(transcoder: Transcoder, tmp_path: Path) -> None:
    ds = data_set(GREY8, GREY8.pixels())
    ds.LossyImageCompression, ds.LossyImageCompressionRatio, ds.LossyImageCompressionMethod = (
        "01",
        "12.5",
        "ISO_14495_1",
    )
    transcoder.transcode(write(tmp_path / "in.dcm", ds), BASELINE, tmp_path / "out", derived_uid=NEW_UID)
    result = read_result(tmp_path / "out", BASELINE)
    assert list(result.LossyImageCompressionMethod) == ["ISO_14495_1", "ISO_10918_1"]
    assert float(result.LossyImageCompressionRatio[0]) == 12.5
    assert len(result.LossyImageCompressionRatio) == 2


@pytest.mark.parametrize(
    ("kind", "target", "reason"),
    [
        (GREY12, BASELINE, "Bits Stored is 12, and the transfer syntax with loss holds 8"),
        (SIGNED16, EXTENDED, "Bits Stored is 16"),
        (Kind(12, 16, signed=True), EXTENDED, "would break signed pixels"),
        (Kind(8, 8, colour="PALETTE COLOR"), BASELINE, "PALETTE COLOR is not compressed with loss"),
        (Kind(1, 1), BASELINE, "would fill Bits Stored"),
    ],
    ids=str,
)
def test_an_image_that_would_be_spoiled_is_refused(
    transcoder: Transcoder, tmp_path: Path, kind: Kind, target: str, reason: str
) -> None:
    path = write(tmp_path / "in.dcm", data_set(kind, kind.pixels()))
    with pytest.raises(CannotTranscode, match=reason):
        transcoder.transcode(path, target, tmp_path / "out", derived_uid=NEW_UID)
    assert not (tmp_path / "out").exists()


def test_without_a_new_uid_nothing_is_compressed_with_loss(transcoder: Transcoder, tmp_path: Path) -> None:
    path = write(tmp_path / "in.dcm", data_set(GREY8, GREY8.pixels()))
    with pytest.raises(CannotTranscode, match="there is no loss-free way"):
        transcoder.transcode(path, BASELINE, tmp_path / "out")
    with pytest.raises(CannotTranscode, match="there is no way"):
        transcoder.transcode(path, LOSSLESS_SV1, tmp_path / "out", derived_uid=NEW_UID)
