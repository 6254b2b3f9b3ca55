"""Storage commitment at the node's door, asked by pynetdicom."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE, build_role, evt

from radfuse.archive import Archive
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.db import write_transaction
from radfuse.jobs import Job, JobState, run_next
from radfuse.node import AcceptancePolicy, NodeSettings
from radfuse.services import import_media
from radfuse.services.associating import Caller
from radfuse.services.commitment import Commitments, CommitmentSurroundings, Reference
from radfuse.services.commitment.coding import decode_report
from radfuse.services.commitment.model import PUSH_MODEL, PUSH_MODEL_INSTANCE, Partner, TransactionState
from radfuse.services.commitment.reporting import REPORT_KIND, run_commit_report
from radfuse.services.peers import Peer
from radfuse.wire import Association, CommandSet, Operation, ProposedContext
from tests.interop.client import encoded
from tests.node.in_process import LIMITS, InProcess, node_in_process
from tests.support.generate import CT_IMAGE, MR_IMAGE, GeneratedSet

pytestmark = pytest.mark.peers

WAIT_S = 60.0
CT_UIDS = [f"2.25.7100.1.{number}" for number in range(1, 6)]
CONTEXT = ProposedContext(PUSH_MODEL, (EXPLICIT_LITTLE, IMPLICIT_LITTLE))


@pytest.fixture
def node(tmp_path: Path, generated_set: GeneratedSet) -> Iterator[InProcess]:
    """A node that keeps the generated CT series."""
    policy = AcceptancePolicy(frozenset({"NODE"}), storage_commitment=True)
    settings = NodeSettings(policy, LIMITS, open_to_all=True, shutdown_s=1.0)
    with node_in_process(tmp_path, settings) as running:
        assert len(list(import_media.import_files(archive_of(running), generated_set.ct))) == 5
        yield running


def archive_of(node: InProcess) -> Archive:
    return node.databases.of("NODE")


def request_of(*references: tuple[str, str], uid: str = "1.2.9") -> Dataset:
    ds = Dataset()
    ds.TransactionUID = uid
    items = []
    for sop_class, sop_instance in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_instance
        items.append(item)
    ds.ReferencedSOPSequence = Sequence(items)
    return ds


@dataclass
class Reports:
    """The N-EVENT-REPORTs that a peer got; ``answers`` are its statuses, the last one for all that follow."""

    answers: list[int] = field(default_factory=lambda: [0])
    told: queue.Queue[tuple[int, Dataset]] = field(default_factory=queue.Queue)

    def __call__(self, event: evt.Event) -> tuple[int, None]:
        request: Any = event.request
        self.told.put((request.EventTypeID, event.event_information))
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]), None

    def next(self) -> tuple[int, list[str], dict[str, int]]:
        """The next report: its type, the committed objects, the failed ones with their reasons."""
        kind, ds = self.told.get(timeout=WAIT_S)
        committed = [item.ReferencedSOPInstanceUID for item in ds.get("ReferencedSOPSequence", ())]
        failed = {item.ReferencedSOPInstanceUID: item.FailureReason for item in ds.get("FailedSOPSequence", ())}
        return kind, committed, failed


@contextlib.contextmanager
def asking(node: InProcess, reports: Reports, title: str = "PACS") -> Iterator[Any]:
    """An association of pynetdicom as SCU."""
    ae = AE(title)
    ae.add_requested_context(PUSH_MODEL)
    handlers: Any = [(evt.EVT_N_EVENT_REPORT, reports)]
    association = ae.associate(*node.address, ae_title="NODE", evt_handlers=handlers)
    assert association.is_established
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


@contextlib.contextmanager
def listening(node: InProcess, reports: Reports, roles: bool = True) -> Iterator[Peer]:
    """The peer PACS of the node: pynetdicom that takes reports on associations that the node opens."""
    ae = AE("PACS")
    how: Any = {"scu_role": False, "scp_role": True} if roles else {}
    ae.add_supported_context(PUSH_MODEL, **how)
    server: Any = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, reports)])
    peer = Peer.parse(f"PACS@127.0.0.1:{server.server_address[1]}", "pacs")
    node.peers.add(peer)
    try:
        yield node.peers.by_name("pacs")
    finally:
        server.shutdown()


def records(node: InProcess) -> Commitments:
    return node.desk.commitments


def run_report(node: InProcess, job_id: int = 1) -> Job:
    """Run the job that reports, here and now."""
    records(node)
    jobs = node.desk.jobs
    surroundings = CommitmentSurroundings(
        records(node), node.peers, lambda _name: archive_of(node), lambda _peer, title: Caller(title, LIMITS)
    )
    return run_next(jobs, {REPORT_KIND: lambda job: run_commit_report(job, surroundings)}, job_id)


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def state_of(node: InProcess, uid: str = "1.2.9") -> TransactionState:
    return records(node).named(uid)[-1].state


def told(node: InProcess, reports: Reports) -> tuple[int, list[str], dict[str, int]]:
    """The next report on the association that asked, once the node has the peer's answer to it.

    pynetdicom may not release an association, nor send on it, while it answers.
    """
    found = reports.next()
    wait_for(lambda: TransactionState.TAKEN not in {one.state for one in records(node).newest()})
    return found


def ask_and_leave(node: InProcess, ds: Dataset) -> None:
    """A peer that does not wait for the report where it asked."""
    with node.associate([CONTEXT], calling="PACS") as association:
        assert asked_raw(association, ds) == 0


def ask(association: Any, ds: Dataset) -> int:
    status, _ = association.send_n_action(ds, 1, PUSH_MODEL, PUSH_MODEL_INSTANCE)
    return int(status.Status)


def test_the_result_comes_on_the_association_that_asked(node: InProcess) -> None:
    reports = Reports()
    with asking(node, reports) as association:
        assert ask(association, request_of(*((CT_IMAGE, uid) for uid in CT_UIDS))) == 0
        assert told(node, reports) == (1, CT_UIDS, {})
    assert state_of(node) is TransactionState.REPORTED
    assert records(node).promised_to(CT_UIDS[0]) == [Partner("", "PACS", "NODE")]


def test_each_failure_has_its_reason(node: InProcess) -> None:
    reports = Reports()
    asked = [(CT_IMAGE, CT_UIDS[0]), (MR_IMAGE, CT_UIDS[1]), (CT_IMAGE, "1.2.3"), ("1.2.840.10008.1.1", "1.2.4")]
    with asking(node, reports) as association:
        assert ask(association, request_of(*asked)) == 0
        assert told(node, reports) == (2, [CT_UIDS[0]], {CT_UIDS[1]: 0x0119, "1.2.3": 0x0112, "1.2.4": 0x0122})
    assert not records(node).promised_to(CT_UIDS[1])


def test_a_damaged_or_lost_file_is_never_committed(node: InProcess) -> None:
    archive = archive_of(node)
    archive.settle()
    damaged, lost = (archive.path_of(stored) for stored in stored_objects(archive)[:2])
    content = bytearray(damaged.read_bytes())
    content[-7] ^= 0x10
    damaged.chmod(0o640)
    damaged.write_bytes(content)
    lost.unlink()
    with write_transaction(archive.engine) as connection:  # a file may be missing only for moments after arrival
        connection.exec_driver_sql("UPDATE instance SET arrived_s = arrived_s - 60")
    reports = Reports()
    with asking(node, reports) as association:
        assert ask(association, request_of(*((CT_IMAGE, uid) for uid in CT_UIDS))) == 0
        assert told(node, reports) == (2, CT_UIDS[2:], {CT_UIDS[0]: 0x0110, CT_UIDS[1]: 0x0112})


def stored_objects(archive: Archive) -> list[Any]:
    from radfuse.services.stored_objects import objects_named

    found = objects_named(archive, CT_UIDS)
    return [found[uid] for uid in CT_UIDS]


def test_a_peer_that_leaves_is_called(node: InProcess) -> None:
    elsewhere = Reports()
    with listening(node, elsewhere):
        ask_and_leave(node, request_of((CT_IMAGE, CT_UIDS[0])))
        job = run_report(node)
        assert job.state is JobState.DONE, job.message
        assert elsewhere.next() == (1, [CT_UIDS[0]], {})
    assert state_of(node) is TransactionState.REPORTED


def test_a_peer_without_role_selection_is_called_all_the_same(node: InProcess) -> None:
    elsewhere = Reports()
    with listening(node, elsewhere, roles=False):
        ask_and_leave(node, request_of((CT_IMAGE, CT_UIDS[0])))
        assert run_report(node).state is JobState.DONE
        assert elsewhere.next() == (1, [CT_UIDS[0]], {})


def test_what_was_told_already_is_not_told_by_the_job(node: InProcess) -> None:
    reports, elsewhere = Reports(), Reports()
    with listening(node, elsewhere):
        with asking(node, reports) as association:
            assert ask(association, request_of((CT_IMAGE, CT_UIDS[0]))) == 0
            assert told(node, reports)[0] == 1
        assert run_report(node).state is JobState.DONE
    assert elsewhere.told.empty()


def test_the_job_waits_while_the_association_may_still_tell(node: InProcess) -> None:
    """The peer answers the report after a while: the job, started meanwhile, must not tell a second time."""
    elsewhere, reports = Reports(), Reports()

    def slowly(event: evt.Event) -> tuple[int, None]:
        time.sleep(1.0)
        return reports(event)

    with listening(node, elsewhere), asking(node, slowly) as association:  # type: ignore[arg-type]
        assert ask(association, request_of((CT_IMAGE, CT_UIDS[0]))) == 0
        assert run_report(node).state is JobState.DONE
        assert reports.next()[0] == 1
    assert elsewhere.told.empty()


def test_a_report_that_is_refused_is_told_again_on_an_association_of_our_own(node: InProcess) -> None:
    reports, elsewhere = Reports([0x0110]), Reports()
    with listening(node, elsewhere):
        with asking(node, reports) as association:
            assert ask(association, request_of((CT_IMAGE, CT_UIDS[0]))) == 0
            assert reports.next()[0] == 1
            assert run_report(node).state is JobState.DONE
        assert elsewhere.next()[0] == 1


@pytest.mark.parametrize(("answer", "state"), [(0x0110, JobState.WAITING), (0x0112, JobState.FAILED)])
def test_the_job_of_a_report_that_is_refused_waits_or_fails(node: InProcess, answer: int, state: JobState) -> None:
    with listening(node, Reports([answer])):
        ask_and_leave(node, request_of((CT_IMAGE, CT_UIDS[0])))
        job = run_report(node)
    assert (job.state, f"{answer:04X}" in job.message) == (state, True)
    assert state_of(node) is TransactionState.TAKEN


def test_a_peer_that_is_down_is_called_again_later(node: InProcess) -> None:
    with listening(node, Reports()):
        ask_and_leave(node, request_of((CT_IMAGE, CT_UIDS[0])))
    job = run_report(node)
    assert job.state is JobState.WAITING
    assert job.message.startswith("pacs cannot be reached")
    elsewhere = Reports()
    with listening(node, elsewhere):
        assert run_report(node).state is JobState.DONE
        assert elsewhere.next()[0] == 1


def test_the_job_survives_a_node_that_dies_before_it_reports(
    node: InProcess, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    """The transaction and its job are there before the answer: what the association held is in nobody's memory."""
    elsewhere = Reports()
    with listening(node, elsewhere):
        association = node.associate([CONTEXT], calling="PACS")
        assert asked_raw(association, request_of((CT_IMAGE, CT_UIDS[0]))) == 0
        transaction = records(node).named("1.2.9")[0]
        assert transaction.held_until_s > time.time()
        records(node).hold(transaction.id, 0.0)  # as if its time had run out, for nobody lets it go any more
        assert run_report(node).state is JobState.DONE
        assert elsewhere.next()[0] == 1
        association.abort()


