"""The keys of directory records: those of PS3.3 section F.5 and those that the application profiles add (PS3.11)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal, NamedTuple, TypeAlias

KeysTable: TypeAlias = Literal["D.3-2", "E.3-2", "H.3-2"]
"""The table of PS3.11 that holds the additional keys of an application profile."""

KeyType: TypeAlias = Literal["1", "1C", "2", "3"]
"""1: with a value; 1C: with a value when the object has one; 2: there, perhaps empty; 3: when the object has one."""


class Key(NamedTuple):
    """One key of a record: where it is in the object, its name, its VR, and its type."""

    tag: int
    keyword: str
    vr: str
    type: KeyType = "1"


CHARACTER_SET: Final = Key(0x0008_0005, "SpecificCharacterSet", "CS", "1C")

_CONTENT_DATE: Final = Key(0x0008_0023, "ContentDate", "DA")
_CONTENT_TIME: Final = Key(0x0008_0033, "ContentTime", "TM")
_INSTANCE_NUMBER: Final = Key(0x0020_0013, "InstanceNumber", "IS")
_CONTENT: Final = (_CONTENT_DATE, _CONTENT_TIME)
_CONTENT_IDENTIFICATION: Final = (
    _INSTANCE_NUMBER,
    Key(0x0070_0080, "ContentLabel", "CS"),
    Key(0x0070_0081, "ContentDescription", "LO", "2"),
    Key(0x0070_0084, "ContentCreatorName", "PN", "2"),
)
"""Content Identification Macro (PS3.3 table 10-12)."""
_CONCEPT_NAME: Final = Key(0x0040_A043, "ConceptNameCodeSequence", "SQ")
_MODIFIERS: Final = Key(0x0040_A730, "ContentSequence", "SQ", "1C")
"""Of the object's only the items that modify the concept name (PS3.3 tables F.5-25 and F.5-26)."""
_REFERENCED_IMAGES: Final = Key(0x0008_1140, "ReferencedImageSequence", "SQ", "1C")

