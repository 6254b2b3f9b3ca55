"""The router follows what arrives: each object goes where the rules say, once, and never back."""

from __future__ import annotations

import contextlib
import logging
import random
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from radfuse.archive import DuplicatePolicy, queries
from radfuse.archive.queries import Arrival
from radfuse.core.errors import ConfigurationError
from radfuse.jobs import ItemState, JobState
from radfuse.services.routing import router as router_module
from radfuse.services.routing import try_rule
from radfuse.services.routing.tables import job_table, sent_table, study_table
from radfuse.services.rules import Rule
from tests.archive.objects import IMPLANT_TEMPLATE, AnObject, file_of, numbered, python, stored_objects
from tests.services.routing_scenes import Desk, uids


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "data")
    made.peer("PACS")
    with contextlib.closing(made):
        yield made


def to(peer: str, *numbers: int) -> list[tuple[str, str]]:
    return [(peer, f"2.25.7.{number}") for number in numbers]


# --- when ----------------------------------------------------------------------------------------


def test_each_instance_is_sent_at_once(desk: Desk) -> None:
    desk.rule()
    desk.store(numbered(1), numbered(2), numbered(101))
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 1, 101, 2)
    desk.store(numbered(3))
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 1, 101, 2, 3)
    assert {job.state for job in desk.jobs.list()} == {JobState.DONE}


def test_a_study_is_sent_when_nothing_new_has_come_for_a_while(desk: Desk) -> None:
    desk.rule(when="study stable", stable_s=60)
    desk.store(numbered(1))
    desk.step()
    desk.pass_s(50)
    desk.store(numbered(2))
    # It arrives now, though the router's clock says later: as long as nothing comes it is not stable.
    desk.step()
    assert desk.jobs.list() == []
    desk.pass_s(70)
    desk.step()
    (job,) = desk.jobs.list()
    assert {item.name for item in desk.jobs.items(job.id)} == uids(1, 2)


def test_what_comes_after_a_study_was_stable_is_a_batch_of_its_own(desk: Desk) -> None:
    desk.rule(when="study stable", stable_s=60)
    desk.store(numbered(1), numbered(2))
    desk.step()
    desk.pass_s(70)
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 1, 2)
    desk.store(numbered(3))
    desk.step()
    desk.pass_s(140)
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 1, 2, 3)
    newest = desk.jobs.list()[0]
    assert [item.name for item in desk.jobs.items(newest.id)] == ["2.25.7.3"]


def test_what_was_there_before_the_rule_is_not_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store(numbered(1))
    monkeypatch.setattr("radfuse.services.rules.time.time", lambda: time.time_ns() / 1e9 + 5)
    desk.rule()
    desk.settle()
    assert desk.sent == []
    desk.step()
    assert desk.step() == 1.0


def test_a_rule_that_is_off_sends_nothing_and_begins_anew_when_it_is_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.rule(enabled=False)
    desk.store(numbered(1))
    desk.settle()
    monkeypatch.setattr("radfuse.services.rules.time.time", lambda: time.time_ns() / 1e9 + 1)
    desk.rules.enable("rule", True)
    time.sleep(1.1)
    desk.store(numbered(2))
    desk.settle()
    assert desk.sent == to("PACS", 2)
    desk.rules.enable("rule", False)
    desk.store(numbered(3))
    desk.settle()
    assert desk.sent == to("PACS", 2)


def test_a_rule_that_is_removed_leaves_nothing_waiting(desk: Desk) -> None:
    desk.rule(when="study stable", stable_s=60)
    desk.store(numbered(1))
    desk.step()
    desk.rules.remove("rule")
    desk.pass_s(100)
    desk.settle()
    assert desk.sent == []
    with desk.jobs.engine.connect() as connection:
        assert connection.execute(select(study_table)).all() == []