def send_request(association: Association, ds: Dataset | None, **how: Any) -> None:
    """N-ACTION by our own wire, which may say what pynetdicom would not."""
    command = CommandSet(
        Operation.N_ACTION_RQ,
        association.next_message_id(),
        requested_sop_class_uid=how.get("sop_class", PUSH_MODEL),
        requested_sop_instance_uid=how.get("sop_instance", PUSH_MODEL_INSTANCE),
        action_type_id=how.get("action", 1),
    )
    association.send(next(iter(association.contexts)), command, encoded(ds) if ds is not None else how.get("data"))


def asked_raw(association: Association, ds: Dataset | None, **how: Any) -> int:
    """The status of that."""
    send_request(association, ds, **how)
    message = association.receive_command(WAIT_S)
    assert message is not None
    assert message.command.command_field == Operation.N_ACTION_RSP
    return message.command.status or 0


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"action": 2}, 0x0123),
        ({"action": None}, 0x0123),
        ({"sop_instance": "1.2.3"}, 0x0112),
        ({"sop_class": CT_IMAGE}, 0x0118),
    ],
)
def test_what_is_no_request_of_the_push_model_is_refused(node: InProcess, how: dict[str, Any], status: int) -> None:
    with node.associate([CONTEXT]) as association:
        assert asked_raw(association, request_of((CT_IMAGE, "1.2.3")), **how) == status
        assert asked_raw(association, request_of((CT_IMAGE, "1.2.3"))) == 0
    assert len(records(node).newest()) == 1