RECORD_KEYS: Final[Mapping[str, tuple[Key, ...]]] = {
    "PATIENT": (
        Key(0x0010_0010, "PatientName", "PN", "2"),
        Key(0x0010_0020, "PatientID", "LO"),
        Key(0x0010_0021, "IssuerOfPatientID", "LO", "3"),
    ),
    "STUDY": (
        Key(0x0008_0020, "StudyDate", "DA"),
        Key(0x0008_0030, "StudyTime", "TM"),
        Key(0x0008_0050, "AccessionNumber", "SH", "2"),
        Key(0x0008_1030, "StudyDescription", "LO", "2"),
        Key(0x0020_000D, "StudyInstanceUID", "UI"),
        Key(0x0020_0010, "StudyID", "SH"),
    ),
    "SERIES": (
        Key(0x0008_0060, "Modality", "CS"),
        Key(0x0008_103E, "SeriesDescription", "LO", "3"),
        Key(0x0020_000E, "SeriesInstanceUID", "UI"),
        Key(0x0020_0011, "SeriesNumber", "IS"),
    ),
    "IMAGE": (_INSTANCE_NUMBER,),
    "RT DOSE": (
        _INSTANCE_NUMBER,
        Key(0x3004_000A, "DoseSummationType", "CS"),
        Key(0x3004_0006, "DoseComment", "LO", "3"),
    ),
    "RT STRUCTURE SET": (
        _INSTANCE_NUMBER,
        Key(0x3006_0002, "StructureSetLabel", "SH"),
        Key(0x3006_0008, "StructureSetDate", "DA", "2"),
        Key(0x3006_0009, "StructureSetTime", "TM", "2"),
    ),
    "RT PLAN": (
        _INSTANCE_NUMBER,
        Key(0x300A_0002, "RTPlanLabel", "SH"),
        Key(0x300A_0006, "RTPlanDate", "DA", "2"),
        Key(0x300A_0007, "RTPlanTime", "TM", "2"),
    ),
    "RT TREAT RECORD": (
        _INSTANCE_NUMBER,
        Key(0x3008_0250, "TreatmentDate", "DA", "2"),
        Key(0x3008_0251, "TreatmentTime", "TM", "2"),
    ),
    "PRESENTATION": (
        Key(0x0070_0082, "PresentationCreationDate", "DA"),
        Key(0x0070_0083, "PresentationCreationTime", "TM"),
        *_CONTENT_IDENTIFICATION,
        Key(0x0008_1115, "ReferencedSeriesSequence", "SQ", "1C"),
        Key(0x0070_0402, "BlendingSequence", "SQ", "1C"),
    ),
    "WAVEFORM": (_INSTANCE_NUMBER, *_CONTENT),
    "SR DOCUMENT": (
        _INSTANCE_NUMBER,
        Key(0x0040_A491, "CompletionFlag", "CS"),
        Key(0x0040_A493, "VerificationFlag", "CS"),
        *_CONTENT,
        Key(0x0040_A030, "VerificationDateTime", "DT", "1C"),
        _CONCEPT_NAME,
        _MODIFIERS,
    ),
    "KEY OBJECT DOC": (_INSTANCE_NUMBER, *_CONTENT, _CONCEPT_NAME, _MODIFIERS),
    "SPECTROSCOPY": (
        Key(0x0008_0008, "ImageType", "CS"),
        *_CONTENT,
        _INSTANCE_NUMBER,
        Key(0x0008_9092, "ReferencedImageEvidenceSequence", "SQ", "1C"),
        Key(0x0028_0008, "NumberOfFrames", "IS"),
        Key(0x0028_0010, "Rows", "US"),
        Key(0x0028_0011, "Columns", "US"),
        Key(0x0028_9001, "DataPointRows", "UL"),
        Key(0x0028_9002, "DataPointColumns", "UL"),
    ),
    "RAW DATA": (*_CONTENT, _INSTANCE_NUMBER._replace(type="2")),
    "REGISTRATION": (*_CONTENT, *_CONTENT_IDENTIFICATION),
    "FIDUCIAL": (*_CONTENT, *_CONTENT_IDENTIFICATION),
    "HANGING PROTOCOL": (
        Key(0x0072_0002, "HangingProtocolName", "SH"),
        Key(0x0072_0004, "HangingProtocolDescription", "LO"),
        Key(0x0072_0006, "HangingProtocolLevel", "CS"),
        Key(0x0072_0008, "HangingProtocolCreator", "LO"),
        Key(0x0072_000A, "HangingProtocolCreationDateTime", "DT"),
        Key(0x0072_000C, "HangingProtocolDefinitionSequence", "SQ"),
        Key(0x0072_000E, "HangingProtocolUserIdentificationCodeSequence", "SQ", "2"),
        Key(0x0072_0014, "NumberOfPriorsReferenced", "US"),
    ),
    "ENCAP DOC": (
        _CONTENT_DATE._replace(type="2"),
        _CONTENT_TIME._replace(type="2"),
        _INSTANCE_NUMBER,
        Key(0x0042_0010, "DocumentTitle", "ST", "2"),
        Key(0x0040_E001, "HL7InstanceIdentifier", "ST", "1C"),
        _CONCEPT_NAME._replace(type="2"),
        Key(0x0042_0012, "MIMETypeOfEncapsulatedDocument", "LO"),
    ),
    "VALUE MAP": (*_CONTENT, *_CONTENT_IDENTIFICATION),
    "STEREOMETRIC": (),
    "PALETTE": _CONTENT_IDENTIFICATION[1:3],
    "IMPLANT": (
        Key(0x0008_0070, "Manufacturer", "LO"),
        Key(0x0022_1095, "ImplantName", "LO"),
        Key(0x0068_6210, "ImplantSize", "LO", "1C"),
        Key(0x0022_1097, "ImplantPartNumber", "LO"),
    ),
    "IMPLANT ASSY": (
        Key(0x0076_0001, "ImplantAssemblyTemplateName", "LO"),
        Key(0x0076_0003, "ImplantAssemblyTemplateIssuer", "LO", "3"),
        Key(0x0008_0070, "Manufacturer", "LO", "3"),
        Key(0x0076_0020, "ProcedureTypeCodeSequence", "SQ"),
    ),
    "IMPLANT GROUP": (
        Key(0x0078_0001, "ImplantTemplateGroupName", "LO"),
        Key(0x0078_0010, "ImplantTemplateGroupDescription", "ST", "3"),
        Key(0x0078_0020, "ImplantTemplateGroupIssuer", "LO"),
    ),
    "PLAN": (),
    "MEASUREMENT": (*_CONTENT, *_CONTENT_IDENTIFICATION),
    "SURFACE": (*_CONTENT, *_CONTENT_IDENTIFICATION),
    "SURFACE SCAN": _CONTENT,
    "TRACT": (*_CONTENT, *_CONTENT_IDENTIFICATION),
    "ASSESSMENT": (
        _INSTANCE_NUMBER,
        Key(0x0008_0012, "InstanceCreationDate", "DA"),
        Key(0x0008_0013, "InstanceCreationTime", "TM", "2"),
    ),
    "RADIOTHERAPY": (
        _INSTANCE_NUMBER,
        Key(0x3010_0033, "UserContentLabel", "SH", "1C"),
        Key(0x3010_0034, "UserContentLongLabel", "LO", "1C"),
        Key(0x0070_0081, "ContentDescription", "LO", "2"),
        Key(0x0070_0084, "ContentCreatorName", "PN", "2"),
    ),
    "ANNOTATION": (*_CONTENT, *_CONTENT_IDENTIFICATION),
    "INVENTORY": (
        *_CONTENT,
        Key(0x0008_0400, "ScopeOfInventorySequence", "SQ"),
        Key(0x0008_0401, "InventoryPurpose", "LT", "2"),
        Key(0x0008_0403, "InventoryLevel", "CS"),
        Key(0x0008_0426, "InventoryCompletionStatus", "CS"),
        Key(0x0008_0428, "TotalNumberOfStudyRecords", "UV"),
    ),
    "PRIVATE": (),
}
"""By record type, beside Specific Character Set, which belongs to all of them."""

