"""What the engines of SimpleITK share: arrays as its images and back, progress, and stopping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotRegister
from radfuse.registration.deformable.pair import Image, Pair, Progress
from radfuse.registration.metric_steps import MetricStep, Steps


def simpleitk() -> Any:
    """The module, loaded only where it is used; its own types cover half of it, which is worse than none."""
    import SimpleITK

    return SimpleITK


def as_image(voxels: npt.NDArray[Any], pair: Pair) -> Any:
    """On the grid of the pair, whose axes are taken for the patient's."""
    image = simpleitk().GetImageFromArray(voxels.astype(np.float32))
    image.SetSpacing(pair.spacing_mm.tolist())
    return image


def field_of(image: Any) -> Image:
    """A field of SimpleITK as one of ours: components first."""
    vectors: Image = np.ascontiguousarray(np.moveaxis(simpleitk().GetArrayFromImage(image), 3, 0), np.float32)
    return vectors


def reduced(image: Any, factor: int) -> Any:
    """The image smoothed and with every ``factor``-th voxel, as long as it keeps 12 along each side."""
    sitk = simpleitk()
    if factor == 1:
        return image
    factors = [min(factor, max(1, size // 12)) for size in image.GetSize()]
    smooth = [(0.5 * by * spacing) ** 2 for by, spacing in zip(factors, image.GetSpacing(), strict=True)]
    return sitk.Shrink(sitk.DiscreteGaussian(image, smooth), factors)


class Watch:
    """Tells the progress of a method of SimpleITK, and stops it when it is told to."""

    def __init__(self, progress: Progress | None, levels: int, follow: Steps | None = None, metric: str = "") -> None:
        """``metric``: what the method calls the less the better."""
        self._progress, self._levels, self._done = progress, levels, 0.0
        self._follow, self._metric, self._level = follow, metric, 0
        self._stopped: BaseException | None = None

    @contextmanager
    def over(
        self,
        method: Any,
        stop: Callable[[], None],
        step: Callable[[], int],
        most: int,
        metric: Callable[[], float] | None = None,
    ) -> Iterator[None]:
        """While the method runs; raises what the progress raised, and CannotRegister where it fails."""
        begun = self._done
        self._level += 1
        stage = f"deformable, level {self._level} of {self._levels}"

        def tell() -> None:
            share = begun + min(1.0, step() / most) / self._levels
            self._done = max(self._done, min(1.0, share))
            if self._follow and metric:
                self._follow(MetricStep(stage, self._metric, float(metric())))
            try:
                if self._progress and self._stopped is None:
                    self._progress(self._done)
            except BaseException as error:  # it must not pass through foreign code
                self._stopped = error
                stop()

        method.AddCommand(simpleitk().sitkIterationEvent, tell)
        try:
            yield
        except RuntimeError as error:  # SimpleITK has no other
            if self._stopped is None:
                raise CannotRegister("SimpleITK found too little that lies on each other") from error
        if self._stopped is not None:
            raise self._stopped
        self._done = min(1.0, begun + 1 / self._levels)
