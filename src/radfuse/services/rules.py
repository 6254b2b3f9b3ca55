"""Routing rules: what to do with what arrives. A rule is data, written as TOML or JSON:

name = "pet-to-pacs"
when = "study stable"     # or "instance"
stable_s = 60
[if]
attribute = "Modality"
in = ["CT", "PT"]
[then]
send = ["PACS"]
forget = { after_days = 7 }
"""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import RowMapping, delete, insert, select, update

from radfuse.core.errors import ConfigurationError, UnknownRule
from radfuse.db import (
    read_transaction,
    write_transaction,
)
from radfuse.services.conditions import ALWAYS, Condition, condition_from
from radfuse.services.config_schema import open_configuration, rule_table
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.peers import Peer
from radfuse.services.project_keys import DEFAULT_KEY, Keys

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_DEFAULT_STABLE_S: Final = 60.0
_MAX_STABLE_S: Final = 7 * 86_400.0
_MAX_DAYS: Final = 36_500.0
_MAX_FILE_BYTES: Final = 1 << 20
_KEYS: Final = ("name", "enabled", "database", "when", "stable_s", "if", "then")
_ACTIONS: Final = ("send", "anonymize_then_send", "forget")
_FORGET_KEYS: Final = ("after_days", "committed")
_ANONYMIZE_KEYS: Final = ("peers", "key", "options", "preset")


class Moment(StrEnum):
    """When a rule looks at what arrived."""

    STUDY_STABLE = "study stable"
    """When nothing new of the study has come for ``stable_s`` seconds."""
    INSTANCE = "instance"
    """At once."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Delete here what every destination has acknowledged, so many days later.

    ``committed``: only what every destination has also committed to keep (storage commitment).
    """

    after_days: float = 0.0
    committed: bool = False


