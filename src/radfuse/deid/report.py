"""What a run did, for people and for machines; nothing of what was removed is in it."""

from __future__ import annotations

import datetime
import html
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from radfuse import __version__
from radfuse.deid.engine import Anonymized
from radfuse.deid.options import OPTION_CODES, Option, Profile
from radfuse.deid.table import EDITION, Action, table
from radfuse.dicom.words import keyword_of

_PRIVATE: Final = -1
_CURVES: Final = -2
_OVERLAYS: Final = -3
_GROUPS: Final = {_PRIVATE: "private attributes", _CURVES: "curves", _OVERLAYS: "overlays"}
_VERBS: Final = {
    Action.KEEP: "kept",
    Action.REMOVE: "removed",
    Action.EMPTY: "emptied",
    Action.DUMMY: "replaced by a dummy",
    Action.UID: "replaced by another UID",
    Action.SHIFT: "moved by the days of the patient",
    Action.CLEAN: "cleaned",
}
_TEMPORAL: Final = {
    "REMOVED": "Dates were removed.",
    "MODIFIED": "Dates were moved by whole days, by the same number for all of a patient.",
    "UNMODIFIED": "Dates were kept.",
}
_MOST_NAMED: Final = 10

Counts = Mapping[tuple[int, str], int]
"""How often what was done with which attribute: tag and code of the action. It can be sent to another process."""


def _group(tag: int) -> int:
    group = tag >> 16
    if group & 1:
        return _PRIVATE
    if group & 0xFF00 == 0x5000:
        return _CURVES
    return _OVERLAYS if group & 0xFF00 == 0x6000 else tag


@cache
def _kept_by_option(profile: Profile) -> Mapping[int, Option]:
    if not profile.options:
        return {}
    return {
        tag: option
        for tag, row in table().rows.items()
        for option, code in row.options.items()
        if code == "K" and option in profile
    }


@dataclass(frozen=True, slots=True)
class Refusal:
    """One object that was not given."""

    number: int
    """Which of the objects, from 1: names of files may name patients."""
    reason: str
    name: str = ""
    """The file's name, only where the report may say it."""


@dataclass(slots=True)
class Report:
    """Grows while a run goes on. ``with_names``: names of files of the input are told."""

    profile: Profile
    with_names: bool = False
    started: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    seconds: float = 0.0
    seen: int = 0
    given: int = 0
    size_bytes: int = 0
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)

    @staticmethod
    def counts_of(done: Anonymized, profile: Profile) -> Counts:
        """What was done in one object, and what an option let stay."""
        counts = Counter((_group(change.path[-1]), change.action.value) for change in done.changes)
        kept = _kept_by_option(profile)
        if kept:
            counts.update((node.tag, Action.KEEP.value) for _, node in done.tree.walk() if node.tag in kept)
        return counts

    def add(self, counts: Counts, warnings: tuple[str, ...] = (), size_bytes: int = 0) -> None:
        """One object was given: it passed the leak scan."""
        self.seen += 1
        self.given += 1
        self.size_bytes += size_bytes
        self.counts.update(counts)
        self.warnings.update(warnings)

    def refuse(self, reason: str, name: str = "") -> None:
        """One object was not given."""
        self.seen += 1
        self.refused.append(Refusal(self.seen, reason, name if self.with_names else ""))

    def leave_out(self, what: str) -> None:
        """Something that is no object was not given."""
        self.warnings[what] += 1

    def finish(self) -> None:
        """The run is over."""
        self.seconds = (datetime.datetime.now(datetime.UTC) - self.started).total_seconds()

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "Made": self.started.isoformat(timespec="seconds"),
            "Seconds": round(self.seconds, 3),
            "Version": __version__,
            "Edition": EDITION,
            "Profile": "Basic Application Level Confidentiality Profile",
            "Options": [
                {"Option": option.value, "CodeValue": code, "CodeMeaning": meaning}
                for option, code, meaning in _options(self.profile)
            ],
            "LongitudinalTemporalInformationModified": self.profile.temporal_information,
            "Objects": {"Seen": self.seen, "Given": self.given, "Refused": len(self.refused)},
            "Bytes": self.size_bytes,
            "LeakScan": {"Searched": self.given, "Leaks": 0},
            "Attributes": [
                {"Tag": tag, "Keyword": name, "Action": action.value, "Count": count, "Reason": reason}
                for tag, name, action, count, reason in self._lines()
            ],
            "Warnings": [{"Warning": text, "Count": count} for text, count in sorted(self.warnings.items())],
            "Refusals": [
                {"Number": each.number, "Reason": each.reason, **({"Name": each.name} if each.name else {})}
                for each in self.refused
            ],
        }

    def as_markdown(self) -> str:
        """For people."""
        return "\n".join(self._sections())

    def as_html(self) -> str:
        """For people, a page of its own that loads nothing."""
        return _page(self._sections())

    def _lines(self) -> list[tuple[str, str, Action, int, str]]:
        return [
            (
                f"{tag >> 16:04X},{tag & 0xFFFF:04X}" if tag >= 0 else "",
                _GROUPS.get(tag) or keyword_of(tag) or "unknown",
                Action(code),
                count,
                _reason(tag, Action(code), self.profile),
            )
            for (tag, code), count in sorted(self.counts.items())
        ]

    def _refusals(self) -> Iterator[str]:
        by_reason: dict[str, list[Refusal]] = {}
        for each in self.refused:
            by_reason.setdefault(each.reason, []).append(each)
        for reason, group in sorted(by_reason.items(), key=lambda pair: -len(pair[1])):
            more = ", \u2026" if len(group) > _MOST_NAMED else ""
            which = ", ".join(_cell(each.name) or str(each.number) for each in group[:_MOST_NAMED])
            yield f"| {len(group)} | {_cell(reason)} | {which}{more} |"

    def _sections(self) -> list[str]:
        given = "1 object was" if self.given == 1 else f"{self.given} objects were"
        lines = [
            "# Anonymization report",
            "",
            f"{given} given, {len(self.refused)} refused, of {self.seen}, in {self.seconds:.1f} s,"
            f" on {self.started:%Y-%m-%d %H:%M} UTC.",
            "",
            f"Radfuse {__version__} applied the Basic Application Level Confidentiality Profile ({EDITION}).",
            _TEMPORAL[self.profile.temporal_information],
            "",
            "Every byte of each object that was given was searched for the identifying values of its original and of"
            " those of its study before it, in all their encodings: none was found. `radfuse deid verify` with"
            " `--originals` searches all for those of all.",
            "",
        ]
        options = [f"- {meaning} ({code}): `{option.value}`" for option, code, meaning in _options(self.profile)]
        lines += ["## Options", "", *(options or ["- none"]), ""]
        if self.refused:
            lines += ["## Refused", "", "| Objects | Reason | Which |", "|---:|---|---|", *self._refusals(), ""]
        if self.warnings:
            lines += ["## Look at these", ""]
            lines += [f"- {text} ({count} objects)" for text, count in sorted(self.warnings.items())]
            lines += [""]
        lines += ["## Attributes", "", "| Tag | Attribute | What was done | Times | Why |", "|---|---|---|---:|---|"]
        lines += [
            f"| {tag} | {name} | {_VERBS[action]} | {count} | {reason} |"
            for tag, name, action, count, reason in self._lines()
        ]
        return [*lines, ""]


