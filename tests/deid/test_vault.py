"""The vault: the way back, for whoever has the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from radfuse.core.errors import ConfigurationError
from radfuse.deid import Original, Vault

ID = Original("PatientID", "ANON-A", "4711")
NAME = Original("PatientName", "ANON-A", "Müller^Jörg")
UID = Original("SOPInstanceUID", "2.25.1", "1.2.3")


def test_a_pseudonym_leads_back_to_what_it_stands_for(tmp_path: Path) -> None:
    with Vault(tmp_path / "vault") as vault:
        vault.note([NAME, UID, ID])
        vault.note([ID])
        vault.note([])
    with Vault(tmp_path / "vault", must_exist=True) as vault:
        assert vault.originals_of("ANON-A") == [ID, NAME]
        assert vault.originals_of("ANON-B") == []
        assert len(list(vault)) == 3


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    with Vault(tmp_path / "vault") as vault:
        vault.note([ID])
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_one_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such vault"):
        Vault(tmp_path / "vault", must_exist=True)
    assert not any(tmp_path.iterdir())
