"""What a report on paper says, before it is laid out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidObject


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its headings are repeated on every page it reaches. Raises InvalidObject for rows of another length."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    """Columns, counted from 0, that are set flush right."""
    title: str = ""

    def __post_init__(self) -> None:
        """Check the rows."""
        if not self.headings or any(len(row) != len(self.headings) for row in self.rows):
            raise InvalidObject(("a table of the report has rows of different lengths",))


@dataclass(frozen=True, eq=False)
class Picture:
    """An image: rows x columns x 3, uint8 RGB. Raises InvalidObject for another shape or type."""

    pixels: npt.NDArray[np.uint8]
    caption: str = ""
    width_mm: float = 80.0

    def __post_init__(self) -> None:
        """Check the shape."""
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8 or not self.pixels.size:
            raise InvalidObject(("a picture of the report is not RGB",))


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images side by side as far as they fit."""

    pictures: tuple[Picture, ...]


Block: TypeAlias = Heading | Paragraph | Table | Pictures


@dataclass(frozen=True, eq=False)
class PaperReport:
    """A report: title, facts about patient and study, blocks, and how it was made."""

    title: str
    patient: str
    """Stands on every page: name, identifier, date of birth."""
    facts: tuple[tuple[str, str], ...] = ()
    blocks: tuple[Block, ...] = ()
    provenance: str = ""
    """Stands at the foot of every page: software, date, inputs."""
