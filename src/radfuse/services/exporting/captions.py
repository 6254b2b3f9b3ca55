"""Writing on a picture: whose it is, and what it shows. Such pictures are burned in."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.fusion import Colours
from radfuse.services.exporting.model import Shot

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SHARE: Final = 36
"""Rows of a picture for one line of text."""
_LEAST: Final = 9
_SHADOW: Final = (0, 0, 0)
_INK: Final = (255, 255, 255)


def written_on(pixels: Colours, sources: Sequence[Dataset], shot: Shot) -> Colours:
    """The picture with text in its upper left corner."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(pixels)
    size = max(_LEAST, len(pixels) // _SHARE)
    draw = ImageDraw.Draw(image)
    with as_file(files("radfuse.objects.pdf") / "fonts" / "DejaVuSans.ttf") as path:
        font = ImageFont.truetype(str(path), size)
        for number, line in enumerate(_lines(sources, shot)):
            at = size // 2, size // 2 + number * (size * 5 // 4)
            draw.text(at, line, fill=_INK, font=font, stroke_width=max(1, size // 8), stroke_fill=_SHADOW)
    written: Colours = np.asarray(image).copy()
    return written


def _lines(sources: Sequence[Dataset], shot: Shot) -> list[str]:
    first = sources[0]
    whose = [str(first.get(keyword) or "") for keyword in ("PatientName", "PatientID")]
    series = {str(each.get("SeriesInstanceUID")): each for each in sources}
    lines = [", ".join(filter(None, whose))]
    for header in series.values():
        what = [str(header.get(keyword) or "") for keyword in ("Modality", "StudyDate", "SeriesDescription")]
        lines.append(" ".join(filter(None, what)))
    lines.append("L {:.1f}  P {:.1f}  H {:.1f} mm".format(*shot.place.centre_mm))
    return lines
