"""From an encoded question to encoded answers, with keys that only the header has."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radfuse.archive import Archive, ArchiveSettings, InformationModel
from radfuse.core.errors import InvalidQuery, MalformedDataSet
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.services.search import Match, read_request, search
from tests.interop.client import decoded, encoded, identifier, sent_dataset
from tests.services.test_ingest import taken
from tests.support.generate import CT_IMAGE, base_instance


def an_object(number: int = 1) -> Dataset:
    ds = base_instance(CT_IMAGE, "CT", 1, number)
    ds.InstitutionName = "General Hospital"
    item = Dataset()
    item.ScheduledProcedureStepID = "STEP-1"
    ds.RequestAttributesSequence = Sequence([item])
    ds.PixelData, ds.BitsAllocated = bytes(1000), 8
    return ds


def ask(archive: Archive, wanted: Dataset, syntax: str = EXPLICIT_LITTLE) -> list[Match]:
    request = read_request(encoded(wanted, syntax), syntax, InformationModel.STUDY_ROOT)
    return list(search(archive, request, "NODE", lambda: False))


@pytest.mark.parametrize("syntax", [EXPLICIT_LITTLE, IMPLICIT_LITTLE])
@pytest.mark.parametrize("level", ["STUDY", "SERIES", "IMAGE"])
def test_keys_of_the_header_are_matched_and_answered(archive: Archive, syntax: str, level: str) -> None:
    taken(archive, sent_dataset(an_object(), syntax))
    wanted = identifier(level, StudyInstanceUID="2.25.7001", InstitutionName="General*")
    if level != "STUDY":
        wanted.SeriesInstanceUID = "2.25.7100.1"
    item = Dataset()
    item.ScheduledProcedureStepID = ""
    wanted.RequestAttributesSequence = Sequence([item])
    (match,) = ask(archive, wanted)
    found = decoded(match.identifier)
    assert (found.InstitutionName, found.RequestAttributesSequence[0].ScheduledProcedureStepID) == (
        "General Hospital",
        "STEP-1",
    )
    assert match.all_keys_supported
    wanted.InstitutionName = "Clinic*"
    assert ask(archive, wanted) == []


@pytest.mark.parametrize("damage", ["missing", "cut", "empty"])
def test_a_key_whose_header_cannot_be_read_is_not_supported_and_no_error(tmp_path: Path, damage: str) -> None:
    settings = ArchiveSettings(tmp_path)
    with Archive(settings) as archive:
        taken(archive, sent_dataset(an_object()))
    with contextlib.closing(sqlite3.connect(tmp_path / "index.sqlite")) as database, database:
        database.execute("UPDATE instance SET arrived_s = arrived_s - 3600")
    (path,) = (path for path in (tmp_path / "store").rglob("*") if path.is_file())
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:600] if damage == "cut" else b"")
    with Archive(settings) as archive:
        (match,) = ask(archive, identifier("STUDY", StudyInstanceUID="", InstitutionName="Clinic"))
    assert not match.all_keys_supported
    assert decoded(match.identifier).InstitutionName in ("", None)


def test_elements_of_file_meta_information_in_a_question_are_passed_over(archive: Archive) -> None:
    taken(archive, sent_dataset(an_object()))
    data = encoded(identifier("STUDY", StudyInstanceUID=""))
    data = b"\x02\x00\x03\x00UI\x04\x001.2\0" + data
    request = read_request(data, EXPLICIT_LITTLE, InformationModel.STUDY_ROOT)
    (match,) = search(archive, request, "NODE", lambda: False)
    assert not match.all_keys_supported


def test_a_question_that_cannot_be_read_or_asked_is_refused() -> None:
    with pytest.raises(MalformedDataSet):
        read_request(b"\x08\x00\x52\x00CS\xff\x00", EXPLICIT_LITTLE, InformationModel.STUDY_ROOT)
    with pytest.raises(InvalidQuery):
        read_request(encoded(identifier("NOWHERE")), EXPLICIT_LITTLE, InformationModel.STUDY_ROOT)


def test_a_cancelled_search_ends(archive: Archive) -> None:
    for number in range(5):
        taken(archive, sent_dataset(an_object(number)))
    wanted = identifier("IMAGE", StudyInstanceUID="2.25.7001", SeriesInstanceUID="2.25.7100.1")
    request = read_request(encoded(wanted), EXPLICIT_LITTLE, InformationModel.STUDY_ROOT)
    assert list(search(archive, request, "NODE", lambda: True)) == []