def test_a_clock_that_was_wrong_does_not_make_a_study_wait_for_years(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.rule(when="study stable", stable_s=60)
    with monkeypatch.context() as patch:
        patch.setattr("radfuse.archive.incoming.time.time", lambda: time.time_ns() / 1e9 + 3e7)
        desk.store(numbered(1))
    desk.step()
    desk.pass_s(100)
    desk.settle()
    assert desk.sent == to("PACS", 1)


# --- what ----------------------------------------------------------------------------------------


def test_only_what_meets_the_conditions_is_sent(desk: Desk) -> None:
    desk.rule("number", condition={"attribute": "InstanceNumber", "range": [1, 5]})
    desk.rule("nobody", condition={"attribute": "SourceApplicationEntityTitle", "equals": "ANOTHER"})
    desk.rule("size", ["MIRROR"], condition={"attribute": "PatientName", "matches": "smith*"})
    desk.peer("MIRROR")
    desk.store(numbered(1), replace(numbered(2), number="9"), numbered(3, name="Smith^John", study="2.25.9"))
    desk.settle()
    assert sorted(desk.sent) == [*to("MIRROR", 3), *to("PACS", 1, 3)]


def test_a_condition_may_look_at_the_whole_study_and_at_the_header(desk: Desk) -> None:
    whole = {"attribute": "ModalitiesInStudy", "equals": "CT"}
    header = {"attribute": "StudyID", "exists": False}
    desk.rule(condition={"all": [whole, header, {"attribute": "Manufacturer", "exists": False}]})
    desk.store(numbered(1))
    desk.settle()
    assert desk.sent == to("PACS", 1)


def test_an_object_whose_header_cannot_be_read_does_not_stop_the_others(desk: Desk) -> None:
    desk.rule(condition={"attribute": "Manufacturer", "exists": False})
    desk.store(numbered(1), numbered(2))
    file_of(desk.archive, "2.25.7.1").write_bytes(b"")
    desk.settle()
    assert desk.sent == to("PACS", 2)


def test_one_object_goes_to_several_peers_by_several_rules(desk: Desk) -> None:
    desk.peer("MIRROR")
    desk.rule("one", ["PACS", "MIRROR"])
    desk.rule("two", ["PACS"])
    desk.store(numbered(1))
    desk.settle()
    assert sorted(desk.sent) == [*to("MIRROR", 1), *to("PACS", 1), *to("PACS", 1)]


def test_an_object_without_a_patient_is_left_alone(desk: Desk) -> None:
    desk.rule()
    desk.store(AnObject("2.25.8.1", sop_class=IMPLANT_TEMPLATE), numbered(1))
    desk.settle()
    assert desk.sent == to("PACS", 1)


def test_the_policy_of_the_peer_is_the_job_s(desk: Desk) -> None:
    desk.peer("PACS", retries=7, retry_delay_s=33.0)
    desk.rule()
    desk.store(numbered(1))
    desk.step()
    (job,) = desk.jobs.list()
    assert (job.kind, job.lane, job.retry.count, job.retry.delay_s) == ("send", "PACS", 7, 33.0)
    assert job.parameters["database"] == "default"


def test_more_than_a_page_of_arrivals_is_routed_as_whole_studies(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router_module, "_ARRIVALS_AT_ONCE", 7)
    desk.rule(when="study stable", stable_s=0)
    desk.store(*(numbered(number) for number in range(60, 160)))
    desk.step()
    assert [job.counts.pending for job in desk.jobs.list()] == [60, 40]


# --- once ----------------------------------------------------------------------------------------


def test_nothing_is_sent_twice_after_a_restart(desk: Desk) -> None:
    desk.rule()
    desk.store(numbered(1), numbered(2))
    desk.settle()
    desk.step(desk.new_router())
    desk.store(numbered(3))
    desk.step(desk.new_router())
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 1, 2, 3)


def test_two_routers_side_by_side_send_everything_once(desk: Desk) -> None:
    desk.rule()
    other = desk.new_router()
    for first in range(0, 40, 4):
        desk.store(*(numbered(number) for number in range(first, first + 4)))
        desk.router.step()
        other.step()
    desk.settle()
    assert sorted(desk.sent) == sorted(to("PACS", *range(40)))


def test_the_same_object_again_is_not_sent_again_but_another_one_under_its_uid_is(tmp_path: Path) -> None:
    with contextlib.closing(Desk(tmp_path / "data", DuplicatePolicy.REPLACE)) as desk:
        desk.peer("PACS")
        desk.rule()
        desk.store(numbered(1))
        desk.settle()
        desk.store(numbered(1))
        desk.settle()
        assert desk.sent == to("PACS", 1)
        desk.store(numbered(1, pixels=b"corrected!"))
        desk.settle()
        assert desk.sent == to("PACS", 1, 1)


def test_an_object_that_comes_back_after_it_was_deleted_is_not_sent_again(desk: Desk) -> None:
    desk.rule()
    desk.store(numbered(1))
    desk.settle()
    desk.archive.delete(stored_objects(desk.archive).values())
    desk.store(numbered(1), numbered(2))
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 1, 2)


