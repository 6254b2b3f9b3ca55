"""QIDO-RS: from the query parameters of PS3.18 section 8.3.4 to a query, and its answers as DICOM JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from radfuse.archive import Answer, InformationModel, Query
from radfuse.archive.queries import QueryKey, named
from radfuse.core.errors import ArchiveError, ConfigurationError, DataSetError
from radfuse.core.levels import Level
from radfuse.dicom import Element, Identifier, web
from radfuse.services.search import answers
from radfuse.web.dicomweb.door import Door, Target
from radfuse.web.problems import bad_request

_PATIENT: Final = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_STUDY: Final = (
    *("StudyDate", "StudyTime", "AccessionNumber", "InstanceAvailability", "ModalitiesInStudy"),
    *("ReferringPhysicianName", *_PATIENT, "StudyInstanceUID", "StudyID", "StudyDescription"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)
_SERIES: Final = (
    *("InstanceAvailability", "Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber"),
    *("SeriesDate", "SeriesTime", "BodyPartExamined", "StudyInstanceUID", "NumberOfSeriesRelatedInstances"),
)
_INSTANCE: Final = (
    *("InstanceAvailability", "SOPClassUID", "SOPInstanceUID", "InstanceNumber"),
    *("StudyInstanceUID", "SeriesInstanceUID", "AvailableTransferSyntaxUID"),
)
ALWAYS: Final[Mapping[Level, tuple[str, ...]]] = {Level.STUDY: _STUDY, Level.SERIES: _SERIES, Level.IMAGE: _INSTANCE}
"""Attributes of every answer (PS3.18 tables 10.6.3-3 to 10.6.3-5), as far as the index holds them."""

EVERYTHING: Final = tuple(
    dict.fromkeys(
        (
            *_STUDY,
            *("IssuerOfPatientID", "SOPClassesInStudy", "NumberOfPatientRelatedStudies"),
            *("NumberOfPatientRelatedSeries", "NumberOfPatientRelatedInstances"),
            *_SERIES,
            "FrameOfReferenceUID",
            *_INSTANCE,
        )
    )
)
"""What ``includefield=all`` adds, as far as the level has it."""

_LEVEL_OF: Final = {
    Element.of(keyword).tag: level
    for level, keywords in (
        (Level.SERIES, (*_SERIES[1:8], _SERIES[9], "FrameOfReferenceUID")),
        (Level.IMAGE, ("SOPClassUID", "SOPInstanceUID", "InstanceNumber", "AvailableTransferSyntaxUID")),
    )
    for keyword in keywords
}
"""The attributes that studies, or series, do not have."""

_PIXEL_ATTRIBUTES: Final = frozenset(("00280008", "00280010", "00280011", "00280100"))
"""Number of Frames, Rows, Columns and Bits Allocated: answered at instance level from the header."""

_OPTIONS: Final = frozenset(("includefield", "limit", "offset", "fuzzymatching", "accept", "emptyvaluematching"))
_QUERY_RETRIEVE_LEVEL: Final = 0x00080052
_RETRIEVE_URL: Final = 0x00081190
_SPECIFIC_CHARACTER_SET: Final = 0x00080005
_MAX_DEPTH: Final = 8
_AT_ONCE: Final = 500
_FUZZY: Final = "The fuzzymatching parameter is not supported. Only literal matching has been performed."
_MORE: Final = "There are additional results that can be requested."


@dataclass(slots=True)
class _Key:
    """A key while the parameters are read: values, and the keys inside its item."""

    element: Element
    values: list[str] = field(default_factory=list)
    inside: dict[int, _Key] = field(default_factory=dict)

    def as_element(self) -> Element:
        item = (Identifier(tuple(each.as_element() for _, each in sorted(self.inside.items()))),) if self.inside else ()
        return Element(self.element.tag, self.element.vr, tuple(self.values), item)


@dataclass(frozen=True, slots=True)
class Search:
    """A search as it was asked for."""

    query: Query
    limit: int
    offset: int
    warnings: list[str]


def search_of(target: Target, level: Level, parameters: Sequence[tuple[str, str]], most: int) -> Search:
    """The search that a path and query parameters mean. Raises 400, or InvalidQuery.

    An unsupported parameter is ignored, with a warning (PS3.18 section 8.3.1).
    """
    keys: dict[int, _Key] = {}
    warnings: list[str] = []
    options: dict[str, str] = {}
    for name, value in parameters:
        if name == "includefield":
            _include(keys, value, level, warnings)
        elif name in _OPTIONS:
            options[name] = value
        else:
            _match(keys, name, value, level, warnings)
    for uid, attribute in zip(target.uids, ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), strict=True):
        if uid:
            element = Element.of(attribute)
            keys[element.tag] = _Key(element, [uid])
    for keyword in ALWAYS[level] if target.study or level is Level.STUDY else (*_STUDY, *ALWAYS[level]):
        _ask(keys, keyword)
    if options.get("fuzzymatching", "false") != "false":
        warnings.append(_FUZZY)
    limit = min(_count(options, "limit", most), most)
    elements = (keys[tag].as_element() for tag in sorted(keys))
    query = Query(InformationModel.STUDY_ROOT, level, tuple(QueryKey(*element) for element in elements))
    return Search(query, limit, _count(options, "offset", 0), warnings)


def _count(options: Mapping[str, str], name: str, otherwise: int) -> int:
    text = options.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise bad_request(f"{name} is not a number of results")
    return int(text)


def _ask(keys: dict[int, _Key], keyword: str) -> None:
    element = Element.of(keyword)
    keys.setdefault(element.tag, _Key(element))


def _include(keys: dict[int, _Key], value: str, level: Level, warnings: list[str]) -> None:
    for name in value.split(","):
        if name == "all":
            for keyword in EVERYTHING:
                if _LEVEL_OF.get(Element.of(keyword).tag, level) <= level:
                    _ask(keys, keyword)
        elif (path := _path(name, warnings)) and _fits(path[0], name, level, warnings):
            keys.setdefault(path[0].tag, _Key(path[0]))


def _match(keys: dict[int, _Key], name: str, value: str, level: Level, warnings: list[str]) -> None:
    path = _path(name, warnings)
    if not path or not _fits(path[0], name, level, warnings):
        return
    place = keys
    for element in path[:-1]:
        place = place.setdefault(element.tag, _Key(element)).inside
    key = place.setdefault(path[-1].tag, _Key(path[-1]))
    values = value.replace("\\", ",").split(",") if key.element.vr == "UI" else value.split("\\")
    if key.values and key.element.vr != "UI":
        raise bad_request("a matching attribute occurs twice")
    if key.element.vr == "SQ" and value:
        raise bad_request("a sequence has no value of its own; name an attribute inside it")
    key.values.extend(filter(None, values))


def _path(name: str, warnings: list[str]) -> list[Element]:
    """The attributes that a dotted name leads through; none, and a warning, when one is unknown."""
    parts = name.split(".")
    if len(parts) > _MAX_DEPTH:
        raise bad_request("a matching attribute is nested too deep")
    try:
        path = [Element.of(part) for part in parts]
    except ConfigurationError:
        warnings.append(f"The parameter {_shown(name)} is not supported and was ignored.")
        return []
    if any(element.vr != "SQ" for element in path[:-1]):
        raise bad_request("a matching attribute names something inside what is no sequence")
    return path


def _fits(element: Element, name: str, level: Level, warnings: list[str]) -> bool:
    if _LEVEL_OF.get(element.tag, level) <= level:
        return element.tag != _QUERY_RETRIEVE_LEVEL
    warnings.append(f"The attribute {_shown(name)} is not one of this level and was ignored.")
    return False


def _shown(name: str) -> str:
    """A parameter's name inside a header: nothing that could end it."""
    return "".join(
        character for character in name[:64] if character.isascii() and (character.isalnum() or character in "._-")
    )


