"""Coded concepts of measurement reports (PS3.16 TID 300, 1001, 1204, 1410, 1411, 1419, 1500 to 1502, 1600, 4019)."""

from __future__ import annotations

from typing import Final

from radfuse.objects.common import Code


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)


def _sct(value: str, meaning: str) -> Code:
    return Code(value, "SCT", meaning)


def _ucum(value: str, meaning: str) -> Code:
    return Code(value, "UCUM", meaning)


# CID 7021 Measurement Report Document Title
IMAGING_MEASUREMENT_REPORT: Final = _dcm("126000", "Imaging Measurement Report")

# CID 100 Quantitative Diagnostic Imaging Procedure, by modality
PROCEDURES: Final = {
    "CT": Code("25045-6", "LN", "CT unspecified body region"),
    "MR": Code("25056-3", "LN", "MRI unspecified body region"),
    "NM": Code("49118-3", "LN", "NM unspecified body region"),
    "PT": Code("44136-0", "LN", "PET unspecified body region"),
}
IMAGING_PROCEDURE: Final = _sct("363679005", "Imaging procedure")

# CID 29 Acquisition Modality
MODALITIES: Final = {
    "CT": _dcm("CT", "Computed Tomography"),
    "MR": _dcm("MR", "Magnetic Resonance"),
    "NM": _dcm("NM", "Nuclear Medicine"),
    "PT": _dcm("PT", "Positron emission tomography"),
}

# TID 1204 Language of Content Item and Descendants
LANGUAGE: Final = _dcm("121049", "Language of Content Item and Descendants")
ENGLISH: Final = Code("en", "RFC5646", "English")

# TID 1001 Observation Context and those below it
OBSERVER_TYPE: Final = _dcm("121005", "Observer Type")
PERSON: Final = _dcm("121006", "Person")
DEVICE: Final = _dcm("121007", "Device")
PERSON_NAME: Final = _dcm("121008", "Person Observer Name")
DEVICE_UID: Final = _dcm("121012", "Device Observer UID")
DEVICE_NAME: Final = _dcm("121013", "Device Observer Name")
DEVICE_MANUFACTURER: Final = _dcm("121014", "Device Observer Manufacturer")
DEVICE_MODEL: Final = _dcm("121015", "Device Observer Model Name")
DEVICE_SERIAL_NUMBER: Final = _dcm("121016", "Device Observer Serial Number")
PROCEDURE_REPORTED: Final = _dcm("121058", "Procedure reported")

# TID 1600 Image Library
IMAGE_LIBRARY: Final = _dcm("111028", "Image Library")
IMAGE_LIBRARY_GROUP: Final = _dcm("126200", "Image Library Group")
MODALITY: Final = _dcm("121139", "Modality")
STUDY_DATE: Final = _dcm("111060", "Study Date")
FRAME_OF_REFERENCE_UID: Final = _dcm("112227", "Frame of Reference UID")
PIXEL_ROWS: Final = _dcm("110910", "Pixel Data Rows")
PIXEL_COLUMNS: Final = _dcm("110911", "Pixel Data Columns")

# TID 1500 Measurement Report and the groups in it
IMAGING_MEASUREMENTS: Final = _dcm("126010", "Imaging Measurements")
MEASUREMENT_GROUP: Final = _dcm("125007", "Measurement Group")
SESSION: Final = Code("C67447", "NCIt", "Activity Session")
TRACKING_IDENTIFIER: Final = _dcm("112039", "Tracking Identifier")
TRACKING_UID: Final = _dcm("112040", "Tracking Unique Identifier")
FINDING_CATEGORY: Final = _sct("276214006", "Finding category")
FINDING: Final = _dcm("121071", "Finding")
FINDINGS: Final = _dcm("121070", "Findings")
TIME_POINT: Final = Code("C2348792", "UMLS", "Time Point")
REFERENCED_SEGMENT: Final = _dcm("121191", "Referenced Segment")
REFERENCED_SEGMENT_FRAME: Final = _dcm("121214", "Referenced Segmentation Frame")
SOURCE_SERIES: Final = _dcm("121232", "Source series for segmentation")
SOURCE_IMAGE: Final = _dcm("121233", "Source image for segmentation")
IMAGE_REGION: Final = _dcm("111030", "Image Region")
SOURCE_OF_MEASUREMENT: Final = _dcm("121112", "Source of Measurement")
FINDING_SITE: Final = _sct("363698007", "Finding Site")
LATERALITY: Final = _sct("272741003", "Laterality")
TOPOGRAPHICAL_MODIFIER: Final = _sct("106233006", "Topographical modifier")
METHOD: Final = _sct("370129005", "Measurement Method")
DERIVATION: Final = _dcm("121401", "Derivation")
ALGORITHM_NAME: Final = _dcm("111001", "Algorithm Name")
ALGORITHM_VERSION: Final = _dcm("111003", "Algorithm Version")
ALGORITHM_PARAMETERS: Final = _dcm("111002", "Algorithm Parameters")
COMMENT: Final = _dcm("121106", "Comment")

