"""What is no picture, to be looked at: reports, lists of key objects, presentation states, PDF, waveforms."""

from radfuse.services.documents.contents import study_of
from radfuse.services.documents.facts import DocumentFacts, DocumentKind, ReferenceFacts, document_facts
from radfuse.services.documents.files import FoundFile, attached_file, report_page
from radfuse.services.documents.recordings import part_of, recording

__all__ = [
    "DocumentFacts",
    "DocumentKind",
    "FoundFile",
    "ReferenceFacts",
    "attached_file",
    "document_facts",
    "part_of",
    "recording",
    "report_page",
    "study_of",
]
