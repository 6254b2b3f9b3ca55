"""A structured report as one HTML page: no script, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import Final

from radfuse.objects.common import Code
from radfuse.objects.sr.codes import LANGUAGE
from radfuse.objects.sr.model import (
    ByReference,
    Coded,
    Container,
    Coordinates,
    Item,
    Number,
    ObjectReference,
    Path,
    Report,
    Text,
)
from radfuse.objects.sr.text import header_lines
from radfuse.objects.sr.words import code_text, number_text, path_text, unit_text, value_text, words_of

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1,h2,h3,h4,h5,h6{line-height:1.25;margin:1.2em 0 .4em}
h2{font-size:1.4rem}h3{font-size:1.2rem}h4,h5,h6{font-size:1.05rem}
section{border-inline-start:2px solid #8884;padding-inline-start:1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}
dt{font-weight:600}dd{margin:0}
table{border-collapse:collapse;margin:.6rem 0}
th,td{text-align:start;vertical-align:top;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8884}
td.number{text-align:end;font-variant-numeric:tabular-nums}
ul{margin:.2rem 0;padding-inline-start:1.2rem}
p.text,span.text{white-space:pre-wrap;overflow-wrap:anywhere}
[title]:hover{text-decoration:underline dotted;text-underline-offset:.2em}
.note{opacity:.8}
"""

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_FOLDED: Final = 8
"""More references than this beside each other are folded away."""


def html_of(report: Report, *, with_patient: bool = True) -> str:
    """The page. ``with_patient``: with the name and number of the patient over it."""
    title = escape(report.title)
    header = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>"
        for name, text in header_lines(report, with_patient=with_patient)
    )
    body = "".join(_content(report.root, (1,), 2))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(_language(report))}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n"
        f'<body><main><article data-sop-instance-uid="{escape(report.sop_instance_uid)}">'
        f'<header><h1 id="i1"{_tooltip(report.root.concept)}>{title}</h1><dl>{header}</dl></header>\n'
        f"{body}{_findings(report)}</article></main></body></html>\n"
    )


def _language(report: Report) -> str:
    """What the report says that it is written in (PS3.16 TID 1204)."""
    item = report.root.first_of(LANGUAGE)
    return item.value.code.value if item is not None and isinstance(item.value, Coded) else "en"


def _findings(report: Report) -> str:
    if not report.findings:
        return ""
    lines = "".join(f"<li>{escape(finding)}</li>" for finding in report.findings)
    return f'<footer class="note"><h2>Not as the standard has it</h2><ul>{lines}</ul></footer>'


def _content(container: Item, path: Path, level: int) -> Iterator[str]:
    """What stands in a container: runs of the same kind side by side."""
    numbered = [((*path, number), child) for number, child in enumerate(container.children, 1)]
    for kind, run in groupby(numbered, key=lambda pair: _kind(pair[1])):
        items = list(run)
        if kind == "section":
            yield from (_section(item, place, level) for place, item in items)
        elif kind == "table":
            yield _table(items)
        elif kind == "references" and len(items) > _FOLDED:
            yield f"<details><summary>{len(items)} objects</summary>{_list(items)}</details>\n"
        else:
            yield _list(items)


def _kind(item: Item) -> str:
    match item.value:
        case Container():
            return "section"
        case Number():
            return "table"
        case ObjectReference():
            return "references"
        case _:
            return "list"


def _section(item: Item, path: Path, level: int) -> str:
    heading = f"h{min(level, 6)}"
    name = escape(words_of(item.concept) or "Group")
    return (
        f"<section {_id(path)}><{heading}{_tooltip(item.concept)}>{name}</{heading}>"
        f"{''.join(_content(item, path, level + 1))}</section>\n"
    )


def _table(items: Iterable[tuple[Path, Item]]) -> str:
    rows = "".join(map(_row, items))
    return (
        '<table><thead><tr><th scope="col">Measurement</th><th scope="col">Value</th><th scope="col">Unit</th>'
        f'<th scope="col">How</th></tr></thead><tbody>{rows}</tbody></table>\n'
    )


def _row(place: tuple[Path, Item]) -> str:
    path, item = place
    number = item.value
    if not isinstance(number, Number):
        raise TypeError(item.value_type)
    unit = f"<span{_tooltip(number.unit)}>{escape(unit_text(number.unit))}</span>" if number.unit else ""
    value = escape(number_text(number))
    if number.qualifier is not None and number.value is not None:
        value += f" ({escape(words_of(number.qualifier))})"
    return (
        f'<tr {_id(path)}><th scope="row">{_name(item.concept)}</th>'
        f'<td class="number"{_tooltip(number.qualifier)}>{value}</td><td>{unit}</td>'
        f"<td>{_children(item, path)}</td></tr>"
    )


def _list(items: Iterable[tuple[Path, Item]]) -> str:
    return f"<ul>{''.join(_entry(path, item) for path, item in items)}</ul>\n"


def _entry(path: Path, item: Item) -> str:
    name = _name(item.concept)
    return f"<li {_id(path)}>{f'{name}: ' if name else ''}{_value(item)}{_children(item, path)}</li>"


def _children(item: Item, path: Path) -> str:
    places = [((*path, number), child) for number, child in enumerate(item.children, 1)]
    if not places:
        return ""
    parts = [
        _section(child, place, 6) if isinstance(child.value, Container) else f"<ul>{_entry(place, child)}</ul>"
        for place, child in places
    ]
    return "".join(parts).replace("</ul><ul>", "")


def _value(item: Item) -> str:
    text = escape(value_text(item))
    if isinstance(item.value, ByReference):
        return f'<a href="#i{"-".join(map(str, item.value.path))}">{text}</a>'
    return f"<span{_about(item)}>{text}</span>" if text else ""


def _about(item: Item) -> str:
    """What a program or a pointing hand finds at a value: its code, its raw text, what it refers to."""
    about = ""
    match item.value:
        case Text(raw):
            about = ' class="text"' + (f' title="{escape(raw)}"' if raw != value_text(item) else "")
        case Coded(code):
            about = _tooltip(code)
        case Number(unit=unit):
            about = _tooltip(unit)
        case ObjectReference() as reference:
            about = f" {_data_of(reference)}"
        case Coordinates() as shape:
            points = " ".join(",".join(f"{number:.9g}" for number in point) for point in shape.points)
            about = f' data-graphic-type="{escape(shape.graphic)}" data-points="{points}"'
    return about


def _data_of(reference: ObjectReference) -> str:
    facts = {
        "sop-class-uid": reference.sop_class_uid,
        "sop-instance-uid": reference.sop_instance_uid,
        "frames": " ".join(map(str, reference.frames)),
        "segments": " ".join(map(str, reference.segments)),
        "presentation-uid": reference.presentation_uid,
    }
    return " ".join(f'data-{name}="{escape(text)}"' for name, text in facts.items() if text)


def _name(concept: Code | None) -> str:
    return f"<span{_tooltip(concept)}>{escape(words_of(concept))}</span>" if concept is not None else ""


def _tooltip(code: Code | None) -> str:
    return f' title="{escape(code_text(code))}"' if code is not None else ""


def _id(path: Path) -> str:
    return f'id="i{"-".join(map(str, path))}" data-item="{path_text(path)}"'