# --- answering -------------------------------------------------------------------------------


def found_json(door: Door, search: Search, base_url: str, is_cancelled: Callable[[], bool]) -> bytes:
    """The answers as a DICOM JSON array; adds a warning to ``search`` when there are more."""
    wanted = search.offset, search.limit + 1
    page = list(answers(door.archive, search.query, door.surroundings.ae_title, is_cancelled, wanted))
    if len(page) > search.limit:
        page.pop()
        search.warnings.append(_MORE)
    extras = _pixel_attributes(door, page, search.query) if search.query.level is Level.IMAGE else {}
    written = ("{" + ",".join(_members(answer, base_url, search.query.level, extras)) + "}" for answer in page)
    return ("[" + ",".join(written) + "]").encode()


def _members(answer: Answer, base_url: str, level: Level, extras: Mapping[str, Sequence[str]]) -> Iterator[str]:
    values = {element.tag: element.values[0] for element in answer.elements if element.values}
    path = f"/studies/{values.get(0x0020000D, '')}"
    if level >= Level.SERIES:
        path += f"/series/{values.get(0x0020000E, '')}"
    if level is Level.IMAGE:
        path += f"/instances/{values.get(0x00080018, '')}"
    url = web.element_json(_RETRIEVE_URL, "UR", (base_url + path,))
    members = {_RETRIEVE_URL: url}
    if not all(value.isascii() for value in values.values()):
        members[_SPECIFIC_CHARACTER_SET] = web.element_json(_SPECIFIC_CHARACTER_SET, "CS", ("ISO_IR 192",))
    for element in answer.elements:
        if element.tag != _QUERY_RETRIEVE_LEVEL:
            members[element.tag] = _element_json(element)
    for _, text in sorted(members.items()):
        yield text
    yield from extras.get(values.get(0x00080018, ""), ())


def _element_json(element: Element) -> str:
    if element.vr != "SQ":
        return web.element_json(element.tag, element.vr, element.values)
    items = ",".join("{" + ",".join(map(_element_json, item.elements)) + "}" for item in element.items)
    value = f',"Value":[{items}]' if element.items else ""
    return f'"{element.tag:08X}":{{"vr":"SQ"{value}}}'


def _pixel_attributes(door: Door, page: Sequence[Answer], query: Query) -> dict[str, list[str]]:
    """Attributes of the image, by SOP Instance UID, unless the query names them itself."""
    wanted = _PIXEL_ATTRIBUTES - {f"{key.tag:08X}" for key in query.keys}
    uids = [element.values[0] for answer in page for element in answer.elements if element.tag == 0x00080018]
    found: dict[str, list[str]] = {}
    for first in range(0, len(uids), _AT_ONCE):
        with door.archive.reading() as connection:
            objects = named(connection, uids[first : first + _AT_ONCE])
        for stored in objects:
            try:
                members = door.headers.header_of(stored).pixel_members
            except (ArchiveError, DataSetError):
                continue
            found[stored.sop_instance_uid] = [text for tag, text in members if tag in wanted]
    return found
