"""A ledger in memory: what a storage SCU wrote down, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from radfuse.jobs import ItemState


@dataclass
class FakeLedger:
    """Results by item number; ``stops`` says when to stop."""

    stops: Callable[[], bool] = lambda: False
    results: dict[int, tuple[ItemState, int | None, str]] = field(default_factory=dict)
    recorded: list[int] = field(default_factory=list)

    def record(self, item_number: int, state: ItemState, status: int | None = None, comment: str = "") -> None:
        """Keep the result."""
        self.results[item_number] = (state, status, comment)
        self.recorded.append(item_number)

    def should_stop(self) -> bool:
        """As the test says."""
        return self.stops()

    def states(self) -> list[tuple[int, ItemState, int | None]]:
        """Number, state and status, by number."""
        return [(number, state, status) for number, (state, status, _) in sorted(self.results.items())]
