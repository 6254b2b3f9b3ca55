"""A small made-up patient as DICOM files, for tests that must run without real data.

Everything is invented; UIDs lie under a root of their own and are the same in every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
PET_IMAGE = "1.2.840.10008.5.1.4.1.1.128"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MULTIFRAME_WORD_SC = "1.2.840.10008.5.1.4.1.1.7.3"
BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"

PATIENT_ID = "GEN-0001"
PATIENT_NAME = "Test^Generated"
STUDY_UID = "2.25.7001"
FRAME_OF_REFERENCE_UID = "2.25.7002"

_ROOT = "2.25.7100"
_SIDE = 32


@dataclass(frozen=True)
class GeneratedSet:
    """The files of one study, by series; ``root`` holds one folder for each."""

    root: Path
    ct: tuple[Path, ...]
    pet: tuple[Path, ...]
    mr: tuple[Path, ...]
    secondary_capture: Path
    structured_report: Path
    rtstruct: Path
    multiframe: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file, single objects last."""
        single = (self.secondary_capture, self.structured_report, self.rtstruct, self.multiframe)
        return (*self.ct, *self.pet, *self.mr, *single)


def base_instance(sop_class_uid: str, modality: str, series_number: int, instance_number: int) -> Dataset:
    """A data set of the generated study that holds the patient, study, series and SOP common modules."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID = UID(sop_class_uid)
    ds.SOPInstanceUID = UID(f"{_ROOT}.{series_number}.{instance_number}")
    ds.StudyDate = "20240229"
    ds.StudyTime = "101112.130000"
    ds.SeriesDate = ds.StudyDate
    ds.SeriesTime = f"1012{series_number:02}"
    ds.ContentDate = ds.StudyDate
    ds.ContentTime = f"1013{instance_number:02}"
    ds.AccessionNumber = "ACC-7"
    ds.Modality = modality
    ds.Manufacturer = "Radfuse tests"
    ds.ReferringPhysicianName = "Referrer^Generated"
    ds.StudyDescription = "Generated study"
    ds.SeriesDescription = f"{modality} series"
    ds.PatientName = PATIENT_NAME
    ds.PatientID = PATIENT_ID
    ds.PatientBirthDate = "19700131"
    ds.PatientSex = "O"
    ds.StudyInstanceUID = STUDY_UID
    ds.SeriesInstanceUID = f"{_ROOT}.{series_number}"
    ds.StudyID = "S7"
    ds.SeriesNumber = series_number
    ds.InstanceNumber = instance_number
    return ds


def generate_set(root: Path) -> GeneratedSet:
    """The whole study written under ``root``."""
    ct = _volume(CT_IMAGE, "CT", 1)
    return GeneratedSet(
        root=root,
        ct=tuple(save(ds, root / "ct", ExplicitVRLittleEndian) for ds in ct),
        pet=tuple(save(ds, root / "pet", ImplicitVRLittleEndian) for ds in _volume(PET_IMAGE, "PT", 2)),
        mr=tuple(save(ds, root / "mr", ExplicitVRLittleEndian) for ds in _volume(MR_IMAGE, "MR", 3)),
        secondary_capture=save(_secondary_capture(), root / "sc", ExplicitVRLittleEndian),
        structured_report=save(_structured_report(ct[0]), root / "sr", ExplicitVRLittleEndian),
        rtstruct=save(_rtstruct(ct), root / "rtstruct", ImplicitVRLittleEndian),
        multiframe=save(multiframe(frames=8), root / "multiframe", ExplicitVRLittleEndian),
    )


def save(ds: Dataset, folder: Path, transfer_syntax_uid: str) -> Path:
    """``ds`` as a Part 10 file in ``folder``, named by its instance number."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{int(ds.InstanceNumber):04}.dcm"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    ds.save_as(path, enforce_file_format=True)
    return path


def multiframe(frames: int, side: int = _SIDE) -> Dataset:
    """A multi-frame grayscale word secondary capture of ``frames`` square frames of ``side`` pixels."""
    ds = base_instance(MULTIFRAME_WORD_SC, "OT", 7, 1)
    ds.ConversionType = "WSD"
    ds.NumberOfFrames = frames
    ds.FrameIncrementPointer = 0x00181063
    ds.FrameTime = "40"
    ds.BurnedInAnnotation = "NO"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PresentationLUTShape = "IDENTITY"
    _set_pixels(ds, np.stack([_disc(side, frame) for frame in range(frames)]), signed=False)
    return ds


def _volume(sop_class_uid: str, modality: str, series_number: int, slices: int = 5) -> list[Dataset]:
    return [_slice(sop_class_uid, modality, series_number, index) for index in range(slices)]


def _slice(sop_class_uid: str, modality: str, series_number: int, index: int) -> Dataset:
    ds = base_instance(sop_class_uid, modality, series_number, index + 1)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.AcquisitionNumber = 1
    ds.BodyPartExamined = "CHEST"
    ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    ds.PositionReferenceIndicator = ""
    ds.PatientPosition = "HFS"
    ds.ImagePositionPatient = [-31, -31, -10 + 4 * index]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [2, 2]
    ds.SliceThickness = 4
    if modality == "CT":
        ds.KVP = "120"
        ds.RescaleIntercept, ds.RescaleSlope = "-1024", "1"
    elif modality == "PT":
        _add_pet_attributes(ds, index)
    else:
        _add_mr_attributes(ds)
    _set_pixels(ds, _disc(_SIDE, index + 3 * series_number), signed=modality == "PT")
    return ds


