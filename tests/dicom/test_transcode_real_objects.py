"""The transcoder over real objects, judged by pydicom, DCMTK and the uncompressed twins of the files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.core.errors import CannotTranscode
from radfuse.dicom.transcode import LOSSLESS, LOSSY, NATIVE, Transcoder
from tests.dicom.codecs.images import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    J2K_LOSSLESS,
    LOSSLESS_SV1,
    read_result,
    with_meta,
)

_PIXELS = {0x7FE00010, 0x7FE00001, 0x7FE00002, 0x00280004, 0x00280006}
ONE_CT = "transfer-syntaxes/one-ct-image/CTImage.dcm_"
PLAIN_CT = ONE_CT + "LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm"
CT_VARIANTS = [
    "BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2",
    "DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99",
    "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90",
    "JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80",
    "JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70",
    "JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57",
    "LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2",
    "RLELosslessTransferSyntax_1.2.840.10008.1.2.5",
]
LOSSY_FILES = {
    "wg04/MR4_JPLY": 0,
    "wg04/NM1_JPLY": 0,
    "colour/SC_rgb_dcmtk_+eb+cr.dcm": 1,
    "colour/SC_rgb_dcmtk_+eb+cy+np.dcm": 2,
    "colour/SC_rgb_jpeg_dcmtk.dcm": 2,
}
"""Lossy files and how far DCMTK's decoder may differ (another inverse cosine transform and chroma filter)."""


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    with Transcoder() as running:
        yield running


def transcoded(transcoder: Transcoder, source: Path, target: str, folder: Path) -> Dataset:
    """The object in ``target``, read by pydicom."""
    transcoder.transcode(source, target, folder / "out")
    return read_result(folder / "out", target)


