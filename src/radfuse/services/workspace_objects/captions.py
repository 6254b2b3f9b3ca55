"""Writing on a picture: whose it is, what it shows, how it lies. Such pictures are burned in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from radfuse.fusion import Colours, Window
from radfuse.services.viewing import Place

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont
    from pydicom.dataset import Dataset

_SHARE: Final = 36
"""Rows of a picture for one line of text."""
_LEAST: Final = 9
_SHADOW: Final = (0, 0, 0)
_INK: Final = (255, 255, 255)
_SIDES: Final = (("R", "L"), ("A", "P"), ("F", "H"))
"""Letters of the patient's axes (PS3.3 section C.7.6.1.1.1): against x, y, z of the patient, and along them."""
_LEAST_SHARE: Final = 0.2
"""Of a direction that has a letter: about 12 degrees."""

Shown: TypeAlias = tuple["Dataset", Window]
"""The header of an image of a series, and the window that it is seen in."""


def written_on(pixels: Colours, shown: Sequence[Shown], place: Place) -> Colours:
    """The picture with patient, series and windows in its upper left corner, and the patient's sides at its edges."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(pixels)
    size = max(_LEAST, len(pixels) // _SHARE)
    draw = ImageDraw.Draw(image)
    with as_file(files("radfuse.objects.pdf") / "fonts" / "DejaVuSans.ttf") as path:
        font = ImageFont.truetype(str(path), size)
        for number, line in enumerate(_lines(shown, place)):
            _write(draw, font, (size // 2, size // 2 + number * (size * 5 // 4)), line, "la")
        for at, letters, anchor in _sides(place, size):
            _write(draw, font, at, letters, anchor)
    written: Colours = np.asarray(image).copy()
    return written


def _write(draw: ImageDraw, font: FreeTypeFont, at: tuple[float, float], text: str, anchor: str) -> None:
    stroke = max(1, round(font.size / 8))
    draw.text(at, text, fill=_INK, font=font, anchor=anchor, stroke_width=stroke, stroke_fill=_SHADOW)


def _lines(shown: Sequence[Shown], place: Place) -> list[str]:
    first = shown[0][0]
    whose = [str(first.get(keyword) or "") for keyword in ("PatientName", "PatientID")]
    lines = [", ".join(filter(None, whose))]
    for header, window in shown:
        what = [str(header.get(keyword) or "") for keyword in ("Modality", "StudyDate", "SeriesDescription")]
        lines.append(f"{' '.join(filter(None, what))}, {window.low:g} to {window.high:g}")
    lines.append("L {:.1f}  P {:.1f}  H {:.1f} mm".format(*place.centre_mm))
    return lines


def _sides(place: Place, margin: int) -> Iterator[tuple[tuple[float, float], str, str]]:
    """Where the letters of each edge stand, the letters, and by which of their own sides (as Pillow says it)."""
    right, down = np.array(place.right), np.array(place.down)
    middle = place.columns / 2, place.rows / 2
    yield (margin / 2, middle[1]), letters_of(-right), "lm"
    yield (place.columns - margin / 2, middle[1]), letters_of(right), "rm"
    yield (place.columns - margin * 2, margin / 2), letters_of(-down), "ra"
    yield (middle[0], place.rows - margin / 2), letters_of(down), "md"


def letters_of(direction: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    """Where a direction leads in the patient, the side that it leads to most first: "L", "LP", "AHR"."""
    shares = np.asarray(direction, dtype=np.float64) / np.linalg.norm(direction)
    order = np.argsort(-np.abs(shares), kind="stable")
    return "".join(_SIDES[axis][int(shares[axis] > 0)] for axis in order if abs(shares[axis]) >= _LEAST_SHARE)
