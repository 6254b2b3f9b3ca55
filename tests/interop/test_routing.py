"""Nodes that forward to each other over real associations: nothing goes round for ever, nothing is lost."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radfuse.core.aetitle import AETitle
from radfuse.dicom import Transcoder
from radfuse.jobs import Job, JobContext, JobState, run_next
from radfuse.services.associating import Caller
from radfuse.services.context_lists import ContextLists
from radfuse.services.peers import Peer
from radfuse.services.send_job import SendSurroundings, run_send
from radfuse.wire import ProposedContext, scu
from tests.archive.objects import CT_IMAGE, EXPLICIT, AnObject, numbered
from tests.interop.client import associate, wait_until
from tests.node.in_process import LIMITS, InProcess, node_in_process
from tests.services.routing_scenes import Desk
from tests.support.servers import RunningNode, radfuse, running_node

QUIET_ROUNDS = 3
MOST_ROUNDS = 40


class RoutingNode(Desk):
    """A node with its queue and router; its jobs really send."""

    def __init__(self, title: str, folder: Path, server: InProcess, transcoder: Transcoder) -> None:
        super().__init__(folder)
        self.title = title
        self.server = server
        self.lists = ContextLists(folder)
        self._surroundings = SendSurroundings(
            self.open, self.peers, self.lists, lambda peer, name: Caller(name or title, LIMITS), transcoder
        )

    def knows(self, other: RoutingNode, **settings: Any) -> None:
        """Configure another node as a peer of this one."""
        self.peers.add(Peer(other.title, AETitle(other.title), *other.server.address, **settings))

    def _send(self, context: JobContext) -> None:
        run_send(context, self._surroundings)

    def round(self) -> bool:
        """Route and send; whether anything was sent."""
        self.step()
        return bool(self.run_jobs())

    def close(self) -> None:
        """Close all."""
        self.lists.close()
        super().close()


@contextlib.contextmanager
def nodes(folder: Path, *titles: str, kind: type[RoutingNode] = RoutingNode) -> Iterator[list[RoutingNode]]:
    with contextlib.ExitStack() as stack:
        transcoder = stack.enter_context(Transcoder())
        made = []
        for title in titles:
            server = stack.enter_context(node_in_process(folder / title, titles={title: "default"}))
            node = kind(title, folder / title, server, transcoder)
            stack.callback(node.close)
            made.append(node)
        yield made


def bring(node: RoutingNode, *objects: AnObject, calling: str = "MODALITY") -> None:
    """Store objects as a modality does."""
    contexts = [ProposedContext(CT_IMAGE, (EXPLICIT,))]
    with node.server.associate(contexts, calling=calling, called=node.title) as association:
        context_id = scu.context_for(association, CT_IMAGE, EXPLICIT)
        for each in objects:
            assert scu.store(association, context_id, each.sop_class, each.uid, each.data_set()).status == 0


def let_run(*running: RoutingNode) -> None:
    """Until nothing has happened for a while on any node."""
    quiet = 0
    for _ in range(MOST_ROUNDS):
        happened = [node.round() for node in running]
        for node in running:
            node.pass_s(2.0)
        quiet = 0 if any(happened) else quiet + 1
        if quiet == QUIET_ROUNDS:
            return
    raise AssertionError("the nodes do not come to rest")


def jobs_of(node: RoutingNode) -> list[Job]:
    found = node.jobs.list()
    assert {job.state for job in found} <= {JobState.DONE}, [job.message for job in found]
    return found


OBJECTS = [numbered(1), numbered(2), numbered(11), numbered(101)]
UIDS = {each.uid for each in OBJECTS}


@pytest.mark.parametrize("when", ["instance", "study stable"])
def test_two_nodes_that_forward_to_each_other_both_have_everything_and_come_to_rest(when: str, tmp_path: Path) -> None:
    with nodes(tmp_path, "A", "B") as (a, b):
        for one, other in ((a, b), (b, a)):
            one.knows(other)
            settings: dict[str, Any] = {"stable_s": 1} if when == "study stable" else {}
            one.rule(send=[other.title], when=when, **settings)
        bring(a, *OBJECTS[:2])
        bring(b, *OBJECTS[2:])
        let_run(a, b)
        assert a.kept() == b.kept() == UIDS
        assert sum(job.counts.sent for job in jobs_of(a)) == 2
        assert sum(job.counts.sent for job in jobs_of(b)) == 2


def test_three_nodes_in_a_ring_come_to_rest(tmp_path: Path) -> None:
    with nodes(tmp_path, "A", "B", "C") as ring:
        for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
            one.knows(other)
            one.rule(send=[other.title])
        bring(ring[0], *OBJECTS)
        let_run(*ring)
        for node in ring:
            assert node.kept() == UIDS
            assert sum(job.counts.sent for job in jobs_of(node)) == len(OBJECTS)


def test_three_nodes_in_a_ring_that_all_forget_keep_exactly_one_copy(tmp_path: Path) -> None:
    with nodes(tmp_path, "A", "B", "C") as ring:
        for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
            one.knows(other)
            one.rule(send=[other.title], forget=True)
        bring(ring[0], *OBJECTS)
        let_run(*ring)
        copies = [uid for node in ring for uid in node.kept()]
        assert sorted(copies) == sorted(UIDS)
        for node in ring:
            assert sum(job.counts.sent for job in jobs_of(node)) == len(OBJECTS)


def test_two_nodes_that_forget_and_do_not_recognize_each_other_keep_exactly_one_copy(tmp_path: Path) -> None:
    """Each calls the other by an AE title that is not the configured one's."""
    with nodes(tmp_path, "A", "B") as (a, b):
        for one, other in ((a, b), (b, a)):
            one.knows(other, calling_ae_title=f"{one.title}_SCU")
            one.rule(send=[other.title], forget=True)
        a._surroundings = _as(a, "A_SCU")
        b._surroundings = _as(b, "B_SCU")
        bring(a, *OBJECTS)
        let_run(a, b)
        assert sorted([*a.kept(), *b.kept()]) == sorted(UIDS)
        assert sum(job.counts.sent for job in jobs_of(a)) == len(OBJECTS)


