"""Asking peers that are not ours: pynetdicom SCPs that answer in every way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from radfuse.archive import Archive, InformationModel
from radfuse.core.aetitle import AETitle
from radfuse.core.errors import (
    AssociationAborted,
    ConnectionLost,
    NoPresentationContext,
    NotAllowed,
    OperationFailed,
    PeerTimeout,
)
from radfuse.core.sop_classes import PATIENT_ROOT_FIND, STUDY_ROOT_FIND, STUDY_ROOT_GET, STUDY_ROOT_MOVE, VERIFICATION
from radfuse.dicom import Element, Identifier
from radfuse.services import query_peer
from radfuse.services.associating import Caller
from radfuse.services.peers import Peer
from radfuse.wire import Limits
from tests.support.generate import CT_IMAGE, GeneratedSet

pytestmark = pytest.mark.peers

CALLER = Caller("TESTER", Limits(response_s=10, idle_s=10))
STUDY = Identifier((Element.of("QueryRetrieveLevel", "STUDY"), Element.of("StudyInstanceUID", "1.2.3")))
STUDY_ROOT = InformationModel.STUDY_ROOT


@contextmanager
def scp(
    handlers: Sequence[tuple[Any, Callable[[evt.Event], object]]], *classes: str, storage: str = ""
) -> Iterator[Peer]:
    """A pynetdicom SCP for ``classes``, and for ``storage`` as SCU of a C-GET."""
    entity = AE("PEER")
    for uid in classes:
        entity.add_supported_context(uid)
    if storage:
        entity.add_supported_context(storage, scu_role=True, scp_role=True)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=list(handlers))
    assert server is not None
    try:
        yield Peer("peer", AETitle("PEER"), "127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()


@contextmanager
def peer(event: Any, handler: Callable[[evt.Event], object], *classes: str, storage: str = "") -> Iterator[Peer]:
    """An SCP that answers one operation."""
    with scp([(event, handler)], *classes, storage=storage) as listening:
        yield listening


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
    assert steps[-1] == query_peer.Progress(0, 5, 0, 0, (), 0x0000)
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


# --- cancelling, rights, waiting ---------------------------------------------------------------


def test_a_cancel_is_sent_while_no_answer_comes() -> None:
    ended = []

    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        found = Dataset()
        found.StudyInstanceUID = "1.2.3"
        yield 0xFF00, found
        for _ in range(500):
            time.sleep(0.02)
            if event.is_cancelled:
                ended.append(True)
                yield 0xFE00, None
                return
        yield 0x0000, None

    wishes = iter([False] * 3)
    with peer(evt.EVT_C_FIND, answer, STUDY_ROOT_FIND) as asked:
        found = list(query_peer.find(asked, CALLER, STUDY_ROOT, STUDY, lambda: next(wishes, True)))
    assert len(found) == 1
    assert ended == [True]


def test_answers_that_come_after_a_cancel_are_given_too() -> None:
    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        for number in range(10):
            found = Dataset()
            found.StudyInstanceUID = f"1.2.{number}"
            yield 0xFF00, found
        yield 0x0000, None

    with peer(evt.EVT_C_FIND, answer, STUDY_ROOT_FIND) as asked:
        found = list(query_peer.find(asked, CALLER, STUDY_ROOT, STUDY, lambda: True))
    assert [identifier.text(0x0020000D) for identifier in found] == [f"1.2.{number}" for number in range(10)]


def test_a_get_is_cancelled_between_its_objects_by_a_peer_that_sends_no_pending_responses(
    archive: Archive, generated_set: GeneratedSet
) -> None:
    objects = [pydicom.dcmread(path) for path in generated_set.ct]

    def answer(event: evt.Event) -> Iterator[Any]:
        yield len(objects)
        for ds in objects:
            if event.is_cancelled:
                yield 0xFE00, None
                return
            yield 0xFF00, ds
            time.sleep(0.3)

    wishes = iter([False])
    with peer(evt.EVT_C_GET, answer, STUDY_ROOT_GET, storage=CT_IMAGE) as asked:
        steps = list(query_peer.get(archive, asked, CALLER, STUDY_ROOT, STUDY, lambda: next(wishes, True)))
    assert steps[-1].is_cancelled
    assert steps[-1].completed < len(objects)
    assert not steps[-1].is_complete


def test_a_second_interruption_ends_at_once() -> None:
    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        for number in range(200):
            found = Dataset()
            found.StudyInstanceUID = f"1.2.{number}"
            yield 0xFF00, found
            time.sleep(0.02)
            if event.assoc.acse.is_aborted():
                return
        yield 0x0000, None

    with peer(evt.EVT_C_FIND, answer, STUDY_ROOT_FIND) as asked:
        answers = query_peer.find(asked, CALLER, STUDY_ROOT, STUDY, lambda: True)
        seen = [next(answers), next(answers)]
        answers.close()
    assert len(seen) == 2


def test_a_peer_that_falls_silent_is_given_up_after_its_own_response_time() -> None:
    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        time.sleep(3)
        yield 0x0000, None

    with peer(evt.EVT_C_FIND, answer, STUDY_ROOT_FIND) as asked:
        for should_cancel in (None, lambda: False):
            with pytest.raises(PeerTimeout, match=r"longer than 0\.5 s"):
                impatient = replace(asked, response_s=0.5)
                list(query_peer.find(impatient, CALLER, STUDY_ROOT, STUDY, should_cancel))


def test_a_peer_that_is_not_to_be_asked_is_not_asked(archive: Archive) -> None:
    nowhere = Peer("nowhere", AETitle("NOWHERE"), "127.0.0.1", 1)
    with pytest.raises(NotAllowed, match="does not allow to query peer 'nowhere'"):
        list(query_peer.find(replace(nowhere, query=False), CALLER, STUDY_ROOT, STUDY))
    mute = replace(nowhere, retrieve=False)
    with pytest.raises(NotAllowed, match="does not allow to retrieve from peer 'nowhere'"):
        list(query_peer.move(mute, CALLER, STUDY_ROOT, STUDY, "US"))
    with pytest.raises(NotAllowed, match="does not allow to retrieve from peer 'nowhere'"):
        list(query_peer.get(archive, mute, CALLER, STUDY_ROOT, STUDY))


def test_a_peer_that_is_not_to_be_queried_is_not_asked_for_its_classes_either(
    archive: Archive, generated_set: GeneratedSet
) -> None:
    objects = [pydicom.dcmread(path) for path in generated_set.ct[:1]]
    handlers = [(evt.EVT_C_GET, sub_operations(objects)), (evt.EVT_C_FIND, lambda _event: pytest.fail("was queried"))]
    with scp(handlers, STUDY_ROOT_GET, STUDY_ROOT_FIND, storage=CT_IMAGE) as asked:
        steps = list(query_peer.get(archive, replace(asked, query=False), CALLER, STUDY_ROOT, STUDY))
    assert steps[-1].is_complete
    assert steps[-1].completed == 1


def test_preferred_syntaxes_are_proposed_first(archive: Archive) -> None:
    proposed: list[str] = []

    def answer(event: evt.Event) -> Iterator[Any]:
        contexts = event.assoc.requestor.requested_contexts
        proposed.extend(str(context.transfer_syntax[0]) for context in contexts if context.abstract_syntax == CT_IMAGE)
        yield 0
        yield 0x0000, None

    with peer(evt.EVT_C_GET, answer, STUDY_ROOT_GET) as asked:
        wanted = replace(asked, preferred_syntaxes=("1.2.840.10008.1.2.4.90",))
        list(query_peer.get(archive, wanted, CALLER, STUDY_ROOT, STUDY))
    assert proposed == ["1.2.840.10008.1.2.4.90"]


def test_an_echo_says_how_long_it_took_and_that_it_was_not_protected() -> None:
    with peer(evt.EVT_C_ECHO, lambda _event: 0x0000, VERIFICATION) as asked:
        answer = query_peer.echo(asked, CALLER)
    assert answer.association_s > 0
    assert answer.round_trip_s > 0
    assert answer.tls is None


def test_an_echo_that_fails_is_an_error() -> None:
    with (
        peer(evt.EVT_C_ECHO, lambda _event: 0x0122, VERIFICATION) as asked,
        pytest.raises(OperationFailed, match="C-ECHO failed with status 0122"),
    ):
        query_peer.echo(asked, CALLER)


def test_a_peers_own_pdu_length_is_offered_to_it() -> None:
    offered = []

    def answer(event: evt.Event) -> int:
        offered.append(event.assoc.requestor.maximum_length)
        return 0x0000

    with peer(evt.EVT_C_ECHO, answer, VERIFICATION) as asked:
        query_peer.echo(asked, CALLER)
        query_peer.echo(replace(asked, max_pdu_bytes=16384), CALLER)
    assert offered == [CALLER.limits.max_pdu_bytes, 16384]
