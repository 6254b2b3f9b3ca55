"""The rules of asking a peer level by level (PS3.4 sections C.4.1.2.1 and C.4.2.2.1), told before it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from radfuse.archive import InformationModel
from radfuse.core.errors import ConfigurationError
from radfuse.core.levels import UNIQUE_KEYS, Level
from radfuse.core.uids import checked_uid

_WILDCARDS: Final = frozenset("*?\\")
_NAMES: Final = {Level.PATIENT: "patient", Level.STUDY: "study", Level.SERIES: "series", Level.IMAGE: "instance"}


def model_for(level: Level) -> InformationModel:
    """Study Root, which every archive has; Patient Root for its own level."""
    return InformationModel.PATIENT_ROOT if level is Level.PATIENT else InformationModel.STUDY_ROOT


def check_above(level: Level, keys: Mapping[str, str]) -> None:
    """Raise ConfigurationError unless ``keys`` name the one study, and the one series, that ``level`` lies in."""
    for above in (Level.STUDY, Level.SERIES):
        keyword = UNIQUE_KEYS[above]
        value = keys.get(keyword, "")
        if above < level and not (value and _WILDCARDS.isdisjoint(value)):
            reason = f"to ask for {_NAMES[level]} level, give it: the {_NAMES[above]} in which to look, one"
            raise ConfigurationError(keyword, reason)


def checked_names(level: Level, names: Iterable[str]) -> list[str]:
    """Values of the level's unique key, each once. Raises ConfigurationError, or InvalidUID."""
    keyword = UNIQUE_KEYS[level]
    found = list(dict.fromkeys(names))
    for name in found:
        if level is not Level.PATIENT:
            checked_uid(name, keyword)
        elif not name.strip() or not name.isprintable() or not _WILDCARDS.isdisjoint(name):
            raise ConfigurationError(keyword, "a patient is retrieved by one ID, without wildcards")
    return found


def checked_above(level: Level, keys: Mapping[str, str]) -> dict[str, str]:
    """The unique keys above ``level``, all that Study Root needs. Raises ConfigurationError, or InvalidUID."""
    allowed = {UNIQUE_KEYS[above] for above in (Level.STUDY, Level.SERIES) if above < level}
    for keyword in keys:
        if keyword not in allowed:
            raise ConfigurationError(keyword, f"this is no unique key above the level {_NAMES[level]}")
    check_above(level, keys)
    return {keyword: checked_uid(value, keyword) for keyword, value in keys.items()}
