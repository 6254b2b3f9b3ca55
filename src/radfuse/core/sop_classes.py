"""The storage SOP classes that Radfuse serves (PS3.4 Table B.5-1 and PS3.4 section GG.3)."""

from __future__ import annotations

from typing import Final, NamedTuple


class StorageClass(NamedTuple):
    """One storage SOP class: its UID, its registered name, its DICOMDIR record type."""

    uid: str
    name: str
    record_type: str


STORAGE_CLASSES: Final = (
    StorageClass("1.2.840.10008.5.1.4.1.1.9.1.1", "12-lead ECG Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.1.1.9.1.3", "Ambulatory ECG Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.1.1.9.5.1", "Arterial Pulse Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.1.1.78.2", "Autorefraction Measurements Storage", "MEASUREMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.131", "Basic Structured Display Storage", "PRESENTATION"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.11", "Basic Text SR Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.9.4.1", "Basic Voice Audio Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.1.1.11.4", "Blending Softcopy Presentation State Storage", "PRESENTATION"),
    StorageClass("1.2.840.10008.5.1.4.1.1.13.1.3", "Breast Tomosynthesis Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.9.3.1", "Cardiac Electrophysiology Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.65", "Chest CAD SR Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.69", "Colon CAD SR Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.11.2", "Color Softcopy Presentation State Storage", "PRESENTATION"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.33", "Comprehensive SR Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.1", "Computed Radiography Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.2", "CT Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.66.3", "Deformable Spatial Registration Storage", "REGISTRATION"),
    StorageClass("1.2.840.10008.5.1.4.1.1.1.3", "Digital Intra-Oral X-Ray Image Storage - For Presentation", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.1.3.1", "Digital Intra-Oral X-Ray Image Storage - For Processing", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.1.2", "Digital Mammography X-Ray Image Storage - For Presentation", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.1.2.1", "Digital Mammography X-Ray Image Storage - For Processing", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.1.1", "Digital X-Ray Image Storage - For Presentation", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.1.1.1", "Digital X-Ray Image Storage - For Processing", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.104.2", "Encapsulated CDA Storage", "ENCAP DOC"),
    StorageClass("1.2.840.10008.5.1.4.1.1.104.1", "Encapsulated PDF Storage", "ENCAP DOC"),
    StorageClass("1.2.840.10008.5.1.4.1.1.2.1", "Enhanced CT Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.4.3", "Enhanced MR Color Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.4.1", "Enhanced MR Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.130", "Enhanced PET Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.22", "Enhanced SR Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.6.2", "Enhanced US Volume Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.12.1.1", "Enhanced XA Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.12.2.1", "Enhanced XRF Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.9.4.2", "General Audio Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.1.1.9.1.2", "General ECG Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.43.1", "Generic Implant Template Storage", "IMPLANT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.11.1", "Grayscale Softcopy Presentation State Storage", "PRESENTATION"),
    StorageClass("1.2.840.10008.5.1.4.1.1.9.2.1", "Hemodynamic Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.44.1", "Implant Assembly Template Storage", "IMPLANT ASSY"),
    StorageClass("1.2.840.10008.5.1.4.45.1", "Implant Template Group Storage", "IMPLANT GROUP"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.70", "Implantation Plan SR Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.78.8", "Intraocular Lens Calculations Storage", "MEASUREMENT"),
    StorageClass(
        "1.2.840.10008.5.1.4.1.1.14.1",
        "Intravascular Optical Coherence Tomography Image Storage - For Presentation",
        "IMAGE",
    ),
    StorageClass(
        "1.2.840.10008.5.1.4.1.1.14.2",
        "Intravascular Optical Coherence Tomography Image Storage - For Processing",
        "IMAGE",
    ),
    StorageClass("1.2.840.10008.5.1.4.1.1.78.3", "Keratometry Measurements Storage", "MEASUREMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.59", "Key Object Selection Document Storage", "KEY OBJECT DOC"),
    StorageClass("1.2.840.10008.5.1.4.1.1.78.1", "Lensometry Measurements Storage", "MEASUREMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.79.1", "Macular Grid Thickness and Volume Report Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.50", "Mammography CAD SR Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.4", "MR Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.4.2", "MR Spectroscopy Storage", "SPECTROSCOPY"),
    StorageClass("1.2.840.10008.5.1.4.1.1.7.2", "Multi-frame Grayscale Byte Secondary Capture Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.7.3", "Multi-frame Grayscale Word Secondary Capture Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.7.1", "Multi-frame Single Bit Secondary Capture Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.7.4", "Multi-frame True Color Secondary Capture Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.20", "Nuclear Medicine Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.78.7", "Ophthalmic Axial Measurements Storage", "MEASUREMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.5.2", "Ophthalmic Photography 16 Bit Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.5.1", "Ophthalmic Photography 8 Bit Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.5.4", "Ophthalmic Tomography Image Storage", "IMAGE"),
    StorageClass(
        "1.2.840.10008.5.1.4.1.1.80.1", "Ophthalmic Visual Field Static Perimetry Measurements Storage", "MEASUREMENT"
    ),
    StorageClass("1.2.840.10008.5.1.4.1.1.128", "Positron Emission Tomography Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.40", "Procedure Log Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.11.3", "Pseudo-Color Softcopy Presentation State Storage", "PRESENTATION"),
    StorageClass("1.2.840.10008.5.1.4.1.1.66", "Raw Data Storage", "RAW DATA"),
    StorageClass("1.2.840.10008.5.1.4.1.1.67", "Real World Value Mapping Storage", "VALUE MAP"),
    StorageClass("1.2.840.10008.5.1.4.1.1.9.6.1", "Respiratory Waveform Storage", "WAVEFORM"),
    StorageClass("1.2.840.10008.5.1.4.34.7", "RT Beams Delivery Instruction Storage", "PLAN"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.4", "RT Beams Treatment Record Storage", "RT TREAT RECORD"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.6", "RT Brachy Treatment Record Storage", "RT TREAT RECORD"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.2", "RT Dose Storage", "RT DOSE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.1", "RT Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.9", "RT Ion Beams Treatment Record Storage", "RT TREAT RECORD"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.8", "RT Ion Plan Storage", "RT PLAN"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.5", "RT Plan Storage", "RT PLAN"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.3", "RT Structure Set Storage", "RT STRUCTURE SET"),
    StorageClass("1.2.840.10008.5.1.4.1.1.481.7", "RT Treatment Summary Record Storage", "RT TREAT RECORD"),
    StorageClass("1.2.840.10008.5.1.4.1.1.7", "Secondary Capture Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.66.4", "Segmentation Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.66.2", "Spatial Fiducials Storage", "FIDUCIAL"),
    StorageClass("1.2.840.10008.5.1.4.1.1.66.1", "Spatial Registration Storage", "REGISTRATION"),
    StorageClass("1.2.840.10008.5.1.4.1.1.78.6", "Spectacle Prescription Report Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.5.3", "Stereometric Relationship Storage", "STEREOMETRIC"),
    StorageClass("1.2.840.10008.5.1.4.1.1.78.4", "Subjective Refraction Measurements Storage", "MEASUREMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.66.5", "Surface Segmentation Storage", "SURFACE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.6.1", "Ultrasound Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.3.1", "Ultrasound Multi-frame Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.1.1", "Video Endoscopic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.2.1", "Video Microscopic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.4.1", "Video Photographic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.78.5", "Visual Acuity Measurements Storage", "MEASUREMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.1", "VL Endoscopic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.2", "VL Microscopic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.4", "VL Photographic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.3", "VL Slide-Coordinates Microscopic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.77.1.6", "VL Whole Slide Microscopy Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.13.1.1", "X-Ray 3D Angiographic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.13.1.2", "X-Ray 3D Craniofacial Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.12.1", "X-Ray Angiographic Image Storage", "IMAGE"),
    StorageClass("1.2.840.10008.5.1.4.1.1.88.67", "X-Ray Radiation Dose SR Storage", "SR DOCUMENT"),
    StorageClass("1.2.840.10008.5.1.4.1.1.12.2", "X-Ray Radiofluoroscopic Image Storage", "IMAGE"),
    StorageClass(
        "1.2.840.10008.5.1.4.1.1.11.5", "XA/XRF Grayscale Softcopy Presentation State Storage", "PRESENTATION"
    ),
)
"""The 102 classes, by registered name. The last column is a PS3.3 Annex F record type."""

STORAGE_CLASS_NAMES: Final = {row.uid: row.name for row in STORAGE_CLASSES}

NON_PATIENT_CLASSES: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.43.1",  # Generic Implant Template Storage
        "1.2.840.10008.5.1.4.44.1",  # Implant Assembly Template Storage
        "1.2.840.10008.5.1.4.45.1",  # Implant Template Group Storage
        # Beyond the 102, stored only where the settings say so:
        "1.2.840.10008.5.1.4.38.1",  # Hanging Protocol Storage
        "1.2.840.10008.5.1.4.39.1",  # Color Palette Storage
        "1.2.840.10008.5.1.4.1.1.200.1",  # CT Defined Procedure Protocol Storage
        "1.2.840.10008.5.1.4.1.1.200.3",  # Protocol Approval Storage
        "1.2.840.10008.5.1.4.1.1.200.7",  # XA Defined Procedure Protocol Storage
        "1.2.840.10008.5.1.4.1.1.201.1",  # Inventory Storage
    }
)
"""Classes of the Non-Patient Object Storage service: no patient, study or series (PS3.4 Annex GG)."""

VERIFICATION: Final = "1.2.840.10008.1.1"
MEDIA_STORAGE_DIRECTORY: Final = "1.2.840.10008.1.3.10"
"""A DICOMDIR (PS3.10 section 8.6): an index of a medium, not an object to keep."""
STORAGE_COMMITMENT_PUSH: Final = "1.2.840.10008.1.20.1"
PATIENT_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"

PATIENT_ROOT_CLASSES: Final = frozenset({PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, PATIENT_ROOT_GET})
STUDY_ROOT_CLASSES: Final = frozenset({STUDY_ROOT_FIND, STUDY_ROOT_MOVE, STUDY_ROOT_GET})
