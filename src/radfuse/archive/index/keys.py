"""The keys that the index answers and matches, by level (PS3.4 tables C.6-1 to C.6-5).

Attributes of the levels above are answered at every deeper level too: an extension of type O
(the Study Root model asks for the patient's attributes at study level anyway).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, func, literal, select

from radfuse.archive.index.schema import instance, patient, series, study, uid_word
from radfuse.core.levels import Level

QUERY_RETRIEVE_LEVEL: Final = 0x0008_0052
RETRIEVE_AE_TITLE: Final = 0x0008_0054
INSTANCE_AVAILABILITY: Final = 0x0008_0056
PATIENT_ID: Final = 0x0010_0020
STUDY_INSTANCE_UID: Final = 0x0020_000D
SERIES_INSTANCE_UID: Final = 0x0020_000E
SOP_INSTANCE_UID: Final = 0x0008_0018

UNIQUE_KEYS: Final = {
    Level.PATIENT: PATIENT_ID,
    Level.STUDY: STUDY_INSTANCE_UID,
    Level.SERIES: SERIES_INSTANCE_UID,
    Level.IMAGE: SOP_INSTANCE_UID,
}
"""The unique key of each level (PS3.4 section C.6.1.1)."""

NOT_KEYS: Final = frozenset(
    {
        0x0008_0005,  # Specific Character Set: already applied to the text of the other keys
        0x0008_0053,  # Query/Retrieve View: one view only
        0x0008_0201,  # Timezone Offset From UTC: not considered
    }
)
"""Elements of an identifier that say how to read it; neither matched nor answered."""

TABLES: Final = {Level.PATIENT: patient, Level.STUDY: study, Level.SERIES: series, Level.IMAGE: instance}

_SQL = ColumnElement[Any]


class KeyKind(Enum):
    """How a key is matched and where its value comes from."""

    TEXT = auto()
    NAME = auto()
    DATE = auto()
    TIME = auto()
    UID = auto()
    NUMBER = auto()
    UID_WORD = auto()
    """A UID of the table ``uid_word``."""

    COUNT = auto()
    """Number of ... Related ...: computed when asked."""

    MODALITIES_IN_STUDY = auto()
    SOP_CLASSES_IN_STUDY = auto()


SET_KINDS: Final = frozenset({KeyKind.MODALITIES_IN_STUDY, KeyKind.SOP_CLASSES_IN_STUDY})
"""Kinds of several values, read for many studies at once."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexKey:
    """One attribute in the index. ``shown`` is its value; ``matched`` are the columns compared."""

    tag: int
    keyword: str
    vr: str
    level: Level
    kind: KeyKind
    shown: _SQL
    matched: tuple[_SQL, ...] = field(default=())


def _text(tag: int, keyword: str, vr: str, level: Level, column: str) -> IndexKey:
    kinds = {"UI": KeyKind.UID, "DA": KeyKind.DATE, "IS": KeyKind.NUMBER}
    shown = TABLES[level].c[column]
    return IndexKey(tag, keyword, vr, level, kinds.get(vr, KeyKind.TEXT), shown, (shown,))


def _name(tag: int, keyword: str, level: Level, column: str) -> IndexKey:
    columns = TABLES[level].c
    groups = tuple(columns[f"{column}_{group}"] for group in ("alphabetic", "ideographic", "phonetic"))
    return IndexKey(tag, keyword, "PN", level, KeyKind.NAME, columns[column], groups)


def _time(tag: int, keyword: str, level: Level, column: str) -> IndexKey:
    columns = TABLES[level].c
    return IndexKey(tag, keyword, "TM", level, KeyKind.TIME, columns[column], (columns[f"{column}_key"],))


def _uid_word(tag: int, keyword: str, column: str) -> IndexKey:
    words = uid_word.alias()
    foreign_key = instance.c[column]
    shown = select(words.c.uid).where(words.c.id == foreign_key).correlate(instance).scalar_subquery()
    return IndexKey(tag, keyword, "UI", Level.IMAGE, KeyKind.UID_WORD, shown, (foreign_key,))


def _count(tag: int, keyword: str, level: Level, counted: Level) -> IndexKey:
    shown = _count_below(level, counted)
    return IndexKey(tag, keyword, "IS", level, KeyKind.COUNT, shown, (shown,))


