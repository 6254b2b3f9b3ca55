"""The change table on paper, and as rows for a screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from radfuse.objects.pdf import Block, Heading, PaperReport, Paragraph, Table, render_pdf
from radfuse.services.followup.model import DEFINITIONS, Change, Followup, unit_of
from radfuse.services.followup.report import TITLE

_DIGITS: Final = {"ml": 2, "mm": 1}
_COLUMNS: Final = ("Lesion", "Status", "Quantity", "Prior", "Current", "Change", "Percent")


def rows_of(found: Followup) -> Iterator[dict[str, str]]:
    """A row for each lesion and quantity, then the totals; what is not known is empty."""
    for lesion in found.lesions:
        for change in found.changes(lesion):
            yield _row(found, lesion.name, lesion.status.value, change)
    for change in found.totals:
        yield _row(found, "All lesions", "", change)


def change_pdf(found: Followup, provenance: str) -> bytes:
    """The PDF; the same bytes for the same follow-up."""
    facts = (
        ("Prior", _series(found, "prior")),
        ("Current", _series(found, "current")),
        ("Rule", str(found.rule)),
        ("Unit", found.current.volume.unit.value),
        ("Registration", found.link.sentence),
    )
    return render_pdf(PaperReport(TITLE, _patient(found), facts, tuple(_blocks(found)), provenance)).content


def _blocks(found: Followup) -> Iterator[Block]:
    yield Heading("What changed")
    rows = list(rows_of(found))
    yield Table(_COLUMNS, tuple(tuple(row.values()) for row in rows), frozenset((3, 4, 5, 6)))
    if found.findings:
        yield Heading("What makes the time points less comparable")
        yield Table(("What", "How"), tuple((each.kind, each.sentence) for each in found.findings))
    if found.all_notes:
        yield Heading("Notes")
        yield from map(Paragraph, found.all_notes)
    yield Heading("Definitions")
    yield Table(("Word", "Meaning"), tuple(DEFINITIONS.items()))


def _row(found: Followup, name: str, status: str, change: Change) -> dict[str, str]:
    unit = unit_of(change.quantity, found.current.volume.unit.value)
    digits = _DIGITS.get(unit, 2)

    def said(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    values = (
        name,
        status,
        f"{change.quantity.value}, {unit}",
        said(change.prior, f".{digits}f"),
        said(change.current, f".{digits}f"),
        said(change.difference, f"+.{digits}f"),
        "" if change.percent is None else f"{change.percent:+.1f} %",
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _patient(found: Followup) -> str:
    header = found.current.headers[0]
    words = [str(header.get(keyword) or "") for keyword in ("PatientName", "PatientID", "PatientBirthDate")]
    return ", ".join(filter(None, words))


def _series(found: Followup, which: str) -> str:
    point = found.prior if which == "prior" else found.current
    described = str(point.headers[0].get("SeriesDescription") or "")
    source = point.volume.source
    return ", ".join(filter(None, (point.date, source.modality, described, source.series_uid)))
