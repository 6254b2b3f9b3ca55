"""One line of the access log, and its table in ``audit.sqlite``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, Float, Index, Integer, MetaData, RowMapping, Table, Text

SEARCH: Final = "search"
_MAX_TEXT: Final = 200

metadata = MetaData()

access_table = Table(
    "access",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time_s", Float, nullable=False, index=True),
    Column("last_s", Float, nullable=False),
    Column("user", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("count", Integer, nullable=False),
    *(Index(f"ix_access_{name}", name, "id") for name in ("user", "action", "outcome", "study")),
    sqlite_autoincrement=True,
)


class Outcome(StrEnum):
    """What became of it."""

    DONE = "done"
    REFUSED = "refused"
    """The user may not, or is not who they say."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One thing that was done, or the same thing ``count`` times within some minutes."""

    user: str
    role: str
    address: str
    action: str
    outcome: Outcome
    study: str = ""
    subject: str = ""
    request: str = ""
    """The id that the request has in the other logs: of the first, where there are several."""
    time_s: float = 0.0
    """When, in seconds since 1970; ``last_s``: the last of several."""
    last_s: float = 0.0
    count: int = 1
    id: int = 0

    def as_row(self) -> dict[str, Any]:
        """Its columns, without the id."""
        return {
            "time_s": self.time_s,
            "last_s": self.last_s,
            "user": _short(self.user),
            "role": self.role,
            "address": self.address,
            "action": self.action,
            "outcome": self.outcome.value,
            "study": _short(self.study),
            "subject": _short(self.subject),
            "request": self.request,
            "count": self.count,
        }

    def goes_with(self, other: AccessEntry) -> bool:
        """Whether it can be one line with an ``other`` of its key: words of a search grow while they are typed."""
        if self.action != SEARCH:
            return True
        one, two = self.subject.casefold(), other.subject.casefold()
        return one.startswith(two) or two.startswith(one)

    @property
    def key(self) -> tuple[str, ...]:
        """What entries of one line have in common."""
        subject = "" if self.action == SEARCH else self.subject
        return self.user, self.address, self.action, self.outcome, self.study, subject


@dataclass(frozen=True, slots=True)
class AccessQuery:
    """What to find in the log; empty values match everything."""

    user: str = ""
    action: str = ""
    outcome: str = ""
    study: str = ""
    from_s: float | None = None
    until_s: float | None = None
    before: int | None = None
    """Only entries with a lower id: for the next page."""
    limit: int = 100


def entry_of(row: RowMapping) -> AccessEntry:
    """The entry in a row."""
    values = dict(row)
    return AccessEntry(**values | {"outcome": Outcome(values["outcome"])})


def _short(text: str) -> str:
    """Text for a line: what is typed by people and programs may hold anything."""
    printable = text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
    return printable if len(printable) <= _MAX_TEXT else printable[: _MAX_TEXT - 1] + "…"
