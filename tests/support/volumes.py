"""Series of slices as files, regular or as hard as a test wants them; many large ones in little time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian

from tests.support.generate import CT_IMAGE, FRAME_OF_REFERENCE_UID, MR_IMAGE, PET_IMAGE, base_instance, save

ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
ENHANCED_PET = "1.2.840.10008.5.1.4.1.1.130"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
NUCLEAR = "1.2.840.10008.5.1.4.1.1.20"
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"

Edit = Callable[[Dataset, int], None]
_CLASSES = {"CT": CT_IMAGE, "MR": MR_IMAGE, "PT": PET_IMAGE, "NM": NUCLEAR}


@dataclass(frozen=True)
class Shape:
    """Of a series: rows, columns, mm between rows, columns and slices, and the directions of rows and columns."""

    rows: int = 6
    columns: int = 5
    between_mm: tuple[float, float, float] = (1.5, 2.0, 3.0)
    orientation: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    first_mm: tuple[float, float, float] = (-10.0, -20.0, -30.0)

    @property
    def normal(self) -> npt.NDArray[np.float64]:
        """Row direction x column direction."""
        return np.cross(self.orientation[:3], self.orientation[3:])

    def position(self, index: float) -> list[float]:
        """Image Position (Patient) of a slice."""
        place = np.array(self.first_mm) + index * self.between_mm[2] * self.normal
        return [round(float(value), 6) for value in place]


def pixels_of(shape: Shape, number: int) -> npt.NDArray[np.uint16]:
    """12-bit pixels that are different in every slice and at every place."""
    down, across = np.mgrid[0 : shape.rows, 0 : shape.columns]
    values: npt.NDArray[np.uint16] = ((100 * number + 7 * down + across) % 4096).astype(np.uint16)
    return values


def image(shape: Shape, modality: str, number: int, series: int = 1) -> Dataset:
    """One slice, in place ``number`` (from 0) along the normal."""
    ds = base_instance(_CLASSES[modality], modality, series, number + 1)
    ds.ContentTime = f"10{number // 60 % 60:02}{number % 60:02}"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if modality == "CT" else "M"]
    ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    ds.AcquisitionNumber = 1
    ds.ImagePositionPatient = shape.position(number)
    ds.ImageOrientationPatient = list(shape.orientation)
    ds.PixelSpacing = list(shape.between_mm[:2])
    ds.SliceThickness = shape.between_mm[2]
    put_pixels(ds, pixels_of(shape, number))
    if modality == "CT":
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    elif modality == "PT":
        ds.RescaleIntercept, ds.RescaleSlope = "0", "2.5"
        ds.Units, ds.CorrectedImage, ds.DecayCorrection = "BQML", ["ATTN", "DECY"], "START"
    return ds


def put_pixels(ds: Dataset, pixels: npt.NDArray[np.uint16] | npt.NDArray[np.int16], stored: int = 12) -> None:
    """Set the Image Pixel module to one frame, or several, of 16-bit pixels."""
    ds.Rows, ds.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        ds.NumberOfFrames = len(pixels)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, stored, stored - 1
    ds.PixelRepresentation = int(pixels.dtype == np.int16)
    ds.PixelData = pixels.tobytes()


def write_series(
    folder: Path, count: int, shape: Shape | None = None, modality: str = "CT", edit: Edit | None = None
) -> list[Path]:
    """A series of ``count`` slices as files; ``edit`` may change each before it is written."""
    files = []
    for number in range(count):
        ds = image(shape or Shape(), modality, number)
        if edit is not None:
            edit(ds, number)
        files.append(save(ds, folder, str(ExplicitVRLittleEndian)))
    return files


def write_large_ct(folder: Path, count: int = 300, side: int = 512) -> list[Path]:
    """A CT series of square slices of noise; ``count`` x ``side`` x ``side`` x 2 bytes."""
    shape = Shape(side, side, (0.7, 0.7, 1.0))
    noise = np.random.default_rng(7).integers(0, 4096, (side, side), dtype=np.uint16)

    def with_noise(ds: Dataset, number: int) -> None:
        ds.PixelData = np.roll(noise, number, axis=0).tobytes()

    return write_series(folder, count, shape, edit=with_noise)


# --- multi-frame -----------------------------------------------------------------------------


def _item(**values: object) -> DicomSequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return DicomSequence([item])


def enhanced(shape: Shape, places: Sequence[float], sop_class_uid: str = ENHANCED_MR, modality: str = "MR") -> Dataset:
    """An enhanced image with frames at ``places`` along the normal, in this order; its pixels tell their places."""
    ds = base_instance(sop_class_uid, modality, 5, 1)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    put_pixels(ds, np.stack([pixels_of(shape, int(place)) for place in places]))
    shared = Dataset()
    shared.PixelMeasuresSequence = _item(PixelSpacing=list(shape.between_mm[:2]), SliceThickness=shape.between_mm[2])
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=list(shape.orientation))
    shared.PixelValueTransformationSequence = _item(
        RescaleIntercept="-1024" if modality == "CT" else "0",
        RescaleSlope="1" if modality == "CT" else "0.5",
        RescaleType="HU" if modality == "CT" else "US",
    )
    ds.SharedFunctionalGroupsSequence = DicomSequence([shared])
    ds.PerFrameFunctionalGroupsSequence = DicomSequence([_groups(shape, place) for place in places])
    return ds


def _groups(shape: Shape, place: float) -> Dataset:
    groups = Dataset()
    groups.FrameContentSequence = _item(StackID="1", InStackPositionNumber=int(place) + 1)
    groups.PlanePositionSequence = _item(ImagePositionPatient=shape.position(place))
    return groups


def tomogram(shape: Shape, count: int, spacing_mm: float) -> Dataset:
    """A reconstructed tomogram of nuclear medicine; ``spacing_mm`` may be negative."""
    ds = base_instance(NUCLEAR, "NM", 6, 1)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    put_pixels(ds, np.stack([pixels_of(shape, number) for number in range(count)]))
    ds.PixelSpacing = list(shape.between_mm[:2])
    ds.SliceThickness, ds.SpacingBetweenSlices = abs(spacing_mm), spacing_mm
    ds.FrameIncrementPointer = 0x00540080
    ds.SliceVector, ds.NumberOfSlices = list(range(1, count + 1)), count
    ds.DetectorInformationSequence = _item(
        ImagePositionPatient=list(shape.first_mm), ImageOrientationPatient=list(shape.orientation)
    )
    return ds


def dose(shape: Shape, offsets_mm: Sequence[float], scaling: str = "0.01") -> Dataset:
    """An RT Dose with planes at ``offsets_mm``."""
    ds = base_instance(RT_DOSE, "RTDOSE", 8, 1)
    ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    put_pixels(ds, np.stack([pixels_of(shape, number) for number in range(len(offsets_mm))]), stored=16)
    ds.ImagePositionPatient = list(shape.first_mm)
    ds.ImageOrientationPatient = list(shape.orientation)
    ds.PixelSpacing = list(shape.between_mm[:2])
    ds.FrameIncrementPointer = 0x3004000C
    ds.GridFrameOffsetVector = list(offsets_mm)
    ds.DoseUnits, ds.DoseType, ds.DoseSummationType, ds.DoseGridScaling = "GY", "PHYSICAL", "PLAN", scaling
    return ds
