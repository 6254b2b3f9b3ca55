"""What lies beside the directory: a text and a page for people, and the checksums (IHE RAD TF-2: PDI, 4.47)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from radfuse import __version__
from radfuse.core.errors import CannotExport
from radfuse.services.export_media.model import Refusal

README: Final = "README.TXT"
INDEX: Final = "INDEX.HTM"
CHECKSUMS: Final = "SHA256.TXT"
_DIGEST_CHARACTERS: Final = 64
_NOT_XML: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_COLUMNS: Final = ("Patient", "Patient ID", "Born", "Study date", "Description", "Modality", "Objects")


@dataclass(frozen=True, slots=True)
class About:
    """What the texts say of a file-set."""

    file_set_id: str
    profile: str
    section: str
    """Where PS3.11 defines the profile."""
    made: datetime
    """UTC."""
    institution: str = ""
    volume: int = 1
    volumes: int = 1
    refusals: Sequence[Refusal] = ()


@dataclass(slots=True)
class StudyLine:
    """One study in the page; all texts as they are to be read."""

    patient: str
    patient_id: str
    born: str
    date: str
    description: str
    modalities: dict[str, None] = field(default_factory=dict)
    objects: int = 0

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns of the table."""
        name = " ".join(filter(None, self.patient.split("=")[0].split("^")))
        others = [" ".join(filter(None, group.split("^"))) for group in self.patient.split("=")[1:]]
        full = " / ".join(filter(None, (name, *others)))
        kinds = ", ".join(self.modalities)
        return (
            full,
            self.patient_id,
            _date(self.born),
            _date(self.date),
            self.description,
            kinds,
            f"{self.objects:,}",
        )


def readme(about: About, objects: int, studies: int) -> bytes:
    """README.TXT: what this is, who made it, how to read it. No patient's name is in it."""
    volume = f", medium {about.volume} of {about.volumes}" if about.volumes > 1 else ""
    by = f" for {about.institution}" if about.institution else ""
    lines = [
        f"DICOM file-set {about.file_set_id}{volume}",
        "",
        "WHAT THIS IS",
        f"Medical images and other DICOM objects: {_count(objects, 'object')}, {_count(studies, 'study', 'studies')}.",
        f"Written{by} by Radfuse {__version__} on {about.made:%Y-%m-%d %H:%M} UTC,",
        f"by the application profile {about.profile} of DICOM ({about.section}).",
        "",
        "HOW TO READ IT",
        "- With a DICOM viewer or workstation: open or import DICOMDIR.",
        f"- With a web browser: {INDEX} lists the studies.",
        "- No viewer is on this medium, and nothing on it starts by itself.",
        "",
        "WHAT IS ON IT",
        "DICOMDIR    the directory that DICOM programs read",
        "DICOM       the objects; their names mean nothing",
        f"{INDEX}   the list of studies",
        f"{CHECKSUMS}  SHA-256 checksums; 'sha256sum -c {CHECKSUMS}' checks that all files are whole",
        "",
        *_left_out(about.refusals),
        "PLEASE NOTE",
        "This medium holds confidential data of patients. Keep it from others, and destroy it when it is",
        "no longer needed. Use software made for diagnosis where a diagnosis depends on the images.",
        "",
    ]
    return "\r\n".join(lines).encode("ascii", "replace")


def _left_out(refusals: Sequence[Refusal]) -> list[str]:
    if not refusals:
        return []
    return ["WHAT IS NOT ON IT", *(f"- {refusal}" for refusal in refusals), ""]


def index(about: About, studies: Iterable[StudyLine]) -> bytes:
    """INDEX.HTM: the studies as a page of XHTML, without script and with relative links only."""
    volume = f", medium {about.volume} of {about.volumes}" if about.volumes > 1 else ""
    title = f"DICOM file-set {html.escape(about.file_set_id)}{volume}"
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{_plain(cell)}</td>' for cell in study.cells)}</tr>"
        for study in sorted(studies, key=lambda study: (study.cells[0].casefold(), study.date))
    )
    by = f" for {html.escape(about.institution)}" if about.institution else ""
    page = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
<head>
<title>{title}</title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<style type="text/css">
body {{ font-family: sans-serif; margin: 2em; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #999; padding: 0.3em 0.8em; text-align: left; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>Written{by} by Radfuse {html.escape(__version__)} on {about.made:%Y-%m-%d %H:%M} UTC.
To see the images open <a href="DICOMDIR">DICOMDIR</a> with a DICOM viewer;
<a href="{README}">{README}</a> says more.</p>
<table summary="Studies on this medium">
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""
    return page.encode("utf-8")


def checksum_line(sha256: str, name: str) -> str:
    """One line as sha256sum writes it."""
    return f"{sha256}  {name}\n"


def read_checksums(path: Path) -> Mapping[str, str]:
    """Name -> SHA-256 of a file of such lines; empty when there is none. Raises CannotExport for other lines."""
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        digest, separator, name = line.partition("  ")
        if len(digest) != _DIGEST_CHARACTERS or not separator:
            raise CannotExport(f"{path.name} of the file-set is not what was written; make a new file-set")
        found[name] = digest
    return found


def _plain(text: str) -> str:
    """Escaped; characters that XML does not have are shown as the mark of those."""
    return html.escape(_NOT_XML.sub("\ufffd", text))


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
