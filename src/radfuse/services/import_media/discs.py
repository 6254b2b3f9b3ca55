"""The files in the image of a disc (ISO 9660, UDF)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from radfuse.media import disc_images
from radfuse.services.import_media.model import ImportLimits
from radfuse.services.import_media.sources import DiscFile, Source


@dataclass(frozen=True, slots=True)
class OpenDisc:
    """The image of a disc: its files by their names in it, in order, and what is wrong with it."""

    files: Sequence[tuple[str, Source]]
    findings: Sequence[str]


@contextmanager
def opened_disc(path: Path, shown: str, limits: ImportLimits) -> Iterator[OpenDisc]:
    """Open an image. Raises UnreadableMedia, also for one with more files than ``limits`` allow, and OSError."""
    with disc_images.read_disc_image(path, disc_images.ImageLimits(files=limits.members)) as image:
        turn = threading.Lock()
        files: list[tuple[str, Source]] = []
        for file in sorted(image.files()):
            name = "/".join(file.names)
            files.append((name, DiscFile(f"{shown}: {name}", str(path), partial(image.open, file), turn)))
        yield OpenDisc(files, image.findings)
