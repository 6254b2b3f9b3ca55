"""MIND-SSC: how alike the patches around a voxel are, which says the same in every modality; as machine code."""

from __future__ import annotations

import numpy as np

from radfuse.core.compiling import compiled
from radfuse.registration.deformable.parallel import Array, Part


@compiled
def squared_shift(image: Array, one: Array, other: Array, out: Array, part: Part) -> None:
    """``(image(x + one) - image(x + other)) ** 2``: whole shifts along columns, rows, slices; the border goes on."""
    slices, rows, columns = image.shape
    for k in range(part[0], part[1]):
        ka, kb = min(max(k + one[2], 0), slices - 1), min(max(k + other[2], 0), slices - 1)
        for j in range(rows):
            ja, jb = min(max(j + one[1], 0), rows - 1), min(max(j + other[1], 0), rows - 1)
            for i in range(columns):
                ia, ib = min(max(i + one[0], 0), columns - 1), min(max(i + other[0], 0), columns - 1)
                difference = image[ka, ja, ia] - image[kb, jb, ib]
                out[k, j, i] = difference * difference


@compiled
def describe(distances: Array, out: Array, part: Part) -> None:
    """Every channel ``exp(-(d - least) / mean d)`` as 0..255, the last axis, from the patch distances of a voxel."""
    channels, _, rows, columns = distances.shape
    for k in range(part[0], part[1]):
        for j in range(rows):
            for i in range(columns):
                least = distances[0, k, j, i]
                total = np.float32(0.0)
                for c in range(channels):
                    least = min(least, distances[c, k, j, i])
                    total += distances[c, k, j, i]
                mean = total / np.float32(channels) - least
                for c in range(channels):
                    value = np.float32(1.0)
                    if mean > np.float32(1e-12):
                        value = np.exp(-(distances[c, k, j, i] - least) / mean)
                    out[k, j, i, c] = np.uint8(value * np.float32(255.0) + np.float32(0.5))
