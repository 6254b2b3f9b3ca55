"""Encapsulated PDF of any vendor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import UnreadableObject
from radfuse.objects.elements import opened
from radfuse.objects.pdf.build import ENCAPSULATED_PDF

_DOCUMENT: Final = 0x0042_0011


@dataclass(frozen=True, slots=True)
class ReadPdf:
    """A PDF out of an object, and what the object says of it."""

    content: bytes
    title: str
    concept: str
    """What its code means."""
    mime_type: str
    source_uids: tuple[str, ...]
    """SOP Instance UIDs of the objects that it was made from."""


def read_encapsulated_pdf(content: bytes | memoryview) -> ReadPdf:
    """The PDF in a DICOM file, without the byte that may pad it. Raises UnreadableObject for anything else."""
    level, elements = opened(content)
    if elements.text(level, "SOPClassUID") != ENCAPSULATED_PDF:
        raise UnreadableObject("it is no Encapsulated PDF")
    document = level.raw(_DOCUMENT)
    if b"%PDF-" not in document[:1024]:
        raise UnreadableObject("its document is no PDF")
    length = elements.integers(level, "EncapsulatedDocumentLength")
    if length and 0 <= len(document) - length[0] <= 1:
        document = document[: length[0]]
    elif document.endswith(b"\0"):
        document = document[:-1]
    return ReadPdf(
        content=document,
        title=elements.text(level, "DocumentTitle"),
        concept=next(
            (elements.text(item, "CodeMeaning") for item in elements.items(level, "ConceptNameCodeSequence")), ""
        ),
        mime_type=elements.text(level, "MIMETypeOfEncapsulatedDocument"),
        source_uids=tuple(
            elements.text(item, "ReferencedSOPInstanceUID") for item in elements.items(level, "SourceInstanceSequence")
        ),
    )
