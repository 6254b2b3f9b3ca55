"""The table of a commission: what was measured against what is known, and where."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from radfuse.services.commission.machine import Machine

Progress = Callable[[int, int], None]
"""Is told how many parts are done, and how many there are; may raise to stop."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: it passes when ``measured`` is at most ``limit``; at least, where ``is_least``.

    Without a limit it is told, and not judged.
    """

    part: str
    test: str
    quantity: str
    unit: str
    limit: float | None
    measured: float
    is_least: bool = False

    @property
    def passed(self) -> bool:
        """A number that is none never passes."""
        if not math.isfinite(self.measured):
            return False
        if self.limit is None:
            return True
        return self.measured >= self.limit if self.is_least else self.measured <= self.limit

    @property
    def limit_words(self) -> str:
        """The limit as people read it."""
        return "" if self.limit is None else f"{'≥' if self.is_least else '≤'} {self.limit:g}"

    @property
    def measured_words(self) -> str:
        """The number as people read it."""
        return f"{self.measured:.3g}"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that were measured together, and how long that took."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Commission:
    """The whole table of this installation."""

    size: str
    rows: tuple[Row, ...]
    parts: tuple[Part, ...]
    machine: Machine
    when: str
    """ISO 8601."""

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows that are beyond their limits."""
        return tuple(row for row in self.rows if not row.passed)

    def as_json(self) -> dict[str, Any]:
        """For programs, and for comparing two runs. What is no number is null."""
        return {
            "Size": self.size,
            "When": self.when,
            "Passed": not self.failed,
            "Machine": self.machine.as_json(),
            "Rows": [
                {
                    "Part": row.part,
                    "Test": row.test,
                    "Quantity": row.quantity,
                    "Unit": row.unit,
                    "Relation": "" if row.limit is None else ">=" if row.is_least else "<=",
                    "Limit": row.limit,
                    "Measured": row.measured if math.isfinite(row.measured) else None,
                    "Passed": row.passed,
                }
                for row in self.rows
            ],
            "Seconds": {part.name: round(part.seconds, 2) for part in self.parts},
        }
