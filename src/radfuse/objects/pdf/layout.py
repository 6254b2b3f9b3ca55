"""Lines, tables and pictures on pages; what is drawn is kept until the number of pages is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from radfuse.objects.pdf.directions import shaped, visual
from radfuse.objects.pdf.fonts import runs_of, width_of
from radfuse.objects.pdf.report import Picture, Table

MM: Final = 72 / 25.4
PAGE_PT: Final = (210 * MM, 297 * MM)
_MARGIN: Final = 18 * MM
_HEAD: Final = 12 * MM
_FOOT: Final = 14 * MM
_GAP: Final = 8.0
_LEADING: Final = 1.3
WIDTH_PT: Final = PAGE_PT[0] - 2 * _MARGIN

_Canvas = Any
_Draw = Callable[[_Canvas], None]


@dataclass(slots=True)
class Pages:
    """Pages that are being filled from top to bottom. Lengths are points, y grows upwards as in PDF."""

    unshown: set[str] = field(default_factory=set)
    """Characters that no font can show."""
    pages: list[list[_Draw]] = field(default_factory=lambda: [[]])
    y: float = PAGE_PT[1] - _MARGIN - _HEAD

    def room(self, height: float) -> None:
        """Go to a new page unless so much fits on this one."""
        if self.y - height < _MARGIN + _FOOT and self.pages[-1]:
            self.pages.append([])
            self.y = PAGE_PT[1] - _MARGIN - _HEAD

    def draw(self, action: _Draw) -> None:
        """Draw on the page that is being filled."""
        self.pages[-1].append(action)

    def skip(self, height: float) -> None:
        """Leave white."""
        self.y -= height

    def text(self, text: str, size: float, *, bold: bool = False, x: float = 0.0, width: float = WIDTH_PT) -> None:
        """Text with line breaks where it is too wide."""
        for line in wrapped(text, size, width, bold=bold):
            self.room(size * _LEADING)
            self.y -= size * _LEADING
            self.draw(line_at(line, _MARGIN + x, self.y, size, bold=bold, unshown=self.unshown))

    # --- tables ------------------------------------------------------------------------------

    def table(self, table: Table, size: float) -> None:
        """A table, its head again on every page."""
        widths = _column_widths(table, size)
        self._row(table.headings, widths, table.numeric, size, bold=True)
        for row in table.rows:
            page = len(self.pages)
            self.room(_row_height(row, widths, size))
            if len(self.pages) != page:
                self._row(table.headings, widths, table.numeric, size, bold=True)
            self._row(row, widths, table.numeric, size)

    def _row(
        self,
        cells: Sequence[str],
        widths: Sequence[float],
        numeric: frozenset[int],
        size: float,
        *,
        bold: bool = False,
    ) -> None:
        height = _row_height(cells, widths, size)
        self.room(height)
        top, x = self.y, _MARGIN
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            for number, line in enumerate(wrapped(cell, size, width, bold=bold), 1):
                free = width - width_of(runs_of(visual(line), bold=bold), size) if column in numeric else 0.0
                y = top - number * size * _LEADING
                self.draw(line_at(line, x + free, y, size, bold=bold, unshown=self.unshown))
            x += width + _GAP
        self.y = top - height
        self.draw(_rule(self.y + 1, 0.8 if bold else 0.3))

    # --- pictures ----------------------------------------------------------------------------

    def pictures(self, pictures: Sequence[Picture], size: float) -> None:
        """Pictures in rows, each with its caption below."""
        row: list[tuple[Picture, float]] = []
        used = 0.0
        for picture in pictures:
            width = min(picture.width_mm * MM, WIDTH_PT)
            if row and used + width > WIDTH_PT:
                self._picture_row(row, size)
                row, used = [], 0.0
            row.append((picture, width))
            used += width + _GAP
        if row:
            self._picture_row(row, size)

    def _picture_row(self, row: Sequence[tuple[Picture, float]], size: float) -> None:
        most = PAGE_PT[1] - 2 * _MARGIN - _HEAD - _FOOT - 4 * size * _LEADING
        sizes = [_fitted(picture, width, most) for picture, width in row]
        captions = [wrapped(picture.caption, size, width) for picture, width in row]
        height = max(tall for _, tall in sizes) + (max(map(len, captions)) + 0.5) * size * _LEADING
        self.room(height)
        top, x = self.y, _MARGIN
        for (picture, width), (wide, tall), lines in zip(row, sizes, captions, strict=True):
            self.draw(_image_at(picture, x, top - tall, wide, tall))
            for number, line in enumerate(lines, 1):
                y = top - tall - number * size * _LEADING
                self.draw(line_at(line, x, y, size, unshown=self.unshown))
            x += width + _GAP
        self.y = top - height


def _fitted(picture: Picture, width: float, most: float) -> tuple[float, float]:
    rows, columns, _ = picture.pixels.shape
    height = width * rows / columns
    return (width, height) if height <= most else (most * columns / rows, most)


# --- drawing ---------------------------------------------------------------------------------


def line_at(
    line: str, x: float, y: float, size: float, *, bold: bool = False, unshown: set[str] | None = None
) -> _Draw:
    """Draws one line of text that begins at ``x``, ``y``."""
    runs = runs_of(visual(line), bold=bold, unshown=unshown)

    def draw(canvas: _Canvas) -> None:
        text = canvas.beginText(x, y)
        for run in runs:
            text.setFont(run.font, size)
            text.textOut(run.text)
        canvas.drawText(text)

    return draw


def _rule(y: float, width: float) -> _Draw:
    def draw(canvas: _Canvas) -> None:
        canvas.setLineWidth(width)
        canvas.setStrokeGray(0.6)
        canvas.line(_MARGIN, y, PAGE_PT[0] - _MARGIN, y)

    return draw


def _image_at(picture: Picture, x: float, y: float, width: float, height: float) -> _Draw:
    def draw(canvas: _Canvas) -> None:
        from PIL import Image
        from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]

        canvas.drawImage(ImageReader(Image.fromarray(picture.pixels)), x, y, width, height)

    return draw


def frame_of_page(head: str, foot: str, number: int, total: int, unshown: set[str]) -> Iterator[_Draw]:
    """What stands over and under every page."""
    for line in wrapped(head, 8, WIDTH_PT)[:1]:
        yield line_at(line, _MARGIN, PAGE_PT[1] - _MARGIN, 8, unshown=unshown)
    yield _rule(PAGE_PT[1] - _MARGIN - 4, 0.3)
    page = f"page {number} of {total}"
    free = WIDTH_PT - width_of(runs_of(page), 7)
    yield line_at(page, _MARGIN + free, _MARGIN - 4, 7)
    lines = wrapped(foot, 7, free - _GAP)
    for place, line in enumerate(lines[:4]):
        yield line_at(line, _MARGIN, _MARGIN - 4 - place * 7 * _LEADING, 7, unshown=unshown)


# --- measuring -------------------------------------------------------------------------------


def wrapped(text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
    """The lines of a text, broken at blanks, inside words that are too long, and between ideographs."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in _words(paragraph):
            if line and _width(line + word.rstrip(), size, bold) > width:
                lines.append(line.rstrip())
                line = ""
            line += word if line or word.strip() else ""
            while _width(line.rstrip(), size, bold) > width and len(line) > 1:
                fits = _longest(line, size, width, bold)
                lines.append(line[:fits])
                line = line[fits:]
        lines.append(line.rstrip())
    return lines


