"""Filling an index with instances that have no file, by the same writer that storing uses."""

from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import Path

from benchmarks.dimse import EXPLICIT_LITTLE
from benchmarks.population import Population, Record
from radfuse.archive import Archive, ArchiveSettings
from radfuse.archive.index.entry import Entry
from radfuse.dicom import Header

_BATCH = 2000
_ARRIVED_S = 1_700_000_000
_TAGS = {
    "sop_class_uid": 0x00080016,
    "sop_instance_uid": 0x00080018,
    "study_date": 0x00080020,
    "study_time": 0x00080030,
    "accession_number": 0x00080050,
    "modality": 0x00080060,
    "study_description": 0x00081030,
    "patient_name": 0x00100010,
    "patient_id": 0x00100020,
    "birth_date": 0x00100030,
    "sex": 0x00100040,
    "study_uid": 0x0020000D,
    "series_uid": 0x0020000E,
    "series_number": 0x00200011,
    "instance_number": 0x00200013,
}


def fill_index(folder: Path, population: Population) -> None:
    """Put every instance of ``population`` into the index of the data folder."""
    with Archive(ArchiveSettings(folder)) as archive:
        entries = (_entry(record) for record in population.records())
        while batch := list(islice(entries, _BATCH)):
            archive.index.insert(batch)


def _header(record: Record) -> Header:
    raw = {tag: getattr(record, name).encode("ascii") for name, tag in _TAGS.items()}
    return Header(raw, EXPLICIT_LITTLE)


def _entry(record: Record) -> Entry:
    digest = hashlib.blake2b(record.sop_instance_uid.encode("ascii"), digest_size=32).digest()
    return Entry.from_header(_header(record), digest[:16], 527_000, digest[16:], _ARRIVED_S)
