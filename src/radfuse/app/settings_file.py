"""Changing ``radfuse.toml``: comments and order stay, and it is never half written."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from radfuse.app.settings import SETTINGS_FILE, Settings, load_settings
from radfuse.core.errors import ConfigurationError
from radfuse.services.node_facts import SettingValue

_NEW_MODE: Final = 0o640
_BY_HAND: Final = "is written in a way that cannot be changed here; edit it by hand"

Changes = Mapping[str, SettingValue | None]
"""By key; None removes the key."""


def read_text(folder: Path) -> str:
    """The settings file as it is; empty when there is none. Raises ConfigurationError."""
    try:
        return (folder / SETTINGS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise ConfigurationError(SETTINGS_FILE, f"cannot be read: {error}") from error


def values_in(text: str) -> dict[str, Any]:
    """What a settings file says. Raises ConfigurationError."""
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ConfigurationError(SETTINGS_FILE, f"cannot be read: {error}") from error


def change_file(folder: Path, changes: Changes, check: Callable[[Settings], None]) -> Settings:
    """Make the changes, once the settings that result were loaded and checked; they are returned.

    Raises ConfigurationError with the setting that cannot be used; the file is as it was then.
    """
    before = read_text(folder)
    text = changed_text(before, changes)
    with tempfile.TemporaryDirectory() as elsewhere:
        (Path(elsewhere) / SETTINGS_FILE).write_text(text, encoding="utf-8")
        settings = load_settings(Path(elsewhere)).model_copy(update={"data": folder})
    check(settings)
    if text != before:
        _replace(folder / SETTINGS_FILE, text.encode("utf-8"))
    return settings


# --- the text ------------------------------------------------------------------------------------


def changed_text(text: str, changes: Changes) -> str:
    """A settings file with the changes made in it. Raises ConfigurationError."""
    expected = values_in(text)
    document: Any = tomlkit.parse(text)
    try:
        for key, value in changes.items():
            _change(document, key.split("."), value)
            _change(expected, key.split("."), value)
        changed = tomlkit.dumps(document)
        if tomllib.loads(changed) == expected:
            return changed
    except (TOMLKitError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(SETTINGS_FILE, _BY_HAND) from error
    raise ConfigurationError(SETTINGS_FILE, _BY_HAND)


def _change(table: Any, path: list[str], value: SettingValue | None) -> None:
    """Set what is at ``path`` in a table, of tomlkit's or a dict, or remove it."""
    *sections, name = path
    for section in sections:
        if section not in table:
            if value is None:
                return
            table[section] = {}
        table = table[section]
    if value is None:
        table.pop(name, None)
    elif isinstance(value, dict) and isinstance(table.get(name), dict):
        _change_map(table[name], value)
    else:
        table[name] = value


def _change_map(table: Any, value: dict[str, str]) -> None:
    """Entry by entry, so that what is said about those that stay does too."""
    for gone in [key for key in table if key not in value]:
        del table[gone]
    for key, entry in value.items():
        if table.get(key) != entry:
            table[key] = entry


# --- the file ------------------------------------------------------------------------------------


def _replace(path: Path, content: bytes) -> None:
    """Write the file anew beside the old one, and put it in its place once it is safe."""
    target = Path(os.path.realpath(path))  # one that is a link stays one
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else _NEW_MODE
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise ConfigurationError(SETTINGS_FILE, f"cannot be written: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
