"""The objects that a retrieve request names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings, InformationModel
from radfuse.core.errors import InvalidQuery
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.services import retrieve
from radfuse.services.retrieve import TooManySubOperations, objects_of
from radfuse.services.search import read_request
from tests.interop.client import encoded, identifier, sent_dataset
from tests.services.test_ingest import taken
from tests.support.generate import CT_IMAGE, STUDY_UID, base_instance


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive with five objects of one study."""
    folder: Path = tmp_path_factory.mktemp("five")
    with Archive(ArchiveSettings(folder)) as archive:
        for number in (3, 1, 2, 10, 5):
            taken(archive, sent_dataset(base_instance(CT_IMAGE, "CT", 1, number)))
        yield archive


def named(archive: Archive, **keys: str) -> list[str]:
    data = encoded(identifier("STUDY", **keys))
    request = read_request(data, EXPLICIT_LITTLE, InformationModel.STUDY_ROOT, retrieve=True)
    return [stored.sop_instance_uid for stored in objects_of(archive, request.query)]


def test_objects_come_in_the_order_of_their_numbers(five: Archive) -> None:
    assert named(five, StudyInstanceUID=STUDY_UID) == [f"2.25.7100.1.{number}" for number in (1, 2, 3, 5, 10)]
    assert named(five, StudyInstanceUID="1.2.3") == []


def test_a_request_must_name_something(five: Archive) -> None:
    with pytest.raises(InvalidQuery):
        named(five, PatientName="Test*")


def test_more_objects_than_can_be_counted_are_refused(five: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    assert retrieve.MAX_SUBOPERATIONS == 65_535
    monkeypatch.setattr(retrieve, "MAX_SUBOPERATIONS", 4)
    with pytest.raises(TooManySubOperations, match="names more than 65535 instances; ask for less"):
        named(five, StudyInstanceUID=STUDY_UID)
