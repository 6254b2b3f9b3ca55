"""Forgetting: what a query names is gone; what rules forget is first somewhere else, for certain."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from radfuse.archive import Archive, InformationModel, Outcome, Query, StoredObject, check_archive, queries
from radfuse.core.errors import ConfigurationError, InvalidQuery
from radfuse.dicom import Element, Identifier
from radfuse.jobs import ItemState, JobState
from radfuse.services.commitment import Commitments
from radfuse.services.commitment.coding import Report, Request
from radfuse.services.commitment.model import COMMITTED, PROCESSING_FAILURE, Partner, Reference, Transaction
from radfuse.services.commitment.model import Outcome as CommitmentOutcome
from radfuse.services.commitment.reporting import look
from radfuse.services.forget import Forgotten, forget, forget_objects
from radfuse.services.routing import Router, RoutingSurroundings
from radfuse.services.routing.tables import forget_object_table, forget_table
from tests.archive.objects import numbered, store, stored_objects
from tests.services.routing_scenes import DAY_S, Desk, uids


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "data")
    made.peer("PACS")
    with contextlib.closing(made):
        yield made


def query(level: str, **keys: str) -> Query:
    elements = (Element.of(keyword, value) for keyword, value in keys.items())
    asked = Identifier((Element.of("QueryRetrieveLevel", level), *elements))
    model = InformationModel.PATIENT_ROOT if level == "PATIENT" else InformationModel.STUDY_ROOT
    return queries.query_from_identifier(asked, model, retrieve=True)


# --- the use case --------------------------------------------------------------------------------


def test_what_a_query_names_is_forgotten(archive: Archive) -> None:
    for number in (1, 2, 11, 101):
        store(archive, numbered(number))
    size = stored_objects(archive)["2.25.7.1"].size_bytes
    series = query("SERIES", StudyInstanceUID="2.25.10.0", SeriesInstanceUID="2.25.20.0")
    gone = forget(archive, series)
    assert gone == Forgotten(2, 2 * size)
    assert forget(archive, series) == Forgotten(0, 0)
    assert set(stored_objects(archive)) == uids(11, 101)
    assert forget(archive, query("PATIENT", PatientID="P-1")).objects == 2
    assert stored_objects(archive) == {}


def test_a_query_that_names_nothing_in_particular_forgets_nothing(archive: Archive) -> None:
    store(archive, numbered(1))
    with pytest.raises(InvalidQuery):
        query("STUDY")
    assert set(stored_objects(archive)) == uids(1)


def test_a_forgotten_object_is_taken_again(archive: Archive) -> None:
    store(archive, numbered(1))
    assert forget_objects(archive, stored_objects(archive).values()).objects == 1
    assert store(archive, numbered(1)) is Outcome.KEPT


# --- by rules ------------------------------------------------------------------------------------


def test_what_was_sent_is_forgotten(desk: Desk) -> None:
    desk.rule(forget=True)
    desk.store(numbered(1), numbered(2))
    desk.step()
    assert desk.kept() == uids(1, 2)
    desk.settle()
    assert desk.kept() == set()
    with desk.jobs.engine.connect() as connection:
        assert connection.execute(select(forget_table)).all() == []
        assert connection.execute(select(forget_object_table)).all() == []
    report = check_archive(desk.archive)
    assert (report.indexed, report.files) == (0, 0)


def test_what_fails_to_be_sent_stays(desk: Desk) -> None:
    desk.rule(forget=True)
    desk.answers["2.25.7.1"] = ItemState.FAILED
    desk.store(numbered(1), numbered(2))
    desk.settle()
    desk.pass_s(10 * DAY_S)
    desk.settle()
    assert desk.kept() == uids(1, 2), "also what was sent by the same job: its study stays whole"
    desk.answers.clear()
    desk.jobs.retry(desk.jobs.list()[0].id)
    desk.settle()
    desk.pass_s(1000)
    desk.settle()
    assert desk.kept() == set()


def test_what_one_of_two_destinations_has_not_acknowledged_stays(desk: Desk) -> None:
    desk.peer("MIRROR")
    desk.rule(send=["PACS", "MIRROR"], forget=True)
    desk.store(numbered(1))
    desk.step()
    mirror = next(job for job in desk.jobs.list() if job.lane == "MIRROR")
    desk.jobs.cancel(mirror.id)
    desk.settle()
    desk.pass_s(DAY_S)
    desk.settle()
    assert desk.kept() == uids(1)


def test_what_was_taken_with_a_warning_stays(desk: Desk) -> None:
    """B006H may say that elements were discarded: the whole object is only here."""
    desk.rule(forget=True)
    desk.answers["2.25.7.1"] = ItemState.WARNED
    desk.store(numbered(1), numbered(2))
    desk.settle()
    desk.pass_s(1000)
    desk.settle()
    assert desk.jobs.list()[0].state is JobState.DONE
    assert desk.kept() == uids(1)


def test_it_is_forgotten_some_days_after_it_was_acknowledged(desk: Desk) -> None:
    desk.rule(forget={"after_days": 7})
    desk.store(numbered(1))
    desk.settle()
    desk.pass_s(6.9 * DAY_S)
    desk.settle()
    assert desk.kept() == uids(1)
    desk.jobs.forget(-1e9)  # housekeeping: the acknowledgement was noted before
    desk.pass_s(0.2 * DAY_S)
    desk.settle()
    assert desk.kept() == set()


def test_without_the_job_nothing_proves_that_it_arrived(desk: Desk) -> None:
    desk.rule(forget=True)
    desk.answers["2.25.7.1"] = ItemState.FAILED
    desk.store(numbered(1))
    desk.settle()
    desk.jobs.forget(-1e9)
    desk.pass_s(DAY_S)
    desk.settle()
    assert desk.kept() == uids(1)
    with desk.jobs.engine.connect() as connection:
        assert connection.execute(select(forget_table)).all() == []


def test_what_another_rule_has_still_to_send_stays(desk: Desk) -> None:
    desk.peer("MIRROR")
    desk.rule("now", forget=True)
    desk.rule("later", ["MIRROR"], when="study stable", stable_s=600)
    desk.store(numbered(1))
    desk.settle()
    assert desk.kept() == uids(1)
    desk.answers["2.25.7.1"] = ItemState.FAILED
    desk.pass_s(600)
    desk.settle()
    desk.pass_s(1000)
    desk.settle()
    assert desk.kept() == uids(1), "the user may start the failed job again"
    desk.answers.clear()
    desk.jobs.retry(desk.jobs.list(lane="MIRROR")[0].id)
    desk.settle()
    desk.pass_s(1000)
    desk.settle()
    assert desk.kept() == set()
    assert ("MIRROR", "2.25.7.1") in desk.sent


def test_what_came_from_a_destination_stays(desk: Desk) -> None:
    desk.peer("modality", ae_title="SENDER")
    desk.rule(send=["PACS", "modality"], forget=True)
    desk.store(numbered(1))
    desk.settle()
    desk.pass_s(1000)
    desk.settle()
    assert desk.sent == [("PACS", "2.25.7.1")]
    assert desk.kept() == uids(1)


def test_what_came_back_after_it_was_forgotten_stays(desk: Desk) -> None:
    """Whoever sent it back may have forgotten it too: this may be the last copy."""
    desk.rule(forget=True)
    desk.store(numbered(1))
    desk.settle()
    assert desk.kept() == set()
    desk.store(numbered(1))
    desk.settle()
    desk.pass_s(DAY_S)
    desk.settle()
    assert desk.sent == [("PACS", "2.25.7.1")]
    assert desk.kept() == uids(1)


def test_what_came_again_before_it_was_forgotten_stays(desk: Desk) -> None:
    desk.rule(forget={"after_days": 1})
    desk.store(numbered(1))
    desk.settle()
    forget_objects(desk.archive, stored_objects(desk.archive).values())
    desk.store(numbered(1))
    desk.pass_s(2 * DAY_S)
    desk.settle()
    assert desk.kept() == uids(1)


@pytest.mark.parametrize("change", ["remove", "disable", "no longer forget", "lossy"])
def test_a_rule_or_peer_that_was_changed_meanwhile_forgets_nothing(change: str, desk: Desk) -> None:
    desk.rule(forget={"after_days": 1})
    desk.store(numbered(1))
    desk.settle()
    if change == "remove":
        desk.rules.remove("rule")
    elif change == "disable":
        desk.rules.enable("rule", False)
    elif change == "lossy":
        desk.peer("PACS", lossy_syntax="1.2.840.10008.1.2.4.50")
    else:
        desk.rule()
    desk.pass_s(2 * DAY_S)
    desk.settle()
    assert desk.kept() == uids(1)


def test_what_we_have_promised_to_keep_stays(desk: Desk) -> None:
    desk.rule(forget=True)
    desk.store(numbered(1), numbered(2))
    stored = stored_objects(desk.archive)["2.25.7.1"]
    records = Commitments(desk.jobs)
    request = Request("2.25.99", (Reference(stored.sop_class_uid, stored.sop_instance_uid),))
    taken = records.take(Partner("SENDER", "SENDER", "NODE"), request, "default", 0.0, lambda _: None)
    records.note_results(taken.id, [replace(each, reason=0) for each in records.outcomes(taken.id)])
    desk.settle()
    assert desk.kept() == uids(1)


def _request(desk: Desk, uid: str) -> Transaction:
    """A peer's request for storage commitment, noted and not looked into yet."""
    stored = stored_objects(desk.archive)[uid]
    request = Request("2.25.99", (Reference(stored.sop_class_uid, uid),))
    return Commitments(desk.jobs).take(Partner("SENDER", "SENDER", "NODE"), request, "default", 0.0, lambda _: None)


