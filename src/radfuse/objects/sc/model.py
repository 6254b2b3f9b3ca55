"""Captured pictures: one, or several with the way they follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidObject
from radfuse.geometry import Grid


class CaptureClass(StrEnum):
    """The Secondary Capture SOP classes."""

    SINGLE = "1.2.840.10008.5.1.4.1.1.7"
    SINGLE_BIT = "1.2.840.10008.5.1.4.1.1.7.1"
    GRAYSCALE_BYTE = "1.2.840.10008.5.1.4.1.1.7.2"
    GRAYSCALE_WORD = "1.2.840.10008.5.1.4.1.1.7.3"
    TRUE_COLOUR = "1.2.840.10008.5.1.4.1.1.7.4"


@dataclass(frozen=True, eq=False)
class Capture:
    """Pictures as they were shown: ``frames`` x rows x columns (x red, green, blue).

    bool (7.1), uint8 (7.2, or 7.4 with colours) or uint16 (7.3); a single frame of uint8 may also become a
    single-frame object (7). Raises InvalidObject for another shape or type, and for timing or planes that
    are not one for each frame.
    """

    frames: npt.NDArray[Any]
    burned_in_annotation: bool
    """Whether the patient can be identified from what the pixels show."""
    frame_time_ms: float | None = None
    """How long each frame is shown: a cine. None: pages to turn."""
    planes: tuple[Grid, ...] = ()
    """Where each frame lies in the patient, a grid of one slice each; empty: nowhere."""
    window: tuple[float, float] | None = None
    """Centre and width to show grayscale with."""
    kind: str = ""
    """Value 3 of Image Type, as MIP; empty: none."""
    visual_features: bool = False
    """Whether a face or another feature shows by which the patient can be recognized."""

    def __post_init__(self) -> None:
        """Check, and let nobody write."""
        colour = self.frames.ndim == 4 and self.frames.shape[3] == 3 and self.frames.dtype == np.uint8
        gray = self.frames.ndim == 3 and self.frames.dtype in (np.bool_, np.uint8, np.uint16)
        if not (colour or gray) or 0 in self.frames.shape:
            raise InvalidObject(("a capture needs frames x rows x columns of truth values, bytes or words, or RGB",))
        if max(self.frames.shape[1:3]) > 65535:
            raise InvalidObject(("a capture has at most 65,535 rows and columns",))
        if self.planes and len(self.planes) != len(self.frames):
            raise InvalidObject(("a capture with a geometry needs a plane for each frame",))
        if any(plane.shape != (1, *self.frames.shape[1:3]) for plane in self.planes):
            raise InvalidObject(("the plane of a frame must have its rows and columns, and one slice",))
        if self.frame_time_ms is not None and not self.frame_time_ms > 0:
            raise InvalidObject(("the time of a frame must be more than 0",))
        view = self.frames.view()
        view.flags.writeable = False
        object.__setattr__(self, "frames", view)

    @property
    def is_colour(self) -> bool:
        """Whether the pixels are red, green and blue."""
        return self.frames.ndim == 4

    @property
    def multi_frame_class(self) -> CaptureClass:
        """The multi-frame class that holds such pixels."""
        if self.is_colour:
            return CaptureClass.TRUE_COLOUR
        if self.frames.dtype == np.bool_:
            return CaptureClass.SINGLE_BIT
        return CaptureClass.GRAYSCALE_BYTE if self.frames.dtype == np.uint8 else CaptureClass.GRAYSCALE_WORD
