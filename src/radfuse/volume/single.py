"""Slices of files that hold one image each, and the rescale of any (PS3.3 sections C.7.6.2 and C.11.1)."""

from __future__ import annotations

from typing import Final

import numpy as np

from radfuse.core.errors import CannotBuildVolume
from radfuse.volume.attributes import Attributes
from radfuse.volume.frames import Frame, Mark, MarkValue, Rescale, marks_of
from radfuse.volume.images import ImageFile

_LUT_SEQUENCE: Final = 0x0028_3000
ACTIVITY: Final = "RWV Bq/ml"
"""The kind of a Real World Value Mapping to Bq/ml."""


def slices_of_image(image: ImageFile, a: Attributes) -> tuple[Frame, ...]:
    """The one slice of an image. Raises CannotBuildVolume for one whose values cannot be told."""
    if image.pixels.frames > 1:
        raise CannotBuildVolume("a multi-frame image says nowhere where its frames lie")
    if "MOSAIC" in a.texts(0x0008_0008):
        raise CannotBuildVolume("a mosaic holds all slices in one plane: export it as Enhanced MR or single slices")
    return (
        Frame(
            image,
            0,
            position_mm=a.numbers(0x0020_0032),
            orientation=a.numbers(0x0020_0037),
            spacing_mm=a.numbers(0x0028_0030),
            thickness_mm=a.number(0x0018_0050) or 0.0,
            between_mm=a.number(0x0018_0088) or 0.0,
            rescale=rescale_of(image, a),
            marks=marks_of(a, image.modality) | _gates(a),
        ),
    )


def _gates(a: Attributes) -> dict[Mark, MarkValue]:
    """Image Index counts slices, then time slots, which nothing else does (PS3.3 section C.8.9.4.1.9)."""
    slices, index = a.whole(0x0054_0081), a.whole(0x0054_1330)
    series_type = a.texts(0x0054_1000)
    if slices > 0 and index > 0 and series_type[:1] in (("GATED",), ("DYNAMIC",)):
        return {Mark.GATE: (float((index - 1) // slices + 1),)}
    return {}


def rescale_of(image: ImageFile, a: Attributes) -> Rescale:
    """The modality transformation of an image or frame: a table, or slope and intercept."""
    table = a.item(_LUT_SEQUENCE)
    if image.modality == "PT" and not image.units:
        measured = _real_world(a)
        if measured.kind == ACTIVITY:  # Enhanced PET says its unit nowhere else
            return measured
    slope, intercept = a.number(0x0028_1053), a.number(0x0028_1052)
    if table is not None:
        if slope is not None and image.modality == "PT":
            raise CannotBuildVolume("the images have a table and a slope: nobody says which of them gives the numbers")
        return _table(table, image.pixels.signed)
    said = [a.node(tag) is not None for tag in (0x0028_1053, 0x0028_1052)]
    if said == [False, False]:
        return _real_world(a)
    if said == [True, False] and image.modality == "PT":
        intercept = 0.0  # it must be 0 there (PS3.3 section C.8.9.4)
    if slope is None or intercept is None:
        raise CannotBuildVolume("Rescale Slope or Intercept is missing, or no number")
    return Rescale(slope, intercept, a.text(0x0028_1054).upper(), True)


def _table(item: Attributes, signed: bool) -> Rescale:
    """A Modality LUT (PS3.3 section C.11.1.1): number of entries, first stored value, bits of each."""
    descriptor = item.numbers(0x0028_3002)
    node = item.node(0x0028_3006)
    if len(descriptor) != 3 or node is None:
        raise CannotBuildVolume("the Modality LUT of an image is incomplete")
    count = int(descriptor[0]) % 65536 or 65536
    first = int(descriptor[1])
    # The first value has the sign of the pixels, whatever the VR says.
    first = (first + 32768) % 65536 - 32768 if signed else first % 65536
    width = "u1" if descriptor[2] <= 8 and len(node.value) < 2 * count else ("u2" if not item.big else ">u2")
    values = np.frombuffer(bytes(node.value), width)[:count]
    if len(values) < count:
        raise CannotBuildVolume("the Modality LUT of an image has fewer entries than it says")
    return Rescale(kind=item.text(0x0028_3004).upper(), is_stated=True, first=first, table=tuple(values.tolist()))


def _real_world(a: Attributes) -> Rescale:
    """A linear real world value mapping, used where the image has no rescale (PS3.3 section C.7.6.16.2.11)."""
    items = list(a.items(0x0040_9096))
    lines = {(item.number(0x0040_9225), item.number(0x0040_9224)) for item in items}
    if len(lines) != 1:  # several quantities of one image: which of them is meant, nobody says
        return Rescale()
    slope, intercept = next(iter(lines))
    if slope is None or intercept is None:
        return Rescale()
    unit = items[0].item(0x0040_08EA)
    code = unit.text(0x0008_0100) if unit is not None else ""
    return Rescale(slope, intercept, f"RWV {code}".strip(), True)
