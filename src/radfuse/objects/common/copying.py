"""Attributes of a source image that go on to the objects made from it, as readable text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from radfuse.core.errors import UnreadableObject
from radfuse.objects.common.reading import Item

TYPE_2: Final = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip
"""Of the Patient and General Study modules (PS3.3 tables C.7-1 and C.7-3): always there, empty when not known."""

OPTIONAL: Final = (
    # Patient, table C.7-1
    "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence", "TypeOfPatientID", "OtherPatientIDsSequence",
    "PatientBirthTime", "OtherPatientNames", "EthnicGroup", "PatientComments", "QualityControlSubject",
    "PatientSpeciesDescription", "PatientSpeciesCodeSequence", "PatientBreedDescription", "PatientBreedCodeSequence",
    "BreedRegistrationSequence", "ResponsiblePerson", "ResponsiblePersonRole", "ResponsibleOrganization",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
    # Clinical Trial Subject and Study, tables C.7-2b and C.7-4b
    "ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID",
    "ClinicalTrialSiteName", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID",
    "ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription",
    # General Study, table C.7-3
    "StudyDescription", "IssuerOfAccessionNumberSequence", "PhysiciansOfRecord", "ProcedureCodeSequence",
    "ReferencedStudySequence",
    # Patient Study, table C.7-4a
    "PatientAge", "PatientSize", "PatientWeight", "PatientSexNeutered",
    "AdditionalPatientHistory",
    # General Series, table C.7-5a: what was examined stays the same
    "BodyPartExamined",
)  # fmt: skip
"""Copied where the source has them."""

_METHODS: Final = ("DeidentificationMethod", "DeidentificationMethodCodeSequence")
"""One of them must say how an identity was removed (PS3.3 section C.7.1.1), else that is not repeated."""

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")
_SEXES: Final = ("M", "F", "O")
_FORMS: Final = {
    "DA": re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})\Z"),
    "TM": re.compile(r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?\Z"),
    "AS": re.compile(r"\d{3}[DWMY]\Z"),
    "DS": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z"),
    "IS": re.compile(r"[+-]?\d{1,12}\Z"),
    "CS": re.compile(r"[A-Z0-9_ ]{1,16}\Z"),
    "UI": re.compile(r"[0-9.]{1,64}\Z"),
}
"""How a value must look to be repeated; texts and names are repeated whatever they are."""

_MOST_CHARACTERS: Final = {"SH": 16, "LO": 64, "ST": 1024, "LT": 10240}
_DESCRIPTIONS: Final = (
    "StudyDescription",
    "DeidentificationMethod",
    "PatientSpeciesDescription",
    "PatientBreedDescription",
    "PatientComments",
)
"""Texts that lose nothing but words when they are cut."""

_KEPT: Final = ("PatientID",)
"""Repeated whatever it is: with another one, the object would belong to another patient."""

_MOST_DEPTH: Final = 8
_FIRST_YEAR: Final = "1800"
_LAST_YEAR: Final = "2999"


def copied_attributes(source: Dataset) -> Iterator[DataElement]:
    """The attributes of patient and study that objects of ours share with their source, in no order."""
    item = Item(source)
    said_how = any(_copied(item, Tag(tag_for_keyword(keyword) or 0), 0) for keyword in _METHODS)
    for keyword in (*TYPE_2, *OPTIONAL):
        if keyword == "PatientIdentityRemoved" and not said_how:
            continue
        tag = Tag(tag_for_keyword(keyword) or 0)
        copy = _copied(item, tag, 0)
        if copy is not None:
            yield copy
        elif keyword in TYPE_2:
            yield DataElement(tag, dictionary_VR(tag), "")


def offset_minutes(source: Dataset) -> int | None:
    """Timezone Offset From UTC in minutes, or None when the source does not say."""
    match = re.fullmatch(r"([+-])(\d\d)([0-5]\d)", Item(source).text("TimezoneOffsetFromUTC"))
    if match is None or int(match[2]) > 14:
        return None
    return (-1 if match[1] == "-" else 1) * (60 * int(match[2]) + int(match[3]))


def _copied(source: Item, tag: BaseTag, depth: int) -> DataElement | None:
    keyword, vr = keyword_for_tag(tag), dictionary_VR(tag)
    if vr == "SQ":
        return _copied_sequence(source, tag, depth)
    texts = [text for text in (_proper(text, vr, keyword) for text in source.texts(keyword)) if text]
    if keyword == "PatientSex":
        texts = [text for text in texts if text in _SEXES]
    if not texts:
        return None
    return DataElement(tag, vr, texts[0] if len(texts) == 1 else texts, validation_mode=IGNORE)


def _copied_sequence(source: Item, tag: BaseTag, depth: int) -> DataElement | None:
    try:
        items = source.items(keyword_for_tag(tag)) if depth < _MOST_DEPTH else []
    except UnreadableObject:
        return None
    copies = []
    for item in items:
        copy = Dataset()
        for inner in item.tags():
            if inner != 0x00080005 and inner.group % 2 == 0 and _is_known(inner):
                element = _copied(item, inner, depth + 1)
                if element is not None:
                    copy.add(element)
        if len(copy):
            copies.append(copy)
    return DataElement(tag, "SQ", Sequence(copies)) if copies else None


def _is_known(tag: BaseTag) -> bool:
    try:
        return dictionary_VR(tag) in (*_FORMS, "SQ", "PN", "LO", "SH", "ST", "LT", "UC", "UT", "UR")
    except KeyError:
        return False


def _proper(text: str, vr: str, keyword: str) -> str:
    """``text`` as its VR allows it; empty when it cannot be: an identifier is never cut."""
    form = _FORMS.get(vr)
    if form is not None:
        match = form.match(text)
        if match is None:
            return ""
        return _date(*match.groups()) if vr == "DA" else text
    most = _MOST_CHARACTERS.get(vr)
    text = text.replace("\x1b", "")  # of a character set that nobody knows
    if vr in ("SH", "LO", "PN"):
        text = _CONTROLS.sub(" ", text)
    if most is None or len(text) <= most or keyword in _KEPT:
        return text
    return text[:most].rstrip() if keyword in _DESCRIPTIONS else ""


def _date(year: str, month: str, day: str) -> str:
    """A date of the calendar in a year that means one; scanners write 9999 for none."""
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return ""
    return year + month + day if _FIRST_YEAR <= year <= _LAST_YEAR else ""
