"""What an archive holds is counted once, and then kept up with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.archive import Archive, queries
from radfuse.services import holdings
from radfuse.services.holdings import Holding, Holdings
from tests.archive.objects import numbered, open_archive, store


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "_FRESH_S", 0.0)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Archive]:
    (tmp_path / "data").mkdir()
    with open_archive(tmp_path / "data") as archive:
        for number in (1, 2, 101):
            store(archive, numbered(number))
        yield archive


def everything(archive: Archive) -> int:
    with archive.reading() as connection:
        return queries.added(connection, 0, 0).all.size_bytes


def came(holding: Holding) -> int:
    return sum(amount.objects for amount in holding.arrivals.values())


def test_what_came_is_added_to_what_was_there(filled: Archive) -> None:
    counting = Holdings(filled)
    before = counting.now()
    assert (before.instances, came(before)) == (3, 3)
    assert before.size_bytes == everything(filled) > 0
    store(filled, numbered(3))
    after = counting.now()
    assert (after.instances, came(after)) == (4, 4)
    assert after.size_bytes == everything(filled) > before.size_bytes


def test_what_is_deleted_is_taken_off_and_came_in_all_the_same(filled: Archive) -> None:
    counting = Holdings(filled)
    counting.now()
    with filled.reading() as connection:
        last = next(iter(queries.objects_since(connection, _a_study(filled), 0, ()))).stored
    filled.delete([last])
    store(filled, numbered(4))
    after = counting.now()
    assert (after.instances, came(after)) == (3, 4)
    assert after.size_bytes == everything(filled)


def _a_study(archive: Archive) -> str:
    with archive.reading() as connection:
        return queries.arrivals(connection, 0, 1)[0].study_instance_uid


def test_within_some_seconds_it_says_the_same(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "_FRESH_S", 3600.0)
    counting = Holdings(filled)
    before = counting.now()
    store(filled, numbered(3))
    assert counting.now() is before


def test_an_empty_archive_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with open_archive(tmp_path / "data") as archive:
        assert Holdings(archive).now() == Holding(0, 0, 0, 0, 0, {})