def test_numbers_of_deleted_arrivals_hide_no_new_ones(desk: Desk) -> None:
    desk.rule()
    for number in range(5):
        desk.store(numbered(number))
        desk.settle()
        desk.archive.delete(stored_objects(desk.archive).values())
    assert sorted(desk.sent) == to("PACS", 0, 1, 2, 3, 4)


def test_a_rebuilt_index_sends_nothing_again_and_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with contextlib.closing(Desk(folder)) as desk:
        desk.peer("PACS")
        desk.rule("soon", when="study stable", stable_s=60)
        desk.rule("now")
        desk.store(*(numbered(number) for number in range(20)))
        desk.router.step()
        desk.run_jobs()
        assert sorted(desk.sent) == sorted(to("PACS", *range(20)))
        desk.store(*(numbered(number) for number in range(20, 25)))  # nobody has seen these
    for path in folder.glob("index.sqlite*"):
        path.unlink()
    with contextlib.closing(Desk(folder)) as desk:
        desk.settle()
        assert sorted(desk.sent) == sorted(to("PACS", *range(20, 25)))
        desk.sent.clear()
        desk.pass_s(100)
        desk.settle()
        assert sorted(desk.sent) == sorted(to("PACS", *range(25)))


def test_a_rebuild_long_after_does_not_route_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    with contextlib.closing(Desk(folder)) as desk:
        desk.peer("PACS")
        with monkeypatch.context() as patch:
            patch.setattr("radfuse.archive.incoming.time.time", lambda: time.time_ns() / 1e9 - 1e6)
            patch.setattr("radfuse.services.rules.time.time", lambda: time.time_ns() / 1e9 - 2e6)
            desk.rule()
            desk.store(numbered(1))
        desk.store(numbered(2))
        desk.settle()
        assert sorted(desk.sent) == to("PACS", 1, 2)
        with desk.jobs.engine.begin() as connection:
            connection.execute(sent_table.delete())  # nothing but the cursor keeps it from doing it again
    for path in folder.glob("index.sqlite*"):
        path.unlink()
    with contextlib.closing(Desk(folder)) as desk:
        desk.settle()
        assert desk.sent == to("PACS", 2), "what arrived within the hour before may be looked at again"


