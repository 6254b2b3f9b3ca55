"""A thorax-like phantom of ellipsoids as CT, PET, MR and RT Structure Set data sets (PS3.3 Annex A).

Lengths are mm in the patient's coordinate system (PS3.3 section C.7.6.2): x to the left, y to the
back, z to the head. The same numbers come out every time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import UID

from radfuse.services.demo import CT_SLICES, MR_SLICES, PET_SLICES, STUDY_UID

CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
PET_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.128"
MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4"
RT_STRUCTURE_SET: Final = "1.2.840.10008.5.1.4.1.1.481.3"

_Volume = npt.NDArray[np.float64]
_PIXELS: Final = 128
_DATE: Final = "20260105"
_INJECTION_TIME: Final = "090000"
_PET_TIME: Final = "100000"
_UPTAKE_S: Final = 3600.0
_HALF_LIFE_S: Final = 6586.2
_DOSE_BQ: Final = 350e6
_WEIGHT_KG: Final = 74.0
_PET_RESOLUTION_MM: Final = 6.0
_FWHM_TO_SIGMA: Final = 1 / 2.3548


@dataclass(frozen=True, slots=True)
class Organ:
    """An ellipsoid (a cylinder along z where a semi-axis is infinite) and how each modality shows it."""

    name: str
    centre_mm: tuple[float, float, float]
    semi_axes_mm: tuple[float, float, float]
    ct_hu: float
    pet_suv: float
    mr_signal: float


LESION: Final = Organ("lesion", (-72.0, 4.0, 22.0), (12.0, 12.0, 12.0), 35, 9.0, 520)
ORGANS: Final = (
    Organ("body", (0, 0, 0), (175, 112, np.inf), 30, 0.7, 260),
    Organ("right lung", (-78, 0, 25), (62, 82, 95), -790, 0.4, 35),
    Organ("left lung", (78, 0, 25), (58, 80, 95), -790, 0.4, 35),
    Organ("heart", (28, -32, -15), (52, 44, 42), 45, 2.4, 400),
    Organ("spine", (0, 72, 0), (19, 19, np.inf), 420, 1.3, 180),
    Organ("aorta", (22, 45, 0), (11, 11, np.inf), 50, 1.6, 90),
    Organ("liver", (-60, -10, -85), (92, 78, 48), 60, 2.1, 350),
    LESION,
)
"""Later ones lie over earlier ones."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Slices of square pixels, parallel to the plane of ``row`` and ``column``."""

    origin_mm: npt.NDArray[np.float64]
    """Centre of the first pixel of the first slice."""
    axes: npt.NDArray[np.float64]
    """Unit vectors along a row, along a column, from slice to slice, as rows of the matrix."""
    pixel_mm: float
    slice_mm: float
    slices: int

    def position_mm(self, index: int) -> npt.NDArray[np.float64]:
        """Centre of the first pixel of a slice: Image Position (Patient)."""
        position: npt.NDArray[np.float64] = self.origin_mm + index * self.slice_mm * self.axes[2]
        return position

    def points_mm(self) -> _Volume:
        """The centres of all voxels, in the order slice, row, column, coordinate."""
        along = np.arange(_PIXELS) * self.pixel_mm
        through = np.arange(self.slices) * self.slice_mm
        points: _Volume = (
            self.origin_mm
            + through[:, None, None, None] * self.axes[2]
            + along[None, :, None, None] * self.axes[1]
            + along[None, None, :, None] * self.axes[0]
        )
        return points


def _grid(pixel_mm: float, slice_mm: float, slices: int, axes: npt.NDArray[np.float64] | None = None) -> Grid:
    """A grid around the patient's origin."""
    directions = np.eye(3) if axes is None else axes
    half = (_PIXELS - 1) / 2 * pixel_mm
    origin = -half * directions[0] - half * directions[1] - (slices - 1) / 2 * slice_mm * directions[2]
    return Grid(origin, directions, pixel_mm, slice_mm, slices)


CT_GRID: Final = _grid(3.5, 4.0, CT_SLICES)
PET_GRID: Final = _grid(4.0, 4.0, PET_SLICES)
MR_GRID: Final = _grid(3.2, 5.0, MR_SLICES)


