"""Fields and images that are moved by them, as machine code.

Images are float32, [slice, row, column]; fields have three of them, the displacements in mm along
columns, rows and slices of the grid; ``per_mm`` says how many voxels are in a mm along each. Every
kernel fills the slices of its ``part``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from radfuse.core.compiling import compiled
from radfuse.registration.deformable.parallel import Array, Part

_EDGE: Final = 1e-3
"""How many voxels beyond the border still count as on it."""


@compiled
def _clamped(at: float, size: int) -> Any:
    return min(max(at, np.float32(0.0)), np.float32(size - 1))


@compiled
def _value(image: Array, x: float, y: float, z: float) -> Any:
    """Trilinear; outside the image the value of its border."""
    slices, rows, columns = image.shape
    u, v, w = _clamped(x, columns), _clamped(y, rows), _clamped(z, slices)
    i, j, k = int(u), int(v), int(w)
    i1, j1, k1 = min(i + 1, columns - 1), min(j + 1, rows - 1), min(k + 1, slices - 1)
    p, q, r = u - np.float32(i), v - np.float32(j), w - np.float32(k)
    a = image[k, j, i] + (image[k, j, i1] - image[k, j, i]) * p
    b = image[k, j1, i] + (image[k, j1, i1] - image[k, j1, i]) * p
    c = image[k1, j, i] + (image[k1, j, i1] - image[k1, j, i]) * p
    d = image[k1, j1, i] + (image[k1, j1, i1] - image[k1, j1, i]) * p
    low, high = a + (b - a) * q, c + (d - c) * q
    return low + (high - low) * r


@compiled
def _is_inside(x: float, y: float, z: float, shape: tuple[int, int, int]) -> Any:
    slices, rows, columns = shape
    low = x >= -_EDGE and y >= -_EDGE and z >= -_EDGE
    high = x <= columns - 1 + _EDGE and y <= rows - 1 + _EDGE and z <= slices - 1 + _EDGE
    return np.float32(1.0) if low and high else np.float32(0.0)


@compiled
def warp(moving: Array, field: Array, per_mm: Array, out: Array, inside: Array, part: Part) -> None:
    """``out(x) = moving(x + field(x))``; outside it is the border's value, and ``inside`` is 0, else 1."""
    _, rows, columns = out.shape
    for k in range(part[0], part[1]):
        for j in range(rows):
            for i in range(columns):
                x = np.float32(i) + field[0, k, j, i] * per_mm[0]
                y = np.float32(j) + field[1, k, j, i] * per_mm[1]
                z = np.float32(k) + field[2, k, j, i] * per_mm[2]
                inside[k, j, i] = _is_inside(x, y, z, out.shape)
                out[k, j, i] = _value(moving, x, y, z)


@compiled
def warp_channels(moving: Array, field: Array, per_mm: Array, out: Array, inside: Array, part: Part) -> None:
    """As ``warp`` for channels, which are the last axis: bytes in, float32 out."""
    slices, rows, columns, channels = out.shape
    for k in range(part[0], part[1]):
        for j in range(rows):
            for i in range(columns):
                x = np.float32(i) + field[0, k, j, i] * per_mm[0]
                y = np.float32(j) + field[1, k, j, i] * per_mm[1]
                z = np.float32(k) + field[2, k, j, i] * per_mm[2]
                inside[k, j, i] = _is_inside(x, y, z, (slices, rows, columns))
                u, v, w = _clamped(x, columns), _clamped(y, rows), _clamped(z, slices)
                i0, j0, k0 = int(u), int(v), int(w)
                i1, j1, k1 = min(i0 + 1, columns - 1), min(j0 + 1, rows - 1), min(k0 + 1, slices - 1)
                p, q, r = u - np.float32(i0), v - np.float32(j0), w - np.float32(k0)
                a, b = moving[k0, j0, i0], moving[k0, j0, i1]
                c, d = moving[k0, j1, i0], moving[k0, j1, i1]
                e, f = moving[k1, j0, i0], moving[k1, j0, i1]
                g, h = moving[k1, j1, i0], moving[k1, j1, i1]
                target = out[k, j, i]
                for n in range(channels):
                    near = np.float32(a[n]) + (np.float32(b[n]) - np.float32(a[n])) * p
                    far = np.float32(c[n]) + (np.float32(d[n]) - np.float32(c[n])) * p
                    low = near + (far - near) * q
                    near = np.float32(e[n]) + (np.float32(f[n]) - np.float32(e[n])) * p
                    far = np.float32(g[n]) + (np.float32(h[n]) - np.float32(g[n])) * p
                    target[n] = low + (near + (far - near) * q - low) * r