_IMAGE_TYPE: Final = Key(0x0008_0008, "ImageType", "CS", "1C")
_ROWS: Final = Key(0x0028_0010, "Rows", "US")
_COLUMNS: Final = Key(0x0028_0011, "Columns", "US")
_FRAME_OF_REFERENCE: Final = Key(0x0020_0052, "FrameOfReferenceUID", "UI", "1C")
_GEOMETRY: Final = (
    Key(0x0020_0032, "ImagePositionPatient", "DS", "1C"),
    Key(0x0020_0037, "ImageOrientationPatient", "DS", "1C"),
    Key(0x0028_0030, "PixelSpacing", "DS", "1C"),
)
_OF_IMAGE_OR_SPECTROSCOPY: Final = (
    _REFERENCED_IMAGES,
    _ROWS,
    _COLUMNS,
    _FRAME_OF_REFERENCE,
    Key(0x0020_0200, "SynchronizationFrameOfReferenceUID", "UI", "1C"),
    Key(0x0028_0008, "NumberOfFrames", "IS", "1C"),
    Key(0x0018_1800, "AcquisitionTimeSynchronized", "CS", "1C"),
    Key(0x0008_002A, "AcquisitionDateTime", "DT", "1C"),
    *_GEOMETRY,
)

PROFILE_KEYS: Final[Mapping[KeysTable, Mapping[str, tuple[Key, ...]]]] = {
    "D.3-2": {"IMAGE": (_IMAGE_TYPE, _REFERENCED_IMAGES)},
    "E.3-2": {"IMAGE": (_REFERENCED_IMAGES, *_GEOMETRY, _FRAME_OF_REFERENCE, _ROWS, _COLUMNS)},
    "H.3-2": {
        "PATIENT": (Key(0x0010_0030, "PatientBirthDate", "DA", "1C"), Key(0x0010_0040, "PatientSex", "CS", "1C")),
        "SERIES": (
            Key(0x0008_0080, "InstitutionName", "LO", "1C"),
            Key(0x0008_0081, "InstitutionAddress", "ST", "1C"),
            Key(0x0008_1050, "PerformingPhysicianName", "PN", "1C"),
        ),
        "IMAGE": (
            _IMAGE_TYPE,
            Key(0x0050_0004, "CalibrationImage", "CS", "1C"),
            Key(0x0028_2112, "LossyImageCompressionRatio", "DS", "1C"),
            *_OF_IMAGE_OR_SPECTROSCOPY,
        ),
        "SPECTROSCOPY": _OF_IMAGE_OR_SPECTROSCOPY,
    },
}
"""The additional keys of PS3.11, by record type. Table H.3-2 serves annexes J and M, too."""

_STRENGTH: Final = ("1", "2", "1C", "3")


@cache
def keys_of(record_type: str, table: KeysTable) -> tuple[Key, ...]:
    """The keys of a record of this type in a file-set with this table, by tag; the stricter type of a key counts."""
    merged: dict[int, Key] = {CHARACTER_SET.tag: CHARACTER_SET}
    for key in (*RECORD_KEYS[record_type], *PROFILE_KEYS[table].get(record_type, ())):
        known = merged.get(key.tag)
        if known is None or _STRENGTH.index(key.type) < _STRENGTH.index(known.type):
            merged[key.tag] = key
    return tuple(merged[tag] for tag in sorted(merged))


def _all_keys() -> dict[int, Key]:
    tables = (RECORD_KEYS, *PROFILE_KEYS.values())
    return {key.tag: key for table in tables for keys in table.values() for key in keys} | {
        CHARACTER_SET.tag: CHARACTER_SET
    }


KEYS: Final = _all_keys()
"""Every key there is, by tag."""
