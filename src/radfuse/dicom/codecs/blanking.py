"""Rectangles of every frame made black, and bits beside the samples cleared; all else keeps its value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from radfuse.dicom.codecs.base import fit_container
from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from radfuse.dicom.blanking import Blanking
    from radfuse.dicom.codecs.base import PixelDescription, Samples

SUBSAMPLED: Final = "YBR_FULL_422"
"""Native pixels of it lie as Y1 Y2 CB CR for every two pixels (PS3.3 section C.7.6.3.1.2)."""
_MONOCHROME: Final = ("MONOCHROME1", "MONOCHROME2")
_LOWEST_LUMINANCE: Final = 16
"""Of YBR_PARTIAL_..., on a scale of 8 bits."""


def blanked(samples: Samples, blanking: Blanking, photometric: str, description: PixelDescription) -> Samples:
    """One frame of containers, blanked; raises ``Refused`` where nobody knows what is black."""
    result = samples.copy()
    if blanking.cleared_bits:
        result &= result.dtype.type(~blanking.cleared_bits & _all_bits(description))
    if not blanking.rectangles:
        return result
    black = _black(result, blanking, photometric, description)
    for left, top, right, bottom in blanking.rectangles:
        result[top:bottom, left:right] = black
    return result


def blanked_subsampled(samples: Samples, blanking: Blanking) -> Samples:
    """One frame of native YBR_FULL_422 as (rows, columns, 2): luminances in even columns, colours in odd ones."""
    result = samples.copy()
    middle = 1 << samples.dtype.itemsize * 8 - 1
    for left, top, right, bottom in blanking.rectangles:
        first, last = left - left % 2, right + right % 2
        result[top:bottom, first:last:2] = 0
        result[top:bottom, first + 1 : last : 2] = middle
    return result


def as_subsampled(description: PixelDescription) -> PixelDescription:
    """Native YBR_FULL_422 as two samples a pixel, which is the room that it takes; raises ``Refused``."""
    if description.columns % 2 or description.planar or description.bits_allocated != 8:
        raise Refused("native pixels with subsampled colour are not laid out in pairs of bytes")
    return replace(description, samples=2)


def _all_bits(description: PixelDescription) -> int:
    return (1 << max(description.bits_allocated, 8)) - 1


def _black(samples: Samples, blanking: Blanking, photometric: str, description: PixelDescription) -> Any:
    """The value, or the three, of a black pixel."""
    if photometric in _MONOCHROME:
        is_dark_high = (photometric == "MONOCHROME1") != blanking.is_inverted
        return (_darkest_signed if description.signed else _darkest)(samples, blanking, is_dark_high, description)
    if photometric == "PALETTE COLOR":
        if blanking.fill is None:
            raise Refused("the palette does not say which entry is black")
        return blanking.fill
    if photometric == "RGB":
        return 0
    if photometric.startswith("YBR_"):
        lowest = _LOWEST_LUMINANCE << description.bits_stored >> 8 if "PARTIAL" in photometric else 0
        middle = 1 << description.bits_stored - 1
        return np.array((lowest, middle, middle), samples.dtype)
    raise Refused("nobody knows what is black in this Photometric Interpretation")


def _darkest(samples: Samples, blanking: Blanking, is_dark_high: bool, description: PixelDescription) -> int:
    """Padding; else the end of the range."""
    stored = (1 << description.bits_stored) - 1
    if blanking.fill is not None and 0 <= blanking.fill <= stored:
        return blanking.fill
    return stored if is_dark_high else 0


def _darkest_signed(samples: Samples, blanking: Blanking, is_dark_high: bool, description: PixelDescription) -> int:
    """Padding; else the darkest of the frame: the end of the range would spoil every window that fits itself."""
    stored = (1 << description.bits_stored) - 1
    values = fit_container(samples & samples.dtype.type(stored), description.bits_stored, False, description)
    signed = values.view(f"i{values.dtype.itemsize}")
    lowest, highest = int(signed.min()), int(signed.max())
    darkest = highest if is_dark_high else lowest
    if blanking.fill is not None and -(stored + 1) // 2 <= blanking.fill <= stored // 2:
        darkest = blanking.fill
    # The sign goes on above Bits Stored where it does so in the other samples.
    is_cut = lowest < 0 and not np.any(samples & samples.dtype.type(_all_bits(description) & ~stored))
    return darkest & (stored if is_cut else _all_bits(description))