OLD_SPELLINGS: Final = {
    Code("G-C0E3", "SRT", ""): FINDING_SITE,
    Code("G-C036", "SRT", ""): METHOD,
    Code("G-C171", "SRT", ""): LATERALITY,
    Code("G-A1F8", "SRT", ""): TOPOGRAPHICAL_MODIFIER,
    Code("C67447", "UMLS", ""): SESSION,
}
"""Concepts as reports of before 2017 name them (SNOMED-RT), and what they are called now."""

# CID 7464 General Region of Interest Measurement Modifier
MEAN: Final = _sct("373098007", "Mean")
MEDIAN: Final = _sct("373099004", "Median")
MINIMUM: Final = _sct("255605001", "Minimum")
MAXIMUM: Final = _sct("56851009", "Maximum")
STANDARD_DEVIATION: Final = _sct("386136009", "Standard Deviation")
PEAK: Final = _dcm("126031", "Peak Value Within ROI")

# CID 7466, 7469, 7470: what is measured
SUV_BW: Final = _dcm("126401", "SUVbw")
SUV_LBM: Final = _dcm("126402", "SUVlbm")
SUV_BSA: Final = _dcm("126403", "SUVbsa")
SUV_IBW: Final = _dcm("126404", "SUVibw")
SUV_LBM_JANMA: Final = _dcm("126405", "SUVlbm(Janma)")
SUV_LBM_JAMES128: Final = _dcm("126406", "SUVlbm(James128)")
METABOLIC_VOLUME: Final = _dcm("126032", "Metabolic Volume")
TOTAL_LESION_GLYCOLYSIS: Final = _dcm("126033", "Total Lesion Glycolysis")
ATTENUATION: Final = _dcm("112031", "Attenuation Coefficient")
ABSORBED_DOSE: Final = _dcm("128513", "Absorbed Dose")
MR_SIGNAL: Final = _dcm("110852", "MR signal intensity")
VOLUME: Final = _sct("118565006", "Volume")
AREA: Final = _sct("42798000", "Area")
LENGTH: Final = _sct("410668003", "Length")
DISTANCE: Final = _dcm("121206", "Distance")
ANGLE: Final = _sct("1483009", "Angle")
THRESHOLD: Final = _dcm("122411", "Threshold Value")

# CID 7474 and PS3.16 Annex D: how
SUM_OF_VOXELS: Final = _dcm("126030", "Sum of segmented voxel method for volume")

# UCUM units (CID 84, 85, 7181, 7460, 7461, 7462)
G_PER_ML_BW: Final = _ucum("g/ml{SUVbw}", "Standardized Uptake Value body weight")
G_PER_ML_LBM: Final = _ucum("g/ml{SUVlbm}", "Standardized Uptake Value lean body mass (James)")
G_PER_ML_LBM_JAMES128: Final = _ucum(
    "g/ml{SUVlbm(James128)}", "Standardized Uptake Value lean body mass (James 128 multiplier)"
)
G_PER_ML_LBM_JANMA: Final = _ucum("g/ml{SUVlbm(Janma)}", "Standardized Uptake Value lean body mass (Janma)")
G_PER_ML_IBW: Final = _ucum("g/ml{SUVibw}", "Standardized Uptake Value ideal body weight")
CM2_PER_ML_BSA: Final = _ucum("cm2/ml{SUVbsa}", "Standardized Uptake Value body surface area")
HOUNSFIELD: Final = _ucum("[hnsf'U]", "Hounsfield unit")
GRAY: Final = _ucum("Gy", "Gray")
GRAM: Final = _ucum("g", "gram")
MILLILITRE: Final = _ucum("ml", "milliliter")
SQUARE_MM: Final = _ucum("mm2", "square millimeter")
MILLIMETRE: Final = _ucum("mm", "millimeter")
DEGREE: Final = _ucum("deg", "degree")
PERCENT: Final = _ucum("%", "percent")
COUNTS: Final = _ucum("{counts}", "Counts")
PIXELS: Final = _ucum("{pixels}", "pixels")
ONE: Final = _ucum("1", "no units")