@compiled
def compose(step: Array, field: Array, per_mm: Array, out: Array, part: Part) -> None:
    """``out(x) = step(x) + field(x + step(x))``: the step first, then the field."""
    _, _, rows, columns = out.shape
    for k in range(part[0], part[1]):
        for j in range(rows):
            for i in range(columns):
                dx, dy, dz = step[0, k, j, i], step[1, k, j, i], step[2, k, j, i]
                x = np.float32(i) + dx * per_mm[0]
                y = np.float32(j) + dy * per_mm[1]
                z = np.float32(k) + dz * per_mm[2]
                out[0, k, j, i] = dx + _value(field[0], x, y, z)
                out[1, k, j, i] = dy + _value(field[1], x, y, z)
                out[2, k, j, i] = dz + _value(field[2], x, y, z)


@compiled
def enlarge(field: Array, factors: Array, out: Array, part: Part) -> None:
    """A field of a coarser level on a finer one, trilinear between the centres of its blocks."""
    _, _, rows, columns = out.shape
    half = np.float32(0.5)
    for k in range(part[0], part[1]):
        z = (np.float32(k) + half) / factors[2] - half
        for j in range(rows):
            y = (np.float32(j) + half) / factors[1] - half
            for i in range(columns):
                x = (np.float32(i) + half) / factors[0] - half
                out[0, k, j, i] = _value(field[0], x, y, z)
                out[1, k, j, i] = _value(field[1], x, y, z)
                out[2, k, j, i] = _value(field[2], x, y, z)


@compiled
def jacobians(field: Array, per_mm: Array, out: Array, part: Part) -> None:
    """The Jacobian determinant of ``x + field(x)`` by central differences (one-sided at the border)."""
    slices, rows, columns = out.shape
    one = np.float32(1.0)
    for k in range(part[0], part[1]):
        k0, k1 = max(k - 1, 0), min(k + 1, slices - 1)
        sz = per_mm[2] / np.float32(max(k1 - k0, 1))
        for j in range(rows):
            j0, j1 = max(j - 1, 0), min(j + 1, rows - 1)
            sy = per_mm[1] / np.float32(max(j1 - j0, 1))
            for i in range(columns):
                i0, i1 = max(i - 1, 0), min(i + 1, columns - 1)
                sx = per_mm[0] / np.float32(max(i1 - i0, 1))
                xx = one + (field[0, k, j, i1] - field[0, k, j, i0]) * sx
                yx = (field[1, k, j, i1] - field[1, k, j, i0]) * sx
                zx = (field[2, k, j, i1] - field[2, k, j, i0]) * sx
                xy = (field[0, k, j1, i] - field[0, k, j0, i]) * sy
                yy = one + (field[1, k, j1, i] - field[1, k, j0, i]) * sy
                zy = (field[2, k, j1, i] - field[2, k, j0, i]) * sy
                xz = (field[0, k1, j, i] - field[0, k0, j, i]) * sz
                yz = (field[1, k1, j, i] - field[1, k0, j, i]) * sz
                zz = one + (field[2, k1, j, i] - field[2, k0, j, i]) * sz
                out[k, j, i] = xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx)
