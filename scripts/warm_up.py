"""Have all numeric code compiled at install, so that nobody's first picture or registration waits for it.

Machine code is kept beside the source, one version for each kind of argument: so the public functions are called
with small volumes of both kinds of voxels.
"""

from __future__ import annotations

import numpy as np

from radfuse.fusion import reslice, rotating_mip
from radfuse.geometry import Affine, DisplacementField, FrameOfReference, Grid
from radfuse.registration import deform, rigid
from radfuse.volume import Source, Unit, Volume
from radfuse.volume.resample import Interpolation, resample

_WAVES = ((0.3, np.s_[:, None, None]), (0.2, np.s_[None, :, None]), (0.13, np.s_[None, None, :]))


def main() -> None:
    """Compile everything."""
    deform.warm_up()
    grid = Grid.of((24, 24, 24), (4, 4, 4), (0, 0, 0), FrameOfReference("2.25.1"))
    plane = Grid.of((1, 24, 24), (4, 4, 4), (0, 0, 40), grid.frame)
    field = DisplacementField(grid, np.zeros((*grid.shape, 3), dtype=np.float32))
    waves = sum(np.cos(np.arange(24) * turns)[place] for turns, place in _WAVES)
    for dtype in (np.int16, np.float32):
        volume = Volume((waves * 100).astype(dtype), grid, Unit.HU, Source("CT", "", "", "", ()))
        for transform in (Affine.identity(), field):
            for interpolation in (Interpolation.NEAREST, Interpolation.LINEAR):
                reslice(volume, plane, transform, interpolation=interpolation)
                resample(volume, grid, transform, interpolation)
        rotating_mip(volume, frames=2)
    rigid.register_rigid(volume, volume, starts=[Affine.identity()])


if __name__ == "__main__":
    main()