def mr_from_patient_mm(points_mm: _Volume) -> _Volume:
    """Where the MR's own frame of reference sees a point of the CT's: turned by 6 and 3 degrees, and shifted."""
    about_z, about_x = np.radians(6.0), np.radians(3.0)
    turn_z = np.array([[np.cos(about_z), -np.sin(about_z), 0], [np.sin(about_z), np.cos(about_z), 0], [0, 0, 1]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(about_x), -np.sin(about_x)], [0, np.sin(about_x), np.cos(about_x)]])
    moved: _Volume = points_mm @ (turn_z @ turn_x).T + _MR_SHIFT_MM
    return moved


_MR_SHIFT_MM: Final = np.array([7.0, -5.0, 4.0])


def _patient_from_mr_mm(points_mm: _Volume) -> _Volume:
    rotation = mr_from_patient_mm(np.eye(3)) - _MR_SHIFT_MM  # its rows are the images of the unit vectors
    moved: _Volume = (points_mm - _MR_SHIFT_MM) @ rotation.T
    return moved


# --- what the modalities see -------------------------------------------------------------------


def _painted(points_mm: _Volume, background: float, values: Sequence[float]) -> _Volume:
    painted: _Volume = np.full(points_mm.shape[:-1], background)
    for organ, value in zip(ORGANS, values, strict=True):
        distance = (points_mm - np.array(organ.centre_mm)) / np.array(organ.semi_axes_mm)
        painted[np.einsum("...i,...i->...", distance, distance) <= 1] = value
    return painted


def _ct_hu() -> _Volume:
    hu = _painted(CT_GRID.points_mm(), -1000.0, [organ.ct_hu for organ in ORGANS])
    noise: _Volume = np.random.default_rng(1).normal(0, 12, hu.shape)
    return hu + noise


def _pet_bq_ml() -> _Volume:
    """SUV by body weight as activity concentration at the start of the series (PS3.3 section C.8.9.1)."""
    suv = _painted(PET_GRID.points_mm(), 0.0, [organ.pet_suv for organ in ORGANS])
    blurred = _blurred(suv, (PET_GRID.slice_mm, PET_GRID.pixel_mm, PET_GRID.pixel_mm))
    noisy = blurred * (1 + np.random.default_rng(2).normal(0, 0.06, suv.shape))
    dose_bq = _DOSE_BQ * 2 ** (-_UPTAKE_S / _HALF_LIFE_S)
    activity: _Volume = np.clip(noisy, 0, None) * dose_bq / (1000 * _WEIGHT_KG)
    return activity


def _mr_signal() -> _Volume:
    points = _patient_from_mr_mm(MR_GRID.points_mm())
    signal = _painted(points, 5.0, [organ.mr_signal for organ in ORGANS])
    noise: _Volume = np.random.default_rng(3).normal(0, 9, signal.shape)
    return np.abs(signal + noise)


def _blurred(volume: _Volume, spacing_mm: tuple[float, float, float]) -> _Volume:
    """``volume`` at the resolution of the PET scanner: a Gaussian, by its Fourier transform."""
    sigma_mm = _PET_RESOLUTION_MM * _FWHM_TO_SIGMA
    transform = np.fft.rfftn(volume)
    last = volume.ndim - 1
    for axis, step_mm in enumerate(spacing_mm):
        size = volume.shape[axis]
        frequency = (np.fft.rfftfreq if axis == last else np.fft.fftfreq)(size, step_mm)
        gauss = np.exp(-2 * (np.pi * sigma_mm * frequency) ** 2)
        transform = transform * gauss.reshape([-1 if other == axis else 1 for other in range(volume.ndim)])
    blurred: _Volume = np.fft.irfftn(transform, volume.shape, range(volume.ndim))
    return blurred


# --- data sets ---------------------------------------------------------------------------------


def demo_objects() -> Iterator[tuple[str, str, bytes]]:
    """SOP Class UID, SOP Instance UID and data set in Explicit VR Little Endian of every object."""
    ct = list(_ct_series())
    for data_set in (*ct, *_pet_series(), *_mr_series(), _structure_set(ct)):
        encoded = BytesIO()
        dcmwrite(encoded, data_set, implicit_vr=False, little_endian=True)
        yield str(data_set.SOPClassUID), str(data_set.SOPInstanceUID), encoded.getvalue()


