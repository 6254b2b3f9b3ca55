"""``radfuse.toml`` is changed without losing what people wrote, and never half."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radfuse.app.settings_file import change_file, changed_text, read_text
from radfuse.core.errors import ConfigurationError

WRITTEN = """# About this node
dicom_port = 104  # the scanners'

[databases]
# for trials
TRIAL = "trial"
OLD = "old"  # going

[limits]  # seconds
idle_s = 7.5
"""


def test_a_value_is_changed_where_it_stands() -> None:
    assert changed_text(WRITTEN, {"dicom_port": 105}) == WRITTEN.replace("104", "105")
    assert changed_text(WRITTEN, {"limits.idle_s": None}) == WRITTEN.replace("idle_s = 7.5\n", "")
    assert changed_text(WRITTEN, {"limits.pdu_s": None, "jobs.poll_s": None}) == WRITTEN


def test_entries_of_a_table_come_and_go_one_by_one() -> None:
    changed = changed_text(WRITTEN, {"databases": {"TRIAL": "trial", "NEW": "new"}})
    assert "# for trials\nTRIAL" in changed
    assert "OLD" not in changed
    assert tomllib.loads(changed)["databases"] == {"TRIAL": "trial", "NEW": "new"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "limits = { idle_s = 7.5 }\n",
        "limits.idle_s = 7.5\nhost = '::1'\n",
        "[limits]\nidle_s = 7.5\n[storage]\nduplicates = 'keep'\n[tls]\n",
        "[storage]\r\nduplicates = 'keep'\r\n",
        '\'host\' = """::1"""',
    ],
)
def test_every_way_to_write_it_can_be_changed(text: str) -> None:
    changes: dict[str, Any] = {
        "limits.pdu_s": 9.5,
        "host": "127.0.0.1",
        "storage.extra_classes": ["1.2"],
        "tls.key": "k",
    }
    before = tomllib.loads(text)
    after = tomllib.loads(changed_text(text, changes))
    assert after["limits"] == before.get("limits", {}) | {"pdu_s": 9.5}
    assert after["host"] == "127.0.0.1"
    assert after["storage"] == before.get("storage", {}) | {"extra_classes": ["1.2"]}
    assert after["tls"] == {"key": "k"}


_KEYS = st.sampled_from(["host", "limits.idle_s", "limits.pdu_s", "databases", "storage.extra_classes", "tls.key"])
_VALUES = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.integers(-(1 << 53), 1 << 53),
    st.booleans(),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=4),
)


@given(st.lists(st.dictionaries(_KEYS, _VALUES, max_size=4), max_size=4))
def test_changes_say_what_they_should_or_are_refused(rounds: list[dict[str, Any]]) -> None:
    text, expected = WRITTEN, tomllib.loads(WRITTEN)
    for changes in rounds:
        text = changed_text(text, changes)
        for key, value in changes.items():
            *sections, name = key.split(".")
            table = expected
            for section in sections:
                table = table.setdefault(section, {}) if value is not None else table.get(section, {})
            if value is None:
                table.pop(name, None)
            else:
                table[name] = value
    assert tomllib.loads(text) == expected


def test_what_is_no_table_cannot_be_gone_into() -> None:
    with pytest.raises(ConfigurationError, match="edit it by hand"):
        changed_text("limits = 7", {"limits.pdu_s": 9.5})


# --- the file ------------------------------------------------------------------------------------


def test_mode_and_links_stay_and_nothing_is_left_beside(tmp_path: Path) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    real = elsewhere / "ours.toml"
    real.write_text(WRITTEN, encoding="utf-8")
    real.chmod(0o600)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "radfuse.toml").symlink_to(real)
    settings = change_file(folder, {"dicom_port": 105}, lambda _: None)
    assert (settings.dicom_port, settings.data) == (105, folder)
    assert (folder / "radfuse.toml").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [path.name for path in elsewhere.iterdir()] == ["ours.toml"]
    assert read_text(folder) == WRITTEN.replace("104", "105")


def test_a_new_file_is_not_for_everybody(tmp_path: Path) -> None:
    change_file(tmp_path, {"workers": 1}, lambda _: None)
    assert stat.S_IMODE((tmp_path / "radfuse.toml").stat().st_mode) & 0o007 == 0


def test_what_a_check_refuses_is_not_written(tmp_path: Path) -> None:
    def refuse(_settings: object) -> None:
        raise ConfigurationError("workers", "no")

    with pytest.raises(ConfigurationError, match="workers: no"):
        change_file(tmp_path, {"workers": 1}, refuse)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ConfigurationError, match="cannot be written"):
            change_file(tmp_path, {"workers": 1}, lambda _: None)
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        change_file(tmp_path / "gone", {"workers": 1}, lambda _: None)