def test_a_promise_during_the_deletion_is_not_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last moment at which a request may come: the rule has looked for promises, and deletes next."""
    desk.rule(forget=True)
    desk.store(numbered(1))
    desk.step()
    desk.run_jobs()
    promised: list[int | None] = []
    delete = Archive.delete

    def request_first(archive: Archive, *words: Any, **options: Any) -> list[StoredObject]:
        outcomes = look(Commitments(desk.jobs), _request(desk, "2.25.7.1"), desk.archive, lambda: False)
        promised.extend(outcome.reason for outcome in outcomes or ())
        return delete(archive, *words, **options)

    monkeypatch.setattr(Archive, "delete", request_first)
    desk.pass_s(10)
    desk.step()
    desk.pass_s(10)
    desk.step()
    assert desk.kept() == set()
    assert promised == [PROCESSING_FAILURE]


def test_a_promise_that_may_have_been_told_is_not_taken_back(desk: Desk) -> None:
    desk.rule(forget={"after_days": 1})
    desk.store(numbered(1))
    records = Commitments(desk.jobs)
    request = _request(desk, "2.25.7.1")
    for _ in range(2):  # the second time since nobody knows whether the peer got the first report
        outcomes = look(records, request, desk.archive, lambda: False)
        assert [outcome.reason for outcome in outcomes or ()] == [COMMITTED]
        desk.settle()  # the object is marked as leaving
    desk.pass_s(2 * DAY_S)
    desk.settle()
    assert desk.kept() == uids(1)


def test_a_second_look_may_promise_and_is_seen_by_whoever_deletes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store(numbered(1))
    records = Commitments(desk.jobs)
    request = _request(desk, "2.25.7.1")
    stored = stored_objects(desk.archive)
    records.note_results(request.id, [replace(each, reason=0x112) for each in records.outcomes(request.id)])
    assert records.promised_to("2.25.7.1") == []
    settle = Archive.settle

    def forget_meanwhile(archive: Archive) -> None:
        monkeypatch.setattr(Archive, "settle", settle)
        gone = forget_objects(archive, stored.values(), stays=lambda each: bool(records.promised_to("2.25.7.1")))
        assert gone.objects == 0

    monkeypatch.setattr(Archive, "settle", forget_meanwhile)
    outcomes = look(records, request, desk.archive, lambda: False)
    assert [outcome.reason for outcome in outcomes or ()] == [COMMITTED]
    assert desk.kept() == uids(1)


def test_what_stays_since_it_was_promised_can_be_committed_again(desk: Desk) -> None:
    desk.rule(forget=True)
    desk.store(numbered(1))
    records = Commitments(desk.jobs)
    first = _request(desk, "2.25.7.1")
    desk.settle()
    assert desk.kept() == uids(1)
    outcomes = look(records, first, desk.archive, lambda: False)
    assert [outcome.reason for outcome in outcomes or ()] == [COMMITTED]


@pytest.mark.parametrize("rules", [["one"], ["one", "another"]])
def test_what_a_removed_rule_wanted_to_forget_can_be_committed_unless_another_wants_it_too(
    rules: list[str], desk: Desk
) -> None:
    for name in rules:
        desk.rule(name, forget={"after_days": 1})
    desk.store(numbered(1))
    desk.settle()
    desk.rules.remove("one")
    desk.pass_s(2 * DAY_S if rules == ["one"] else 0.5 * DAY_S)
    desk.step()
    with desk.jobs.engine.begin() as connection:  # as if its time had come
        connection.execute(forget_table.update().where(forget_table.c.rule == "one").values(check_s=0))
    desk.step()
    outcomes = look(Commitments(desk.jobs), _request(desk, "2.25.7.1"), desk.archive, lambda: False)
    assert [outcome.reason for outcome in outcomes or ()] == [COMMITTED if rules == ["one"] else PROCESSING_FAILURE]


def test_nothing_is_left_to_do_for_a_database_that_is_gone(desk: Desk) -> None:
    desk.rule(forget={"after_days": 1})
    desk.store(numbered(1))
    desk.settle()
    desk.rules.remove("rule")

    def gone(database: str) -> Archive:
        raise ConfigurationError("database", "is not there any more")

    router = Router(
        RoutingSurroundings(gone, desk.jobs, desk.peers, desk.rules, lambda peer: "NODE"),
        clock=lambda: time.time() + 2 * DAY_S,
    )
    desk.step(router)
    with desk.jobs.engine.connect() as connection:
        assert connection.execute(select(forget_table)).all() == []


def test_whoever_forgets_may_name_what_stays(archive: Archive) -> None:
    store(archive, numbered(1))
    store(archive, numbered(2))
    objects = stored_objects(archive)
    gone = forget_objects(archive, objects.values(), stays=lambda stored: stored == objects["2.25.7.1"])
    assert gone.objects == 1
    assert set(stored_objects(archive)) == uids(1)
    assert store(archive, numbered(1)) is Outcome.SAME_AGAIN, "its mark is gone"


def test_it_is_forgotten_only_when_the_destination_has_committed_to_keep_it(desk: Desk) -> None:
    desk.rule(forget={"committed": True})
    desk.store(numbered(1), numbered(2))
    desk.step()
    desk.run_jobs()
    desk.pass_s(2)
    desk.step()
    (asked,) = desk.jobs.list(kind="commit")
    assert (asked.parameters["peer"], asked.parameters["from"]) == ("PACS", "NODE")
    assert {item.name for item in desk.jobs.items(asked.id)} == uids(1, 2)
    desk.pass_s(1000)
    desk.step()
    assert desk.kept() == uids(1, 2)

    records = Commitments(desk.jobs)
    stored = stored_objects(desk.archive).values()
    references = tuple(Reference(each.sop_class_uid, each.sop_instance_uid, each.digest) for each in stored)
    transaction = records.begin(Partner("PACS", "PACS", "NODE"), references, "default")
    records.settle(Report(transaction.uid, tuple(CommitmentOutcome(each, 0) for each in references)), "PACS")
    desk.pass_s(1000)
    desk.step()
    assert desk.kept() == set()


def test_it_stays_when_no_destination_ever_commits(desk: Desk) -> None:
    desk.rule(forget={"committed": True})
    desk.store(numbered(1))
    desk.step()
    desk.run_jobs()
    desk.pass_s(2)
    for _ in range(4):
        desk.step()
        desk.pass_s(50 * DAY_S)
    assert desk.kept() == uids(1)
    with desk.jobs.engine.connect() as connection:
        assert connection.execute(select(forget_table)).all() == []


def test_forgetting_goes_on_after_a_crash_in_the_middle(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.rule(forget=True)
    desk.store(numbered(1))
    desk.step()
    desk.run_jobs()

    class Crash(BaseException):
        pass

    def crash(*_words: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("radfuse.services.routing.forgetting.Forgetting._end", crash)
        with pytest.raises(Crash):
            for _ in range(10):
                desk.pass_s(2.0)
                desk.step()
    assert desk.kept() == set()
    router = desk.new_router()
    desk.pass_s(1000)
    desk.step(router)
    with desk.jobs.engine.connect() as connection:
        assert connection.execute(select(forget_table)).all() == []
