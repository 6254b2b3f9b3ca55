"""Scans of the commission's patient: what CT, MR and PET would show of a known place, as DICOM images."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from radfuse.geometry import FrameOfReference, Grid, Points
from radfuse.objects.common import Code, code_sequence, decimal
from radfuse.services.commission.anatomy import shown

CT, MR, PT = "CT", "MR", "PT"
SOP_CLASSES: Final = {
    CT: "1.2.840.10008.5.1.4.1.1.2",
    MR: "1.2.840.10008.5.1.4.1.1.4",
    PT: "1.2.840.10008.5.1.4.1.1.128",
}

DATE: Final = "20260105"
_INJECTION_TIME: Final = "090000"
_SERIES_TIME: Final = "100000"
_UPTAKE_S: Final = 3600.0
_HALF_LIFE_S: Final = 6586.2
_DOSE_BQ: Final = 300e6
_WEIGHT_KG: Final = 62.0
_PET_FWHM_MM: Final = 6.0
_FWHM_TO_SIGMA: Final = 1 / 2.3548
_NOISE: Final = {CT: 12.0, MR: 9.0, PT: 0.06}
"""Standard deviation: HU, signal, and as a share of the activity."""

Voxels = npt.NDArray[np.float32]
Place = Callable[[Points], Points]


def uid_of(name: str) -> str:
    """The UID of a thing of the commission, always the same."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'radfuse commission {name}').int}"


def frame_of(name: str) -> FrameOfReference:
    """A frame of reference by its name."""
    return FrameOfReference(uid_of(f"frame {name}"))


@dataclass(frozen=True, eq=False)
class Scan:
    """An acquisition. ``place`` maps points of the grid's frame of reference to the anatomy's."""

    name: str
    modality: str
    grid: Grid
    place: Place

    @property
    def series_uid(self) -> str:
        """Of its images."""
        return uid_of(f"series {self.name}")


def acquired(scan: Scan) -> Voxels:
    """HU, signal or SUVbw as the scanner makes them: blurred where it is PET, and noisy."""
    grid = scan.grid
    voxels = np.empty(grid.shape, np.float32)
    for index in range(grid.shape[0]):
        seen = shown(scan.place(grid.slice_points_mm(index)))
        voxels[index] = {CT: seen.hu, MR: seen.signal, PT: seen.suv}[scan.modality]
    random = np.random.default_rng(uuid.uuid5(uuid.NAMESPACE_OID, scan.name).int % (1 << 32))
    noise = random.normal(0, _NOISE[scan.modality], grid.shape).astype(np.float32)
    if scan.modality == PT:
        clean = blurred(voxels, grid, _PET_FWHM_MM)
        noisy: Voxels = np.maximum(clean * (1 + noise), np.float32(0))
        return noisy
    voxels += noise
    return np.abs(voxels) if scan.modality == MR else voxels


def blurred(voxels: Voxels, grid: Grid, fwhm_mm: float) -> Voxels:
    """At the resolution of a scanner: a Gaussian; beyond the border its values go on."""
    for axis, step_mm in zip((2, 1, 0), grid.spacing_mm, strict=True):
        sigma = fwhm_mm * _FWHM_TO_SIGMA / step_mm
        reach = int(np.ceil(4 * sigma))
        taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        taps /= taps.sum()
        padded = np.pad(voxels, [(reach, reach) if one == axis else (0, 0) for one in range(3)], mode="edge")
        size = voxels.shape[axis]
        voxels = sum(
            (np.float32(tap) * padded.take(range(at, at + size), axis) for at, tap in enumerate(taps)),
            start=np.zeros_like(voxels),
        )
    return voxels


def images_of(scan: Scan, voxels: Voxels | None = None) -> Iterator[Dataset]:
    """The scan as images, one a slice; ``voxels`` (HU, signal, SUVbw) instead of what it would acquire."""
    values = acquired(scan) if voxels is None else voxels
    makers = {CT: _ct, MR: _mr, PT: _pet}
    stored, words = makers[scan.modality](values)
    for index, pixels in enumerate(stored):
        ds = _image(scan, index, pixels)
        for keyword, value in words.items():
            setattr(ds, keyword, value)
        if scan.modality == PT:
            ds.NumberOfSlices, ds.ImageIndex = len(stored), index + 1
            ds.RadiopharmaceuticalInformationSequence = [_fdg()]
            ds.PatientOrientationCodeSequence = code_sequence(Code("102538003", "SCT", "recumbent"))
            ds.PatientGantryRelationshipCodeSequence = code_sequence(Code("102540008", "SCT", "headfirst"))
        yield ds


_Stored = tuple[npt.NDArray[np.integer], dict[str, object]]