def demo_uid(name: str) -> UID:
    """The UID of a thing in the study, always the same."""
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{STUDY_UID} {name}').int}")


def _ct_series() -> Iterator[Dataset]:
    stored = np.clip(np.rint(_ct_hu()) + 1024, 0, 4095).astype(np.uint16)
    for index, pixels in enumerate(stored):
        ds = _image("CT", CT_IMAGE, 1, index, CT_GRID, pixels)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.SeriesDescription, ds.SeriesTime = "CT thorax, low dose", "095500"
        ds.KVP, ds.XRayTubeCurrent, ds.ConvolutionKernel = "120", "60", "STANDARD"
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
        ds.WindowCenter, ds.WindowWidth = "40", "400"
        ds.BitsStored, ds.HighBit = 12, 11
        yield ds


def _pet_series() -> Iterator[Dataset]:
    activity = _pet_bq_ml()
    # A decimal string: the slope that is written is the slope that is divided by.
    slope = f"{activity.max() / 32767:.8g}"
    stored = np.rint(activity / float(slope)).astype(np.int16)
    for index, pixels in enumerate(stored):
        ds = _image("PT", PET_IMAGE, 2, index, PET_GRID, pixels)
        ds.ImageType = ["ORIGINAL", "PRIMARY"]
        ds.SeriesDescription, ds.SeriesTime, ds.AcquisitionTime = "PET FDG, attenuation corrected", _PET_TIME, _PET_TIME
        ds.SeriesType, ds.Units, ds.CountsSource = ["WHOLE BODY", "IMAGE"], "BQML", "EMISSION"
        ds.NumberOfSlices, ds.ImageIndex = PET_SLICES, index + 1
        ds.CorrectedImage = ["DECY", "ATTN", "SCAT", "RADL", "DTIM", "RAN", "NORM"]
        ds.DecayCorrection, ds.DecayFactor, ds.RandomsCorrectionMethod = "START", "1", "DLYD"
        ds.AttenuationCorrectionMethod, ds.ScatterCorrectionMethod = "CT", "Model-based"
        ds.ReconstructionMethod, ds.CollimatorType = "OSEM", "NONE"
        ds.FrameReferenceTime, ds.ActualFrameDuration = "0", "180000"
        ds.RescaleIntercept, ds.RescaleSlope = "0", slope
        ds.RadiopharmaceuticalInformationSequence = [_fdg()]
        ds.PatientOrientationCodeSequence = [_code("102538003", "SCT", "recumbent")]
        ds.PatientGantryRelationshipCodeSequence = [_code("102540008", "SCT", "headfirst")]
        yield ds


def _fdg() -> Dataset:
    """PS3.3 section C.8.9.2."""
    dose = Dataset()
    dose.Radiopharmaceutical = "Fluorodeoxyglucose F^18^"
    dose.RadiopharmaceuticalRoute = "Intravenous route"
    dose.RadiopharmaceuticalStartTime = _INJECTION_TIME
    dose.RadiopharmaceuticalStartDateTime = _DATE + _INJECTION_TIME
    dose.RadionuclideTotalDose = f"{_DOSE_BQ:.0f}"
    dose.RadionuclideHalfLife = f"{_HALF_LIFE_S}"
    dose.RadionuclidePositronFraction = "0.967"
    dose.RadionuclideCodeSequence = [_code("77004003", "SCT", "^18^Fluorine")]
    dose.RadiopharmaceuticalCodeSequence = [_code("35321007", "SCT", "Fluorodeoxyglucose F^18^")]
    return dose


def _mr_series() -> Iterator[Dataset]:
    stored = np.rint(_mr_signal()).astype(np.uint16)
    for index, pixels in enumerate(stored):
        ds = _image("MR", MR_IMAGE, 3, index, MR_GRID, pixels)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
        ds.SeriesDescription, ds.SeriesTime = "MR T1 thorax, other position", "113000"
        ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "SE", "NONE", "", "2D"
        ds.RepetitionTime, ds.EchoTime, ds.EchoTrainLength, ds.MagneticFieldStrength = "550", "12", 1, "1.5"
        ds.WindowCenter, ds.WindowWidth = "260", "520"
        yield ds


