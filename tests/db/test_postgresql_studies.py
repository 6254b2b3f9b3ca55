"""Lists of studies from an index in PostgreSQL are those from one with SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection

from radfuse.archive.index import studies
from radfuse.db import Schema, create_database_engine, prepare_schema
from tests.archive.index.small_archive import fill
from tests.archive.index.studies_scene import check_cases, check_pages, patients, spread_arrivals

pytestmark = pytest.mark.postgresql


@pytest.fixture
def connection(new_database: Callable[[], str]) -> Iterator[Connection]:
    engine = create_database_engine(new_database())
    try:
        prepare_schema(engine, Schema.INDEX)
        with engine.begin() as opened:
            fill(opened, patients())
            spread_arrivals(opened)
            yield opened
    finally:
        engine.dispose()


def test_every_kind_of_word_finds_what_fits(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    check_cases(connection)
    monkeypatch.setattr(studies, "_FEW", 2)
    check_cases(connection)


def test_pages_put_together_are_the_whole_list(connection: Connection) -> None:
    check_pages(connection)
