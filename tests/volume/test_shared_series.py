"""Every series of the shared data: what it becomes, or the sentence that refuses it, as its manifest says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from radfuse.core.errors import CannotBuildVolume
from radfuse.dicom import Transcoder
from radfuse.volume import FindingKind, Repair, Stack, Unit, read_stack, stacks_of


class Row(NamedTuple):
    """What is expected of one stack: its slices, unit, findings, and words of its label or refusal."""

    slices: int
    unit: Unit = Unit.SIGNAL
    findings: tuple[FindingKind, ...] = ()
    words: str = ""
    refused: str = ""
    repair: Repair | None = None


def refused(words: str, slices: int = 0) -> Row:
    return Row(slices, refused=words)


SINGLE, SPLIT, PIXELS = FindingKind.SINGLE, FindingKind.SPLIT, FindingKind.PIXELS
STRUCTURES = refused("RT Structure Set objects hold no images")
NO_DICOM = refused("not DICOM")

EXPECTED: dict[str, list[Row]] = {
    # geometry
    "geometry/ct-gantry-tilt": [Row(4, Unit.HU, (FindingKind.SHEARED,))],
    "geometry/ct-missing-slice": [Row(4, Unit.HU, (FindingKind.GAP,), refused="slice 4", repair=Repair.GAPS)],
    "geometry/mr-two-orientations": [
        Row(2, findings=(SPLIT,), words="sagittal"),
        Row(2, findings=(SPLIT,), words="oblique"),
    ],
    "geometry/oblique": [Row(3)],
    # PET/CT
    "petct/sts-001/ct": [Row(59, Unit.HU)],
    "petct/sts-001/pet": [Row(59, Unit.SUV_BW)],
    "petct/sts-001/mr-t1": [Row(59)],
    "petct/sts-001-raw/pet": [Row(267, Unit.BQML, (FindingKind.JITTER,))],
    "petct/sts-001-raw/mr-t2": [Row(40)],
    "petct/sts-003/ct": [Row(51, Unit.HU)],
    "petct/sts-003/pet": [Row(51, Unit.SUV_BW)],
    "petct/sts-003/mr-t1": [Row(47)],
    "petct/comunix/ct": [Row(2, Unit.HU, (PIXELS,))],
    "petct/comunix/pet": [Row(2, Unit.BQML, (PIXELS,))],
    "petct/vendor-headers/NM-PetIm-GE.dcm": [Row(1, Unit.BQML, (SINGLE,))],
    "petct/vendor-headers/NM-PetIm-Siemens.dcm": [Row(1, Unit.BQML, (SINGLE,))],
    "petct/vendor-headers/NM-PetIm-Siemens-2.dcm": [Row(1, findings=(SINGLE, FindingKind.UNIT))],
    "petct/vendor-headers/ACRIN-FLT-Breast_029.dcm": [Row(1, Unit.BQML, (SINGLE,))],
    "petct/vendor-headers/GH610.dcm": [Row(1, findings=(SINGLE, FindingKind.UNIT))],
    "ct-rtstruct/lung1-001": [Row(31, Unit.HU), STRUCTURES],
    # MR
    "mr/brainix/flair": [Row(22)],
    "mr/brainix/epi": [Row(22)],
    "mr/knee/t1": [Row(24, findings=(PIXELS, FindingKind.UNIT))],
    "mr/knee/t2": [Row(26, findings=(PIXELS, FindingKind.UNIT))],
    "mr/multi-echo": [
        Row(3, findings=(SPLIT, FindingKind.GAP), words="TE 20 ms", refused="slice 3", repair=Repair.GAPS),
        Row(2, findings=(SPLIT,), words="TE 40 ms"),
        Row(2, findings=(SPLIT,), words="TE 60 ms"),
    ],
    "mr/siemens/0.dcm": [refused("mosaic")],
    "mr/siemens/decimal_rescale.dcm": [Row(1, findings=(SINGLE,))],
    "mr/siemens/csa_slice_norm.dcm": [refused("no Pixel Data")],
    "mr/siemens/slicethickness_empty_string.dcm": [refused("without Slice Thickness", slices=1)],
    # enhanced
    "enhanced/philips-fmri.dcm": [Row(8, findings=(SPLIT,), words=f"temporal position {n} of 4") for n in (1, 2, 3, 4)],
    "enhanced/siemens-multiframe.dcm": [Row(8)],
    "enhanced/eCT_Supplemental.dcm": [Row(2)],
    "enhanced/emri_small.dcm": [refused("says nowhere where its frames lie")],
    # segmentations
    "seg/ucsf-br-06/mr": [Row(42, findings=(SPLIT,), words=f"acquisition {n} of 2") for n in (1, 2)],
    "seg/ucsf-br-06/seg.dcm": [Row(42, Unit.FRACTION)],
    "seg/dcmqi/ct-3slice": [Row(3, Unit.HU, (PIXELS,))],
    "seg/dcmqi/23x38x3/image": [Row(3)],
    "seg/dcmqi/23x38x3/multiframe": [Row(3)],
    "seg/dcmqi/23x38x3/seg": [Row(3, Unit.FRACTION)],
    "seg/dcmqi/24x38x3/seg": [Row(3, Unit.FRACTION)],
    "seg/dcmqi/partial_overlaps.dcm": [
        Row(count, Unit.FRACTION, (SPLIT,), words=f"number {n}") for n, count in enumerate((1, 1, 3, 1, 1), 1)
    ],
    "seg/dcmqi/sparse-labelmap-noppv.dcm": [Row(2, Unit.FRACTION, (FindingKind.GAP,))],
    "seg/highdicom/seg_image_ct_binary.dcm": [Row(3, Unit.FRACTION)],
    "seg/highdicom/seg_image_ct_true_fractional.dcm": [Row(3, Unit.FRACTION)],
    "seg/highdicom/seg_image_ct_binary_single_frame.dcm": [Row(1, Unit.FRACTION, (SINGLE,))],
    "seg/highdicom/seg_image_sm_control.dcm": [refused("does not say where it lies")],
    "seg/highdicom/seg_image_sm_dots_tiled_full.dcm": [refused("of each of its frames")],
    "seg/highdicom/seg_image_cr_binary.dcm": [refused("does not say where it lies")],
    "seg/ibsi-digital-phantom": [Row(4), Row(4, Unit.FRACTION), NO_DICOM],
    "sr/qin-headneck-0003/seg.dcm": [Row(13, Unit.FRACTION)],
    # SUV digital reference objects
    "suv-dro/DRO_1_0/PT": [Row(20, Unit.BQML)],
    "suv-dro/DRO_2_0/PT": [Row(20, Unit.SUV_BW)],
    "suv-dro/DRO_2_1/PT": [Row(20, Unit.SUV_LBM_JAMES)],
    "suv-dro/DRO_2_2/PT": [Row(20, Unit.SUV_IBW)],
    "suv-dro/DRO_2_3/PT": [Row(20, Unit.SUV_BSA)],
    # other classes
    "sop-classes/pydicom/CT_small.dcm": [Row(1, Unit.HU, (SINGLE,))],
    "sop-classes/pydicom/rtdose.dcm": [Row(15, findings=(FindingKind.HEADER, FindingKind.UNIT))],
    "sop-classes/pydicom/rtdose_expb.dcm": [Row(15, findings=(FindingKind.HEADER, FindingKind.UNIT))],
    "sop-classes/pydicom/rtdose_1frame.dcm": [refused("not one Grid Frame Offset for each")],
    "sop-classes/pydicom/rtdose_rle.dcm": [refused("does not say where it lies")],
    "sop-classes/pydicom/parametric_map_float.dcm": [Row(1, findings=(SINGLE,))],
    "sop-classes/pydicom/mlut_18.dcm": [refused("does not say where it lies")],
    "sop-classes/pydicom/waveform_ecg.dcm": [refused("ECG Waveform objects hold no images")],
    "sop-classes/pydicom/examples_palette.dcm": [refused("US images are no slices")],
    "sop-classes/orthanc/sample-pdf.dcm": [refused("Encapsulated PDF objects hold no images")],
    "sop-classes/nm": [refused("does not say where its slices lie")],
    "sop-classes/other/dx_image.dcm": [refused("DX images are no slices")],
    "sop-classes/other/sm_image.dcm": [refused("in colour")],
    "sop-classes/other/mr-spectroscopy.dcm": [refused("no Pixel Data")],
    "media/pydicom-filesets/DICOMDIR-empty.dcm": [refused("no Pixel Data")],
    # malformed
    "malformed/pydicom/emri_small_jpeg_2k_lossless_too_short.dcm": [refused("cut off inside its Pixel Data")],
    "malformed/pydicom/rtplan_truncated.dcm": [refused("damaged")],
}


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    with Transcoder(children=2) as transcoder:
        yield transcoder


def files_of(place: Path) -> list[Path]:
    if not place.exists():
        pytest.fail(f"the shared data have no {place.name}")
    return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_series_is_what_its_manifest_says(shared_data: Path, name: str, transcoder: Transcoder) -> None:
    stacks = stacks_of(files_of(shared_data / name))
    found = sorted(stacks, key=lambda stack: (not stack.frames, stack.unit is Unit.FRACTION))
    assert len(found) == len(EXPECTED[name]), [stack.title for stack in found]
    for stack, row in zip(found, EXPECTED[name], strict=True):
        _check(stack, row, transcoder)


def _check(stack: Stack, row: Row, transcoder: Transcoder) -> None:
    assert len(stack.frames) == row.slices
    assert row.words in stack.label
    assert stack.repair is row.repair
    assert re.search(row.refused, stack.refusal or ""), stack.refusal
    assert bool(stack.refusal) == bool(row.refused)
    if stack.refusal and stack.repair is None:
        with pytest.raises(CannotBuildVolume):
            read_stack(stack, repairs=frozenset(Repair), transcoder=transcoder)
        return
    volume = read_stack(stack, repairs=frozenset(Repair), transcoder=transcoder)
    assert volume.unit is row.unit
    assert tuple(finding.kind for finding in volume.findings) == row.findings
    assert np.isfinite(volume.voxels).all()
    assert volume.voxels.any()


@pytest.mark.parametrize("name", ["malformed", "charsets", "sr", "media", "transfer-syntaxes", "anonymizer", "seg"])
def test_every_folder_makes_stacks_or_refusals_and_no_other_error(shared_data: Path, name: str) -> None:
    for folder in sorted({path.parent for path in (shared_data / name).rglob("*") if path.is_file()}):
        stacks = stacks_of(sorted(path for path in folder.iterdir() if path.is_file()))
        assert stacks, folder
        assert all((stack.grid is not None and bool(stack.frames)) or stack.refusal for stack in stacks), folder


LOSSLESS = ("1.2", "1.2.1", "1.2.1.99", "1.2.2", "1.2.5", "1.2.4.57", "1.2.4.70", "1.2.4.80", "1.2.4.90")
RETIRED = ("1.2.4.53", "1.2.4.55")


def test_one_image_in_every_transfer_syntax_is_the_same_volume(shared_data: Path, transcoder: Transcoder) -> None:
    volumes = {}
    for path in sorted((shared_data / "transfer-syntaxes/one-ct-image").iterdir()):
        syntax = path.name.rpartition("1.2.840.10008.")[2].removesuffix(".dcm")
        (stack,) = stacks_of([path])
        if syntax in RETIRED:
            with pytest.raises(CannotBuildVolume, match="cannot be decoded"):
                read_stack(stack, transcoder=transcoder)
            continue
        volumes[syntax] = read_stack(stack, transcoder=transcoder)
    first = volumes["1.2.1"]
    assert set(LOSSLESS) < set(volumes)
    for syntax, volume in volumes.items():
        assert volume.grid.matches(first.grid), syntax
        if syntax in LOSSLESS:
            assert np.array_equal(volume.voxels, first.voxels), syntax
        else:
            assert np.abs(volume.voxels - first.voxels).mean() < 25, syntax
            assert PIXELS in [finding.kind for finding in volume.findings], syntax


def test_a_segmentation_is_the_same_in_every_syntax_it_can_be_decoded_from(
    shared_data: Path, transcoder: Transcoder
) -> None:
    folder = shared_data / "transfer-syntaxes/segmentation"
    for name in ("liver", "liver_nonbyte_aligned"):
        (stack,) = stacks_of([folder / f"{name}.dcm"])
        first = read_stack(stack)
        assert first.unit is Unit.FRACTION
        assert first.voxels.sum() > 100_000
        for kind in ("rle", "j2k", "expb"):
            path = folder / f"{name}_{kind}.dcm"
            if path.exists():
                (other,) = stacks_of([path])
                assert np.array_equal(read_stack(other, transcoder=transcoder).voxels, first.voxels), path.name
        (deflated,) = stacks_of([folder / f"{name}_deflate.dcm"])
        with pytest.raises(CannotBuildVolume, match="cannot be decoded"):
            read_stack(deflated, transcoder=transcoder)


def test_the_same_voxels_in_bq_and_as_suv_lie_at_the_same_place(shared_data: Path) -> None:
    (raw,) = stacks_of(files_of(shared_data / "petct/sts-001-raw/pet"))
    (cut,) = stacks_of(files_of(shared_data / "petct/sts-001/pet"))
    whole, part = read_stack(raw), read_stack(cut)
    index = whole.grid.from_patient.apply(part.grid.origin_mm)
    column, row, first = np.rint(index).astype(int)
    assert np.abs(index[:2] - (59, 45)).max() < 1e-3  # the offset that the manifest gives
    assert abs(index[2] - first) < 0.02  # the raw positions are rounded
    slices, rows, columns = part.voxels.shape
    same = whole.voxels[first : first + slices, row : row + rows, column : column + columns]
    bright = part.voxels > 0.5
    ratio = part.voxels[bright] / same[bright]
    assert np.abs(ratio / 2.42903e-4 - 1).max() < 0.002
    assert abs(np.median(ratio) / 2.42903e-4 - 1) < 2e-4
