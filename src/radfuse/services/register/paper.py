"""The report card on paper: what is measured, what it must reach, and the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from radfuse.objects.pdf import Block, Heading, PaperReport, Paragraph, Picture, Pictures, Table, render_pdf
from radfuse.registration.quality import LIMITS, rows_of
from radfuse.services.register.registering import Registered
from radfuse.services.register.report import TITLE

if TYPE_CHECKING:
    from radfuse.services.register.checks import Side
    from radfuse.services.register.pictures import Picture as Shown

_WIDTH_MM = 56.0


def card_pdf(found: Registered, pictures: Sequence[Shown], provenance: str) -> bytes:
    """The PDF; the same bytes for the same registration."""
    patient = _patient(found.fixed)
    facts = (
        ("Grade", found.card.grade.value),
        ("Reason", found.card.reason),
        ("Method", found.registration.method.value),
        ("Fixed", _series(found.fixed)),
        ("Moving", _series(found.moving)),
    )
    return render_pdf(PaperReport(TITLE, patient, facts, tuple(_blocks(found, pictures)), provenance)).content


def _blocks(found: Registered, pictures: Sequence[Shown]) -> Iterator[Block]:
    yield Heading("What was measured")
    rows = list(rows_of(found.card.checks, LIMITS))
    if rows:
        yield Table(tuple(rows[0]), tuple(tuple(row.values()) for row in rows), frozenset((2, 3)))
    for title, sentences in (("Concerns", found.card.concerns), ("Not measured", found.card.notes)):
        if sentences:
            yield Heading(title)
            yield from map(Paragraph, sentences)
    if pictures:
        yield Heading("Pictures")
        yield Pictures(tuple(Picture(each.pixels, each.caption, _WIDTH_MM) for each in pictures))
    yield Heading("How it was made")
    yield Table(("Parameter", "Value"), tuple(sorted(found.parameters.items())))


def _patient(side: Side) -> str:
    if not side.headers:
        return ""
    header = side.headers[0]
    words = [str(header.get(keyword) or "") for keyword in ("PatientName", "PatientID", "PatientBirthDate")]
    return ", ".join(filter(None, words))


def _series(side: Side) -> str:
    source = side.volume.source
    described = str(side.headers[0].get("SeriesDescription") or "") if side.headers else ""
    return ", ".join(filter(None, (source.modality, described, source.series_uid)))
