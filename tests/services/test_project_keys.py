"""Named keys of a data folder: made once, never overwritten, and for their owner alone."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from radfuse.core.errors import ConfigurationError
from radfuse.deid import ProjectKey
from radfuse.services.project_keys import Keys, key_of_file, new_key_file


def test_a_key_is_made_once_and_is_the_same_ever_after(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    path = keys.new("trial-7")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert keys.get("trial-7") == Keys(tmp_path).get("trial-7")
    assert keys.names() == ["trial-7"]
    with pytest.raises(ConfigurationError, match="never overwritten"):
        keys.new("trial-7")


def test_only_the_default_key_makes_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no key 'other'"):
        Keys(tmp_path).get("other")
    assert Keys(tmp_path).get("default") == Keys(tmp_path).get("default")


@pytest.mark.parametrize("name", ["", "../key", "a b", "a.key", "x" * 65])
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a name"):
        Keys(tmp_path).new(name)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = new_key_file(tmp_path / "project")
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        key_of_file(path)


def test_all_who_make_the_same_key_at_once_have_the_same(tmp_path: Path) -> None:
    at_once = Barrier(8)

    def made(_number: int) -> ProjectKey:
        at_once.wait()
        return key_of_file(tmp_path / "project")

    with ThreadPoolExecutor(8) as pool:
        assert len({key.secret for key in pool.map(made, range(8))}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_a_key_that_could_not_be_written_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space left"):
            new_key_file(tmp_path / "project")
    assert not any(tmp_path.iterdir())


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "project"
    path.write_text("secret")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="is no project key"):
        key_of_file(path)
