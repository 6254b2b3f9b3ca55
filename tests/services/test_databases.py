"""Local AE titles and the archives behind them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from radfuse.archive import ArchiveSettings
from radfuse.core.aetitle import AETitle
from radfuse.core.errors import ConfigurationError
from radfuse.services.databases import Databases, database_folder


def test_the_default_database_is_the_data_folder_and_others_lie_below(tmp_path: Path) -> None:
    assert database_folder(tmp_path, "default") == tmp_path
    assert database_folder(tmp_path, "research-2") == tmp_path / "databases" / "research-2"


@pytest.mark.parametrize("name", ["", "..", "../x", "A", "a/b", "x" * 33, "-a"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a name"):
        database_folder(tmp_path, name)


def test_titles_share_a_database_or_have_their_own(tmp_path: Path) -> None:
    names = {AETitle("ONE"): "default", AETitle("TWO"): "other", AETitle("THREE"): "default"}
    settings = {name: ArchiveSettings(database_folder(tmp_path, name)) for name in ("default", "other")}
    with contextlib.closing(Databases(names, settings)) as databases:
        assert databases.ae_titles == {"ONE", "TWO", "THREE"}
        assert databases.of("ONE") is databases.of("THREE")
        assert databases.of("TWO") is not databases.of("ONE")
        databases.prepare_to_receive()
