"""Forgetting what was routed: only when every job that sends it is done, and never what anyone still needs here."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Row, delete, select, update

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import RadfuseError, UnknownJob
from radfuse.db import read_transaction, translate_database_errors, write_transaction
from radfuse.jobs import Item, ItemState, Jobs, JobState
from radfuse.services.commitment import Commitments, references_to, submit_commit
from radfuse.services.forget import forget_objects
from radfuse.services.peers import Peers
from radfuse.services.routing.surroundings import RoutingSurroundings
from radfuse.services.routing.tables import forget_object_table, forget_table, job_table, study_table
from radfuse.services.rules import Forget, Rule, check_destinations
from radfuse.services.stored_objects import objects_named

_AT_ONCE: Final = 20
_JOBS_AT_ONCE: Final = 200
_SOONEST_S: Final = 1.0
_LATEST_S: Final = 600.0
_SHARE_OF_AGE: Final = 0.1
"""How often to look again: the longer something has waited, the less often."""
_GIVE_UP_S: Final = 90 * 86_400.0
"""What no peer has committed to by then stays."""
_PAGE: Final = 1000
_WHAT: Final = "the records of routing"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Intent:
    """Objects of one study that a rule wants to forget once what it sent of them has arrived."""

    id: int
    rule: str
    database: str
    study_instance_uid: str
    jobs: Sequence[tuple[int, str]]
    after_s: float
    acknowledged_s: float | None
    created_s: float
    objects: Mapping[str, tuple[bytes, bytes]]
    """Blob id and digest by SOP Instance UID."""

    @property
    def peers(self) -> Sequence[str]:
        """Whom the objects were sent to."""
        return [peer for _, peer in self.jobs]


class Forgetting:
    """Carries out what rules want forgotten."""

    def __init__(self, around: RoutingSurroundings) -> None:
        self._around = around
        self._jobs: Jobs = around.jobs
        self._peers: Peers = around.peers
        self._engine = around.jobs.engine
        self._commitments = Commitments(around.jobs)
        self._looked_at_job = 0

    def step(self, rules: Mapping[str, Rule], now_s: float) -> None:
        """Look at what is due, a bounded number of them."""
        for intent in self._due(now_s):
            try:
                self._advance(intent, rules.get(intent.rule), now_s)
            except Exception:
                _log.exception("a rule cannot forget; it tries again", extra={"rule": intent.rule})
                self._later(intent, now_s + _LATEST_S)

    def _advance(self, intent: _Intent, rule: Rule | None, now_s: float) -> None:
        if rule is None or rule.forget is None:
            self._give_up(intent, "its rule does not forget any more")
            return
        pause_s = min(max(_SOONEST_S, (now_s - intent.created_s) * _SHARE_OF_AGE), _LATEST_S)
        if not rule.enabled:
            self._later(intent, now_s + _LATEST_S)
        elif intent.acknowledged_s is None:
            if not self._acknowledge(intent, rule.forget, now_s):
                self._later(intent, now_s + pause_s)
        elif now_s < intent.acknowledged_s + intent.after_s:
            self._later(intent, intent.acknowledged_s + intent.after_s)
        elif self._is_needed(intent) or not self._is_committed(intent, rule.forget, now_s):
            self._later(intent, now_s + pause_s)
        else:
            check_destinations(rule, self._peers.by_name)  # a peer may have been changed since
            self._forget(intent)

    # --- is it safe? -------------------------------------------------------------------------

    def _acknowledge(self, intent: _Intent, forget: Forget, now_s: float) -> bool:
        """Whether that is settled: every job is done, or one is gone and nothing will ever prove it."""
        try:
            states = {self._jobs.get(job_id).state for job_id, _ in intent.jobs}
            if states != {JobState.DONE}:
                return False
            unsure = {item.name for job_id, _ in intent.jobs for item in self._not_simply_sent(job_id)}
        except UnknownJob:
            self._give_up(intent, "a job of it is gone, and with it the proof that the objects have arrived")
            return True
        sure = {uid: known for uid, known in intent.objects.items() if uid not in unsure}
        if not sure:
            self._give_up(intent, "every object was taken with a warning")
            return True
        if forget.committed:
            self._ask_to_commit(intent, sure)
        self._stay(intent, unsure & intent.objects.keys())
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            its_row = forget_table.c.id == intent.id
            connection.execute(
                update(forget_table).where(its_row).values(acknowledged_s=now_s, check_s=now_s + intent.after_s)
            )
            for uid in unsure:
                connection.execute(
                    delete(forget_object_table).where(
                        forget_object_table.c.forget_id == intent.id, forget_object_table.c.sop_instance_uid == uid
                    )
                )
        return True

    def _not_simply_sent(self, job_id: int) -> list[Item]:
        """What was taken with a warning may be less than what is here (B006H: elements were discarded)."""
        found: list[Item] = []
        states = [state for state in ItemState if state is not ItemState.SENT]
        while page := self._jobs.items(job_id, states, found[-1].number if found else 0, _PAGE):
            found += page
        return found

    def _ask_to_commit(self, intent: _Intent, objects: Mapping[str, tuple[bytes, bytes]]) -> None:
        archive = self._around.open_archive(intent.database)
        there = _those_very(archive, objects)
        for name in intent.peers if there else ():
            peer = self._peers.by_name(name)
            our_title = self._around.our_title(peer)
            submit_commit(self._jobs, peer, references_to(there), our_title, intent.database)

    def _is_committed(self, intent: _Intent, forget: Forget, now_s: float) -> bool:
        if not forget.committed:
            return True
        if intent.acknowledged_s is not None and now_s > intent.acknowledged_s + intent.after_s + _GIVE_UP_S:
            self._give_up(intent, "not every destination has committed to keep it")
            return False
        return all(
            self._commitments.is_committed(uid, peer, digest)
            for uid, (_, digest) in intent.objects.items()
            for peer in intent.peers
        )

    def _is_needed(self, intent: _Intent) -> bool:
        """Whether another rule has still to look at the study, or a job that a rule has queued is not done."""
        with read_transaction(self._engine) as connection:
            waiting = connection.execute(
                select(study_table.c.rule).where(
                    study_table.c.database == intent.database,
                    study_table.c.study_instance_uid == intent.study_instance_uid,
                )
            ).first()
            its_jobs = connection.scalars(
                select(job_table.c.job_id).where(
                    job_table.c.database == intent.database,
                    job_table.c.study_instance_uid == intent.study_instance_uid,
                )
            ).all()
        return waiting is not None or not all(self._is_over(job_id) for job_id in its_jobs)

    def _is_over(self, job_id: int) -> bool:
        """Whether the job is done, or is forgotten itself: nobody can start it again."""
        try:
            return self._jobs.get(job_id).state is JobState.DONE
        except UnknownJob:
            return True

    # --- doing it ----------------------------------------------------------------------------

    def _forget(self, intent: _Intent) -> None:
        archive = self._around.open_archive(intent.database)
        gone = forget_objects(
            archive,
            _those_very(archive, intent.objects),
            leaving_only=True,
            stays=lambda stored: bool(self._commitments.promised_to(stored.sop_instance_uid)),
        )
        self._end(intent)
        _log.info("a rule has forgotten what it sent", extra={"rule": intent.rule, "objects": gone.objects})

    def _give_up(self, intent: _Intent, why: str) -> None:
        _log.warning("objects that a rule wanted to forget stay: %s", why, extra={"rule": intent.rule})
        self._stay(intent, intent.objects)
        self._end(intent)

    def _stay(self, intent: _Intent, uids: Collection[str]) -> None:
        """Let others rely on these objects again, unless another rule wants to forget them."""
        if not uids:
            return
        its = forget_object_table.c
        its_own = select(its.sop_instance_uid).where(its.forget_id == intent.id)
        others = select(its.blob_id).where(its.forget_id != intent.id, its.sop_instance_uid.in_(its_own))
        with read_transaction(self._engine) as connection:
            still_leaving = {bytes(blob_id) for blob_id in connection.scalars(others)}
        objects = {uid: intent.objects[uid] for uid in uids if intent.objects[uid][0] not in still_leaving}
        try:
            archive = self._around.open_archive(intent.database)
            archive.unmark_leaving(_those_very(archive, objects))
        except RadfuseError as error:  # without that we promise less than we could, no more
            _log.warning("objects that stay are not promised to anyone: %s", error, extra={"rule": intent.rule})

    def _end(self, intent: _Intent) -> None:
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            connection.execute(delete(forget_table).where(forget_table.c.id == intent.id))

    def _later(self, intent: _Intent, check_s: float) -> None:
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            connection.execute(update(forget_table).where(forget_table.c.id == intent.id).values(check_s=check_s))

    def _due(self, now_s: float) -> list[_Intent]:
        wanted = select(forget_table).where(forget_table.c.check_s <= now_s).order_by(forget_table.c.check_s)
        with read_transaction(self._engine) as connection:
            found = connection.execute(wanted.limit(_AT_ONCE)).all()
            its = forget_object_table.c
            return [
                _intent(row, connection.execute(select(forget_object_table).where(its.forget_id == row.id)).all())
                for row in found
            ]

    def drop_finished_jobs(self) -> None:
        """Take jobs that are over off the list of those a deletion waits for; some of them at each call."""
        wanted = select(job_table.c.job_id).where(job_table.c.job_id > self._looked_at_job)
        with read_transaction(self._engine) as connection:
            ids = connection.scalars(wanted.order_by(job_table.c.job_id).limit(_JOBS_AT_ONCE)).all()
        self._looked_at_job = ids[-1] if len(ids) == _JOBS_AT_ONCE else 0
        over = [job_id for job_id in ids if self._is_over(job_id)]
        if over:
            with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
                connection.execute(delete(job_table).where(job_table.c.job_id.in_(over)))


def _intent(row: Row[tuple[object, ...]], objects: Sequence[Row[tuple[object, ...]]]) -> _Intent:
    return _Intent(
        row.id,
        row.rule,
        row.database,
        row.study_instance_uid,
        [(job_id, peer) for job_id, peer in row.jobs],
        row.after_s,
        row.acknowledged_s,
        row.created_s,
        {each.sop_instance_uid: (bytes(each.blob_id), bytes(each.digest)) for each in objects},
    )


def _those_very(archive: Archive, objects: Mapping[str, tuple[bytes, bytes]]) -> list[StoredObject]:
    """Those of the objects that are still here as they were: not replaced, not sent here again."""
    found = objects_named(archive, list(objects))
    return [stored for uid, stored in found.items() if bytes(stored.blob_id) == objects[uid][0]]
