"""A queue of ten thousand jobs: list, page and count them; submit one; what a finished item costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from benchmarks.common import Results, Settings, Value, folder_in
from radfuse.jobs import ItemState, JobContext, Jobs, NewItem, NewJob, run_next

ABOUT = (
    "The queue in SQLite, opened as a command opens it, synced at every commit. Asked: a page of 100 of 10,000 jobs "
    "in under 100 ms. Peers are not compared: none of them lists its queue without its server."
)
_WHO = "Radfuse"
_PAGE = 100


def run(settings: Settings, results: Results) -> None:
    """Fill once; then ask for pages and totals, and work on one job of many items."""
    count = settings.amount(10_000, 1000)
    with folder_in(settings.scratch) as folder:
        jobs = Jobs(folder)
        try:
            ids = _fill(jobs, count, results)
            for _ in range(settings.runs):
                _ask(jobs, ids, results)
                _work(jobs, settings.amount(10_000, 1000), results)
        finally:
            jobs.close()


def _fill(jobs: Jobs, count: int, results: Results) -> list[int]:
    begin = time.perf_counter()
    ids = [jobs.submit(_job(number, 10)) for number in range(count)]
    seconds = time.perf_counter() - begin
    results.add(Value("job of 10 items submitted, each synced", _WHO, "jobs/s", count / seconds))
    return ids


def _job(number: int, items: int) -> NewJob:
    names = [NewItem(f"2.25.{number:010d}.{item}") for item in range(items)]
    return NewJob("send", f"PEER{number % 20}", f"{items} objects to PEER{number % 20}", {"peer": "PEER"}, names)


def _ask(jobs: Jobs, ids: list[int], results: Results) -> None:
    count = len(ids)
    questions: dict[str, Callable[[], object]] = {
        "first page": lambda: jobs.list(limit=_PAGE),
        "page in the middle": lambda: jobs.list(before_id=ids[count // 2], limit=_PAGE),
        "last page": lambda: jobs.list(before_id=ids[_PAGE], limit=_PAGE),
        "all totals": jobs.totals,
        "one job and its items": lambda: (jobs.get(ids[count // 2]), jobs.items(ids[count // 2])),
    }
    for name, ask in questions.items():
        milliseconds = []
        for _ in range(20):
            begin = time.perf_counter()
            ask()
            milliseconds.append(1000 * (time.perf_counter() - begin))
        results.add(Value(f"{count} jobs: {name}", _WHO, "ms", median(milliseconds), False))

    everything = f"{count} jobs: all pages of {_PAGE}"
    begin = time.perf_counter()
    before = None
    while page := jobs.list(before_id=before, limit=_PAGE):
        before = page[-1].id
    results.add(Value(everything, _WHO, "ms", 1000 * (time.perf_counter() - begin), False))


def _work(jobs: Jobs, items: int, results: Results) -> None:
    def record(context: JobContext) -> None:
        for item in context.pending():
            if context.should_stop():
                return
            context.record(item.number, ItemState.SENT, 0x0000)

    job_id = jobs.submit(_job(0, items))
    begin = time.perf_counter()
    run_next(jobs, {"send": record}, job_id)
    seconds = time.perf_counter() - begin
    results.add(Value("results recorded, synced every 64", _WHO, "items/s", items / seconds))
