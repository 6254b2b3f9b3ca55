"""Rehearsing a rule: what it would do with the newest studies, within the time that somebody waits for a page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive
from radfuse.services.peers import Peer
from radfuse.services.routing import Trial, try_rule
from radfuse.services.rules import Rule

STUDIES: Final = 100
SECONDS: Final = 5.0
_EXAMPLES: Final = 12
_DATE_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Example:
    """One study, and what would become of it. It names no patient."""

    study: str
    text: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rule would have done."""

    matched_objects: int
    examined_objects: int
    examples: tuple[Example, ...]
    notes: tuple[str, ...]


def rehearse(archive: Archive, rule: Rule, peers: Sequence[Peer], seconds: float = SECONDS) -> Rehearsal:
    """Try ``rule`` on the newest studies by Study Date, for so long. Nothing is sent or changed."""
    ends_s = time.monotonic() + seconds
    trials = []
    for trial in try_rule(archive, rule, peers, limit=STUDIES, should_stop=lambda: time.monotonic() >= ends_s):
        trials.append(trial)
    # Those that something would happen to come first.
    shown = sorted(trials, key=lambda trial: not trial.matched)[:_EXAMPLES]
    return Rehearsal(
        sum(trial.matched for trial in trials),
        sum(trial.objects for trial in trials),
        tuple(Example(trial.study_instance_uid, _in_words(trial)) for trial in shown),
        tuple(_notes(rule, trials, is_cut=time.monotonic() >= ends_s)),
    )


def _in_words(trial: Trial) -> str:
    date = trial.study_date
    if len(date) == _DATE_DIGITS and date.isdigit():
        date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    modalities = ", ".join(trial.modalities)
    study = ", ".join(filter(None, (date, trial.description, modalities))) or "A study without a date"
    parts = [f"{_objects(count)} to {peer}" for peer, count in trial.to_send.items()]
    if trial.forgotten:
        parts.append(f"{_objects(trial.forgotten)} deleted here afterwards")
    parts += [trial.reason] if trial.reason else []
    return f"{study}: of {_objects(trial.objects)}, {'; '.join(parts) or 'none go anywhere'}"


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"


def _notes(rule: Rule, trials: Sequence[Trial], *, is_cut: bool) -> list[str]:
    notes = []
    if not trials and not is_cut:
        notes.append(f"The database {rule.database} holds no studies to try the rule on.")
    elif is_cut:
        notes.append(f"Stopped when time was over, after {len(trials)} studies, the newest first.")
    elif len(trials) == STUDIES:
        notes.append(f"Tried on the {STUDIES} newest studies.")
    if trials and not any(trial.matched for trial in trials):
        notes.append("Nothing that is here meets the conditions.")
    if not rule.enabled:
        notes.append("The rule is off: it does nothing until it is turned on.")
    if rule.forget is not None and any(trial.forgotten for trial in trials):
        notes.append("Objects are deleted here only after every destination has them.")
    return notes
