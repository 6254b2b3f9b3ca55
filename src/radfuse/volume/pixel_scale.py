"""What the stored values of one frame mean, whether or not its image makes a volume (PS3.3 section C.11.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotBuildVolume, UnreadableObject
from radfuse.volume.attributes import Attributes
from radfuse.volume.frames import Frame, Rescale
from radfuse.volume.images import ImageFile, StoredPixels, Unusable, image_of, open_header
from radfuse.volume.model import Unit
from radfuse.volume.multiframe import attributes_of_frame
from radfuse.volume.single import rescale_of
from radfuse.volume.stored import OpenPixels
from radfuse.volume.units import natural_unit

_NO_FILE: Final = -1
_DOSE: Final = "1.2.840.10008.5.1.4.1.1.481.2"
_REAL_WORLD: Final = "RWV"
_UNIT_OF_TYPE: Final = {
    "HU": "HU",
    "HU_MOD": "HU (modified)",
    "OD": "OD/1000",
    "MGML": "mg/ml",
    "Z_EFF": "Z eff",
    "ED": "10^23/ml",
    "EDW": "N/Nw",
    "PCT": "%",
}
"""Rescale Type (0028,1054) and Modality LUT Type (0028,3004), PS3.3 section C.11.1.1.2."""


Meaning: TypeAlias = Literal["stored", "rescaled", "table", "real world", "padding"]
"""How a number came from the stored value: it is that; by slope and intercept, or the scaling of a dose; by the table
of the Modality LUT; by the Real World Value Mapping. Padding: nothing was measured there (Pixel Padding Value)."""


@dataclass(frozen=True, slots=True)
class PixelScale:
    """Of one frame in gray."""

    pixels: StoredPixels
    rescale: Rescale
    unit: str
    """For people; "" where the image says none that we know."""

    @property
    def meaning(self) -> Meaning:
        """How its numbers come from stored values."""
        if self.rescale.table is not None:
            return "table"
        if self.rescale.kind.startswith(_REAL_WORLD):
            return "real world"
        return "rescaled" if self.rescale.is_stated else "stored"

    def decoded_as(self, allocated: int, stored: int, high_bit: int, *, is_signed: bool) -> PixelScale:
        """The same of pixels that decoding laid otherwise than the header says."""
        laid = replace(
            self.pixels,
            bits_allocated=allocated,
            bits_stored=stored,
            shift=min(max(high_bit - stored + 1, 0), allocated - stored),
            signed=is_signed,
        )
        return replace(self, pixels=laid)

    def number_of(self, lying: npt.NDArray[Any]) -> tuple[float, Meaning]:
        """A stored value, an array of one as it lies in the frame, as a number; and how that came."""
        pixels = OpenPixels(_NO_FILE, self.pixels)
        meant = pixels.meant(lying)
        is_padding = bool(pixels.is_padding(meant)[0])
        return self._scaled(meant[0].item()), "padding" if is_padding else self.meaning

    def _scaled(self, value: float) -> float:
        table = self.rescale.table
        if table is not None:
            return float(table[int(np.clip(int(value) - self.rescale.first, 0, len(table) - 1))])
        return float(value * self.rescale.slope + self.rescale.intercept)


def scale_of(path: Path, number: int) -> PixelScale:
    """What the stored values mean in the frame ``number``, from 1, of the file ``path``.

    Raises UnreadableObject for a file that cannot be read, for one in colour, and for one that does not say it.
    """
    try:
        syntax, header, base = open_header(path)
        image = image_of(path, syntax, header, base)
        if isinstance(image, Unusable):
            raise UnreadableObject(image.reason)
        image, attributes = attributes_of_frame(image, header, number - 1)
        rescale = _dose(attributes) if image.sop_class_uid == _DOSE else rescale_of(image, attributes)
    except CannotBuildVolume as error:
        raise UnreadableObject(error.reason) from error
    return PixelScale(image.pixels, rescale, _unit(image, rescale))


def _dose(a: Attributes) -> Rescale:
    """PS3.3 section C.8.8.3.4."""
    scaling = a.number(0x3004_000E)
    if not scaling:
        raise UnreadableObject("the dose has no Dose Grid Scaling: its numbers mean nothing")
    return Rescale(scaling, 0.0, a.text(0x3004_0002).upper(), True)


def _unit(image: ImageFile, rescale: Rescale) -> str:
    unit = natural_unit(Frame(image, 0, rescale=rescale))
    if unit is not Unit.SIGNAL:
        return unit.value
    kind = rescale.kind
    return kind.removeprefix(_REAL_WORLD).strip() if kind.startswith(_REAL_WORLD) else _UNIT_OF_TYPE.get(kind, "")