def _structure_set(ct: Sequence[Dataset]) -> Dataset:
    """The lesion as closed contours on the CT slices that cut it (PS3.3 sections C.8.8.5, C.8.8.6)."""
    ds = _instance("RTSTRUCT", RT_STRUCTURE_SET, 4, 0)
    frame_uid = ct[0].FrameOfReferenceUID
    ds.SeriesDescription, ds.SeriesTime = "Lesion", "120000"
    ds.StructureSetLabel, ds.StructureSetDate, ds.StructureSetTime = "LESION", _DATE, "120000"
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = ct[0].SeriesInstanceUID
    series.ContourImageSequence = [_reference(image) for image in ct]
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = UID("1.2.840.10008.3.1.2.3.1"), UID(STUDY_UID)
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = frame_uid, [study]
    ds.ReferencedFrameOfReferenceSequence = [frame]
    roi, contours, observation = Dataset(), Dataset(), Dataset()
    roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = 1, "Lesion", "AUTOMATIC"
    roi.ReferencedFrameOfReferenceUID = frame_uid
    contours.ReferencedROINumber, contours.ROIDisplayColor = 1, [255, 64, 0]
    contours.ContourSequence = [contour for image in ct if (contour := _lesion_contour(image)) is not None]
    observation.ObservationNumber, observation.ReferencedROINumber = 1, 1
    observation.RTROIInterpretedType, observation.ROIInterpreter = "GTV", ""
    ds.StructureSetROISequence, ds.ROIContourSequence = [roi], [contours]
    ds.RTROIObservationsSequence = [observation]
    return ds


def _lesion_contour(image: Dataset) -> Dataset | None:
    x_mm, y_mm, z_mm = LESION.centre_mm
    height_mm = float(image.ImagePositionPatient[2])
    square_mm2 = LESION.semi_axes_mm[0] ** 2 - (height_mm - z_mm) ** 2
    if square_mm2 <= 0:
        return None
    angles = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    radius_mm = np.sqrt(square_mm2)
    points = zip(x_mm + radius_mm * np.cos(angles), y_mm + radius_mm * np.sin(angles), strict=True)
    contour = Dataset()
    contour.ContourImageSequence = [_reference(image)]
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(angles)
    contour.ContourData = [f"{number:.3f}" for x, y in points for number in (x, y, height_mm)]
    return contour


def _image(
    modality: str, sop_class_uid: str, series: int, index: int, grid: Grid, pixels: npt.NDArray[np.integer]
) -> Dataset:
    ds = _instance(modality, sop_class_uid, series, index)
    ds.FrameOfReferenceUID = demo_uid("frame of reference MR" if modality == "MR" else "frame of reference")
    ds.PositionReferenceIndicator, ds.PatientPosition, ds.BodyPartExamined = "", "HFS", "CHEST"
    position = grid.position_mm(index)
    ds.ImagePositionPatient = [f"{number:.4f}" for number in position]
    ds.ImageOrientationPatient = [f"{number:.6g}" for number in grid.axes[:2].ravel()]
    ds.SliceLocation = f"{position[2]:.3f}"
    ds.PixelSpacing, ds.SliceThickness = [str(grid.pixel_mm)] * 2, str(grid.slice_mm)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.add_new(0x7FE00010, "OW", pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())
    return ds


def _instance(modality: str, sop_class_uid: str, series: int, index: int) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = UID(sop_class_uid), demo_uid(f"{modality} {index}")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = UID(STUDY_UID), demo_uid(f"series {modality}")
    ds.PatientName, ds.PatientID = "Demo^Radfuse", "RADFUSE-DEMO"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19610412", "O", "064Y"
    ds.PatientSize, ds.PatientWeight = "1.76", f"{_WEIGHT_KG:g}"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = _DATE, "094500", "1", "DEMO-1"
    ds.StudyDescription, ds.ReferringPhysicianName = "PET/CT and MR thorax (made up)", ""
    ds.SeriesDate, ds.SeriesNumber, ds.Modality = _DATE, str(series), modality
    ds.AcquisitionDate, ds.AcquisitionTime = _DATE, "095500"
    ds.ContentDate, ds.ContentTime = _DATE, "120000"
    ds.Manufacturer, ds.ManufacturerModelName, ds.SoftwareVersions = "Radfuse", "Phantom", "1"
    ds.InstanceNumber = str(index + 1)
    return ds


def _reference(image: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return reference


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