def _add_pet_attributes(ds: Dataset, index: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.SeriesType = ["WHOLE BODY", "IMAGE"]
    ds.Units = "BQML"
    ds.CountsSource = "EMISSION"
    ds.NumberOfSlices = 5
    ds.ImageIndex = index + 1
    ds.CorrectedImage = ["DECY", "ATTN"]
    ds.DecayCorrection = "START"
    ds.CollimatorType = "NONE"
    ds.AcquisitionDate, ds.AcquisitionTime = ds.SeriesDate, ds.SeriesTime
    ds.FrameReferenceTime = "0"
    ds.ActualFrameDuration = "120000"
    ds.PatientWeight = "70"
    ds.RescaleIntercept, ds.RescaleSlope = "0", "0.5"
    dose = Dataset()
    dose.Radiopharmaceutical = "FDG"
    dose.RadiopharmaceuticalStartTime = "091200"
    dose.RadionuclideTotalDose = "350000000"
    dose.RadionuclideHalfLife = "6586.2"
    ds.RadiopharmaceuticalInformationSequence = Sequence([dose])


def _add_mr_attributes(ds: Dataset) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    ds.ScanningSequence = "SE"
    ds.SequenceVariant = "NONE"
    ds.ScanOptions = ""
    ds.MRAcquisitionType = "2D"
    ds.RepetitionTime = "500"
    ds.EchoTime = "15"
    ds.EchoTrainLength = 1


def _secondary_capture() -> Dataset:
    ds = base_instance(SECONDARY_CAPTURE, "OT", 4, 1)
    ds.ConversionType = "WSD"
    _set_pixels(ds, _disc(_SIDE, 1), signed=False)
    return ds


def _structured_report(image: Dataset) -> Dataset:
    ds = base_instance(BASIC_TEXT_SR, "SR", 5, 1)
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.PerformedProcedureCodeSequence = Sequence()
    ds.ReferencedPerformedProcedureStepSequence = Sequence()
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = _code("11528-7", "LN", "Radiology Report")
    finding = Dataset()
    finding.RelationshipType, finding.ValueType = "CONTAINS", "TEXT"
    finding.ConceptNameCodeSequence = _code("121071", "DCM", "Finding")
    finding.TextValue = "A bright disc."
    evidence = Dataset()
    evidence.RelationshipType, evidence.ValueType = "CONTAINS", "IMAGE"
    evidence.ReferencedSOPSequence = Sequence([_reference(image)])
    ds.ContentSequence = Sequence([finding, evidence])
    return ds


def _rtstruct(ct: list[Dataset]) -> Dataset:
    ds = base_instance(RT_STRUCTURE_SET, "RTSTRUCT", 6, 1)
    ds.StructureSetLabel = "GENERATED"
    ds.StructureSetDate, ds.StructureSetTime = ds.StudyDate, ds.StudyTime
    series = Dataset()
    series.SeriesInstanceUID = ct[0].SeriesInstanceUID
    series.ContourImageSequence = Sequence([_reference(image) for image in ct])
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", STUDY_UID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    frame.RTReferencedStudySequence = Sequence([study])
    ds.ReferencedFrameOfReferenceSequence = Sequence([frame])
    roi = Dataset()
    roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = 1, "Disc", "AUTOMATIC"
    roi.ReferencedFrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    ds.StructureSetROISequence = Sequence([roi])
    contour = Dataset()
    contour.ContourImageSequence = Sequence([_reference(ct[0])])
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", 4
    contour.ContourData = [-8, -8, -10, 8, -8, -10, 8, 8, -10, -8, 8, -10]
    contours = Dataset()
    contours.ReferencedROINumber, contours.ROIDisplayColor = 1, [255, 0, 0]
    contours.ContourSequence = Sequence([contour])
    ds.ROIContourSequence = Sequence([contours])
    observation = Dataset()
    observation.ObservationNumber, observation.ReferencedROINumber = 1, 1
    observation.RTROIInterpretedType, observation.ROIInterpreter = "ORGAN", ""
    ds.RTROIObservationsSequence = Sequence([observation])
    return ds


def _reference(instance: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = instance.SOPClassUID
    reference.ReferencedSOPInstanceUID = instance.SOPInstanceUID
    return reference


def _code(value: str, scheme: str, meaning: str) -> Sequence:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return Sequence([code])


def _disc(side: int, phase: int) -> npt.NDArray[np.uint16]:
    y, x = np.mgrid[:side, :side]
    inside = (x - side / 2) ** 2 + (y - side / 2) ** 2 < (side / 3) ** 2
    pixels: npt.NDArray[np.uint16] = np.where(inside, 1000 + 10 * phase + x, 24 + y).astype(np.uint16)
    return pixels


def _set_pixels(ds: Dataset, pixels: npt.NDArray[np.uint16], *, signed: bool) -> None:
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelRepresentation = int(signed)
    ds.PixelData = pixels.astype("<u2").tobytes()
