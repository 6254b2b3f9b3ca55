"""jobs: what people see of the durable jobs, and what they can do with them."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radfuse.cli.jobs import advice, when
from radfuse.jobs import Counts, Job, Jobs, JobState, NewItem, NewJob, Retry
from tests.cli.conftest import Run

NOON_S = time.mktime((2026, 3, 1, 12, 0, 0, 0, 0, -1))
KEYS = [
    "JobID", "Kind", "Title", "State", "Attempt", "Priority", "Sent", "Warned", "Failed", "Pending", "Created",
    "NextAttempt", "Message",
]  # fmt: skip


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """The jobs of the data folder that ``run`` works on."""
    (tmp_path / "data").mkdir()
    with contextlib.closing(Jobs(tmp_path / "data")) as opened:
        yield opened


def a_job(title: str = "2 objects to SINK", priority: int = 5) -> NewJob:
    items = [NewItem("2.25.1"), NewItem("2.25.2", "/images/2")]
    return NewJob("send", "SINK", title, {"peer": "SINK"}, items, priority)


def in_state(state: JobState, **changes: float | None) -> Job:
    times: dict[str, Any] = {"started_s": None, "finished_s": None, "next_attempt_s": None, **changes}
    return Job(7, "send", "SINK", "a job", {}, state, 5, 1, Retry(), NOON_S, message="", counts=Counts(), **times)


def test_without_a_data_folder_there_are_no_jobs_and_no_folder_is_made(run: Run, tmp_path: Path) -> None:
    assert run("jobs", "list").out == "No jobs. Make one with: radfuse send FILES --to PEER\n"
    assert run("jobs", "list", "--json").json == []
    assert run("jobs", "forget", "--json").json == {"Forgotten": 0}
    for command in ("show", "retry", "cancel", "pause", "resume"):
        answer = run("jobs", command, "1")
        assert (answer.code, answer.err) == (
            1,
            "radfuse: there is no job 1; the page Jobs and 'radfuse jobs list' show all\n",
        )
    assert not (tmp_path / "data").exists()


def test_the_newest_job_is_listed_first_with_the_keys_that_programs_rely_on(run: Run, jobs: Jobs) -> None:
    first, second = jobs.submit(a_job()), jobs.submit(a_job("to others", priority=1))
    rows = run("jobs", "list", "--json").json
    assert [list(row) for row in rows] == [KEYS, KEYS]
    assert [row["JobID"] for row in rows] == [second, first]
    assert (rows[0]["Title"], rows[0]["State"], rows[0]["Priority"], rows[0]["Pending"]) == (
        "to others",
        "queued",
        1,
        2,
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", rows[0]["Created"])
    assert (rows[0]["NextAttempt"], rows[0]["Message"]) == ("", "")
    table = run("jobs", "list").out
    assert re.search(rf"^{first} +send +2 objects to SINK +queued +0 +0 +0 +2 ", table, re.MULTILINE)


def test_a_list_can_be_of_some_states_and_not_too_long(run: Run, jobs: Jobs) -> None:
    first, second = jobs.submit(a_job()), jobs.submit(a_job())
    jobs.cancel(first)
    assert [row["JobID"] for row in run("jobs", "list", "--state", "cancelled", "--json").json] == [first]
    both = run("jobs", "list", "--state", "cancelled", "--state", "queued", "--json").json
    assert [row["JobID"] for row in both] == [second, first]
    answer = run("jobs", "list", "--limit", "1")
    assert answer.out.splitlines()[-1] == f"These are the newest 1; --limit shows more, and so does --before {second}."
    older = run("jobs", "list", "--limit", "1", "--before", str(second), "--json").json
    assert [row["JobID"] for row in older] == [first]
    assert run("jobs", "list", "--state", "done").out == "No jobs.\n"
    assert run("jobs", "list", "--state", "gone").code == 2


def test_a_job_is_shown_with_its_instances_and_what_to_do(run: Run, jobs: Jobs) -> None:
    job_id = jobs.submit(a_job())
    lines = run("jobs", "show", str(job_id)).out.splitlines()
    assert lines[0] == f"Job {job_id}: 2 objects to SINK"
    assert lines[1] == "  send, queued, priority 5, attempt 1"
    assert lines[3] == "  0 sent, 0 with a warning, 0 failed, 2 to do"
    assert lines[4].startswith("No worker runs on this data folder: start 'radfuse serve' or 'radfuse worker'")
    assert [line.split()[:2] for line in lines[7:]] == [["2.25.1", "pending"], ["2.25.2", "pending"]]
    shown = run("jobs", "show", str(job_id), "--json").json
    assert list(shown) == [*KEYS, "Advice", "Instances"]
    assert [list(row) for row in shown["Instances"]] == [
        ["SOPInstanceUID", "File", "State", "Status", "Reason", "Changed"]
    ] * 2
    assert [row["File"] for row in shown["Instances"]] == ["", "/images/2"]
    assert run("jobs", "show", str(job_id), "--failed").out.splitlines()[-1] == "No instance failed."
    assert run("jobs", "show", str(job_id), "--failed", "--json").json["Instances"] == []


def test_what_a_job_retrieves_is_shown_as_what_it_is(run: Run, jobs: Jobs) -> None:
    parameters = {"peer": "PACS", "level": "STUDY", "how": "get"}
    job_id = jobs.submit(NewJob("retrieve", "from PACS", "1 x study", parameters, [NewItem("1.2.3", "elsewhere")]))
    (row,) = run("jobs", "show", str(job_id), "--json").json["Instances"]
    assert list(row)[:2] == ["StudyInstanceUID", "File"]
    assert (row["StudyInstanceUID"], row["File"]) == ("1.2.3", "")
    assert "StudyInstanceUID" in run("jobs", "show", str(job_id)).out


def test_a_job_is_paused_resumed_cancelled_and_started_again(run: Run, jobs: Jobs) -> None:
    job_id = jobs.submit(a_job())
    told = []
    for command in ("pause", "resume", "cancel", "retry"):
        told.append(run("jobs", command, str(job_id)).out)
        told.append(jobs.get(job_id).state.value)
    assert told == [
        f"job {job_id} is paused\n", "paused", f"job {job_id} is queued again\n", "queued",
        f"job {job_id} is cancelled\n", "cancelled", f"job {job_id} is queued again\n", "queued",
    ]  # fmt: skip


def test_several_jobs_are_changed_at_once(run: Run, jobs: Jobs) -> None:
    ids = [jobs.submit(a_job()) for _ in range(3)]
    rows = run("jobs", "cancel", *map(str, ids), "--json").json
    assert [(row["JobID"], row["State"]) for row in rows] == [(job_id, "cancelled") for job_id in ids]


def test_what_a_job_in_its_state_cannot_do_is_one_sentence(run: Run, jobs: Jobs) -> None:
    job_id = jobs.submit(a_job())
    answer = run("jobs", "retry", str(job_id))
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)
    assert f"job {job_id} is queued" in answer.err


def test_jobs_that_have_ended_are_forgotten_after_some_days(run: Run, jobs: Jobs) -> None:
    ended, waiting = jobs.submit(a_job()), jobs.submit(a_job())
    jobs.cancel(ended)
    assert run("jobs", "forget").out == "0 jobs are forgotten\n"
    assert run("jobs", "forget", "--days", "0", "--json").json == {"Forgotten": 1}
    assert [job.id for job in jobs.list()] == [waiting]


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_its_advice(state: JobState) -> None:
    sentence = advice(in_state(state, next_attempt_s=NOON_S), worker_runs=True)
    assert sentence.endswith(".")
    assert "{" not in sentence


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.WAITING])
def test_a_job_that_needs_a_worker_says_so_when_there_is_none(state: JobState) -> None:
    assert "radfuse worker" in advice(in_state(state), worker_runs=False)
    assert "radfuse worker" not in advice(in_state(JobState.FAILED), worker_runs=False)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (NOON_S - 60, "11:59:00"),
        (NOON_S - 86_400, "2026-02-28 12:00"),
        (NOON_S + 30, "at 12:00:30 (in 30 s)"),
        (NOON_S + 600, "at 12:10:00 (in 10 min)"),
        (NOON_S + 86_400, "at 2026-03-02 12:00 (in 24.0 h)"),
    ],
)
def test_times_are_told_as_people_say_them(seconds: float | None, text: str) -> None:
    assert when(seconds, NOON_S) == text
