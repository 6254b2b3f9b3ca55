"""The router: follows what arrives, and gives each study to the rules when its time has come.

The rows of the index are its inbox, so storing costs nothing for it: it remembers the number of the
last instance that it has seen. Numbers hold for one index; when the index was rebuilt it looks
through the new one for what arrived since shortly before, and the ledger keeps it from doing
anything twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from radfuse.archive import Archive, queries
from radfuse.archive.queries import Arrival
from radfuse.core.errors import RadfuseError
from radfuse.services.routing.forgetting import Forgetting
from radfuse.services.routing.outbox import Cursor, Outbox, WaitingStudy, waiting_for
from radfuse.services.routing.planning import plan
from radfuse.services.routing.surroundings import RoutingSurroundings
from radfuse.services.rules import Rule, check_destinations

_ARRIVALS_AT_ONCE: Final = 1000
_STUDIES_AT_ONCE: Final = 20
_POLL_S: Final = 1.0
_AFTER_FAILURE_S: Final = 60.0
_HOUSEKEEPING_S: Final = 60.0
_REBUILD_MARGIN_S: Final = 3600
_LATE_COMMIT_S: Final = 10.0
"""PostgreSQL gives numbers before transactions end: one may show up this long after the next."""
_LATE_ARRIVALS_AT_ONCE: Final = 100_000
_log = logging.getLogger(__name__)


class Router:
    """Routes what arrives. Meant for one thread; a second router on the same data does no harm."""

    def __init__(self, around: RoutingSurroundings, clock: Callable[[], float] = time.time) -> None:
        self._around = around
        self._clock = clock
        self._outbox = Outbox(around.jobs)
        self._forgetting = Forgetting(around)
        self._seen: dict[str, dict[int, float]] = {}
        self._trouble: dict[str, str] = {}
        self._cleaned_s = float("-inf")

    def step(self) -> float:
        """One bounded round; returns after how many seconds to come back, 0 when there is more to do at once."""
        now_s = self._clock()
        rules = {rule.name: rule for rule in self._around.rules.all()}
        behind = self._follow([rule for rule in rules.values() if rule.enabled], now_s)
        looked_at = self._look_at_studies(rules, behind, now_s)
        self._forgetting.step(rules, now_s)
        if now_s - self._cleaned_s >= _HOUSEKEEPING_S:
            self._cleaned_s = now_s
            self._forgetting.drop_finished_jobs()
        if looked_at == _STUDIES_AT_ONCE or behind:
            return 0.0
        next_s = self._outbox.next_due_s()
        return _POLL_S if next_s is None else min(max(0.0, next_s - self._clock()), _POLL_S)

    # --- arrivals ----------------------------------------------------------------------------

    def _follow(self, rules: Sequence[Rule], now_s: float) -> set[str]:
        """Read on in every database that a rule is for; returns those with more to read."""
        by_database: dict[str, list[Rule]] = {}
        for rule in rules:
            by_database.setdefault(rule.database, []).append(rule)
        cursors = self._outbox.cursors()
        idle = cursors.keys() - by_database.keys()
        if idle:
            self._outbox.drop_cursors(idle)
        behind = set()
        for database, its_rules in by_database.items():
            try:
                if self._read_arrivals(self._around.open_archive(database), cursors.get(database), its_rules, now_s):
                    behind.add(database)
                self._trouble.pop(database, None)
            except RadfuseError as error:
                if self._trouble.get(database) != str(error):  # it is tried again every second
                    _log.warning("arrivals cannot be followed: %s", error, extra={"database": database})
                self._trouble[database] = str(error)
        return behind

    def _read_arrivals(self, archive: Archive, cursor: Cursor | None, rules: Sequence[Rule], now_s: float) -> bool:
        database = rules[0].database
        may_come_late = archive.engine.dialect.name != "sqlite"
        limit = _LATE_ARRIVALS_AT_ONCE if may_come_late else _ARRIVALS_AT_ONCE
        with archive.reading() as connection:
            identity, newest = queries.identity_of(connection), queries.newest_arrival(connection)
            start = _start(database, cursor, identity, newest, rules)
            found = queries.arrivals(
                connection, start.position, limit, up_to=start.up_to, arrived_since_s=start.arrived_since_s
            )
        is_all = len(found) < limit
        fresh, position = found, newest if is_all else found[-1].number
        if may_come_late:
            fresh, position = self._unseen(database, start, found, position)
        after = _moved(start, position, fresh)
        if after != cursor or fresh:
            waiting = [study for rule in rules for study in waiting_for(rule, fresh, now_s)]
            is_noted = False
            try:
                is_noted = self._outbox.note_arrivals(cursor, after, waiting)
            finally:
                if not is_noted:  # then it is all to be read again
                    self._seen.pop(database, None)
            return not (is_all and is_noted)
        return False

    def _unseen(self, database: str, start: Cursor, found: Sequence[Arrival], newest: int) -> tuple[list[Arrival], int]:
        """What was not read before, and the number up to which nothing can come late any more."""
        now_s = time.monotonic()
        before = self._seen.get(database, {})
        seen = {each.number: before.get(each.number, now_s) for each in found}
        # The newest number stands for all up to it, so that the cursor moves on when nothing comes any more.
        seen.setdefault(newest, before.get(newest, now_s))
        self._seen[database] = seen
        position = start.position
        for number, seen_s in sorted(seen.items()):
            if now_s - seen_s < _LATE_COMMIT_S:
                break
            position = number
        return [each for each in found if each.number not in before], position

    # --- studies -----------------------------------------------------------------------------

    def _look_at_studies(self, rules: Mapping[str, Rule], behind: set[str], now_s: float) -> int:
        """Give the studies that are due to their rules; returns how many there were."""
        # More of a study may lie in what is still to be read.
        due = self._outbox.due(now_s, _STUDIES_AT_ONCE, behind)
        for study in due:
            rule = rules.get(study.rule)
            try:
                if rule is None or not rule.enabled or rule.database != study.database:
                    self._outbox.drop(study)
                else:
                    self._route(study, rule)
            except RadfuseError as error:
                _log.warning("a rule cannot be followed now: %s", error, extra={"rule": study.rule})
                self._outbox.postpone(study, now_s + _AFTER_FAILURE_S)
            except Exception:
                _log.exception("a rule failed", extra={"rule": study.rule})
                self._outbox.postpone(study, now_s + _AFTER_FAILURE_S)
        return len(due)

    def _route(self, study: WaitingStudy, rule: Rule) -> None:
        peers = check_destinations(rule, self._around.peers.by_name)
        archive = self._around.open_archive(study.database)
        since_s = max(study.first_s, int(rule.active_since_s))
        made = plan(archive, rule, peers, study.study_instance_uid, since_s)
        to_forget = self._outbox.to_forget(rule, peers, made)
        if to_forget:
            # Before anything is sent: whoever sends an object back from then on relies on a copy of its own here.
            archive.mark_leaving(to_forget)
        routed = self._outbox.route(study, rule, peers, made, to_forget)
        if routed.jobs:
            _log.info(
                "a rule has queued what arrived",
                extra={"rule": rule.name, "jobs": list(routed.jobs), "objects": routed.objects},
            )


def _start(database: str, cursor: Cursor | None, identity: str, newest: int, rules: Sequence[Rule]) -> Cursor:
    """Where to read on: after a rebuild, or at the first time, only what arrived since then of what is there."""
    if cursor is not None and cursor.index_identity == identity:
        return cursor
    since_s = min(int(rule.active_since_s) for rule in rules)
    if cursor is not None:
        since_s = max(since_s, cursor.newest_s - _REBUILD_MARGIN_S)
    return Cursor(database, identity, 0, newest, since_s, cursor.newest_s if cursor else 0)


def _moved(start: Cursor, position: int, fresh: Sequence[Arrival]) -> Cursor:
    position = max(position, start.position)
    newest_s = max([start.newest_s, *(each.arrived_s for each in fresh)])
    is_past = position >= start.up_to
    return Cursor(
        start.database,
        start.index_identity,
        position,
        0 if is_past else start.up_to,
        0 if is_past else start.arrived_since_s,
        newest_s,
    )
