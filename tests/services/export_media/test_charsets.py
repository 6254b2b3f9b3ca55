"""Names in each of the 16 character sets: the same bytes on the medium, and the text that people read."""

from __future__ import annotations

import csv
import html
from pathlib import Path

import pytest
from pydicom import dcmread

from radfuse.archive import Archive, Origin
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.dicom import Element, Identifier, Transcoder, encode_identifier
from radfuse.media import read_directory
from radfuse.services.export_media import MediaAsk, export_media, plan_export
from radfuse.services.ingest import ingest
from tests.support.generate import SECONDARY_CAPTURE

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

CLASS, INSTANCE, NAME, PATIENT, STUDY, SERIES, DESCRIPTION, MODALITY = (
    *(0x00080016, 0x00080018, 0x00100010, 0x00100020),
    *(0x0020000D, 0x0020000E, 0x00081030, 0x00080060),
)


def keep(archive: Archive, number: int, row: dict[str, str]) -> str:
    """An object in this set; its SOP Instance UID."""
    uid = f"2.25.9000.{number}"
    elements = (
        Element(CLASS, "UI", (SECONDARY_CAPTURE,)),
        Element(INSTANCE, "UI", (uid,)),
        Element(MODALITY, "CS", ("OT",)),
        Element(DESCRIPTION, "LO", (row["sample_text"],)),
        Element(NAME, "PN", (row["sample_pn"],)),
        Element(PATIENT, "LO", (f"CS{number}",)),
        Element(STUDY, "UI", (f"{uid}.1",)),
        Element(SERIES, "UI", (f"{uid}.2",)),
    )
    terms = tuple(row["sample_charset_value"].split("\\")) if row["sample_charset_value"] else ()
    with archive.receive(Origin(SECONDARY_CAPTURE, uid, EXPLICIT_LITTLE)) as incoming:
        incoming.write(encode_identifier(Identifier(elements), EXPLICIT_LITTLE, terms))
        ingest(archive, incoming)
    return uid


def test_names_in_every_character_set_are_on_the_medium_as_they_are(
    archive: Archive, transcoder: Transcoder, conformance_tables: Path, tmp_path: Path
) -> None:
    with (conformance_tables / "charsets.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    uids = tuple(keep(archive, number, row) for number, row in enumerate(rows))
    plan = plan_export(archive, MediaAsk("STD-GEN-CD", objects=uids))
    export_media(archive, plan, tmp_path / "set", transcoder=transcoder)
    ours = {
        record.keys.text(PATIENT): record.keys.text(NAME)
        for record in read_directory(tmp_path / "set" / "DICOMDIR").records
        if record.record_type == "PATIENT"
    }
    theirs = {
        record.PatientID: record
        for record in dcmread(tmp_path / "set" / "DICOMDIR").DirectoryRecordSequence
        if record.DirectoryRecordType == "PATIENT"
    }
    raw = (tmp_path / "set" / "DICOMDIR").read_bytes()
    page = (tmp_path / "set" / "INDEX.HTM").read_text("utf-8")
    for number, row in enumerate(rows):
        assert ours[f"CS{number}"] == row["sample_pn"], row["seed_name"]
        assert str(theirs[f"CS{number}"].PatientName) == row["sample_pn"], row["seed_name"]
        assert bytes.fromhex(row["sample_pn_hex"]) in raw
        assert html.escape(row["sample_text"]) in page
        assert f"CS{number}</td>" in page
