"""Display colours: sRGB on the screen, CIELab in objects (PS3.3 section C.10.7.1.1)."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np

RGB: TypeAlias = tuple[int, int, int]
"""Red, green, blue of sRGB, 0 to 255."""

_TO_XYZ: Final = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""Linear sRGB to XYZ, adapted (Bradford) to the white of D50, as profile connection spaces have it."""

_WHITE: Final = np.array([0.96422, 1.0, 0.82521])
_OFFSET: Final = np.array([0.0, 128.0, 128.0])
_RANGE: Final = np.array([100.0, 255.0, 255.0])
_EPSILON: Final = 216 / 24389
_KAPPA: Final = 24389 / 27


def lab_of(rgb: RGB) -> list[int]:
    """Recommended Display CIELab Value of a screen colour."""
    part = np.array(rgb, dtype=np.float64) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    xyz = _TO_XYZ @ linear / _WHITE
    x, y, z = np.where(xyz > _EPSILON, np.cbrt(xyz), (_KAPPA * xyz + 16) / 116)
    lab = np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
    return [int(value) for value in np.rint((lab + _OFFSET) * 65535 / _RANGE).clip(0, 65535)]


def rgb_of(lab: list[int]) -> RGB:
    """The nearest screen colour of a Recommended Display CIELab Value."""
    lightness, a, b = np.array(lab, dtype=np.float64) * _RANGE / 65535 - _OFFSET
    y = (lightness + 16) / 116
    roots = np.array([y + a / 500, y, y - b / 200])
    xyz = np.where(roots**3 > _EPSILON, roots**3, (116 * roots - 16) / _KAPPA) * _WHITE
    linear = np.linalg.solve(_TO_XYZ, xyz).clip(0, 1)
    part = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (int(value) for value in np.rint(part * 255))
    return red, green, blue
