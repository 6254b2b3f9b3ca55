"""Reports as pages, and files that lie in objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive
from radfuse.core.errors import UnreadableObject
from radfuse.services.documents.contents import content_of
from radfuse.services.show_report import stored_report

PDF: Final = "application/pdf"
_BINARY: Final = "application/octet-stream"
_DOCUMENT: Final = 0x0042_0011
_SUFFIXES: Final = {
    PDF: "pdf",
    "text/xml": "xml",
    "application/xml": "xml",
    "model/stl": "stl",
    "model/obj": "obj",
    "model/mtl": "mtl",
}


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file out of an object."""

    content: bytes
    media_type: str
    """``application/pdf`` for what is one; all other kinds are bytes, whatever the object calls them."""
    name: str
    """To save it as: no word of the object, which may be about a patient."""


def report_page(archive: Archive, sop_instance_uid: str) -> str:
    """A structured report as one page of HTML: no script, nothing from elsewhere.

    Raises InvalidUID, UnknownEntity, UnreadableObject, BlobDamaged.
    """
    from radfuse.objects.sr import html_of

    return html_of(stored_report(archive, sop_instance_uid))


def attached_file(archive: Archive, sop_instance_uid: str) -> FoundFile:
    """The file in an encapsulated document (PS3.3 section A.45).

    Raises InvalidUID, UnknownEntity, BlobDamaged, and UnreadableObject for an object that holds none.
    """
    from radfuse.objects.elements import opened

    _, content = content_of(archive, sop_instance_uid)
    level, elements = opened(content)
    document = level.raw(_DOCUMENT)
    if not document:
        raise UnreadableObject("there is no file in it")
    said = next(iter(elements.integers(level, "EncapsulatedDocumentLength")), 0)
    if said and 0 <= len(document) - said <= 1:
        document = document[:said]
    elif document.endswith(b"\0"):
        document = document[:-1]
    is_pdf = b"%PDF-" in document[:1024]
    kind = PDF if is_pdf else elements.text(level, "MIMETypeOfEncapsulatedDocument").lower()
    return FoundFile(document, PDF if is_pdf else _BINARY, f"document.{_SUFFIXES.get(kind, 'bin')}")