PARENTS: Final = {Level.STUDY: "patient_fk", Level.SERIES: "study_fk", Level.IMAGE: "series_fk"}


def _count_below(level: Level, counted: Level) -> _SQL:
    """How many rows of level ``counted`` belong to the current row of ``level``."""
    tables = {deeper: TABLES[deeper].alias() for deeper in Level if level < deeper <= counted}
    first = Level(level + 1)
    source: Any = tables[first]
    for deeper in range(first + 1, counted + 1):
        child = tables[Level(deeper)]
        source = source.join(child, child.c[PARENTS[Level(deeper)]] == tables[Level(deeper - 1)].c.id)
    parent: Table = TABLES[level]
    statement = select(func.count()).select_from(source).where(tables[first].c[PARENTS[first]] == parent.c.id)
    return statement.correlate(parent).scalar_subquery()


_P, _ST, _SE, _I = Level.PATIENT, Level.STUDY, Level.SERIES, Level.IMAGE

INDEX_KEYS: Final = {
    key.tag: key
    for key in (
        _name(0x0010_0010, "PatientName", _P, "name"),
        _text(PATIENT_ID, "PatientID", "LO", _P, "patient_id"),
        _text(0x0010_0021, "IssuerOfPatientID", "LO", _P, "issuer"),
        _text(0x0010_0030, "PatientBirthDate", "DA", _P, "birth_date"),
        _text(0x0010_0040, "PatientSex", "CS", _P, "sex"),
        _count(0x0020_1200, "NumberOfPatientRelatedStudies", _P, _ST),
        _count(0x0020_1202, "NumberOfPatientRelatedSeries", _P, _SE),
        _count(0x0020_1204, "NumberOfPatientRelatedInstances", _P, _I),
        _text(0x0008_0020, "StudyDate", "DA", _ST, "study_date"),
        _time(0x0008_0030, "StudyTime", _ST, "study_time"),
        _text(0x0008_0050, "AccessionNumber", "SH", _ST, "accession_number"),
        _text(0x0020_0010, "StudyID", "SH", _ST, "study_id"),
        _text(STUDY_INSTANCE_UID, "StudyInstanceUID", "UI", _ST, "study_instance_uid"),
        _text(0x0008_1030, "StudyDescription", "LO", _ST, "description"),
        _name(0x0008_0090, "ReferringPhysicianName", _ST, "referring_physician"),
        _count(0x0020_1206, "NumberOfStudyRelatedSeries", _ST, _SE),
        _count(0x0020_1208, "NumberOfStudyRelatedInstances", _ST, _I),
        IndexKey(0x0008_0061, "ModalitiesInStudy", "CS", _ST, KeyKind.MODALITIES_IN_STUDY, literal("")),
        IndexKey(0x0008_0062, "SOPClassesInStudy", "UI", _ST, KeyKind.SOP_CLASSES_IN_STUDY, literal("")),
        _text(0x0008_0060, "Modality", "CS", _SE, "modality"),
        _text(0x0020_0011, "SeriesNumber", "IS", _SE, "series_number"),
        _text(SERIES_INSTANCE_UID, "SeriesInstanceUID", "UI", _SE, "series_instance_uid"),
        _text(0x0008_0021, "SeriesDate", "DA", _SE, "series_date"),
        _time(0x0008_0031, "SeriesTime", _SE, "series_time"),
        _text(0x0008_103E, "SeriesDescription", "LO", _SE, "description"),
        _text(0x0018_0015, "BodyPartExamined", "CS", _SE, "body_part"),
        _text(0x0020_0052, "FrameOfReferenceUID", "UI", _SE, "frame_of_reference_uid"),
        _count(0x0020_1209, "NumberOfSeriesRelatedInstances", _SE, _I),
        _text(0x0020_0013, "InstanceNumber", "IS", _I, "instance_number"),
        _text(SOP_INSTANCE_UID, "SOPInstanceUID", "UI", _I, "sop_instance_uid"),
        _uid_word(0x0008_0016, "SOPClassUID", "sop_class_fk"),
        _uid_word(0x0008_3002, "AvailableTransferSyntaxUID", "transfer_syntax_fk"),
    )
}
"""Every key of the index, by tag."""


def is_counted(tag: int) -> bool:
    """Whether the index computes the attribute when it is asked for: objects do not have it."""
    key = INDEX_KEYS.get(tag)
    return key is not None and key.kind is KeyKind.COUNT
