"""The storage SCU against scripted peers: what each status, refusal and fault does to the task."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import AssociationAborted, JobFailed, TransientFailure
from radfuse.core.store_statuses import Outcome, meaning_of
from radfuse.core.transfer_syntaxes import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS_SV1,
)
from radfuse.core.uid_names import name_of_uid
from radfuse.dicom import Transcoder
from radfuse.jobs import ItemState
from radfuse.services.context_lists import DBX, XD, ContextList
from radfuse.services.import_media import import_files
from radfuse.services.object_source import FileObject
from radfuse.services.peers import Peer
from radfuse.services.send import objects_of_studies
from radfuse.services.storage_scu import STORAGE_NEGOTIATION, Outgoing, StorageScu
from radfuse.services.transfer import derived_uid_of
from radfuse.wire import Association, Message
from radfuse.wire.negotiation import Acceptance, AssociationRequest, Rejection
from tests.fakes.ledger import FakeLedger
from tests.services.storage_scenes import QUICK, Accepts, Answers, outgoing, peer_at, route_to
from tests.support.generate import CT_IMAGE, MR_IMAGE, STUDY_UID, GeneratedSet
from tests.wire.scenes import Handler, Node

SENT, WARNED, FAILED, PENDING = ItemState.SENT, ItemState.WARNED, ItemState.FAILED, ItemState.PENDING
SECOND = "2.25.7100.1.2"
STATUSES = (
    *(0x0000, 0x0001, 0x0110, 0x0111, 0x0122, 0x0124, 0x0210, 0x0211, 0x0212, 0xA700, 0xA7FF, 0xA800, 0xA900, 0xA9FF),
    *(0xB000, 0xB001, 0xB006, 0xB007, 0xB008, 0xBFFF, 0xC000, 0xCFFF, 0xD000, 0xFE00, 0xFF00, 0xFFFF),
)
"""Every edge of the ranges that have a meaning, and what lies between them."""


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    """One for all: its child process starts when first needed."""
    with Transcoder() as made:
        yield made


def data_set(path: Path) -> bytes:
    """The bytes of a file's data set."""
    content = path.read_bytes()
    return content[outgoing([path])[0].content.data_offset :]  # type: ignore[union-attr]


# --- what travels --------------------------------------------------------------------------------


