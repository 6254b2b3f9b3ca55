"""A structured report as lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from radfuse.objects.sr.model import HAS_CONCEPT_MOD, HAS_PROPERTIES, Coded, Container, Item, Report, Text
from radfuse.objects.sr.words import date_text, name_text, time_text, value_text, words_of

_INDENT = "  "


def text_of(report: Report, *, with_patient: bool = True) -> Iterator[str]:
    """The lines of a report, the tree indented; ``with_patient``: with the name and number of the patient."""
    yield report.title
    yield from (f"{_INDENT}{name}: {text}" for name, text in header_lines(report, with_patient=with_patient))
    yield ""
    yield from _all_lines(report.root.children, 0)
    if report.findings:
        yield ""
        yield "Not as the standard has it:"
        yield from (f"{_INDENT}{finding}" for finding in report.findings)


def header_lines(report: Report, *, with_patient: bool) -> Iterator[tuple[str, str]]:
    """What stands over a report: name and text."""
    fact = report.fact
    if with_patient:
        patient = [
            name_text(fact("PatientName")),
            fact("PatientID"),
            date_text(fact("PatientBirthDate")),
        ]
        yield "Patient", ", ".join(part for part in (*patient, fact("PatientSex")) if part) or "unknown"
    study = [fact("StudyDescription"), date_text(fact("StudyDate")), fact("AccessionNumber")]
    if any(study):
        yield "Study", ", ".join(filter(None, study))
    made = [date_text(fact("ContentDate")), time_text(fact("ContentTime"))]
    if any(made):
        yield "Report of", " ".join(filter(None, made))
    makers = [fact("Manufacturer"), fact("ManufacturerModelName"), fact("SoftwareVersions")]
    if any(makers):
        yield "Made by", ", ".join(dict.fromkeys(filter(None, makers)))
    flags = [fact("CompletionFlag"), fact("PreliminaryFlag"), fact("VerificationFlag")]
    if any(flags):
        yield "State", ", ".join(filter(None, flags)).lower()
    for party in report.verified_by:
        who = [name_text(party.name), party.organization, date_text(party.moment)]
        yield "Verified by", ", ".join(filter(None, who))


def is_modifier(item: Item) -> bool:
    """Whether an item is a word about its parent that fits beside it."""
    return (
        item.relationship in (HAS_CONCEPT_MOD, HAS_PROPERTIES)
        and isinstance(item.value, Coded | Text)
        and not any(not is_modifier(child) for child in item.children)
        and "\n" not in value_text(item)
    )


def modifier_text(item: Item) -> str:
    """A modifier with those of its own."""
    inner = "; ".join(map(modifier_text, item.children))
    return f"{words_of(item.concept)}: {value_text(item)}{f' [{inner}]' if inner else ''}"


def _lines(item: Item, depth: int) -> Iterator[str]:
    indent = _INDENT * depth
    name, value = words_of(item.concept), value_text(item)
    beside = [child for child in item.children if is_modifier(child)]
    below = [child for child in item.children if not is_modifier(child)]
    if isinstance(item.value, Container):
        beside, below = [], list(item.children)
        line = name or "Group"
    else:
        first, *more = value.splitlines() or [""]
        line = f"{name}: {first}" if name else first
        if more:
            line += "".join(f"\n{indent}{_INDENT}{part}" for part in more)
    if beside:
        line += f" [{'; '.join(map(modifier_text, beside))}]"
    yield from (part if number else indent + part for number, part in enumerate(line.split("\n")))
    yield from _all_lines(below, depth + 1)


def _all_lines(items: Sequence[Item], depth: int) -> Iterator[str]:
    """The lines of items side by side; the same line many times over, as of a series' images, is counted."""
    for line, same in groupby(line for item in items for line in _lines(item, depth)):
        count = sum(1 for _ in same)
        yield f"{line} (x {count})" if count > 1 else line
