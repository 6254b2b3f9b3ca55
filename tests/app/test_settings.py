"""Settings come from the file and the environment; what cannot be used is said in one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.app.compose import archive_settings, listen, open_archive, open_peers, wire_limits
from radfuse.app.settings import load_settings
from radfuse.archive import DuplicatePolicy
from radfuse.core.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("RADFUSE_"):
            monkeypatch.delenv(name)
    yield


def write(folder: Path, text: str) -> Path:
    (folder / "radfuse.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_the_defaults_serve_loopback_only(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings.data == tmp_path
    assert settings.host == "127.0.0.1"
    assert settings.dicom_port == 11112
    assert settings.storage.duplicates is DuplicatePolicy.KEEP
    assert not settings.storage.accept_unknown_classes
    assert 1 <= settings.workers <= 4
    assert settings.database_names() == {settings.ae_title: "default"}


def test_the_file_is_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        'ae_title = "ONE"\ndicom_port = 0\nworkers = 2\n[databases]\nTWO = "second"\n'
        '[storage]\nduplicates = "reject"\nextra_classes = ["1.2.3"]\n[limits]\nidle_s = 7.5\n',
    )
    settings = load_settings(tmp_path)
    assert (settings.ae_title, settings.dicom_port, settings.workers) == ("ONE", 0, 2)
    assert settings.storage.duplicates is DuplicatePolicy.REJECT
    assert settings.storage.extra_classes == ["1.2.3"]
    assert wire_limits(settings).idle_s == 7.5
    assert settings.database_names() == {"ONE": "default", "TWO": "second"}
    assert archive_settings(settings).folder == tmp_path
    assert archive_settings(settings, "second").folder == tmp_path / "databases" / "second"


def test_the_environment_overrides_the_file_key_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'ae_title = "ONE"\n[storage]\nduplicates = "reject"\nreserve_bytes = 1\n')
    monkeypatch.setenv("RADFUSE_AE_TITLE", "TWO")
    monkeypatch.setenv("RADFUSE_STORAGE__DUPLICATES", "replace")
    monkeypatch.setenv("RADFUSE_LIMITS__SHUTDOWN_S", "0.5")
    monkeypatch.setenv("RADFUSE_VOLUME_CACHE_BYTES", "7")
    settings = load_settings(tmp_path)
    assert settings.ae_title == "TWO"
    assert settings.storage.duplicates is DuplicatePolicy.REPLACE
    assert settings.storage.reserve_bytes == 1
    assert settings.limits.shutdown_s == 0.5
    assert archive_settings(settings).space.reserve_bytes == 1
    assert archive_settings(settings).volume_cache_bytes == 7


def test_the_data_folder_is_named_by_the_environment_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADFUSE_DATA", str(tmp_path))
    write(tmp_path, 'ae_title = "ONE"\n')
    assert load_settings().data == tmp_path
    assert load_settings().ae_title == "ONE"
    monkeypatch.delenv("RADFUSE_DATA")
    monkeypatch.chdir(tmp_path)
    assert load_settings().data == Path("radfuse-data")


@pytest.mark.parametrize(
    ("text", "setting", "word"),
    [
        ("ae_titel = 'X'", "radfuse.toml: ae_titel", "unknown setting"),
        ("[storage]\nduplicate = 'keep'", "storage.duplicate", "not permitted"),
        ("[limits]\nidle = 3", "limits.idle", "not permitted"),
        ("ae_title = 'SEVENTEEN_LETTERS'", "ae_title", "AE title"),
        ("ae_title = '   '", "ae_title", "AE title"),
        ("ae_title = 7", "ae_title", "string"),
        ("dicom_port = 70000", "dicom_port", "65535"),
        ("dicom_port = 'high'", "dicom_port", "integer"),
        ("workers = 0", "workers", "1"),
        ("workers = 65", "workers", "64"),
        ("[storage]\nduplicates = 'maybe'", "storage.duplicates", "keep"),
        ("[storage]\nextra_classes = ['1..2']", "storage.extra_classes", "UID"),
        ("[storage]\nobject_limit_bytes = 0", "storage.object_limit_bytes", "greater than 0"),
        ("[storage]\nreserve_bytes = -1", "storage.reserve_bytes", "0"),
        ("[limits]\nartim_s = 0", "limits.artim_s", "greater than 0"),
        ("[databases]\n'BAD\\TITLE' = 'x'", "databases", "AE title"),
        ("storage = 3", "storage", "dictionary"),
        ("ae_title = ", "radfuse.toml", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(text: str, setting: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(write(tmp_path, text))
    assert refused.value.setting.startswith(setting)
    assert word in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_text_is_said_not_to_be(tmp_path: Path) -> None:
    (tmp_path / "radfuse.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"radfuse\.toml: cannot be read"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "setting"),
    [
        ("RADFUSE_DICOM_PORT", "x", "dicom_port"),
        ("RADFUSE_STORAGE__DUPLICATES", "sometimes", "storage.duplicates"),
        ("RADFUSE_WORKERS", "many", "workers"),
    ],
)
def test_an_environment_variable_that_cannot_be_used_is_said_too(
    name: str, value: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings(tmp_path)
    assert refused.value.setting == setting


def test_archive_and_peers_are_opened_in_the_folder(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "new")
    with open_archive(settings):
        assert (tmp_path / "new" / "index.sqlite").exists()
    open_peers(settings).close()


def test_a_port_that_is_taken_is_a_setting_that_cannot_be_used(tmp_path: Path, free_port: int) -> None:
    write(tmp_path, f"dicom_port = {free_port}\n")
    settings = load_settings(tmp_path)
    with listen(settings), pytest.raises(ConfigurationError) as refused:
        listen(settings)
    assert str(free_port) in str(refused.value)
    six = load_settings(write(tmp_path, 'dicom_port = 0\nhost = "::1"\n'))
    with listen(six) as listener:
        assert listener.getsockname()[1]


def test_jobs_have_settings_of_their_own(tmp_path: Path) -> None:
    defaults = load_settings(tmp_path)
    assert (defaults.jobs_url, defaults.workstation_ae_title) == ("", "RADFUSE_SCU")
    assert (defaults.jobs.concurrency, defaults.jobs.keep_days, defaults.jobs.poll_s) == (8, 30.0, 0.25)
    write(tmp_path, 'workstation_ae_title = "READER"\n[jobs]\nconcurrency = 2\nkeep_days = 0.5\n')
    settings = load_settings(tmp_path)
    assert (settings.workstation_ae_title, settings.jobs.concurrency, settings.jobs.keep_days) == ("READER", 2, 0.5)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('workstation_ae_title = "much too long a title"', "workstation_ae_title"),
        ("[jobs]\nconcurrency = 0", "jobs.concurrency"),
        ("[jobs]\nkeep_days = -1", "jobs.keep_days"),
        ("[jobs]\npoll_s = 0", "jobs.poll_s"),
        ("[jobs]\nretries = 5", "jobs.retries"),
    ],
)
def test_an_impossible_setting_of_jobs_is_named(text: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(write(tmp_path, text))
    assert refused.value.setting == key