@pytest.mark.parametrize("data", [None, b"", b"\x08\x00", b"\x08\x00\x95\x11UI\x06\x001.2.9\x00"])
def test_a_request_without_its_attributes_is_refused(node: InProcess, data: bytes | None) -> None:
    with node.associate([CONTEXT]) as association:
        assert asked_raw(association, None, data=data) == 0x0115
        assert asked_raw(association, request_of((CT_IMAGE, "1.2.3"), uid="1.2.10")) == 0
    assert [found.uid for found in records(node).newest()] == ["1.2.10"]


def test_ten_thousand_references_are_answered(node: InProcess) -> None:
    uids = [f"1.2.840.113619.2.55.3.604688119.969.1268071029.{number}" for number in range(10_000)]
    reports = Reports()
    with asking(node, reports) as association:
        assert ask(association, request_of((CT_IMAGE, CT_UIDS[0]), *((CT_IMAGE, uid) for uid in uids))) == 0
        kind, committed, failed = told(node, reports)
    assert (kind, committed) == (2, CT_UIDS[:1])
    assert failed == dict.fromkeys(uids, 0x0112)


def test_a_transaction_uid_that_is_used_again_fails_every_object(node: InProcess) -> None:
    reports = Reports()
    with asking(node, reports) as association:
        assert ask(association, request_of((CT_IMAGE, CT_UIDS[0]))) == 0
        assert told(node, reports) == (1, [CT_UIDS[0]], {})
        assert ask(association, request_of((CT_IMAGE, CT_UIDS[1]))) == 0
        assert told(node, reports) == (2, [], {CT_UIDS[1]: 0x0131})
    assert not records(node).promised_to(CT_UIDS[1])


