"""Anonymizing files and kept objects: what the anonymizer's rooms of rules do to many objects at once."""

from radfuse.services.anonymize.delivering import anonymize_and_deliver, into_archive, to_peer
from radfuse.services.anonymize.files import anonymize_files
from radfuse.services.anonymize.recipe import Recipe, Treatment, profile_of
from radfuse.services.anonymize.results import Outcome, Summary, Verdict, report_outcome
from radfuse.services.anonymize.sources import Source, sources_of, stored_source
from radfuse.services.anonymize.writing import OutputFolder

__all__ = [
    "Outcome",
    "OutputFolder",
    "Recipe",
    "Source",
    "Summary",
    "Treatment",
    "Verdict",
    "anonymize_and_deliver",
    "anonymize_files",
    "into_archive",
    "profile_of",
    "report_outcome",
    "sources_of",
    "stored_source",
    "to_peer",
]
