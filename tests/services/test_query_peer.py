"""Asking peers that are not ours: pynetdicom SCPs that answer in every way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from radfuse.archive import Archive, InformationModel
from radfuse.core.aetitle import AETitle
from radfuse.core.errors import AssociationAborted, ConnectionLost, NoPresentationContext, OperationFailed
from radfuse.core.sop_classes import PATIENT_ROOT_FIND, STUDY_ROOT_FIND, STUDY_ROOT_GET, STUDY_ROOT_MOVE
from radfuse.dicom import Element, Identifier
from radfuse.services import query_peer
from radfuse.services.peers import Peer
from radfuse.wire import Limits
from tests.support.generate import CT_IMAGE, GeneratedSet

pytestmark = pytest.mark.peers

CALLER = query_peer.Caller("TESTER", Limits(response_s=10, idle_s=10))
STUDY = Identifier((Element.of("QueryRetrieveLevel", "STUDY"), Element.of("StudyInstanceUID", "1.2.3")))
STUDY_ROOT = InformationModel.STUDY_ROOT


@contextmanager
def peer(event: Any, handler: Callable[[evt.Event], object], *classes: str, storage: str = "") -> Iterator[Peer]:
    """A pynetdicom SCP for ``classes``, and for ``storage`` as SCU of a C-GET."""
    entity = AE("PEER")
    for uid in classes:
        entity.add_supported_context(uid)
    if storage:
        entity.add_supported_context(storage, scu_role=True, scp_role=True)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(event, handler)])
    assert server is not None
    try:
        yield Peer("peer", AETitle("PEER"), "127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()


def test_answers_are_decoded_in_their_own_character_set() -> None:
    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        for character_set, name in (("ISO_IR 100", "Müller^Jörg"), ("ISO_IR 192", "山田^太郎"), ("", "Doe^Jane")):
            found = Dataset()
            if character_set:
                found.SpecificCharacterSet = character_set
            found.PatientName = name
            yield 0xFF01 if character_set else 0xFF00, found
        yield 0x0000, None

    with peer(evt.EVT_C_FIND, answer, STUDY_ROOT_FIND) as asked:
        answers = list(query_peer.find(asked, CALLER, STUDY_ROOT, STUDY))
    assert [found.text(0x00100010) for found in answers] == ["Müller^Jörg", "山田^太郎", "Doe^Jane"]


def test_a_question_beyond_ascii_is_sent_in_unicode() -> None:
    asked_for = []

    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        asked_for.append((event.identifier.SpecificCharacterSet, str(event.identifier.PatientName)))
        yield 0x0000, None

    question = Identifier((*STUDY, Element.of("PatientName", "山田*")))
    with peer(evt.EVT_C_FIND, answer, PATIENT_ROOT_FIND) as asked:
        assert list(query_peer.find(asked, CALLER, InformationModel.PATIENT_ROOT, question)) == []
    assert asked_for == [("ISO_IR 192", "山田*")]


def test_a_failure_status_is_raised_with_the_peers_comment() -> None:
    def answer(event: evt.Event) -> Iterator[tuple[Dataset, None]]:
        status = Dataset()
        status.Status, status.ErrorComment = 0xA700, "too many matches"
        yield status, None

    with peer(evt.EVT_C_FIND, answer, STUDY_ROOT_FIND) as asked, pytest.raises(OperationFailed) as caught:
        list(query_peer.find(asked, CALLER, STUDY_ROOT, STUDY))
    assert (caught.value.operation, caught.value.status, caught.value.comment) == ("C-FIND", 0xA700, "too many matches")


def test_leaving_the_answers_early_cancels_the_query() -> None:
    cancelled = []

    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        for _ in range(2000):
            time.sleep(0.002)
            if event.is_cancelled:
                cancelled.append(True)
                yield 0xFE00, None
                return
            found = Dataset()
            found.StudyInstanceUID = "1.2.3"
            yield 0xFF00, found

    with peer(evt.EVT_C_FIND, answer, STUDY_ROOT_FIND) as asked:
        answers = query_peer.find(asked, CALLER, STUDY_ROOT, STUDY)
        next(answers)
        answers.close()
    assert cancelled == [True]


def test_a_peer_without_the_service_is_told_apart() -> None:
    with peer(evt.EVT_C_FIND, lambda _event: None, PATIENT_ROOT_FIND) as asked, pytest.raises(NoPresentationContext):
        list(query_peer.find(asked, CALLER, STUDY_ROOT, STUDY))


def test_a_peer_that_aborts_is_an_error() -> None:
    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        event.assoc.abort()
        yield 0x0000, None

    with (
        peer(evt.EVT_C_FIND, answer, STUDY_ROOT_FIND) as asked,
        pytest.raises((AssociationAborted, ConnectionLost)),
    ):
        list(query_peer.find(asked, CALLER, STUDY_ROOT, STUDY))


def test_an_unknown_destination_of_a_move_is_an_error() -> None:
    def answer(event: evt.Event) -> Iterator[Any]:
        yield None, None  # an unknown destination: A801

    with peer(evt.EVT_C_MOVE, answer, STUDY_ROOT_MOVE) as asked, pytest.raises(OperationFailed) as caught:
        list(query_peer.move(asked, CALLER, STUDY_ROOT, STUDY, "NOWHERE"))
    assert caught.value.status == 0xA801


def sub_operations(objects: Sequence[Dataset]) -> Callable[[evt.Event], Iterator[Any]]:
    def answer(event: evt.Event) -> Iterator[Any]:
        yield len(objects)
        for ds in objects:
            yield 0xFF00, ds

    return answer


def test_objects_of_a_get_are_kept_before_they_are_acknowledged(archive: Archive, generated_set: GeneratedSet) -> None:
    objects = [pydicom.dcmread(path) for path in generated_set.ct]
    with peer(evt.EVT_C_GET, sub_operations(objects), STUDY_ROOT_GET, storage=CT_IMAGE) as asked:
        steps = list(query_peer.get(archive, asked, CALLER, STUDY_ROOT, STUDY))
    assert steps[-1] == query_peer.Progress(0, 5, 0, 0)
    assert [step.completed for step in steps[:-1]] == [1, 2, 3, 4, 5]


def test_a_bad_object_of_a_get_is_refused_and_the_others_are_kept(
    archive: Archive, generated_set: GeneratedSet
) -> None:
    objects = [pydicom.dcmread(path) for path in generated_set.ct[:3]]
    objects[1].StudyInstanceUID = ""
    with peer(evt.EVT_C_GET, sub_operations(objects), STUDY_ROOT_GET, storage=CT_IMAGE) as asked:
        last = list(query_peer.get(archive, asked, CALLER, STUDY_ROOT, STUDY))[-1]
    assert (last.completed, last.failed, last.failed_uids) == (2, 1, ("2.25.7100.1.2",))


def test_102_storage_classes_and_the_query_fit_into_one_association(archive: Archive) -> None:
    proposed = []

    def answer(event: evt.Event) -> Iterator[Any]:
        proposed.append(len(event.assoc.requestor.requested_contexts))
        yield 0
        yield 0x0000, None

    with peer(evt.EVT_C_GET, answer, STUDY_ROOT_GET) as asked:
        list(query_peer.get(archive, asked, CALLER, STUDY_ROOT, STUDY))
    assert proposed == [103]
