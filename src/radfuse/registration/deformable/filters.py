"""Gaussians, sums over boxes and means of blocks, as machine code.

Images are float32, [slice, row, column]; every kernel fills the slices of its ``part``.
"""

from __future__ import annotations

import numpy as np

from radfuse.core.compiling import compiled
from radfuse.registration.deformable.parallel import Array, Part


@compiled
def smooth_rows(image: Array, weights: Array, out: Array, part: Part) -> None:
    """A symmetric filter along columns (x); ``weights`` from its centre outwards; the border's value goes on."""
    _, rows, columns = image.shape
    reach = len(weights) - 1
    line = np.empty(columns + 2 * reach, dtype=np.float32)
    for k in range(part[0], part[1]):
        for j in range(rows):
            line[reach : reach + columns] = image[k, j]
            line[:reach] = image[k, j, 0]
            line[reach + columns :] = image[k, j, columns - 1]
            target, middle = out[k, j], line[reach : reach + columns]
            for i in range(columns):
                target[i] = weights[0] * middle[i]
            for t in range(1, reach + 1):
                w = weights[t]
                left, right = line[reach - t : reach - t + columns], line[reach + t : reach + t + columns]
                for i in range(columns):
                    target[i] += w * (left[i] + right[i])


@compiled
def smooth_columns(image: Array, weights: Array, out: Array, part: Part) -> None:
    """The same along rows (y)."""
    _, rows, columns = image.shape
    for k in range(part[0], part[1]):
        for j in range(rows):
            target, middle = out[k, j], image[k, j]
            for i in range(columns):
                target[i] = weights[0] * middle[i]
            for t in range(1, len(weights)):
                w, before, behind = weights[t], image[k, max(j - t, 0)], image[k, min(j + t, rows - 1)]
                for i in range(columns):
                    target[i] += w * (before[i] + behind[i])


@compiled
def smooth_slices(image: Array, weights: Array, out: Array, part: Part) -> None:
    """The same along slices (z)."""
    slices, rows, columns = image.shape
    for k in range(part[0], part[1]):
        for j in range(rows):
            target, middle = out[k, j], image[k, j]
            for i in range(columns):
                target[i] = weights[0] * middle[i]
            for t in range(1, len(weights)):
                w, below, above = weights[t], image[max(k - t, 0), j], image[min(k + t, slices - 1), j]
                for i in range(columns):
                    target[i] += w * (below[i] + above[i])


@compiled
def sum_planes(image: Array, radius: Array, spare: Array, out: Array, part: Part) -> None:
    """The sum over ``radius`` voxels to each side along columns and rows; nothing lies outside the image."""
    _, rows, columns = image.shape
    rx, ry = radius[0], radius[1]
    line = np.zeros(columns + 2 * rx, dtype=np.float32)
    for k in range(part[0], part[1]):
        for j in range(rows):
            line[rx : rx + columns] = image[k, j]
            target = spare[k, j]
            target[:] = line[:columns]
            for t in range(1, 2 * rx + 1):
                shifted = line[t : t + columns]
                for i in range(columns):
                    target[i] += shifted[i]
        for j in range(rows):
            target, first = out[k, j], max(j - ry, 0)
            target[:] = spare[k, first]
            for t in range(first + 1, min(j + ry + 1, rows)):
                other = spare[k, t]
                for i in range(columns):
                    target[i] += other[i]


@compiled
def sum_slices(image: Array, radius: Array, out: Array, part: Part) -> None:
    """The same along slices."""
    slices, rows, columns = image.shape
    for k in range(part[0], part[1]):
        first, last = max(k - radius[2], 0), min(k + radius[2] + 1, slices)
        for j in range(rows):
            target = out[k, j]
            target[:] = image[first, j]
            for t in range(first + 1, last):
                other = image[t, j]
                for i in range(columns):
                    target[i] += other[i]


@compiled
def mean_blocks(image: Array, factors: Array, out: Array, part: Part) -> None:
    """The mean of blocks of ``factors`` (columns, rows, slices) voxels; what is over at the end is left out."""
    _, rows, columns = out.shape
    fx, fy, fz = factors[0], factors[1], factors[2]
    share = np.float32(1.0 / (fx * fy * fz))
    for k in range(part[0], part[1]):
        for j in range(rows):
            for i in range(columns):
                total = np.float32(0.0)
                for c in range(fz):
                    for b in range(fy):
                        for a in range(fx):
                            total += image[k * fz + c, j * fy + b, i * fx + a]
                out[k, j, i] = total * share
