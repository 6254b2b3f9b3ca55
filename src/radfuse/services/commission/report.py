"""The table of a commission on paper."""

from __future__ import annotations

from radfuse.objects.pdf import Heading, PaperReport, Paragraph, Table, render_pdf
from radfuse.services.commission.model import Commission, Row

_HEADINGS = ("Test", "Quantity", "Unit", "Limit", "Measured", "Passed")
_ABOUT = (
    "Made-up CT, MR and PET of one anatomy, with known motions, deformations, contours and activities, were written "
    "as DICOM, checked, stored, opened, registered and measured by this installation. Limits follow AAPM Task "
    "Group 132 where its report has a number (rigid: half a voxel; deformable: 95 % within 2 mm, at most 5 mm)."
)


def report_pdf(made: Commission) -> bytes:
    """As PDF: the same bytes for the same table."""
    blocks: list[Heading | Paragraph | Table] = [Paragraph(_ABOUT)]
    for part in dict.fromkeys(row.part for row in made.rows):
        blocks += [Heading(part.capitalize()), _table([row for row in made.rows if row.part == part])]
    seconds = tuple((part.name, f"{part.seconds:.1f}") for part in made.parts)
    blocks += [Heading("Time"), Table(("Part", "Seconds"), seconds, frozenset({1}))]
    report = PaperReport(
        "Commission of this installation",
        "Synthetic phantoms: no patient",
        (("Result", verdict(made)), ("Size", made.size), ("Date", made.when), *made.machine.facts),
        tuple(blocks),
        f"{' '.join(made.machine.software[0])}, {made.when}",
    )
    return render_pdf(report).content


def verdict(made: Commission) -> str:
    """In a sentence."""
    judged = sum(row.limit is not None for row in made.rows)
    if made.failed:
        return f"{len(made.failed)} of {judged} measured values are beyond their limits."
    return f"All {judged} measured values are within their limits."


def _table(rows: list[Row]) -> Table:
    cells = tuple(
        (row.test, row.quantity, row.unit, row.limit_words, row.measured_words, passed_words(row)) for row in rows
    )
    return Table(_HEADINGS, cells, frozenset({3, 4}))


def passed_words(row: Row) -> str:
    """Whether it passed; empty where it is not judged."""
    if row.limit is None and row.passed:
        return ""
    return "yes" if row.passed else "NO"
