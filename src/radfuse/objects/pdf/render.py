"""A report as the bytes of a PDF: the same bytes for the same report, always."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from radfuse.objects.pdf.fonts import is_supplied, runs_of
from radfuse.objects.pdf.layout import PAGE_PT, Pages, frame_of_page
from radfuse.objects.pdf.report import Heading, PaperReport, Paragraph, Pictures, Table

_TEXT: Final = 9.5
_SMALL: Final = 8.5
_NEEDS_FONTS: Final = "Chinese, Japanese and Korean text is shown only by programs that have such fonts."


@dataclass(frozen=True, slots=True)
class Pdf:
    """A PDF."""

    content: bytes
    pages: int
    unshown: tuple[str, ...] = ()
    """Characters that no font here can show; they stand in it as [U+XXXX]."""
    needs_fonts: bool = False
    """Whether it has Chinese, Japanese or Korean text, whose fonts the reader's program must have."""


def render_pdf(report: PaperReport) -> Pdf:
    """The report on A4 pages. Fonts are embedded but for Chinese, Japanese and Korean ones."""
    from reportlab import rl_config  # type: ignore[import-untyped]
    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

    rl_config.useA85 = 0  # streams as bytes: as text they are a quarter larger
    pages = Pages()
    needs_fonts = any(is_supplied(run) for text in _texts(report) for run in runs_of(text))
    _fill(pages, report)
    foot = f"{_NEEDS_FONTS}\n{report.provenance}" if needs_fonts else report.provenance
    buffer = BytesIO()
    # "invariant": no time of day and no random identifier in the file.
    canvas = Canvas(buffer, pagesize=PAGE_PT, invariant=1, pageCompression=1, lang="en")
    canvas.setTitle(report.title)
    canvas.setCreator("Radfuse")
    canvas.setAuthor("")
    for number, page in enumerate(pages.pages, 1):
        frame = frame_of_page(report.patient, foot, number, len(pages.pages), pages.unshown)
        for action in (*frame, *page):
            action(canvas)
        canvas.showPage()
    canvas.save()
    return Pdf(buffer.getvalue(), len(pages.pages), tuple(sorted(pages.unshown)), needs_fonts)


def _texts(report: PaperReport) -> Iterator[str]:
    """Every text of a report."""
    yield from (report.title, report.patient, report.provenance)
    yield from (text for fact in report.facts for text in fact)
    for block in report.blocks:
        match block:
            case Heading(text) | Paragraph(text):
                yield text
            case Table(headings, rows, _, title):
                yield from (title, *headings, *(cell for row in rows for cell in row))
            case Pictures(pictures):
                yield from (picture.caption for picture in pictures)


def _fill(pages: Pages, report: PaperReport) -> None:
    pages.text(report.title, 16, bold=True)
    pages.skip(6)
    for name, fact in report.facts:
        before = pages.y
        pages.text(name, _TEXT, bold=True, width=110)
        if pages.y > before:  # the name began a page
            before = pages.y + _TEXT * 1.3
        below, pages.y = pages.y, before
        pages.text(fact, _TEXT, x=120, width=PAGE_PT[0] - 120 - 2 * 18 / 25.4 * 72)
        pages.y = min(pages.y, below)
    for block in report.blocks:
        match block:
            case Heading(text):
                pages.skip(10)
                pages.room(60)  # a heading does not stay alone at the foot of a page
                pages.text(text, 12, bold=True)
                pages.skip(3)
            case Paragraph(text):
                pages.text(text, _TEXT)
                pages.skip(5)
            case Table() as table:
                if table.title:
                    pages.room(50)
                    pages.text(table.title, _TEXT, bold=True)
                pages.table(table, _SMALL)
                pages.skip(8)
            case Pictures(pictures):
                pages.pictures(pictures, _SMALL)
                pages.skip(8)
