"""A clinical document (HL7 CDA Release 2) with nothing of its header but a skeleton and of its sections known words.

The document is not edited but made anew: nothing passes that is not named here. Persons,
organisations, identifiers, addresses, times and machine-readable entries are gone; codes of the
schemes that others publish, and the words of titles and paragraphs that are known, stay.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

from radfuse.core.errors import CannotAnonymize
from radfuse.deid.cleaning import clean_text

_NAMESPACE: Final = "urn:hl7-org:v3"
_MOST_BYTES: Final = 16 << 20
_MOST_ELEMENTS: Final = 100_000
_DEEPEST: Final = 100
_PUBLISHED: Final = frozenset(
    (
        "2.16.840.1.113883.6.1",  # LOINC
        "2.16.840.1.113883.6.96",  # SNOMED CT
        "1.2.840.10008.2.16.4",  # DICOM
        "2.16.840.1.113883.5.25",  # Confidentiality
    )
)
_CODE: Final = re.compile(r"[A-Za-z0-9-]{1,18}\Z")
_MASKED: Final = 'nullFlavor="MSK"'
_PEOPLE: Final = (
    f"<recordTarget><patientRole><id {_MASKED}/></patientRole></recordTarget>"
    f"<author><time {_MASKED}/><assignedAuthor><id {_MASKED}/></assignedAuthor></author>"
    f"<custodian><assignedCustodian><representedCustodianOrganization><id {_MASKED}/>"
    "</representedCustodianOrganization></assignedCustodian></custodian>"
)
"""The participants that a document must have, and nothing of them."""


def cleaned_cda(document: bytes) -> bytes:
    """Raises CannotAnonymize for what is no such document, is too large, or declares types or entities of its own."""
    root = _parsed(document)
    if root.tag != _name("ClinicalDocument"):
        raise CannotAnonymize("its document is no clinical document (CDA)")
    sections = "".join(map(_section, root.findall(f"{_name('component')}/{_name('structuredBody')}/*/*")))
    sections = sections or f"<component><section><text>{_paragraphs(root)}</text></section></component>"
    parts = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ClinicalDocument xmlns="{_NAMESPACE}">',
        '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>',
        f"<id {_MASKED}/>",
        _code(root, "code") or f"<code {_MASKED}/>",
        _title(root),
        f"<effectiveTime {_MASKED}/>",
        _code(root, "confidentialityCode") or f"<confidentialityCode {_MASKED}/>",
        _PEOPLE,
        f"<component><structuredBody>{sections}</structuredBody></component></ClinicalDocument>\n",
    )
    return "".join(parts).encode("utf-8")


def _name(local: str) -> str:
    return f"{{{_NAMESPACE}}}{local}"


def _parsed(document: bytes) -> ElementTree.Element:
    """The tree of elements. Nothing outside the document is read, and nothing in it expands."""
    if len(document) > _MOST_BYTES:
        raise CannotAnonymize("its document is larger than 16 MiB")
    builder = ElementTree.TreeBuilder()
    reader = expat.ParserCreate(namespace_separator="}")
    depth = count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _DEEPEST or count > _MOST_ELEMENTS:
            raise CannotAnonymize("its document is nested too deep or has too many elements")
        builder.start(f"{{{name}" if "}" in name else name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(f"{{{name}" if "}" in name else name)

    def refuse(*_: object) -> None:
        raise CannotAnonymize("its document declares a type or entities of its own")

    reader.StartElementHandler, reader.EndElementHandler = start, end
    reader.CharacterDataHandler = builder.data
    reader.StartDoctypeDeclHandler = refuse
    try:
        reader.Parse(document.rstrip(b"\0"), True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise CannotAnonymize("its document is no XML") from error
    return builder.close()


def _section(element: ElementTree.Element) -> str:
    """One section with its code, its title and the words of its text; sections in it follow it."""
    if element.tag != _name("section"):
        return ""
    inner = "".join(map(_section, element.findall(f"{_name('component')}/{_name('section')}")))
    text = element.find(_name("text"))
    said = "" if text is None else f"<text>{_paragraphs(text)}</text>"
    return f"<component><section>{_code(element, 'code')}{_title(element)}{said}{inner}</section></component>"


def _title(element: ElementTree.Element) -> str:
    title = element.find(_name("title"))
    said = clean_text(" ".join(title.itertext())) if title is not None else ""
    return f"<title>{escape(said, quote=False)}</title>" if said else ""


def _paragraphs(element: ElementTree.Element) -> str:
    """The known words of a narrative, one paragraph for each piece of it."""
    if element.tag != _name("text"):
        return ""
    said = filter(None, (clean_text(piece) for piece in element.itertext()))
    return "".join(f"<paragraph>{escape(each, quote=False)}</paragraph>" for each in said)


def _code(element: ElementTree.Element, local: str) -> str:
    """A code, when others publish its scheme; without its display name."""
    code = element.find(_name(local))
    if code is None or code.get("codeSystem") not in _PUBLISHED or not _CODE.match(code.get("code", "")):
        return ""
    return f'<{local} code="{code.get("code")}" codeSystem="{code.get("codeSystem")}"/>'
