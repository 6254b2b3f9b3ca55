"""What is to be taken out of the pixels of an image; how it is done: ``codecs/blanking.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Blanking:
    """What is taken out of every frame.

    ``rectangles``: left, top, right and bottom in pixels, the last two not included. ``cleared_bits``:
    a mask of bits that hold no sample. ``fill``: the stored value that stands for black, where there is
    one (padding, an entry of a palette). ``is_inverted``: large values are dark.
    """

    rectangles: tuple[tuple[int, int, int, int], ...] = ()
    cleared_bits: int = 0
    fill: int | None = None
    is_inverted: bool = False

    @classmethod
    def of_request(cls, request: Mapping[str, Any] | None) -> Blanking | None:
        """What a request to the child asks for."""
        if request is None:
            return None
        rectangles = tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in request["rectangles"])
        fill = request["fill"]
        cleared, is_inverted = int(request["cleared_bits"]), bool(request["is_inverted"])
        return cls(rectangles, cleared, None if fill is None else int(fill), is_inverted)

    def as_request(self) -> dict[str, Any]:
        """The same, for the line to the child."""
        return {
            "rectangles": [list(rectangle) for rectangle in self.rectangles],
            "cleared_bits": self.cleared_bits,
            "fill": self.fill,
            "is_inverted": self.is_inverted,
        }
