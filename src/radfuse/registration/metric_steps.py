"""What can be watched while a registration is found: its metric, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class MetricStep:
    """The metric after one step: the less the better. Those of different stages or names are not compared."""

    stage: str
    name: str
    value: float


Steps: TypeAlias = Callable[[MetricStep], None]
"""Is told each step, and must not raise: some of them come out of foreign code."""
