"""The access log: what is one line, when it is on disk, and how it is found again."""

from __future__ import annotations

import contextlib
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from radfuse.db import write_transaction
from radfuse.services.access_log import AccessEntry, AccessLog, AccessQuery, Outcome
from radfuse.services.access_log import log as log_module
from radfuse.services.access_log.model import access_table

VIEW = AccessEntry("anna", "reader", "192.0.2.1", "view", Outcome.DONE, "1.2.3", request="abc")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AccessLog]:
    with contextlib.closing(AccessLog(tmp_path)) as opened:
        yield opened


def lines(log: AccessLog, **query: object) -> list[AccessEntry]:
    log.flush()
    return log.page(AccessQuery(**query))[0]  # type: ignore[arg-type]


def search(words: str) -> AccessEntry:
    return replace(VIEW, action="search", study="", subject=words)


def test_the_same_thing_within_some_minutes_is_one_line(log: AccessLog) -> None:
    now = time.time()
    for place in (0, 10, 299):
        for _ in range(3):
            log.note(replace(VIEW, time_s=now + place, last_s=now + place))
        log.flush()
    (line,) = lines(log)
    assert (line.count, line.time_s, line.last_s) == (9, now, now + 299)
    log.note(replace(VIEW, time_s=now + 301, last_s=now + 301))
    assert [line.count for line in lines(log)] == [1, 9]


@pytest.mark.parametrize(
    "change",
    [{"user": "ben"}, {"study": "1.2.4"}, {"action": "download"}, {"outcome": Outcome.REFUSED}, {"address": "::1"}],
    ids=str,
)
def test_another_thing_is_a_line_of_its_own(log: AccessLog, change: dict[str, object]) -> None:
    log.note(VIEW)
    log.note(replace(VIEW, **change))  # type: ignore[arg-type]
    assert len(lines(log)) == 2


def test_a_search_that_is_typed_is_one_line_with_its_last_words(log: AccessLog) -> None:
    for words in ("d", "do", "doe"):
        log.note(search(words))
    log.flush()
    for words in ("doe j", "doe jane", "smith", "smit"):
        log.note(search(words))
    assert [(line.subject, line.count) for line in lines(log)] == [("smit", 2), ("doe jane", 5)]


def test_it_is_on_disk_soon_and_at_the_end(tmp_path: Path) -> None:
    with contextlib.closing(AccessLog(tmp_path)) as log:
        log.note(VIEW)
        deadline = time.monotonic() + 20
        while not log.page(AccessQuery())[0]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        log.note(replace(VIEW, study="1.2.4"))
    with contextlib.closing(AccessLog(tmp_path)) as log:
        assert [line.study for line in lines(log)] == ["1.2.4", "1.2.3"]


def test_what_is_written_at_once_is_there(log: AccessLog) -> None:
    log.write([replace(VIEW, action="login"), replace(VIEW, action="user added", subject="ben")])
    assert [line.action for line in log.page(AccessQuery())[0]] == ["user added", "login"]
    log.write([])


def test_it_is_its_owners_alone(log: AccessLog, tmp_path: Path) -> None:
    log.write([VIEW])
    files = list(tmp_path.glob("audit.sqlite*"))
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_control_characters_and_endless_texts_stay_out(log: AccessLog) -> None:
    log.write([replace(VIEW, subject="a\r\nb\x1b[2J" + "x" * 5000, user="<b>anna</b>")])
    (line,) = lines(log)
    assert line.subject.startswith("a  b [2Jxxx")
    assert len(line.subject) == 200
    assert line.user == "<b>anna</b>"


def test_a_database_that_cannot_be_written_loses_nothing(log: AccessLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_engine: object) -> object:
        raise OSError("no space")

    log.note(VIEW)
    with monkeypatch.context() as patch:
        patch.setattr(log_module, "write_transaction", full)
        for _ in range(2):
            with pytest.raises(OSError, match="no space"):
                log.flush()
            log.note(VIEW)
    assert sum(line.count for line in lines(log)) == 3


def test_a_flood_of_different_things_is_bounded(
    log: AccessLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log_module, "_MOST_WAITING", 100)
    for number in range(1000):
        log.note(replace(VIEW, study=str(number)))
    assert 100 <= len(lines(log, limit=1000)) < 1000
    log._tell_lost()
    assert "could not keep up" in caplog.text


def filled(log: AccessLog, count: int) -> None:
    """Lines of ``count`` seconds, one each."""
    rows = [
        replace(
            VIEW,
            user=f"user{number % 7}",
            action=("view", "download", "login")[number % 3],
            outcome=Outcome.REFUSED if number % 100 == 0 else Outcome.DONE,
            study=f"1.2.{number % 50}",
            time_s=1000.0 + number,
            last_s=1000.0 + number,
        ).as_row()
        for number in range(count)
    ]
    with write_transaction(log._engine) as connection:
        connection.execute(insert(access_table), rows)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"user": "user3"},
        {"action": "login"},
        {"outcome": "refused"},
        {"study": "1.2.17"},
        {"user": "user3", "study": "1.2.17"},
        {"from_s": 1500.0},
        {"until_s": 1500.0},
        {"from_s": 1200.0, "until_s": 1700.5, "action": "view"},
        {"from_s": 9e9},
        {"until_s": 5.0},
        {"user": "nobody"},
    ],
    ids=str,
)
def test_pages_hold_each_line_once_and_only_those_that_are_wanted(log: AccessLog, query: dict[str, object]) -> None:
    filled(log, 1000)
    everything = [line for line in log.page(AccessQuery(limit=1000))[0] if _fits(line, query)]
    found: list[AccessEntry] = []
    has_more, before = True, None
    while has_more:
        page, has_more = log.page(AccessQuery(**query, before=before, limit=70))  # type: ignore[arg-type]
        assert page or not has_more
        found += page
        before = page[-1].id if page else None
    assert found == everything
    assert [line.id for line in found] == sorted((line.id for line in found), reverse=True)


def _fits(line: AccessEntry, query: dict[str, object]) -> bool:
    from_s, until_s = query.get("from_s", 0.0), query.get("until_s", 9e99)
    assert isinstance(from_s, float)
    assert isinstance(until_s, float)
    named = all(getattr(line, name) == value for name, value in query.items() if not name.endswith("_s"))
    return named and from_s <= line.time_s < until_s


def test_a_page_does_not_read_the_whole_log(log: AccessLog) -> None:
    from sqlalchemy import event

    plans: list[str] = []

    @event.listens_for(log._engine, "before_cursor_execute")
    def explain(_connection, cursor, statement, parameters, _context, _many):  # type: ignore[no-untyped-def]
        if statement.startswith("SELECT"):
            found = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in found)

    for query in ({"user": "a"}, {"action": "a"}, {"outcome": "a"}, {"study": "a"}, {"from_s": 1.0}, {"until_s": 1.0}):
        log.page(AccessQuery(**query))
    assert plans
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]
    assert not [plan for plan in plans if plan.startswith("SCAN access") and "USING" not in plan]


def test_old_lines_are_removed(tmp_path: Path) -> None:
    with contextlib.closing(AccessLog(tmp_path, keep_days=1)) as log:
        filled(log, 300)
        log.write([VIEW])
        assert log.prune(1000.0 + 86_400 + 100) == 100
        assert len(log.page(AccessQuery(limit=1000))[0]) == 201
        log.prune()
        assert [line.study for line in log.page(AccessQuery())[0]] == ["1.2.3"]


def test_without_a_limit_nothing_is_removed(log: AccessLog) -> None:
    filled(log, 10)
    assert log.prune() == 0