def test_stored_bytes_are_sent_unchanged_where_the_peer_accepts_them(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    answers, ledger = Answers(), FakeLedger()
    with Node(answers) as node:
        node.policy = Accepts()  # type: ignore[assignment]
        StorageScu(route_to(peer_at(node.address), transcoder), ledger).send(outgoing(generated_set.files))
    assert ledger.states() == [(number, SENT, 0) for number in range(1, 20)]
    assert ledger.recorded == sorted(ledger.recorded)
    received = sorted(content for _, content in answers.received.values())
    assert received == sorted(data_set(path) for path in generated_set.files)
    assert transcoder.pids == ()


def test_objects_of_the_archive_are_sent_unchanged(
    transcoder: Transcoder, archive: Archive, generated_set: GeneratedSet
) -> None:
    list(import_files(archive, generated_set.files))
    items = [Outgoing(n, stored) for n, stored in enumerate(objects_of_studies(archive, [STUDY_UID]))]
    answers, ledger = Answers(), FakeLedger()
    with Node(answers) as node:
        StorageScu(route_to(peer_at(node.address), transcoder), ledger, archive).send(items)
    assert {state for _, state, _ in ledger.states()} == {SENT}
    received = sorted(content for _, content in answers.received.values())
    assert received == sorted(data_set(path) for path in generated_set.files)


@pytest.mark.parametrize("syntax", [IMPLICIT_LITTLE, EXPLICIT_BIG])
def test_an_object_is_transcoded_without_loss_where_the_peer_refuses_its_syntax(
    transcoder: Transcoder, generated_set: GeneratedSet, syntax: str
) -> None:
    answers, ledger = Answers(), FakeLedger()
    with Node(answers) as node:
        node.policy = Accepts(syntax)  # type: ignore[assignment]
        StorageScu(route_to(peer_at(node.address), transcoder, XD), ledger).send(outgoing(generated_set.ct))
    assert [state for _, state, _ in ledger.states()] == [SENT] * 5
    assert {used for used, _ in answers.received.values()} == {syntax}
    assert len(answers.received[SECOND][1]) > 32 * 32 * 2


def test_the_preferred_syntax_goes_first_where_the_peer_accepts_it(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    answers, ledger = Answers(), FakeLedger()
    with Node(answers) as node:
        peer = peer_at(node.address, preferred_syntaxes=(JPEG_2000_LOSSLESS, JPEG_LOSSLESS_SV1))
        node.policy = Accepts(JPEG_LOSSLESS_SV1, EXPLICIT_LITTLE)  # type: ignore[assignment]
        files = [generated_set.ct[0], generated_set.structured_report]
        StorageScu(route_to(peer, transcoder), ledger).send(outgoing(files))
    assert [state for _, state, _ in ledger.states()] == [SENT, SENT]
    # A report has no pixels to compress: it goes as it is.
    assert [answers.received[uid][0] for uid in answers.order] == [JPEG_LOSSLESS_SV1, EXPLICIT_LITTLE]


def test_an_object_is_compressed_with_loss_only_where_that_is_configured_and_the_only_way(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    source = generated_set.ct[1]
    lossy_only, any_way, ledger = Answers(), Answers(), FakeLedger()
    lossy_comments: list[str] = []
    with Node(lossy_only) as node:
        node.policy = Accepts(JPEG_2000)  # type: ignore[assignment]
        with pytest.raises(JobFailed, match="pacs does not offer "):
            StorageScu(route_to(peer_at(node.address), transcoder), FakeLedger()).send(outgoing([source]))
        allowed = route_to(peer_at(node.address, lossy_syntax=JPEG_2000), transcoder)
        for _ in range(2):
            StorageScu(allowed, ledger).send(outgoing([source]))
            lossy_comments.append(ledger.results[1][2])
    with Node(any_way) as node:
        node.policy = Accepts(JPEG_2000, EXPLICIT_LITTLE)  # type: ignore[assignment]
        allowed = route_to(peer_at(node.address, lossy_syntax=JPEG_2000), transcoder)
        StorageScu(allowed, ledger).send(outgoing([source]))
    assert ledger.recorded == [1, 1, 1]
    derived = derived_uid_of(SECOND, JPEG_2000)
    assert lossy_only.order == [derived, derived] != [SECOND, SECOND]
    syntax, content = lossy_only.received[derived]
    assert syntax == JPEG_2000
    assert derived.encode() in content
    assert content.count(SECOND.encode() + b"\0") == 1, "named as its source"
    assert any_way.received == {SECOND: (EXPLICIT_LITTLE, data_set(source))}
    assert lossy_comments == ["compressed with loss: the peer has an instance derived from this one"] * 2
    assert ledger.results[1] == (SENT, 0, ""), "the last went without loss"


# --- what is proposed ----------------------------------------------------------------------------


def test_only_what_the_job_holds_is_proposed(transcoder: Transcoder, generated_set: GeneratedSet) -> None:
    with Node(Answers()) as node:
        node.policy = policy = Accepts()  # type: ignore[assignment]
        StorageScu(route_to(peer_at(node.address), transcoder), FakeLedger()).send(outgoing(generated_set.ct))
    (request,) = policy.requests
    assert [(row.abstract_syntax, row.transfer_syntaxes) for row in request.contexts] == [
        (CT_IMAGE, (EXPLICIT_LITTLE,)),
        (CT_IMAGE, (EXPLICIT_LITTLE, IMPLICIT_LITTLE)),
    ]
    assert request.extended_negotiation == {}
    assert (request.calling_ae_title, request.called_ae_title) == ("US", "PACS")


def test_the_workstations_list_proposes_uncompressed_and_negotiates_storage(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    with Node(Answers()) as node:
        node.policy = policy = Accepts()  # type: ignore[assignment]
        route = route_to(peer_at(node.address), transcoder, XD)
        StorageScu(route, FakeLedger()).send(outgoing((*generated_set.ct, *generated_set.mr)))
    (request,) = policy.requests
    assert {syntax for row in request.contexts for syntax in row.transfer_syntaxes} == set(XD.transfer_syntaxes)
    assert request.extended_negotiation == {uid: b"\3\0\0\0\2\0" for uid in (CT_IMAGE, MR_IMAGE)}
    assert STORAGE_NEGOTIATION == b"\3\0\0\0\2\0"


def test_any_list_may_negotiate_storage_and_the_workstations_edited_not_to(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    mine = ContextList("mine", (CT_IMAGE,), (EXPLICIT_LITTLE,), storage_negotiation=True)
    with Node(Answers()) as node:
        node.policy = policy = Accepts()  # type: ignore[assignment]
        for contexts in (mine, replace(XD, storage_negotiation=False)):
            StorageScu(route_to(peer_at(node.address), transcoder, contexts), FakeLedger()).send(
                outgoing(generated_set.ct[:1])
            )
    assert [list(request.extended_negotiation) for request in policy.requests] == [[CT_IMAGE], []]


def test_a_class_that_is_not_on_the_list_fails_the_task_before_anything_is_sent(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    ct_only = ContextList("ct", (CT_IMAGE,), (EXPLICIT_LITTLE,))
    ledger = FakeLedger()
    with Node(Answers()) as node:
        node.policy = policy = Accepts()  # type: ignore[assignment]
        scu = StorageScu(route_to(peer_at(node.address), transcoder, ct_only), ledger)
        with pytest.raises(JobFailed, match="MR Image Storage is not on the context list 'ct': choose another list"):
            scu.send(outgoing((generated_set.ct[0], generated_set.mr[0])))
    assert policy.requests == []
    assert [(number, state) for number, state, _ in ledger.states()] == [(2, FAILED)]


def test_a_syntax_with_no_way_to_the_list_fails_the_task(transcoder: Transcoder, generated_set: GeneratedSet) -> None:
    only_lossless = ContextList("few", (CT_IMAGE,), (JPEG_LOSSLESS_SV1,))

    def as_video(item: FileObject) -> FileObject:
        return replace(item, transfer_syntax_uid="1.2.840.10008.1.2.4.102")

    with Node(Answers()) as node:
        scu = StorageScu(route_to(peer_at(node.address), transcoder, only_lossless), FakeLedger())
        with pytest.raises(JobFailed, match=r"MPEG-4 AVC.* cannot be turned into"):
            scu.send(outgoing(generated_set.ct[:1], as_video))


def test_more_than_128_contexts_take_several_associations(transcoder: Transcoder, generated_set: GeneratedSet) -> None:
    (one,) = outgoing(generated_set.ct[:1])
    assert isinstance(one.content, FileObject)
    items = [
        Outgoing(number, replace(one.content, sop_class_uid=uid, sop_instance_uid=f"2.25.{number}"))
        for number, uid in enumerate(DBX.sop_classes, 1)
    ]
    answers, ledger = Answers(), FakeLedger()
    with Node(answers) as node:
        node.policy = policy = Accepts()  # type: ignore[assignment]
        StorageScu(route_to(peer_at(node.address), transcoder), ledger).send(items)
    assert [len(request.contexts) for request in policy.requests] == [128, 76]
    assert len(answers.received) == 102
    assert {state for _, state, _ in ledger.states()} == {SENT}


def test_a_refusal_in_the_second_association_leaves_what_the_first_delivered(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    (one,) = outgoing(generated_set.ct[:1])
    assert isinstance(one.content, FileObject)
    items = [
        Outgoing(number, replace(one.content, sop_class_uid=uid, sop_instance_uid=f"2.25.{number}"))
        for number, uid in enumerate(DBX.sop_classes, 1)
    ]
    ledger = FakeLedger()
    with Node(Answers()) as node:
        node.policy = Accepts(refused_classes=DBX.sop_classes[100:])  # type: ignore[assignment]
        with pytest.raises(JobFailed, match=f"pacs does not offer {name_of_uid(DBX.sop_classes[100])}"):
            StorageScu(route_to(peer_at(node.address), transcoder), ledger).send(items)
    expected = {number: SENT for number in range(1, 65)} | {101: FAILED, 102: FAILED}
    assert {number: state for number, state, _ in ledger.states()} == expected


# --- statuses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(
    "status",
    STATUSES,
)
def test_every_status_ends_or_continues_the_task_as_the_table_says(
    transcoder: Transcoder, generated_set: GeneratedSet, status: int, lenient: bool
) -> None:
    answers, ledger = Answers({SECOND: status}, "because"), FakeLedger()
    outcome = meaning_of(status, lenient=lenient).outcome
    with Node(answers) as node:
        scu = StorageScu(route_to(peer_at(node.address, lenient_statuses=lenient), transcoder), ledger)
        if outcome in (Outcome.SENT, Outcome.WARNED):
            scu.send(outgoing(generated_set.ct))
        else:
            expected = TransientFailure if outcome is Outcome.TRANSIENT else JobFailed
            with pytest.raises(expected, match=rf"pacs answered with status {status:04X}.*\(because\)\. ") as raised:
                scu.send(outgoing(generated_set.ct))
            assert type(raised.value) is expected
    states = ledger.states()
    if outcome in (Outcome.SENT, Outcome.WARNED):
        second = SENT if outcome is Outcome.SENT else WARNED
        assert states == [(n, second if n == 2 else SENT, status if n == 2 else 0) for n in range(1, 6)]
        assert node.errors == []
    else:
        second = PENDING if outcome is Outcome.TRANSIENT else FAILED
        assert states == [(1, SENT, 0), (2, second, status)]
        assert len(answers.order) == 2
        (abort,) = node.errors
        assert isinstance(abort, AssociationAborted)
        assert abort.source == 0


def test_a_failure_that_leniency_would_accept_says_so(transcoder: Transcoder, generated_set: GeneratedSet) -> None:
    with Node(Answers({SECOND: 0x0111})) as node:
        scu = StorageScu(route_to(peer_at(node.address), transcoder), FakeLedger())
        with pytest.raises(
            JobFailed, match=r"count this as a warning: page Peers, or 'radfuse peers add pacs PACS@.*--lenient'"
        ):
            scu.send(outgoing(generated_set.ct))


# --- refusals ------------------------------------------------------------------------------------


def test_a_refused_class_aborts_and_fails_the_task_and_nothing_is_skipped(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    answers, ledger = Answers(), FakeLedger()
    with Node(answers) as node:
        node.policy = Accepts(refused_classes=[MR_IMAGE])  # type: ignore[assignment]
        scu = StorageScu(route_to(peer_at(node.address), transcoder), ledger)
        with pytest.raises(JobFailed, match=r"pacs does not offer MR Image Storage.* Allow it there"):
            scu.send(outgoing((*generated_set.ct, *generated_set.mr)))
    assert answers.order == []
    assert ledger.states() == [(number, FAILED, None) for number in range(6, 11)]
    (abort,) = node.errors
    assert isinstance(abort, AssociationAborted)
    assert abort.source == 0


class Rejects:
    """A policy that rejects every association."""

    def __init__(self, result: int, source: int, reason: int) -> None:
        self._rejection = Rejection(result, source, reason)

    def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance | Rejection:
        return self._rejection


@pytest.mark.parametrize(
    ("rejection", "expected", "sentence"),
    [
        (Rejects(1, 1, 3), JobFailed, "pacs refused the association: it does not know our AE title US"),
        (Rejects(1, 1, 7), JobFailed, "pacs refused the association: it is not called PACS"),
        (Rejects(2, 3, 1), TransientFailure, "pacs refused the association: .*Try again later"),
        (Rejects(2, 1, 1), TransientFailure, "pacs refused the association"),
    ],
)
def test_a_rejected_association_is_transient_only_when_the_peer_says_so(
    transcoder: Transcoder, generated_set: GeneratedSet, rejection: Rejects, expected: type[Exception], sentence: str
) -> None:
    ledger = FakeLedger()
    with Node(Answers()) as node:
        node.policy = rejection  # type: ignore[assignment]
        with pytest.raises(expected, match=sentence):
            StorageScu(route_to(peer_at(node.address), transcoder), ledger).send(outgoing(generated_set.ct))
    assert ledger.results == {}


def test_a_peer_that_is_down_is_a_transient_failure(
    transcoder: Transcoder, generated_set: GeneratedSet, free_port: int
) -> None:
    scu = StorageScu(route_to(peer_at(("127.0.0.1", free_port)), transcoder), FakeLedger())
    with pytest.raises(TransientFailure, match=f"pacs cannot be reached.*127.0.0.1 port {free_port}"):
        scu.send(outgoing(generated_set.ct))


def test_a_port_where_nobody_answers_the_association_request_is_a_transient_failure(
    transcoder: Transcoder, generated_set: GeneratedSet
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        scu = StorageScu(route_to(peer_at(silent.getsockname()), transcoder), FakeLedger())
        with pytest.raises(TransientFailure, match="pacs took longer than 1 s for the answer to the association"):
            scu.send(outgoing(generated_set.ct))


def test_a_peer_that_is_no_dicom_node_fails_the_task(transcoder: Transcoder, generated_set: GeneratedSet) -> None:
    def greet(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=greet, args=(server,))
        thread.start()
        scu = StorageScu(route_to(peer_at(server.getsockname()), transcoder), FakeLedger())
        with pytest.raises(JobFailed, match=r"pacs does not speak DICOM as it should"):
            scu.send(outgoing(generated_set.ct))
        thread.join(10)


# --- faults within the association ----------------------------------------------------------------


class AtSecond:
    """A handler that answers the first object and misbehaves at the second."""

    def __init__(self, misbehave: Handler) -> None:
        self.answers = Answers()
        self._misbehave = misbehave

    def __call__(self, association: Association, message: Message) -> None:
        """Answer or misbehave."""
        second = message.command.affected_sop_instance_uid == SECOND
        (self._misbehave if second else self.answers)(association, message)


def hang_after_the_command(association: Association, message: Message) -> None:
    """Receive the object and never answer."""
    association.discard_data_set()
    assert association.receive_command() is None


def drop_the_link(association: Association, message: Message) -> None:
    """Close without a word in the middle of the object."""
    association.close()


def abort(association: Association, message: Message) -> None:
    """A-ABORT instead of an answer."""
    association.discard_data_set()
    association.abort()


def release(association: Association, message: Message) -> None:
    """A-RELEASE instead of an answer."""
    association.discard_data_set()
    association.release()


def answer_another_message(association: Association, message: Message) -> None:
    """Answer with a message id that was never used."""
    association.discard_data_set()
    response = message.command.response(0)
    response.message_id_being_responded_to = 4711
    association.send(message.context_id, response)


def answer_with_another_command(association: Association, message: Message) -> None:
    """Answer C-STORE with a C-ECHO response."""
    association.discard_data_set()
    response = message.command.response(0)
    response.command_field = 0x8030
    association.send(message.context_id, response)


def answer_in_a_context_that_was_not_offered(association: Association, message: Message) -> None:
    """Answer in presentation context 255."""
    association.discard_data_set()
    association.send(255, message.command.response(0))


def answer_in_another_context(association: Association, message: Message) -> None:
    """Answer in the other accepted presentation context."""
    association.discard_data_set()
    other = next(number for number in association.contexts if number != message.context_id)
    association.send(other, message.command.response(0))


def answer_without_a_status(association: Association, message: Message) -> None:
    """Answer without Status (0000,0900)."""
    association.discard_data_set()
    response = message.command.response(0)
    response.status = None
    association.send(message.context_id, response)


@pytest.mark.parametrize(
    ("misbehave", "expected", "second", "sentence"),
    [
        (hang_after_the_command, JobFailed, FAILED, "pacs took longer than 1 s for the next message"),
        (drop_the_link, TransientFailure, PENDING, "pacs cannot be reached or has closed the connection"),
        (abort, JobFailed, FAILED, "pacs aborted the association"),
        (release, TransientFailure, PENDING, "the peer released the association before its response"),
        (answer_another_message, JobFailed, FAILED, "a response belongs to no request"),
        (answer_with_another_command, JobFailed, FAILED, "a response belongs to no request"),
        (answer_in_a_context_that_was_not_offered, JobFailed, FAILED, "pacs does not speak DICOM as it should"),
        (answer_in_another_context, JobFailed, FAILED, "a response came in another presentation context"),
        (answer_without_a_status, JobFailed, FAILED, "a response belongs to no request"),
    ],
)
def test_a_fault_ends_the_task_and_what_was_acknowledged_stays(
    transcoder: Transcoder,
    generated_set: GeneratedSet,
    misbehave: Handler,
    expected: type[Exception],
    second: ItemState,
    sentence: str,
) -> None:
    ledger = FakeLedger()
    handler = AtSecond(misbehave)
    with Node(handler) as node:
        with pytest.raises(expected, match=sentence) as raised:
            StorageScu(route_to(peer_at(node.address), transcoder), ledger).send(outgoing(generated_set.ct))
        assert type(raised.value) is expected
    assert ledger.states() == [(1, SENT, 0), (2, second, None)]
    assert handler.answers.order == ["2.25.7100.1.1"]


def big_file(generated_set: GeneratedSet, folder: Path, size_bytes: int) -> Path:
    """A CT file whose data set is long; only its beginning is ever looked at."""
    path = folder / "big.dcm"
    path.write_bytes(generated_set.ct[1].read_bytes())
    with path.open("r+b") as file:
        file.truncate(size_bytes)
    return path


def test_a_peer_that_hangs_in_the_middle_of_the_data_is_given_up_in_time(
    transcoder: Transcoder, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    released = threading.Event()

    def hang(association: Association, message: Message) -> None:
        released.wait(30)
        association.close()

    ledger = FakeLedger()
    with Node(hang) as node:
        scu = StorageScu(route_to(peer_at(node.address), transcoder), ledger)
        with pytest.raises(JobFailed, match="pacs took longer than 1 s for taking what we send"):
            scu.send(outgoing([big_file(generated_set, tmp_path, 64 << 20)]))
        released.set()
    assert ledger.states() == [(1, FAILED, None)]


# --- objects that cannot be read -----------------------------------------------------------------


def test_an_object_that_vanished_or_is_damaged_fails_alone(
    transcoder: Transcoder, archive: Archive, generated_set: GeneratedSet
) -> None:
    list(import_files(archive, generated_set.ct))
    archive.settle()
    stored = objects_of_studies(archive, [STUDY_UID])
    archive.path_of(stored[1]).unlink()
    damaged = archive.path_of(stored[2])
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x55")
    with archive.engine.begin() as connection:  # it arrived long ago, so nobody waits for its file
        connection.exec_driver_sql("UPDATE instance SET arrived_s = 0")
    answers, ledger = Answers(), FakeLedger()
    with Node(answers) as node:
        scu = StorageScu(route_to(peer_at(node.address), transcoder), ledger, archive)
        scu.send([Outgoing(number, item) for number, item in enumerate(stored, 1)])
    assert [(number, state) for number, state, _ in ledger.states()] == [
        (1, SENT), (2, FAILED), (3, FAILED), (4, SENT), (5, SENT)
    ]  # fmt: skip
    assert "is missing; run 'radfuse check'" in ledger.results[2][2]
    assert "is damaged; run 'radfuse check'" in ledger.results[3][2]
    assert len(answers.order) == 3
    assert node.finished == 1
    assert node.errors == []


def test_a_file_that_vanishes_while_others_are_sent_fails_alone(
    transcoder: Transcoder, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    copies = [tmp_path / path.name for path in generated_set.ct]
    for copy, path in zip(copies, generated_set.ct, strict=True):
        copy.write_bytes(path.read_bytes())
    items = outgoing(copies)
    copies[1].unlink()
    copies[2].write_bytes(copies[2].read_bytes()[:100])
    ledger = FakeLedger()
    with Node(Answers()) as node:
        StorageScu(route_to(peer_at(node.address), transcoder), ledger).send(items)
    assert [state for _, state, _ in ledger.states()] == [SENT, FAILED, FAILED, SENT, SENT]
    assert ledger.results[2][2] == "the file is no longer there"
    assert "the file ends before its data set" in ledger.results[3][2]


def test_a_file_that_shrinks_while_it_is_sent_fails_alone_over_a_new_association(
    transcoder: Transcoder, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    big = big_file(generated_set, tmp_path, 64 << 20)
    answers = Answers()

    def shrink(association: Association, message: Message) -> None:
        if message.command.affected_sop_instance_uid == SECOND:
            with big.open("r+b") as file:
                file.truncate(4 << 20)
        answers(association, message)

    ledger = FakeLedger()
    with Node(shrink) as node:
        node.policy = policy = Accepts()  # type: ignore[assignment]
        scu = StorageScu(route_to(peer_at(node.address), transcoder), ledger)
        scu.send(outgoing([generated_set.ct[0], big, generated_set.ct[2]]))
    assert [state for _, state, _ in ledger.states()] == [SENT, FAILED, SENT]
    assert "the file to send ends within its data set" in ledger.results[2][2]
    assert len(policy.requests) == 2


# --- stopping ------------------------------------------------------------------------------------


def test_stopping_between_objects_releases_the_association(transcoder: Transcoder, generated_set: GeneratedSet) -> None:
    answers = Answers()
    ledger = FakeLedger(lambda: len(answers.order) >= 2)
    with Node(answers) as node:
        StorageScu(route_to(peer_at(node.address), transcoder), ledger).send(outgoing(generated_set.ct))
    assert ledger.states() == [(1, SENT, 0), (2, SENT, 0)]
    assert node.errors == []


def test_stopping_while_the_peer_keeps_its_answer_aborts(transcoder: Transcoder, generated_set: GeneratedSet) -> None:
    holding = threading.Event()

    def hold(association: Association, message: Message) -> None:
        association.discard_data_set()
        holding.set()
        assert association.receive_command() is None

    ledger = FakeLedger(holding.is_set)
    patient = replace(QUICK, response_s=60.0, pdu_deadline_s=60.0)
    with Node(hold) as node:
        StorageScu(route_to(peer_at(node.address), transcoder, limits=patient), ledger).send(
            outgoing(generated_set.ct[:1])
        )
    assert ledger.results == {}
    assert isinstance(node.errors[0], AssociationAborted)


def test_stopping_within_a_large_object_aborts(
    transcoder: Transcoder, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    begun = threading.Event()

    def slow(association: Association, message: Message) -> None:
        begun.set()
        association.discard_data_set()
        raise AssertionError("the object came whole")

    ledger = FakeLedger(begun.is_set)
    with Node(slow) as node:
        StorageScu(route_to(peer_at(node.address), transcoder), ledger).send(
            outgoing([big_file(generated_set, tmp_path, 256 << 20)])
        )
    assert ledger.results == {}
    assert isinstance(node.errors[0], AssociationAborted)


def peers_timeouts(peer: Peer) -> float:
    return peer.limits(QUICK).response_s


@pytest.mark.parametrize("own_s", [0.5])
def test_the_peers_own_timeout_counts(
    transcoder: Transcoder, generated_set: GeneratedSet, own_s: float, new_port: Callable[[], int]
) -> None:
    with Node(hang_after_the_command) as node:
        peer = peer_at(node.address, response_s=own_s)
        assert peers_timeouts(peer) == own_s
        with pytest.raises(JobFailed, match=f"longer than {own_s:g} s"):
            StorageScu(route_to(peer, transcoder), FakeLedger()).send(outgoing(generated_set.ct))
