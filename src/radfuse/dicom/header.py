"""What the index needs of a data set, in one pass over its element headers (PS3.5 section 7)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

from radfuse.core.errors import MalformedDataSet
from radfuse.core.transfer_syntaxes import EXPLICIT_BIG, syntax_of
from radfuse.dicom.charset import character_sets_of, decode_text
from radfuse.dicom.dictionary import vr_of
from radfuse.dicom.elements import DEFAULT_LIMITS, DataSetBuffer, ScanLimits, swapped
from radfuse.dicom.inflate import inflated
from radfuse.dicom.values import CHARACTER_SET_VRS, values_of
from radfuse.dicom.walk import StructureWalk

SPECIFIC_CHARACTER_SET: Final = 0x00080005
SOP_CLASS_UID: Final = 0x00080016
SOP_INSTANCE_UID: Final = 0x00080018
STUDY_INSTANCE_UID: Final = 0x0020000D
SERIES_INSTANCE_UID: Final = 0x0020000E

INDEX_VRS: Final = {
    SPECIFIC_CHARACTER_SET: "CS",
    SOP_CLASS_UID: "UI",
    SOP_INSTANCE_UID: "UI",
    0x00080020: "DA",  # StudyDate
    0x00080021: "DA",  # SeriesDate
    0x00080030: "TM",  # StudyTime
    0x00080031: "TM",  # SeriesTime
    0x00080050: "SH",  # AccessionNumber
    0x00080052: "CS",  # QueryRetrieveLevel
    0x00080054: "AE",  # RetrieveAETitle
    0x00080060: "CS",  # Modality
    0x00080061: "CS",  # ModalitiesInStudy
    0x00080062: "UI",  # SOPClassesInStudy
    0x00080090: "PN",  # ReferringPhysicianName
    0x00080201: "SH",  # TimezoneOffsetFromUTC
    0x00081030: "LO",  # StudyDescription
    0x0008103E: "LO",  # SeriesDescription
    0x00083002: "UI",  # AvailableTransferSyntaxUID
    0x00100010: "PN",  # PatientName
    0x00100020: "LO",  # PatientID
    0x00100021: "LO",  # IssuerOfPatientID
    0x00100030: "DA",  # PatientBirthDate
    0x00100040: "CS",  # PatientSex
    0x00180015: "CS",  # BodyPartExamined
    STUDY_INSTANCE_UID: "UI",
    SERIES_INSTANCE_UID: "UI",
    0x00200010: "SH",  # StudyID
    0x00200011: "IS",  # SeriesNumber
    0x00200013: "IS",  # InstanceNumber
    0x00200052: "UI",  # FrameOfReferenceUID
    0x00201200: "IS",  # NumberOfPatientRelatedStudies
    0x00201206: "IS",  # NumberOfStudyRelatedSeries
    0x00201208: "IS",  # NumberOfStudyRelatedInstances
    0x00201209: "IS",  # NumberOfSeriesRelatedInstances
    0x00280008: "IS",  # NumberOfFrames
    0x00280010: "US",  # Rows
    0x00280011: "US",  # Columns
}
"""The attributes of the query models (PS3.4 section C.6) and of the index beside them, with their VRs (PS3.6)."""

INDEX_TAGS: Final = frozenset(INDEX_VRS)


class _Everything(dict[int, int]):
    """A wanted map of every tag there is."""

    def __init__(self, little: bool) -> None:
        super().__init__()
        self._little = little

    def __contains__(self, tag: object) -> bool:
        return True

    def __getitem__(self, tag: int) -> int:
        return swapped(tag) if self._little else tag


@lru_cache(maxsize=64)
def _wanted_as_read(wanted: frozenset[int] | None, little: bool) -> dict[int, int]:
    if wanted is None:
        return _Everything(little)
    return {swapped(tag) if little else tag: tag for tag in wanted}


class Header:
    """The collected values of one data set, decoded when asked for."""

    __slots__ = ("_character_sets", "raw", "transfer_syntax_uid")

    def __init__(self, raw: dict[int, bytes], transfer_syntax_uid: str) -> None:
        """A header over raw values by tag."""
        self.raw = raw
        self.transfer_syntax_uid = transfer_syntax_uid
        self._character_sets: tuple[str, ...] | None = None

    @property
    def sop_class_uid(self) -> str:
        """SOP Class UID (0008,0016), or "" when absent."""
        return self._uid(SOP_CLASS_UID)

    @property
    def sop_instance_uid(self) -> str:
        """SOP Instance UID (0008,0018), or "" when absent."""
        return self._uid(SOP_INSTANCE_UID)

    @property
    def study_instance_uid(self) -> str:
        """Study Instance UID (0020,000D), or "" when absent."""
        return self._uid(STUDY_INSTANCE_UID)

    @property
    def series_instance_uid(self) -> str:
        """Series Instance UID (0020,000E), or "" when absent."""
        return self._uid(SERIES_INSTANCE_UID)

    @property
    def character_sets(self) -> tuple[str, ...]:
        """The values of Specific Character Set (0008,0005) as written; () when absent or empty."""
        if self._character_sets is None:
            self._character_sets = character_sets_of(self.raw.get(SPECIFIC_CHARACTER_SET, b""))
        return self._character_sets

    def text(self, tag: int) -> str:
        """The whole value of ``tag`` as text without padding (values joined by backslash), "" when absent."""
        raw = self.raw.get(tag)
        if not raw:
            return ""
        vr = INDEX_VRS.get(tag) or vr_of(tag)
        if vr in CHARACTER_SET_VRS:
            return decode_text(raw, self.character_sets, vr).rstrip(" \0")
        return "\\".join(self.values(tag))

    def values(self, tag: int) -> tuple[str, ...]:
        """The values of ``tag`` as text without padding; () when absent, empty or no value of the tag's VR."""
        raw = self.raw.get(tag)
        if not raw:
            return ()
        vr = INDEX_VRS.get(tag) or vr_of(tag)
        character_sets = self.character_sets if vr in CHARACTER_SET_VRS else ()
        try:
            return values_of(raw, vr, self.transfer_syntax_uid == EXPLICIT_BIG, character_sets)
        except MalformedDataSet:
            return ()

    def _uid(self, tag: int) -> str:
        raw = self.raw.get(tag, b"").rstrip(b"\0 ")
        return raw.decode("ascii" if raw.isascii() else "latin_1")


def scan_header(
    buffer: DataSetBuffer,
    transfer_syntax_uid: str,
    wanted: AbstractSet[int] | None = INDEX_TAGS,
    limits: ScanLimits = DEFAULT_LIMITS,
    start: int = 0,
) -> Header:
    """Walk the whole data set that begins at ``start`` and collect the raw values of ``wanted`` top-level tags.

    ``None`` collects every top-level tag. Values beyond ``limits.value_bytes`` and those of undefined
    length are walked but not collected; of a deflated data set only the first
    ``limits.inflated_kept_bytes`` are walked. Raises MalformedDataSet, NestingTooDeep and
    InflatedTooLarge. Trailing zero bytes are padding.
    """
    syntax = syntax_of(transfer_syntax_uid)
    size = len(buffer)
    if syntax.deflated:
        buffer, size = inflated(buffer, start, limits)
        start = 0
    names = wanted if wanted is None or isinstance(wanted, frozenset) else frozenset(wanted)
    walk = StructureWalk(
        buffer, syntax.explicit_vr, not syntax.little_endian, _wanted_as_read(names, syntax.little_endian), limits
    )
    return Header(walk.run(start, size), transfer_syntax_uid)