def _options(profile: Profile) -> list[tuple[Option, str, str]]:
    return [(option, *OPTION_CODES[option]) for option in Option if option in profile]


def _reason(tag: int, action: Action, profile: Profile) -> str:
    if tag in _GROUPS:
        row = {_PRIVATE: table().private, _CURVES: table().curves, _OVERLAYS: table().overlays}[tag]
    else:
        found = table().rows.get(tag)
        if found is None:
            return "not in the table, but of a kind that may identify"
        row = found
    chosen = [f"{option.value}: {code}" for option, code in row.options.items() if option in profile]
    if action in (Action.KEEP, Action.CLEAN, Action.SHIFT) and chosen:
        return "option " + ", ".join(chosen)
    return f"Table E.1-1: {row.basic}"


# --- the page --------------------------------------------------------------------------------------

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2128}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d0d7de;padding:.25rem .5rem;"
    "text-align:left}td:nth-child(4){text-align:right}code{background:#eff2f5;padding:0 .25rem}"
    "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}td,th{border-color:#30363d}"
    "code{background:#21262d}}"
)


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


def _page(lines: list[str]) -> str:
    """The few forms of Markdown that the report uses, as HTML; every table has an empty line behind it."""
    body: list[str] = []
    is_table = False
    for line in lines:
        is_row = line.startswith("|")
        if is_row != is_table:
            body.append("<table>" if is_row else "</table>")
        is_table = is_row
        body.append(_row(line) if is_row else _block(line))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Anonymization report</title>'
        f"<style>{_STYLE}</style>{''.join(body)}</html>\n"
    )


def _row(line: str) -> str:
    if line.startswith("|---"):
        return ""
    cells = "".join(f"<td>{html.escape(cell.strip(), quote=False)}</td>" for cell in line[1:-1].split("|"))
    return f"<tr>{cells}</tr>"


def _block(line: str) -> str:
    text = html.escape(line, quote=False).replace("`", "")
    if line.startswith("#"):
        level = len(line) - len(line.lstrip("#"))
        return f"<h{level}>{text[level + 1 :]}</h{level}>"
    if line.startswith("- "):
        return f"<p>\u2022 {text[2:]}</p>"
    return f"<p>{text}</p>" if text else ""
