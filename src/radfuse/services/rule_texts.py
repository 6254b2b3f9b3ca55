"""Rules as people write and read them: as TOML, and in one sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import tomlkit

from radfuse.core.errors import ConfigurationError, NotAllowed, UnknownPeer
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.peers import Peer
from radfuse.services.project_keys import Keys
from radfuse.services.rules import Moment, Rule, check_destinations, check_key

_ORDER: Final = ("name", "enabled", "database", "when", "stable_s", "if", "then")
_UNNAMED: Final = "new-rule"
_MAX_SENTENCE: Final = 400
_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3600.0


# --- TOML ----------------------------------------------------------------------------------------


def rule_of_text(text: str, name: str = "") -> Rule:
    """The rule that a text in TOML says; ``name``: what it is called, where the text does not say.

    Raises ConfigurationError naming the key that makes no sense.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("definition", f"is no TOML: {error}") from error
    table.setdefault("name", name or _UNNAMED)
    if name and table["name"] != name:
        raise ConfigurationError("name", f"must be {name!r} as in the address; make a new rule for another name")
    return Rule.of(table)


def text_of_rule(rule: Rule) -> str:
    """The rule as TOML, from which it can be read again."""
    known = {key: rule.definition[key] for key in _ORDER if key in rule.definition}
    return tomlkit.dumps(_plain_first(known))


def _plain_first(value: Any) -> Any:
    """Tables with what is no table first: below a table's heading everything belongs to it."""
    if isinstance(value, Mapping):
        ordered = {key: _plain_first(value[key]) for key in value}
        return {key: ordered[key] for key in sorted(ordered, key=lambda key: _is_table(ordered[key]))}
    if isinstance(value, list | tuple):
        return [_plain_first(each) for each in value]
    return value


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(each, Mapping) for each in value))


# --- what it needs -------------------------------------------------------------------------------


def check_rule(rule: Rule, find_peer: Callable[[str], Peer], databases: Collection[str], keys: Keys) -> list[Peer]:
    """The peers that the rule sends to. Raises ConfigurationError for what it needs and is not there."""
    check_key(rule, keys)
    if rule.database not in databases:
        raise ConfigurationError("database", f"no database {rule.database!r}; there are {', '.join(databases)}")
    try:
        return check_destinations(rule, find_peer)
    except UnknownPeer as error:
        raise ConfigurationError("then.send", f"there is no peer {error.peer!r}; add it first") from error
    except NotAllowed as error:
        raise ConfigurationError("then.send", f"to {error.operation} {error.peer!r} is turned off there") from error


# --- one sentence --------------------------------------------------------------------------------


def sentence_of_rule(rule: Rule) -> str:
    """What the rule does, in one sentence."""
    what = "Everything" if "if" not in rule.definition else f"What has {_condition(rule.definition['if'])}"
    where = "" if rule.database == DEFAULT_DATABASE else f" in the database {rule.database}"
    when = "at once"
    if rule.when is Moment.STUDY_STABLE and rule.stable_s:
        when = f"when nothing new of its study has come for {_span(rule.stable_s)}"
    text = f"{what}{where} goes to {_goes_to(rule)} {when}{_forgetting(rule)}."
    return text if len(text) <= _MAX_SENTENCE else f"{text[: _MAX_SENTENCE - 1]}…"


def _goes_to(rule: Rule) -> str:
    plain = [_listed(rule.send, "and")] if rule.send else []
    anonymized = [f"{_listed(rule.anonymize.peers, 'and')} anonymized"] if rule.anonymize else []
    return _listed([*plain, *anonymized], "and")


def _forgetting(rule: Rule) -> str:
    if rule.forget is None:
        return ""
    days = rule.forget.after_days
    when = f" {days:g} {'day' if days == 1 else 'days'} later" if days else ""
    proof = "they promised to keep it" if rule.forget.committed else "they have it"
    return f", and is deleted here{when} once {proof}"


def _span(seconds: float) -> str:
    for unit_s, word in ((_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if seconds >= unit_s and seconds % unit_s == 0:
            number = int(seconds // unit_s)
            return f"{number} {word}" if number == 1 else f"{number} {word}s"
    return f"{seconds:g} s"


def _condition(data: Mapping[str, Any], *, is_inside: bool = False) -> str:
    if "attribute" in data:
        (operator,) = (key for key in data if key != "attribute")
        return f"{data['attribute']} {_OPERATORS[operator](data[operator])}"
    ((kind, inside),) = data.items()
    if kind == "not":
        return f"not ({_condition(inside)})"
    word = " and " if kind == "all" else " or "
    text = word.join(_condition(part, is_inside=True) for part in inside)
    return f"({text})" if is_inside and len(inside) > 1 else text


_OPERATORS: Final[Mapping[str, Callable[[Any], str]]] = {
    "equals": str,
    "in": lambda values: _listed([str(value) for value in values], "or"),
    "matches": lambda pattern: f"like {pattern}",
    "range": lambda ends: _range(*map(str, ends)),
    "exists": lambda is_there: "present" if is_there else "absent",
}


def _range(low: str, high: str) -> str:
    if low and high:
        return f"from {low} to {high}"
    return f"from {low} on" if low else f"up to {high}"


def _listed(words: Sequence[str], conjunction: str) -> str:
    *others, last = words
    return f"{', '.join(others)} {conjunction} {last}" if others else last
