"""What every benchmark shares: settings, measured values, tables with ratios, fair order, a clean scratch folder."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeVar

OURS = "Radfuse"
T = TypeVar("T")


class BenchmarkError(Exception):
    """A run that does not count: a program failed, or objects went missing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a benchmark is run; ``quick`` means fewer objects, to see that everything works."""

    runs: int
    quick: bool
    scratch: Path
    only: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()

    def amount(self, full: int, quick: int) -> int:
        """How many objects: ``full`` for numbers that are published, ``quick`` for a trial."""
        return quick if self.quick else full

    def wants(self, case: str) -> bool:
        """Whether this case was asked for: all are, unless words of it were named."""
        return not self.cases or any(word.lower() in case.lower() for word in self.cases)


@dataclass(frozen=True, slots=True)
class Value:
    """One measured value: of which case, by whom, in which unit."""

    case: str
    who: str
    unit: str
    value: float
    more_is_better: bool = True
    rss_mib: float = 0.0


@dataclass(slots=True)
class Results:
    """All values of a benchmark in the order they came, and remarks to print below the table."""

    values: list[Value] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, value: Value) -> None:
        """Keep one value, and show it at once: a benchmark takes minutes."""
        self.values.append(value)
        sys.stderr.write(f"  {value.case} | {value.who} | {number(value.value)} {value.unit}\n")

    def remark(self, text: str) -> None:
        """Keep a remark once, however often it is made."""
        if text not in self.remarks:
            self.remarks.append(text)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the median of the runs and its range."""

    case: str
    who: str
    unit: str
    median: float
    low: float
    high: float
    runs: int
    ratio: float | None
    rss_mib: float


def rows(results: Results) -> list[Row]:
    """The values by case, contestant and unit; the ratio says how many times better Radfuse is."""
    groups: dict[tuple[str, str, str], list[Value]] = {}
    for value in results.values:
        groups.setdefault((value.case, value.unit, value.who), []).append(value)
    medians = {key: median(value.value for value in group) for key, group in groups.items()}
    table = []
    for (case, unit, who), group in groups.items():
        numbers = [value.value for value in group]
        ratio = _ratio(medians.get((case, unit, OURS)), medians[case, unit, who], group[0].more_is_better)
        rss_mib = max(value.rss_mib for value in group)
        row = Row(case, who, unit, median(numbers), min(numbers), max(numbers), len(group), ratio, rss_mib)
        table.append(row)
    order = {key: place for place, key in enumerate(dict.fromkeys((row.case, row.unit) for row in table))}
    return sorted(table, key=lambda row: order[row.case, row.unit])


def _ratio(ours: float | None, theirs: float, more_is_better: bool) -> float | None:
    if not ours or not theirs:
        return None
    return ours / theirs if more_is_better else theirs / ours


def markdown(table: Sequence[Row]) -> str:
    """The table as Markdown; more than 1 in the ratio column always means that Radfuse is better."""
    lines = [
        "| case | who | unit | median | min - max | runs | Radfuse is | peak RSS MiB |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in table:
        ratio = "" if row.ratio is None or row.who == OURS else f"{row.ratio:.2f} x"
        memory = f"{row.rss_mib:.0f}" if row.rss_mib else ""
        spread = f"{number(row.low)} - {number(row.high)}"
        cells = [row.case, row.who, row.unit, number(row.median), spread, str(row.runs), ratio, memory]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def number(value: float) -> str:
    """Three significant digits, and all digits before the point."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def machine() -> dict[str, str]:
    """What the numbers were measured on, as far as it says about itself."""
    return {
        "cpus": str(os.cpu_count()),
        "memory_gib": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f}",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }


def write_json(path: Path, benchmark: str, results: Results, about: dict[str, str]) -> None:
    """Every value and the table, for machines."""
    document = {
        "benchmark": benchmark,
        "machine": about,
        "rows": [asdict(row) for row in rows(results)],
        "values": [asdict(value) for value in results.values],
        "remarks": results.remarks,
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@contextmanager
def folder_in(scratch: Path) -> Iterator[Path]:
    """A new folder; what was left to be written to the disk is written before the next one begins.

    It stays until all runs are over: on ext4, files are made several times slower for some minutes
    after many were deleted, which whoever comes next would pay for.
    """
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=scratch))
    try:
        yield folder
    finally:
        os.sync()  # or a peer that never syncs would be paid for by the next one


def interleaved(runs: int, contestants: Sequence[T], once: Callable[[T], None], results: Results) -> None:
    """Run A B C, A B C, …, so that a drift of the machine is fair to all; a failed run becomes a remark."""
    for _ in range(runs):
        for contestant in contestants:
            try:
                once(contestant)
            except (BenchmarkError, OSError, EOFError) as error:
                results.remark(f"{getattr(contestant, 'name', contestant)}: {error}")
