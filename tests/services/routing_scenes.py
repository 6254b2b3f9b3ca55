"""What the tests of routing share: a data folder with a queue, peers, rules and a router whose clock they set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from radfuse.archive import Archive, DuplicatePolicy
from radfuse.core.aetitle import AETitle
from radfuse.jobs import ItemState, Job, JobContext, Jobs, JobState, run_next
from radfuse.services.peers import Peer, Peers
from radfuse.services.routing import Router, RoutingSurroundings
from radfuse.services.rules import Rule, Rules
from tests.archive.objects import AnObject, settings, store, stored_objects

DAY_S = 86_400.0


class Desk:
    """Routing in one data folder. Nothing is sent: what jobs would send is noted in ``sent``."""

    def __init__(self, folder: Path, policy: DuplicatePolicy = DuplicatePolicy.KEEP, index_url: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.archive = Archive(settings(folder, policy, index_url=index_url))
        self.jobs = Jobs(folder)
        self.peers = Peers(folder)
        self.rules = Rules(folder)
        self.later_s = 0.0
        self.sent: list[tuple[str, str]] = []
        """Peer and SOP Instance UID of everything that was sent."""
        self.anonymized: list[tuple[str, str]] = []
        """The same of what was anonymized first."""
        self.answers: dict[str, ItemState] = {}
        """What becomes of an object by its UID, else it is sent."""
        self.router = self.new_router()

    def new_router(self) -> Router:
        """A router as after a restart."""
        around = RoutingSurroundings(self.open, self.jobs, self.peers, self.rules, lambda peer: "NODE")
        return Router(around, clock=lambda: time.time() + self.later_s)

    def open(self, database: str) -> Archive:
        """The one archive."""
        assert database == "default"
        return self.archive

    def peer(self, name: str, **settings: Any) -> Peer:
        """Configure a peer."""
        self.peers.add(Peer(name, AETitle(settings.pop("ae_title", name)), "127.0.0.1", 104, **settings))
        return self.peers.by_name(name)

    def rule(self, name: str = "rule", send: Sequence[str] = ("PACS",), **keys: Any) -> None:
        """Add a rule; keys other than ``condition`` and those of ``then`` are its own."""
        then: dict[str, Any] = {"send": list(send)} if send else {}
        for action in ("forget", "anonymize_then_send"):
            if action in keys:
                then[action] = keys.pop(action)
        if "condition" in keys:
            keys["if"] = keys.pop("condition")
        self.rules.add(Rule.of({"name": name, "then": then, "when": "instance", **keys}))

    def store(self, *objects: AnObject) -> None:
        """Let objects arrive."""
        for each in objects:
            store(self.archive, each)

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.later_s += seconds

    def step(self, router: Router | None = None) -> float:
        """Rounds of the router until it says to come back later; gives when."""
        for _ in range(1000):
            wait_s = (router or self.router).step()
            if wait_s > 0:
                return wait_s
        raise AssertionError("the router does not come to rest")

    def run_jobs(self) -> list[Job]:
        """One attempt at each job that is to be done."""
        waiting = self.jobs.list((JobState.QUEUED, JobState.WAITING), limit=10_000)
        kinds = {"send": self._send, "anonymize": self._anonymize}
        return [run_next(self.jobs, kinds, job.id) for job in reversed(waiting)]

    def _anonymize(self, context: JobContext) -> None:
        """Note what would be anonymized for whom."""
        for item in context.pending():
            state = self.answers.get(f"anonymized {item.name}", ItemState.SENT)
            if state is not ItemState.FAILED:
                self.anonymized.append((context.job.parameters["peer"], item.name))
            context.record(item.number, state)

    def _send(self, context: JobContext) -> None:
        for item in context.pending():
            state = self.answers.get(item.name, ItemState.SENT)
            if state is not ItemState.FAILED:
                self.sent.append((context.job.parameters["peer"], item.name))
            context.record(item.number, state)

    def settle(self) -> None:
        """Route, send and forget until nothing happens any more, at this moment."""
        for _ in range(3):
            self.step()
            self.run_jobs()
            self.pass_s(2.0)
        self.step()

    def kept(self) -> set[str]:
        """The SOP Instance UIDs of what is in the archive."""
        return set(stored_objects(self.archive))

    def close(self) -> None:
        """Close all."""
        for each in (self.archive, self.jobs, self.peers, self.rules):
            each.close()


def uids(*numbers: int) -> set[str]:
    """The SOP Instance UIDs of numbered objects."""
    return {f"2.25.7.{number}" for number in numbers}