@dataclass(frozen=True, slots=True)
class AnonymizeThenSend:
    """Whom anonymized copies go to, and how they are made: names of options and presets, and of a project key."""

    peers: tuple[str, ...]
    key: str = DEFAULT_KEY
    options: tuple[str, ...] = ()
    preset: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``definition`` is what it was made from, as it can be written again."""

    name: str
    condition: Condition = field(compare=False)
    send: tuple[str, ...]
    """Names of peers that get the objects as they are."""
    when: Moment = Moment.STUDY_STABLE
    stable_s: float = _DEFAULT_STABLE_S
    forget: Forget | None = None
    anonymize: AnonymizeThenSend | None = None
    database: str = DEFAULT_DATABASE
    enabled: bool = True
    active_since_s: float = field(default=0.0, compare=False)
    """What arrived before, in seconds since 1970, is none of its business."""
    definition: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def destinations(self) -> tuple[str, ...]:
        """All peers that get something, those of anonymized copies last."""
        return self.send + (self.anonymize.peers if self.anonymize else ())

    def anonymizes_for(self, peer: str) -> bool:
        """Whether this peer gets anonymized copies, and nothing else."""
        return self.anonymize is not None and peer in self.anonymize.peers

    @property
    def wait_s(self) -> float:
        """How long nothing of a study must have arrived."""
        return self.stable_s if self.when is Moment.STUDY_STABLE else 0.0

    @classmethod
    def of(cls, data: object) -> Self:
        """The rule that ``data`` (a document of TOML or JSON) says. Raises ConfigurationError naming the wrong key."""
        table = _table(data, "rule", _KEYS)
        name = table.get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            raise ConfigurationError("name", f"{name!r} is not a name (letters, digits, '_', '.', '-')")
        when = table.get("when", Moment.STUDY_STABLE.value)
        if when not in list(Moment):
            raise ConfigurationError("when", f"{when!r} is none of {', '.join(repr(each.value) for each in Moment)}")
        if "stable_s" in table and when != Moment.STUDY_STABLE:
            raise ConfigurationError("stable_s", 'only a rule with when = "study stable" waits')
        stable_s = _number(table.get("stable_s", _DEFAULT_STABLE_S), "stable_s", _MAX_STABLE_S)
        condition = condition_from(table["if"], "if") if "if" in table else ALWAYS
        actions = _table(table.get("then"), "then", _ACTIONS)
        anonymize = _anonymize(actions["anonymize_then_send"]) if "anonymize_then_send" in actions else None
        return cls(
            name=name,
            condition=condition,
            send=_destinations(actions, anonymize),
            when=Moment(when),
            stable_s=stable_s,
            forget=_forget(actions.get("forget", False)),
            anonymize=anonymize,
            database=_text(table.get("database", DEFAULT_DATABASE), "database"),
            enabled=_flag(table.get("enabled", True), "enabled"),
            definition=dict(table),
        )


def read_rule(path: Path) -> Rule:
    """The rule in a TOML file, or in a JSON file (``.json``). Raises ConfigurationError, or OSError."""
    with path.open("rb") as file:
        content = file.read(_MAX_FILE_BYTES + 1)
    if len(content) > _MAX_FILE_BYTES:
        raise ConfigurationError(str(path), "is too large for a rule")
    try:
        text = content.decode("utf-8")
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(str(path), f"cannot be read: {error}") from error
    return Rule.of(data)


# --- the keys of a rule --------------------------------------------------------------------------


def _table(data: object, where: str, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or not data:
        raise ConfigurationError(where, f"needs a table with {', '.join(known)}")
    for key in data:
        if key not in known:
            place = key if where == "rule" else f"{where}.{key}"
            raise ConfigurationError(str(place), f"unknown; known are {', '.join(known)}")
    return data


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(where, "needs a text")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(where, "needs true or false")
    return value


def _number(value: object, where: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ConfigurationError(where, f"needs a number from 0 to {most:g}")
    return float(value)


def _destinations(actions: Mapping[str, Any], anonymize: AnonymizeThenSend | None) -> tuple[str, ...]:
    sent = _names(actions["send"], "then.send") if "send" in actions else ()
    if anonymize is not None and (both := sorted({*sent} & {*anonymize.peers})):
        raise ConfigurationError("then.anonymize_then_send", f"{both[0]!r} would get the originals too (then.send)")
    if not sent and (anonymize is None or actions.get("forget")):
        raise ConfigurationError(
            "then.send",
            "is missing: only what was sent elsewhere in the same rule, as it is, may be forgotten",
        )
    return sent


def _names(names: object, where: str) -> tuple[str, ...]:
    """Names of peers, each once."""
    names = (names,) if isinstance(names, str) else names
    if not isinstance(names, list | tuple) or not names:
        raise ConfigurationError(where, "needs a list of names of peers")
    found = tuple(_text(name, f"{where}[{place}]") for place, name in enumerate(names))
    if len(set(found)) < len(found):
        raise ConfigurationError(where, "names a peer twice")
    return found


def _anonymize(value: object) -> AnonymizeThenSend:
    from radfuse.services.anonymize import profile_of  # heavy, and few rules need it

    where = "then.anonymize_then_send"
    table = _table(value, where, _ANONYMIZE_KEYS)
    options = table.get("options", ())
    if not isinstance(options, list | tuple):
        raise ConfigurationError(f"{where}.options", "needs a list of names")
    made = AnonymizeThenSend(
        _names(table.get("peers"), f"{where}.peers"),
        _text(table.get("key", DEFAULT_KEY), f"{where}.key"),
        tuple(_text(name, f"{where}.options[{place}]") for place, name in enumerate(options)),
        _text(table["preset"], f"{where}.preset") if "preset" in table else "",
    )
    try:
        profile_of(made.options, made.preset)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}.{error.setting}", error.reason) from error
    return made


def _forget(value: object) -> Forget | None:
    if isinstance(value, bool):
        return Forget() if value else None
    table = _table(value, "then.forget", _FORGET_KEYS)
    return Forget(
        _number(table.get("after_days", 0), "then.forget.after_days", _MAX_DAYS),
        _flag(table.get("committed", False), "then.forget.committed"),
    )


def check_destinations(rule: Rule, find_peer: Callable[[str], Peer]) -> list[Peer]:
    """The peers that the rule sends to; ``find_peer`` raises UnknownPeer.

    Raises ConfigurationError, or NotAllowed for a peer that is not to get anything from us.
    """
    peers = []
    for name in rule.destinations:
        peer = find_peer(name)
        peer.require("send")
        if not peer.is_configured:
            raise ConfigurationError(_place_of(rule, name), f"{name!r} is not configured; add it with 'peers add'")
        if rule.forget is not None and name in rule.send:
            _check_may_rely_on(peer, rule.forget)
        peers.append(peer)
    return peers


def check_key(rule: Rule, keys: Keys) -> None:
    """Raise ConfigurationError for a rule that anonymizes under a project key that is not there."""
    if rule.anonymize is not None:
        try:
            keys.require(rule.anonymize.key)
        except ConfigurationError as error:
            raise ConfigurationError("then.anonymize_then_send.key", error.reason) from error


def _place_of(rule: Rule, peer: str) -> str:
    """Where a rule names the peer."""
    if peer in rule.send:
        return f"then.send[{rule.send.index(peer)}]"
    return f"then.anonymize_then_send.peers[{rule.destinations.index(peer) - len(rule.send)}]"


def _check_may_rely_on(peer: Peer, forget: Forget) -> None:
    if peer.lossy_syntax:
        raise ConfigurationError(
            "then.forget", f"{peer.name} may get objects compressed with loss: the originals must stay here"
        )
    if forget.committed:
        peer.require("commit")


# --- keeping rules -------------------------------------------------------------------------------


class Rules:
    """The rules of a data folder, in its configuration database."""

    def __init__(self, folder: Path) -> None:
        self._engine = open_configuration(folder)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def all(self) -> Sequence[Rule]:
        """All rules by name."""
        with read_transaction(self._engine) as connection:
            rows = connection.execute(select(rule_table).order_by(rule_table.c.name)).mappings().all()
        return [_of_row(row) for row in rows]

    def get(self, name: str) -> Rule:
        """The rule of this name. Raises UnknownRule."""
        with read_transaction(self._engine) as connection:
            row = connection.execute(select(rule_table).where(rule_table.c.name == name)).mappings().one_or_none()
        if row is None:
            raise UnknownRule(name)
        return _of_row(row)

    def add(self, rule: Rule) -> None:
        """Keep a rule, in place of the one of its name. It is for what arrives from now on.

        One that takes the place of an enabled rule goes on where that is.
        """
        with write_transaction(self._engine) as connection:
            its_row = rule_table.c.name == rule.name
            before = connection.execute(select(rule_table).where(its_row)).mappings().one_or_none()
            since_s = before["active_since_s"] if before is not None and before["enabled"] else time.time()
            connection.execute(delete(rule_table).where(its_row))
            connection.execute(
                insert(rule_table).values(
                    name=rule.name, definition=dict(rule.definition), enabled=rule.enabled, active_since_s=since_s
                )
            )

    def remove(self, name: str) -> None:
        """Remove a rule; what it has queued is still sent, but nothing more is forgotten. Raises UnknownRule."""
        with write_transaction(self._engine) as connection:
            removed = connection.execute(delete(rule_table).where(rule_table.c.name == name)).rowcount
        if not removed:
            raise UnknownRule(name)

    def enable(self, name: str, enabled: bool) -> None:
        """Turn a rule on, for what arrives from now on, or off. Raises UnknownRule."""
        if self.get(name).enabled is enabled:
            return
        changed: dict[str, Any] = {"enabled": enabled}
        if enabled:
            changed["active_since_s"] = time.time()
        with write_transaction(self._engine) as connection:
            connection.execute(update(rule_table).where(rule_table.c.name == name).values(**changed))


def _of_row(row: RowMapping) -> Rule:
    rule = Rule.of(row["definition"])
    definition = {**rule.definition, "enabled": row["enabled"]}
    return replace(rule, enabled=row["enabled"], active_since_s=row["active_since_s"], definition=definition)
