"""Anonymizing files: what the anonymizer's rooms of rules do to many objects at once."""

from radfuse.services.anonymize.files import anonymize_files
from radfuse.services.anonymize.recipe import Recipe, Treatment, profile_of
from radfuse.services.anonymize.results import Outcome, Summary, Verdict, report_outcome
from radfuse.services.anonymize.sources import BrokenSource, Content, FileSource, Source, reading, sources_of
from radfuse.services.anonymize.writing import OutputFolder

__all__ = [
    "BrokenSource",
    "Content",
    "FileSource",
    "Outcome",
    "OutputFolder",
    "Recipe",
    "Source",
    "Summary",
    "Treatment",
    "Verdict",
    "anonymize_files",
    "profile_of",
    "reading",
    "report_outcome",
    "sources_of",
]
