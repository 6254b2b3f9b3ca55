"""Queries as typed, and answers as shown: KEY=VALUE words, identifiers, rows by DICOM keyword."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from radfuse.cli.options import LevelName, ModelName, wrong_use
from radfuse.core.errors import ConfigurationError
from radfuse.core.levels import UNIQUE_KEYS, Level

if TYPE_CHECKING:
    from radfuse.archive import InformationModel
    from radfuse.dicom import Element, Identifier

SHOWN_KEYS: Final = {
    Level.PATIENT: ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "NumberOfPatientRelatedStudies"),
    Level.STUDY: (
        "PatientName",
        "PatientID",
        "StudyDate",
        "ModalitiesInStudy",
        "StudyDescription",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "StudyInstanceUID",
    ),
    Level.SERIES: (
        "SeriesNumber",
        "Modality",
        "SeriesDescription",
        "NumberOfSeriesRelatedInstances",
        "SeriesInstanceUID",
        "StudyInstanceUID",
    ),
    Level.IMAGE: ("InstanceNumber", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"),
}
"""What an answer shows when no KEY without a value says so."""

_LEVEL: Final = "QueryRetrieveLevel"
_ABOUT_THE_ANSWER: Final = frozenset({_LEVEL, "SpecificCharacterSet"})
_LISTS: Final = frozenset({"ModalitiesInStudy", "SOPClassesInStudy"})


@dataclass(frozen=True, slots=True)
class Question:
    """A query as typed: its identifier, and the keywords to show of the answers."""

    level: Level
    identifier: Identifier
    columns: tuple[str, ...]


def question(words: Sequence[str] | None, level: Level, *, shows: bool = True) -> Question:
    """The question that KEY=VALUE words ask at ``level``; wrong words are wrong use.

    Without ``shows`` (a retrieval) nothing is asked for that was not typed.
    """
    from radfuse.dicom import Identifier
    from radfuse.dicom.words import keyword_of

    with wrong_use():
        elements = [_element(word) for word in words or ()]
        if len({element.tag for element in elements}) < len(elements):
            raise ConfigurationError("KEY=VALUE", "a key is there twice; separate the values of a list by a backslash")
    asked = {keyword_of(element.tag): element for element in elements}
    if shows:
        named = [keyword for keyword, element in asked.items() if not element.values and element.vr != "SQ"]
        for keyword in (UNIQUE_KEYS[level], *(() if named else SHOWN_KEYS[level])):
            asked.setdefault(keyword, _element(keyword))
        typed = [keyword for keyword in asked if keyword not in SHOWN_KEYS[level]]
        order = [*(keyword for keyword in SHOWN_KEYS[level] if keyword in asked), *typed]
        order.sort(key=lambda keyword: keyword.endswith("UID"))  # long ones last
    else:
        order = list(asked)
    asked[_LEVEL] = _element(f"{_LEVEL}={level.name}")
    identifier = Identifier(tuple(sorted(asked.values(), key=lambda element: element.tag)))
    return Question(level, identifier, tuple(keyword for keyword in order if keyword != _LEVEL))


def _element(word: str) -> Element:
    from radfuse.dicom import Element

    key, _, value = word.partition("=")
    if key.strip() == _LEVEL and value.upper() not in Level.__members__:
        raise ConfigurationError(_LEVEL, "use --level")
    return Element.of(key, *(value.split("\\") if value else ()))


def information_model(model: ModelName | None, level: Level) -> InformationModel:
    """The model that was chosen, else the one that has the level."""
    from radfuse.archive import InformationModel

    if model is None:
        model = ModelName.PATIENT if level is Level.PATIENT else ModelName.STUDY
    return InformationModel.PATIENT_ROOT if model is ModelName.PATIENT else InformationModel.STUDY_ROOT


def level_of(words: Sequence[str] | None, chosen: LevelName | None) -> Level:
    """The chosen level, else the deepest whose unique key was typed with a value."""
    if chosen is not None:
        return chosen.level
    with wrong_use():
        typed = {element.tag for element in map(_element, words or ()) if element.values}
        named = [level for level in Level if _element(UNIQUE_KEYS[level]).tag in typed]
        if not named:
            names = ", ".join(UNIQUE_KEYS.values())
            raise ConfigurationError("KEY=VALUE", f"say what to retrieve: one of {names}")
    return max(named)


def as_row(elements: Iterable[Element]) -> dict[str, object]:
    """An answer by DICOM keyword: text, a number for counts, a list where several values are usual or given."""
    from radfuse.dicom.words import keyword_of

    row = {keyword_of(element.tag): element for element in elements}
    return {keyword: _value(keyword, element) for keyword, element in row.items() if keyword not in _ABOUT_THE_ANSWER}


def _value(keyword: str, element: Element) -> object:
    if element.vr == "SQ":
        return [as_row(item.elements) for item in element.items]
    if keyword in _LISTS or len(element.values) > 1:
        return list(element.values)
    value = element.values[0] if element.values else ""
    is_count = keyword.startswith("NumberOf") and "Related" in keyword
    return int(value) if is_count and value.strip().isdecimal() else value
