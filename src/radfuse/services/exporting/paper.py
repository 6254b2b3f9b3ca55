"""A report for people: an Encapsulated PDF with numbers, pictures, and why the series are aligned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import InvalidObject, NotOverlaid
from radfuse.objects.common import Making, NewSeries, Provenance, reference_to
from radfuse.objects.pdf import (
    QUANTITATIVE_REPORT,
    Block,
    Document,
    Heading,
    PaperReport,
    Paragraph,
    Picture,
    Pictures,
    Table,
    build_encapsulated_pdf,
    render_pdf,
)
from radfuse.services.drawing import Numbers
from radfuse.services.exporting.drawn import Drawings
from radfuse.services.exporting.model import Paper
from radfuse.services.exporting.pictures import pixels_of
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.aligning import aligned, alignment_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_WIDTH_MM: Final = 80.0
_HEADINGS: Final = ("Region", "Series", "Unit", "Max", "Peak", "Mean", "SD", "Volume ml", "TLG")
_NUMERIC: Final = frozenset(range(3, len(_HEADINGS)))


def paper_report(drawings: Drawings, asked: Paper, making: Making) -> Dataset:
    """The object, in the study of the base. Raises InvalidObject without one, and what showing series raises."""
    views = _views(drawings, asked)
    if not views:
        raise InvalidObject(("a report is about a series: open one, or add a picture or a region",))
    headers = {view.series: drawings.images.headers(view) for view in views}
    source = headers[views[0].series][0]
    references = tuple(reference_to(header) for each in headers.values() for header in each)
    provenance = Provenance("report of the workstation", {}, references)
    facts = tuple((f"Series {number}", _series_words(headers[view.series][0])) for number, view in enumerate(views, 1))
    blocks = tuple(_blocks(drawings, asked, views))
    paper = PaperReport(asked.title, _patient(source), facts, blocks, provenance.software)
    document = Document(render_pdf(paper).content, asked.title, QUANTITATIVE_REPORT, references)
    series = NewSeries(asked.title)
    return build_encapsulated_pdf(document, source, provenance=provenance, series=series, making=making)


def _views(drawings: Drawings, asked: Paper) -> list[SeriesView]:
    """All series that it speaks of, each once; the base first."""
    draft, found = drawings.draft, dict[str, SeriesView]()
    shown = [view for _, shot in asked.shots for view in (shot.base, *(shot.over or ())[:1])]
    drawn = [draft.view_of(draft.regions[each].series) for each in asked.ids if each in draft.regions]
    drawn += [draft.view_of(draft.lines[each].series) for each in asked.ids if each in draft.lines]
    for view in (draft.base, draft.overlay, *shown, *drawn):
        if isinstance(view, SeriesView):
            found.setdefault(view.series, view)
    return list(found.values())


def _blocks(drawings: Drawings, asked: Paper, views: list[SeriesView]) -> Iterator[Block]:
    if asked.text:
        yield from map(Paragraph, asked.text.split("\n\n"))
    yield from _numbers(drawings, asked, views)
    if asked.shots:
        yield Heading("Pictures")
        yield Pictures(
            tuple(Picture(pixels_of(drawings.images, shot), caption, _WIDTH_MM) for caption, shot in asked.shots)
        )
    yield from _alignment(drawings, views)


def _numbers(drawings: Drawings, asked: Paper, views: list[SeriesView]) -> Iterator[Block]:
    names = {view.series: f"Series {number}" for number, view in enumerate(views, 1)}
    regions, lines = drawings.regions(asked.ids), drawings.lines(asked.ids)
    rows = [
        (region.label, names.get(each.series_uid, each.series_uid), each.unit, *_cells(each))
        for region in regions
        for each in region.numbers
    ]
    if rows:
        yield Heading("Numbers")
        yield Table(_HEADINGS, tuple(rows), _NUMERIC)
    notes = [f"{region.label}: {finding}" for region in regions for each in region.numbers for finding in each.findings]
    yield from map(Paragraph, dict.fromkeys(notes))
    if lines:
        told = [
            (line.text or line.kind, line.kind, "" if line.value is None else f"{line.value:.1f}", line.unit)
            for line in lines
        ]
        yield Table(("Line", "Kind", "Value", "Unit"), tuple(told), frozenset((2,)))


def _cells(numbers: Numbers) -> tuple[str, ...]:
    values = numbers.max, numbers.peak, numbers.mean, numbers.sd, numbers.volume_ml, numbers.tlg
    return tuple("" if value is None else f"{value:.2f}" for value in values)


def _alignment(drawings: Drawings, views: list[SeriesView]) -> Iterator[Block]:
    base = views[0]
    if len(views) > 1:
        yield Heading("Why they are aligned")
    for number, view in enumerate(views[1:], 2):
        try:
            found = alignment_of(aligned(drawings.images.archive, base.series, view))
        except NotOverlaid as error:
            yield Paragraph(f"Series {number}: {error}.")
            continue
        grade = f" Grade {found.grade.value}: {found.grade_reason}." if found.grade else ""
        yield Paragraph(f"Series {number}: {found.sentence}.{grade}")
        yield from map(Paragraph, found.warnings)


def _patient(header: Dataset) -> str:
    words = [str(header.get(keyword) or "") for keyword in ("PatientName", "PatientID", "PatientBirthDate")]
    return ", ".join(filter(None, words))


def _series_words(header: Dataset) -> str:
    words = [str(header.get(keyword) or "") for keyword in ("Modality", "StudyDate", "SeriesDescription")]
    return ", ".join(filter(None, words))