def _words(text: str) -> Iterator[str]:
    word = ""
    for character in text:
        word += character
        if character.isspace() or "\u2e80" <= character <= "\ud7ff" or "\uf900" <= character <= "\uffef":
            yield word
            word = ""
    if word:
        yield word


def _longest(line: str, size: float, width: float, bold: bool) -> int:
    low, high = 1, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _width(line[:middle], size, bold) <= width else (low, middle - 1)
    return low


@lru_cache(maxsize=4096)
def _width(text: str, size: float, bold: bool) -> float:
    return width_of(runs_of(shaped(text), bold=bold), size)


def _row_height(cells: Sequence[str], widths: Sequence[float], size: float) -> float:
    most = max(len(wrapped(cell, size, width)) for cell, width in zip(cells, widths, strict=True))
    return max(most, 1) * size * _LEADING + 5


def _column_widths(table: Table, size: float) -> list[float]:
    """As wide as the widest cell where there is room, else the wide columns give way."""
    wanted = [
        max(
            _width(heading, size, True),
            *(_width(line, size, False) for row in table.rows for line in row[column].splitlines() or [""]),
            10.0,
        )
        for column, heading in enumerate(table.headings)
    ]
    free = WIDTH_PT - _GAP * (len(wanted) - 1)
    if sum(wanted) <= free:
        return wanted
    widths, left, open_columns = list(wanted), free, sorted(range(len(wanted)), key=lambda column: wanted[column])
    for place, column in enumerate(open_columns):
        widths[column] = min(wanted[column], left / (len(wanted) - place))
        left -= widths[column]
    return widths
