"""The jobs over the API, on a queue that this process has."""

from __future__ import annotations

import pytest

from radfuse.jobs import ItemState, JobContext, JobState, NewItem, NewJob, run_next
from tests.web.api.conftest import RunningApi


def queued(api: RunningApi, kind: str = "send", peer: str = "PACS1", items: int = 3, delay_s: float = 0.0) -> int:
    names = [NewItem(f"1.2.{number}") for number in range(1, items + 1)]
    return api.desk.jobs.submit(NewJob(kind, peer, f"{items} objects", {"peer": peer}, names, delay_s=delay_s))


def ended(api: RunningApi, *results: tuple[ItemState, int | None, str]) -> int:
    number = queued(api, items=len(results))

    def kind(context: JobContext) -> None:
        for item, result in enumerate(results, 1):
            context.record(item, *result)

    run_next(api.desk.jobs, {"send": kind}, number)
    return number


def test_the_newest_jobs_come_first_and_page_by_page(api: RunningApi) -> None:
    numbers = [queued(api) for _ in range(5)]
    first = api.get("/jobs", limit=3)
    assert [job["id"] for job in first["jobs"]] == numbers[:1:-1]
    assert first["has_more"]
    rest = api.get("/jobs", limit=3, before=first["jobs"][-1]["id"])
    assert [job["id"] for job in rest["jobs"]] == numbers[1::-1]
    assert not rest["has_more"]


def test_jobs_are_filtered_by_states_kind_and_peer(api: RunningApi) -> None:
    send, other, retrieve = queued(api), queued(api, peer="PACS2"), queued(api, kind="retrieve")
    api.desk.jobs.cancel(other)
    assert [job["id"] for job in api.get("/jobs", state=["queued"])["jobs"]] == [retrieve, send]
    assert [job["id"] for job in api.get("/jobs", state=["cancelled", "failed"])["jobs"]] == [other]
    assert [job["id"] for job in api.get("/jobs", kind="retrieve")["jobs"]] == [retrieve]
    assert [job["id"] for job in api.get("/jobs", peer="PACS2")["jobs"]] == [other]


def test_totals_name_every_state(api: RunningApi) -> None:
    queued(api)
    assert api.get("/jobs/totals") == dict.fromkeys((state.value for state in JobState), 0) | {"queued": 1}


def test_a_job_says_its_peer_its_counts_and_what_can_be_done_to_it(api: RunningApi) -> None:
    number = ended(api, (ItemState.SENT, 0, ""), (ItemState.FAILED, 0xA700, "its disk is full"))
    job = api.get(f"/jobs/{number}")
    assert (job["peer"], job["state"], job["sent"], job["failed"]) == ("PACS1", "failed", 1, 1)
    assert "its disk is full" in job["message"]
    assert job["actions"] == ["retry"]


def test_items_say_what_their_status_means(api: RunningApi) -> None:
    number = ended(
        api, (ItemState.SENT, 0, ""), (ItemState.WARNED, 0xB000, ""), (ItemState.FAILED, 0xA700, "its disk is full")
    )
    items = api.get(f"/jobs/{number}/items")["items"]
    assert [(item["state"], item["status"], item["meaning"]) for item in items] == [
        ("sent", "0000", "success"),
        ("warned", "B000", "coercion of data elements"),
        ("failed", "A700", "out of resources"),
    ]
    assert [item["number"] for item in api.get(f"/jobs/{number}/items", state="failed")["items"]] == [3]
    page = api.get(f"/jobs/{number}/items", after=1, limit=1)
    assert ([item["number"] for item in page["items"]], page["has_more"]) == ([2], True)


def test_a_job_is_paused_resumed_cancelled_and_retried(api: RunningApi) -> None:
    number = queued(api)
    for action, state, actions in (
        ("pause", "paused", ["resume", "cancel"]),
        ("resume", "queued", ["pause", "cancel"]),
        ("cancel", "cancelled", ["retry"]),
        ("retry", "queued", ["pause", "cancel"]),
    ):
        job = api.send("POST", f"/jobs/{number}/{action}")
        assert (job["state"], job["actions"]) == (state, actions)


@pytest.mark.parametrize("action", ["resume", "retry"])
def test_what_a_job_cannot_do_now_is_a_conflict(api: RunningApi, action: str) -> None:
    number = queued(api)
    problem = api.problem("POST", f"/jobs/{number}/{action}")
    assert problem["status"] == 409
    assert f"job {number} is queued" in problem["detail"]


def test_a_deletion_that_was_taken_back_is_not_started_again(api: RunningApi) -> None:
    number = queued(api, kind="delete", delay_s=300)
    assert api.send("POST", f"/jobs/{number}/cancel")["actions"] == []
    assert api.problem("POST", f"/jobs/{number}/retry")["status"] == 409


@pytest.mark.parametrize("path", ["/jobs/99", "/jobs/99/items"])
def test_a_job_that_is_not_there_is_404(api: RunningApi, path: str) -> None:
    assert api.problem("GET", path)["status"] == 404
    assert api.problem("POST", "/jobs/99/cancel")["status"] == 404


@pytest.mark.parametrize(
    ("query", "setting"),
    [({"state": "<b>"}, "state.0"), ({"limit": 0}, "limit"), ({"before": "x"}, "before"), ({"limit": 10**30}, "limit")],
)
def test_a_filter_that_cannot_be_is_400_and_names_the_field(
    api: RunningApi, query: dict[str, object], setting: str
) -> None:
    problem = api.problem("GET", "/jobs", **query)
    assert (problem["status"], problem["setting"]) == (400, setting)
    assert "<b>" not in problem["detail"]


def test_a_job_that_does_not_run_yet_is_given_another_priority(api: RunningApi) -> None:
    number = queued(api)
    assert api.send("PUT", f"/jobs/{number}/priority", {"priority": 1})["priority"] == 1
    assert api.problem("PUT", f"/jobs/{number}/priority", {"priority": 0})["setting"] == "priority"
    api.desk.jobs.cancel(number)
    assert api.problem("PUT", f"/jobs/{number}/priority", {"priority": 2})["status"] == 409