def _as(node: RoutingNode, title: str) -> SendSurroundings:
    before = node._surroundings
    return SendSurroundings(
        node.open, node.peers, node.lists, lambda peer, name: Caller(title, LIMITS), before.transcoder
    )


def test_a_gateway_forwards_and_forgets_while_a_study_is_still_arriving(tmp_path: Path) -> None:
    with nodes(tmp_path, "GATE", "PACS") as (gate, pacs):
        gate.knows(pacs)
        gate.rule(send=["PACS"], forget=True)
        everything = [numbered(number) for number in range(30)]
        for first in range(0, 30, 5):
            bring(gate, *everything[first : first + 5])
            gate.round()
            gate.pass_s(2.0)
        let_run(gate)
        assert gate.kept() == set()
        assert pacs.kept() == {each.uid for each in everything}
        assert sum(job.counts.sent for job in jobs_of(gate)) == 30


def test_a_destination_that_is_down_gets_everything_once_it_is_back(tmp_path: Path) -> None:
    with nodes(tmp_path, "GATE") as (gate,):
        with nodes(tmp_path, "PACS") as (pacs,):
            gate.knows(pacs, retry_delay_s=0.1)
        gate.rule(send=["PACS"], forget=True)
        bring(gate, *OBJECTS)
        gate.step()
        waiting = gate.run_jobs()
        assert {job.state for job in waiting} == {JobState.WAITING}
        gate.pass_s(1000)
        gate.step()
        assert gate.kept() == UIDS
        with nodes(tmp_path, "PACS") as (pacs,):
            gate.knows(pacs, retry_delay_s=0.1)
            for job in waiting:
                time.sleep(0.2)
                assert run_next(gate.jobs, {"send": gate._send}, job.id).state is JobState.DONE
            gate.pass_s(1000)
            let_run(gate)
            assert pacs.kept() == UIDS
        assert gate.kept() == set()


def test_two_services_forward_to_each_other_and_a_third_forgets(tmp_path: Path) -> None:
    """Three whole services, told by commands what to do: A and B mirror each other, GATE hands on and forgets."""
    with (
        running_node(tmp_path / "a", ae_title="A") as a,
        running_node(tmp_path / "b", ae_title="B") as b,
        running_node(tmp_path / "gate", ae_title="GATE") as gate,
    ):
        for one, other, then in ((a, b, ""), (b, a, ""), (gate, a, "forget = true")):
            assert radfuse("peers", "add", other.ae_title, other.peer, "--data", str(one.data)).returncode == 0
            rule = tmp_path / f"{one.ae_title}.toml"
            rule.write_text(f'name = "on"\nwhen = "instance"\n[then]\nsend = ["{other.ae_title}"]\n{then}\n')
            added = radfuse("rules", "add", str(rule), "--data", str(one.data))
            assert added.returncode == 0, added.stderr
        contexts = [ProposedContext(CT_IMAGE, (EXPLICIT,))]
        with associate(gate, contexts, calling="MODALITY") as association:
            context_id = scu.context_for(association, CT_IMAGE, EXPLICIT)
            for each in OBJECTS:
                assert scu.store(association, context_id, each.sop_class, each.uid, each.data_set()).status == 0
        wait_until(lambda: kept(a) == kept(b) == len(OBJECTS), "the objects did not arrive", 60)
        wait_until(lambda: kept(gate) == 0, "the objects were not forgotten", 60)
        wait_until(lambda: set(states(a)) == {"done"}, "the job did not end", 60)
        time.sleep(3)  # nothing goes round
        assert [len(states(node)) > 0 for node in (a, b, gate)] == [True, False, True]


def kept(node: RunningNode) -> int:
    """How many objects the service has."""
    return len(json.loads(radfuse("ls", "--level", "image", "--json", "--data", str(node.data)).stdout))


def states(node: RunningNode) -> list[str]:
    """The states of its jobs."""
    return [job["State"] for job in json.loads(radfuse("jobs", "list", "--json", "--data", str(node.data)).stdout)]
