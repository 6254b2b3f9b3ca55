"""Frames of decoded pixels as gray values, for those that look at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from radfuse.core.errors import CannotAnonymize
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.deid.pixels.blanking import frames_of, palette_luminances
from radfuse.deid.pixels.picture import PIXEL_DATA, number
from radfuse.deid.pixels.text_reader import gray_frame
from radfuse.dicom.tree import Tree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LUMINANCE_FIRST: Final = "YBR_"
_BITS: Final = {8: "u1", 16: "<u2", 32: "<u4"}


def gray_frames(image: Tree, palette: Tree) -> Iterator[NDArray[np.uint8]]:
    """Every frame of an image in explicit VR little endian; ``palette`` holds its palette. Raises CannotAnonymize."""
    import numpy as np

    rows, columns, samples, bits, signed = (
        number(image, tag, False) for tag in (0x0028_0010, 0x0028_0011, 0x0028_0002, 0x0028_0100, 0x0028_0103)
    )
    photometric = image.ascii(0x0028_0004)
    if bits not in _BITS:
        raise CannotAnonymize("text cannot be looked for in pixels of single bits")
    kind = _BITS[bits].replace("u", "i") if signed else _BITS[bits]
    values = np.frombuffer(image.nodes[PIXEL_DATA].value, kind)
    per_pixel = 2 if photometric == "YBR_FULL_422" and samples == 3 else samples or 1
    size = rows * columns * per_pixel
    table: Any = palette_luminances(palette, EXPLICIT_LITTLE) if photometric == "PALETTE COLOR" else None
    luminances = None if table is None else np.array(table[1])
    first = 0 if table is None else table[0]
    for index in range(frames_of(image)):
        frame = values[index * size : (index + 1) * size]
        if per_pixel == 2:
            plane = frame.reshape(-1, 4)[:, :2].reshape(rows, columns)
        elif per_pixel == 3:
            colours = frame.reshape(rows, columns, 3)
            plane = colours[..., 0] if photometric.startswith(_LUMINANCE_FIRST) else colours
        else:
            plane = frame.reshape(rows, columns)
        if photometric == "MONOCHROME1":
            plane = plane.max() - plane
        yield gray_frame(plane.astype(np.int64) - first if luminances is not None else plane, luminances)
