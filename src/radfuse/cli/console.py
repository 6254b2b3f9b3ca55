"""What people and programs see: lines, tables, JSON, progress bars."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import typer

_WIDE = 10_000
"""Columns of a table that no person looks at: nothing is cut or wrapped."""

_ROWS_AT_ONCE: Final = 100
_AT_LEAST_EVERY_S: Final = 1.0
"""How long rows of a table wait for more to come."""

_HEADINGS = {
    "NumberOfPatientRelatedStudies": "Studies",
    "NumberOfStudyRelatedSeries": "Series",
    "NumberOfStudyRelatedInstances": "Instances",
    "NumberOfSeriesRelatedInstances": "Instances",
    "ModalitiesInStudy": "Modalities",
}
"""What people read instead of long keywords; JSON has the keywords."""

Row = Mapping[str, object]


def say(sentence: str) -> None:
    """A line for people, on standard output at once."""
    typer.echo(printable(sentence))
    sys.stdout.flush()


def warn(sentence: str) -> None:
    """A line on standard error."""
    typer.echo(f"radfuse: {printable(sentence)}", err=True)


def printable(text: str) -> str:
    """``text`` without control characters: what a peer sends must not command the terminal."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "�" for character in text)


# --- JSON ------------------------------------------------------------------------------------


def write_object(value: Row, *, indent: int | None = 2) -> None:
    """One JSON object."""
    typer.echo(_json(value, indent=indent))
    sys.stdout.flush()


def write_array(rows: Iterable[Row]) -> int:
    """A JSON array, one object a line, written while the rows come; how many there were."""
    count = 0
    for count, row in enumerate(rows, 1):
        typer.echo(("[\n" if count == 1 else ",\n") + _json(row), nl=False)
    typer.echo("\n]" if count else "[]")
    sys.stdout.flush()
    return count


def _json(value: Row, indent: int | None = None) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


# --- tables ----------------------------------------------------------------------------------


def write_table(rows: Iterable[Row], columns: Sequence[str] = ()) -> int:
    """A table with a column for every one of ``columns``, or of the first row; how many rows there were.

    It is written while the rows come, some at a time: the first of them decide how wide its columns are.
    """
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return 0
    shown = list(columns) or list(first)
    writer = _TableWriter(shown)
    batch: list[list[str]] = []
    since_s = time.monotonic()
    try:
        for row in chain((first,), remaining):
            batch.append([_cell(row.get(column, "")) for column in shown])
            if len(batch) >= _ROWS_AT_ONCE or time.monotonic() - since_s >= _AT_LEAST_EVERY_S:
                writer.write(batch)
                batch, since_s = [], time.monotonic()
    finally:
        writer.write(batch)  # what came before an error is worth seeing
    return writer.count


class _TableWriter:
    """Writes one table in pieces."""

    def __init__(self, columns: Sequence[str]) -> None:
        from rich.console import Console

        self._is_watched = sys.stdout.isatty()
        self._columns = columns
        self._widths: list[int] = []
        self.count = 0
        self._console = Console(file=sys.stdout, width=None if self._is_watched else _WIDE, highlight=False)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """The next rows; the first piece has the headings."""
        if not rows:
            return
        self.count += len(rows)
        from rich.cells import cell_len
        from rich.table import Table
        from rich.text import Text

        is_first = not self._widths
        headings = [_HEADINGS.get(column, column) for column in self._columns]
        if is_first:
            self._widths = [max(map(cell_len, cells)) for cells in zip(headings, *rows, strict=True)]
        fits = sum(self._widths) + 2 * len(self._widths) <= self._console.width
        header_style = "bold" if self._is_watched else ""
        table = Table(box=None, pad_edge=False, header_style=header_style, show_header=is_first)
        for column, heading, width in zip(self._columns, headings, self._widths, strict=True):
            # UIDs are for copying: other columns give way first.
            no_wrap = column.endswith("UID")
            table.add_column(heading, overflow="fold", no_wrap=no_wrap, min_width=width if fits else None)
        for cells in rows:
            table.add_row(*map(Text, cells))
        self._console.print(table)
        sys.stdout.flush()


def write_rows(rows: Iterable[Row], columns: Sequence[str], *, as_json: bool) -> int:
    """The rows as JSON or as a table; how many there were."""
    return write_array(rows) if as_json else write_table(rows, columns)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return printable(", ".join(map(_cell, value)))
    return printable(str(value))


# --- progress --------------------------------------------------------------------------------


Advance = Callable[[int, int | None], None]
"""Moves a progress bar to how many are done, of how many in all (None: as known before)."""


@contextlib.contextmanager
def progress(doing: str, total: int | None, unit: str) -> Iterator[Advance]:
    """A progress bar with rate and time left on standard error, where a person looks at it."""
    if not sys.stderr.isatty():
        yield _no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:,.0f} {unit}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(doing, total=total)

        def advance(done: int, of: int | None = None) -> None:
            bar.update(task, completed=done, total=total if of is None else of)

        yield advance


def _no_progress(_done: int, _of: int | None = None) -> None:
    """Nobody looks."""