def _ct(hu: Voxels) -> _Stored:
    stored = np.clip(np.rint(hu) + 1024, 0, 4095).astype(np.uint16)
    return stored, {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "KVP": "120",
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
        "RescaleType": "HU",
        "BitsStored": 12,
        "HighBit": 11,
    }


def _mr(signal: Voxels) -> _Stored:
    return np.rint(np.clip(signal, 0, 32767)).astype(np.uint16), {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "SE"],
        "ScanningSequence": "SE",
        "SequenceVariant": "NONE",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "RepetitionTime": "550",
        "EchoTime": "12",
        "EchoTrainLength": 1,
    }


def _pet(suv: Voxels) -> _Stored:
    """SUVbw as Bq/ml at the start of the series (PS3.3 section C.8.9.1)."""
    dose_bq = _DOSE_BQ * 2 ** (-_UPTAKE_S / _HALF_LIFE_S)
    activity = suv.astype(np.float64) * dose_bq / (1000 * _WEIGHT_KG)
    slope = f"{activity.max() / 32767:.8g}"  # a decimal string: what is written is what is divided by
    return np.rint(activity / float(slope)).astype(np.int16), {
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "SeriesType": ["WHOLE BODY", "IMAGE"],
        "Units": "BQML",
        "CountsSource": "EMISSION",
        "CorrectedImage": ["DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"],
        "DecayCorrection": "START",
        "DecayFactor": "1",
        "RandomsCorrectionMethod": "DLYD",
        "AttenuationCorrectionMethod": "CT",
        "ScatterCorrectionMethod": "Model-based",
        "ReconstructionMethod": "OSEM",
        "CollimatorType": "NONE",
        "FrameReferenceTime": "0",
        "ActualFrameDuration": "180000",
        "RescaleIntercept": "0",
        "RescaleSlope": slope,
    }


def _fdg() -> Dataset:
    """PS3.3 section C.8.9.2."""
    dose = Dataset()
    dose.RadiopharmaceuticalStartTime = _INJECTION_TIME
    dose.RadiopharmaceuticalStartDateTime = DATE + _INJECTION_TIME
    dose.RadionuclideTotalDose = f"{_DOSE_BQ:.0f}"
    dose.RadionuclideHalfLife = f"{_HALF_LIFE_S}"
    dose.RadionuclidePositronFraction = "0.967"
    dose.RadionuclideCodeSequence = code_sequence(Code("77004003", "SCT", "^18^Fluorine"))
    dose.RadiopharmaceuticalCodeSequence = code_sequence(Code("35321007", "SCT", "Fluorodeoxyglucose F^18^"))
    return dose


def _image(scan: Scan, index: int, pixels: npt.NDArray[np.integer]) -> Dataset:
    ds = _identified(scan, index)
    grid = scan.grid
    position = grid.to_patient.apply((0, 0, index))
    across, down, through = grid.spacing_mm
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = grid.frame.uid, ""
    ds.BodyPartExamined = "CHEST"
    if scan.modality != PT:  # which says it by Patient Orientation Code Sequence
        ds.PatientPosition = "HFS"
    ds.ImagePositionPatient = [decimal(number) for number in position]
    ds.ImageOrientationPatient = [decimal(number, 12) for number in grid.directions.T[:2].ravel()]
    ds.PixelSpacing, ds.SliceThickness = [decimal(down), decimal(across)], decimal(through)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.add_new(0x7FE00010, "OW", pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())
    return ds


def _identified(scan: Scan, index: int) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = SOP_CLASSES[scan.modality], uid_of(f"image {scan.name} {index}")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid_of("study"), scan.series_uid
    ds.PatientName, ds.PatientID = "Commission^Radfuse", "RADFUSE-COMMISSION"
    ds.PatientBirthDate, ds.PatientSex = "19610412", "O"
    ds.PatientSize, ds.PatientWeight = "1.66", f"{_WEIGHT_KG:g}"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = DATE, "094500", "1", ""
    ds.StudyDescription, ds.ReferringPhysicianName = "Radfuse commission, made up", ""
    ds.SeriesDate, ds.SeriesTime, ds.SeriesNumber, ds.Modality = DATE, _SERIES_TIME, None, scan.modality
    ds.SeriesDescription = scan.name
    ds.AcquisitionDate, ds.AcquisitionTime = DATE, _SERIES_TIME
    ds.ContentDate, ds.ContentTime = DATE, _SERIES_TIME
    ds.Manufacturer, ds.ManufacturerModelName, ds.SoftwareVersions = "Radfuse", "Commission", "1"
    ds.AcquisitionNumber, ds.InstanceNumber = "1", str(index + 1)
    return ds
