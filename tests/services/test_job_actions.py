"""What can be done to a job, and what its statuses mean."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.core.errors import JobNotInState
from radfuse.core.store_statuses import STORE_STATUSES
from radfuse.jobs import Item, ItemState, Jobs, JobState, NewJob, run_next
from radfuse.services.job_actions import JobAction, act, actions_of, meaning_of_item


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with contextlib.closing(Jobs(tmp_path)) as opened:
        yield opened


def _in_state(jobs: Jobs, state: JobState) -> int:
    """A job brought into a state by what brings jobs there."""
    number = jobs.submit(NewJob("send", "PACS1", "nothing", delay_s=300 if state is JobState.WAITING else 0))
    if state is JobState.PAUSED:
        jobs.pause(number)
    elif state is JobState.CANCELLED:
        jobs.cancel(number)
    elif state in (JobState.DONE, JobState.FAILED):
        run_next(jobs, {"send": lambda _: None} if state is JobState.DONE else {}, number)
    assert jobs.get(number).state is state
    return number


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.RUNNING])
@pytest.mark.parametrize("action", JobAction)
def test_what_is_offered_can_be_done_and_what_is_not_is_refused(jobs: Jobs, state: JobState, action: JobAction) -> None:
    number = _in_state(jobs, state)
    if action in actions_of(jobs.get(number)):
        assert act(jobs, number, action).state is not state
    else:
        with pytest.raises(JobNotInState):
            act(jobs, number, action)


def test_every_state_has_its_actions(jobs: Jobs) -> None:
    assert actions_of(jobs.get(_in_state(jobs, JobState.WAITING)))[0] is JobAction.RESUME


def _meaning(status: int | None, kind: str) -> str:
    return meaning_of_item(Item(1, "1.2.3", "", ItemState.FAILED, status, "", 0.0), kind)


@pytest.mark.parametrize("known", STORE_STATUSES, ids=lambda known: f"{known.first:04X}")
def test_a_send_says_what_the_storage_service_means(known: tuple[int, int, str, object]) -> None:
    assert _meaning(known[0], "send") == _meaning(known[1], "send") == known[2]


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (None, ""),
        (0x0000, "success"),
        (0xA701, "out of resources: cannot count the matches"),
        (0xA702, "out of resources: cannot perform sub-operations"),
        (0xA801, "move destination unknown"),
        (0xA900, "identifier does not match SOP class"),
        (0xB000, "complete, with failures"),
        (0xC001, "unable to process"),
        (0xFE00, "cancelled"),
        (0x0124, "not authorized"),
        (0x4242, "a status of the peer's own"),
    ],
)
def test_a_retrieval_says_what_the_retrieve_services_mean(status: int | None, meaning: str) -> None:
    assert _meaning(status, "retrieve") == meaning