def test_requests_may_follow_each_other_on_an_association(node: InProcess) -> None:
    """The second comes before the first was reported: the first is left to its job."""
    elsewhere = Reports()
    with listening(node, elsewhere):
        with node.associate([CONTEXT], calling="PACS") as association:
            for number in (0, 1):
                send_request(association, request_of((CT_IMAGE, CT_UIDS[number]), uid=f"1.2.9.{number}"))
            fields = [message.command for message in (association.receive_command(WAIT_S) for _ in range(3)) if message]
            assert [(one.command_field, one.status) for one in fields[:2]] == [(Operation.N_ACTION_RSP, 0)] * 2
            report = association.receive_identifier()
            association.send(next(iter(association.contexts)), fields[2].response(0))
            assert [one.reference.sop_instance_uid for one in decode_report(report, EXPLICIT_LITTLE).outcomes] == [
                CT_UIDS[1]
            ]
        assert run_report(node, 1).state is JobState.DONE
        assert elsewhere.next() == (1, [CT_UIDS[0]], {})


def test_a_peer_without_the_right_is_refused(tmp_path: Path) -> None:
    policy = AcceptancePolicy(frozenset({"NODE"}), storage_commitment=True)
    with node_in_process(tmp_path, NodeSettings(policy, LIMITS, open_to_all=False, shutdown_s=1.0)) as node:
        node.peers.add(Peer("pacs", "PACS", "127.0.0.1", 104, may_commit=False))  # type: ignore[arg-type]
        for calling in ("PACS", "NOBODY"):
            with node.associate([CONTEXT], calling=calling) as association:
                assert asked_raw(association, request_of((CT_IMAGE, "1.2.3"))) == 0x0124
        assert not records(node).newest()


def test_of_several_peers_with_one_title_the_one_at_the_address_is_called(node: InProcess) -> None:
    elsewhere = Reports()
    with listening(node, elsewhere):
        node.peers.add(Peer("another", "PACS", "192.0.2.1", 104))  # type: ignore[arg-type]
        ask_and_leave(node, request_of((CT_IMAGE, CT_UIDS[0])))
        assert records(node).named("1.2.9")[0].partner.peer == "pacs"


