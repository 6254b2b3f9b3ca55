"""Asking the index: from an identifier to a query, to its answers, to the stored objects."""

from radfuse.archive.index.address import instance_at
from radfuse.archive.index.arrivals import Arrival, KeptObject, arrivals, identity_of, newest_arrival, objects_since
from radfuse.archive.index.changes import IndexMark, mark_of, studies_between
from radfuse.archive.index.contents import InstanceRow, SeriesRow, instance_rows, series_rows
from radfuse.archive.index.find import find
from radfuse.archive.index.frames import (
    ImagePlace,
    ObjectPlace,
    SeriesPlace,
    objects_of_kind,
    patient_of,
    places_of_images,
    series_place,
    study_places,
)
from radfuse.archive.index.keys import INDEX_KEYS, is_counted
from radfuse.archive.index.matching import comparable, criteria, name_criteria
from radfuse.archive.index.model import QueryKey
from radfuse.archive.index.query import query_from_identifier
from radfuse.archive.index.retrieve import instances, leaving, named
from radfuse.archive.index.studies import StudyListing, StudyOrder, StudyRow, list_studies, study_row
from radfuse.archive.index.study_terms import (
    ArrivedIn,
    BornIn,
    HasModality,
    HasNameParts,
    HasSex,
    HasText,
    HasUid,
    StudyClause,
    StudyDateIn,
    StudyField,
    StudyTerm,
)
from radfuse.archive.index.totals import Added, Amount, added, totals

__all__ = [
    "INDEX_KEYS",
    "Added",
    "Amount",
    "Arrival",
    "ArrivedIn",
    "BornIn",
    "HasModality",
    "HasNameParts",
    "HasSex",
    "HasText",
    "HasUid",
    "ImagePlace",
    "IndexMark",
    "InstanceRow",
    "KeptObject",
    "ObjectPlace",
    "QueryKey",
    "SeriesPlace",
    "SeriesRow",
    "StudyClause",
    "StudyDateIn",
    "StudyField",
    "StudyListing",
    "StudyOrder",
    "StudyRow",
    "StudyTerm",
    "added",
    "arrivals",
    "comparable",
    "criteria",
    "find",
    "identity_of",
    "instance_at",
    "instance_rows",
    "instances",
    "is_counted",
    "leaving",
    "list_studies",
    "mark_of",
    "name_criteria",
    "named",
    "newest_arrival",
    "objects_of_kind",
    "objects_since",
    "patient_of",
    "places_of_images",
    "query_from_identifier",
    "series_place",
    "series_rows",
    "studies_between",
    "study_places",
    "study_row",
    "totals",
]
