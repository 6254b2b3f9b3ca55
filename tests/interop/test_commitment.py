"""Storage commitment between Orthanc and the running service, both ways, and with pynetdicom's SCU."""

from __future__ import annotations

import contextlib
import json
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.jobs import Job, Jobs, JobState, run_next
from radfuse.services.associating import Caller
from radfuse.services.commitment import Commitments, CommitmentSurroundings, Reference, Request
from radfuse.services.commitment.coding import encode_request
from radfuse.services.commitment.model import PUSH_MODEL, PUSH_MODEL_INSTANCE, Partner
from radfuse.services.commitment.reporting import REPORT_KIND, run_commit_report
from radfuse.services.commitment.talking import CONTEXT
from radfuse.services.peers import Peer, Peers
from radfuse.wire import scu
from tests.interop.client import LIMITS, as_sent, associate, configured_peer, store_all
from tests.support.generate import CT_IMAGE, STUDY_UID, GeneratedSet
from tests.support.orthanc import Orthanc, running_orthanc
from tests.support.servers import RunningNode, radfuse, running_node

pytestmark = pytest.mark.peers

SETTINGS = 'ae_title = "RADFUSE"'
OPTIONS = ("--workers", "2")
WAIT_S = 60.0
CT_UIDS = [f"2.25.7100.1.{number}" for number in range(1, 6)]


