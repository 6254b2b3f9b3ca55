"""With its index in PostgreSQL an archive deletes, and is followed by the router, as with SQLite."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from radfuse.archive import Archive, Outcome
from radfuse.services.routing import router as router_module
from tests.archive.objects import AnObject, contents, numbered, settings, store, store_files, stored_objects
from tests.services.routing_scenes import Desk

pytestmark = pytest.mark.postgresql


def test_a_study_is_stored_by_many_threads_while_it_is_deleted(new_database: Callable[[], str], tmp_path: Path) -> None:
    url = new_database()
    with (
        Archive(settings(tmp_path, index_url=url)) as archive,
        Archive(settings(tmp_path, index_url=url)) as deleting,
        ThreadPoolExecutor(8) as pool,
    ):
        deleted: set[str] = set()

        def store_share(share: int) -> None:
            for number in range(share, 200, 8):
                each = AnObject(f"2.25.7.{number}", series=f"2.25.20.{number % 3}")
                assert store(archive, each) is Outcome.KEPT

        storing = [pool.submit(store_share, share) for share in range(8)]
        while not all(share.done() for share in storing):
            deleted |= {stored.sop_instance_uid for stored in deleting.delete(stored_objects(deleting).values())}
        for share in storing:
            share.result()
        left = set(contents(archive))
        assert left | deleted == {f"2.25.7.{number}" for number in range(200)}
        assert not left & deleted
        deleting.delete(stored_objects(deleting).values())
        assert store_files(tmp_path) == []


def test_everything_that_many_threads_store_is_routed_once(
    new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router_module, "_LATE_COMMIT_S", 0.2)
    with contextlib.closing(Desk(tmp_path / "data", index_url=new_database())) as desk, ThreadPoolExecutor(4) as pool:
        desk.peer("PACS")
        desk.rule(forget=True)

        def store_share(share: int) -> None:
            for number in range(share, 80, 4):
                store(desk.archive, numbered(number))

        storing = [pool.submit(store_share, share) for share in range(4)]
        while not all(share.done() for share in storing):
            desk.router.step()
        desk.settle()
        assert sorted(desk.sent) == sorted(("PACS", f"2.25.7.{number}") for number in range(80))
        desk.pass_s(1000)
        desk.settle()
        assert desk.kept() == set()