def test_arrivals_that_are_committed_out_of_order_are_not_missed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As PostgreSQL may do it: a number appears after a greater one."""
    monkeypatch.setattr(router_module, "_LATE_COMMIT_S", 0.5)
    desk.rule()
    desk.store(numbered(100), numbered(200), numbered(300))
    real = queries.arrivals
    hidden = {2}

    def arrivals(*words: Any, **options: Any) -> list[Arrival]:
        return [each for each in real(*words, **options) if each.number not in hidden]

    monkeypatch.setattr(queries, "arrivals", arrivals)
    monkeypatch.setattr(desk.archive.engine.dialect, "name", "neither")
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 100, 300)
    hidden.clear()
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 100, 200, 300)
    time.sleep(0.6)
    desk.step()
    hidden.add(4)
    desk.store(numbered(400), numbered(500))
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 100, 200, 300, 500)
    hidden.clear()
    desk.settle()
    assert sorted(desk.sent) == to("PACS", 100, 200, 300, 400, 500)


# --- faults --------------------------------------------------------------------------------------


def test_a_rule_that_fails_does_not_stop_others_and_is_tried_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.peer("GONE")
    desk.rule("bad", ["GONE"])
    desk.rule("good", ["PACS"])
    desk.peers.remove("GONE")
    desk.store(numbered(1))
    with caplog.at_level(logging.WARNING):
        desk.settle()
    assert desk.sent == to("PACS", 1)
    assert "unknown peer 'GONE'" in caplog.text
    assert "2.25" not in caplog.text
    desk.peer("GONE")
    desk.pass_s(61)
    desk.settle()
    assert sorted(desk.sent) == [*to("GONE", 1), *to("PACS", 1)]


def test_a_database_that_cannot_be_opened_does_not_stop_others_and_is_told_of_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def open_archive(name: str) -> object:
        if name != "default":
            raise ConfigurationError("databases", "no such database")
        return desk.archive

    monkeypatch.setattr(desk, "open", open_archive)
    router = desk.new_router()
    desk.rule("bad", database="other")
    desk.rule("good")
    desk.store(numbered(1))
    with caplog.at_level(logging.WARNING):
        desk.step(router)
        desk.step(router)
    desk.run_jobs()
    assert desk.sent == to("PACS", 1)
    assert caplog.text.count("no such database") == 1


def test_a_failed_send_is_not_routed_again_but_the_user_may_start_it_again(desk: Desk) -> None:
    desk.rule()
    desk.answers["2.25.7.1"] = ItemState.FAILED
    desk.store(numbered(1))
    desk.settle()
    (job,) = desk.jobs.list()
    assert job.state is JobState.FAILED
    desk.answers.clear()
    desk.jobs.retry(job.id)
    desk.settle()
    assert desk.sent == to("PACS", 1)


@pytest.mark.parametrize("seed", range(2))
def test_a_router_that_is_killed_at_any_moment_queues_everything_once(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "data"
    with contextlib.closing(Desk(folder)) as desk:
        desk.peer("PACS")
        desk.rule("now", forget=True)
        desk.rule("stable", when="study stable", stable_s=0)
        for first in range(0, 60, 10):
            process = python("-m", "tests.services.test_routing", str(folder))
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            desk.store(*(numbered(number) for number in range(first, first + 10)))
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
            process.communicate()
        desk.settle()
        assert sorted(desk.sent) == sorted(to("PACS", *range(60), *range(60)))
        desk.pass_s(1000)
        desk.settle()
        assert desk.kept() == set()


def main(folder: str) -> None:
    """Route without end; a test kills this."""
    desk = Desk(Path(folder))
    print("ready", flush=True)
    while True:
        desk.router.step()


# --- never back ----------------------------------------------------------------------------------


def test_an_object_never_goes_back_to_where_it_came_from(desk: Desk) -> None:
    desk.peer("modality", ae_title="SENDER")  # tests.archive.objects says so
    desk.rule(send=["modality", "PACS"])
    desk.store(numbered(1))
    desk.settle()
    assert desk.sent == to("PACS", 1)


# --- trying --------------------------------------------------------------------------------------


def test_a_trial_says_what_would_be_done_and_does_nothing(desk: Desk) -> None:
    desk.peer("modality", ae_title="SENDER")
    desk.store(numbered(1), replace(numbered(2), number="9"), numbered(101))
    few = {"attribute": "InstanceNumber", "range": [1, 5]}
    rule = Rule.of({"name": "r", "if": few, "then": {"send": ["PACS", "modality"], "forget": True}})
    peers = [desk.peers.by_name(name) for name in rule.send]
    trials = {trial.study_instance_uid: trial for trial in try_rule(desk.archive, rule, peers)}
    assert set(trials) == {"2.25.10.0", "2.25.10.1"}
    trial = trials["2.25.10.0"]
    assert (trial.study_date, trial.modalities, trial.objects) == ("20240229", ("CT",), 2)
    assert (trial.to_send, trial.forgotten) == ({"PACS": 1}, 0)
    assert trial.reason == "1 do not meet the conditions; 1 would go back to where they came from"
    (one,) = try_rule(desk.archive, rule, peers, ["2.25.10.1"])
    assert one.to_send == {"PACS": 1}
    assert len(list(try_rule(desk.archive, rule, peers, limit=1))) == 1
    with pytest.raises(ConfigurationError, match=r"no study 1\.2\.3"):
        list(try_rule(desk.archive, rule, peers, ["1.2.3"]))
    assert desk.jobs.list() == []


def test_records_of_finished_jobs_do_not_pile_up(desk: Desk) -> None:
    desk.rule()
    desk.store(numbered(1))
    desk.settle()
    desk.pass_s(100)
    desk.settle()
    with desk.jobs.engine.connect() as connection:
        assert connection.execute(select(job_table)).all() == []


def test_a_copy_of_the_folder_goes_on_where_the_original_was(desk: Desk, tmp_path: Path) -> None:
    """After a crash of the machine: everything that was committed is there."""
    desk.rule()
    desk.store(numbered(1), numbered(2))
    desk.settle()
    desk.store(numbered(3))
    shutil.copytree(desk.folder, tmp_path / "copy")
    with contextlib.closing(Desk(tmp_path / "copy")) as copy:
        copy.settle()
        assert copy.sent == to("PACS", 3)


if __name__ == "__main__":
    main(*sys.argv[1:])
