"""The tables of docs/media.md are those of the code."""

from __future__ import annotations

from radfuse.media import PROFILES
from scripts import media_tables


def test_the_tables_are_up_to_date() -> None:
    page = media_tables.PAGE.read_text(encoding="utf-8")
    assert set(media_tables.TABLES) == {found[2] for found in media_tables.BLOCK.finditer(page)}
    assert page == media_tables.written(page), "run: make docs"
    assert all(f"`{name}`" in page for name in PROFILES)


def test_an_outdated_table_is_written_again() -> None:
    page = media_tables.PAGE.read_text(encoding="utf-8")
    assert media_tables.written(page.replace("CD-R", "floppy disc")) != page.replace("CD-R", "floppy disc")
