"""Believable headers: what a CT and an MR scanner write beside the pixels. All names and numbers are invented."""

from __future__ import annotations

from pydicom.dataset import Dataset

_NAMES = ("Fischer^Anna Maria", "Okonkwo^Chidi", "Lindqvist^Sven^Erik", "Moreau^Claire")

_COMMON: dict[str, object] = {
    "SpecificCharacterSet": "ISO_IR 100",
    "InstanceCreationDate": "20240312",
    "StudyDate": "20240312",
    "SeriesDate": "20240312",
    "AcquisitionDate": "20240312",
    "ContentDate": "20240312",
    "StudyTime": "101502.112000",
    "SeriesTime": "101803.554000",
    "Manufacturer": "BENCHMARK SYSTEMS",
    "InstitutionName": "General Hospital of the Benchmark",
    "InstitutionAddress": "1 Example Street, 12345 Sampletown",
    "ReferringPhysicianName": "Weber^Johanna^^Dr.",
    "StationName": "BENCH-SCAN-01",
    "InstitutionalDepartmentName": "Department of Radiology",
    "PerformingPhysicianName": "Rossi^Paolo",
    "OperatorsName": "Tech^One",
    "ManufacturerModelName": "Benchmark Scanner 64",
    "DeviceSerialNumber": "BS64-001234",
    "SoftwareVersions": ["syn_1.2.3", "recon_4.5"],
    "PatientSex": "F",
    "PatientAge": "061Y",
    "PatientSize": "1.68",
    "PatientWeight": "71.5",
    "PatientComments": "",
    "PatientBirthDate": "19621104",
    "StudyID": "4711",
    "SeriesNumber": "3",
    "AcquisitionNumber": "1",
    "PositionReferenceIndicator": "SN",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "RequestingPhysician": "Weber^Johanna^^Dr.",
    "RequestingService": "Internal Medicine",
    "RequestedProcedureDescription": "As described in the request",
    "PerformedProcedureStepStartDate": "20240312",
    "PerformedProcedureStepStartTime": "101502.112000",
    "PerformedProcedureStepID": "PPS0042",
    "PerformedProcedureStepDescription": "Standard protocol",
    "RequestedProcedureID": "RP0042",
}

_CT: dict[str, object] = {
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
    "Modality": "CT",
    "StudyDescription": "CT Thorax/Abdomen mit KM",
    "SeriesDescription": "Thorax 1.0 B70f lung",
    "ScanOptions": "HELICAL MODE",
    "BodyPartExamined": "CHEST",
    "SliceThickness": "1.0",
    "KVP": "120",
    "DataCollectionDiameter": "500",
    "ProtocolName": "6.1 Thorax Routine",
    "ReconstructionDiameter": "380",
    "DistanceSourceToDetector": "1040",
    "DistanceSourceToPatient": "570",
    "GantryDetectorTilt": "0",
    "TableHeight": "160.5",
    "RotationDirection": "CW",
    "ExposureTime": "500",
    "XRayTubeCurrent": "240",
    "Exposure": "120",
    "FilterType": "WEDGE_3",
    "GeneratorPower": "38",
    "FocalSpots": "1.2",
    "DateOfLastCalibration": "20240311",
    "TimeOfLastCalibration": "062413.000000",
    "ConvolutionKernel": "B70f",
    "PatientPosition": "HFS",
    "SingleCollimationWidth": 0.6,
    "TotalCollimationWidth": 38.4,
    "TableSpeed": 46.0,
    "TableFeedPerRotation": 23.0,
    "SpiralPitchFactor": 0.6,
    "EstimatedDoseSaving": 23.5,
    "CTDIvol": 7.42,
    "ContrastBolusAgent": "Iodine 300",
    "ContrastBolusRoute": "IV",
    "ContrastBolusVolume": "90",
    "ContrastFlowRate": "3",
    "PixelSpacing": ["0.7421875", "0.7421875"],
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "WindowCenter": ["-600", "50"],
    "WindowWidth": ["1200", "350"],
    "WindowCenterWidthExplanation": ["LUNG", "MEDIASTINUM"],
    "RescaleIntercept": "-1024",
    "RescaleSlope": "1",
    "RescaleType": "HU",
}

_MR: dict[str, object] = {
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
    "Modality": "MR",
    "StudyDescription": "MR Head",
    "SeriesDescription": "ep2d_bold 60x60",
    "ScanningSequence": "EP",
    "SequenceVariant": "SK",
    "MRAcquisitionType": "2D",
    "SliceThickness": "3",
    "RepetitionTime": "2000",
    "EchoTime": "30",
    "MagneticFieldStrength": "3",
    "EchoTrainLength": "31",
    "FlipAngle": "77",
    "PatientPosition": "HFS",
    "PixelSpacing": ["3", "3"],
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "WindowCenter": "600",
    "WindowWidth": "1400",
}


def ct_header(number: int, patient: int) -> Dataset:
    """About 120 elements at the top level, sequences, and private ones as scanners add them."""
    header = _header(_CT, number, patient)
    header.SliceLocation = f"{number * 1.0:.1f}"
    header.ImagePositionPatient = ["-190.0", "-190.0", f"{-300 + number * 1.0:.1f}"]
    header.ProcedureCodeSequence = [_code("P5-08000", "SRT", "CT of thorax")]
    header.CTDIPhantomTypeCodeSequence = [_code("113691", "DCM", "IEC Body Dosimetry Phantom")]
    header.AnatomicRegionSequence = [_code("51185008", "SCT", "Thorax")]
    header.ReferencedStudySequence = [_reference("1.2.840.10008.3.1.2.3.1", number)]
    header.ReferencedImageSequence = [_reference("1.2.840.10008.5.1.4.1.1.2", number + k) for k in range(2)]
    block = header.private_block(0x0029, "BENCHMARK CT HEADER", create=True)
    for offset in range(12):
        block.add_new(offset, "LO", f"private value {offset}")
    return header


def mr_header(number: int, patient: int) -> Dataset:
    """A short header: with 60 x 60 pixels the object has 9 KB."""
    header = _header(_MR, number, patient)
    header.SliceLocation = f"{number % 40 * 3.0:.1f}"
    header.ImagePositionPatient = ["-96.0", "-96.0", f"{number % 40 * 3.0:.1f}"]
    return header


def _header(special: dict[str, object], number: int, patient: int) -> Dataset:
    header = Dataset()
    for keyword, value in (_COMMON | special).items():
        setattr(header, keyword, value)
    header.PatientName = _NAMES[patient % len(_NAMES)]
    header.PatientID = f"BENCH-{patient:06d}"
    header.AccessionNumber = f"ACC{patient:08d}"
    header.InstanceNumber = str(number)
    seconds = number % 3600
    moment = f"11{seconds // 60:02d}{seconds % 60:02d}.{number % 1000:03d}000"
    header.InstanceCreationTime = header.AcquisitionTime = header.ContentTime = moment
    return header


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _reference(sop_class_uid: str, number: int) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = f"2.25.{10**38 + number}"
    return item
