"""Options of the commands that anonymize."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Retained(StrEnum):
    """What may stay."""

    DATES = "dates"
    SHIFTED_DATES = "shifted-dates"
    PATIENT = "patient"
    DEVICE = "device"
    INSTITUTION = "institution"
    UIDS = "uids"
    PRIVATE = "private"


class Cleaned(StrEnum):
    """What is cleaned instead of removed or refused."""

    PIXELS = "pixels"
    DESCRIPTORS = "descriptors"
    STRUCTURED_CONTENT = "structured-content"
    GRAPHICS = "graphics"
    FACES = "faces"


class Preset(StrEnum):
    """Options that belong together."""

    PET = "pet"


Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH", show_default=False, help="Folders, DICOM files and zip files; they stay as they are."
    ),
]
Studies = Annotated[
    list[str] | None,
    typer.Option("--study", metavar="UID", help="Anonymize this study of the own archive; can be given again."),
]
SeriesUIDs = Annotated[
    list[str] | None,
    typer.Option("--series", metavar="UID", help="Anonymize this series of the own archive; can be given again."),
]
ToFolder = Annotated[
    Path | None, typer.Option("--to", metavar="DIR", help="Write into this folder; nothing in it is overwritten.")
]
AsMedia = Annotated[
    bool,
    typer.Option("--dicomdir", help="With --to: name the files as on a medium, and make a new DICOMDIR of them all."),
]
ToPeer = Annotated[str | None, typer.Option("--to-peer", metavar="PEER", help="Send to this peer.")]
Into = Annotated[str | None, typer.Option("--into", metavar="DATABASE", help="Keep in this database of the settings.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="The project key; made when it is not there. The same key, the same pseudonyms.",
    ),
]
KeyName = Annotated[
    str | None, typer.Option("--key", metavar="NAME", help="A key of the data folder ('radfuse deid key new').")
]
Retain = Annotated[list[Retained] | None, typer.Option("--retain", help="What stays; can be given again.")]
Clean = Annotated[
    list[Cleaned] | None,
    typer.Option("--clean", help="What is cleaned instead of removed or refused; can be given again."),
]
PresetName = Annotated[
    Preset | None,
    typer.Option(
        "--preset", help="pet: shifted dates, patient characteristics and device, so that SUV stays the same."
    ),
]
PixelRules = Annotated[
    Path | None,
    typer.Option("--pixel-rules", metavar="FILE", help="Rules by device (JSON or TOML): where names stand in pixels."),
]
PixelsAreClean = Annotated[
    bool,
    typer.Option("--pixels-are-clean", help="State that somebody has looked at these pixels: no names stand in them."),
]
ReadText = Annotated[
    bool, typer.Option("--read-text", help="With --clean pixels: look for text in pixels too (needs Tesseract).")
]
ReplaceDocuments = Annotated[
    bool, typer.Option("--replace-documents", help="Put an empty page in the place of a PDF, instead of refusing it.")
]
ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write what was done: .html or .md for people, .json for machines."),
]
VaultFile = Annotated[
    Path | None,
    typer.Option("--vault", metavar="FILE", help="Note in this file what the pseudonyms stand for. Guard it well."),
]
Processes = Annotated[
    int | None,
    typer.Option("--processes", metavar="N", min=1, max=64, help="So many at once; as many as there are processors."),
]
