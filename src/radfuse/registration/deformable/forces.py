"""What pulls a field to where the images are alike, and the step it makes, as machine code.

Images are float32, [slice, row, column]. ``out`` of a force has its three components along columns,
rows and slices per mm, and then, if there is room, its curvature: xx, yy, zz, xy, xz, yz. The
gradient is that of the warped image, which is exact for a field that the step is composed with.
"""

from __future__ import annotations

import numpy as np

from radfuse.core.compiling import compiled
from radfuse.registration.deformable.parallel import Array, Part


@compiled
def products(fixed: Array, moved: Array, weight: Array, out: Array, part: Part) -> None:
    """What the local correlation sums: ``out[0..5]`` is w, w f, w m, w f f, w m m, w f m."""
    _, rows, columns = fixed.shape
    for k in range(part[0], part[1]):
        for j in range(rows):
            for i in range(columns):
                w, f, m = weight[k, j, i], fixed[k, j, i], moved[k, j, i]
                out[0, k, j, i] = w
                out[1, k, j, i] = w * f
                out[2, k, j, i] = w * m
                out[3, k, j, i] = w * f * f
                out[4, k, j, i] = w * m * m
                out[5, k, j, i] = w * f * m


@compiled
def correlate(sums: Array, least_weight: float, kappa: float, out: Array, squared: Array, part: Part) -> None:
    """From window sums to what the gradient of the squared correlation needs.

    ``out[0..2]`` become a, b and a fbar - b mbar with a = c / (vf vm), b = a c / vm; ``squared`` is the
    squared correlation itself. Windows with less than ``least_weight`` say nothing.
    """
    _, _, rows, columns = sums.shape
    zero = np.float32(0.0)
    for k in range(part[0], part[1]):
        for j in range(rows):
            for i in range(columns):
                n = sums[0, k, j, i]
                if n < least_weight:
                    out[0, k, j, i] = out[1, k, j, i] = out[2, k, j, i] = squared[k, j, i] = zero
                    continue
                f, m = sums[1, k, j, i] / n, sums[2, k, j, i] / n
                vf = max(sums[3, k, j, i] / n - f * f, zero) + np.float32(kappa)
                vm = max(sums[4, k, j, i] / n - m * m, zero) + np.float32(kappa)
                c = sums[5, k, j, i] / n - f * m
                a = c / (vf * vm)
                b = a * c / vm
                out[0, k, j, i] = a
                out[1, k, j, i] = b
                out[2, k, j, i] = a * f - b * m
                squared[k, j, i] = a * c


@compiled
def correlation_force(images: tuple[Array, Array, Array], sums: Array, per_mm: Array, out: Array, part: Part) -> None:
    """Where the squared correlation of ``images`` (fixed, moved, weight) grows.

    ``sums`` are the window sums of a, b and a fbar - b mbar.
    """
    fixed, moved, weight = images
    slices, rows, columns = fixed.shape
    half = np.float32(0.5)
    sx, sy, sz = half * per_mm[0], half * per_mm[1], half * per_mm[2]
    for k in range(part[0], part[1]):
        k0, k1 = max(k - 1, 0), min(k + 1, slices - 1)
        for j in range(rows):
            j0, j1 = max(j - 1, 0), min(j + 1, rows - 1)
            for i in range(columns):
                gx = (moved[k, j, min(i + 1, columns - 1)] - moved[k, j, max(i - 1, 0)]) * sx
                gy = (moved[k, j1, i] - moved[k, j0, i]) * sy
                gz = (moved[k1, j, i] - moved[k0, j, i]) * sz
                w = weight[k, j, i]
                b = sums[1, k, j, i] * w
                g = (fixed[k, j, i] * sums[0, k, j, i] - sums[2, k, j, i]) * w - moved[k, j, i] * b
                out[0, k, j, i], out[1, k, j, i], out[2, k, j, i] = g * gx, g * gy, g * gz
                if len(out) == 9:
                    out[3, k, j, i], out[4, k, j, i], out[5, k, j, i] = b * gx * gx, b * gy * gy, b * gz * gz
                    out[6, k, j, i], out[7, k, j, i], out[8, k, j, i] = b * gx * gy, b * gx * gz, b * gy * gz