def test_a_request_that_cannot_be_noted_is_refused(node: InProcess) -> None:
    """A queue that takes nothing more: the peer is not told that its request is in hand."""
    with write_transaction(records(node)._engine) as connection:
        connection.exec_driver_sql("DROP TABLE commitment_instance")
    with node.associate([CONTEXT]) as association:
        assert asked_raw(association, request_of((CT_IMAGE, "1.2.3"))) == 0x0110


def test_a_node_without_the_service_accepts_no_context_for_it(tmp_path: Path) -> None:
    with node_in_process(tmp_path) as node, node.associate([CONTEXT]) as association:
        assert not association.contexts


# --- what peers report to us ---------------------------------------------------------------------


@contextlib.contextmanager
def reporting(node: InProcess, title: str = "PACS", roles: bool = True) -> Iterator[Any]:
    """An association of pynetdicom as SCP of the push model, which it opened."""
    ae = AE(title)
    ae.add_requested_context(PUSH_MODEL)
    ext_neg: Any = [build_role(PUSH_MODEL, scp_role=True)] if roles else []
    association = ae.associate(*node.address, ae_title="NODE", ext_neg=ext_neg)
    assert association.is_established
    try:
        yield association
    finally:
        association.release()


def report_of(uid: str, *committed: str) -> Dataset:
    ds = request_of(*((CT_IMAGE, one) for one in committed), uid=uid)
    ds.RetrieveAETitle = "PACS"
    return ds


def tell(association: Any, ds: Dataset, event: int = 1, instance: str = PUSH_MODEL_INSTANCE) -> int:
    status, _ = association.send_n_event_report(ds, event, PUSH_MODEL, instance)
    return int(status.Status)


def our_request(node: InProcess, *uids: str) -> str:
    partner = Partner("pacs", "PACS", "NODE")
    return records(node).begin(partner, [Reference(CT_IMAGE, uid, b"d") for uid in uids], "default").uid


@pytest.mark.parametrize("roles", [True, False])
def test_a_report_on_an_association_that_the_peer_opened_is_noted(node: InProcess, roles: bool) -> None:
    uid = our_request(node, "1.2.1", "1.2.2")
    with reporting(node) as association:
        if roles:
            assert association.accepted_contexts[0].as_scp
        assert tell(association, report_of(uid, "1.2.1", "1.2.2")) == 0
    (held,) = records(node).committed_by("1.2.2")
    assert (held.peer, held.ae_title, held.retrieve_ae_title) == ("pacs", "PACS", "PACS")


def test_a_foreign_report_is_refused_and_never_noted(node: InProcess) -> None:
    uid = our_request(node, "1.2.1")
    with reporting(node, "OTHER") as association:
        assert tell(association, report_of(uid, "1.2.1")) == 0x0110
    with reporting(node) as association:
        assert tell(association, report_of("1.2.3.4", "1.2.1")) == 0x0110
    assert not records(node).is_committed("1.2.1")
    assert [found.uid for found in records(node).newest()] == [uid]


def test_what_is_no_report_of_the_push_model_is_refused(node: InProcess) -> None:
    uid = our_request(node, "1.2.1")
    broken = report_of(uid, "1.2.1")
    del broken.TransactionUID
    with reporting(node) as association:
        assert tell(association, report_of(uid, "1.2.1"), event=3) == 0x0113
        assert tell(association, report_of(uid, "1.2.1"), instance="1.2.3") == 0x0112
        assert tell(association, broken) == 0x0115
    assert not records(node).is_committed("1.2.1")


def test_a_report_from_the_wrong_address_is_refused(tmp_path: Path) -> None:
    policy = AcceptancePolicy(frozenset({"NODE"}), storage_commitment=True)
    with node_in_process(tmp_path, NodeSettings(policy, LIMITS, open_to_all=False, shutdown_s=1.0)) as node:
        node.peers.add(Peer("pacs", "PACS", "192.0.2.1", 104))  # type: ignore[arg-type]
        uid = our_request(node, "1.2.1")
        with reporting(node) as association:
            assert tell(association, report_of(uid, "1.2.1")) == 0x0124
        assert not records(node).is_committed("1.2.1")
        node.peers.add(Peer("pacs", "PACS", "127.0.0.1", 104, may_commit=False))  # type: ignore[arg-type]
        with reporting(node) as association:
            assert tell(association, report_of(uid, "1.2.1")) == 0
