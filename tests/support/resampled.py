"""Small made-up source images and volumes for resampled series and captures; no files, no pixels in the sources."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.objects.common import Code, Making, NewSeries, Provenance, reference_to
from radfuse.volume import Source, Unit, Volume
from tests.support.generate import CT_IMAGE, FRAME_OF_REFERENCE_UID, MR_IMAGE, PET_IMAGE, base_instance

NM_IMAGE = "1.2.840.10008.5.1.4.1.1.20"
CLASSES = {"CT": CT_IMAGE, "MR": MR_IMAGE, "PT": PET_IMAGE, "NM": NM_IMAGE}
UNITS = {"CT": Unit.HU, "MR": Unit.SIGNAL, "PT": Unit.BQML, "NM": Unit.COUNTS}
WHEN = datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
FRAME = FrameOfReference(FRAME_OF_REFERENCE_UID)
SLICES = 4


def counted_uids(root: str = "2.25.88") -> Callable[[], str]:
    """A maker of UIDs that are the same in every run."""
    numbers = count(1)
    return lambda: f"{root}.{next(numbers)}"


def making() -> Making:
    """Circumstances that are the same in every run."""
    return Making(WHEN, counted_uids(), serial_number="42")


def series() -> NewSeries:
    """Where the new images go."""
    return NewSeries("Resampled")


def provenance(sources: list[Dataset]) -> Provenance:
    """What was done."""
    inputs = tuple(reference_to(source) for source in sources)
    return Provenance("resampled onto another grid", {"interpolation": "linear"}, inputs)


def sources(modality: str, slices: int = SLICES) -> list[Dataset]:
    """Headers of source images: axial, 3 mm apart, in one frame of reference."""
    if modality == "NM":
        return [_nm_source(slices)]
    return [_source(modality, index) for index in range(slices)]


def _source(modality: str, index: int) -> Dataset:
    ds = base_instance(CLASSES[modality], modality, {"CT": 31, "MR": 32, "PT": 33}[modality], index + 1)
    ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    ds.PositionReferenceIndicator = "SN"
    ds.ImagePositionPatient = [-20.0, -30.0, 3.0 * index]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [2.0, 2.0]
    ds.SliceThickness = "3"
    ds.PatientPosition = "HFS"
    ds.AcquisitionDate = "20240229"
    ds.AcquisitionTime = f"10{13 + index:02}30"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if modality == "CT" else "M"]
    ds.Rows, ds.Columns, ds.BitsStored, ds.BitsAllocated, ds.PixelRepresentation = 10, 12, 16, 16, 1
    ds.RescaleSlope, ds.RescaleIntercept = "1", "0"
    ds.PatientWeight = "71"
    ds.PatientSize = "1.63"
    if modality == "CT":
        ds.KVP, ds.AcquisitionNumber, ds.ConvolutionKernel = "120", 1, "B30f"
        ds.WindowCenter, ds.WindowWidth = "40", "400"
    elif modality == "MR":
        ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "GR", ["SP", "SK"], "FS"
        ds.MRAcquisitionType, ds.RepetitionTime, ds.EchoTime, ds.EchoTrainLength = "3D", "8.5", "4.6", 1
        ds.FlipAngle, ds.MagneticFieldStrength = "12", "3"
    else:
        _add_pet(ds, index)
    return ds


def _add_pet(ds: Dataset, index: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.SeriesDate, ds.SeriesTime = "20240229", "101330"
    ds.SeriesType = ["WHOLE BODY", "IMAGE"]
    ds.Units, ds.CountsSource, ds.DecayCorrection, ds.CollimatorType = "BQML", "EMISSION", "START", "NONE"
    ds.CorrectedImage = ["DECY", "ATTN", "SCAT", "NORM"]
    ds.RescaleSlope, ds.RescaleIntercept = "2.5", "0"
    ds.RandomsCorrectionMethod, ds.AttenuationCorrectionMethod = "SING", "CTAC"
    ds.NumberOfSlices = SLICES
    ds.FrameReferenceTime, ds.ActualFrameDuration, ds.DecayFactor = str(1000.0 * index), "120000", f"1.{index:03}"
    ds.ImageIndex = index + 1
    ds.RadiopharmaceuticalInformationSequence = Sequence([_tracer()])
    ds.PatientOrientationCodeSequence = Sequence([Code("102538003", "SCT", "recumbent").item()])
    ds.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = Sequence(
        [Code("40199007", "SCT", "supine").item()]
    )
    ds.PatientGantryRelationshipCodeSequence = Sequence([Code("102540008", "SCT", "headfirst").item()])
    ds.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.00031")


def _tracer() -> Dataset:
    tracer = Dataset()
    tracer.Radiopharmaceutical = "Fluorodeoxyglucose"
    tracer.RadiopharmaceuticalStartTime = "091330"
    tracer.RadionuclideTotalDose = "388777472"
    tracer.RadionuclideHalfLife = "6588"
    tracer.RadionuclidePositronFraction = "0.97"
    tracer.RadionuclideCodeSequence = Sequence([Code("77004003", "SCT", "^18^Fluorine").item()])
    return tracer


def _nm_source(slices: int) -> Dataset:
    ds = base_instance(NM_IMAGE, "NM", 34, 1)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    ds.NumberOfFrames = slices
    ds.PatientOrientationCodeSequence = Sequence([Code("102538003", "SCT", "recumbent").item()])
    ds.PatientGantryRelationshipCodeSequence = Sequence([Code("102540008", "SCT", "headfirst").item()])
    window, limits, tracer, detector, rotation = Dataset(), Dataset(), Dataset(), Dataset(), Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = "126", "154"
    window.EnergyWindowName, window.EnergyWindowRangeSequence = "Tc99m", Sequence([limits])
    ds.EnergyWindowInformationSequence = Sequence([window])
    tracer.RadionuclideCodeSequence = Sequence([Code("72454001", "SCT", "^99m^Technetium").item()])
    ds.RadiopharmaceuticalInformationSequence = Sequence([tracer])
    detector.CollimatorType, detector.CollimatorGridName = "PARA", "LEHR"
    detector.ImagePositionPatient = [-20.0, -30.0, 0.0]
    detector.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.DetectorInformationSequence = Sequence([detector])
    rotation.TableHeight, rotation.StartAngle, rotation.AngularStep = "0", "0", "3"
    rotation.RotationDirection, rotation.ScanArc = "CW", "360"
    rotation.ActualFrameDuration, rotation.NumberOfFramesInRotation = 20000, 120
    rotation.RadialPosition, rotation.TypeOfDetectorMotion = "250", "STEP AND SHOOT"
    ds.RotationInformationSequence = Sequence([rotation])
    return ds


def turned_grid(shape: tuple[int, int, int] = (5, 7, 9), frame: FrameOfReference = FRAME) -> Grid:
    """An oblique grid with three different spacings, some of its voxels outside of the sources."""
    angle = np.deg2rad(17.0)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return Grid(shape, Affine.of(turn @ np.diag([1.25, 1.5, 2.5]), (-10.123456, -20.2, 1.7)), frame)


def volume(modality: str, voxels: npt.NDArray[Any], grid: Grid | None = None, unit: Unit | None = None) -> Volume:
    """A volume of a modality."""
    grid = grid or turned_grid((voxels.shape[0], voxels.shape[1], voxels.shape[2]))
    source = Source(modality, CLASSES.get(modality, ""), "2.25.7001", "2.25.1", ("",) * grid.shape[0])
    return Volume(voxels, grid, unit or UNITS[modality], source)


def signal(modality: str, shape: tuple[int, int, int] = (5, 7, 9), seed: int = 3) -> npt.NDArray[Any]:
    """Voxels as the modality has them: HU in int16, everything else float32."""
    random = np.random.default_rng(seed)
    if modality == "CT":
        return random.integers(-1000, 2000, shape).astype(np.int16)
    if modality == "NM":
        return random.integers(0, 900, shape).astype(np.float32)
    return random.gamma(1.5, 4000.0, shape).astype(np.float32)
