"""What presentation states say: which images, how windowed, coloured, blended, and what is drawn on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import Reference


class StateKind(StrEnum):
    """The presentation states that we write, by their SOP Class UIDs (PS3.4 annex N)."""

    GRAYSCALE = "1.2.840.10008.5.1.4.1.1.11.1"
    PSEUDO_COLOUR = "1.2.840.10008.5.1.4.1.1.11.3"
    BLENDING = "1.2.840.10008.5.1.4.1.1.11.4"


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI LUT by centre and width, in the unit of the rescaled values (PS3.3 section C.11.2.1.2).

    Raises InvalidObject for a width below 1 of LINEAR, or not above 0 of the others.
    """

    centre: float
    width: float
    function: str = "LINEAR_EXACT"
    """LINEAR (the standard's default, a pixel narrower), LINEAR_EXACT or SIGMOID."""
    explanation: str = ""

    def __post_init__(self) -> None:
        """Check the numbers."""
        least_ok = self.width >= 1 if self.function == "LINEAR" else self.width > 0
        if not (np.isfinite(self.centre) and np.isfinite(self.width) and least_ok):
            raise InvalidObject(("a window of grey values has no width",))


@dataclass(frozen=True, slots=True)
class Rescale:
    """The modality LUT: stored value x slope + intercept."""

    slope: float
    intercept: float
    unit: str
    """Rescale Type: HU, OD, US (unspecified) …"""


@dataclass(frozen=True, eq=False)
class Palette:
    """Red, green, blue for grey values from black to white: n x 3, uint16. Raises InvalidObject for another shape."""

    name: str
    entries: npt.NDArray[np.uint16]

    def __post_init__(self) -> None:
        """Check the shape."""
        entries = self.entries
        if entries.ndim != 2 or entries.shape[1] != 3 or entries.dtype != np.uint16 or not 2 <= len(entries) <= 65536:
            raise InvalidObject(("a palette needs at least two colours of red, green and blue",))


@dataclass(frozen=True, slots=True)
class Area:
    """What is seen: from one pixel to another, column and row, the first pixel is 1, 1 (section C.10.4)."""

    top_left: tuple[int, int]
    bottom_right: tuple[int, int]
    references: tuple[Reference, ...] = ()
    """The images it holds for; empty: all."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A line or a text on images, in pixels (section C.10.5): points are column, row; 1, 1 is the first pixel's centre.

    ``graphic``: POINT, POLYLINE, INTERPOLATED, CIRCLE or ELLIPSE; empty for a text alone, which is anchored
    at the first point.
    """

    references: tuple[Reference, ...]
    points: tuple[tuple[float, float], ...]
    graphic: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """One side of a blend: images of one series, shown as said."""

    study_uid: str
    references: tuple[Reference, ...]
    window: Window | None = None
    rescale: Rescale | None = None


@dataclass(frozen=True, eq=False)
class PresentationState:
    """A presentation state as read: what a viewer needs to show the same again."""

    kind: StateKind
    sop_instance_uid: str
    label: str
    description: str
    references: tuple[Reference, ...] = ()
    """The images it is for; of a blend, those of both layers."""
    windows: tuple[tuple[Window, tuple[str, ...]], ...] = ()
    """With the SOP Instance UIDs each is for; none: all."""
    rescale: Rescale | None = None
    areas: tuple[Area, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    is_inverted: bool = False
    palette: Palette | None = None
    underlying: Layer | None = None
    superimposed: Layer | None = None
    opacity: float | None = None
    """Of the superimposed images, 0 to 1."""
    registration_uids: tuple[str, ...] = ()
    """SOP Instance UIDs of the spatial registrations to apply."""
    findings: tuple[str, ...] = ()