@compiled
def difference_force(
    fixed: Array, moved: Array, weight: Array, per_mm: Array, squared: Array, out: Array, part: Part
) -> None:
    """Where the squared difference over channels (the last axis) falls; ``squared`` is that sum itself."""
    slices, rows, columns, channels = fixed.shape
    half = np.float32(0.5)
    sx, sy, sz = half * per_mm[0], half * per_mm[1], half * per_mm[2]
    for k in range(part[0], part[1]):
        below, above = moved[max(k - 1, 0)], moved[min(k + 1, slices - 1)]
        for j in range(rows):
            before, behind = moved[k, max(j - 1, 0)], moved[k, min(j + 1, rows - 1)]
            for i in range(columns):
                here, there = moved[k, j, i], fixed[k, j, i]
                x0, x1 = moved[k, j, max(i - 1, 0)], moved[k, j, min(i + 1, columns - 1)]
                y0, y1, z0, z1 = before[i], behind[i], below[j, i], above[j, i]
                fx = fy = fz = xx = yy = zz = xy = xz = yz = total = np.float32(0.0)
                for c in range(channels):
                    gx, gy, gz = x1[c] - x0[c], y1[c] - y0[c], z1[c] - z0[c]
                    d = np.float32(there[c]) - here[c]
                    total += d * d
                    fx, fy, fz = fx + d * gx, fy + d * gy, fz + d * gz
                    xx, yy, zz = xx + gx * gx, yy + gy * gy, zz + gz * gz
                    xy, xz, yz = xy + gx * gy, xz + gx * gz, yz + gy * gz
                squared[k, j, i] = total
                wx, wy, wz = weight[k, j, i] * sx, weight[k, j, i] * sy, weight[k, j, i] * sz
                out[0, k, j, i], out[1, k, j, i], out[2, k, j, i] = wx * fx, wy * fy, wz * fz
                if len(out) == 9:
                    out[3, k, j, i], out[4, k, j, i], out[5, k, j, i] = wx * sx * xx, wy * sy * yy, wz * sz * zz
                    out[6, k, j, i], out[7, k, j, i], out[8, k, j, i] = wx * sy * xy, wx * sz * xz, wy * sz * yz


@compiled
def newton_step(force: Array, curvature: Array, damping: float, longest_mm: float, out: Array, part: Part) -> None:
    """``out = (H + damping) ^ -1 force`` for every voxel in closed form, no longer than ``longest_mm``."""
    _, _, rows, columns = force.shape
    lam, longest, one = np.float32(damping), np.float32(longest_mm), np.float32(1.0)
    for k in range(part[0], part[1]):
        for j in range(rows):
            for i in range(columns):
                a = curvature[0, k, j, i] + lam
                d = curvature[1, k, j, i] + lam
                f = curvature[2, k, j, i] + lam
                b, c, e = curvature[3, k, j, i], curvature[4, k, j, i], curvature[5, k, j, i]
                x, y, z = force[0, k, j, i], force[1, k, j, i], force[2, k, j, i]
                aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
                det = a * aa + b * bb + c * cc
                out[0, k, j, i] = out[1, k, j, i] = out[2, k, j, i] = np.float32(0.0)
                if det > np.float32(0.0):
                    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
                    u = (aa * x + bb * y + cc * z) / det
                    v = (bb * x + dd * y + ee * z) / det
                    w = (cc * x + ee * y + ff * z) / det
                    length = np.sqrt(u * u + v * v + w * w)
                    scale = longest / length if length > longest else one
                    out[0, k, j, i], out[1, k, j, i], out[2, k, j, i] = u * scale, v * scale, w * scale
