"""What the HTTP door is given by whoever starts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from radfuse.archive import Archive
from radfuse.dicom import Transcoder


@dataclass(frozen=True, slots=True)
class WebSurroundings:
    """The archive behind the door, and what a request may cost."""

    archive: Archive
    transcoder: Transcoder
    ae_title: str
    """Ours: Retrieve AE Title of answers, and the source of what is stored over the web."""
    public_url: str = ""
    """The address that clients see, such as ``https://pacs.example``; empty: what each request says it is."""
    body_limit_bytes: int = 64 << 30
    """A longer request is refused (413)."""
    json_limit_bytes: int = 64 << 20
    """The longest metadata of a store request, and the longest of one response that is rendered in memory."""
    results_limit: int = 10_000
    """A search gives no more at once; it says when there are more."""
    threads: int = 8
    """Requests that work at once; the others wait."""
    cache_bytes: int = 48 << 20
    """Memory for headers and for where frames lie."""
    data: Path | None = None
    """The data folder with the project keys of the anonymizer; None: nothing is anonymized."""
