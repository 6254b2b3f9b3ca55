"""The records of storage commitment: what was asked, promised and reported."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect

from radfuse.core.errors import UnknownTransaction
from radfuse.jobs import Jobs, NewJob
from radfuse.services.commitment import Commitments, Outcome, Reference, Report, Request, Transaction
from radfuse.services.commitment.model import (
    CLASS_CONFLICT,
    COMMITTED,
    DUPLICATE_TRANSACTION,
    LEFT_OUT,
    NO_SUCH_INSTANCE,
    PROCESSING_FAILURE,
    Partner,
    TransactionState,
    reason_text,
)
from radfuse.services.commitment.tables import metadata

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PACS = Partner("pacs", "PACS", "NODE")
OTHER = Partner("other", "OTHER", "NODE")
ONE, TWO = Reference(CT, "1.2.1", b"digest-one"), Reference(CT, "1.2.2", b"digest-two")


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    opened = Jobs(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def records(jobs: Jobs) -> Commitments:
    return Commitments(jobs)


def report(transaction: Transaction, *results: tuple[Reference, int]) -> Report:
    outcomes = (Outcome(Reference(one.sop_class_uid, one.sop_instance_uid), reason) for one, reason in results)
    return Report(transaction.uid, tuple(outcomes))


def asked(records: Commitments, partner: Partner = PACS, *references: Reference) -> Transaction:
    transaction = records.begin(partner, references or (ONE, TWO), "default")
    records.note_answer(transaction.id, 0)
    return records.transaction(transaction.id)


def no_job(_transaction: Transaction) -> NewJob | None:
    return None


def reasons(records: Commitments, transaction: Transaction) -> list[int | None]:
    return [outcome.reason for outcome in records.outcomes(transaction.id)]


def test_the_tables_are_those_that_the_migrations_make(jobs: Jobs) -> None:
    made = inspect(jobs.engine)
    for table in metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in made.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        assert {row["name"] for row in made.get_indexes(table.name)} == {index.name for index in table.indexes}


def test_a_request_is_asking_then_asked_then_answered(records: Commitments) -> None:
    transaction = records.begin(PACS, (ONE, TWO), "default")
    assert transaction.state is TransactionState.ASKING
    assert reasons(records, transaction) == [None, None]
    records.note_answer(transaction.id, 0)
    assert records.transaction(transaction.id).state is TransactionState.ASKED
    settled = records.settle(report(transaction, (ONE, COMMITTED), (TWO, NO_SUCH_INSTANCE)), "PACS")
    assert settled.state is TransactionState.ANSWERED
    assert settled.answered_s is not None
    assert reasons(records, transaction) == [COMMITTED, NO_SUCH_INSTANCE]
    assert records.is_committed("1.2.1")
    assert not records.is_committed("1.2.2")


def test_a_report_that_is_faster_than_the_response_stands(records: Commitments) -> None:
    transaction = records.begin(PACS, (ONE,), "default")
    records.settle(report(transaction, (ONE, COMMITTED)), "PACS")
    records.note_answer(transaction.id, 0)
    assert records.transaction(transaction.id).state is TransactionState.ANSWERED


def test_a_refused_request_keeps_its_status(records: Commitments) -> None:
    transaction = records.begin(PACS, (ONE,), "default")
    records.note_answer(transaction.id, 0x0124)
    found = records.transaction(transaction.id)
    assert (found.state, found.status) == (TransactionState.REFUSED, 0x0124)


def test_what_a_report_leaves_out_is_not_committed(records: Commitments) -> None:
    transaction = asked(records)
    records.settle(report(transaction, (ONE, COMMITTED)), "PACS")
    assert reasons(records, transaction) == [COMMITTED, LEFT_OUT]


def test_what_a_report_adds_is_not_believed(records: Commitments) -> None:
    records.settle(report(asked(records, PACS, ONE), (ONE, COMMITTED), (TWO, COMMITTED)), "PACS")
    assert not records.is_committed("1.2.2")


@pytest.mark.parametrize("order", [1, -1])
def test_an_object_that_is_committed_and_failed_in_one_report_has_failed(records: Commitments, order: int) -> None:
    transaction = asked(records, PACS, ONE)
    records.settle(report(transaction, *((ONE, COMMITTED), (ONE, PROCESSING_FAILURE))[::order]), "PACS")
    assert reasons(records, transaction) == [PROCESSING_FAILURE]


def test_an_object_that_is_committed_as_another_class_is_in_conflict(records: Commitments) -> None:
    transaction = asked(records, PACS, ONE)
    records.settle(report(transaction, (Reference(MR, "1.2.1"), COMMITTED)), "PACS")
    assert reasons(records, transaction) == [CLASS_CONFLICT]


@pytest.mark.parametrize("ae_title", ["OTHER", "pacs", ""])
def test_only_the_peer_that_was_asked_may_report(records: Commitments, ae_title: str) -> None:
    transaction = asked(records)
    with pytest.raises(UnknownTransaction):
        records.settle(report(transaction, (ONE, COMMITTED)), ae_title)
    assert reasons(records, transaction) == [None, None]


def test_a_report_about_a_transaction_that_is_not_ours_is_refused(records: Commitments) -> None:
    taken = records.take(PACS, Request("1.2.9", (ONE,)), "default", 0, no_job)
    for uid in ("1.2.3.4", taken.uid):
        with pytest.raises(UnknownTransaction):
            records.settle(Report(uid, (Outcome(ONE, COMMITTED),)), "PACS")
    assert not records.is_committed("1.2.1")


def test_the_same_report_again_is_fine_and_another_one_is_not(records: Commitments) -> None:
    transaction = asked(records)
    first = report(transaction, (ONE, COMMITTED), (TWO, NO_SUCH_INSTANCE))
    records.settle(first, "PACS")
    records.settle(first, "PACS")
    with pytest.raises(UnknownTransaction):
        records.settle(report(transaction, (ONE, COMMITTED), (TWO, COMMITTED)), "PACS")
    assert reasons(records, transaction) == [COMMITTED, NO_SUCH_INSTANCE]


def test_the_last_word_of_each_peer_counts(records: Commitments) -> None:
    records.settle(report(asked(records, PACS, ONE), (ONE, COMMITTED)), "PACS")
    records.settle(report(asked(records, OTHER, ONE), (ONE, COMMITTED)), "OTHER")
    assert [held.peer for held in records.committed_by("1.2.1")] == ["pacs", "other"]
    later = asked(records, PACS, ONE)
    assert records.is_committed("1.2.1", "pacs")
    records.settle(report(later, (ONE, NO_SUCH_INSTANCE)), "PACS")
    assert [held.peer for held in records.committed_by("1.2.1")] == ["other"]
    assert not records.is_committed("1.2.1", "pacs")
    assert records.is_committed("1.2.1", "other")


def test_a_late_report_on_an_earlier_request_is_the_last_word(records: Commitments) -> None:
    earlier, later = asked(records, PACS, ONE), asked(records, PACS, ONE)
    records.settle(report(later, (ONE, COMMITTED)), "PACS")
    records.settle(report(earlier, (ONE, NO_SUCH_INSTANCE)), "PACS")
    assert not records.is_committed("1.2.1")


def test_another_copy_under_the_same_uid_is_not_what_was_committed(records: Commitments) -> None:
    records.settle(report(asked(records, PACS, ONE), (ONE, COMMITTED)), "PACS")
    assert records.is_committed("1.2.1", digest=b"digest-one")
    assert not records.is_committed("1.2.1", digest=b"replaced since")


def test_a_request_without_report_is_overdue_after_its_time(records: Commitments) -> None:
    transaction = asked(records)
    assert not transaction.is_overdue(time.time(), after_s=60)
    assert transaction.is_overdue(time.time() + 61, after_s=60)
    answered = records.settle(report(transaction, (ONE, COMMITTED)), "PACS")
    assert not answered.is_overdue(time.time() + 61, after_s=60)


def test_a_promise_and_its_job_are_noted_together(records: Commitments, jobs: Jobs) -> None:
    request = Request("1.2.9", (ONE, TWO))
    taken = records.take(PACS, request, "default", 30, lambda found: NewJob("k", "lane", "t", {"id": found.id}))
    assert (taken.state, taken.is_duplicate) == (TransactionState.TAKEN, False)
    assert taken.held_until_s > time.time()
    assert [job.parameters["id"] for job in jobs.list()] == [taken.id]

    def fails(_transaction: Transaction) -> NewJob:
        raise OSError

    with pytest.raises(OSError):
        records.take(PACS, Request("1.2.10", (ONE,)), "default", 30, fails)
    assert not records.named("1.2.10")


def test_a_repeated_request_is_the_same_transaction_until_it_is_reported(records: Commitments) -> None:
    request = Request("1.2.9", (Reference(CT, "1.2.1"), Reference(CT, "1.2.2")))
    first = records.take(PACS, request, "default", 0, no_job)
    assert records.take(PACS, request, "default", 0, no_job).id == first.id
    records.note_reported(first.id)
    again = records.take(PACS, request, "default", 0, no_job)
    assert (again.id != first.id, again.is_duplicate) == (True, True)
    assert reasons(records, again) == [DUPLICATE_TRANSACTION] * 2


@pytest.mark.parametrize(
    ("partner", "references"),
    [(OTHER, (Reference(CT, "1.2.1"),)), (PACS, (Reference(CT, "1.2.2"),)), (PACS, (Reference(MR, "1.2.1"),))],
)
def test_another_request_with_the_same_uid_is_a_duplicate(
    records: Commitments, partner: Partner, references: tuple[Reference, ...]
) -> None:
    first = records.take(PACS, Request("1.2.9", (Reference(CT, "1.2.1"),)), "default", 0, no_job)
    duplicate = records.take(partner, Request("1.2.9", references), "default", 0, no_job)
    assert duplicate.is_duplicate
    assert reasons(records, duplicate) == [DUPLICATE_TRANSACTION]
    assert reasons(records, first) == [None]


def test_whom_an_object_is_promised_to(records: Commitments) -> None:
    for partner, uid in ((PACS, "1.2.8"), (OTHER, "1.2.9"), (PACS, "1.2.10")):
        taken = records.take(partner, Request(uid, (ONE, TWO)), "default", 0, no_job)
        assert partner in records.promised_to("1.2.2")  # as long as nobody has looked
        records.note_results(taken.id, [Outcome(ONE, COMMITTED), Outcome(TWO, NO_SUCH_INSTANCE)])
    assert list(records.promised_to("1.2.1")) == [PACS, OTHER]
    assert list(records.promised_to("1.2.2")) == []
    assert not records.is_committed("1.2.1")  # what we promise is not what a peer holds


def test_records_survive_reopening(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    records = Commitments(jobs)
    records.settle(report(asked(records, PACS, ONE), (ONE, COMMITTED)), "PACS")
    jobs.close()
    jobs = Jobs(tmp_path)
    assert Commitments(jobs).is_committed("1.2.1", "pacs")
    jobs.close()


def test_every_reason_has_words() -> None:
    assert reason_text(None) == "no result yet"
    assert reason_text(COMMITTED) == "committed"
    assert "does not mention" in reason_text(LEFT_OUT)
    assert reason_text(DUPLICATE_TRANSACTION) == "duplicate transaction UID"
    assert reason_text(0xC001) == "failure reason C001"
