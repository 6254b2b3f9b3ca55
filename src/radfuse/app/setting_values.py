"""Settings one by one: what each is worth and where that comes from, and whether a change can be made."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, get_origin

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from radfuse.app.compose import tls_identity
from radfuse.app.setting_table import SettingEntry, setting_entries
from radfuse.app.settings import Settings, load_settings
from radfuse.core.errors import ConfigurationError
from radfuse.services.certificates import check_identity
from radfuse.services.databases import database_folder
from radfuse.services.node_facts import SettingFacts, SettingKind, SettingSource, SettingValue

_HIDDEN: Final = "***"
_URLS: Final = ("index_url", "jobs_url")
"""These may hold passwords."""
_NOT_HERE: Final = "data"
"""The data folder is where the file lies: no key of it."""


def setting_facts(running: Settings, in_file: Mapping[str, Any]) -> list[SettingFacts]:
    """Every setting as a start now would have it. ``running``: what the service has. Raises ConfigurationError."""
    now = load_settings(running.data)
    return [_facts(entry, now, running, in_file) for entry in _entries()]


def _entries() -> list[SettingEntry]:
    return [entry for entry in setting_entries(Settings) if entry.key != _NOT_HERE]


def _facts(entry: SettingEntry, now: Settings, running: Settings, in_file: Mapping[str, Any]) -> SettingFacts:
    value = _value(entry, now)
    kind, choices = _kind(entry)
    return SettingFacts(
        key=entry.key,
        section=".".join(entry.path[:-1]),
        value=_shown(entry, value),
        default=_plain(entry.field.get_default(call_default_factory=True)),
        source=_source(entry, in_file),
        kind=kind,
        choices=choices,
        description=entry.description,
        needs_restart=value != _value(entry, running),
    )


def _value(entry: SettingEntry, settings: Settings) -> SettingValue:
    found: Any = settings
    for name in entry.path:
        found = getattr(found, name)
    return _plain(found)


def _plain(value: Any) -> SettingValue:
    if isinstance(value, StrEnum | Path):
        return str(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple):
        return [str(_plain(each)) for each in value]
    plain: SettingValue = value
    return plain


def _kind(entry: SettingEntry) -> tuple[SettingKind, tuple[str, ...]]:
    annotation: Any = entry.field.annotation
    origin = get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, StrEnum):
        return SettingKind.CHOICE, tuple(each.value for each in origin)
    return _KINDS.get(origin, SettingKind.TEXT), ()


_KINDS: Final[Mapping[Any, SettingKind]] = {
    bool: SettingKind.FLAG,
    int: SettingKind.INTEGER,
    float: SettingKind.NUMBER,
    list: SettingKind.LIST,
    tuple: SettingKind.LIST,
    dict: SettingKind.MAP,
}


# --- where a value comes from --------------------------------------------------------------------


def _source(entry: SettingEntry, in_file: Mapping[str, Any]) -> SettingSource:
    if _variable_of(entry):
        return SettingSource.ENVIRONMENT
    found: Any = in_file
    for name in entry.path:
        if not isinstance(found, Mapping) or name not in found:
            return SettingSource.DEFAULT
        found = found[name]
    return SettingSource.FILE


def _variable_of(entry: SettingEntry) -> str:
    """The environment variable that sets it, its section or an entry of it; empty: none."""
    for name in os.environ:
        upper = name.upper()
        if upper == entry.variable or upper.startswith(f"{entry.variable}__"):
            return name
        if entry.variable.startswith(f"{upper}__") and entry.path[-1] in _keys_in(os.environ[name]):
            return name
    return ""


def _keys_in(text: str) -> Mapping[str, Any]:
    """A whole section may be given as JSON."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# --- passwords -----------------------------------------------------------------------------------


def _shown(entry: SettingEntry, value: SettingValue) -> SettingValue:
    return hidden_password(value) if entry.key in _URLS and isinstance(value, str) else value


def hidden_password(url: str) -> str:
    """The address of a database without its password."""
    if not url:
        return ""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return _HIDDEN
    secret = {name: _HIDDEN for name in parsed.query if "pass" in name.lower()}
    return parsed.update_query_dict(secret).render_as_string(hide_password=True)


# --- changes -------------------------------------------------------------------------------------


def checked_changes(changes: Mapping[str, SettingValue | None], folder: Path) -> dict[str, SettingValue | None]:
    """The changes as they are to be written. Raises ConfigurationError with the first setting that cannot be."""
    entries = {entry.key: entry for entry in _entries()}
    checked: dict[str, SettingValue | None] = {}
    for key, value in changes.items():
        entry = entries.get(key)
        if entry is None:
            raise ConfigurationError(key[:100], "there is no such setting")
        if variable := _variable_of(entry):
            reason = f"is set by the environment variable {variable}, or on the command line: change it there"
            raise ConfigurationError(key, reason)
        if key in _URLS and isinstance(value, str) and _HIDDEN in value:
            if value != _shown(entry, _value(entry, load_settings(folder))):
                raise ConfigurationError(key, "is changed: give the password again")
            continue
        checked[key] = value if value is None else _checked_value(entry, value)
    return checked


def _checked_value(entry: SettingEntry, value: SettingValue) -> SettingValue:
    """The value in the type that the file is to have it in."""
    kind, choices = _kind(entry)
    if kind is SettingKind.CHOICE and value not in choices:
        raise ConfigurationError(entry.key, f"is one of {', '.join(choices)}")
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        if kind is SettingKind.NUMBER:
            return float(value)
        if kind is SettingKind.INTEGER and value == int(value):
            return int(value)
    needed, of_type = _TYPES[kind]
    if not of_type or not isinstance(value, of_type):
        raise ConfigurationError(entry.key, f"needs {needed}")
    return value


_TYPES: Final[Mapping[SettingKind, tuple[str, type | None]]] = {
    SettingKind.TEXT: ("a text", str),
    SettingKind.CHOICE: ("a text", str),
    SettingKind.INTEGER: ("a whole number", None),
    SettingKind.NUMBER: ("a number", None),
    SettingKind.FLAG: ("true or false", bool),
    SettingKind.LIST: ("a list of texts", list),
    SettingKind.MAP: ("a table of texts", dict),
}


def check_startable(settings: Settings, changes: Mapping[str, SettingValue | None]) -> None:
    """Raise ConfigurationError for what would keep the service from starting with these settings."""
    for name in settings.database_names().values():
        database_folder(settings.data, name)
    _check_ports(settings)
    for key in _URLS:
        url: str = getattr(settings, key)
        if url and hidden_password(url) == _HIDDEN:
            raise ConfigurationError(key, "is no address of a database")
    if any(key.startswith("tls.") for key in changes):
        identity = tls_identity(settings)
        if identity is not None:
            check_identity(identity)


def _check_ports(settings: Settings) -> None:
    taken: dict[int, str] = {}
    for key in ("dicom_port", "tls_port", "http_port"):
        port: int = getattr(settings, key)
        if port > 0 and port in taken:
            raise ConfigurationError(key, f"{port} is the port of {taken[port]} already")
        taken[port] = key