@pytest.mark.parametrize("variant", CT_VARIANTS)
@pytest.mark.parametrize("target", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
def test_every_lossless_variant_of_one_ct_has_the_same_pixels(
    shared_data: Path, transcoder: Transcoder, tmp_path: Path, variant: str, target: str
) -> None:
    expected = dcmread(shared_data / PLAIN_CT).pixel_array
    result = transcoded(transcoder, shared_data / f"{ONE_CT}{variant}.dcm", target, tmp_path)
    assert np.array_equal(result.pixel_array, expected)


@pytest.mark.parametrize("name", ["CT2", "MR4", "NM1"])
@pytest.mark.parametrize("variant", ["J2KR", "JLSL", "JPLL", "RLE"])
def test_the_wg04_images_have_the_pixels_of_their_uncompressed_twin(
    shared_data: Path, transcoder: Transcoder, tmp_path: Path, name: str, variant: str
) -> None:
    folder = shared_data / "transfer-syntaxes" / "wg04"
    expected = dcmread(folder / f"{name}_UNC").pixel_array
    for target in (EXPLICIT, LOSSLESS_SV1, J2K_LOSSLESS):
        transcoder.transcode(folder / f"{name}_{variant}", target, tmp_path / "once")
        with_meta(tmp_path / "once", target, tmp_path / "once.dcm")
        result = transcoded(transcoder, tmp_path / "once.dcm", IMPLICIT, tmp_path)
        assert np.array_equal(result.pixel_array, expected)


@pytest.mark.parametrize("twin", ["liver", "liver_nonbyte_aligned"])
@pytest.mark.parametrize("variant", ["j2k", "rle", "expb"])
def test_segmentations_of_single_bits_are_equal(
    shared_data: Path, transcoder: Transcoder, tmp_path: Path, twin: str, variant: str
) -> None:
    folder = shared_data / "transfer-syntaxes" / "segmentation"
    source = folder / f"{twin}_{variant}.dcm"
    if not source.exists():
        pytest.skip("there is no such variant")
    expected = dcmread(folder / f"{twin}.dcm").pixel_array
    assert np.array_equal(transcoded(transcoder, source, EXPLICIT, tmp_path).pixel_array, expected)


def test_a_dose_of_32_bits_comes_out_of_rle_as_it_went_in(
    shared_data: Path, transcoder: Transcoder, tmp_path: Path
) -> None:
    folder = shared_data / "sop-classes" / "pydicom"
    result = transcoded(transcoder, folder / "rtdose_rle.dcm", EXPLICIT, tmp_path)
    assert np.array_equal(result.pixel_array, dcmread(folder / "rtdose.dcm").pixel_array)


@pytest.mark.peers
@pytest.mark.parametrize("name", LOSSY_FILES)
def test_lossy_images_are_what_dcmtk_makes_of_them(
    shared_data: Path, transcoder: Transcoder, tmp_path: Path, name: str
) -> None:
    if shutil.which("dcmdjpeg") is None:
        pytest.skip("dcmdjpeg is not installed (apt-get install dcmtk)")
    source = shared_data / "transfer-syntaxes" / name
    subprocess.run(["dcmdjpeg", "+cn" if "wg04" in name else "+cp", source, tmp_path / "dcmtk.dcm"], check=True)
    expected = dcmread(tmp_path / "dcmtk.dcm")
    result = transcoded(transcoder, source, EXPLICIT, tmp_path)
    assert result.PhotometricInterpretation == expected.PhotometricInterpretation
    difference = np.abs(result.pixel_array.astype(int) - expected.pixel_array.astype(int))
    assert difference.max() <= LOSSY_FILES[name]
    assert result.get("LossyImageCompression") == dcmread(source).get("LossyImageCompression")


@pytest.mark.peers
@pytest.mark.parametrize("name", ["sop-classes/pydicom/examples_rgb_color.dcm", PLAIN_CT, "enhanced/emri_small.dcm"])
def test_dcmtk_reads_our_jpeg_lossless(shared_data: Path, transcoder: Transcoder, tmp_path: Path, name: str) -> None:
    if shutil.which("dcmdjpeg") is None:
        pytest.skip("dcmdjpeg is not installed (apt-get install dcmtk)")
    transcoder.transcode(shared_data / name, LOSSLESS_SV1, tmp_path / "out")
    with_meta(tmp_path / "out", LOSSLESS_SV1, tmp_path / "out.dcm")
    subprocess.run(["dcmdjpeg", tmp_path / "out.dcm", tmp_path / "dcmtk.dcm"], check=True)
    assert np.array_equal(dcmread(tmp_path / "dcmtk.dcm").pixel_array, dcmread(shared_data / name).pixel_array)


def differences(source: Dataset, result: Dataset) -> list[str]:
    """The tags of elements that differ, group lengths and the description of pixels left out."""
    expected = {element.tag: element for element in source if element.tag.element and element.tag not in _PIXELS}
    found = {element.tag: element for element in result if element.tag not in _PIXELS}
    wrong = [str(tag) for tag in expected.keys() ^ found.keys()]
    for tag, element in expected.items():
        other = found.get(tag)
        if other is None or repr(element.value) == repr(other.value):
            continue
        if element.VR == "SQ" and other.VR == "SQ" and len(element.value) == len(other.value):
            for one, two in zip(element.value, other.value, strict=True):
                wrong += [f"{tag} > {inner}" for inner in differences(one, two)]
        elif isinstance(element.value, bytes) and isinstance(other.value, bytes):
            # Values of odd length are padded.
            if element.value.ljust(len(other.value), b"\0") != other.value:
                wrong.append(str(tag))
        elif element.value != other.value:
            wrong.append(str(tag))
    return wrong


def small_objects(shared_data: Path) -> Iterator[tuple[Path, str]]:
    """The smaller readable objects in syntaxes that we transcode, five a folder."""
    seen: dict[Path, int] = {}
    for path in sorted(shared_data.rglob("*")):
        if not path.is_file() or path.stat().st_size > 200_000 or "malformed" in path.parts:
            continue
        with path.open("rb") as file:
            if file.read(132)[128:] != b"DICM":
                continue
        seen[path.parent] = seen.get(path.parent, 0) + 1
        if seen[path.parent] > 5 and "transfer-syntaxes" not in path.parts and "charsets" not in path.parts:
            continue
        syntax = str(dcmread(path, stop_before_pixels=True).file_meta.get("TransferSyntaxUID", ""))
        if syntax in NATIVE | LOSSLESS | LOSSY:
            yield path, syntax


# Real objects have values that pydicom warns about; this is about bytes.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_element_of_real_objects_survives(shared_data: Path, transcoder: Transcoder, tmp_path: Path) -> None:
    wrong: dict[str, list[str]] = {}
    failed: dict[str, str] = {}
    for path, syntax in small_objects(shared_data):
        name = str(path.relative_to(shared_data))
        try:
            result = transcoded(transcoder, path, DEFLATED if syntax == EXPLICIT else EXPLICIT, tmp_path)
        except CannotTranscode as error:
            failed[name] = error.reason
            continue
        # In big endian pydicom reads UN with its private dictionary and swaps what is little endian.
        if syntax != BIG_ENDIAN and (found := differences(dcmread(path), result)):
            wrong[name] = found
    # A JPEG baseline image that does not say that it has lost something, and is made to.
    assert wrong == {"sop-classes/orthanc/LenaTwiceWithFragments.dcm": ["(0028,2110)"]}
    assert failed == {
        "media/pydicom-filesets/DICOMDIR-nooffset": "the data set is truncated",
        "transfer-syntaxes/colour/SC_rgb_jpeg.dcm": "an element has no valid VR",
    }