@pytest.fixture(scope="module")
def peer(node: RunningNode, orthanc: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """Orthanc, which knows the node as "radfuse", and which the node knows as "orthanc"."""
    rights = {"AllowStorageCommitment": True, "AllowNEventReport": True, "AllowNAction": True}
    with (
        running_orthanc(orthanc, tmp_path_factory.mktemp("orthanc"), node, **rights) as running,
        configured_peer(node, Peer.parse(f"ORTHANC@127.0.0.1:{running.dicom_port}", "orthanc")),
    ):
        yield running


@pytest.fixture(scope="module", autouse=True)
def _stored(node: RunningNode, generated_set: GeneratedSet) -> None:
    assert set(store_all(node, [as_sent(path) for path in generated_set.ct])) == {0}


@contextlib.contextmanager
def records_of(node: RunningNode) -> Iterator[Commitments]:
    with contextlib.closing(Jobs(node.data)) as jobs:
        yield Commitments(jobs)


def wait_for(is_true: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := is_true()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def ask_as_orthanc(peer: Orthanc, *references: tuple[str, str]) -> dict[str, Any]:
    """Orthanc asks the node; its report of what came of it."""
    body = {"DicomInstances": [list(one) for one in references], "Timeout": 10}
    asked = peer.ask("modalities/radfuse/storage-commitment", body)

    def finished() -> dict[str, Any] | None:
        found: dict[str, Any] = peer.ask(f"storage-commitment/{asked['ID']}")
        return None if found["Status"] == "Pending" else found

    found: dict[str, Any] = wait_for(finished)
    return found


def test_orthanc_is_told_on_an_association_of_ours_that_its_objects_are_safe(node: RunningNode, peer: Orthanc) -> None:
    told = ask_as_orthanc(peer, *((CT_IMAGE, uid) for uid in CT_UIDS))
    assert told["Status"] == "Success"
    assert {one["SOPInstanceUID"] for one in told["Success"]} == set(CT_UIDS)
    assert told["Failures"] == []
    with records_of(node) as records:
        assert list(records.promised_to(CT_UIDS[0])) == [Partner("orthanc", "ORTHANC", node.ae_title)]
    with contextlib.closing(Jobs(node.data)) as jobs:
        wait_for(lambda: jobs.list(kind="commit-report")[0].state is JobState.DONE)


def test_orthanc_is_told_what_is_not_here(peer: Orthanc) -> None:
    told = ask_as_orthanc(peer, (CT_IMAGE, CT_UIDS[0]), (CT_IMAGE, "1.2.3.4"))
    assert told["Status"] == "Failure"
    assert [one["SOPInstanceUID"] for one in told["Success"]] == [CT_UIDS[0]]
    assert [(one["SOPInstanceUID"], one["FailureReason"]) for one in told["Failures"]] == [("1.2.3.4", 0x0112)]


def test_orthanc_commits_to_what_we_ask_for(node: RunningNode, peer: Orthanc, generated_set: GeneratedSet) -> None:
    """Orthanc reports on an association of its own, to our node."""
    for path in generated_set.ct[:4]:
        peer.ask("instances", path.read_bytes())
    data = ("--data", str(node.data))
    answer = radfuse("commit", "--study", STUDY_UID, "--at", "orthanc", "--json", *data)
    job = json.loads(answer.stdout)
    assert (answer.returncode, job["State"], job["Sent"], job["Failed"]) == (1, "failed", 4, 1), answer.stderr
    with records_of(node) as records:
        assert all(records.is_committed(uid, "orthanc") for uid in CT_UIDS[:4])
        assert not records.is_committed(CT_UIDS[4])
    shown = json.loads(radfuse("commit", "show", CT_UIDS[0], "--json", *data).stdout)
    assert [held["Peer"] for held in shown["CommittedBy"]] == ["orthanc"]

    peer.ask("instances", generated_set.ct[4].read_bytes())
    again = radfuse("commit", "--study", STUDY_UID, "--at", "orthanc", *data)
    assert (again.returncode, again.stdout) == (0, "5 committed by orthanc, 0 not committed\n"), again.stderr


class _Shutting:
    """Closes a server of pynetdicom."""

    def __init__(self, server: Any) -> None:
        self.close: Callable[[], None] = server.shutdown


def test_a_request_outlives_the_process_that_took_it(tmp_path: Path, generated_set: GeneratedSet) -> None:
    """The node is killed right after it said 0000: the peer is told all the same."""
    told: queue.Queue[Dataset] = queue.Queue()

    def take(event: evt.Event) -> tuple[int, None]:
        told.put(event.event_information)
        return 0, None

    ae = AE("PACS")
    ae.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)
    server: Any = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, take)])
    pacs = Peer.parse(f"PACS@127.0.0.1:{server.server_address[1]}", "pacs")
    data = tmp_path / "data"
    with (
        contextlib.closing(_Shutting(server)),
        pytest.raises(AssertionError, match=r"ended with -9\Z"),
        running_node(data, command=("node",)) as node,
    ):
        assert set(store_all(node, [as_sent(path) for path in generated_set.ct])) == {0}
        with configured_peer(node, pacs):
            with associate(node, [CONTEXT], calling="PACS") as association:
                request = encode_request(Request("1.2.9", (Reference(CT_IMAGE, CT_UIDS[0]),)), EXPLICIT_LITTLE)
                context_id = next(iter(association.contexts))
                assert scu.action(association, context_id, PUSH_MODEL_INSTANCE, 1, request).status == 0
                node.process.kill()
                node.process.wait()
                association.abort()
            assert run_the_report(data).state is JobState.DONE
    assert told.get(timeout=1).ReferencedSOPSequence[0].ReferencedSOPInstanceUID == CT_UIDS[0]


def run_the_report(data: Path) -> Job:
    """The job that the killed node left, run here."""
    with (
        contextlib.closing(Jobs(data)) as jobs,
        contextlib.closing(Peers(data)) as peers,
        Archive(ArchiveSettings(data)) as archive,
    ):
        records = Commitments(jobs)
        records.hold(records.named("1.2.9")[0].id, 0.0)  # 30 s later it would let go by itself
        surroundings = CommitmentSurroundings(
            records, peers, lambda _name: archive, lambda _peer, title: Caller(title, LIMITS)
        )
        kinds = {REPORT_KIND: lambda context: run_commit_report(context, surroundings)}
        return run_next(jobs, kinds, jobs.list(kind=REPORT_KIND)[0].id)
