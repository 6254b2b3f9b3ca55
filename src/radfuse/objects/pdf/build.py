"""Encapsulated PDF (PS3.3 section A.45.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import (
    Code,
    Making,
    NewSeries,
    Provenance,
    Reference,
    add_provenance,
    code_sequence,
    new_object,
)

ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
MIME_TYPE: Final = "application/pdf"

# CID 7020 Document Title (LOINC), those that fit
QUANTITATIVE_REPORT: Final = Code("126000", "DCM", "Imaging Measurement Report")
DIAGNOSTIC_REPORT: Final = Code("18748-4", "LN", "Diagnostic Imaging Report")


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF that goes into a study."""

    content: bytes
    title: str
    concept: Code = DIAGNOSTIC_REPORT
    references: tuple[Reference, ...] = ()
    """The images and objects that it speaks of."""


def build_encapsulated_pdf(
    document: Document, source: Dataset, *, provenance: Provenance, series: NewSeries, making: Making
) -> Dataset:
    """The object, in the study of ``source``. Raises InvalidObject for what is no PDF."""
    if not document.content.startswith(b"%PDF-"):
        raise InvalidObject(("the document is no PDF",))
    ds = new_object(ENCAPSULATED_PDF, "DOC", source, series=series, making=making)
    for keyword in ("BodyPartExamined", "Laterality", "OperatorsName"):  # not of the Encapsulated Document Series
        if keyword in ds:
            del ds[keyword]
    ds.ConversionType = "WSD"
    ds.AcquisitionDateTime = ""
    ds.BurnedInAnnotation = "YES"
    ds.RecognizableVisualFeatures = "NO"
    ds.DocumentTitle = document.title
    ds.ConceptNameCodeSequence = code_sequence(document.concept)
    ds.VerificationFlag = "UNVERIFIED"
    ds.MIMETypeOfEncapsulatedDocument = MIME_TYPE
    ds.EncapsulatedDocument = document.content
    ds.EncapsulatedDocumentLength = len(document.content)
    if document.references:
        ds.SourceInstanceSequence = _sources(document.references)
    add_provenance(ds, provenance, making)
    return ds


def _sources(references: Sequence[Reference]) -> list[Dataset]:
    """Source Instance Sequence (PS3.3 table C.24-2), each instance once."""
    return [reference.item() for reference in {one.sop_instance_uid: one for one in references}.values()]
